"""The timeline: workers as lanes, attempts as bars, waits as faint lines, one window of attempts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine import lifecycle as life
from engine.errors import InvalidRequest
from engine.events import CAPACITY, Event
from playground.graphs.attempts import Attempt, Waiting, attempts
from playground.graphs.framed import framed
from playground.graphs.scale import Scale
from playground.graphs.words import plain
from playground.render import clock
from playground.travel.sandbox import Sandbox
from playground.visit import Visit

if TYPE_CHECKING:
    from playground.app import Application
    from playground.session import Session

WINDOW: Final = 40
"""Attempts in one window."""
AHEAD: Final = 20
"""Attempts of the known future beside it."""
LOOKED: Final = (2000, CAPACITY)
"""Events that are read for a window; the second, when there are too few attempts among the first."""
FEW: Final = 8
"""Attempts that are enough not to read on."""
BEYOND: Final = 500
"""Events after a window that are read for the ends of its attempts, and for the known future."""
LINED_UP: Final = 6
"""Waiting jobs that are drawn; more are counted."""
ROW: Final = 30
"""Height of a row, units of the picture."""
TOP: Final = 20
BOTTOM: Final = 22
"""Room above the lanes, and for the axis below."""
NAMES: Final = 96
"""Width of the column of names."""
LABEL: Final = 86
"""Room that an instant's label takes on the axis."""
GLYPH: Final = 6.4
"""Width of a character in a bar, roughly."""

Context = dict[str, Any]


class Part(NamedTuple):
    """A rectangle of a bar: left edge, width, the state that colours it, whether it lies in the future."""

    x: float
    width: float
    state: str
    ahead: bool


class Bar(NamedTuple):
    """An attempt as drawn.

    Args:
        attempt: The attempt.
        y: Upper edge of its row.
        parts: Its rectangles, two when the cursor stands in it.
        label: As much of the job's type as fits; may be empty.
        wait: Left edge and width of the wait before it, or None.
        joint: The curve from the attempt before it, as SVG path data; empty without one.
        says: All of it in words.
    """

    attempt: Attempt
    y: float
    parts: list[Part]
    label: str
    wait: tuple[float, float] | None
    joint: str
    says: str


class Lane(NamedTuple):
    """A worker's rows: its name, upper edge and height."""

    name: str
    y: float
    height: float


class Line(NamedTuple):
    """A job that waits, as drawn: left edge, width, upper edge, and in words."""

    job: Waiting
    x: float
    width: float
    y: float
    says: str


def history(session: Session, before: int | None, looked: int = LOOKED[0]) -> tuple[list[Event], int, bool]:
    """The events around a window's end, oldest first, how many of them it counts, and whether older ones exist.

    Args:
        session: Whose.
        before: The number of the last event that counts, or None for the latest that has happened.
        looked: How many that count are read.
    """
    if isinstance(session, Sandbox):
        seen = session.timeline.seen
        known = session.timeline.known()
        if before is not None and seen:
            known = min(known, max(0, before - seen[0].event.seq + 1))
        first = max(0, known - looked)
        return [one.event for one in seen[first : known + BEYOND]], known - first, first > 0
    log = session.engine.events
    last = log.seq if before is None else min(before, log.seq)
    found = log.since(max(0, last - looked), looked + BEYOND)
    count = sum(event.seq <= last for event in found)
    return found, count, bool(found) and found[0].seq > log.oldest


def view(app: Application, argument: str) -> Context:
    """One window of the timeline.

    Args:
        app: Whose session.
        argument: The number of the last event that counts, or empty for the latest.

    Raises:
        InvalidRequest: It is no number.
    """
    before = _number(argument)
    session = app.session
    for looked in LOOKED:
        events, happened, older = history(session, before, looked)
        past, waiting = attempts(events[:happened])
        if len(past) >= FEW or not older:
            break
    newest = before is None
    now = session.engine.now()
    known = attempts(events)[0] if len(events) > happened else past
    shown = known[max(0, len(past) - WINDOW) : len(past) + (AHEAD if newest else 0)]
    facts = drawn(shown, waiting if newest else [], now, newest=newest) if shown or waiting else {}
    return {
        "bars": [],
        "lines": [],
        "plain": plain,
        **facts,
        "now": now,
        "before": before,
        "older": shown[0].seq - 1 if shown and (len(past) > WINDOW or older) else None,
        "ahead": sum(one.start > now for one in shown),
        "virtual": session.virtual,
    }


def _number(argument: str) -> int | None:
    if not argument:
        return None
    if not (argument.isascii() and argument.isdecimal() and len(argument) <= 15):
        raise InvalidRequest(f"A window ends with an event's number, not '{argument:.20}'.")
    return int(argument)


