"""What the store asks, in SQL: the statements, given to a connection to SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Any

from sqlalchemy import URL

from playground.stores import rows, statements
from playground.stores.backend import Clock, Found, Page, Which
from playground.stores.database import Database, shown
from playground.stores.rows import Row


class SqlDatabase(Database):
    """`playground.stores.backend.Backend` over SQLite or PostgreSQL.

    Args:
        url: See `playground.stores.database.address`; its tables are there (`playground.stores.opening`).
    """

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.name = "postgresql" if self.postgres else "sqlite"
        self.shared = self.passing = self.postgres
        self.shown = shown(url)
        self.writer = token_hex(8)
        self.channel = ""

    def probe(self) -> None:
        """Ask for a sign of life."""
        self.clock()

    # questions

    def clock(self) -> Clock | None:
        """In PostgreSQL this holds the row until the turn ends: one process writes at a time."""
        if self.shared and not self.channel:
            self.channel = f"ojs_{self.all(statements.SCHEMA)[0][0]}"[:63]
        found = self.first(statements.CLOCK)
        return None if found is None else Clock(*found)

    def tallies(self) -> Iterable[tuple[str, str, str, int]]:
        """All counts."""
        for queue, kind, name, count in self.all(statements.TALLIES):
            yield rows.plain(queue), kind, rows.plain(name), count

    def events(self, after: int) -> list[str]:
        """Bodies of the events after a number."""
        return [body for _, body in self.all(statements.EVENTS, after_=after)]

    def job(self, job_id: str) -> Found | None:
        """The job of this id."""
        return self.first(statements.JOB, id_=rows.name(job_id))

    def kept(self, _row: Row) -> Sequence[Any]:
        """SQL finds a row's entries in its indexes by itself."""
        return ()

    def ready(self, queue: str, lane: str, limit: int) -> Sequence[Found]:
        """The available jobs of a queue and lane that go first."""
        return self.all(statements.FIRST, queue_=rows.name(queue), lane_=lane, limit_=limit)

    def holder(self, key: str, place: str) -> Found | None:
        """The newest job in a place with a unique key."""
        return self.first(statements.HOLDER, key_=key, place_=place)

    def unique(self, before: int, limit: int) -> Sequence[Any]:
        """Of jobs with unique keys, those that came last to their places."""
        return self.all(statements.UNIQUE, before_=before, limit_=limit)

    def page(self, page: Page) -> Sequence[Found]:
        """A part of a list."""
        values: dict[str, Any] = {f"place{number}_": place for number, place in enumerate(page.places)}
        if page.queue is not None:
            values["queue_"] = rows.name(page.queue)
        if page.type is not None:
            values["type_"] = rows.name(page.type)
        statement = statements.page(
            len(page.places), queue=page.queue is not None, type_=page.type is not None,
            order=page.order, newest=page.newest, few=page.few,
        )  # fmt: skip
        return self.all(statement, from_=page.start, limit_=page.limit, offset_=page.offset, **values)

    def record(self, which: Which) -> str | None:
        """The body of a record."""
        found = self.first(statements.RECORD, **_keyed(which))
        return None if found is None else found[0]

    def records(self, kind: str) -> list[tuple[str, str]]:
        """All records of a kind."""
        found = self.all(statements.RECORDS, kind_=rows.key(kind))
        return [(rows.plain(name or key), body) for key, name, body in found]

    def timer(self, which: Which) -> int | None:
        """When a timer is due."""
        found = self.first(statements.TIMER, **_keyed(which))
        return None if found is None else found[0]

    def due(self, jobs: int) -> list[tuple[int, int, str, str]]:
        """The first timer and the first jobs that are due."""
        return [
            (at, order, rows.plain(kind), rows.plain(name or key))
            for at, order, kind, key, name in self.all(statements.DUE, limit_=jobs)
        ]

    # changes

    def put_jobs(self, jobs: Sequence[Row]) -> None:
        """Insert or replace jobs."""
        self.many(statements.PUT_JOB, [row.values() for row in jobs])

    def drop_jobs(self, jobs: Sequence[Row]) -> None:
        """Remove jobs."""
        self.many(statements.DROP_JOB, [{"born_": row.born} for row in jobs])

    def put_tallies(self, tallies: Sequence[tuple[str, str, str, int]]) -> None:
        """Insert or replace counts."""
        self.many(statements.PUT_TALLY, [{**_tally(*one[:3]), "count_": one[3]} for one in tallies])

    def drop_tallies(self, tallies: Sequence[tuple[str, str, str]]) -> None:
        """Remove counts."""
        self.many(statements.DROP_TALLY, [_tally(*one) for one in tallies])

    def put_records(self, records: Sequence[tuple[Which, int, str]]) -> None:
        """Insert records, or replace the body."""
        values = [
            {**_keyed(which), "name_": _name(which), "born_": born, "body_": body}
            for which, born, body in records
        ]
        self.many(statements.PUT_RECORD, values)

    def drop_records(self, records: Sequence[Which]) -> None:
        """Remove records."""
        self.many(statements.DROP_RECORD, [_keyed(one) for one in records])

    def put_timers(self, timers: Sequence[tuple[Which, int, int]]) -> None:
        """Insert or move timers."""
        values = [
            {**_keyed(which), "name_": _name(which), "due_": at, "due_order_": order}
            for which, at, order in timers
        ]
        self.many(statements.PUT_TIMER, values)

    def drop_timers(self, timers: Sequence[Which]) -> None:
        """Remove timers."""
        self.many(statements.DROP_TIMER, [_keyed(one) for one in timers])

    def add_events(self, events: Sequence[tuple[int, str]]) -> None:
        """Insert events."""
        self.many(statements.ADD_EVENT, [{"seq_": seq, "body_": body} for seq, body in events])

    def drop_events(self, before: int) -> None:
        """Remove the events before a number."""
        self.run(statements.DROP_EVENTS, before_=before)

    def put_clock(self, clock: Clock) -> int:
        """Replace the clock's row, and tell the others."""
        version: int = clock.version + 1
        values = {f"{name}_": value for name, value in clock._asdict().items()}
        self.run(statements.PUT_CLOCK, **values | {"id_": 1, "version_": version})
        if self.channel:
            self.run(statements.NOTIFY, channel_=self.channel, payload_=self.writer)
        return version

    def clear(self) -> None:
        """Remove everything but the events and the clock."""
        for statement in statements.CLEAR:
            self.run(statement)


def _keyed(which: Which) -> Mapping[str, str]:
    return {"kind_": rows.key(which[0]), "key_": rows.key(which[1])}


def _name(which: Which) -> str | None:
    whole = rows.name(which[1])
    return whole if whole != rows.key(which[1]) else None


def _tally(queue: str, kind: str, name: str) -> dict[str, Any]:
    return {"queue_": rows.name(queue), "kind_": kind, "name_": rows.name(name)}
