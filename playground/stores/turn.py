"""A turn: what the host does at one go, all of it or nothing.

A request is a turn, or several that came together, or what is due. Its first question opens a transaction, `commit`
ends it: then all that the turn did is on the disk, or nothing of it has happened. Within a turn, changes gather in
memory and are written before a query that could miss them, and at its end.

What has been read stays in memory for the turns to come, for as long as nobody else has written: each commit raises the
database's version, and a version that is not ours empties every cache. Where a database is shared, a turn holds it for
itself: any number of processes may serve one database, and write one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from engine.errors import InternalError, OJSError
from playground.stores import rows
from playground.stores.backend import Backend, Clock
from playground.stores.tallies import Tallies

if TYPE_CHECKING:
    from engine.events import Event, EventLog, Note
    from engine.kernel import Kernel

T = TypeVar("T")
SPARE: Final = 500
"""Events beyond those that the log keeps which may stay until it is worth while to delete them."""


class Turn:
    """The transaction, what the database says of the whole, and the event log.

    Args:
        database: One that is ready to be used (`playground.stores.opening`).

    Attributes:
        kinds: Kinds of records.
        name: The database's.
        kernel: The engine's, once `attach` has been called.
    """

    def __init__(self, database: Backend) -> None:
        self.database = database
        self.name = database.name
        self._tallies = Tallies()
        self.kinds: Container[str] = self._tallies.kinds
        self.kernel: Kernel | None = None
        self._failed: OJSError | None = None
        self._depth = 0
        self._seq = self._stamp = 0
        self._event = self._counted = self._first_event = self._instant = 0
        self._version: Any = -1
        self._forget()
        self._enter()
        self.commit()

    def attach(self, kernel: Kernel) -> None:
        """Keep this kernel's events and time too, beginning with what the database has of them.

        Raises:
            Unavailable: The database does not answer.
        """
        self._enter()
        self.kernel = kernel
        kernel.catch_up(self._instant)
        self._catch_up(-1)
        kernel.events.hold()
        self.commit()

    # turns

    def _forget(self) -> None:
        """Drop everything that stands in the database, and whatever was to be written."""
        self._writes = 0

    def _enter(self) -> None:
        """Be in a transaction that knows the present."""
        if self.database.open and self._failed is None:
            return
        if self._failed is not None:
            raise self._failed
        try:
            self.database.begin()
            found = self.database.clock()
            if found is None:
                raise InternalError("The database has no clock; restore a backup.")
            if found.version != self._version:
                self._load(found)
        except OJSError as error:
            self._fail(error)

    def _load(self, found: Clock) -> None:
        self._forget()
        self._seq, self._stamp, event, self._counted, self._instant, self._version = found
        self._tallies.load(self.database.tallies())
        self._event, before = event, self._event
        if self.kernel is not None:
            self.kernel.catch_up(self._instant)
            self._catch_up(before)

    def _catch_up(self, before: int) -> None:
        """Give the log what happened elsewhere since event ``before``, the last one that it has."""
        log = None if self.kernel is None else self.kernel.events
        if log is None:
            return
        log.listening = "webhook_index" in self.kinds
        known = log.after(before - 1)[:1]
        found = [rows.event_from(body) for body in self.database.events(before - len(known))]
        if known and (not found or found[0][:4] != known[0][:4]):
            # The database has gone back: it was restored, or has lost its latest commits.
            log.replace(map(rows.event_from, self.database.events(-1)), self._event, self._counted)
        else:
            log.extend(found[len(known) :], self._event, self._counted)

    def _fail(self, error: OJSError) -> None:
        """Nothing more can be done in this turn, and nothing of it will have happened."""
        self._failed = error
        raise error

    def commit(self) -> bool:
        """End the turn: everything that it wrote lasts from here on; whether it wrote anything.

        Raises:
            Unavailable: The database failed on the way. Nothing of the turn has happened.
            InternalError: The turn itself did, half way through an operation; the same holds.
        """
        if self._failed is None and not self.database.open:
            return False
        wrote = False
        try:
            if self._failed is not None:
                raise self._failed
            wrote = self._write()
        except OJSError:
            self.undo()
            raise
        if self.kernel is not None:
            self.kernel.events.release()
        self._trim()
        return wrote

    def undo(self) -> None:
        """End the turn as if it had not been."""
        self.database.rollback()
        self._failed = None
        self._version = -1
        self._depth = 0
        self._forget()
        if self.kernel is not None:
            self.kernel.events.rewind(self._event, self._counted)

    def probe(self) -> None:
        """See that the database could be written to.

        Raises:
            Unavailable: It could not.
        """
        self._ask(self.database.probe)

    def close(self) -> None:
        """Let go of the database; what has not been committed has not happened."""
        self.undo()
        self.database.close()

    def _write(self) -> bool:
        """Write all that is new, and commit it."""
        log = None if self.kernel is None else self.kernel.events
        fresh = [] if log is None else log.after(self._event)
        if not fresh and not self._writes:
            self.database.commit()
            return False
        event, counted = (self._event, self._counted) if log is None else (log.seq, log.counted)
        with self.database.together():
            version = self._write_all(log, fresh, event, counted)
        self._event, self._counted, self._version = event, counted, version
        self._writes = 0
        return True

    def _write_all(self, log: EventLog | None, fresh: list[Event | Note], event: int, counted: int) -> Any:
        """Give the database all that is new, and have it commit; the version that this makes."""
        if fresh:
            self.database.add_events([(note[0], rows.event_body(note)) for note in fresh])
        self._flush()
        self._settle()
        if log is not None and (log.oldest >= self._first_event + SPARE or log.oldest > log.seq):
            self._first_event = log.oldest
            self.database.drop_events(log.oldest)
        instant = 0 if self.kernel is None else self.kernel.latest
        version = self.database.put_clock(
            Clock(self._seq, self._stamp, event, counted, instant, self._version)
        )
        self.database.commit()
        return version

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside it happen, or none: an operation that fails after its first write ends its turn."""
        self._enter()
        self._depth += 1
        before = self._writes
        try:
            yield
        except BaseException as error:
            if self._depth == 1 and self._writes != before and self._failed is None:
                text = "An operation failed half way; nothing of it, and of what came with it, has happened."
                self._failed = (
                    error if isinstance(error, OJSError) and error.retryable else InternalError(text)
                )
            raise
        finally:
            self._depth -= 1

    def _flush(self) -> None:
        """Write what has gathered, so that a query finds it."""
        if self._tallies.changed:
            put, gone = self._tallies.changes()
            self._change(self.database.drop_tallies, gone)
            self._change(self.database.put_tallies, put)

    def _change(self, change: Callable[[Sequence[T]], None], values: Sequence[T]) -> None:
        """Change these in the database, if there are any."""
        if values:
            try:
                change(values)
            except OJSError as error:
                self._fail(error)

    def _settle(self) -> None:
        """Know by heart what is asked between turns, while the transaction is open."""

    def _trim(self) -> None:
        """Let go of what was used longest ago."""

    def _ask(self, question: Callable[..., T], *values: Any) -> T:
        """The answer to a question over the present."""
        self._enter()
        try:
            self._flush()
            return question(*values)
        except OJSError as error:
            self._failed = error
            raise

    def _next_stamp(self) -> int:
        self._stamp += 1
        return self._stamp
