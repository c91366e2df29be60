"""Demo workers: ordinary workers whose handlers do what their job's type says."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clock import ManualClock
from playground.behaviours import behaviour_of
from playground.demo import MAX_WORKERS
from playground.session import Session
from tests.conftest import START


def session(workers: int = 1) -> tuple[Session, ManualClock]:
    clock = ManualClock(START)
    return Session(clock, seed=3, workers=workers), clock


def run(live: Session, clock: ManualClock, until: int) -> None:
    """Let everything due happen, each at its time, for a while."""
    end = clock.now() + until
    live.tick()
    while (due := live.next_due()) is not None and due <= end:
        clock.set(max(due, clock.now()))
        live.tick()
    clock.set(end)
    live.tick()


def push(live: Session, **fields: Any) -> str:
    return live.engine.push({"type": "email.send", "args": [], **fields}).job.id


def test_a_worker_takes_a_job_and_completes_it_after_its_time() -> None:
    live, clock = session()
    job = push(live)
    run(live, clock, 5_000)
    done = live.engine.info(job)
    assert done.state == "completed"
    assert done.completed_at is not None
    assert done.started_at is not None
    assert done.completed_at - done.started_at == behaviour_of("email.send").duration


def test_a_flaky_job_fails_twice_then_succeeds() -> None:
    live, clock = session()
    job = push(live, type="flaky.charge", retry={"max_attempts": 5, "initial_interval": "PT1S"})
    run(live, clock, 30_000)
    assert live.engine.info(job).state == "completed"
    assert live.engine.info(job).attempt == 3
    assert len(live.engine.info(job).errors or []) == 2


def test_a_broken_job_ends_discarded() -> None:
    live, clock = session()
    job = push(live, type="broken.import", retry={"max_attempts": 2, "initial_interval": "PT1S"})
    run(live, clock, 30_000)
    assert live.engine.info(job).state == "discarded"


def test_a_crashed_workers_job_returns_when_its_reservation_ends() -> None:
    live, clock = session()
    job = push(live, type="crash.resize", visibility_timeout_ms=4_000, retry={"max_attempts": 2})
    run(live, clock, 1_500)
    assert live.engine.info(job).state == "active"
    assert [worker.id for worker in live.crew.workers.values()] == ["demo-2"]
    run(live, clock, 60_000)
    assert live.engine.info(job).attempt == 2
    assert live.engine.info(job).state == "discarded"


def test_a_stopped_worker_finishes_and_leaves_a_killed_one_just_goes() -> None:
    live, clock = session(workers=2)
    first, second = (push(live, type="slow.export", visibility_timeout_ms=2_000) for _ in range(2))
    run(live, clock, 500)
    live.crew.stop("demo-1")
    live.crew.kill("demo-2")
    assert list(live.crew.workers) == ["demo-1"]
    run(live, clock, 11_000)
    assert list(live.crew.workers) == []
    states = {live.engine.info(first).state, live.engine.info(second).state}
    assert "available" in states


def test_heartbeats_keep_a_slow_job_with_its_worker() -> None:
    live, clock = session()
    job = push(live, type="slow.export", visibility_timeout_ms=6_000)
    run(live, clock, 12_000)
    assert live.engine.info(job).state == "completed"
    assert live.engine.info(job).attempt == 1


def test_no_more_workers_start_than_the_limit() -> None:
    live, _ = session(workers=MAX_WORKERS)
    with pytest.raises(ValueError, match="stop one first"):
        live.crew.start(START)


def test_an_idle_session_has_only_heartbeats_due() -> None:
    live, clock = session()
    run(live, clock, 100)
    due = live.next_due()
    assert due is not None
    assert due - clock.now() > 1_000


def test_no_worker_runs_on_a_server_for_conformance() -> None:
    live = Session(ManualClock(START), seed=1, workers=3, conformance=True)
    assert live.crew.workers == {}


def test_after_a_sleep_a_cron_entry_fires_once_not_for_each_missed_time() -> None:
    clock = ManualClock(START)
    live = Session(clock, seed=1, late=5_000)
    assert live.engine.cron.late == 5_000
    live.engine.cron.register(
        {"name": "often", "cron": "@every 1s", "type": "a.b", "overlap_policy": "allow"}
    )
    clock.advance(60 * 60 * 1000)
    live.tick()
    assert sum(live.engine.store.counts().values()) < 10


def test_an_idle_worker_asks_again_while_work_lies_there_that_it_is_not_given() -> None:
    live, clock = session()
    live.engine.queues.pause("default", None)
    job = push(live)
    run(live, clock, 10_000)
    assert live.engine.info(job).state == "available"
    live.engine.queues.resume("default")
    run(live, clock, 5_000)
    assert live.engine.info(job).state == "completed"


def test_an_idle_worker_sleeps_while_its_queue_is_empty() -> None:
    live, clock = session()
    run(live, clock, 1_000)
    assert live.crew.workers["demo-1"].poll_at is None


def test_an_idle_worker_that_is_told_to_terminate_leaves_at_its_next_heartbeat() -> None:
    live, clock = session()
    run(live, clock, 1_000)
    live.engine.workers.direct("demo-1", "terminate")
    run(live, clock, 5_000)
    assert live.crew.workers == {}
