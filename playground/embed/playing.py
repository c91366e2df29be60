"""A widget's content, played by the engine from its first step to its end: what was said, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.conformance.runner import run_case
from engine.errors import InvalidRequest, NotFound
from engine.http.message import Response
from engine.lifecycle import TERMINAL
from engine.times import DAY, format_time
from playground import telling
from playground.embed.content import Content
from playground.library_pages import in_words, sent
from playground.travel.command import WRITES
from playground.travel.scenario import Player, record
from playground.travel.target import JournalTarget
from playground.travel.timeline import Moment, Timeline

if TYPE_CHECKING:
    from engine.conformance.case import Case
    from engine.conformance.result import CaseResult
    from engine.events import Event
    from playground.requirements import Requirement

MAX_STEPS: Final = 5_000
"""Most steps of the engine that a widget's content may take."""
PATIENCE: Final = 2_000
"""Most steps in which jobs may settle."""
LONGEST: Final = DAY
"""Longest time in which they may, milliseconds."""


class Row(NamedTuple):
    """A line of what was done: a request, something that befell a worker or the clock, or something that must be true.

    Args:
        moment: When it was done.
        says: In words; empty for a request that says enough by itself.
        verb: The method, or what befell whom; empty for what must be true.
        path: Path of a request.
        body: What was sent, as indented JSON; empty for nothing.
        status: HTTP status of the answer, 0 where there is none.
        answer: Its JSON, None where there is none.
        verdict: ``ok`` or ``failed`` for what must be true; else empty.
    """

    moment: Moment
    says: str
    verb: str = ""
    path: str = ""
    body: str = ""
    status: int = 0
    answer: Any = None
    verdict: str = ""


class Played(NamedTuple):
    """A content that has been played.

    Args:
        content: The content.
        timeline: Its history; the cursor stands at its end.
        rows: What was done, and what had to be true, in the order of time.
        says: What came of it as a whole, a sentence; may be empty.
    """

    content: Content
    timeline: Timeline
    rows: list[Row]
    says: str = ""

    @property
    def events(self) -> list[tuple[Event, Moment]]:
        """The events that tell of jobs, oldest first, with the moment right after each: a heartbeat is none."""
        return [
            (one.event, Moment(one.step, one.event.time))
            for one in self.timeline.seen
            if not one.event.type.endswith(".heartbeat")
        ]


def play(content: Content) -> Played:
    """Play a content.

    Raises:
        InvalidRequest: A step cannot be done, or there are too many.
    """
    player = Player({name: value for name, value in content.scenario.items() if name != "cursor"})
    timeline = player.timeline
    for _ in player.run():
        if timeline.step > MAX_STEPS:
            raise InvalidRequest(
                f"This takes more than {MAX_STEPS:,} steps, too much for a widget; open it in the playground."
            )
    if content.settles:
        _settle(timeline)
    told = [
        Row(
            Moment(one.number, one.now),
            "" if "request" in one.step and "note" not in one.step else in_words(one.step),
            *_sent(one.step),
            *_answer(one.response),
        )
        for one in player.told
    ]
    told += [
        Row(
            Moment(1 << 53, player.start + one.at),
            f"{one.says} {one.problem}".strip(),
            verdict="failed" if one.problem else "ok",
        )
        for one in player.outcomes
    ]
    return Played(content, timeline, sorted(told, key=lambda row: (row.moment.now, row.moment.step)))


def _settle(timeline: Timeline) -> None:
    """Let time go on until every job has ended, or nothing brings that about."""
    until = timeline.now + LONGEST
    for _ in range(PATIENCE):
        jobs = timeline.world.engine.store.jobs(limit=1000)
        if jobs and all(job.state in TERMINAL for job in jobs):
            return
        if not jobs or not timeline.forward(until):
            return


def _sent(step: Mapping[str, Any]) -> tuple[str, str, str]:
    """Method, path and body of a step's request; or what befell whom, and with what."""
    if "request" not in step:
        verb, body = sent(step)
        return verb, "", body
    told = step["request"]
    return told["method"], told["path"], _pretty(told["body"]) if "body" in told else told.get("text", "")


def _answer(response: Response | None) -> tuple[int, Any]:
    if response is None:
        return 0, None
    try:
        return response.status, json.loads(response.body) if isinstance(response.body, bytes) else None
    except ValueError:
        return response.status, None


def _pretty(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 72 else json.dumps(value, indent=2, ensure_ascii=False)


def proven(requirement: Requirement, cases: list[Case]) -> Played:
    """A requirement, shown by the first of its cases; all of them are run.

    Args:
        requirement: The requirement.
        cases: The cases that prove it.

    Raises:
        NotFound: It has none.
    """
    if not cases:
        why = requirement.untestable or "No case proves it yet."
        raise NotFound(f"{requirement.id} cannot be shown by running it. {why}")
    target = JournalTarget()
    first = run_case(cases[0], target)
    results = [first, *(run_case(case, JournalTarget()) for case in cases[1:])]
    passed = sum(one.verdict == "passed" for one in results)
    failed = [f"{one.case.id}: {one.reason}" for one in results if one.verdict == "failed"]
    says = f"{passed} of {len(results)} {'case' if len(results) == 1 else 'cases'} passed in this engine, just now."
    shown = f"Shown by {first.case.id}: {first.case.description}"
    text = f"{requirement.id} {requirement.keyword}\n{requirement.text}\n\n{shown}"
    content = Content("requirement", requirement.id, text, record(target.timeline), settles=False)
    return Played(content, target.timeline, list(_told(first, target.timeline)), " ".join([says, *failed]))


def _told(result: CaseResult, timeline: Timeline) -> Iterator[Row]:
    places = iter(timeline.places)
    number = 0
    for one in result.steps:
        if one.exchange is None:
            continue
        request = one.exchange.request
        number = next(places, number) if request.method in WRITES else number
        body = request.body.decode(errors="replace")
        yield Row(
            Moment(number, one.started_at),
            one.step.description,
            request.method,
            request.url,
            body if len(body) <= 72 else _indented(body),
            *_answer(one.exchange.response),
            verdict="ok" if one.outcome == "passed" else "failed",
        )


def _indented(body: str) -> str:
    try:
        return _pretty(json.loads(body))
    except ValueError:
        return body


class Line(NamedTuple):
    """An event as a widget's log and its messages tell it.

    Args:
        time: RFC 3339.
        type: Its type, e.g. ``job.completed``.
        state: The job's state by then; empty where the event is about none.
        job: The job's id; empty where the event is about none.
        says: What else there is to say; may be empty.
    """

    time: str
    type: str
    state: str
    job: str
    says: str


def line(event: Event) -> Line:
    """An event in words."""
    return Line(
        format_time(event.time), event.type, event.state or "", event.job_id or "", telling.tell(event)
    )
