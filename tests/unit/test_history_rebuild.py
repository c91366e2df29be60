"""A lost history is worked out again from the job as it is (OJS Execution History 9.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import lifecycle as life
from tests.unit.ojs_client import Client

TWICE = {"retry": {"max_attempts": 2, "strategy": "constant", "initial_interval_ms": 1000, "jitter": False}}


def _moves(client: Client, job_id: str) -> list[tuple[str, str]]:
    client.engine.advance()
    return [(operation, state) for _, operation, state in client.engine.info(job_id).trail]


def _scheduled(client: Client) -> str:
    return client.push(options={"scheduled_at": "+PT5S"})


def _was_scheduled(client: Client) -> str:
    job_id = _scheduled(client)
    client.wait(5000)
    return job_id


def _pending(client: Client) -> str:
    return client.push(options={"pending": True})


def _activated(client: Client) -> str:
    job_id = _pending(client)
    client.wait(10)
    client.post(f"/jobs/{job_id}/activate")
    return job_id


def _running(client: Client) -> str:
    job_id = client.push(options=TWICE)
    client.wait(10)
    client.fetch()
    return job_id


def _completed(client: Client) -> str:
    job_id = _running(client)
    client.wait(10)
    client.ack(job_id)
    return job_id


def _retryable(client: Client) -> str:
    job_id = _running(client)
    client.wait(10)
    client.fail(job_id, "first")
    return job_id


def _second(client: Client) -> str:
    job_id = _retryable(client)
    client.wait(1000)
    client.fetch()
    return job_id


def _dead(client: Client) -> str:
    job_id = _second(client)
    client.wait(10)
    client.fail(job_id, "second")
    return job_id


def _brought_back(client: Client) -> str:
    job_id = _dead(client)
    client.wait(10)
    client.post(f"/dead-letter/{job_id}/retry")
    client.fetch()
    client.wait(10)
    client.fail(job_id, "third")
    return job_id


def _cancelled(client: Client) -> str:
    job_id = _second(client)
    client.wait(10)
    client.delete(f"/jobs/{job_id}")
    return job_id


def _silent(client: Client) -> str:
    job_id = client.push(options={**TWICE, "visibility_timeout_ms": 1000})
    client.wait(10)
    client.fetch()
    client.wait(1000)
    return job_id


def _slow(client: Client) -> str:
    job_id = client.push(options={**TWICE, "timeout_ms": 1000})
    client.wait(10)
    client.fetch()
    client.wait(1000)
    return job_id


def _expired(client: Client) -> str:
    job_id = client.push(options={"expires_at": "2026-01-05T12:00:10Z"})
    client.wait(10_000)
    return job_id


def _too_late(client: Client) -> str:
    job_id = client.push(options={"enqueue_ttl": 5})
    client.wait(5000)
    return job_id


@pytest.mark.parametrize(
    "live",
    [
        _scheduled, _was_scheduled, _pending, _activated, _running, _completed, _retryable, _second, _dead,
        _brought_back, _cancelled, _silent, _slow, _expired, _too_late,
    ],
)  # fmt: skip
def test_the_moves_that_led_to_a_job_are_found_again(live: Callable[[Client], str]) -> None:
    client = Client()
    job_id = live(client)
    moves = _moves(client, job_id)
    client.delete(f"/jobs/{job_id}/history")
    assert client.get(f"/jobs/{job_id}/history")["events"] == []
    answer = client.post(f"/history/rebuild?job_id={job_id}")
    assert _moves(client, job_id) == moves
    events = client.get(f"/jobs/{job_id}/history")["events"]
    assert answer["events_reconstructed"] == len(events) > 0
    assert answer["approximate"] == bool(answer["gaps"])
    assert all(one["metadata"] == {"reconstructed": True} for one in events)
    assert [one["timestamp"] for one in events] == sorted(one["timestamp"] for one in events)
    for before, (operation, after) in zip(["", *(state for _, state in moves)], moves, strict=False):
        assert any(
            (row.source or "", row.operation, row.target) == (before, operation, after)
            for row in life.TRANSITIONS
        )


def test_what_is_known_exactly_is_not_called_approximate() -> None:
    client = Client()
    job_id = _completed(client)
    was = client.get(f"/jobs/{job_id}/history")["events"]
    client.delete(f"/jobs/{job_id}/history")
    assert client.post(f"/history/rebuild?job_id={job_id}")["approximate"] is False
    found = client.get(f"/jobs/{job_id}/history")["events"]
    assert [(one["event_type"], one["timestamp"]) for one in found] == [
        (one["event_type"], one["timestamp"]) for one in was
    ]


def test_a_guessed_time_is_called_one() -> None:
    client = Client()
    job_id = _retryable(client)
    client.delete(f"/jobs/{job_id}/history")
    answer = client.post(f"/history/rebuild?job_id={job_id}")
    assert answer["approximate"] is True
    assert answer["gaps"] == ["the start of attempt 1 is taken to be the moment of its failure"]
    (failed,) = [
        one["data"]
        for one in client.get(f"/jobs/{job_id}/history")["events"]
        if one["event_type"] == "job.attempt_failed"
    ]
    assert (failed["attempt"], failed["error"]["code"]) == (1, "first")


def test_only_what_was_lost_is_rebuilt() -> None:
    client = Client()
    job_id = _second(client)
    client.delete("/history?before=2026-01-05T12:00:00.500Z")
    client.wait(10)
    client.ack(job_id)
    client.post(f"/history/rebuild?job_id={job_id}")
    events = client.get(f"/jobs/{job_id}/history")["events"]
    assert [one["event_type"] for one in events if "metadata" not in one][-1] == "job.attempt_completed"
    started = [one for one in events if one["event_type"] == "job.attempt_started"]
    assert [(one["data"]["attempt"], "metadata" in one) for one in started] == [(1, True), (2, False)]
    assert started[1]["data"]["worker_id"] == "w1"


def test_a_history_that_is_whole_stays_as_it_is() -> None:
    client = Client()
    job_id = _completed(client)
    was = client.get(f"/jobs/{job_id}/history")
    answer: dict[str, Any] = client.post("/history/rebuild", {"job_id": job_id})
    assert answer == {"job_id": job_id, "events_reconstructed": 0, "approximate": False, "gaps": []}
    assert client.get(f"/jobs/{job_id}/history") == was


def test_there_must_be_such_a_job() -> None:
    client = Client()
    client.post("/history/rebuild?job_id=019b796d-d600-7000-a1f1-000000000000")
    assert client.status == 404
    client.post("/history/rebuild")
    assert client.status == 400
