"""Throughput of the last hour and day, in a fixed number of records."""

from __future__ import annotations

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
