"""Databases for the tests: a SQLite file each, a PostgreSQL schema and a prefix in Redis where a server is at hand.

PostgreSQL is `OJS_TEST_DATABASE_URL`, Redis is `OJS_TEST_REDIS_URL`, else whatever answers on this machine's own port,
else a server of Debian's package that these tests start and stop; where there is none, its tests say that they skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
import redis

from playground.stores import database, rows
from playground.stores.opening import open_store
from playground.stores.over_redis import members
from playground.stores.over_redis.database import RedisDatabase
from playground.stores.rows import Row
from playground.stores.store import DatabaseStore
from tests.conftest import free_port

Open = Callable[[], DatabaseStore]
"""Opens the same database again and again; each store is another process's, as far as the database can tell."""
HERE = ("postgresql://127.0.0.1:5432/test", "postgresql://127.0.0.1:5432/postgres")
HERE_TOO = "redis://127.0.0.1:6379"


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def _start(folder: Path) -> tuple[str, Callable[[], None]] | None:
    """A server of its own from Debian's package, as another user where we are root, since it refuses to be."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        return None
    root = os.getuid() == 0
    data, port = folder / "data", free_port()
    if root:
        shutil.chown(folder, "postgres", "postgres")
    as_user = ["runuser", "-u", "postgres", "--"] if root else []

    def tool(name: str, *words: str) -> bool:
        line = [*as_user, str(found[-1] / name), "-D", str(data), *words]
        return subprocess.run(line, cwd="/", capture_output=True, check=False, timeout=60).returncode == 0

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    if not tool("initdb", "-A", "trust", "-U", "ojs", "--no-sync"):
        return None
    if not tool("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start"):
        return None
    return (
        f"postgresql://ojs@127.0.0.1:{port}/postgres",
        lambda: tool("pg_ctl", "-m", "immediate", "stop") or None,
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL database in which schemas may be made."""
    given = os.environ.get("OJS_TEST_DATABASE_URL")
    if given is not None:
        assert _answers(given), "OJS_TEST_DATABASE_URL does not answer"
        yield given
        return
    here = next((url for url in HERE if _answers(url)), None)
    if here is not None:
        yield here
        return
    with tempfile.TemporaryDirectory(prefix="ojs-postgres-", ignore_cleanup_errors=True) as folder:
        started = _start(Path(folder))  # pytest's own folders are closed to the user that it runs as
        if started is None:
            pytest.skip("no PostgreSQL here: set OJS_TEST_DATABASE_URL, or install Debian's postgresql")
        url, stop = started
        yield url
        stop()


@pytest.fixture
def schema(postgres: str) -> Iterator[str]:
    """The URL of an empty schema, dropped afterwards."""
    name = f"ojs_test_{uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"')
    mark = "&" if "?" in postgres else "?"
    options = quote(f"-csearch_path={name} -csynchronous_commit=off")
    yield f"{postgres}{mark}options={options}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA "{name}" CASCADE')


class OwnRedis:
    """A Redis of a test's own, in a folder of its own.

    Args:
        folder: Where it keeps what it keeps.
        options: Of its configuration.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._line = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._line += ["--save", "", *options]
        self.start()

    def start(self) -> None:
        """Have it answer."""
        self.process = subprocess.Popen(self._line, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not _pings(self.url):
            assert time.monotonic() < end, "redis-server does not start"
            time.sleep(0.02)

    def client(self) -> redis.Redis:
        """A connection of the test's."""
        return redis.Redis(port=self.port)

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(10)


Own = Callable[..., OwnRedis]
"""Starts one, with options."""


def _pings(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2) as client:
            client.info("server")
    except redis.AuthenticationError:
        return True
    except redis.RedisError:
        return False
    return True


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Own]:
    """Starts a Redis with these options, of this machine's own program."""
    if shutil.which("redis-server") is None:
        pytest.skip("no Redis of one's own here: install Debian's redis-server")
    started: list[OwnRedis] = []

    def start(*options: str) -> OwnRedis:
        one = OwnRedis(tmp_path, *options)
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis in which prefixes may be used."""
    given = os.environ.get("OJS_TEST_REDIS_URL")
    if given is not None:
        assert _pings(given), "OJS_TEST_REDIS_URL does not answer"
        yield given
        return
    if _pings(HERE_TOO):
        yield HERE_TOO
        return
    if shutil.which("redis-server") is None:
        pytest.skip("no Redis here: set OJS_TEST_REDIS_URL, or install Debian's redis-server")
    with tempfile.TemporaryDirectory(prefix="ojs-redis-") as folder:
        server = OwnRedis(Path(folder))
        yield server.url
        server.stop()


@pytest.fixture
def prefix(redis_url: str) -> Iterator[str]:
    """The URL of an empty prefix, whose keys are deleted afterwards."""
    name = f"ojs_test_{uuid4().hex[:12]}"
    yield f"{redis_url}?prefix={name}"
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{name}:*", count=10_000):
            client.unlink(key)


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A path or URL of an empty database; none of its tests pulls a plug, so that they need not wait for the disk."""
    monkeypatch.setattr(database, "PRAGMAS", (*database.PRAGMAS, "synchronous=OFF"))
    if request.param == "sqlite":
        return str(tmp_path / "ojs.db")
    url: str = request.getfixturevalue("schema" if request.param == "postgresql" else "prefix")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def with_tables(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A path or URL of an empty database that has tables."""
    return str(tmp_path / "ojs.db" if request.param == "sqlite" else request.getfixturevalue("schema"))


@pytest.fixture(params=["postgresql", "redis"])
def shared(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database that several processes may share."""
    url: str = request.getfixturevalue("schema" if request.param == "postgresql" else "prefix")
    return url


def check_sets(store: DatabaseStore) -> None:
    """In Redis, the sorted sets have each job and timer where its own value says that it belongs, and nothing else."""
    database = store.database
    if not isinstance(database, RedisDatabase):
        return
    with redis.Redis.from_url(database.where.url) as client:
        kept = cast("dict[bytes, bytes]", client.hgetall(database.where.prefix + ":job"))
        there = [client.zrange(database.where.prefix + key, 0, -1) for key in members.SETS]
        timers = cast("dict[bytes, bytes]", client.hgetall(database.where.prefix + ":timer"))
        assert client.zrange(database.where.prefix + ":timers", 0, -1) == sorted(
            at + name for name, at in timers.items()
        )
        ids = client.hgetall(database.where.prefix + ":id")
    jobs = []
    for born, value in kept.items():
        number, place, entered, due, due_order, lane, body = members.found(born, value)
        jobs.append(Row(rows.job_from(body), number, place, entered, due, due_order, lane))
    for index, found in enumerate(there):
        assert found == sorted(one for row in jobs if (one := members.members(row)[index]) is not None)
    assert ids == {members.name(row.job.id): members.number(row.born) for row in jobs}


@pytest.fixture
def reopen(where: str) -> Iterator[Open]:
    """Opens the database; everything that was opened is closed afterwards."""
    opened: list[DatabaseStore] = []

    def again() -> DatabaseStore:
        store = open_store(where)
        opened.append(store)
        return store

    yield again
    for store in opened:
        store.close()
