"""The library's pages: the lessons in chapters, one lesson played in front of the reader, its file, the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from engine.http.message import Response
from engine.times import parse_time
from playground.crosslinks import required_by
from playground.render import span
from playground.travel import library
from playground.travel.digest import digest
from playground.travel.faults import FAULTS
from playground.travel.link import encode
from playground.travel.scenario import Player, Scenario, score
from playground.travel_pages import opened
from playground.visit import Visit

_REFERENCE: Final = re.compile(r"\{\{steps\.([\w-]+)\.response\.body\.([^}]+)\}\}")


class Row(NamedTuple):
    """A line of a lesson's story: something is done, or something must be true.

    Args:
        time: Its instant, milliseconds.
        says: In words; empty for a request that says enough by itself.
        request: Method and path, or what befalls a worker or the clock.
        body: What is sent, or what must come back, as compact JSON; empty for nothing.
        verdict: ``ok`` or ``failed`` for what must be true; empty for a step.
        problem: What was found instead.
    """

    time: int
    says: str
    request: str
    body: str
    verdict: str
    problem: str = ""


def overview(visit: Visit) -> Response:
    """The library of scenarios."""
    chapters = [(chapter, [library.lesson(name) for name in chapter.names]) for chapter in library.chapters()]
    return visit.render("pages/scenarios.html", chapters=chapters, count=len(library.names()), cited=cited)


def cited(clauses: list[str]) -> list[str]:
    """Clauses by document, e.g. ``OJS Core 6.1, 6.3``."""
    sections: dict[str, list[str]] = {}
    for clause in clauses:
        document, _, section = clause.rpartition(" ")
        sections.setdefault(document, []).append(section)
    return [f"{document} {', '.join(those)}" for document, those in sections.items()]


def lesson_page(visit: Visit) -> Response:
    """One scenario, played just now: what happens, what must be true, and whether it is."""
    scenario = library.lesson(visit.params["name"])
    player = Player(scenario)
    timeline = player.finish()
    before, after = library.neighbours(scenario["name"])
    return visit.render(
        "pages/lesson.html",
        scenario=scenario,
        clauses=cited(scenario["clauses"]),
        requirements=lambda clause: required_by(visit.app.documents, clause),
        rows=list(_rows(player)),
        start=player.start,
        days=parse_time(scenario["start"]) // 86_400_000 != timeline.end.now // 86_400_000,
        hash=digest(timeline.world),
        now=timeline.now,
        steps=timeline.end.step,
        fragment=encode(scenario),
        before=before and library.lesson(before),
        after=after and library.lesson(after),
    )


def _rows(player: Player) -> Iterator[Row]:
    outcomes = iter(player.outcomes)
    for at, step, expectation in score(player.scenario):
        time = player.start + at
        if step is not None:
            promised = "assertions" in step
            yield Row(time, "" if promised else in_words(step), *sent(step), "")
            told, request = step if promised else None, "its answer"
        else:
            told, request = expectation, f"GET {_short(expectation['path'])}"
        if told is not None:
            outcome = next(outcomes)
            verdict = "failed" if outcome.problem else "ok"
            yield Row(time, outcome.says, request, _wanted(told["assertions"]), verdict, outcome.problem)


def in_words(step: Mapping[str, Any]) -> str:
    """A step in words."""
    if "note" in step or "request" in step:
        return str(step.get("note", ""))
    if "jump" in step:
        return "The clock jumps ahead, as after sleep."
    verb, worker = step["worker"]["do"], step["worker"].get("id", "")
    known = {
        "start": "A demo worker starts.",
        "stop": f"{worker} is asked to stop.",
        "quiet": f"{worker} takes nothing more for now.",
        "resume": f"{worker} takes jobs again.",
        "set": f"{worker or 'Every demo worker'} is told how to work.",
        "behave": "Demo handlers are told what to do.",
    }
    return known.get(verb) or f"{worker} {FAULTS[verb].done}."


def sent(step: Mapping[str, Any]) -> tuple[str, str]:
    """The method and path of a step, and what it sends; or what befalls whom."""
    if "jump" in step:
        return f"clock + {span(step['jump'])}", ""
    if "worker" in step:
        told = step["worker"]
        settings = _json(told["with"]) if "with" in told else ""
        return f"{told['do']} {told.get('id', 'demo workers' if settings else 'a demo worker')}", settings
    request = step["request"]
    body = _json(request["body"]) if "body" in request else request.get("text", "")
    return f"{request['method']} {_short(request['path'])}", "" if body == "{}" else body


def _wanted(assertions: Mapping[str, Any]) -> str:
    """What an answer must be, as ``path: matcher`` pairs."""
    pairs = {
        "status": assertions.get("status"),
        **assertions.get("headers", {}),
        **assertions.get("body", {}),
    }
    return ", ".join(f"{name} {_json(wanted)}" for name, wanted in pairs.items() if wanted is not None)


def _json(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    """A text with its references to earlier answers as ``{step.job.id}``."""
    return _REFERENCE.sub(r"{\1.\2}", text)


def open_lesson(visit: Visit) -> Response:
    """Open a scenario in the session whose time can be moved, at the moment where it begins to be interesting."""
    scenario: Scenario = library.lesson(visit.params["name"])
    visit.app.travel.open(Player(scenario).finish(), scenario["title"], scenario["notes"])
    return opened(visit)


def lesson_file(visit: Visit) -> Response:
    """A scenario as a file."""
    name = library.lesson(visit.params["name"])["name"]
    headers = {
        "Content-Type": "application/json",
        "Content-Disposition": f'attachment; filename="{name}.ojs-scenario.json"',
        "Cache-Control": "no-store",
    }
    return Response(200, headers, library.text(name).encode())


def schema_file(_: Visit) -> Response:
    """The JSON Schema of scenarios."""
    headers = {"Content-Type": "application/schema+json", "Cache-Control": "no-store"}
    return Response(200, headers, library.text("schema").encode())
