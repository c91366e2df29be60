"""The engine against the in-memory modes of Python job libraries, and against itself with a million jobs.

    python bench/engine.py [--runs 7] [--jobs 1000] [--big 1000000] [--parts cycle,growth,memory]

**cycle**: what one job costs from its enqueue to its end, microseconds, a hundred at a time: all are enqueued, then
each is claimed, run by a handler that does nothing, and acknowledged. Every library is used through its public API with
its defaults, and starts each run with nothing stored. Runs alternate, so that a busy moment of the machine falls on
all. The jobs are alike; what a library does for them is not:

* ours: ``Engine.push``, ``fetch`` of one job, ``ack``. Checks the envelope, holds it against policies, keeps state,
  path, reservation and priorities' counts, records three events, counts throughput from them a thousand at a time, and
  still has the job afterwards.
  *ours, in batches* is the same through ``push_many`` and a ``fetch`` of a hundred jobs; each has its own ``ack``.
* huey ``MemoryHuey``: the task's call, ``dequeue``, ``execute``. Pickles the task. Claiming removes it: there is no
  acknowledgement, and a crash loses it; no states, no events, and nothing is known of the task afterwards.
* dramatiq ``StubBroker``: ``send``, then the consumer's next message, the actor's call, ``Consumer.ack``. Encodes the
  message as JSON. The worker's threads and the middleware's work around a message are left out, in its favour.
* dramatiq ``StubBroker`` with ``Worker``: ``send``, then a worker of one thread and ``join``, as its tests run jobs;
  this is the path that has the retries and time limits which ours has in any case.
* procrastinate ``InMemoryConnector``: ``defer_async``, then ``run_worker_async`` until the queue is empty, one job at a
  time, which deletes each job as it ends. Includes its worker: that is its only public way to run a job.

**growth**: a cycle of ours beside a thousand and beside a million others that wait, are scheduled, wait for a retry, or
are unique (the cycle's own jobs are unique then too). **memory**: what one more small waiting job takes, as the growth
of the process's resident set.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import logging
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine import Engine

try:
    import dramatiq
    import huey
    import procrastinate
    from dramatiq.brokers.stub import StubBroker
    from procrastinate.testing import InMemoryConnector
except ImportError as missing:
    sys.exit(f"{missing}; the baselines are an extra: python -m pip install -e '.[bench]'")

BATCH = 100
Run = Callable[[int], None]
"""Does so many jobs, from enqueue to end."""


class WallClock:
    """The system's time."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


def handler(number: int) -> None:
    """What every job does."""


def job(number: int, **more: object) -> dict[str, object]:
    """One of our jobs."""
    return {"type": "bench.nothing", "args": [number], **more}


