"""Scenarios: the one JSON form of everything that can be replayed. `spec/scenarios/schema.json` is its schema.

Saved sessions, links, the library's lessons are all scenarios. A recorded one names jobs by their ids; one that is
written by hand refers to earlier answers, as conformance cases do: ``{{steps.enqueue.response.body.job.id}}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from engine.conformance.expect import Answer, check, parse_body
from engine.conformance.target import Exchange
from engine.conformance.template import Templates
from engine.errors import InvalidRequest, OJSError
from engine.http.message import Request, Response
from engine.jsonschema import pointer, validate
from engine.nesting import MAX_DEPTH, too_deep
from engine.times import format_time, parse_time
from playground import resources
from playground.travel.command import LATEST, WRITES, from_step, to_step
from playground.travel.timeline import MAX_BODY, Moment, Origin, Timeline

FORMAT: Final = "ojs-playground-scenario"
VERSION: Final = 1
MAX_TEXT: Final = 8 << 20
"""Largest text of a scenario, characters."""
MAX_STEPS: Final = 300_000
"""Most steps that a scenario may take; one that asks for more is refused."""
NESTED: Final = 4
"""Levels of a scenario around a request's body."""
SLICE: Final = 150
"""Steps between two looks at the clock while a scenario is played."""

Scenario = Mapping[str, Any]


class ScenarioError(InvalidRequest):
    """A scenario cannot be read or played; the message says what is wrong, where, and how to mend it."""


