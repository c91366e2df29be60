"""Bounded queues (OJS Backpressure)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import QueueFull
from engine.http.message import Request
from tests.unit.harness import Server


def bounded(**pressure: Any) -> Server:
    server = Server()
    status, _ = server.call("PUT", "/admin/queues/default/config", {"backpressure": pressure})
    assert status == 200
    return server


def post(server: Server, **fields: Any) -> Any:
    return server.http("POST", "/jobs", {"type": "a", "args": [], **fields})


def test_a_full_queue_refuses_with_429_and_says_how_full_it_is() -> None:
    server = bounded(max_depth=2)
    server.pushes(2)
    reply, body = post(server)
    assert reply.status == 429
    assert (reply.headers["X-OJS-Queue-Depth"], reply.headers["X-OJS-Queue-Bound"]) == ("2", "2")
    assert int(reply.headers["Retry-After"]) >= 1
    error = body["error"]
    assert (error["code"], error["retryable"]) == ("QUEUE_FULL", True)
    assert (error["queue"], error["depth"], error["bound"], error["strategy"]) == ("default", 2, 2, "reject")
    assert server.engine.store.counts()["available"] == 2
    assert server.events("backpressure.rejected")[0]["job_type"] == "a"


def test_every_job_that_has_not_ended_counts() -> None:
    server = bounded(max_depth=4)
    job = server.push()
    server.one()
    server.push(scheduled_at="+PT1H")
    server.push(pending=True)
    server.push()
    with pytest.raises(QueueFull):
        server.push()
    server.engine.ack(job.id)
    assert server.push().state == "available"


def test_zero_and_nothing_mean_unbounded() -> None:
    assert len(bounded(max_depth=0).pushes(100)) == 100


@pytest.mark.parametrize("config", [{"max_size": 1}, {"max_size": 1, "overflow_policy": "block"}])
def test_the_queue_configurations_own_words_bound_a_queue_too(config: dict[str, Any]) -> None:
    server = Server()
    server.engine.queues.configure("default", config)
    server.push()
    with pytest.raises(QueueFull) as refusal:
        server.push()
    assert refusal.value.details["strategy"] == config.get("overflow_policy", "reject")


def test_a_patient_host_is_told_what_to_wait_for() -> None:
    """OJS Backpressure 5.2: nobody was refused yet, so no event says so."""
    server = bounded(max_depth=1, strategy="block")
    first = server.push()
    raw = b'{"type": "a.b", "args": []}'
    request = Request("POST", "/ojs/v1/jobs", {"ojs-block-timeout": "30"}, raw, patient=True)
    held = server.binding.handle(request).hold
    assert held is not None
    assert (held.seconds, held.ready(), server.events("backpressure.rejected")) == (30, False, [])
    assert server.binding.handle(request._replace(patient=False)).status == 429
    assert len(server.events("backpressure.rejected")) == 1
    server.engine.cancel(first.id)
    assert held.ready()
    assert server.binding.handle(request).status == 201


@pytest.mark.parametrize("strategy", ["reject", "block"])
def test_who_would_not_wait_or_waits_in_vain_is_refused_at_once(strategy: str) -> None:
    server = bounded(max_depth=1, strategy=strategy)
    server.push()
    raw = b'{"type": "a.b", "args": []}'
    seconds = "30" if strategy == "reject" else "0"
    request = Request("POST", "/ojs/v1/jobs", {"ojs-block-timeout": seconds}, raw, patient=True)
    reply = server.binding.handle(request)
    assert (reply.status, reply.hold) == (429, None)
    assert len(server.events("backpressure.rejected")) == 1


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "3601", "99999"])
def test_the_time_to_wait_is_a_number_of_seconds(text: str) -> None:
    server = bounded(max_depth=9)
    status, body = server.call("POST", "/jobs", {"type": "a.b", "args": []}, ojs_block_timeout=text)
    assert (status, body["error"]["details"]["field"]) == (400, "OJS-Block-Timeout")


def test_dropping_the_oldest_makes_room_and_tells_so() -> None:
    server = bounded(max_depth=2, strategy="drop_oldest")
    oldest = server.push(priority=9)
    kept, new = server.push(), server.push()
    assert (oldest.state, (oldest.error or {})["type"]) == ("discarded", "overflow")
    assert server.take(count=9) == [kept, new]
    assert server.events("backpressure.dropped") == [
        {"queue": "default", "job_id": oldest.id, "job_type": "email.send"}
    ]
    assert server.events("queue.overflow")


def test_only_available_jobs_are_dropped() -> None:
    server = bounded(max_depth=2, strategy="drop_oldest")
    server.push()
    server.one()
    server.push(scheduled_at="+PT1H")
    with pytest.raises(QueueFull):
        server.push()


def test_a_queue_may_be_bounded_by_bytes() -> None:
    server = bounded(max_size_bytes=100)
    server.push(args=["x" * 60])
    with pytest.raises(QueueFull) as refusal:
        server.push(args=["x" * 60])
    assert refusal.value.details["bound"] == 100
    job = server.one()
    server.engine.ack(job.id)
    assert server.push(args=["x" * 60]).state == "available"


def test_above_the_warning_threshold_replies_tell_the_pressure() -> None:
    server = bounded(max_depth=10, warning_threshold=0.5)
    replies = [post(server)[0] for _ in range(7)]
    assert ["X-OJS-Queue-Pressure" in reply.headers for reply in replies] == [False] * 4 + [True] * 3
    assert replies[-1].headers["X-OJS-Queue-Pressure"] == "0.70"
    assert (replies[-1].headers["X-OJS-Queue-Depth"], replies[-1].headers["X-OJS-Queue-Bound"]) == ("7", "10")


def test_crossing_the_threshold_is_told_once_in_each_direction() -> None:
    server = bounded(max_depth=4, warning_threshold=0.5)
    server.pushes(4)
    assert server.events("backpressure.warning") == [{"queue": "default", "depth": 2, "bound": 4}]
    assert server.events("queue.full") == [{"queue": "default", "depth": 4, "bound": 4}]
    for job in server.take(count=3):
        server.engine.ack(job.id)
    assert server.events("backpressure.cleared") == [{"queue": "default", "depth": 1, "bound": 4}]


def test_a_batch_that_does_not_fit_is_refused_whole() -> None:
    server = bounded(max_depth=2)
    jobs = [{"type": "a", "args": [n]} for n in range(3)]
    status, body = server.call("POST", "/jobs/batch", {"jobs": jobs})
    assert (status, body["error"]["code"]) == (429, "QUEUE_FULL")
    assert server.engine.store.jobs() == []
    assert server.call("POST", "/jobs/batch", {"jobs": jobs[:2]})[0] == 201


def test_a_batch_into_a_dropping_queue_drops_as_many_as_it_needs() -> None:
    server = bounded(max_depth=3, strategy="drop_oldest")
    server.pushes(3)
    jobs = [{"type": "a", "args": [n]} for n in range(2)]
    assert server.call("POST", "/jobs/batch", {"jobs": jobs})[0] == 201
    assert [job.args for job in server.take(count=9)] == [[], [0], [1]]


def test_a_job_retried_by_hand_counts_again() -> None:
    server = bounded(max_depth=1)
    job = server.dead()
    server.push()
    server.one()
    server.engine.retry(job.id)
    assert server.engine.backpressure.depth("default") == 2
