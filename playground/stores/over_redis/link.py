"""A connection to Redis: its address, scripts and commands, and what went wrong in plain words."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as Silent
from redis.retry import Retry

from engine.errors import Unavailable
from playground.stores.database import BadAddress
from playground.stores.over_redis.scripts import Script

REACH: Final = 3
"""How long Redis may take to accept a connection, seconds."""
ANSWER: Final = 10
"""How long it may take to answer, seconds."""
PREFIX: Final = "ojs"
"""Under which everything lies, unless the address says ``?prefix=…``."""
_PREFIX: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
ERRORS: Final = (RedisError, OSError)
GONE: Final = (Lost, Silent, OSError)
_REPLICA: Final = "This Redis is a replica, which cannot be written to."
_CLUSTER: Final = "Redis Cluster is no store of this server; name a single Redis."
_KINDS: Final = (
    (AuthenticationError, "Redis refuses the name or the password."),
    (NoPermissionError, "Redis does not let this user do what the server needs."),
    (OutOfMemoryError, "Redis has no memory left (maxmemory)."),
    (ReadOnlyError, _REPLICA),
    (MasterDownError, _REPLICA),
    (BusyLoadingError, "Redis is still reading its data."),
    (ClusterDownError, _CLUSTER),
    (AskError, _CLUSTER),
    (GONE, "The database cannot be reached."),
)
_WORDS: Final = (
    ("MISCONF", "Redis cannot write to its disk, and takes no changes (MISCONF)."),
    ("NOREPLICAS", "Redis has too few replicas to take changes (NOREPLICAS)."),
    ("BUSY", "Redis is busy with another program's script."),
    ("WRONGTYPE", "Something else lies under the prefix in Redis; choose another with ?prefix=."),
)


class Address(NamedTuple):
    """Where a store lies in Redis.

    Attributes:
        url: For the client, with the password.
        prefix: What every key begins with.
        shown: For people, without the password.
    """

    url: str
    prefix: str
    shown: str


def address(where: str) -> Address:
    """Read ``redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE][?prefix=PREFIX]``, or ``rediss://`` for TLS.

    Raises:
        BadAddress: It cannot be read.
    """
    try:
        parts = urlsplit(where)
        port = parts.port
    except ValueError:
        raise BadAddress("The database's URL cannot be read.") from None
    more = dict(parse_qsl(parts.query, keep_blank_values=True))
    prefix = more.pop("prefix", PREFIX)
    if more:
        raise BadAddress(f"'{next(iter(more))}' is no option of a Redis address; there is prefix only.")
    if not _PREFIX.fullmatch(prefix):
        raise BadAddress("A prefix has 1 to 64 letters, digits and characters of _ . : -")
    if not parts.hostname or not re.fullmatch(r"/?|/\d{1,5}", parts.path):
        raise BadAddress(
            "A Redis address reads redis://HOST:PORT/NUMBER, the number being that of a database."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    user = f"{unquote(parts.username)}@" if parts.username else ""
    tail = "" if prefix == PREFIX else f"?prefix={prefix}"
    return Address(
        urlunsplit((parts.scheme.lower(), parts.netloc, parts.path, "", "")),
        prefix,
        f"{parts.scheme.lower()}://{user}{place}{parts.path}{tail}",
    )


class Link:
    """A connection, made when it is first needed.

    Args:
        where: The address.

    Attributes:
        client: By what name Redis knows the connection: of this run of Redis, and a number; not told, a mere blank.
    """

    def __init__(self, where: Address) -> None:
        self.prefix = where.prefix
        self.client = b" "
        retry = Retry(NoBackoff(), 0)  # what may be repeated is for the caller to know
        self._pool = ConnectionPool.from_url(
            where.url, protocol=2, retry=retry, socket_timeout=ANSWER, socket_connect_timeout=REACH
        )
        self._connection: Any = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as one knows."""
        return self._connection is not None

    def raw(self) -> Any:
        """A connection of redis-py's own.

        Raises:
            RedisError: Redis is out of reach.
        """
        made: Any = self._pool.make_connection()
        made.connect()
        return made

    def _sent(self, *words: Any) -> Any:
        if self._connection is None:
            made = self.raw()
            self.client = _name(made)
            self._connection = made
        self._connection.send_command(*words)
        return self._connection.read_response()

    def ask(self, *words: Any) -> Any:
        """The answer to a command.

        Raises:
            RedisError: There is none; see `trouble`.
        """
        try:
            return self._sent(*words)
        except ResponseError:
            raise
        except BaseException:
            self.drop()  # an answer that comes late would be taken for the next one's
            raise

    def run(self, script: Script, *values: Any) -> Any:
        """The answer of a script."""
        try:
            return self.ask("EVALSHA", script.sha, 1, self.prefix, *values)
        except NoScriptError:
            return self.ask("EVAL", script.text, 1, self.prefix, *values)

    def drop(self) -> None:
        """Give the connection up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()


def _name(connection: Any) -> bytes:
    try:
        connection.send_command("CLIENT", "ID")
        number = connection.read_response()
        connection.send_command("INFO", "server")
        run = re.search(rb"run_id:(\w+)", connection.read_response())
    except ResponseError:  # not let: then only the lease's end says that we are no more
        return b" "
    return b"%s %d" % (run[1], number) if run else b" "


def trouble(error: BaseException) -> Unavailable:
    """What went wrong, for a client."""
    for kind, words in _KINDS:
        if isinstance(error, kind):
            return Unavailable(words)
    text = str(error).partition("\n")[0]
    for mark, words in _WORDS:
        if mark in text:
            return Unavailable(words)
    return Unavailable(f"Redis refused: {text:.200}")
