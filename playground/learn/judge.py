"""Holds a session against a predicate: has the goal been reached, and what is missing?

A predicate is ``{"checks": [...], "of": {...}}``. A check reads something and holds it against assertions, both as in
a scenario's expectation: ``says`` what is true then, ``missing`` what to do until it is, ``path`` what is read with
GET, ``assertions``, ``tolerance`` for approximate numbers, ``id`` for later checks. With ``of`` the checks are about
one thing of a list, whichever fits best: ``{"path", "list", "where", "missing"}``; ``{{it.id}}`` stands for a value of
it, and a check without a path reads it. So every honest way to the goal counts, whatever else was tried before.

Besides the binding's addresses there is ``journal``: what was done in this step, the cursor, the branches, the
exchanges; and ``trial``: the conformance run of the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.conformance.expect import Answer, check
from engine.conformance.jsonpath import resolve
from engine.conformance.matchers import DEFAULT, Tolerance, match
from engine.conformance.target import Exchange
from engine.conformance.template import Templates
from engine.http.message import Request, Response
from playground.learn.course import Predicate, Step
from playground.session import Session
from playground.travel.command import to_step
from playground.travel.sandbox import Sandbox

if TYPE_CHECKING:
    from playground.trial import Trial

CANDIDATES: Final = 25
"""Most things of a list that are looked at, the first ones."""
EXCHANGES: Final = 200
"""Most exchanges of a journal, the latest ones."""
_IT: Final = re.compile(r"\{\{it\.")

Read = Callable[[str], Answer]
"""Reads an address as a check names it."""


class Verdict(NamedTuple):
    """How a predicate is met.

    Args:
        rows: Of each check what it says, and whether it holds.
        missing: What to do next; empty when all hold.
    """

    rows: tuple[tuple[str, bool], ...]
    missing: str

    @property
    def passed(self) -> bool:
        """Whether all checks hold."""
        return not self.missing


def judge(predicate: Predicate, read: Read) -> Verdict:
    """Hold what can be read against a predicate."""
    checks = predicate["checks"]
    of = predicate.get("of")
    if of is None:
        met = _met(checks, read, None)
    else:
        found = resolve(of["list"], read(of["path"]).body)
        every = found[:CANDIDATES] if isinstance(found, list) else []
        tried = [_met(checks, read, one) for one in every if match(of.get("where", {}), one) is None]
        if not tried:
            return Verdict(tuple((one["says"], False) for one in checks), of["missing"])
        met = max(tried, key=sum)
    rows = tuple((one["says"], held) for one, held in zip(checks, met, strict=True))
    missing = next((one["missing"] for one, held in zip(checks, met, strict=True) if not held), "")
    return Verdict(rows, missing)


def _met(checks: list[Mapping[str, Any]], read: Read, it: Any) -> list[bool]:
    templates = Templates()
    templates.remember("it", it)
    return [_holds(one, read, it, templates) for one in checks]


def _holds(one: Mapping[str, Any], read: Read, it: Any, templates: Templates) -> bool:
    told = json.loads(_IT.sub("{{steps.it.response.body.", json.dumps([one.get("path"), one["assertions"]])))
    path, wanted = templates.value(told)
    if templates.take_unresolved():
        return False
    answer = _answer("it", Response(200, {}, json.dumps(it).encode())) if path is None else read(path)
    if "id" in one:
        templates.remember(one["id"], answer.body)
    tolerance = Tolerance(**one["tolerance"]) if "tolerance" in one else DEFAULT
    results = check(wanted, answer, tolerance)
    return bool(results) and all(result.passed for result in results)


def _answer(path: str, response: Response) -> Answer:
    return Answer(Exchange(Request("GET", path), response, "", 0, 0))


def messages(step: Step, read: Read) -> list[str]:
    """The messages of the wrong turns of a step that were taken."""
    return [one["message"] for one in step.wrongs if judge(one, read).passed]


def holding(step: Step, read: Read) -> list[int]:
    """Which choices of a step's prediction hold now, counted from 0."""
    choices = (step.predict or {}).get("choices", ())
    return [
        index
        for index, choice in enumerate(choices)
        if judge({"checks": [{**choice, "says": "", "missing": "-"}]}, read).passed
    ]


def reader(session: Session, base: int = 0, trial: Callable[[], Trial] | None = None) -> Read:
    """What reads a session; each address once.

    Args:
        session: The session.
        base: How many commands of its journal belong to the step's beginning.
        trial: The page's conformance run, where there is one.
    """
    known: dict[str, Answer] = {}

    def read(path: str) -> Answer:
        if path not in known:
            if path == "journal":
                response = _json(journal(session, base))
            elif path == "trial":
                response = _json({} if trial is None else _told(trial()))
            else:  # past the world's ears: what the page looks at is nobody's exchange
                response = session.binding.handle(Request("GET", path))
            known[path] = _answer(path, response)
        return known[path]

    return read


def _json(value: Any) -> Response:
    return Response(200, {"Content-Type": "application/json"}, json.dumps(value).encode())


def journal(session: Session, base: int = 0) -> dict[str, Any]:
    """What was done in a step, as JSON values.

    Returns:
        ``acts``: what was done, as a scenario's steps. ``past``: whether the cursor stands before the end of what
        is known. ``now``: milliseconds since the beginning. ``branches``: how many. ``exchanges``: the latest,
        newest first: ``{method, path, status, agent, body}``.
    """
    exchanges = [
        {
            "method": one.request.method,
            "path": one.request.url,
            "status": one.response.status,
            "agent": one.request.headers.get("user-agent", ""),
            "body": one.request.body.decode(errors="replace"),
        }
        for one in session.exchanges.last(EXCHANGES)
        if not session.to_come(one)
    ]
    if not isinstance(session, Sandbox):
        return {"acts": [], "past": False, "now": 0, "branches": 1, "exchanges": exchanges}
    timeline = session.timeline
    start = timeline.origin.start
    return {
        "acts": [to_step(command, start) for command in timeline.commands[base : timeline.done]],
        "past": timeline.past,
        "now": timeline.now - start,
        "branches": len(session.history.branches),
        "exchanges": exchanges,
    }


def _told(trial: Trial) -> dict[str, Any]:
    """The page's conformance run, as JSON values: its target, whether it goes on, the results of each level."""
    cells = [cell for cell, _ in trial.matrix()]
    levels = [
        {"level": cell.name, "verdict": cell.verdict, "size": cell.size, **cell.counts} for cell in cells
    ]
    return {"target": trial.target, "running": trial.running, "levels": levels}
