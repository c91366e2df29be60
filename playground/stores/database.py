"""One connection to SQLite or PostgreSQL: statements, transactions, and what went wrong in plain words.

SQLAlchemy writes the statements, once for each dialect, and knows the drivers; they are then handed to the driver's
cursor as they are, since on a job's way SQLAlchemy's own execution would cost more than SQLite does.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.base import Executable

from engine.errors import Unavailable

BUSY: Final = 2_000
"""How long SQLite waits for another program that writes to the file, milliseconds."""
REACH: Final = 3
"""How long PostgreSQL may take to answer a connection, seconds."""
ERRORS: Final = (sqlite3.Error, psycopg.Error, OSError)

# WAL: a reader, a backup say, never stops the server. FULL: a commit is on the disk before it is acknowledged, so that
# it survives the machine's end and not only the process's; requests that come together share one (see the host).
PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY}", "cache_size=-65536")
_WORDS: Final = (
    ("locked", "The database is locked by another program."),
    ("disk is full", "The disk that holds the database is full."),
    ("No space left", "The disk that holds the database is full."),
    ("disk full", "The disk that holds the database is full."),
    ("malformed", "The database file is damaged; stop the server and restore a backup."),
    ("not a database", "The file is no SQLite database, or it is damaged; restore a backup."),
    ("unable to open", "The database file cannot be opened."),
    ("readonly", "The database cannot be written to."),
    ("disk I/O", "The disk that holds the database does not answer."),
    ("no such table", "The database's tables are gone; restart the server to have them made."),
)


class BadAddress(ValueError):
    """The words after ``--db`` name no database; the message says why."""


def address(where: str) -> URL:
    """The URL of a database.

    Args:
        where: A path, ``sqlite:///PATH``, or ``postgresql://…``.

    Raises:
        BadAddress: Another scheme, or none that can be read.
    """
    if "://" not in where:
        return URL.create("sqlite", database=str(Path(where).expanduser().resolve()))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise BadAddress("The database's URL cannot be read.") from None
    kind = url.get_backend_name()
    if kind in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database:
        return url.set(drivername="sqlite", database=str(Path(url.database).resolve()))
    raise BadAddress(
        f"'{kind}' is no store of this server; give a path, postgresql://USER@HOST/DATABASE, or redis://HOST:PORT."
    )


def is_redis(where: str) -> bool:
    """Whether an address means Redis."""
    return where.partition("://")[0].lower() in {"redis", "rediss"} and "://" in where


def shown(url: URL) -> str:
    """The URL as people may see it: a path, or an address without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


