"""A server over HTTP, its jobs in a file or in Redis, that is killed and started again: it goes on where it was."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.times import MINUTE
from playground.stores.store import DatabaseStore
from playground.world import World
from tests.conftest import START, Server
from tests.stores.conftest import Open

Ask = tuple[int, dict[str, Any]]


def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Ask:
    """Status and JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    sent = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    connection.request(method, f"/ojs/v1{path}", None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def killed(server: Server, where: str) -> Server:
    """The server after its process was killed: another one over the same database."""
    server.process.kill()
    server.process.wait(10)
    return Server("--db", where)


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    return str(tmp_path / "ojs.db" if request.param == "sqlite" else request.getfixturevalue("prefix"))


@pytest.fixture
def server(place: str) -> Iterator[Server]:
    """A server over a fresh database."""
    started = Server("--db", place)
    yield started
    started.process.kill()
    started.process.wait(10)


def test_a_killed_server_goes_on_with_everything(server: Server, place: str) -> None:
    """Jobs held and waiting, a timer, a reservation, a workflow, an idempotency key, a stream to be resumed."""
    later = ask(server, "POST", "/jobs", {"type": "later", "args": [], "scheduled_at": "+PT4S"})[1]["job"][
        "id"
    ]
    chain = {
        "type": "chain",
        "name": "two",
        "steps": [{"type": "one", "args": []}, {"type": "two", "args": []}],
    }
    flow = ask(server, "POST", "/workflows", {**chain})[1]["workflow"]["id"]
    (held,) = ask(server, "POST", "/workers/fetch", {"queues": ["default"], "worker_id": "w"})[1]["jobs"]
    asked = {"queues": ["short"], "worker_id": "w", "visibility_timeout_ms": 1000}
    short = ask(server, "POST", "/jobs", {"type": "short", "args": [], "queue": "short"})[1]["job"]["id"]
    assert len(ask(server, "POST", "/workers/fetch", asked)[1]["jobs"]) == 1
    known = ask(server, "GET", "/events")[1]["events"]

    again = killed(server, place)
    try:
        events = ask(again, "GET", "/events")[1]["events"]
        assert events[: len(known)] == known
        assert ask(again, "GET", f"/jobs/{held['id']}")[1]["job"]["state"] == "active"
        assert ask(again, "POST", "/workers/ack", {"job_id": held["id"], "worker_id": "w"})[0] == 200
        end = time.monotonic() + 15
        wanted = {later: "available", short: "available"}
        while {job: ask(again, "GET", f"/jobs/{job}")[1]["job"]["state"] for job in wanted} != wanted:
            assert time.monotonic() < end
            time.sleep(0.1)
        (second,) = [
            job
            for job in ask(again, "POST", "/workers/fetch", {"queues": ["default"], "count": 9})[1]["jobs"]
            if job["type"] == "two"
        ]
        assert ask(again, "POST", "/workers/ack", {"job_id": second["id"]})[0] == 200
        assert ask(again, "GET", f"/workflows/{flow}")[1]["workflow"]["state"] == "completed"
        resumed = http.client.HTTPConnection("127.0.0.1", again.port, timeout=20)
        resumed.request("GET", "/ojs/v1/queues/default/events", headers={"Last-Event-ID": known[-1]["id"]})
        response = resumed.getresponse()
        seen: list[str] = []
        while "job.completed" not in seen:
            line = response.readline().decode()
            if line.startswith("event: "):
                seen.append(line[7:].strip())
        resumed.close()
    finally:
        again.process.kill()
        again.process.wait(10)


@pytest.mark.parametrize(
    ("policy", "runs", "reasons"),
    [("skip", 0, {"missed"}), ("fire_once", 1, set()), ("fire_all", 5, set())],
)
def test_what_cron_missed_while_the_server_was_down_follows_the_policy(
    reopen: Open, policy: str, runs: int, reasons: set[str]
) -> None:
    """OJS Cron 7.3, over a restart: nothing, one run for all of it, or every run; then on by the schedule."""
    clock = ManualClock(START)
    entry = {"name": "often", "expression": "* * * * *", "type": "tick", "misfire_policy": policy}
    first = _world(reopen, clock)
    first.engine.cron.register({**entry, "overlap_policy": "allow"})
    first.engine.advance()
    _ended(first)
    clock.set(START + 5 * MINUTE + 30_000)  # five occurrences later
    again = _world(reopen, clock)
    again.engine.advance()
    assert again.engine.store.counts()["available"] == runs
    told = again.engine.cron.history("often")
    assert {one["reason"] for one in told if "reason" in one} == reasons
    assert again.engine.cron.get("often")["run_count"] == runs
    clock.set(START + 6 * MINUTE)
    again.engine.advance()
    assert again.engine.store.counts()["available"] == runs + 1
    _ended(again)


def _world(reopen: Open, clock: ManualClock) -> World:
    """A server over the same database, as `serve` makes it."""
    return World(clock, seed=1, late=5_000, store=reopen())


def _ended(world: World) -> None:
    """Its process is gone; what it has acknowledged is stored."""
    store = world.engine.store
    assert isinstance(store, DatabaseStore)
    store.commit()
    store.close()
