"""Opening a database in Redis: what must be so for it to be used, and what an operator should know of it."""

from __future__ import annotations

import logging
from secrets import token_hex
from typing import Final

from redis.exceptions import NoPermissionError, ResponseError

from playground.stores.over_redis import scripts
from playground.stores.over_redis.database import RedisDatabase
from playground.stores.over_redis.link import ERRORS, Address, Link, trouble

LOG: Final = logging.getLogger("ojs.server")
SCHEMA: Final = 1
"""How this version keeps things."""
OLDEST: Final = 7
"""The oldest major version of Redis: scripts that say whether they write, and so are refused as a whole."""


class RefusedError(Exception):
    """The database cannot be used; the message says what to do."""


def open_redis(where: Address) -> RedisDatabase:
    """Open a database in Redis, or begin one.

    Raises:
        RefusedError: It cannot be used.
    """
    link = Link(where)
    try:
        _look(link)
        _begin(link)
    except ERRORS as error:
        raise RefusedError(trouble(error).message) from None
    finally:
        link.drop()
    return RedisDatabase(where)


def _look(link: Link) -> None:
    """See what Redis it is."""
    try:
        lines = link.ask("INFO").decode(errors="replace").splitlines()
    except NoPermissionError:
        return  # what cannot be done will be said when it is tried
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    version = told.get("redis_version", "")
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        raise RefusedError(f"this is Redis {version}; version {OLDEST} or newer is needed.")
    if told.get("redis_mode") == "cluster":
        raise RefusedError("Redis Cluster is no store of this server; name a single Redis.")
    policy = told.get("maxmemory_policy", "noeviction")
    if policy.startswith("allkeys") and told.get("maxmemory", "0") != "0":
        raise RefusedError(
            f"Redis would throw jobs away when its memory is full (maxmemory-policy {policy}); set noeviction."
        )
    if told.get("aof_enabled") == "0":
        LOG.warning(
            "Redis keeps no log of its changes (appendonly no): what it has not saved when it ends is lost. "
            "For jobs that outlive it set appendonly yes, and appendfsync always for all that was acknowledged."
        )


def _begin(link: Link) -> None:
    """See that the database is of a version that we know; begin it if it is not there.

    Raises:
        RefusedError: A newer playground has written it.
    """
    try:
        found = link.run(scripts.OPEN, SCHEMA, token_hex(12))
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        raise RefusedError(trouble(error).message) from None
    if found != b"%d" % SCHEMA:
        raise RefusedError(
            f"a newer playground has written this database (schema {found.decode()}; this one knows {SCHEMA}). "
            "Update ojs-playground, or choose another with --db."
        )
