"""Where ``serve`` keeps its jobs, and the commands ``backup`` and ``restore``.

What needs SQLAlchemy is imported when a database is opened: a server in memory starts without it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playground.settings import Settings

if TYPE_CHECKING:
    from playground.hosts.driver import Driver
    from playground.stores.store import DatabaseStore

COMMANDS: Final = ("backup", "restore")
_WHERE: Final = "PATH|URL"
_HELP: Final = "a SQLite file, postgresql://… or redis://… (default: a file in your data folder)"


class DatabaseError(Exception):
    """The database cannot be used; the message says what to do."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands."""
    backup = commands.add_parser(
        "backup", help="copy the server's SQLite database to a file, while it runs too"
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="the file to write; it must not be there yet")
    backup.add_argument("--db", metavar=_WHERE, help=f"the database: {_HELP}")
    restore = commands.add_parser("restore", help="put a backup in the place of the SQLite database")
    restore.add_argument("file", type=Path, metavar="FILE", help="a backup")
    restore.add_argument("--db", metavar=_WHERE, help=f"the database: {_HELP}")


def opened(told: Settings) -> DatabaseStore | None:
    """The store that the settings name, None for this process's memory.

    Raises:
        DatabaseError: It cannot be used.
    """
    if told["memory"] or (
        told["conformance"] and told["db"] is None
    ):  # whose reset would empty the user's own
        return None
    from playground.stores.opening import StoreError, open_store  # noqa: PLC0415 - see the module's first lines

    try:
        return open_store(told["db"])
    except StoreError as error:
        raise DatabaseError(f"{error} Choose another with --db, or --memory.") from None


@contextmanager
def shared(store: DatabaseStore | None, driver: Driver) -> Iterator[None]:
    """Let a driver know of what other processes do on the same database, while it runs."""
    if store is None or not store.database.shared:
        yield
        return
    from playground.stores.opening import listener as listening  # noqa: PLC0415

    listener = listening(store)
    driver.leads = lambda: listener.leads
    listener.start(driver.look)
    try:
        yield
    finally:
        listener.stop()


def described(store: DatabaseStore | None) -> str:
    """Where jobs are kept, for people."""
    if store is None:
        return "memory"
    return store.database.shown


def main(options: argparse.Namespace) -> int:
    """Run ``backup`` or ``restore``.

    Raises:
        DatabaseError: It could not be done; nothing has changed.
    """
    from playground.stores import copies  # noqa: PLC0415
    from playground.stores.opening import StoreError  # noqa: PLC0415

    try:
        text = (copies.backup if options.command == "backup" else copies.restore)(options.file, options.db)
    except StoreError as error:
        raise DatabaseError(str(error)) from None
    print(text)  # noqa: T201 - the command's answer
    return 0