def drawn(shown: Sequence[Attempt], waiting: Sequence[Waiting], now: int, *, newest: bool) -> Context:
    """The geometry of a window; of the newest one the axis goes up to now."""
    known_end = max([now, *(one.end or one.start for one in shown)])
    spans = [(one.start, one.end if one.end is not None else max(one.start, known_end)) for one in shown]
    scale = Scale(spans, [now] if newest else [])
    lanes, rows = _lanes(shown, spans)
    bars: list[Bar] = []
    latest: dict[str, Bar] = {}
    for attempt, span in zip(shown, spans, strict=True):
        bar = _bar(attempt, span, rows[attempt.seq], scale, now, latest.get(attempt.job_id))
        latest[attempt.job_id] = bar
        bars.append(bar)
    below = lanes[-1].y + lanes[-1].height if lanes else TOP
    drawn_lines = [
        _line(one, scale, below + index * ROW, now) for index, one in enumerate(waiting[:LINED_UP])
    ]
    if waiting:
        lanes = [*lanes, Lane("not started", below, len(drawn_lines) * ROW)]
    height = below + len(drawn_lines) * ROW
    return {
        "bars": bars,
        "lines": drawn_lines,
        "more": len(waiting) - len(drawn_lines),
        "lanes": lanes,
        "cuts": [cut for cut in scale.cuts if cut.width > 3],
        "width": scale.width,
        "height": height + BOTTOM,
        "floor": height,
        "cursor": scale.x(now),
        "ticks": _ticks(scale, sorted({start for start, _ in spans})),
        "names": NAMES,
        "row": ROW,
        "top": TOP,
    }


def _lanes(shown: Sequence[Attempt], spans: Sequence[tuple[int, int]]) -> tuple[list[Lane], dict[int, float]]:
    """The lanes, and the upper edge of each attempt's row by its number; two of one worker at once have two rows."""
    taken: dict[str, list[int]] = {}
    place: dict[int, tuple[str, int]] = {}
    for attempt, (start, end) in zip(shown, spans, strict=True):
        ends = taken.setdefault(attempt.worker, [])
        row = next((index for index, until in enumerate(ends) if until <= start), len(ends))
        if row == len(ends):
            ends.append(end)
        ends[row] = max(end, start + 1)
        place[attempt.seq] = (attempt.worker, row)
    lanes: list[Lane] = []
    y: float = TOP
    tops: dict[str, float] = {}
    for worker in sorted(taken, key=lambda name: (len(name), name)):
        tops[worker] = y
        height = len(taken[worker]) * ROW
        lanes.append(Lane(plain(worker, 14) or "no name", y, height))
        y += height
    return lanes, {seq: tops[worker] + row * ROW for seq, (worker, row) in place.items()}


def _bar(
    attempt: Attempt, span: tuple[int, int], y: float, scale: Scale, now: int, before: Bar | None
) -> Bar:
    left, right = scale.x(span[0]), max(scale.x(span[1]), scale.x(span[0]) + 3)
    middle = scale.x(now)
    if span[0] > now:
        parts = [Part(left, right - left, attempt.outcome, ahead=True)]
    elif span[1] > now:
        middle = max(middle, left + 1.5)
        parts = [
            Part(left, middle - left, life.ACTIVE, ahead=False),
            Part(middle, max(1.5, right - middle), attempt.outcome, ahead=True),
        ]
    else:
        parts = [Part(left, right - left, attempt.outcome, ahead=False)]
    room = int((right - left - 8) / GLYPH)
    label = plain(attempt.type, room) if room >= 3 else ""
    wait = None
    joint = ""
    if before is not None:
        joint = _curve(before.parts[-1].x + before.parts[-1].width, before.y, left, y)
    elif attempt.since is not None and attempt.since < attempt.start:
        start = scale.x(attempt.since)
        if left - start > 1:
            wait = (start, left - start)
    return Bar(attempt, y, parts, label, wait, joint, says(attempt, now))


def _curve(x0: float, y0: float, x1: float, y1: float) -> str:
    """From the end of one attempt to the beginning of the job's next, sagging where both are in one row."""
    a, b = y0 + 13, y1 + 13
    bend = max(8.0, (x1 - x0) / 2)
    sag = 14.0 if y0 == y1 else 0.0
    return f"M{x0:.1f} {a:.1f}C{x0 + bend / 2:.1f} {a + sag:.1f} {x1 - bend / 2:.1f} {b + sag:.1f} {x1:.1f} {b:.1f}"


def _line(job: Waiting, scale: Scale, y: float, now: int) -> Line:
    left = scale.x(job.since)
    return Line(
        job,
        left,
        max(3.0, scale.x(now) - left),
        y,
        f"{plain(job.type)}: {job.state} since {clock(job.since)}",
    )


ENDS: Final = {
    life.ACTIVE: "is under way",
    life.AVAILABLE: "was lost or handed back",
    life.COMPLETED: "completed",
    life.RETRYABLE: "failed, to be tried again",
    life.CANCELLED: "cancelled",
    life.DISCARDED: "failed for good",
}
"""How an attempt ended, in words, by the state that it led to."""


def says(attempt: Attempt, now: int) -> str:
    """An attempt in words."""
    when = f"from {clock(attempt.start)}" + ("" if attempt.end is None else f" to {clock(attempt.end)}")
    ended = ENDS.get(attempt.outcome, attempt.outcome)
    ahead = ", still to come" if attempt.start > now else ""
    return f"{plain(attempt.type)}, attempt {attempt.number}, {when}: {ended}{ahead}"


def _ticks(scale: Scale, instants: list[int]) -> list[tuple[float, int]]:
    """Instants with room for their labels, from left to right."""
    found: list[tuple[float, int]] = []
    for instant in instants:
        x = scale.x(instant)
        if x <= scale.width - LABEL / 2 and (not found or x - found[-1][0] >= LABEL):
            found.append((x, instant))
    return found


def pane(visit: Visit) -> Context:
    """The workbench's pane: the window that the address names."""
    before = visit.query.get("before", [""])[0]
    _number(before)
    return framed(
        visit, "timeline", {"timeline": f"timeline:{before}" if before else "timeline", "before": before}
    )
