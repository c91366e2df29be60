"""Several processes on one database: each job claimed once, timers and cron done once, each sees the others."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from engine import Engine
from engine.clock import ManualClock
from engine.http.message import Request
from playground.clock import SystemClock
from playground.hosts.turns import Turns
from playground.session import Session
from playground.stores.opening import listener, open_store
from playground.stores.store import DatabaseStore
from tests.stores.test_failures import Served

JOBS = int(os.environ.get("OJS_CLAIM_JOBS", "10000"))
PROCESSES, THREADS = 2, 4
JSON = {"content-type": "application/json"}


def worker(where: str, pipe: int, seed: int) -> None:
    """A process with its workers: each claims until nothing is left, and tells what it got."""
    store = open_store(where)
    session = Session(SystemClock(), seed=seed, store=store)
    turns = Turns(store)

    def run(number: int) -> None:
        body = {"queues": ["default"], "count": 10, "worker_id": f"w{seed}-{number}"}
        fetch = Request("POST", "/ojs/v1/workers/fetch", JSON, json.dumps(body).encode())
        while True:
            response = turns.together(lambda: session.handle(fetch))
            assert isinstance(response.body, bytes)
            assert response.status == 200, response.body
            got = [job["id"] for job in json.loads(response.body)["jobs"]]
            if not got:
                return
            os.write(pipe, "".join(f"{body['worker_id']} {one}\n" for one in got).encode())

    def told(number: int) -> None:
        try:
            run(number)
        except Exception as error:  # noqa: BLE001 - told to the parent; this process has no test around it
            os.write(pipe, f"broken {type(error).__name__}:{str(error)[:300]!r}\n".encode())

    threads = [threading.Thread(target=told, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.timeout(300)
def test_two_processes_with_eight_workers_claim_each_of_ten_thousand_jobs_once(shared: str) -> None:
    store = open_store(shared)
    engine = Engine(SystemClock(), store, seed=1)
    store.attach(engine.kernel)
    pushed = {
        one.job.id for one in engine.push_many([{"type": "a", "args": [number]} for number in range(JOBS)])
    }
    store.commit()
    store.close()
    read, write = os.pipe()
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            try:
                worker(shared, write, number)
            except BaseException as error:  # noqa: BLE001 - the same
                os.write(write, f"broken {type(error).__name__}:{str(error)[:300]!r}\n".encode())
            os._exit(0)
        children.append(child)
    os.close(write)
    with os.fdopen(read) as pipe:
        lines = [line.split(maxsplit=1) for line in pipe]
    for child in children:
        os.waitpid(child, 0)
    assert not [line for line in lines if line[0] == "broken"]
    claimed = Counter(job_id.strip() for _, job_id in lines)
    assert set(claimed) == pushed
    assert set(claimed.values()) == {1}
    assert len({who for who, _ in lines}) == PROCESSES * THREADS, "somebody got nothing"


def pair(where: str, clock: ManualClock, *seeds: int) -> list[tuple[Engine, DatabaseStore]]:
    """Two engines on one database, as two processes have them."""
    found = []
    for seed in seeds or (1, 2):
        store = open_store(where)
        engine = Engine(clock, store, seed=seed)
        store.attach(engine.kernel)
        found.append((engine, store))
    return found


def in_turn(both: list[tuple[Engine, DatabaseStore]]) -> None:
    """Each does what is due."""
    for engine, store in both:
        engine.advance()
        store.commit()


def test_what_is_due_happens_once_however_many_processes_there_are(where: str) -> None:
    """Timers, cron, reservations and retries; and each process knows what the other one did."""
    clock = ManualClock(1_772_366_400_000)
    (one, first), (two, second) = both = pair(where, clock)
    job = one.push({"type": "a", "args": [], "scheduled_at": "+PT10S"}).job
    entry = {
        "name": "each-minute",
        "cron": "* * * * *",
        "overlap_policy": "allow",
        "type": "tick",
        "args": [],
    }
    one.cron.register(entry)
    first.commit()
    for _ in range(5):
        clock.advance(60_000)
        in_turn(both)
    ticks = [found for found in two.store.jobs(limit=100) if found.type == "tick"]
    second.commit()
    assert len(ticks) == 5
    assert [found.id for found in two.fetch(["default"], 1)] == [job.id]
    second.commit()
    assert one.info(job.id).state == "active"
    assert job.id not in {found.id for found in one.fetch(["default"], 100)}
    first.commit()
    assert two.store.counts()["active"] == 6  # five ticks and the job
    second.commit()
    assert [event.to_dict() for event in one.events] == [event.to_dict() for event in two.events]
    enqueued = Counter(event.subject for event in two.events if event.type == "job.enqueued")
    assert set(enqueued.values()) == {1}
    for _, store in both:
        store.close()


def test_time_never_goes_back_over_a_restart(where: str) -> None:
    """Nor does a process whose clock is behind put what it does before what others did."""
    clock = ManualClock(1_772_366_400_000)
    ((one, first),) = pair(where, clock, 1)
    one.push({"type": "a", "args": []})
    first.commit()
    clock.set(clock.now() - 60_000)
    for engine, store in pair(where, clock, 2, 3):
        assert engine.now() == 1_772_366_400_000
        assert engine.push({"type": "a", "args": []}).job.created_at == 1_772_366_400_000
        store.commit()
        store.close()
    first.close()


def test_unique_keys_and_limits_hold_over_processes(where: str) -> None:
    clock = ManualClock(1_772_366_400_000)
    (one, first), (two, second) = both = pair(where, clock)
    body: dict[str, Any] = {"type": "a", "args": [], "unique": {"keys": ["type"], "on_conflict": "ignore"}}
    kept = one.push(body).job.id
    first.commit()
    answer = two.push(body)
    second.commit()
    assert (answer.job.id, answer.duplicate) == (kept, True)
    limited = {"type": "b", "args": [], "queue": "few", "rate_limit": {"key": "k", "concurrency": 1}}
    for engine, store in both:
        engine.push(limited)
        store.commit()
    assert len(one.fetch(["few"], 5)) == 1
    first.commit()
    assert two.fetch(["few"], 5) == []
    second.commit()
    for _, store in both:
        store.close()


def test_a_job_whose_row_somebody_holds_is_passed_over(schema: str) -> None:
    """An operator's open transaction holds up its job, not the queue: claims skip locked rows."""
    clock = ManualClock(1_772_366_400_000)
    (one, first), (_, second) = pair(schema, clock)
    jobs = [one.push({"type": "a", "args": []}).job.id for _ in range(2)]
    first.commit()
    with psycopg.connect(schema) as other:
        other.execute("SELECT 1 FROM ojs_job WHERE id = %s FOR UPDATE", [jobs[0]])
        assert [job.id for job in one.fetch(["default"], 1)] == [jobs[1]]
        first.commit()
    assert [job.id for job in one.fetch(["default"], 1)] == [jobs[0]]
    first.close()
    second.close()


