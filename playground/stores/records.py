"""The store's records and timers."""

from __future__ import annotations

import json
from typing import Any, Final

from playground.stores import rows
from playground.stores.backend import Which
from playground.stores.turn import Turn

RECORDS: Final = 20_000
"""Records and timers that stay in memory between turns."""
MISSING: Final[Any] = object()
"""What is not known, where None says that there is nothing."""


class Records(Turn):
    """Records as `engine.storage.Store` has them, and timers without the order in which they come."""

    def _forget(self) -> None:
        super()._forget()
        self._records: dict[Which, dict[str, Any] | None] = {}
        self._put: dict[Which, None] = {}  # in the order in which they came
        self._dropped: set[Which] = set()
        self._timers: dict[Which, int | None] = {}
        self._timed: dict[Which, int] = {}

    def _trim(self) -> None:
        super()._trim()
        if len(self._records) + len(self._timers) > RECORDS:
            self._records.clear()
            self._timers.clear()

    def _flush(self) -> None:
        super()._flush()
        if self._dropped:
            self._change(self.database.drop_records, list(self._dropped))
            self._dropped.clear()
        if self._put:
            put = [(one, self._next_stamp(), rows.dumps(self._records[one])) for one in self._put]
            self._change(self.database.put_records, put)
            self._put.clear()
        if self._timed:
            self._write_timers()

    def record(self, kind: str, key: str) -> dict[str, Any] | None:
        """The record, the same object for as long as the turn lasts, or None."""
        self._enter()
        if kind not in self.kinds:
            return None
        which = kind, key
        value = self._records.get(which, MISSING)
        if value is MISSING:
            found = self._ask(self.database.record, which)
            value = self._records[which] = None if found is None else json.loads(found)
        known: dict[str, Any] | None = value
        return known

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Insert or replace a record."""
        self._enter()
        self._writes += 1
        self._tallies.know(kind)
        self._records[kind, key] = value
        self._put[kind, key] = None

    def delete_record(self, kind: str, key: str) -> bool:
        """Remove a record; whether there was one."""
        if self.record(kind, key) is None:
            return False
        self._writes += 1
        self._records[kind, key] = None
        self._put.pop((kind, key), None)
        self._dropped.add((kind, key))
        return True

    def records(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """All records of a kind, in the order in which they were first put."""
        self._enter()
        if kind not in self.kinds:
            return []
        found: list[tuple[str, dict[str, Any]]] = []
        for key, body in self._ask(self.database.records, kind):
            value = self._records.get((kind, key))
            if value is None:
                value = self._records[kind, key] = json.loads(body)
            found.append((key, value))
        return found

    def set_timer(self, kind: str, key: str, at: int | None) -> None:
        """Set, move or remove a timer."""
        self._enter()
        which = kind, key
        before = self._timers.get(which, MISSING)
        if before is MISSING:
            before = self._timers[which] = self._ask(self.database.timer, which)
        if before != at:
            self._writes += 1
            self._note_due(before, at)
            self._timers[which] = at
            self._timed[which] = self._next_stamp()

    def _write_timers(self) -> None:
        put: list[tuple[Which, int, int]] = []
        gone: list[Which] = []
        for which, order in self._timed.items():
            at = self._timers[which]
            if at is None:
                gone.append(which)
            else:
                put.append((which, at, order))
        self._timed.clear()
        self._change(self.database.drop_timers, gone)
        self._change(self.database.put_timers, put)

    def _note_due(self, old: int | None, new: int | None) -> None:
        """Something is due at another instant than before, milliseconds, or no longer at all."""
        raise NotImplementedError
