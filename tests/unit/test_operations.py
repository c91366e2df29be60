"""FETCH, ACK, FAIL, CANCEL, ACTIVATE, INFO: what each does, and to whom it says no (OJS Core 7)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import Conflict, Duplicate, InvalidRequest, NotFound
from tests.unit.harness import START, Server

MISSING = "019539a4-ffff-7000-8000-111111111111"


def kinds(server: Server, job: Any) -> list[str]:
    return [event.type for event in server.engine.events if event.subject == job.id]


def test_an_id_is_taken_once() -> None:
    server = Server()
    server.push(id=MISSING)
    with pytest.raises(Duplicate) as refusal:
        server.push(id=MISSING)
    assert refusal.value.details["existing_job_id"] == MISSING
    assert len(server.engine.store.jobs()) == 1


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "available"),
        ({"scheduled_at": "+PT1S"}, "scheduled"),
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "available"),
        ({"delay_until": "+PT1S"}, "scheduled"),
        ({"pending": True}, "pending"),
        ({"pending": True, "scheduled_at": "+PT1S"}, "pending"),
    ],
)
def test_a_job_begins_where_its_request_says(fields: dict[str, Any], state: str) -> None:
    assert Server().push(**fields).state == state


def test_a_scheduled_job_is_available_at_its_time_and_not_before() -> None:
    server = Server()
    job = server.push(scheduled_at="+PT10S")
    server.wait(9_999)
    assert server.take() == []
    server.wait(1)
    assert server.one() is job
    assert job.enqueued_at == START + 10_000


def test_fetching_asks_queues_from_left_to_right_and_takes_up_to_count() -> None:
    server = Server()
    a, b = server.pushes(2, queue="a"), server.pushes(2, queue="b")
    assert server.take("b", "a", count=3) == [*b, a[0]]
    assert server.take("b", "a", count=3) == [a[1]]
    assert server.take("b", "a", "nowhere", count=3) == []


def test_fetching_starts_the_job_for_its_worker() -> None:
    server = Server()
    job = server.push()
    server.wait(5)
    server.take(worker="w")
    assert (job.state, job.attempt, job.worker_id, job.started_at) == ("active", 1, "w", START + 5)
    assert job.reserved_until == START + 5 + 1_800_000


@pytest.mark.parametrize(
    ("asked", "own", "length"), [(None, None, 1_800_000), (None, 7_000, 7_000), (5_000, 7_000, 5_000)]
)
def test_the_reservation_is_as_long_as_fetch_or_the_job_says(asked: Any, own: Any, length: int) -> None:
    server = Server()
    job = server.push() if own is None else server.push(visibility_timeout_ms=own)
    server.take(visibility_timeout=asked)
    server.wait(length - 1)
    assert job.state == "active"
    server.wait(1)
    assert (job.state, job.attempt, job.started_at) == ("available", 1, None)
    assert (job.error or {})["type"] == "visibility_timeout"


def test_a_reservation_that_runs_out_on_the_last_attempt_discards() -> None:
    server = Server()
    job = server.push(retry={"max_attempts": 1}, visibility_timeout_ms=1_000)
    server.one()
    server.wait(1_000)
    assert job.state == "discarded"


def test_acknowledging_keeps_the_result_and_clears_the_error() -> None:
    server = Server()
    job = server.push(retry={"initial_interval": "PT1S", "jitter": False})
    server.one()
    server.engine.fail(job.id, {"code": "x", "message": "y"})
    server.wait(1_000)
    server.one()
    server.wait(50)
    server.engine.ack(job.id, {"n": 1})
    assert (job.state, job.result, job.error, job.completed_at) == (
        "completed",
        {"n": 1},
        None,
        server.clock.now(),
    )
    assert (job.worker_id, job.reserved_until) == (None, None)
    assert len(job.errors or []) == 1
    assert server.events("job.completed")[0]["duration_ms"] == 50


@pytest.mark.parametrize("result", [None, 0, "", [], {"a": [None]}, False])
def test_any_json_is_a_result_and_none_given_is_none_kept(result: Any) -> None:
    server = Server()
    job, bare = server.pushes(2)
    server.take(count=2)
    server.engine.ack(job.id, result)
    server.engine.ack(bare.id, has_result=False)
    assert job.to_dict()["result"] == result
    assert "result" not in bare.to_dict()


@pytest.mark.parametrize("operation", ["ack", "fail"])
def test_only_the_holder_may_end_a_job_when_it_says_who_it_is(operation: str) -> None:
    server = Server()
    job = server.push()
    server.take(worker="w")
    before = server.snapshot()
    with pytest.raises(Conflict):
        getattr(server.engine, operation)(job.id, {"code": "x"}, "stranger")
    assert server.snapshot() == before
    getattr(server.engine, operation)(job.id, {"code": "x"}, "w")
    assert job.state != "active"


@pytest.mark.parametrize("operation", ["ack", "cancel", "activate", "retry", "info"])
@pytest.mark.parametrize("job_id", [MISSING, "", None, 7])
def test_an_unknown_job_is_not_found(operation: str, job_id: Any) -> None:
    with pytest.raises(NotFound):
        getattr(Server().engine, operation)(job_id)


def test_an_attempt_that_ends_with_the_job_handed_back_does_not_count_against_the_policy() -> None:
    """The number of the attempt still grows: each start has its own."""
    server = Server()
    job = server.push(retry={"max_attempts": 2, "jitter": False})
    for _ in range(3):
        server.take()
        server.engine.fail(job.id, {}, requeue=True)
    server.take()
    failed = server.engine.fail(job.id, {"message": "x"})
    assert (failed.state, failed.attempt, failed.retry_delay) == ("retryable", 4, 1000)
    server.wait(1000)
    server.take()
    assert server.engine.fail(job.id, {"message": "x"}).state == "discarded"


def test_handing_a_job_back_costs_no_error_and_gives_no_attempt_back() -> None:
    server = Server()
    job = server.push(retry={"max_attempts": 1})
    server.take(worker="w")
    server.engine.fail(job.id, {}, "w", requeue=True)
    assert (job.state, job.attempt, job.error, job.worker_id) == ("available", 1, None, None)


def test_cancelling_stops_a_job_wherever_it_is_and_tells_why() -> None:
    server = Server()
    job = server.push(scheduled_at="+PT1H")
    server.engine.cancel(job.id, reason="not needed", cancelled_by="ops")
    server.wait(3_600_000)
    assert (job.state, job.cancelled_at) == ("cancelled", START)
    assert server.events("job.cancelled")[0]["reason"] == "not needed"
    with pytest.raises(Conflict):
        server.engine.cancel(job.id)


def test_a_pending_job_waits_until_it_is_activated() -> None:
    server = Server()
    job = server.push(pending=True)
    server.wait(3_600_000)
    assert server.take() == []
    server.engine.activate(job.id)
    assert server.one() is job


def test_an_expired_job_is_never_handed_out() -> None:
    server = Server()
    job = server.push(expires_at="+PT10S")
    server.wait(10_000)
    assert server.take() == []
    assert (job.state, job.completed_at) == ("discarded", None)
    assert kinds(server, job) == ["job.enqueued", "job.expired"]


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        ({"code": "c", "message": "m"}, {"type": "c", "code": "c", "message": "m", "retryable": True}),
        ({"type": "T"}, {"type": "T", "code": "T", "message": ""}),
        ({"code": "c", "type": "T"}, {"type": "T", "code": "c"}),
        (
            {"code": "c", "details": {"error_class": "E"}},
            {"type": "E", "code": "c", "details": {"error_class": "E"}},
        ),
        ({}, {"type": "handler_error", "code": "handler_error"}),
        (None, {"type": "handler_error"}),
        ({"code": "c", "details": {"stack": "a\nb"}}, {"backtrace": ["a", "b"]}),
    ],
)
def test_an_error_is_stored_in_one_form_whatever_it_came_in(error: Any, stored: dict[str, Any]) -> None:
    server = Server()
    job = server.push()
    server.one()
    server.engine.fail(job.id, error)
    assert stored.items() <= (job.error or {}).items()
    assert {"attempt", "occurred_at", "timestamp"} <= (job.errors or [{}])[0].keys()


@pytest.mark.parametrize(
    "error", ["x", [], {"code": 5}, {"message": []}, {"retryable": "no"}, {"details": "x"}, {"type": 1}]
)
def test_a_malformed_error_is_refused_and_fails_nothing(error: Any) -> None:
    server = Server()
    job = server.push()
    server.one()
    with pytest.raises(InvalidRequest):
        server.engine.fail(job.id, error)
    assert job.state == "active"


def test_a_backtrace_is_kept_within_bounds() -> None:
    server = Server()
    job = server.push()
    server.one()
    server.engine.fail(job.id, {"code": "x", "backtrace": ["f" * 500] * 100})
    trace = (job.error or {})["backtrace"]
    assert len(trace) <= 50
    assert sum(map(len, trace)) <= 10_000


def test_each_move_is_told_by_its_events_in_order() -> None:
    server = Server()
    job = server.push(retry={"max_attempts": 2, "initial_interval": "PT1S", "jitter": False})
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    server.wait(1_000)
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    assert kinds(server, job) == [
        "job.enqueued",
        "job.started",
        "job.failed",
        "job.retrying",
        "job.enqueued",
        "job.started",
        "job.failed",
        "job.retry_exhausted",
        "job.discarded",
        "job.dead_lettered",
        "dead_letter.added",
    ]


def test_what_was_due_happens_at_its_own_instant_even_if_it_is_done_later() -> None:
    server = Server()
    job = server.push(scheduled_at="+PT10S")
    server.wait(60_000)
    assert job.enqueued_at == START + 10_000
    assert [at - START for at, _, _ in job.trail] == [0, 10_000]


def test_a_clock_set_back_never_makes_time_run_backwards() -> None:
    server = Server()
    first = server.push()
    server.clock.advance(-3_600_000)
    second = server.push()
    assert second.created_at >= first.created_at
    assert server.one() is first
