"""The comparison: a run kept as the baseline, another one over it, for two branches or for one value changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine import lifecycle as life
from engine.errors import OJSError
from engine.http.message import Response
from playground.graphs.comparing import Life, Pair, lives, pairs
from playground.graphs.framed import framed
from playground.graphs.scale import Scale
from playground.graphs.timeline import NAMES
from playground.graphs.what_if import Place, changed, places, played, value_of
from playground.graphs.words import plain
from playground.travel import library
from playground.travel.moves import number
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import Scenario, record
from playground.travel.timeline import Timeline
from playground.travel_pages import opened
from playground.visit import Visit

SHOWN: Final = 30
"""Jobs drawn."""
LISTED: Final = 100
"""Jobs in the table."""
ROW: Final = 36
TOP: Final = 18
BOTTOM: Final = 22
SESSION: Final = "session"
"""The base that is the visitor's own session."""

Context = dict[str, Any]


class Bar(NamedTuple):
    """An attempt in one run: left edge, width, upper edge, state, whether it is the baseline's, and in words."""

    x: float
    width: float
    y: float
    state: str
    faint: bool
    says: str


def drawn(found: Sequence[Pair]) -> Context:
    """The geometry of both runs: a row for each job, the baseline above."""
    shown = [pair for pair in found if pair.differs][:SHOWN]
    shown += [pair for pair in found if not pair.differs][: SHOWN - len(shown)]
    order = {id(pair): index for index, pair in enumerate(found)}
    shown.sort(key=lambda pair: order[id(pair)])
    sides = [side for pair in shown for side in pair if side is not None]
    spans = [
        (one.start, one.end if one.end is not None else one.start) for side in sides for one in side.attempts
    ]
    ends = [side.ended for side in sides if side.ended is not None]
    scale = Scale(spans, [*(side.born for side in sides), *ends])
    bars, waits = [], []
    for index, pair in enumerate(shown):
        for side, faint, y in ((pair.one, True, 4), (pair.other, False, 18)):
            if side is None:
                continue
            top = TOP + index * ROW + y
            last = (
                side.ended
                if side.ended is not None
                else max([side.born, *(one.start for one in side.attempts)])
            )
            waits.append((scale.x(side.born), max(1.0, scale.x(last) - scale.x(side.born)), top + 5.0, faint))
            bars += [_bar(one, top, scale, faint=faint) for one in side.attempts]
    height = TOP + len(shown) * ROW
    ticks: list[tuple[float, int]] = []
    for instant in sorted({one[0] for one in spans} | {side.born for side in sides}):
        x = scale.x(instant)
        if x < scale.width - 30 and (not ticks or x - ticks[-1][0] >= 70):
            ticks.append((x, instant))
    return {
        "shown": shown,
        "bars": bars,
        "waits": waits,
        "cuts": [cut for cut in scale.cuts if cut.width > 3],
        "width": scale.width,
        "height": height + BOTTOM,
        "floor": height,
        "row": ROW,
        "top": TOP,
        "names": NAMES,
        "ticks": ticks,
    }


def _bar(one: Any, y: float, scale: Scale, *, faint: bool) -> Bar:
    left = scale.x(one.start)
    right = scale.x(one.end if one.end is not None else one.start)
    run = "A" if faint else "B"
    says = f"{run}: {plain(one.type)}, attempt {one.number}, led to {one.outcome}"
    return Bar(left, max(3.0, right - left), y, one.outcome, faint, says)


def summary(found: Sequence[Pair]) -> str:
    """What differs, in a sentence."""
    differing = sum(pair.differs for pair in found)
    if not differing:
        return f"All {len(found)} jobs fare alike."
    fare = "fares" if differing == 1 else "fare"
    words = [f"{differing} of {len(found)} {'job' if len(found) == 1 else 'jobs'} {fare} differently"]
    attempts = [
        sum(len(side.attempts) for pair in found for side in [pair[index]] if side) for index in (0, 1)
    ]
    if attempts[0] != attempts[1]:
        words.append(f"{attempts[0]} attempts in A, {attempts[1]} in B")
    for state in (life.COMPLETED, life.DISCARDED):
        counts = [
            sum(side.state == state for pair in found for side in [pair[index]] if side) for index in (0, 1)
        ]
        if counts[0] != counts[1]:
            words.append(f"{state}: {counts[0]} in A, {counts[1]} in B")
    return "; ".join(words) + "."


