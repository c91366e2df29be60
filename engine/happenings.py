"""Which events each move of the transition table causes (OJS Events 3.1, 3.2, 4.1): one function a target."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from engine import lifecycle as life
from engine.job import Job
from engine.times import format_time

Caused = list[tuple[str, dict[str, Any]]]
"""Event types with their data, which is not to be changed: events of one kind may share it."""

_OVER: Final = {
    "execution": "job.timeout",
    "stalled": "job.stalled",
    "total": "job.total_timeout",
    "enqueue_ttl": "job.ttl_expired",
}
"""The event of each kind of timeout (OJS Timeouts 11.1); it precedes those of the move."""


def caused_by(job: Job, operation: str, facts: dict[str, Any]) -> Caused:
    """The events of one move.

    Args:
        job: The job after the move.
        operation: The row's operation.
        facts: What only the caller knows, e.g. ``duration_ms``.
    """
    state = job.state
    if state == life.AVAILABLE:
        data = _priority(job.priority)
        if job.unique_key is not None:
            data = data | {"unique_key": job.unique_key}
        available = ("job.enqueued", data)
        return [*_failed(job, facts), available] if operation == life.RESERVATION else [available]
    if state == life.ACTIVE:
        return [("job.started", _worker(job.worker_id or ""))]
    if state == life.COMPLETED:
        if job.has_result:
            facts["result"] = job.result
        if job.progress is not None and job.progress["progress"] is not None:  # OJS Progress 11.1
            told = {"progress": job.progress["progress"], "duration": facts["duration_ms"]}
            return [("job.completed", facts), ("progress.completed", told)]
        return [("job.completed", facts)]
    if state == life.SCHEDULED:
        return [("job.scheduled", {"scheduled_at": format_time(job.scheduled_at or 0)})]
    if state == life.PENDING:
        return [("job.pending", {})]
    if state == life.CANCELLED:
        return [("job.cancelled", facts)]
    if state == life.RETRYABLE:
        found: Caused = [*_failed(job, facts), ("job.retrying", _retrying(job))]
    else:
        found = _discarded(job, operation, facts)
    over = facts.get("timeout_kind")  # a timeout leads to one of these two states
    return [(_OVER[over], dict(facts)), *found] if over in _OVER else found


# The log keeps what is said here of ten thousand events; what most of them say is the same.


@lru_cache(maxsize=256)
def _priority(priority: int) -> dict[str, Any]:
    return {"priority": priority}


@lru_cache(maxsize=256)
def _worker(worker_id: str) -> dict[str, Any]:
    return {"worker_id": worker_id}


def _discarded(job: Job, operation: str, facts: dict[str, Any]) -> Caused:
    if operation == life.EXPIRE and "timeout_kind" not in facts:
        return [("job.expired", _expired(job))]
    discarded = ("job.discarded", {"total_attempts": job.attempt, "last_error": job.error or {}})
    if operation in {life.EXPIRE, life.DROP}:
        return [discarded]
    exhausted = [("job.retry_exhausted", discarded[1])] if job.tries >= job.max_attempts else []
    return [*_failed(job, facts), *exhausted, discarded]


def _failed(job: Job, facts: dict[str, Any]) -> Caused:
    return [("job.failed", facts | {"error": job.error or {}})]


def _retrying(job: Job) -> dict[str, Any]:
    return {
        "max_attempts": job.max_attempts,
        "next_retry_at": format_time(job.next_attempt_at or 0),
        "retry_delay_ms": job.retry_delay,
        "error": job.error or {},
    }


def _expired(job: Job) -> dict[str, Any]:
    expires = job.expires_at or 0
    return {
        "created_at": format_time(job.created_at),
        "expired_at": format_time(expires),
        "ttl_ms": max(0, expires - job.created_at),
    }
