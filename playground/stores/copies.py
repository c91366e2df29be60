"""Copies of a SQLite database: taken while its server runs, and put back while none does."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL

from playground.stores.database import BUSY, BadAddress, address, is_redis, trouble
from playground.stores.opening import StoreError, check, default_path


def _file(where: str | None) -> Path:
    if where is not None and is_redis(where):
        raise StoreError(
            "Redis has tools of its own: redis-cli --rdb FILE makes a backup; with that file as its dbfilename, Redis "
            "starts with it."
        )
    try:
        url: URL = address(str(default_path() if where is None else where))
    except BadAddress as error:
        raise StoreError(str(error)) from None
    if url.get_backend_name() != "sqlite":
        raise StoreError("PostgreSQL has tools of its own: pg_dump makes a backup, pg_restore puts it back.")
    return Path(str(url.database))


def _copy(source: Path, target: Path) -> None:
    """A copy as of one instant, checked, and on the disk before it has its name."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as read,
            contextlib.closing(sqlite3.connect(part)) as write,
        ):
            read.backup(write)
            write.execute("PRAGMA journal_mode=DELETE")
            found = write.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise StoreError(f"{source}: the database is damaged ({found}).")
        check(part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except sqlite3.Error as error:
        raise StoreError(f"{source}: {trouble(error).message}") from None
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)


def backup(target: Path, where: str | None) -> str:
    """Copy the database to a new file.

    Raises:
        StoreError: It could not be copied whole; no file is left.
    """
    source = _file(where)
    if not source.is_file():
        raise StoreError(f"{source}: there is no database.")
    if target.exists():
        raise StoreError(f"{target}: there is a file already; name a new one.")
    _copy(source, target.resolve())
    return f"Copied {source} to {target} ({target.stat().st_size / 1e6:.1f} MB)."


def restore(source: Path, where: str | None) -> str:
    """Put a backup in the place of the database; the one that was there stays beside it.

    Raises:
        StoreError: It is no backup, or a server uses the database; nothing has changed.
    """
    target = _file(where)
    if not source.is_file():
        raise StoreError(f"{source}: there is no such file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".restored")
    _copy(source.resolve(), fresh)
    try:
        kept = _set_aside(target)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return f"Restored {source} to {target}." + (f" The one before is {kept}." if kept else "")


def _set_aside(target: Path) -> Path | None:
    if not target.exists():
        return None
    kept = target.with_name(target.name + ".before")
    try:
        with contextlib.closing(sqlite3.connect(target, timeout=BUSY / 1000, isolation_level=None)) as old:
            # Leaving the log's mode takes the file for ourselves: refused for as long as a server has it open.
            found = old.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            found = "wal"
        else:
            raise StoreError(f"{target}: {trouble(error).message}") from None
    except sqlite3.DatabaseError:
        found = "damaged"  # then nobody can use it, and it is set aside as it is
    if found == "wal":
        raise StoreError(f"{target}: a server uses the database; stop it first.")
    target.replace(kept)
    for tail in ("-wal", "-shm"):
        target.with_name(target.name + tail).unlink(missing_ok=True)
    return kept