class Database:
    """A connection that is made when it is first needed, and anew after it was lost.

    Not thread-safe: one thread at a time, as everything around the engine.

    Args:
        url: See `address`.

    Attributes:
        postgres: Whether it is PostgreSQL, else SQLite.
        open: Whether a transaction is open.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.postgres = url.get_backend_name() == "postgresql"
        self.open = False
        more: dict[str, Any] = {"connect_timeout": REACH} if self.postgres else {"check_same_thread": False}
        self._engine = create_engine(url, poolclass=NullPool, connect_args=more)
        self._connection: Any = None
        self._cursor: Any = None
        # Questions have a cursor of their own: in a pipeline one may be given an earlier write's result.
        self._asking: Any = None
        self._file: os.stat_result | None = None
        self._closed = False
        # Compiled statements, by the statement's own identity: they are module constants.
        self._sql = lru_cache(maxsize=256)(self._compiled)

    def _compiled(self, statement: Executable) -> tuple[str, dict[str, Any]]:
        make: Any = postgresql.dialect if self.postgres else sqlite.dialect
        dialect = make(paramstyle="pyformat" if self.postgres else "named")
        compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        constants = {one: value for one, value in compiled.params.items() if value is not None}
        return str(compiled), constants

    @contextlib.contextmanager
    def connection(self) -> Any:
        """A connection of SQLAlchemy's own, in a transaction; for migrations."""
        with self._engine.begin() as connection:
            yield connection

    def _connect(self) -> None:
        if not self.postgres and self._file is not None:
            self._still_there()  # SQLite would make a new, empty file
        lent = self._engine.raw_connection()
        raw: Any = lent.driver_connection
        if self.postgres:
            raw.autocommit = True  # transactions are begun and ended here, in words
        else:
            raw.isolation_level = None
            for pragma in PRAGMAS:
                raw.execute(f"PRAGMA {pragma}")
            self._file = os.stat(str(self.url.database))  # noqa: PTH116 - asked at each transaction: the quick way
        self._connection, self._cursor, self._asking = lent, raw.cursor(), raw.cursor()

    def _still_there(self) -> None:
        """A file that was deleted or replaced would take writes that nobody can ever read."""
        try:
            found = os.stat(str(self.url.database))  # noqa: PTH116
        except OSError:
            raise Unavailable("The database file is gone.") from None
        before = self._file
        if before is not None and (found.st_ino, found.st_dev) != (before.st_ino, before.st_dev):
            self._file = None
            raise Unavailable("The database file was replaced; restart the server.")

    def begin(self) -> None:
        """Open a transaction that may write.

        Raises:
            Unavailable: The database cannot be reached, or does not let us write.
        """
        if self._closed:
            raise Unavailable("The server is stopping.")
        try:
            if self._connection is None:
                self._connect()
            elif not self.postgres:
                self._still_there()
            self._cursor.execute("BEGIN" if self.postgres else "BEGIN IMMEDIATE")
        except ERRORS as error:
            self.drop()
            raise trouble(error) from error
        self.open = True

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Send what is executed inside to PostgreSQL without waiting for each answer; SQLite has no way to wait.

        Raises:
            Unavailable: Something of it failed.
        """
        if not self.postgres:
            yield
            return
        try:
            with self._connection.driver_connection.pipeline():
                yield
        except BaseException as error:
            self.drop()  # how far it came is only the server's to know; without us it takes back what was not committed
            if isinstance(error, ERRORS):
                raise trouble(error) from error
            raise

    def commit(self) -> None:
        """Make everything since `begin` last.

        Raises:
            Unavailable: It did not; nothing of it has happened.
        """
        self._run("COMMIT")
        self.open = False

    def rollback(self) -> None:
        """Undo everything since `begin`; never raises."""
        if self.open:
            try:
                self._cursor.execute("ROLLBACK")
            except ERRORS:
                self.drop()
        self.open = False

    def drop(self) -> None:
        """Give the connection up; the next `begin` makes another."""
        self.open = False
        if self._connection is not None:
            with contextlib.suppress(*ERRORS):
                self._connection.close()
        self._connection = self._cursor = self._asking = None

    def _run(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        try:
            if values is None:
                self._cursor.execute(sql)
            else:
                self._cursor.execute(sql, values)
        except ERRORS as error:
            raise trouble(error) from error

    def all(self, statement: Executable, **values: Any) -> list[Sequence[Any]]:
        """The rows of a query."""
        sql, constants = self._sql(statement)
        try:
            self._asking.execute(sql, {**constants, **values})
            found: list[Sequence[Any]] = self._asking.fetchall()
        except ERRORS as error:
            raise trouble(error) from error
        return found

    def first(self, statement: Executable, **values: Any) -> Sequence[Any] | None:
        """The first row of a query, or None."""
        found = self.all(statement, **values)
        return found[0] if found else None

    def run(self, statement: Executable, **values: Any) -> None:
        """Execute a statement."""
        sql, constants = self._sql(statement)
        self._run(sql, {**constants, **values} if constants else values)

    def many(self, statement: Executable, values: Sequence[Mapping[str, Any]]) -> None:
        """Execute a statement with each of these values."""
        if len(values) == 1:  # a pipeline is for more
            self._run(self._sql(statement)[0], values[0])
            return
        try:
            self._cursor.executemany(self._sql(statement)[0], values)
        except ERRORS as error:
            raise trouble(error) from error

    def close(self) -> None:
        """Let go of the database; SQLite folds its log into the file."""
        self._closed = True
        self.drop()
        self._engine.dispose()


def trouble(error: BaseException) -> Unavailable:
    """What went wrong, for a client."""
    text = str(error)
    for mark, words in _WORDS:
        if mark in text:
            return Unavailable(words)
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("The database cannot be reached.")
    return Unavailable(f"The store failed: {text.splitlines()[0] if text else type(error).__name__:.200}")
