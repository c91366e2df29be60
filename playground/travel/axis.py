"""The time slider's axis: history from left to right, long silences shortened, so that a day leaves room for a second.

The way from one event to the next grows with the logarithm of the time between them; inside it, time is even.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import log1p
from typing import Final, NamedTuple

from playground.travel.timeline import Timeline

GRAIN: Final = 250
"""Silences shorter than this many milliseconds are drawn nearly true to scale."""
SLOTS: Final = 200
"""Places for ticks; events that fall into one place share a tick."""
LOOKED: Final = 12
"""Events of one place that are looked at for its colour."""
RANK: Final = (
    "discarded",
    "retryable",
    "cancelled",
    "completed",
    "scheduled",
    "pending",
    "active",
    "available",
)
"""Which state colours a tick that stands for several: what one would look for first."""


class Tick(NamedTuple):
    """A mark on the axis: place from 0 to 1, the state that colours it or empty, how many events."""

    place: float
    state: str
    events: int


class Axis:
    """Places of instants and events on the slider.

    Args:
        timeline: What it shows.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._first = 0
        self._times: list[int] = []
        self._sums: list[float] = []

    def _follow(self) -> None:
        """Take in the events that have come since last time."""
        seen = self.timeline.seen
        first = seen[0].event.seq if seen else 0
        if first != self._first or len(seen) < len(self._times):
            self._first, self._times, self._sums = first, [], []
        before = self._times[-1] if self._times else self.timeline.floor.now
        total = self._sums[-1] if self._sums else 0.0
        for index in range(len(self._times), len(seen)):
            time = seen[index].event.time
            total += log1p(max(0, time - before) / GRAIN)
            before = max(before, time)
            self._times.append(before)
            self._sums.append(total)

    def _ends(self) -> tuple[int, float]:
        """The instant where it ends, and its length there."""
        end = self.timeline.end.now
        last = self._times[-1] if self._times else self.timeline.floor.now
        length = (self._sums[-1] if self._sums else 0.0) + log1p(max(0, end - last) / GRAIN)
        return end, length or 1.0

    def place(self, instant: int) -> float:
        """Where an instant is, from 0 to 1."""
        self._follow()
        end, length = self._ends()
        index = bisect_right(self._times, instant)
        from_time = self._times[index - 1] if index else self.timeline.floor.now
        from_sum = self._sums[index - 1] if index else 0.0
        to_time, to_sum = (
            (self._times[index], self._sums[index]) if index < len(self._times) else (end, length)
        )
        part = 0.0 if to_time <= from_time else (instant - from_time) / (to_time - from_time)
        return min(1.0, max(0.0, (from_sum + min(1.0, max(0.0, part)) * (to_sum - from_sum)) / length))

    def instant(self, place: float) -> int:
        """Which instant is at a place from 0 to 1, milliseconds."""
        self._follow()
        end, length = self._ends()
        wanted = place * length
        index = bisect_left(self._sums, wanted)
        from_time = self._times[index - 1] if index else self.timeline.floor.now
        from_sum = self._sums[index - 1] if index else 0.0
        to_time, to_sum = (
            (self._times[index], self._sums[index]) if index < len(self._times) else (end, length)
        )
        part = 0.0 if to_sum <= from_sum else (wanted - from_sum) / (to_sum - from_sum)
        return from_time + round(min(1.0, max(0.0, part)) * (to_time - from_time))

    def ticks(self) -> list[Tick]:
        """Marks for the events, heartbeats left out, at most `SLOTS`."""
        self._follow()
        _, length = self._ends()
        seen, found = self.timeline.seen, []
        low = 0
        for slot in range(SLOTS + 1):
            high = bisect_right(self._sums, (slot + 0.5) / SLOTS * length, low)
            looked = [one.event for one in seen[low : min(high, low + LOOKED)]]
            told = [event for event in looked if not event.type.endswith(".heartbeat")]
            if told:
                states = {event.state or "" for event in told}
                state = next((name for name in RANK if name in states), "")
                found.append(Tick(slot / SLOTS, state, high - low))
            low = high
        return found
