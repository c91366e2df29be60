"""Crash tests: a server is killed at any moment, under load, again and again; what it acknowledged has happened.

A round is a process of its own that answers requests from several threads, as the host does, and tells each answer
down a pipe; then it is killed (SIGKILL). The next round goes on with the same database.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine import lifecycle as life
from engine.http.message import Request
from playground.clock import SystemClock
from playground.hosts.turns import Turns
from playground.session import Session
from playground.stores import rows
from playground.stores.opening import open_store
from playground.stores.store import DatabaseStore
from tests.stores.conftest import check_sets

ROUNDS = int(os.environ.get("OJS_CRASH_ROUNDS", "200"))
"""How often the process is killed; on PostgreSQL and Redis a tenth of it."""
THREADS = 4
JSON = {"content-type": "application/json"}


class Load:
    """One server's life: threads that enqueue, fetch, acknowledge and fail until the process is killed."""

    def __init__(self, where: str, pipe: int, seed: int) -> None:
        self.store = open_store(where)
        self.session = Session(SystemClock(), seed=seed, store=self.store)
        self.turns = Turns(self.store)
        self.pipe = pipe
        self.random = random.Random(seed)

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """A request, answered once it is committed; None for one that is refused."""
        request = Request("POST", "/ojs/v1" + path, JSON, json.dumps(body).encode())
        response = self.turns.together(lambda: self.session.handle(request))
        assert isinstance(response.body, bytes)
        assert response.status < 500, response.body
        found: dict[str, Any] = json.loads(response.body)
        return found if response.status < 300 else None

    def tell(self, what: str, path: str, body: dict[str, Any]) -> None:
        """Do something, and say that it has been acknowledged."""
        answer = self.ask(path, body)
        if answer is not None:
            job_id = body.get("job_id") or answer["job"]["id"]
            os.write(self.pipe, f"{what} {job_id}\n".encode())

    def run(self) -> None:
        """Work until killed."""
        while True:
            dice = self.random.random()
            if dice < 0.05:
                steps = [{"type": "step", "args": [n]} for n in range(2)]
                self.ask("/workflows", {"type": "chain", "name": "w", "steps": steps})
            elif dice < 0.5:
                retry = {"max_attempts": 3, "initial_interval_ms": 1, "jitter": False}
                self.tell("pushed", "/jobs", {"type": "a", "args": [], "retry": retry})
            else:
                wanted = {"queues": ["default"], "count": 2, "visibility_timeout_ms": 200}
                for job in (self.ask("/workers/fetch", wanted) or {"jobs": []})["jobs"]:
                    os.write(self.pipe, f"fetched {job['id']}\n".encode())
                    held: dict[str, Any] = {"job_id": job["id"]}
                    if self.random.random() < 0.2:
                        self.tell("failed", "/workers/nack", {**held, "error": {"code": "x", "message": "y"}})
                    else:
                        self.tell("completed", "/workers/ack", {**held, "result": {"ok": True}})


def live(where: str, pipe: int, seed: int) -> None:
    """A process's life; it ends by being killed, or at once when anything is not as it must be."""
    try:
        load = Load(where, pipe, seed)
        os.write(pipe, b"up -\n")
        for _ in range(THREADS - 1):
            threading.Thread(target=load.run, daemon=True).start()
        load.run()
    except BaseException as error:  # noqa: BLE001 - told to the parent; this process has no test around it
        with suppress(OSError):
            os.write(pipe, f"broken {type(error).__name__}:{str(error)[:200]!r}\n".encode())
    os._exit(1)


def one_round(where: str, seed: int, dice: random.Random) -> list[tuple[str, str]]:
    """Start a process, let it work for a moment, kill it; what it has acknowledged."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        live(where, write, seed)
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as pipe:
        told = pipe.read(5)  # it is up
        time.sleep(dice.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        while chunk := pipe.read(1 << 16):
            told += chunk
    os.waitpid(child, 0)
    lines = told.decode().splitlines()
    if lines and not told.endswith(b"\n"):
        lines.pop()
    return [(what, job_id) for what, _, job_id in (line.partition(" ") for line in lines) if what != "up"]


def check_whole(store: DatabaseStore) -> None:
    """Nothing half done: jobs, counts and events say the same."""
    found = store.jobs(limit=1 << 30)
    for job in found:
        assert job.trail[-1][2] == job.state, job.id
        assert (job.state == life.ACTIVE) == (job.reserved_until is not None), job.id
    assert {state: count for state, count in store.counts().items() if count} == Counter(
        job.state for job in found
    )
    tallies = Counter((queue, kind) for queue, kind, _, count in store.database.tallies() if count)
    assert tallies["default", "state"] == len({job.state for job in found})
    events = [rows.event_from(body)[0] for body in store.database.events(0)]
    assert events == list(range(events[-1] - len(events) + 1, events[-1] + 1))
    store.commit()
    check_sets(store)


def crash(where: str, rounds: int) -> None:
    """Kill the server so many times, and look after each."""
    open_store(where).close()
    dice = random.Random(rounds)
    completed: set[str] = set()
    acknowledged = 0
    for number in range(rounds):
        told = one_round(where, number, dice)
        acknowledged += len(told)
        assert not [job_id for what, job_id in told if what == "broken"], told[-3:]
        store = open_store(where)
        for what, job_id in told:
            job = store.get(job_id)
            assert job is not None, f"round {number}: job {job_id}, {what}, is lost"
            if what == "completed":
                assert job.state == life.COMPLETED
                assert job_id not in completed, f"round {number}: job {job_id} was completed twice"
                completed.add(job_id)
            elif what == "fetched":
                assert job.attempt > 0
            elif what == "failed":
                assert job.errors
        if number % 20 == 19 or number == rounds - 1:
            check_whole(store)
        store.close()
    assert acknowledged > rounds, "the rounds were too short to prove anything"
    assert completed


@pytest.mark.timeout(600)
def test_a_killed_server_has_done_what_it_acknowledged_on_sqlite(tmp_path: Path) -> None:
    crash(str(tmp_path / "ojs.db"), ROUNDS)


@pytest.mark.timeout(600)
def test_a_killed_server_has_done_what_it_acknowledged_on_postgresql(schema: str) -> None:
    crash(schema, max(10, ROUNDS // 10))


@pytest.mark.timeout(600)
def test_a_killed_server_has_done_what_it_acknowledged_on_redis(prefix: str) -> None:
    crash(prefix, max(10, ROUNDS // 10))