def ours() -> Run:
    """Our engine, job by job."""
    engine = Engine(WallClock())

    def run(count: int) -> None:
        for _ in range(count // BATCH):
            for number in range(BATCH):
                engine.push(job(number))
            for _ in range(BATCH):
                (claimed,) = engine.fetch(["default"])
                handler(*claimed.args)
                engine.ack(claimed.id, has_result=False)

    return run


def ours_in_batches() -> Run:
    """Our engine, a hundred jobs enqueued and claimed at once."""
    engine = Engine(WallClock())

    def run(count: int) -> None:
        for _ in range(count // BATCH):
            engine.push_many([job(number) for number in range(BATCH)])
            for claimed in engine.fetch(["default"], BATCH):
                handler(*claimed.args)
                engine.ack(claimed.id, has_result=False)

    return run


def of_huey() -> Run:
    """See the module's first lines."""
    queue = huey.MemoryHuey("bench")
    task = queue.task()(handler)

    def run(count: int) -> None:
        for _ in range(count // BATCH):
            for number in range(BATCH):
                task(number)
            for _ in range(BATCH):
                queue.execute(queue.dequeue())

    return run


def of_dramatiq() -> Run:
    """See the module's first lines."""
    broker = StubBroker()
    actor = dramatiq.actor(handler, broker=broker)

    def run(count: int) -> None:
        consumer = broker.consume("default", timeout=1000)
        for _ in range(count // BATCH):
            for number in range(BATCH):
                actor.send(number)
            for _ in range(BATCH):
                message = next(consumer)
                broker.get_actor(message.actor_name)(*message.args, **message.kwargs)
                consumer.ack(message)

    return run


def of_dramatiq_worker() -> Run:
    """See the module's first lines."""
    broker = StubBroker()
    actor = dramatiq.actor(handler, broker=broker)

    def run(count: int) -> None:
        worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=1)
        worker.start()
        for _ in range(count // BATCH):
            for number in range(BATCH):
                actor.send(number)
            broker.join("default")
        worker.stop()

    return run


def of_procrastinate() -> Run:
    """See the module's first lines."""
    app = procrastinate.App(connector=InMemoryConnector())
    task = app.task(name="handler")(handler)

    async def work(count: int) -> None:
        async with app.open_async():
            for _ in range(count // BATCH):
                for number in range(BATCH):
                    await task.defer_async(number=number)
                await app.run_worker_async(
                    wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="always"
                )

    return lambda count: asyncio.run(work(count))


CONTENDERS: dict[str, Callable[[], Run]] = {
    "ours": ours,
    "ours, in batches": ours_in_batches,
    "huey MemoryHuey": of_huey,
    "dramatiq StubBroker": of_dramatiq,
    "dramatiq StubBroker, Worker": of_dramatiq_worker,
    "procrastinate InMemoryConnector": of_procrastinate,
}


def cycle(runs: int, jobs: int) -> None:
    """Compare the contenders and print."""
    took: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(runs):
        for name, make in CONTENDERS.items():
            run = make()
            run(BATCH)
            gc.collect()
            start = time.perf_counter()
            run(jobs)
            took[name].append((time.perf_counter() - start) / jobs * 1e6)
    medians = {name: statistics.median(values) for name, values in took.items()}
    best = min(medians[name] for name in ("ours", "ours, in batches"))
    print(
        f"cycle: one job enqueued, claimed, run, acknowledged; medians of {runs} runs of {jobs} jobs (min-max)"
    )
    for name, values in took.items():
        line = f"  {name:32} {medians[name]:7.1f} µs ({min(values):.1f}-{max(values):.1f})"
        theirs = (
            "" if name.startswith("ours") else f"  takes {medians[name] / medians['ours']:.2f} times ours"
        )
        print(line + (theirs and f"{theirs}, {medians[name] / best:.2f} times our best"))


KINDS = ("waiting", "scheduled", "retryable", "unique")


def crowd(kind: str, count: int) -> Engine:
    """An engine with so many jobs of a kind."""
    engine = Engine(WallClock())
    for number in range(count):
        if kind == "scheduled":
            engine.push(job(number, scheduled_at="+P1D"))
        elif kind == "retryable":
            engine.push(job(number, retry={"initial_interval": "P1D", "max_interval": "P1D"}))
            (claimed,) = engine.fetch(["default"])
            engine.fail(claimed.id, {"code": "bench", "message": "again"})
        else:
            more = {"unique": {"keys": ["type", "args"]}} if kind == "unique" else {}
            engine.push(job(number, **more))
    return engine


NUMBERS = itertools.count(10**9)
"""No two jobs that are measured are equal."""


def measure(engine: Engine, kind: str, cycles: int = 500) -> float:
    """Microseconds of one cycle."""
    more = {"unique": {"keys": ["type", "args"]}} if kind == "unique" else {}
    start = time.perf_counter()
    for _ in range(cycles):
        engine.push(job(next(NUMBERS), **more))
        (claimed,) = engine.fetch(["default"])
        engine.ack(claimed.id)
        engine.advance()
    return (time.perf_counter() - start) / cycles * 1e6


def growth(runs: int, big: int) -> None:
    """Compare small and large stores and print."""
    print(
        f"growth: a cycle beside {big:,} others against one beside 1,000; medians of {runs} runs (goal 1.5)"
    )
    for kind in KINDS:
        engines = {count: crowd(kind, count) for count in (1000, big)}
        gc.collect()
        gc.freeze()
        took: dict[int, list[float]] = {count: [] for count in engines}
        for _ in range(runs):
            for count, engine in engines.items():
                took[count].append(measure(engine, kind))
        gc.unfreeze()
        few, many = (statistics.median(took[count]) for count in engines)
        print(f"  {kind:10} {few:6.1f} µs  {many:6.1f} µs  ratio {many / few:.2f}")


def resident() -> int:
    """The process's resident set, bytes."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def memory(jobs: int = 100_000) -> None:
    """Weigh waiting jobs and print."""
    engine = crowd("waiting", 12_000)  # the event log is full by then
    gc.collect()
    before = resident()
    for number in range(jobs):
        engine.push(job(number))
    gc.collect()
    each = (resident() - before) / jobs
    print(f"memory: {each:,.0f} bytes of resident set for one more waiting small job (goal 2,500)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The engine's speed, growth and memory.")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--big", type=int, default=1_000_000)
    parser.add_argument("--parts", default="cycle,growth,memory")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    versions = (
        f"huey {huey.__version__}, dramatiq {dramatiq.__version__}, procrastinate {procrastinate.__version__}"
    )
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; {versions}")
    if "cycle" in asked.parts:
        cycle(asked.runs, asked.jobs)
    if "memory" in asked.parts:
        memory()
    if "growth" in asked.parts:
        growth(asked.runs, asked.big)


if __name__ == "__main__":
    main()