@cache
def schema() -> dict[str, Any]:
    """The published schema."""
    text = resources.bundled("spec/scenarios/schema.json")
    if text is None:
        text = (resources.path("spec") / "scenarios" / "schema.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def read(text: str) -> dict[str, Any]:
    """The scenario that a text holds. Nothing in it runs.

    Raises:
        ScenarioError: Too large, not JSON, of another format or version, or against the schema.
    """
    if len(text) > MAX_TEXT:
        raise ScenarioError(f"The scenario has {len(text):,} characters; the limit is {MAX_TEXT:,}.")
    if too_deep(text, MAX_DEPTH + NESTED):
        raise ScenarioError(f"The scenario is nested too deeply: a body may have {MAX_DEPTH} levels.")
    try:
        value = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        raise ScenarioError(f"The scenario is not JSON, or was cut off: {error}.") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ScenarioError(f'This is not a scenario of the playground: "format" is not "{FORMAT}".')
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ScenarioError(
            f"The scenario has version {version}; this playground reads version {VERSION}. Open it in a newer one."
        )
    broken = validate(schema(), value)
    if broken:
        first = broken[0]
        more = f" ({len(broken) - 1} more)" if len(broken) > 1 else ""
        raise ScenarioError(
            f"The scenario is not valid at {pointer(first.path) or 'its top'}: {first.message}{more}."
        )
    whole: dict[str, Any] = _whole(value)
    _check_order(whole)
    return whole


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _whole(value: Any) -> Any:
    """The same with whole numbers for JSON's ``1e3`` and ``1.0``, except in what is sent or compared."""
    if isinstance(value, dict):
        kept = ("request", "assertions")
        return {name: inner if name in kept else _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_order(scenario: Scenario) -> None:
    before = 0
    for index, step in enumerate(scenario["steps"]):
        if step["at"] < before:
            raise ScenarioError(
                f"The scenario is not valid at /steps/{index}/at: it lies before the step above."
            )
        before = step["at"]
        if "headers" in step.get("request", ()) and any(
            not (name.isascii() and value.isprintable()) for name, value in step["request"]["headers"].items()
        ):
            raise ScenarioError(
                f"The scenario is not valid at /steps/{index}/request/headers: not printable."
            )
    try:
        start = parse_time(scenario["start"])
    except ValueError as error:
        raise ScenarioError(f"The scenario is not valid at /start: {error}.") from None
    if not 0 <= start <= LATEST:
        raise ScenarioError("The scenario is not valid at /start: it lies before 1970 or after 8999.")


def record(timeline: Timeline, *, steps: bool = True, **more: Any) -> dict[str, Any]:
    """A timeline as a scenario.

    Args:
        timeline: The timeline, with its cursor.
        steps: Whether its steps are told; without them the caller adds them.
        more: Further fields, e.g. ``title``.
    """
    origin = timeline.origin
    told: dict[str, Any] = {"format": FORMAT, "version": VERSION, **more}
    told |= {"seed": origin.seed, "start": format_time(origin.start), "workers": origin.workers}
    if origin.conformance:
        told["conformance"] = True
    if origin.max_body != MAX_BODY:
        told["max_body"] = origin.max_body
    if steps:
        told["steps"] = [to_step(command, origin.start) for command in timeline.commands]
    told["end"] = timeline.end.now - origin.start
    due = timeline.next_due()
    unfinished = due is not None and due <= timeline.now  # playing it would do what is due at its end, too
    if timeline.past or unfinished:
        told["cursor"] = {"at": timeline.now - origin.start, "step": timeline.step}
    return told


def write(scenario: Scenario) -> str:
    """A scenario as text for people: one line a step."""
    head = {name: value for name, value in scenario.items() if name not in {"steps", "expect"}}
    lines = [json.dumps(head, ensure_ascii=False, indent=1)[:-2]]
    for name in ("steps", "expect"):
        if name in scenario:
            rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in scenario[name])
            lines.append(f' "{name}": [\n{rows}\n ]' if rows else f' "{name}": []')
    return ",\n".join(lines) + "\n}\n"


def score(scenario: Scenario) -> list[tuple[int, Any, Any]]:
    """Steps and expectations in the order of time; at one instant the steps come first.

    Returns:
        Of each its instant, milliseconds after the start, then the step and None, or None and the expectation.
    """
    rows = [(step["at"], 0, index, step, None) for index, step in enumerate(scenario["steps"])]
    rows += [(one["at"], 1, index, None, one) for index, one in enumerate(scenario.get("expect", ()))]
    return [(at, step, one) for at, _, _, step, one in sorted(rows, key=lambda row: row[:3])]


class Outcome(NamedTuple):
    """How one expectation was met.

    Args:
        says: The expectation in words.
        at: When, milliseconds after the start.
        problem: What was found instead; empty when it holds.
    """

    says: str
    at: int
    problem: str


class Told(NamedTuple):
    """One step as it was done.

    Args:
        step: The step, its references filled in.
        response: The answer to a request; None where the step is none.
        number: How many steps of the engine were done by then.
        now: When, milliseconds.
    """

    step: Mapping[str, Any]
    response: Response | None
    number: int
    now: int


class Player:
    """Plays a scenario, a slice at a time.

    Args:
        scenario: What `read` has let pass.

    Attributes:
        timeline: What has been played so far; the cursor is put where the scenario wants it at the end.
        outcomes: How its expectations were met.
        told: Its steps as they were done.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.start = parse_time(scenario["start"])
        self.timeline = Timeline(
            Origin(
                scenario["seed"],
                self.start,
                scenario.get("workers", 0),
                conformance=scenario.get("conformance", False),
                max_body=scenario.get("max_body", MAX_BODY),
            )
        )
        self.outcomes: list[Outcome] = []
        self.told: list[Told] = []
        self._templates = Templates()
        steps = scenario["steps"]
        known = [one["at"] for one in (*steps[-1:], *scenario.get("expect", ()))]
        self._until = max([scenario.get("end", 0), *known])

    @property
    def progress(self) -> float:
        """How much of the way is done, from 0 to 1."""
        return min(1.0, (self.timeline.now - self.start) / self._until) if self._until else 1.0

    def run(self) -> Iterator[None]:
        """Play it; gives way after each slice.

        Raises:
            ScenarioError: A step cannot be done, or there are too many.
        """
        for at, step, expectation in score(self.scenario):
            yield from self._advance(self.start + at)
            if step is not None:
                self._do(step)
            if expectation is not None:
                self._expect(expectation)
        yield from self._advance(self.start + self._until)
        cursor = self.scenario.get("cursor")
        if cursor is not None:
            instant = self.start + cursor["at"]
            if "step" in cursor:
                self.timeline.go(Moment(cursor["step"], instant))
            else:
                self.timeline.go_to(instant)

    def finish(self) -> Timeline:
        """Play the whole, and give the timeline.

        Raises:
            ScenarioError: As `run`.
        """
        for _ in self.run():
            pass
        return self.timeline

    def _advance(self, to: int) -> Iterator[None]:
        while not self.timeline.advance(to, SLICE):
            if self.timeline.step > MAX_STEPS:
                raise ScenarioError(
                    f"The scenario takes more than {MAX_STEPS:,} steps; let it end earlier, or with fewer workers."
                )
            yield

    def _do(self, step: Mapping[str, Any]) -> None:
        place = f"step {len(self.timeline.commands) + 1}, at {step['at']} ms"
        if "request" in step and not step["request"].get("literal"):
            step = {**step, "request": self._filled(step["request"], place)}
        try:
            command = from_step(step, self.start)
            if command.request is not None and command.request.method not in WRITES:
                response: Response | None = self.timeline.world.handle(command.request)
            else:
                response = self.timeline.do(command)
        except OJSError as error:
            raise ScenarioError(f"The scenario cannot be played at {place}: {error.message}") from None
        self.told.append(Told(step, response, self.timeline.step, self.timeline.now))
        if response is not None and "id" in step and isinstance(response.body, bytes):
            self._templates.remember(step["id"], parse_body(response.body.decode(errors="replace")))
        if response is not None and command.request is not None and "assertions" in step:
            self._judge(step["note"], step, command.request, response, place)

    def _filled(self, value: Any, place: str) -> Any:
        filled = self._templates.value(value)
        lost = self._templates.take_unresolved()
        if lost:
            raise ScenarioError(f"The scenario cannot be played at {place}: {lost[0]} leads nowhere.")
        return filled

    def _expect(self, expectation: Mapping[str, Any]) -> None:
        place = f"the expectation at {expectation['at']} ms"
        request = Request("GET", self._filled(expectation["path"], place))
        response = self.timeline.world.handle(request)
        self._judge(expectation["says"], expectation, request, response, place)

    def _judge(
        self, says: str, told: Mapping[str, Any], request: Request, response: Response, place: str
    ) -> None:
        """Hold an answer against the assertions of an expectation or a step."""
        answer = Answer(Exchange(request, response, "", self.timeline.now, 0))
        wanted = self._filled(told["assertions"], place)
        problem = "; ".join(
            f"{one.subject}: {one.trouble}" for one in check(wanted, answer) if not one.passed
        )
        self.outcomes.append(Outcome(says, told["at"], problem))
