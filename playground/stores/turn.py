"""A turn: what the host does at one go, all of it or nothing.

A request is a turn, or several that came together, or what is due. Its first question opens a transaction, `commit`
ends it: then all that the turn did is on the disk, or nothing of it has happened. Within a turn, changes gather in
memory and are written before a query that could miss them, and at its end.

What has been read stays in memory for the turns to come, for as long as nobody else has written: each commit raises the
database's version, and a version that is not ours empties every cache. In PostgreSQL the row that holds it is locked
for the whole turn: any number of processes may serve one database, and write one after the other.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from engine.errors import InternalError, OJSError
from playground.stores import rows, statements
from playground.stores.database import Database
from playground.stores.tallies import Tallies

if TYPE_CHECKING:
    from engine.events import Event, EventLog, Note
    from engine.kernel import Kernel

SPARE: Final = 500
"""Events beyond those that the log keeps which may stay until it is worth while to delete them."""


class Turn:
    """The transaction, what the database says of the whole, and the event log.

    Args:
        database: A database whose tables are there (`playground.stores.opening`).

    Attributes:
        kinds: Kinds of records.
        name: ``sqlite`` or ``postgresql``.
        writer: This process's name among those that write to a PostgreSQL database.
        channel: Where each of them notifies the others of its commits.
        kernel: The engine's, once `attach` has been called.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.name = "postgresql" if database.postgres else "sqlite"
        self.writer = token_hex(8)
        self.channel = ""
        self._tallies = Tallies()
        self.kinds: Container[str] = self._tallies.kinds
        self.kernel: Kernel | None = None
        self._failed: OJSError | None = None
        self._depth = 0
        self._seq = self._stamp = 0
        self._event = self._counted = self._first_event = self._instant = 0
        self._version = -1
        self._forget()
        self._enter()
        if database.postgres:
            self.channel = f"ojs_{self._ask(statements.SCHEMA)[0][0]}"[:63]
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
            found = self.database.first(statements.CLOCK)
            if found is None:
                raise InternalError("The database has no clock; restore a backup.")
            if found[5] != self._version:
                self._load(found)
        except OJSError as error:
            self._fail(error)

    def _load(self, found: Any) -> None:
        self._forget()
        self._seq, self._stamp, event, self._counted, self._instant, self._version = found
        self._tallies.load(
            (rows.plain(queue), kind, rows.plain(name), count)
            for queue, kind, name, count in self.database.all(statements.TALLIES)
        )
        self._event, before = event, self._event
        if self.kernel is not None:
            self.kernel.catch_up(self._instant)
            self._catch_up(before)

    def _catch_up(self, before: int) -> None:
        """Give the log what happened elsewhere since event ``before``."""
        kernel = self.kernel
        if kernel is None or before == self._event:
            return
        kernel.events.listening = "webhook_index" in self.kinds
        found = self.database.all(statements.EVENTS, after_=before)
        kernel.events.extend((rows.event_from(body) for _, body in found), self._event, self._counted)

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
        """Ask the database for a sign of life.

        Raises:
            Unavailable: It gives none.
        """
        self._ask(statements.CLOCK)

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
            self._write_all(log, fresh, event, counted)
        self._event, self._counted = event, counted
        self._version += 1
        self._writes = 0
        return True

    def _write_all(self, log: EventLog | None, fresh: list[Event | Note], event: int, counted: int) -> None:
        if fresh:
            values = [{"seq_": note[0], "body_": rows.event_body(note)} for note in fresh]
            self.database.many(statements.ADD_EVENT, values)
        self._flush()
        self._settle()
        if log is not None and (log.oldest >= self._first_event + SPARE or log.oldest > log.seq):
            self._first_event = log.oldest
            self.database.run(statements.DROP_EVENTS, before_=log.oldest)
        self.database.run(
            statements.PUT_CLOCK,
            id_=1,
            seq_=self._seq,
            stamp_=self._stamp,
            event_=event,
            counted_=counted,
            instant_=0 if self.kernel is None else self.kernel.latest,
            version_=self._version + 1,
        )
        if self.channel:
            self.database.run(statements.NOTIFY, channel_=self.channel, payload_=self.writer)
        self.database.commit()

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
            for one in (*put, *gone):
                one["queue_"], one["name_"] = rows.name(one["queue_"]), rows.name(one["name_"])
            self._many(statements.DROP_TALLY, gone)
            self._many(statements.PUT_TALLY, put)

    def _many(self, statement: Any, values: list[Any]) -> None:
        """Execute a statement with each of these values, if there are any."""
        if values:
            try:
                self.database.many(statement, values)
            except OJSError as error:
                self._fail(error)

    def _settle(self) -> None:
        """Know by heart what is asked between turns, while the transaction is open."""

    def _trim(self) -> None:
        """Let go of what was used longest ago."""

    def _ask(self, statement: Any, **values: Any) -> list[Any]:
        """The rows of a query over the present."""
        self._enter()
        try:
            self._flush()
            return self.database.all(statement, **values)
        except OJSError as error:
            self._failed = error
            raise

    def _next_stamp(self) -> int:
        self._stamp += 1
        return self._stamp
