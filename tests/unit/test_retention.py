"""How long jobs that have ended are kept (OJS Queue Configuration 6.3)."""

from __future__ import annotations

import pytest

from engine import Job
from engine.retention import FOREVER
from tests.unit.harness import START, Server

DAY = 86_400_000


def ended(server: Server, state: str) -> Job:
    job = server.push(retry={"max_attempts": 1, "on_exhaustion": "discard"})
    server.one()
    if state == "completed":
        return server.engine.ack(job.id)
    if state == "cancelled":
        return server.engine.cancel(job.id)
    return server.engine.fail(job.id, {"code": "x"})


@pytest.mark.parametrize(("state", "days"), [("completed", 7), ("cancelled", 7), ("discarded", 30)])
def test_each_end_has_its_own_default(state: str, days: int) -> None:
    server = Server()
    job = ended(server, state)
    assert job.state == state
    server.wait(days * DAY - 1)
    assert server.engine.store.get(job.id) is job
    server.wait(1)
    assert server.engine.store.get(job.id) is None


@pytest.mark.parametrize("queue", ["default", "_default"])
def test_a_changed_retention_holds_for_jobs_that_end_from_then_on(queue: str) -> None:
    """OJS Queue Configuration 4."""
    server = Server()
    before = ended(server, "completed")
    server.engine.queues.configure(queue, {"retention": {"completed": "PT1H"}})
    after = ended(server, "completed")
    server.wait(3_600_000)
    assert server.engine.store.get(after.id) is None
    assert server.engine.store.get(before.id) is before


@pytest.mark.parametrize(("until", "kept"), [(None, False), (10 * DAY, True), (FOREVER, True)])
def test_a_job_is_kept_for_as_long_as_anybody_needs_it(until: int | None, kept: bool) -> None:
    server = Server()
    server.engine.retention.holds.append(
        lambda job: None if until is None or job.priority else min(FOREVER, START + until)
    )
    held = ended(server, "completed")
    free = server.push(priority=1)
    server.one()
    server.engine.ack(free.id)
    server.wait(7 * DAY)
    assert server.engine.store.get(free.id) is None
    assert (server.engine.store.get(held.id) is held) is kept
    server.wait(3 * DAY)
    assert (server.engine.store.get(held.id) is held) is (until == FOREVER)


def test_a_job_retried_by_hand_is_kept_until_it_ends_again() -> None:
    server = Server()
    job = ended(server, "discarded")
    server.wait(20 * DAY)
    server.engine.retry(job.id)
    server.wait(20 * DAY)
    assert server.engine.store.get(job.id) is job


def test_many_jobs_go_each_at_its_time() -> None:
    server = Server()
    for _ in range(30):
        ended(server, "completed")
        server.wait(DAY // 2)
    assert server.engine.store.counts()["completed"] == 13
    server.wait(7 * DAY)
    assert server.engine.store.counts()["completed"] == 0


def test_more_jobs_than_one_go_takes_are_all_gone_at_the_same_instant() -> None:
    server = Server()
    server.pushes(2_500)
    for job in server.take(count=2_500):
        server.engine.ack(job.id)
    server.wait(7 * DAY)
    assert server.engine.store.counts()["completed"] == 0
    assert [event["count"] for event in server.events("queue.pruned")] == [1000, 1000, 500]


def test_nothing_that_has_not_ended_is_ever_pruned() -> None:
    server = Server()
    waiting = [server.push(), server.push(pending=True), server.push(scheduled_at="+P5Y")]
    server.wait(3 * 365 * DAY)
    assert [server.engine.store.get(job.id) for job in waiting] == waiting


def test_the_next_due_thing_is_the_oldest_jobs_end() -> None:
    server = Server()
    ended(server, "completed")
    server.wait(1000)
    ended(server, "completed")
    assert server.engine.next_due() == server.clock.now() - 1000 + 7 * DAY
