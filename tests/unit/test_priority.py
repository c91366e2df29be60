"""Priority: its order, its change, its counts (OJS Core 5.2, OJS Priority)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.harness import Server


def test_higher_goes_first_and_equals_in_order_of_arrival() -> None:
    server = Server()
    jobs = [server.push(priority=priority) for priority in (0, 100, -100, 0, 100)]
    assert server.take(count=9) == [jobs[1], jobs[4], jobs[0], jobs[3], jobs[2]]


def test_a_retried_job_goes_to_the_end_of_its_priority() -> None:
    server = Server()
    first, second = server.pushes(2)
    server.one()
    server.engine.fail(first.id, {}, requeue=True)
    assert server.take(count=2) == [second, first]


@pytest.mark.parametrize("when", [None, "+PT1M"])
def test_a_waiting_jobs_priority_can_change(when: str | None) -> None:
    server = Server()
    first = server.push()
    second = server.push(scheduled_at=when) if when else server.push()
    status, body = server.call("PATCH", f"/jobs/{second.id}", {"priority": 7})
    assert (status, body["priority"], body["previous_priority"]) == (200, 7, 0)
    server.wait(60_000)
    assert server.take(count=2) == [second, first]
    assert server.events("priority.changed")[0]["new_priority"] == 7


@pytest.mark.parametrize("state", ["active", "completed", "cancelled", "discarded", "retryable", "pending"])
def test_no_other_jobs_priority_can_change(state: str) -> None:
    server = Server()
    job = server.dead() if state == "discarded" else server.push(pending=state == "pending")
    if state in {"active", "completed", "retryable"}:
        server.one()
    if state == "completed":
        server.engine.ack(job.id)
    elif state == "retryable":
        server.engine.fail(job.id, {"code": "x"})
    elif state == "cancelled":
        server.engine.cancel(job.id)
    assert job.state == state
    assert server.call("PATCH", f"/jobs/{job.id}", {"priority": 7})[0] == 409
    assert job.priority == 0


@pytest.mark.parametrize("value", [101, -101, 1.5, "urgent", None, True])
def test_a_broken_priority_changes_nothing(value: Any) -> None:
    server = Server()
    job = server.push()
    assert server.call("PATCH", f"/jobs/{job.id}", {"priority": value})[0] == 400
    assert job.priority == 0


def test_available_jobs_are_counted_by_priority() -> None:
    server = Server()
    for priority in (0, 0, 5, -3):
        server.push(priority=priority, queue="q")
    server.push(queue="q", scheduled_at="+PT1H")
    job = server.one("q")
    _, body = server.call("GET", "/queues/q/priority-stats")
    assert body == {"queue": "q", "counts_by_priority": {"0": 2, "-3": 1}, "total": 3}
    server.engine.fail(job.id, {}, requeue=True)
    server.engine.priorities.change(job.id, 9)
    assert server.engine.priorities.counts("q") == {"9": 1, "0": 2, "-3": 1}
    server.engine.queues.delete("q", "move", "other")
    assert server.engine.priorities.counts("q") == {}
    assert server.engine.priorities.counts("other") == {"9": 1, "0": 2, "-3": 1}
