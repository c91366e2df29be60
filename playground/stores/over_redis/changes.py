"""What a turn changes in Redis: all of it gathers, and is committed in one step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from playground.stores import rows
from playground.stores.backend import Which
from playground.stores.over_redis.lease import Lease
from playground.stores.over_redis.link import Address
from playground.stores.over_redis.members import (
    SETS,
    Members,
    born_of,
    keyed,
    members,
    name,
    number,
    value,
    word,
)
from playground.stores.over_redis.pending import Pending
from playground.stores.rows import Row

KEYS: Final = (":job", ":id", ":tally", ":timer", ":timers", *SETS)
"""What `Changes.clear` removes, besides the records of each kind."""


class Changes(Lease):
    """The part of `playground.stores.over_redis.database.RedisDatabase` that takes changes.

    Args:
        where: The address of a database that has been opened (`playground.stores.over_redis.opening`).
    """

    def __init__(self, where: Address) -> None:
        super().__init__(where)
        self._kinds: set[str] = set()
        self._turned: dict[bytes, tuple[Members, bytes]] = {}

    def together(self) -> AbstractContextManager[None]:
        """Changes are sent at the end, all at once."""
        return nullcontext()

    def put_jobs(self, jobs: Sequence[Row]) -> None:
        """Insert or replace jobs."""
        values, ids = self.pending.hash(":job"), self.pending.hash(":id")
        for row in jobs:
            belongs, job = members(row), value(row)
            born = born_of(belongs)
            if not row.kept:
                ids[name(row.job.id)] = born
            self._move(row.kept, belongs)
            row.kept = belongs
            values[born] = job
            self._turned[born] = belongs, job

    def drop_jobs(self, jobs: Sequence[Row]) -> None:
        """Remove jobs."""
        for row in jobs:
            if row.kept:
                self._move(row.kept, ())
                born = born_of(row.kept)
                self.pending.put(":job", born, None)
                self.pending.put(":id", name(row.job.id), None)
                self._turned.pop(born, None)

    def _move(self, old: Sequence[bytes | None], new: Sequence[bytes | None]) -> None:
        for at, key in enumerate(SETS):
            before, after = old[at] if old else None, new[at] if new else None
            if before != after:
                changed = self.pending.set(key)
                if before is not None:
                    changed.remove(before)
                if after is not None:
                    changed.add(after)

    def put_tallies(self, tallies: Sequence[tuple[str, str, str, int]]) -> None:
        """Insert or replace counts."""
        for queue, kind, what, count in tallies:
            self.pending.put(":tally", _tally(queue, kind, what), b"%d" % count)

    def drop_tallies(self, tallies: Sequence[tuple[str, str, str]]) -> None:
        """Remove counts."""
        for one in tallies:
            self.pending.put(":tally", _tally(*one), None)

    def put_records(self, records: Sequence[tuple[Which, int, str]]) -> None:
        """Insert records, or replace the body."""
        for (kind, key), born, body in records:
            self._kinds.add(kind)
            mine = self.pending.records.setdefault(f":record:{rows.name(kind)}", {})
            field, order, anew = name(key), number(born), False
            if field in mine:
                before = mine[field]
                order, anew = (order, True) if before is None else (before[0], before[2])
            mine[field] = order, body.encode(), anew

    def drop_records(self, records: Sequence[Which]) -> None:
        """Remove records."""
        for kind, key in records:
            self.pending.records.setdefault(f":record:{rows.name(kind)}", {})[name(key)] = None

    def put_timers(self, timers: Sequence[tuple[Which, int, int]]) -> None:
        """Insert or move timers."""
        for one, at, order in timers:
            self.pending.timers[keyed(one)] = number(at) + number(order)

    def drop_timers(self, timers: Sequence[Which]) -> None:
        """Remove timers."""
        for one in timers:
            self.pending.timers[keyed(one)] = b""

    def add_events(self, events: Sequence[tuple[int, str]]) -> None:
        """Insert events."""
        changed = self.pending.set(":events")
        changed.added += [number(seq) + body.encode() for seq, body in events]

    def drop_events(self, before: int) -> None:
        """Remove the events before a number."""
        self.pending.last.append(("ZREMRANGEBYLEX", ":events", [b"-", b"(" + number(before)]))

    def clear(self) -> None:
        """Remove everything but the events and the clock."""
        pending = self.pending = Pending()
        pending.cleared = True
        self._turned = {}
        keys = [*KEYS, *(f":record:{rows.name(kind)}" for kind in self._kinds)]
        pending.first = [("UNLINK", key, []) for key in keys]


def _tally(queue: str, kind: str, what: str) -> bytes:
    return name(queue) + word(kind) + rows.name(what).encode()
