"""Counters that follow from events, in the Prometheus text format."""

from __future__ import annotations

import pickle

import pytest

from engine.http import tallies
from engine.times import format_time
from tests.unit.harness import START, Server


def told(server: Server) -> list[str]:
    reply, _ = server.http("GET", "/metrics")
    assert isinstance(reply.body, bytes)
    return reply.body.decode().splitlines()


def test_what_extensions_want_counted_is_counted() -> None:
    server = Server()
    server.engine.queues.configure("small", {"backpressure": {"max_depth": 1, "strategy": "reject"}})
    server.push(queue="small")
    body = {"type": "a.b", "args": [], "queue": "small"}
    assert [server.call("POST", "/jobs", body)[0] for _ in range(2)] == [429, 429]
    dead = server.dead()
    server.engine.dead_letters.retry(dead.id, None)
    server.call("POST", "/jobs/bulk", {"jobs": [{"type": "a.b", "args": []}]})
    slow = server.push(timeout_ms=1000, queue="slow")
    server.take("slow")
    server.wait(1000)
    assert slow.state == "retryable"
    server.push(rate_limit={"key": "k", "concurrency": 0}, queue="held")
    server.take("held")
    lines = told(server)
    for line in (
        'ojs_backpressure_rejected_total{queue="small"} 2',
        'ojs_dead_letter_added_total{queue="default",job_type="email.send"} 1',
        'ojs_dead_letter_retried_total{queue="default"} 1',
        'ojs_bulk_requests_total{operation="enqueue"} 1',
        'ojs_job_timeout_total{timeout_kind="execution",queue="slow",job_type="email.send"} 1',
        'ojs_rate_limit_exceeded_total{key="k",strategy="concurrency"} 1',
    ):
        assert line in lines
    assert sum(line.startswith("# TYPE ojs_bulk_requests_total ") for line in lines) == 1


def test_one_event_may_stand_for_many() -> None:
    server = Server()
    server.engine.queues.configure("graves", {"dead_letter": {"retention": {"max_count": 1}}})
    for _ in range(3):
        server.dead(queue="graves")
    pruned = sum(one["count"] for one in server.events("dead_letter.pruned"))
    assert pruned == 2
    assert f'ojs_dead_letter_pruned_total{{queue="graves"}} {pruned}' in told(server)


def test_asking_twice_counts_once_and_a_block_that_is_gone_is_counted_all_the_same() -> None:
    server = Server()
    for number in range(1500):
        server.push(scheduled_at=format_time(START + number), timeout_ms=1000, retry={"max_attempts": 1})
    server.wait(2000)
    server.take(count=1000)
    server.wait(2000)
    for _ in range(12_000):
        server.engine.kernel.emit("queue.paused", "x", {"queue": "x"})
    line = 'ojs_job_timeout_total{timeout_kind="execution",queue="default",job_type="email.send"} 1000'
    assert line in told(server)
    assert line in told(server)


def test_labels_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """OJS Observability 8.4: a client must not be able to fill the memory with keys."""
    monkeypatch.setattr(tallies, "MAX_LABELS", 2)
    server = Server()
    for number in range(5):
        server.push(rate_limit={"key": f"k{number}", "concurrency": 0}, queue=f"q{number}")
        server.take(f"q{number}")
    assert sum(line.startswith("ojs_rate_limit_exceeded_total{") for line in told(server)) == 2


def test_counts_belong_to_a_snapshot() -> None:
    server = Server()
    server.dead()
    told(server)
    binding = pickle.loads(pickle.dumps(server.binding))  # noqa: S301 - our own
    server.binding, server.engine = binding, binding.engine
    server.dead()
    assert 'ojs_dead_letter_added_total{queue="default",job_type="email.send"} 2' in told(server)
