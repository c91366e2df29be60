"""The layers of timeouts: execution, total, enqueue TTL, grace, heartbeat (OJS Timeouts)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.harness import Server

SECOND = 1000


def _error(job: Any) -> tuple[str, str]:
    return job.error["type"], job.error["timeout_kind"]


def test_an_execution_over_its_timeout_fails_through_the_retry_policy() -> None:
    server = Server()
    job = server.push(timeout=10, retry={"max_attempts": 2, "jitter": False})
    server.one()
    server.wait(9_999)
    assert job.state == "active"
    server.wait(1)
    assert (job.state, _error(job)) == ("retryable", ("timeout", "execution"))
    assert (job.error["limit_seconds"], job.error["elapsed_seconds"]) == (10, 10)
    assert server.events("job.timeout")[0]["timeout_kind"] == "execution"
    server.wait(SECOND)
    server.one()
    server.wait(10 * SECOND)
    assert job.state == "discarded"


def test_the_grace_period_is_added_before_the_server_acts() -> None:
    server = Server()
    job = server.push(timeout=10, grace_period=5)
    server.one()
    server.wait(14_999)
    assert job.state == "active"
    server.wait(1)
    assert job.state == "retryable"


def test_a_timeout_can_be_listed_as_final() -> None:
    server = Server()
    job = server.push(timeout=1, retry={"max_attempts": 5, "non_retryable_errors": ["timeout"]})
    server.one()
    server.wait(SECOND)
    assert job.state == "discarded"


def test_silence_over_the_heartbeat_timeout_stalls_the_job() -> None:
    server = Server()
    job = server.push(heartbeat_timeout=30)
    server.take(worker="w")
    server.wait(20 * SECOND)
    server.engine.workers.beat("w", [job.id], None, {})
    server.wait(29 * SECOND)
    assert job.state == "active"
    server.engine.workers.beat("w", [], None, {})
    server.wait(SECOND)
    assert (job.state, _error(job)) == ("retryable", ("stalled", "stalled"))
    assert server.events("job.stalled")


@pytest.mark.parametrize("state", ["available", "scheduled", "pending", "active", "retryable"])
def test_the_total_timeout_discards_from_every_state_whatever_attempts_remain(state: str) -> None:
    server = Server()
    fields: dict[str, Any] = {
        "total_timeout": 60,
        "timeout": 60,
        "retry": {"max_attempts": 9, "jitter": False},
    }
    if state == "scheduled":
        fields["scheduled_at"] = "+PT2M"
    job = server.push(pending=state == "pending", **fields)
    if state in {"active", "retryable"}:
        server.one()
    if state == "retryable":
        job.timeout = None
        server.engine.fail(job.id, {"code": "x"})
        job.next_attempt_at = server.clock.now() + 3_600_000
        server.engine.store.save(job, job.state)
    assert job.state == state
    server.wait(60 * SECOND)
    assert (job.state, _error(job)) == ("discarded", ("total_timeout", "total"))
    assert server.events("job.total_timeout")


def test_an_attempt_that_could_not_finish_in_time_is_not_begun() -> None:
    """OJS Timeouts 9.1."""
    server = Server()
    policy = {"max_attempts": 9, "initial_interval": "PT50S", "jitter": False}
    job = server.push(total_timeout=60, timeout=20, retry=policy)
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    assert job.state == "discarded"


def test_the_enqueue_ttl_discards_a_job_that_nobody_started() -> None:
    server = Server()
    job = server.push(enqueue_ttl=300)
    server.wait(299_999)
    assert job.state == "available"
    server.wait(1)
    assert (job.state, _error(job)) == ("discarded", ("enqueue_ttl_expired", "enqueue_ttl"))
    assert server.events("job.ttl_expired")[0]["limit_seconds"] == 300
    assert server.take() == []


def test_the_enqueue_ttl_ends_with_the_first_start() -> None:
    server = Server()
    job = server.push(enqueue_ttl=5, retry={"max_attempts": 3, "initial_interval": "PT10S", "jitter": False})
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    server.wait(10 * SECOND)
    assert job.state == "available"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total_timeout", 0),
        ("total_timeout", "1h"),
        ("enqueue_ttl", 0),
        ("heartbeat_timeout", -1),
        ("grace_period", -1),
        ("timeout", -5),
    ],
)
def test_a_broken_timeout_is_refused_and_named(field: str, value: Any) -> None:
    status, body = Server().call("POST", "/jobs", {"type": "a", "args": [], field: value})
    assert status == 400
    assert body["error"]["details"]["field"] == field


def test_the_total_timeout_is_at_least_that_of_one_attempt() -> None:
    status, body = Server().call(
        "POST", "/jobs", {"type": "a", "args": [], "timeout": 60, "total_timeout": 59}
    )
    assert status == 400
    assert body["error"]["details"]["field"] == "total_timeout"


def test_a_jobs_timeouts_are_read_back_in_seconds_and_milliseconds() -> None:
    body = Server().push(total_timeout=90, options={"enqueue_ttl_ms": 1500}).to_dict()
    assert (body["total_timeout"], body["total_timeout_ms"]) == (90, 90_000)
    assert (body["enqueue_ttl"], body["enqueue_ttl_ms"]) == (1.5, 1500)


def test_a_retry_by_hand_is_not_held_against_timeouts_that_have_passed() -> None:
    server = Server()
    job = server.push(enqueue_ttl=5)
    server.wait(5 * SECOND)
    server.engine.retry(job.id)
    server.wait(3600 * SECOND)
    assert job.state == "available"
