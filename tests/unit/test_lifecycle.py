"""The transition table is the only source of legal moves (OJS Core 6)."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Job
from engine import lifecycle as life
from engine.errors import Conflict
from tests.unit.harness import Server


def _in_state(server: Server, state: str) -> Job:
    """A job in a state, reached by legal moves only."""
    retry = {"max_attempts": 2, "initial_interval": "PT10S", "jitter": False}
    if state == life.SCHEDULED:
        return server.push(scheduled_at="+PT1H")
    if state == life.PENDING:
        return server.push(pending=True)
    job = server.push(retry=retry)
    if state == life.AVAILABLE:
        return job
    if state == life.CANCELLED:
        return server.engine.cancel(job.id)
    server.one()
    if state == life.COMPLETED:
        return server.engine.ack(job.id)
    if state in {life.RETRYABLE, life.DISCARDED}:
        server.engine.fail(job.id, {"code": "x", "retryable": state == life.RETRYABLE})
    return job


_DO: dict[str, Any] = {
    life.ACK: lambda engine, job: engine.ack(job.id, {"ok": True}),
    life.FAIL: lambda engine, job: engine.fail(job.id, {"code": "x", "message": "y"}),
    life.CANCEL: lambda engine, job: engine.cancel(job.id),
    life.ACTIVATE: lambda engine, job: engine.activate(job.id),
    life.RETRY: lambda engine, job: engine.retry(job.id),
    life.DROP: lambda engine, job: engine.operations.drop(job, {"type": "x", "code": "x", "message": "y"}),
    life.LIMIT: lambda engine, job: engine.operations.put_off(job, engine.now() + 1000),
}

ILLEGAL = [
    (state, operation)
    for state in life.STATES
    for operation in _DO
    if not any(move.source == state and move.operation == operation for move in life.TRANSITIONS)
]
LEGAL = [
    (state, operation) for state in life.STATES for operation in _DO if (state, operation) not in set(ILLEGAL)
]


@pytest.mark.parametrize(("state", "operation"), ILLEGAL)
def test_an_illegal_operation_raises_and_changes_nothing(state: str, operation: str) -> None:
    server = Server()
    job = _in_state(server, state)
    before, events = server.snapshot(), server.engine.events.seq
    with pytest.raises(Conflict) as refusal:
        _DO[operation](server.engine, job)
    assert refusal.value.details["current_state"] == state
    assert refusal.value.status == 409
    assert server.snapshot() == before
    assert server.engine.events.seq == events


@pytest.mark.parametrize(("state", "operation"), LEGAL)
def test_a_legal_operation_ends_in_a_state_that_the_table_names(state: str, operation: str) -> None:
    server = Server()
    job = _in_state(server, state)
    assert job.state == state
    _DO[operation](server.engine, job)
    assert life.legal(state, operation, job.state)


@pytest.mark.parametrize("state", life.STATES)
def test_every_job_is_born_into_a_state_that_push_allows(state: str) -> None:
    first = _in_state(Server(), state).trail[0]
    assert life.legal(None, first[1], first[2])


@pytest.mark.parametrize("state", sorted(life.TERMINAL))
def test_nothing_automatic_leaves_a_terminal_state(state: str) -> None:
    leaving = {move.operation for move in life.TRANSITIONS if move.source == state}
    assert leaving <= {life.RETRY}


def test_every_state_but_the_terminal_ones_can_be_cancelled() -> None:
    cancellable = {move.source for move in life.TRANSITIONS if move.operation == life.CANCEL}
    assert cancellable == life.NON_TERMINAL


def test_every_row_names_known_states_and_its_clause() -> None:
    for move in life.TRANSITIONS:
        assert move.target in life.STATES
        assert move.source is None or move.source in life.STATES
        assert move.clause.startswith("OJS ")
        assert move.condition
