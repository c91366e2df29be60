"""What the store asks of a database, whichever it is: questions over the present, changes, and an end to both.

Names and keys are whole texts here; how a database carries those that it cannot hold is its own affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from playground.stores.rows import Row

Found = Sequence[Any]
"""A job: born, place, entered, due, due_order, lane, body."""
Which = tuple[str, str]
"""A record or a timer: (kind, key)."""
LAST = 1 << 62
"""After every number of a list."""


class Clock(NamedTuple):
    """What a database says of the whole.

    Attributes:
        seq: The last `Job.seq`.
        stamp: The last number given by the store itself.
        event: Number of the latest event.
        counted: Up to which event throughput is counted.
        instant: The latest instant, milliseconds.
        version: Of the whole database: another one with each commit, whoever makes it.
    """

    seq: int
    stamp: int
    event: int
    counted: int
    instant: int
    version: Any


class Page(NamedTuple):
    """A part of a list of jobs.

    Attributes:
        places: Only these (`Row.place`); all when empty.
        queue: Only this queue.
        type: Only this type.
        order: ``born`` or ``entered``.
        newest: Newest first.
        few: Whether few of all jobs are in these places: then they are found by place, and sorted.
        start: Where the list goes on, exclusive: a number in the order.
        limit: Most jobs.
        offset: How many to pass over first.
    """

    places: Sequence[str]
    queue: str | None
    type: str | None
    order: str
    newest: bool
    few: bool
    start: int
    limit: int
    offset: int


class Backend(Protocol):
    """A connection to a database, made when it is first needed and anew after it was lost; one thread at a time.

    Everything but `rollback`, `drop` and `close` raises `engine.errors.Unavailable`.

    Attributes:
        name: ``sqlite``, ``postgresql`` or ``redis``.
        shared: Whether other processes may serve the same database.
        passing: Whether claims pass over jobs that somebody outside of the server holds.
        open: Whether a turn is open.
        shown: The database as people may see it: a path, or an address without its password.
        channel: Where each process notifies the others of its commits; "" where there is none.
        writer: This process's name there.
    """

    name: str
    shared: bool
    passing: bool
    open: bool
    shown: str
    channel: str
    writer: str

    def begin(self) -> None:
        """Open a turn that may write."""
        ...

    def probe(self) -> None:
        """See that an open turn could write."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """What is changed inside may be sent without waiting for each answer."""
        ...

    def commit(self) -> None:
        """Make everything since `begin` last."""
        ...

    def rollback(self) -> None:
        """Undo everything since `begin`; never raises."""
        ...

    def drop(self) -> None:
        """Give the connection up."""
        ...

    def close(self) -> None:
        """Let go of the database for good."""
        ...

    # questions

    def clock(self) -> Clock | None:
        """The whole; while a turn is open nobody else changes it."""
        ...

    def tallies(self) -> Iterable[tuple[str, str, str, int]]:
        """All counts: (queue, kind, name, count)."""
        ...

    def events(self, after: int) -> list[str]:
        """Bodies of the events after a number, oldest first."""
        ...

    def job(self, job_id: str) -> Found | None:
        """The job of this id."""
        ...

    def kept(self, row: Row) -> Sequence[Any]:
        """What `Row.kept` is to be of a job that has just been read."""
        ...

    def ready(self, queue: str, lane: str, limit: int) -> Sequence[Found]:
        """The available jobs of a queue and lane that go first."""
        ...

    def holder(self, key: str, place: str) -> Found | None:
        """The newest job in a place with a unique key (`rows.key`)."""
        ...

    def unique(self, before: int, limit: int) -> Sequence[tuple[int, str, str]]:
        """Of jobs with unique keys, those that came last to their places: (entered, unique key, place)."""
        ...

    def page(self, page: Page) -> Sequence[Found]:
        """A part of a list."""
        ...

    def record(self, which: Which) -> str | None:
        """The body of a record."""
        ...

    def records(self, kind: str) -> list[tuple[str, str]]:
        """All records of a kind as (key, body), in the order in which they were first put."""
        ...

    def timer(self, which: Which) -> int | None:
        """When a timer is due, milliseconds."""
        ...

    def due(self, jobs: int) -> list[tuple[int, int, str, str]]:
        """The first timer and the first so many jobs that are due: (instant, order, kind or ``job``, key)."""
        ...

    # changes

    def put_jobs(self, jobs: Sequence[Row]) -> None:
        """Insert or replace jobs."""
        ...

    def drop_jobs(self, jobs: Sequence[Row]) -> None:
        """Remove jobs."""
        ...

    def put_tallies(self, tallies: Sequence[tuple[str, str, str, int]]) -> None:
        """Insert or replace counts."""
        ...

    def drop_tallies(self, tallies: Sequence[tuple[str, str, str]]) -> None:
        """Remove counts."""
        ...

    def put_records(self, records: Sequence[tuple[Which, int, str]]) -> None:
        """Insert records with their order and body, or replace the body."""
        ...

    def drop_records(self, records: Sequence[Which]) -> None:
        """Remove records."""
        ...

    def put_timers(self, timers: Sequence[tuple[Which, int, int]]) -> None:
        """Insert or move timers: when they are due, and the order at one instant."""
        ...

    def drop_timers(self, timers: Sequence[Which]) -> None:
        """Remove timers."""
        ...

    def add_events(self, events: Sequence[tuple[int, str]]) -> None:
        """Insert events."""
        ...

    def drop_events(self, before: int) -> None:
        """Remove the events before a number."""
        ...

    def put_clock(self, clock: Clock) -> Any:
        """Replace the whole's, whose version is the one that was found; the version that it has then."""
        ...

    def clear(self) -> None:
        """Remove everything but the events and the clock."""
        ...
