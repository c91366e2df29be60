"""The order of one queue in memory: priority first, then turn, then arrival, found in O(log n).

Jobs that a limit admits or refuses together share a *lane*. Only the first job of each lane is ever asked, so
that ten thousand jobs behind one exhausted limit cost no more than one. It knows no job, only entries.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeAlias, TypeVar

Entry: TypeAlias = tuple[int, int, int, str]
"""(negated priority, turn, arrival, job id): the smallest goes first."""
T = TypeVar("T")
Find: TypeAlias = Callable[[Entry], T | None]
"""Finds the job whose place this still is; entries of which there is none are dropped when they surface."""


class ReadyQueue:
    """The available jobs of one queue.

    Lazily pruned: a job that leaves or moves leaves its entry behind, which is dropped when it surfaces.
    """

    __slots__ = ("_announced", "_heads", "_lanes")

    def __init__(self) -> None:
        self._lanes: dict[str, list[Entry]] = {}
        self._heads: list[tuple[Entry, str]] = []
        self._announced: dict[str, Entry] = {}
        """The one entry of each lane that stands for it among the heads; others there are stale."""

    def push(self, lane: str, entry: Entry) -> None:
        """Add a job."""
        heap = self._lanes.get(lane)
        if heap is None:
            self._lanes[lane] = [entry]
            if len(self._lanes) == 2:
                self._compare()
                return
            heap = self._lanes[lane]
        else:
            heappush(heap, entry)
        if heap[0] is entry and len(self._lanes) > 1:
            self._announce(lane, entry)

    def _compare(self) -> None:
        """Begin to hold the lanes against each other; a single one needs no heads, and has none."""
        self._heads = []
        self._announced = {}
        for lane, heap in self._lanes.items():
            self._announce(lane, heap[0])

    def _announce(self, lane: str, entry: Entry) -> None:
        if self._announced.get(lane) != entry:
            self._announced[lane] = entry
            heappush(self._heads, (entry, lane))

    def first(self, find: Find[T], takes: Callable[[T], bool]) -> T | None:
        """The best job that is taken; the first one of each lane is asked, the best lane first.

        Args:
            find: Finds the job of an entry.
            takes: Says yes or no to a job, which keeps its place either way.
        """
        if len(self._lanes) < 2:
            for lane in self._lanes:  # left before it can change
                only = self._top(lane, find)
                return only if only is not None and takes(only) else None
            return None
        passed: list[tuple[Entry, str]] = []
        found: T | None = None
        while self._heads:
            entry, lane = self._heads[0]
            stands = self._announced.get(lane) == entry
            job = self._top(lane, find) if stands else None
            first = None if job is None else self._lanes[lane][0]
            if job is not None and first == entry:
                if takes(job):
                    found = job
                    break
                passed.append(heappop(self._heads))
                continue
            heappop(self._heads)
            if stands:
                del self._announced[lane]
                if first is not None:
                    self._announce(lane, first)
        for head in passed:
            heappush(self._heads, head)
        return found

    def _top(self, lane: str, find: Find[T]) -> T | None:
        heap = self._lanes[lane]
        while heap:
            job = find(heap[0])
            if job is not None:
                return job
            heappop(heap)
        del self._lanes[lane]
        return None
