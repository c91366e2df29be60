"""A time axis that is true to scale while something runs, and shortens what would only be empty.

As on the time slider (`playground.travel.axis`) a long silence leaves room for a second; here bars are compared by
their length, so only silences, and runs far longer than the others, are shortened; each cut tells its true length.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

IDLE: Final = 0.7
"""Longest silence that is drawn, as a share of the usual attempt."""
BUSY: Final = 5.0
"""Longest run without any event that is drawn, in usual attempts."""
USUAL: Final = 68
"""Width of the usual attempt, units of the picture."""
LEAST: Final = 560
MOST: Final = 4800
"""Narrowest and widest picture."""


class Cut(NamedTuple):
    """Time that was shortened: from where to where in the picture, its true length, and whether anything ran."""

    x: float
    width: float
    ms: int
    idle: bool


class Scale:
    """Places of instants.

    Args:
        spans: When something ran: from, to, milliseconds.
        marks: Further instants that have a place of their own.
        least: Narrowest picture.

    Attributes:
        width: Of the picture.
        cuts: What was shortened, from left to right.
    """

    def __init__(
        self, spans: Sequence[tuple[int, int]], marks: Iterable[int] = (), least: int = LEAST
    ) -> None:
        lengths = [end - start for start, end in spans if end > start]
        usual = max(1.0, float(median(lengths)) if lengths else 1000.0)
        self._instants = sorted({*marks, *(at for span in spans for at in span)}) or [0]
        running = _running(self._instants, spans)
        places, cuts = [0.0], []
        for index, (here, there) in enumerate(zip(self._instants, self._instants[1:], strict=False)):
            busy = running[index] > 0
            most = usual * (BUSY if busy else IDLE)
            drawn = min(float(there - here), most)
            if drawn < there - here:
                cuts.append((places[-1], drawn, there - here, not busy))
            places.append(places[-1] + drawn)
        whole = places[-1] or 1.0
        self.width = round(min(MOST, max(least, whole / usual * USUAL)))
        share = self.width / whole
        self._places = [place * share for place in places]
        self.cuts = [Cut(x * share, drawn * share, ms, idle) for x, drawn, ms, idle in cuts]

    def x(self, instant: int) -> float:
        """Where an instant is; what lies outside is at the nearer end."""
        index = bisect_right(self._instants, instant)
        if index == 0:
            return 0.0
        if index == len(self._instants):
            return self._places[-1]
        start, end = self._instants[index - 1], self._instants[index]
        left, right = self._places[index - 1], self._places[index]
        return left + (right - left) * (instant - start) / (end - start)


def _running(instants: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    """How many spans cover each interval between two instants that follow each other."""
    change = dict.fromkeys(instants, 0)
    for start, end in spans:
        change[start] += 1
        change[end] -= 1
    found, count = [], 0
    for instant in instants:
        count += change[instant]
        found.append(count)
    return found
