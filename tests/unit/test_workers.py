"""Workers: registration, heartbeats, directives, shutdown, death (OJS Worker Protocol, OJS Graceful Shutdown)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import Conflict, InvalidRequest
from tests.unit.harness import Server

SECOND = 1000


def beat(server: Server, *jobs: Any, **facts: Any) -> dict[str, Any]:
    return server.engine.workers.beat("w", [job.id for job in jobs], None, facts)


def test_a_heartbeat_extends_each_named_reservation_by_its_own_length() -> None:
    server = Server()
    job = server.push(visibility_timeout_ms=3000)
    server.take(worker="w")
    for _ in range(5):
        server.wait(2000)
        assert beat(server, job)["jobs_extended"] == [job.id]
    server.wait(2999)
    assert job.state == "active"
    server.wait(1)
    assert job.state == "available"
    assert (job.error or {})["type"] == "visibility_timeout"


def test_an_early_heartbeat_takes_nothing_away() -> None:
    server = Server()
    job = server.push()
    server.take(worker="w")
    until = job.reserved_until
    server.engine.workers.beat("w", [job.id], 1000, {})
    assert job.reserved_until == until


def test_what_it_no_longer_holds_is_told_lost_and_what_was_cancelled_too() -> None:
    server = Server()
    mine, other, cancelled = server.pushes(3)
    server.take(worker="w")
    server.take(worker="v")
    server.take(worker="w")
    server.engine.cancel(cancelled.id)
    answer = beat(server, mine, other, cancelled)
    assert answer["jobs_extended"] == [mine.id]
    assert answer["jobs_lost"] == [other.id, cancelled.id]
    assert answer["jobs_cancelled"] == [cancelled.id]


@pytest.mark.parametrize("directive", ["quiet", "terminate"])
def test_a_directed_worker_hears_it_and_gets_no_more_jobs(directive: str) -> None:
    server = Server()
    first, second = server.pushes(2)
    server.take(worker="w")
    server.engine.workers.direct("w", directive)
    assert server.take(worker="w") == []
    assert beat(server, first)["state"] == directive
    assert server.engine.ack(first.id, worker_id="w").state == "completed"
    assert server.take(worker="v") == [second]


@pytest.mark.parametrize("said", ["quiet", "drain", "draining", "terminate"])
def test_a_worker_that_shuts_down_gets_no_more_jobs(said: str) -> None:
    server = Server()
    server.push()
    status, body = server.call("POST", "/workers/beat", {"worker_id": "w", "state": said, "active_jobs": 2})
    assert (status, body["acknowledged"]) == (200, True)
    assert server.take(worker="w") == []
    assert len(server.take(worker="v")) == 1


def test_a_quiet_worker_may_resume_and_a_terminating_one_may_not() -> None:
    """OJS Worker Protocol 2.3."""
    server = Server()
    server.pushes(2)
    beat(server, state="quiet")
    assert beat(server, state="running")["state"] == "running"
    assert len(server.take(worker="w")) == 1
    beat(server, state="terminate")
    assert beat(server, state="running")["state"] == "terminate"
    assert server.take(worker="w") == []


def test_a_state_nobody_knows_is_no_reason_to_refuse_a_heartbeat() -> None:
    assert beat(Server(), state="dancing")["state"] == "running"


def test_going_quiet_is_told_once() -> None:
    server = Server()
    for _ in range(3):
        beat(server, state="quiet")
    assert len(server.events("worker.quiet")) == 1


@pytest.mark.parametrize("kind", ["ShutdownError", "ShutdownTimeout", "shutdown"])
def test_a_job_interrupted_by_a_shutdown_is_retried(kind: str) -> None:
    server = Server()
    job = server.push()
    server.take(worker="w")
    server.engine.fail(job.id, {"type": kind, "message": "worker shutting down"}, "w")
    assert job.state == "retryable"


def test_a_dead_workers_jobs_go_back_within_their_attempts() -> None:
    server = Server()
    lives = server.push(retry={"max_attempts": 2})
    last = server.push(retry={"max_attempts": 1})
    server.take(worker="w", count=2)
    beat(server, lives, last)
    server.wait(29_999)
    assert lives.state == "active"
    server.wait(1)
    assert (lives.state, last.state) == ("available", "discarded")
    assert [(job.error or {})["type"] for job in (lives, last)] == ["worker_death"] * 2
    assert server.engine.workers.list() == []


def test_what_a_dead_worker_claimed_after_its_last_heartbeat_goes_back_too() -> None:
    """OJS Worker Protocol 10.2: all jobs that it had reserved."""
    server = Server()
    beat(server)
    job = server.push()
    server.take(worker="w")
    server.wait(30 * SECOND)
    assert job.state == "available"
    assert (job.error or {})["type"] == "worker_death"


def test_a_worker_that_never_sent_a_heartbeat_is_not_declared_dead() -> None:
    server = Server()
    job = server.push()
    server.take(worker="w")
    server.wait(600 * SECOND)
    assert job.state == "active"


def test_a_recovered_worker_cannot_end_a_job_that_has_gone_to_another() -> None:
    """OJS Worker Protocol 10.4."""
    server = Server()
    job = server.push()
    server.take(worker="w")
    beat(server, job)
    server.wait(30 * SECOND)
    server.take(worker="v")
    with pytest.raises(Conflict):
        server.engine.ack(job.id, worker_id="w")
    assert server.engine.ack(job.id, worker_id="v").state == "completed"


def test_a_registration_answers_with_the_intervals() -> None:
    server = Server()
    raw = {"worker_id": "w", "hostname": "h", "pid": 1, "queues": ["a"], "concurrency": 3, "labels": ["x"]}
    status, body = server.call("POST", "/workers/register", raw)
    assert (status, body["ok"], body["heartbeat_interval"], body["heartbeat_timeout"]) == (201, True, 5, 30)
    assert body["visibility_timeout_default"] == 1800
    shown = server.engine.workers.get("w")
    assert (shown["hostname"], shown["queues"], shown["labels"]) == ("h", ["a"], ["x"])
    assert server.call("DELETE", "/workers/w")[0] == 200
    assert server.call("DELETE", "/workers/w")[0] == 404


def test_a_heartbeat_needs_the_workers_id() -> None:
    with pytest.raises(InvalidRequest):
        Server().engine.workers.beat(None, [], None, {})
    assert Server().call("POST", "/workers/register", {})[0] == 400


def test_a_worker_is_told_of_with_what_its_events_require() -> None:
    """OJS Events 4.3: concurrency when it starts; a reason of the standard's when it has gone."""
    server = Server()
    beat(server, queues=["a"], concurrency=5)
    server.engine.workers.leave("w")
    beat(server)
    server.wait(31 * SECOND)
    assert [one["concurrency"] for one in server.events("worker.started")] == [5, 1]
    gone = server.events("worker.stopped")
    assert [one["reason"] for one in gone] == ["shutdown", "error"]
    assert gone[1]["message"] == "heartbeat timeout"
