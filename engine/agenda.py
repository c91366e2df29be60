"""What is due when, in memory: each instant once, in a heap, with all that is due then in order of arrival.

Jobs that start in the same millisecond are due in the same one, so that most entries need no place in the heap.
It knows no job and no timer; whoever asks says which entries still hold.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

Due: TypeAlias = str | tuple[str, str]
"""A job by its id, or a timer by its kind and key."""
IsDue: TypeAlias = Callable[[int, Due], bool]
"""Whether an entry is still due at its instant; those that are not are dropped when they surface."""

_FEW: Final = 32
"""Up to so many entries a list loses its first one as fast as a deque."""


class Agenda:
    """Everything that is due at some instant, milliseconds.

    Attributes:
        size: How many entries there are, stale ones included.
    """

    __slots__ = ("_at", "_instants", "size")

    def __init__(self) -> None:
        self._at: dict[int, list[Due] | deque[Due]] = {}
        self._instants: list[int] = []
        self.size = 0

    def add(self, at: int, due: Due) -> int:
        """Note that something is due; how many entries there are now."""
        here = self._at.get(at)
        if here is None:
            self._at[at] = [due]
            heappush(self._instants, at)
        else:
            here.append(due)
        self.size += 1
        return self.size

    def first(self, is_due: IsDue) -> tuple[int, Due] | None:
        """What is due first, with its instant; it stays."""
        while self._instants:
            at = self._instants[0]
            here = self._at[at]
            if len(here) > _FEW and isinstance(here, list):  # its time comes: it is taken from the front
                here = self._at[at] = deque(here)
            while here:
                if is_due(at, here[0]):
                    return at, here[0]
                del here[0]
                self.size -= 1
            del self._at[heappop(self._instants)]
        return None

    def drop_first(self) -> None:
        """Take off what `first` has just found."""
        here = self._at[self._instants[0]]
        del here[0]
        self.size -= 1

    def prune(self, is_due: IsDue) -> None:
        """Drop all entries that are no longer due, and all but the first of those that say the same."""
        kept = {at: [due for due in dict.fromkeys(here) if is_due(at, due)] for at, here in self._at.items()}
        self._at = {at: here for at, here in kept.items() if here}
        self._instants = list(self._at)
        heapify(self._instants)
        self.size = sum(map(len, self._at.values()))
