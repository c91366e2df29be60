"""What happened, in words."""

from __future__ import annotations

from engine import Engine
from engine.clock import ManualClock
from engine.job import Job
from playground import telling
from tests.conftest import START


def finished_job() -> Job:
    clock = ManualClock(START)
    engine = Engine(clock, seed=1)
    job = engine.push({"type": "email.send", "args": []}).job
    clock.advance(400)
    engine.fetch(["default"], worker_id="w")
    clock.advance(1_100)
    return engine.ack(job.id, {"ok": True})


def test_a_path_names_each_move_its_clause_and_how_long_the_job_stayed() -> None:
    steps = telling.path(finished_job())
    assert [(step.row.operation, step.row.target, step.stayed) for step in steps] == [
        ("PUSH", "available", 400),
        ("FETCH", "active", 1_100),
        ("ACK", "completed", None),
    ]
    assert all(step.row.clause for step in steps)


def test_every_event_of_a_jobs_life_can_be_told() -> None:
    clock = ManualClock(START)
    engine = Engine(clock, seed=1)
    told: dict[str, str] = {}
    engine.events.subscribe(lambda event: told.update({event.type: telling.tell(event)}))
    policy = {"max_attempts": 2, "initial_interval": "PT2S", "jitter": False}
    job = engine.push({"type": "a", "args": [], "retry": policy}).job
    for _ in range(2):
        engine.fetch(["default"], worker_id="w")
        engine.fail(job.id, {"code": "boom", "message": "It broke."})
        clock.advance(2_000)
        engine.advance()
    engine.push({"type": "a", "args": [], "scheduled_at": "+PT5S"})
    engine.cancel(engine.push({"type": "a", "args": [], "pending": True}).job.id, reason="not wanted")
    assert told["job.enqueued"] == "in queue default"
    assert told["job.started"] == "attempt 2, w"
    assert told["job.failed"] == "It broke."
    assert told["job.retrying"] == "again in 2 s"
    assert told["job.discarded"] == "after 2 attempts"
    assert told["job.scheduled"] == "for 12:00:09.000"
    assert told["job.cancelled"] == "not wanted"


def test_an_event_that_nobody_taught_is_told_as_nothing() -> None:
    from engine.events import Event  # noqa: PLC0415 - only here

    assert telling.tell(Event(1, START, "job.teleported", "x", {})) == ""
