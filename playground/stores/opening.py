"""Opening a database: where it lies by default, its tables, and what to say when it cannot be used."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from platformdirs import user_data_path
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from engine.errors import OJSError
from playground.stores.database import ERRORS, BadAddress, Database, address, is_redis, trouble
from playground.stores.listening import Listener
from playground.stores.sql import SqlDatabase
from playground.stores.store import DatabaseStore
from playground.stores.tables import REVISION, VERSIONS

if TYPE_CHECKING:
    from playground.stores.over_redis.database import RedisDatabase

_HERE: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6F6A73
"""Whoever migrates a PostgreSQL database holds this advisory lock."""


class StoreError(Exception):
    """The database cannot be used; the message says what to do."""


def default_path() -> Path:
    """The file in the user's own data folder."""
    return user_data_path("ojs-playground") / "ojs.db"


def open_store(where: str | Path | None = None) -> DatabaseStore:
    """Open a database, make it or bring it up to date, and read what it counts.

    Args:
        where: A path or a URL, see `playground.stores.database.address` and `playground.stores.over_redis.link`; the
            user's own file when None.

    Raises:
        StoreError: It cannot be used.
    """
    try:
        if where is not None and is_redis(str(where)):
            return _over_redis(str(where))
        url = address(str(default_path() if where is None else where))
    except BadAddress as error:
        raise StoreError(str(error)) from None
    database = SqlDatabase(url)
    name = database.shown
    try:
        if not database.postgres:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        with database.connection() as connection:
            migrate(connection, name)
        return DatabaseStore(database)
    except OJSError as error:
        raise StoreError(f"{name}: {error.message}") from None
    except DBAPIError as error:
        raise StoreError(f"{name}: {trouble(error.orig or error).message}") from None
    except ERRORS as error:
        raise StoreError(f"{name}: {trouble(error).message}") from None


def _over_redis(where: str) -> DatabaseStore:
    from playground.stores.over_redis import link, opening  # noqa: PLC0415 - its client is for those who use it

    place = link.address(where)
    try:
        return DatabaseStore(opening.open_redis(place))
    except opening.RefusedError as error:
        raise StoreError(f"{place.shown}: {error}") from None
    except OJSError as error:
        raise StoreError(f"{place.shown}: {error.message}") from None


def listener(store: DatabaseStore) -> Listener:
    """Hears what other processes on the store's database do, which can be shared."""
    if isinstance(store.database, SqlDatabase):
        from playground.stores.sql_listening import PostgresListener  # noqa: PLC0415

        return PostgresListener(store.database)
    from playground.stores.over_redis.listening import RedisListener  # noqa: PLC0415

    return RedisListener(cast("RedisDatabase", store.database))


def migrate(connection: Connection, name: str) -> None:
    """Make the tables, or bring older ones up to this version; nothing to do is the usual case.

    Raises:
        StoreError: A newer playground has written the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = revision(connection)
    if found == REVISION:
        return
    from alembic import command  # noqa: PLC0415 - most starts have nothing to migrate
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    revisions = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in revisions:
        raise StoreError(
            f"{name}: a newer playground has written this database (schema {found}; this one knows up to {REVISION}). "
            "Update ojs-playground, or choose another with --db."
        )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def revision(connection: Connection) -> str | None:
    """The revision of a database's schema, None when it has none of our tables."""
    if not inspect(connection).has_table(VERSIONS):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalar()  # noqa: S608 - a constant
    return found


def check(file: Path) -> None:
    """See that a SQLite file is a database of ours.

    Raises:
        StoreError: It is not.
    """
    database = Database(address(str(file)))
    try:
        with database.connection() as connection:
            found = revision(connection)
    except DBAPIError as error:
        raise StoreError(f"{file}: {trouble(error.orig or error).message}") from None
    finally:
        database.close()
    if found is None:
        raise StoreError(f"{file}: this is no database of an OJS server.")