def until(what: Any, seconds: float = 5) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_each_process_hears_of_what_the_others_do(shared: str) -> None:
    """Events reach the streams of every server, and a timer set in one is kept by another that outlives it."""
    servers = [Served(shared), Served(shared)]
    listeners = [listener(server.store) for server in servers]
    told: list[str] = []
    servers[1].driver.app.session.engine.events.subscribe(lambda event: told.append(event.type))
    for server, one in zip(servers, listeners, strict=True):
        one.start(server.driver.look)
    assert until(lambda: sum(one.leads for one in listeners) == 1)
    assert servers[0].push() == 201
    assert until(lambda: told == ["job.enqueued"])
    status, _ = servers[0].ask("POST", "/ojs/v1/jobs", {"type": "a", "args": [], "scheduled_at": "+PT1S"})
    assert status == 201
    leader = next(number for number, one in enumerate(listeners) if one.leads)
    listeners[0].stop()
    servers[0].driver.close()
    assert until(lambda: told.count("job.enqueued") == 2), told
    assert until(lambda: listeners[1].leads), leader
    listeners[1].stop()
    servers[1].driver.close()


@pytest.mark.timeout(120)
def test_a_killed_process_leaves_the_others_working(shared: str) -> None:
    open_store(shared).close()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        store = open_store(shared)
        store._enter()  # it holds the database, and will not let go
        os.write(write, b"!")
        time.sleep(60)
        os._exit(0)
    os.read(read, 1)
    threading.Timer(0.5, os.kill, (child, signal.SIGKILL)).start()
    server = Served(shared)
    assert server.push() == 201
    os.waitpid(child, 0)
    server.driver.close()
