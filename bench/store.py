"""What a store costs: a job's cycle in memory, SQLite, PostgreSQL and Redis, and how that grows with the jobs.

    python bench/store.py [--postgres URL] [--redis URL] [--runs 5] [--cycles 300] [--big 1000000]
        [--parts cycle,growth]

**cycle**: a job is enqueued, claimed and acknowledged through the engine, without HTTP; microseconds of time and of
this process's CPU, and the ratio to memory. *a commit each*: as a server does for a client that comes alone, three
commits a job, each on the disk. *shared*: thirty operations a commit, as for clients that come together. *floor*: three
commits of one timer and the clock each, by the driver alone: what the disk and the database themselves take.

**growth**: a cycle, a page of the job table (the latest fifty) and all counts beside a thousand jobs that wait in the
same queue, and beside a million; shared commits, so that the disk hides nothing. Caches are empty before each run.

SQLite lies in a folder made for it, PostgreSQL in a schema, Redis under a prefix made for it in the given database;
all are removed.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from redis import Redis

from engine import Engine
from playground.clock import SystemClock
from playground.stores.opening import open_store
from playground.stores.rows import Row, job_body, job_from
from playground.stores.store import DatabaseStore

SHARED = 30
"""Operations that share a commit."""
PIECE = 20_000
FAR = 1 << 50
"""An instant that does not come."""


@contextmanager
def schema(postgres: str) -> Iterator[str]:
    """The URL of an empty schema."""
    name = f"ojs_bench_{uuid4().hex[:8]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"')
        try:
            yield f"{postgres}{'&' if '?' in postgres else '?'}options={quote('-csearch_path=' + name)}"
        finally:
            connection.execute(f'DROP SCHEMA "{name}" CASCADE')


@contextmanager
def prefix(url: str) -> Iterator[str]:
    """The URL of an empty prefix."""
    name = f"ojs_bench_{uuid4().hex[:8]}"
    try:
        yield f"{url}?prefix={name}"
    finally:
        with Redis.from_url(url) as client:
            for key in client.scan_iter(f"{name}:*", count=10_000):
                client.unlink(key)


@contextmanager
def elsewhere(asked: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Empty databases on the servers that are at hand."""
    with ExitStack() as stack:
        places = {}
        if asked.postgres:
            places["PostgreSQL"] = stack.enter_context(schema(asked.postgres))
        if asked.redis:
            places["Redis"] = stack.enter_context(prefix(asked.redis))
        yield places


def engine_over(store: DatabaseStore | None) -> Engine:
    """An engine, in memory when there is no store."""
    engine = Engine(SystemClock(), store, seed=time.time_ns())
    if store is not None:
        store.attach(engine.kernel)
    return engine


def cycles(engine: Engine, count: int, commit: Callable[[int], object]) -> tuple[float, float]:
    """Microseconds of one cycle: time, CPU."""
    start, cpu = time.perf_counter(), time.process_time()
    step = 0
    for number in range(count):
        engine.push({"type": "bench.nothing", "args": [number]})
        commit(step + 1)
        (claimed,) = engine.fetch(["default"])
        commit(step + 2)
        engine.ack(claimed.id)
        engine.advance()
        commit(step := step + 3)
    took = (time.perf_counter() - start) / count, (time.process_time() - cpu) / count
    return took[0] * 1e6, took[1] * 1e6


def floor(store: DatabaseStore, count: int) -> tuple[float, float]:
    """Microseconds of three commits of one timer each, through the driver alone."""
    start, cpu = time.perf_counter(), time.process_time()
    for number in range(3 * count):
        store.database.begin()
        store.database.put_timers([(("bench", "floor"), FAR, number)])
        put_clock(store)
        store.database.commit()
    return (time.perf_counter() - start) / count * 1e6, (time.process_time() - cpu) / count * 1e6


def put_clock(store: DatabaseStore, top: int = 0) -> None:
    """Have the clock written, all numbers up to ``top`` given."""
    clock = store.database.clock()
    assert clock is not None
    store.database.put_clock(clock._replace(seq=max(top, clock.seq), stamp=max(top, clock.stamp)))


