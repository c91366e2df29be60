"""Throughput of the last hour and day, in a fixed number of records."""

from __future__ import annotations

import pickle

from engine.events import BLOCK
from tests.unit.harness import Server

HOUR = 3_600_000


def test_completions_failures_waits_and_durations_are_summed() -> None:
    server = Server()
    done, failed = server.pushes(2, queue="q")
    server.wait(500)
    server.take("q", count=2)
    server.wait(200)
    server.engine.ack(done.id)
    server.engine.fail(failed.id, {"code": "x"})
    got = server.engine.figures.minutes("queue:q", 60)
    assert (got["enqueued"], got["started"], got["completed"], got["failed"]) == (2, 2, 1, 1)
    assert (got["wait_ms"], got["duration_ms"]) == (1000, 200)


def test_what_is_older_than_an_hour_or_a_day_no_longer_counts() -> None:
    server = Server()
    server.push()
    figures = server.engine.figures
    server.wait(HOUR)
    assert figures.minutes("queue:default", 60)["enqueued"] == 0
    assert figures.day("queue:default")["enqueued"] == figures.today("queue:default")["enqueued"] == 1
    server.wait(11 * HOUR)
    assert figures.today("queue:default")["enqueued"] == 0
    assert figures.day("queue:default")["enqueued"] == 1
    server.wait(12 * HOUR)
    assert figures.day("queue:default")["enqueued"] == 0


def test_records_do_not_grow_with_time() -> None:
    server = Server()
    for _ in range(500):
        server.push()
        server.wait(HOUR // 4)
    assert len(server.engine.store.records("figures")) <= 84
    server.engine.figures.forget("queue:default")
    assert server.engine.store.records("figures") == []


def test_it_makes_no_difference_when_events_are_counted() -> None:
    """The log counts in blocks, when somebody reads, and for a snapshot."""
    asked, left_alone = Server(), Server()
    for number in range(BLOCK):
        for server in (asked, left_alone):
            server.push(queue="ab"[number % 2], meta={"tenant_id": "acme"} if number % 3 else None)
            server.take("a", "b")
            server.wait(1000)
        asked.engine.figures.minutes("queue:a", 60)
    copy = pickle.loads(pickle.dumps(left_alone.engine))  # noqa: S301 - its own bytes
    left_alone.engine.events.settle()
    for scope in ("queue:a", "queue:b", "tenant:acme"):
        whole = asked.engine.figures.day(scope)
        assert whole["enqueued"] == whole["started"] > 0
        assert left_alone.engine.figures.day(scope) == copy.figures.day(scope) == whole
    assert asked.engine.store.records("figures") == left_alone.engine.store.records("figures")


def test_a_job_that_comes_back_is_not_enqueued_again() -> None:
    server = Server()
    job = server.push()
    server.one()
    server.engine.fail(job.id, {}, requeue=True)
    server.push(scheduled_at="+PT1M")
    server.wait(60_000)
    figures = server.engine.figures.minutes("queue:default", 60)
    assert (figures["enqueued"], figures["failed"]) == (2, 0)


def test_nothing_is_left_to_count_after_a_reset() -> None:
    server = Server()
    server.push()
    server.engine.reset()
    assert server.engine.figures.day("queue:default")["enqueued"] == 0


def test_a_series_tells_each_minute_by_itself_oldest_first() -> None:
    server = Server()
    for wait in (0, 60_000, 120_000):
        server.wait(wait)
        job = server.push()
        server.take()
        server.engine.ack(job.id)
    figures = server.engine.figures
    assert [minute["completed"] for minute in figures.series("queue:default", 5)] == [0, 1, 1, 0, 1]
    assert [minute["enqueued"] for minute in figures.series("queue:other", 2)] == [0, 0]
