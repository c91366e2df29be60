"""A database that is locked, full, damaged, gone or lost: 503, nothing half done, and the server recovers by itself."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine.http.message import Request
from playground.clock import SystemClock
from playground.hosts.driver import Driver
from playground.session import Session
from playground.stores import database
from playground.stores.opening import StoreError, open_store
from playground.stores.sql import SqlDatabase
from playground.stores.store import DatabaseStore
from tests.conftest import command, make_app

JSON = {"content-type": "application/json"}


class Served:
    """A server in this process."""

    def __init__(self, where: str) -> None:
        self.store = open_store(where)
        self.driver = Driver(make_app(Session(SystemClock(), seed=1, store=self.store)), keeper=self.store)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer."""
        raw = b"" if body is None else json.dumps(body).encode()
        response = self.driver.handle(Request(method, path, JSON, raw))
        assert isinstance(response.body, bytes)
        return response.status, json.loads(response.body)

    def push(self) -> int:
        """The status of an enqueue."""
        status, answer = self.ask("POST", "/ojs/v1/jobs", {"type": "a", "args": ["x" * 2000]})
        if status >= 500:
            assert status == 503
            assert answer["error"]["retryable"] is True
            assert answer["error"]["code"] == "backend_error"
        return status

    def count(self) -> int:
        """How many jobs there are, by their rows."""
        found = self.ask("GET", "/ojs/v1/jobs?limit=1000")[1]["jobs"]
        return len(found)

    def ready(self) -> tuple[int, str]:
        """What the server says of itself."""
        status, answer = self.ask("GET", "/ready")
        return status, answer.get("status") or answer["error"]["message"]

    def fails_and_recovers(self, words: str, mend: Any) -> None:
        """It says what is wrong as long as it is, and nothing of what was refused has happened."""
        events = self.store.kernel.events.seq if self.store.kernel else 0
        assert self.push() == 503
        assert self.ready() == (503, words)
        assert self.driver.handle(Request("GET", "/play")).status in {200, 503}
        mend()
        assert self.ready() == (200, "ready")
        assert self.store.kernel is not None
        assert self.store.kernel.events.seq == events
        assert self.push() == 201


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a SQLite database is to lie; waits for locks are short."""
    monkeypatch.setattr(database, "PRAGMAS", (*database.PRAGMAS, "busy_timeout=50", "synchronous=OFF"))
    return tmp_path / "ojs.db"


@pytest.fixture
def served(file: Path) -> Iterator[Served]:
    """A server with one job."""
    server = Served(str(file))
    assert server.push() == 201
    yield server
    server.driver.close()


def test_a_locked_database_is_waited_for_and_said(served: Served, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("PRAGMA busy_timeout=5000")
    other.execute("BEGIN IMMEDIATE")
    served.fails_and_recovers("The database is locked by another program.", lambda: other.execute("ROLLBACK"))
    assert served.count() == 2


def test_a_full_disk_refuses_what_it_cannot_hold(served: Served) -> None:
    def limit(pages: int) -> None:
        assert isinstance(served.store.database, SqlDatabase)
        with served.driver._turns.still():
            served.store._enter()
            served.store.database._cursor.execute(f"PRAGMA max_page_count = {pages}")

    limit(1)
    pushed = 1
    while served.push() == 201:
        pushed += 1
    assert served.count() == pushed
    limit(1 << 30)
    assert served.push() == 201
    assert served.count() == pushed + 1


def test_a_damaged_file_is_said(served: Served, file: Path) -> None:
    with served.driver._turns.still():
        served.store.database.drop()
        whole = file.read_bytes()
        with file.open("r+b") as raw:
            raw.write(b"\xff" * 200)
    words = "The file is no SQLite database, or it is damaged; restore a backup."

    def mend() -> None:
        with file.open("r+b") as raw:
            raw.write(whole)

    served.fails_and_recovers(words, mend)


def test_a_file_that_is_gone_is_not_replaced_by_an_empty_one(served: Served, file: Path) -> None:
    away = file.with_name("away.db")
    file.rename(away)
    served.fails_and_recovers("The database file is gone.", lambda: away.rename(file))
    assert served.count() == 2


def test_a_connection_lost_in_the_middle_is_made_anew(schema: str, postgres: str) -> None:
    server = Served(schema)
    assert server.push() == 201
    server.store._enter()
    assert isinstance(server.store.database, SqlDatabase)
    pid = server.store.database._connection.driver_connection.info.backend_pid
    server.store.commit()
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    statuses = [
        server.push() for _ in range(3)
    ]  # the timers may have met the broken line before the first of them
    assert statuses[1:] == [201, 201]
    assert server.ready() == (200, "ready")
    assert server.count() == 1 + statuses.count(201)
    server.driver.close()


def test_a_commit_that_fails_takes_all_that_shared_it_back(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request of the batch is answered with 503, and none of their events is ever told."""
    told: list[str] = []
    assert served.store.kernel is not None
    served.store.kernel.events.subscribe(lambda event: told.append(event.type))
    commit = served.store.database.commit

    def fail() -> None:
        raise database.trouble(sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(served.store.database, "commit", fail)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(served.push())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.setattr(served.store.database, "commit", commit)
    assert statuses == [503] * 6
    assert told == []
    assert served.count() == 1
    assert served.push() == 201
    assert told == ["job.enqueued"]


def test_an_operation_that_breaks_half_way_leaves_nothing_behind(served: Served) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    listeners = served.driver.app.session.engine.kernel.listeners
    listeners.append(broken)
    status, answer = served.ask("POST", "/ojs/v1/jobs", {"type": "a", "args": []})
    assert status == 500
    assert "nothing of it" in answer["error"]["message"]
    listeners.remove(broken)
    assert served.count() == 1
    assert served.push() == 201


# opening


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("mysql://somewhere/db", "'mysql' is no store of this server"),
        ("postgresql://127.0.0.1:1/nothing", "cannot be reached"),
        ("postgresql://127.0.0.1:many/nothing", "cannot be read"),
        ("/proc/nowhere/ojs.db", ""),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(where: str, words: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(where)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(StoreError) as refused:
        open_store("postgresql://me:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_ends_the_command_with_one_line(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("Dear diary, " * 1000)
    done = command("serve", "--port", "1234", "--db", str(other))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no SQLite database" in done.stderr
    assert other.read_text().startswith("Dear diary")


def test_a_newer_database_is_refused(with_tables: str) -> None:
    store = open_store(with_tables)
    store.database.begin()
    assert isinstance(store.database, SqlDatabase)
    store.database._cursor.execute("UPDATE ojs_version SET version_num = '9999'")
    store.database.commit()
    store.close()
    with pytest.raises(StoreError, match="a newer playground has written this database"):
        open_store(with_tables)


def test_the_tables_are_those_that_the_migrations_make(with_tables: str) -> None:
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - a heavy import for one test
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    from playground.stores import opening, tables  # noqa: PLC0415

    store = open_store(with_tables)
    assert isinstance(store.database, SqlDatabase)
    with store.database.connection() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": tables.VERSIONS})
        assert compare_metadata(context, tables.metadata) == []
    store.close()
    script = ScriptDirectory(str(opening._HERE))
    assert script.get_current_head() == tables.REVISION


# copies


def test_a_backup_is_taken_while_the_server_runs_and_restored_when_it_has_stopped(
    served: Served, file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    done = command("backup", str(copy), "--db", str(file))
    assert done.returncode == 0, done.stderr
    assert served.push() == 201
    refused = command("restore", str(copy), "--db", str(file))
    assert refused.returncode == 1
    assert "a server uses the database" in refused.stderr
    assert served.push() == 201
    served.driver.close()
    done = command("restore", str(copy), "--db", str(file))
    assert done.returncode == 0, done.stderr
    store: DatabaseStore = open_store(str(file))
    assert sum(store.counts().values()) == 1
    store.close()
    before = open_store(str(file) + ".before")
    assert sum(before.counts().values()) == 3
    before.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["backup", "there.db"], "there is a file already"),
        (["backup", "new.db", "--db", "nowhere.db"], "there is no database"),
        (["restore", "nowhere.db"], "there is no such file"),
        (["restore", "notes.txt", "--db", "there.db"], "no SQLite database"),
        (["restore", "other.db", "--db", "there.db"], "no database of an OJS server"),
        (["backup", "new.db", "--db", "postgresql://127.0.0.1/x"], "pg_dump"),
    ],
)
def test_what_cannot_be_copied_is_said_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary, " * 1000)
    open_store(str(tmp_path / "there.db")).close()
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE mine (a)")
    words = words if "--db" in words else [*words, "--db", "there.db"]
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new.db").exists()
