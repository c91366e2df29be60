"""The state diagram as geometry: where the eight states stand, and a curve for each move of the transition table.

Only places are said here. Which states and moves exist comes from `engine.lifecycle`; a move without a place
is an error that the tests find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from engine import lifecycle as life
from engine.job import Job
from engine.lifecycle import TRANSITIONS, Transition

WIDTH: Final = 760
HEIGHT: Final = 392
BOX: Final = (132, 66)
"""Width and height of a state, in units of the picture."""
SHOWN: Final = 8
"""Most jobs drawn in one state; more are counted."""

PLACES: Final[dict[str, tuple[int, int]]] = {
    life.SCHEDULED: (8, 62),
    life.PENDING: (8, 212),
    life.AVAILABLE: (208, 137),
    life.ACTIVE: (408, 137),
    life.RETRYABLE: (308, 262),
    life.COMPLETED: (620, 137),
    life.DISCARDED: (620, 24),
    life.CANCELLED: (620, 310),
}
"""Left upper corner of each state."""

Port = tuple[str, float]
"""A side (``l r t b``) and how far along it, from 0 to 1."""

_CURVES: Final[dict[tuple[str, str], tuple[Port, Port, float, float]]] = {
    (life.SCHEDULED, life.AVAILABLE): (("r", 0.5), ("l", 0.3), 65, 65),
    (life.AVAILABLE, life.SCHEDULED): (("l", 0.12), ("r", 0.25), 30, 40),
    (life.PENDING, life.AVAILABLE): (("r", 0.5), ("l", 0.7), 65, 65),
    (life.AVAILABLE, life.ACTIVE): (("r", 0.5), ("l", 0.5), 36, 36),
    (life.ACTIVE, life.COMPLETED): (("r", 0.5), ("l", 0.5), 40, 40),
    (life.ACTIVE, life.RETRYABLE): (("b", 0.5), ("r", 0.35), 70, 70),
    (life.RETRYABLE, life.AVAILABLE): (("l", 0.35), ("b", 0.5), 70, 70),
    (life.ACTIVE, life.DISCARDED): (("r", 0.2), ("l", 0.75), 78, 78),
    (life.ACTIVE, life.CANCELLED): (("r", 0.8), ("l", 0.25), 108, 108),
    (life.ACTIVE, life.AVAILABLE): (("t", 0.4), ("t", 0.6), 61, 61),
    (life.DISCARDED, life.AVAILABLE): (("l", 0.45), ("t", 0.38), 107, 107),
    (life.SCHEDULED, life.DISCARDED): (("t", 0.5), ("l", 0.15), 52, 52),
    (life.AVAILABLE, life.DISCARDED): (("t", 0.2), ("l", 0.3), 96, 96),
    (life.PENDING, life.DISCARDED): (("t", 0.85), ("l", 0.6), 156, 156),
    (life.RETRYABLE, life.DISCARDED): (("r", 0.15), ("l", 0.92), 160, 60),
    (life.SCHEDULED, life.CANCELLED): (("b", 0.3), ("l", 0.85), 260, 260),
    (life.PENDING, life.CANCELLED): (("b", 0.5), ("l", 0.7), 190, 190),
    (life.AVAILABLE, life.CANCELLED): (("b", 0.25), ("l", 0.55), 235, 235),
    (life.RETRYABLE, life.CANCELLED): (("r", 0.75), ("l", 0.4), 102, 102),
}
"""Where each curve leaves and arrives, and how straight it does both, in units of the picture."""

SIDE: Final = frozenset({life.CANCEL, life.EXPIRE, life.RETRY, life.LIMIT, life.DROP})
"""Operations away from the usual way: their curves are drawn faint."""

_OUT: Final = {"l": (-1, 0), "r": (1, 0), "t": (0, -1), "b": (0, 1)}


class Edge(NamedTuple):
    """One curve.

    Args:
        source: State it leaves.
        target: State it reaches.
        moves: The rows of the table that it stands for.
        path: The curve as SVG path data.
        side: Whether all its moves lie away from the usual way.
    """

    source: str
    target: str
    moves: tuple[Transition, ...]
    path: str
    side: bool

    @property
    def title(self) -> str:
        """What it stands for, in words."""
        rows = "; ".join(f"{move.operation}: {move.condition}" for move in self.moves)
        return f"{self.source} → {self.target}. {rows}."


class Dot(NamedTuple):
    """One job in the picture: its centre."""

    job: Job
    x: float
    y: float


def _port(state: str, port: Port) -> tuple[float, float]:
    x, y = PLACES[state]
    side, along = port
    width, height = BOX
    if side in "lr":
        return x + (width if side == "r" else 0), y + height * along
    return x + width * along, y + (height if side == "b" else 0)


def _path(source: str, target: str) -> str:
    leave, arrive, out, back = _CURVES[source, target]
    (x0, y0), (x1, y1) = _port(source, leave), _port(target, arrive)
    (dx0, dy0), (dx1, dy1) = _OUT[leave[0]], _OUT[arrive[0]]
    gap = 4  # room for the arrow head
    points = (
        x0 + dx0 * out,
        y0 + dy0 * out,
        x1 + dx1 * back,
        y1 + dy1 * back,
        x1 + dx1 * gap,
        y1 + dy1 * gap,
    )
    return f"M{x0:.0f} {y0:.0f}C" + " ".join(f"{value:.0f}" for value in points)


@cache
def edges() -> tuple[Edge, ...]:
    """Every curve, the faint ones first so that the usual way is drawn over them."""
    rows: dict[tuple[str, str], list[Transition]] = {}
    for move in TRANSITIONS:
        if move.source is not None:
            rows.setdefault((move.source, move.target), []).append(move)
    found = [
        Edge(
            source, target, tuple(moves), _path(source, target), all(move.operation in SIDE for move in moves)
        )
        for (source, target), moves in rows.items()
    ]
    return tuple(sorted(found, key=lambda edge: not edge.side))


def picture() -> dict[str, Any]:
    """What the template of the diagram needs besides jobs."""
    return {"edges": edges(), "places": PLACES, "box": BOX, "width": WIDTH, "height": HEIGHT, "shown": SHOWN}


def room(count: int) -> int:
    """How many dots fit beside a number of this size."""
    return min(SHOWN, int((95 - 9 * len(str(count))) / 13.5) + 1)


def dots(jobs: Iterable[Job], counts: Mapping[str, int]) -> list[Dot]:
    """A dot for each job, as many in each state as fit beside its count; ordered by job id.

    The order never changes while jobs move, so that a browser can let each dot travel.
    """
    taken: dict[str, int] = dict.fromkeys(PLACES, 0)
    found: list[Dot] = []
    for job in jobs:
        place = taken[job.state]
        if place >= room(counts[job.state]):
            continue
        taken[job.state] = place + 1
        x, y = PLACES[job.state]
        found.append(Dot(job, x + 18 + place * 13.5, y + 51))
    return sorted(found, key=lambda dot: dot.job.id)


def travelled(job: Job) -> frozenset[tuple[str, str]]:
    """The (source, target) pairs of the moves that a job has made."""
    states = [state for _, _, state in job.trail]
    return frozenset(pairwise(states))