def cycle(places: dict[str, str], runs: int, count: int) -> None:
    """Measure a cycle on each store, alternating, and print."""
    took: dict[str, list[tuple[float, float]]] = {}
    stores = {name: open_store(where) for name, where in places.items()}
    engines = {name: engine_over(store) for name, store in stores.items()}
    memory = engine_over(None)
    for _ in range(runs):
        took.setdefault("memory", []).append(cycles(memory, count, lambda _: None))
        for name, store in stores.items():
            took.setdefault(f"{name}, floor", []).append(floor(store, count))
            store.undo()

            def shared(step: int, store: DatabaseStore = store) -> None:
                if step % SHARED == 0:
                    store.commit()

            one = cycles(engines[name], count, lambda _, store=store: store.commit())
            took.setdefault(f"{name}, a commit each", []).append(one)
            many = cycles(engines[name], count, shared)
            store.commit()
            took.setdefault(f"{name}, shared", []).append(many)
    base = statistics.median(cpu for _, cpu in took["memory"])
    print(f"cycle: medians of {runs} runs of {count} jobs; CPU against memory's")
    for name, figures in took.items():
        wall, cpu = (statistics.median(one) for one in zip(*figures, strict=True))
        print(f"  {name:26} {wall:8.0f} µs  {cpu:7.0f} µs CPU  ratio {cpu / base:6.1f}")
    for store in stores.values():
        store.close()


def crowd(where: str, count: int) -> None:
    """Have so many jobs wait in the queue, by copies of one that the engine has made."""
    store = open_store(where)
    engine = engine_over(store)
    job = engine.push({"type": "bench.waits", "args": ["x" * 100]}).job
    store.commit()
    row = store._find(job.id)  # noqa: SLF001 - its columns, to be copied
    assert row is not None
    body, tallies = job_body(row.job), row.entries
    store.commit()
    database = store.database
    for first in range(1, count, PIECE):
        batch = []
        for number in range(first, min(count, first + PIECE)):
            key = f"{job.id[:24]}{number:012x}"
            place = 1000 + number
            copy = job_from(body.replace(job.id, key))
            copy.seq = place
            batch.append(Row(copy, place, row.place, place, None, row.due_order, row.lane))
        database.begin()
        database.put_jobs(batch)
        database.put_tallies([(*entry, number + 1) for entry in tallies])
        put_clock(store, count + 2000)
        database.commit()
    if database.name == "postgresql":
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE ojs_job")
    store.close()


def growth(name: str, few: str, many: str, runs: int, count: int, big: int) -> None:
    """Compare a small and a large database and print."""
    sizes = {few: 1000, many: big}
    for where, size in sizes.items():
        start = time.perf_counter()
        crowd(where, size)
        print(f"  ({name}: {size:,} jobs stored in {time.perf_counter() - start:.0f} s)", flush=True)
    took: dict[str, dict[str, list[float]]] = {}
    for _ in range(runs):
        for where in sizes:
            store = open_store(where)
            engine = engine_over(store)

            def shared(step: int, store: DatabaseStore = store) -> None:
                if step % SHARED == 0:
                    store.commit()

            gc.collect()
            took.setdefault("cycle", {}).setdefault(where, []).append(cycles(engine, count, shared)[0])
            store.commit()
            for what, ask in (
                ("page", lambda store=store: store.jobs(limit=50)),
                ("page of a state", lambda store=store: store.jobs(states=["available"], limit=50)),
                ("counts", lambda store=store: store.counts("default")),
            ):
                start = time.perf_counter()
                for _ in range(20):
                    ask()
                    store.commit()
                took.setdefault(what, {}).setdefault(where, []).append(
                    (time.perf_counter() - start) / 20 * 1e6
                )
            store.close()
    for what, figures in took.items():
        small, large = (statistics.median(figures[where]) for where in sizes)
        goal = 1.5 if what == "cycle" else 2
        print(
            f"  {name:10} {what:16} {small:8.0f} µs  {large:8.0f} µs  ratio {large / small:.2f} (goal {goal})"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a store costs.")
    parser.add_argument("--postgres", help="a PostgreSQL database in which a schema may be made")
    parser.add_argument("--redis", help="a Redis database in which a prefix may be used")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cycles", type=int, default=300)
    parser.add_argument("--big", type=int, default=1_000_000)
    parser.add_argument("--parts", default="cycle,growth")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if "cycle" in asked.parts:
            places = {"SQLite": f"{folder}/cycle.db"}
            with elsewhere(asked) as more:
                cycle({**places, **more}, asked.runs, asked.cycles)
        if "growth" in asked.parts:
            print(f"growth: beside 1,000 stored jobs and beside {asked.big:,}; medians of {asked.runs} runs")
            few, many = f"{folder}/few.db", f"{folder}/many.db"
            growth("SQLite", few, many, asked.runs, asked.cycles, asked.big)
            with elsewhere(asked) as one, elsewhere(asked) as other:
                for name, where in one.items():
                    growth(name, where, other[name], asked.runs, asked.cycles, asked.big)


if __name__ == "__main__":
    main()
