"""Counts of jobs, held in memory and written as they change: no question about numbers is a scan.

They are true for as long as no other process has written; `load` brings them back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from engine.lifecycle import STATES

STATE: Final = "state"
LANE: Final = "lane"
PRIORITY: Final = "priority"
DEAD: Final = "dead"
KIND: Final = "kind"
"""Kinds of records, counted for no queue; they stay once they have come."""
_KEPT: Final = frozenset({STATE, KIND})
"""Kinds whose rows stay at 0: a queue is known for as long as it has one."""

Entry = tuple[str, str, str]
"""(queue, kind, name)."""


class Tallies:
    """All counts.

    Attributes:
        changed: Entries that the database does not have as they are.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self._totals = dict.fromkeys(STATES, 0)
        self.kinds: set[str] = set()
        self.changed: set[Entry] = set()

    def load(self, rows: Iterable[Any]) -> None:
        """Take what the database says: (queue, kind, name, count) each."""
        self.clear()
        for queue, kind, name, count in rows:
            if kind == KIND:
                self.kinds.add(name)
            else:
                self._counts.setdefault((queue, kind), {})[name] = count
                if kind == STATE:
                    self._totals[name] += count

    def clear(self) -> None:
        """Forget everything; the object of `kinds` stays."""
        self._counts.clear()
        self._totals = dict.fromkeys(STATES, 0)
        self.kinds.clear()
        self.changed.clear()

    def move(self, old: Iterable[Entry], new: Iterable[Entry]) -> None:
        """A job no longer counts where it did, but where it does now."""
        for entry in old:
            self._add(entry, -1)
        for entry in new:
            self._add(entry, 1)

    def _add(self, entry: Entry, by: int) -> None:
        queue, kind, name = entry
        counts = self._counts.get((queue, kind))
        if counts is None:
            counts = self._counts[queue, kind] = {}
        counts[name] = counts.get(name, 0) + by
        if kind == STATE:
            self._totals[name] += by
        self.changed.add(entry)

    def know(self, kind: str) -> None:
        """There is a record of this kind."""
        if kind not in self.kinds:
            self.kinds.add(kind)
            self.changed.add(("", KIND, kind))

    def forget(self, queue: str) -> None:
        """A queue, empty by now, never had a job."""
        for kind in (STATE, LANE, PRIORITY, DEAD):
            for name in self._counts.pop((queue, kind), ()):
                self.changed.add((queue, kind, name))

    def changes(self) -> tuple[list[tuple[str, str, str, int]], list[Entry]]:
        """What to write, with the counts, and what to delete; then nothing has changed."""
        put: list[tuple[str, str, str, int]] = []
        gone: list[Entry] = []
        for queue, kind, name in self.changed:
            count = 1 if kind == KIND else self._counts.get((queue, kind), {}).get(name)
            if count is None or (not count and kind not in _KEPT):
                gone.append((queue, kind, name))
                if count is not None:
                    del self._counts[queue, kind][name]
            else:
                put.append((queue, kind, name, count))
        self.changed.clear()
        return put, gone

    def states(self, queue: str | None) -> dict[str, int]:
        """Jobs by state, of one queue or of all; every state is there."""
        if queue is None:
            return dict(self._totals)
        counts = self._counts.get((queue, STATE), {})
        return {state: counts.get(state, 0) for state in STATES}

    def of(self, queue: str, kind: str) -> dict[str, int]:
        """What is above 0 of a kind in a queue."""
        return {name: count for name, count in self._counts.get((queue, kind), {}).items() if count > 0}

    def queues(self, kind: str = STATE) -> list[str]:
        """All queues that have a row of this kind, sorted."""
        return sorted(queue for queue, one in self._counts if one == kind)
