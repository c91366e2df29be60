"""Databases for the tests: a SQLite file each, and a PostgreSQL schema each where a server is at hand.

PostgreSQL is `OJS_TEST_DATABASE_URL`, else whatever answers on this machine's own port, else a server of Debian's
package that these tests start and stop; where there is none, its tests say that they skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from playground.stores import database
from playground.stores.opening import open_store
from playground.stores.store import SqlStore
from tests.conftest import free_port

Open = Callable[[], SqlStore]
"""Opens the same database again and again; each store is another process's, as far as the database can tell."""
HERE = ("postgresql://127.0.0.1:5432/test", "postgresql://127.0.0.1:5432/postgres")


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


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A path or URL of an empty database; none of its tests pulls a plug, so that they need not wait for the disk."""
    monkeypatch.setattr(database, "PRAGMAS", (*database.PRAGMAS, "synchronous=OFF"))
    if request.param == "sqlite":
        return str(tmp_path / "ojs.db")
    url: str = request.getfixturevalue("schema")
    return url


@pytest.fixture
def reopen(where: str) -> Iterator[Open]:
    """Opens the database; everything that was opened is closed afterwards."""
    opened: list[SqlStore] = []

    def again() -> SqlStore:
        store = open_store(where)
        opened.append(store)
        return store

    yield again
    for store in opened:
        store.close()