def _compared(one: Timeline, other: Timeline, names: tuple[str, str]) -> Context:
    left, right = lives(one), lives(other)
    found = pairs(left, right)
    return {
        "pairs": found[:LISTED],
        "jobs": len(found),
        "summary": summary(found),
        "run_names": names,
        "lasted": (_end(left), _end(right)),
        **drawn(found),
    }


def _end(found: Sequence[Life]) -> int:
    return max([0, *(one.ended for one in found if one.ended is not None)])


def _base(session: Sandbox, name: str) -> Scenario:
    return record(session.timeline, title="Session") if name == SESSION else library.lesson(name)


def _facts(visit: Visit, fields: Mapping[str, str]) -> Context:
    session = visit.app.session
    facts: Context = {
        "virtual": session.virtual,
        "beside": visit.app.beside is not None,
        "plain": plain,
        "error": None,
        "pairs": None,
    }
    if not isinstance(session, Sandbox):
        return facts
    named = library.names()
    base = fields.get("base", SESSION if session.timeline.commands else "retry-until-success")
    if base != SESSION and base not in named:
        base = SESSION
    scenario = _base(session, base)
    offered = places(scenario)
    what = fields.get("what", "")
    if what not in {place.key for place in offered}:
        what = _telling(offered)
    facts |= {
        "bases": [(SESSION, "this session"), *((name, library.lesson(name)["title"]) for name in named)],
        "base": base,
        "places": offered,
        "what": what,
        "value": fields.get("value", "")[:200],
        "branches": sorted(session.history.branches.values(), key=lambda one: one.number),
        "one": fields.get("one", ""),
        "other": fields.get("other", ""),
        "changing": False,
    }
    try:
        facts |= _result(session, scenario, what, fields)
    except OJSError as error:
        facts["error"] = error
    return facts


def _telling(offered: Sequence[Place]) -> str:
    """The place to begin with: a retry policy's bound, where one is said."""
    said = [place for place in offered if place.now or place.key.startswith("*")]
    best = (
        place for place in said if place.key.endswith(("max_attempts", "priority", "limit", "concurrency"))
    )
    return next(best, offered[0]).key


def _result(session: Sandbox, scenario: Scenario, what: str, fields: Mapping[str, str]) -> Context:
    if fields.get("one") and fields.get("other"):
        one, other = (session.history.branch(int(number(fields, name))) for name in ("one", "other"))
        return _compared(one.timeline, other.timeline, (one.name, other.name))
    text = fields.get("value", "").strip()
    if not text:
        return {}
    changed_one = changed(scenario, what, value_of(text))
    before = (
        session.timeline
        if fields.get("base", SESSION) == SESSION and session.timeline.commands
        else played(scenario)
    )
    name = f"{what.partition(':')[2].replace('/', '.') or what} = {text:.40}"
    return {**_compared(before, played(changed_one), ("as it was", name)), "changing": True}


def _fields(visit: Visit) -> dict[str, str]:
    return {name: values[-1] for name, values in visit.query.items()}


def pane(visit: Visit) -> Context:
    """The workbench's pane."""
    return framed(visit, "compare", _facts(visit, _fields(visit)))


def fragment(visit: Visit) -> Response:
    """The comparison that the address asks for."""
    doing = visit.query.get("do", [""])[0][:20]
    return visit.render("parts/compared.html", doing=doing, **_facts(visit, _fields(visit)))


def open_changed(visit: Visit) -> Response:
    """Open the changed run in the session whose time can be moved."""
    fields = visit.form()
    travel = visit.app.travel
    scenario = _base(travel, fields.get("base", SESSION))
    twin = changed(scenario, fields.get("what", ""), value_of(fields.get("value", "")))
    title = f"{scenario.get('title', 'Session')}, with another {fields.get('what', '').rpartition('/')[2]}"
    travel.load(travel.opening({**twin, "title": title[:100]}))
    return opened(visit)
