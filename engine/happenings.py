"""Which events each move of the transition table causes (OJS Events 3.1, 3.2, 4.1): one function a target."""

from __future__ import annotations

from typing import Any

from engine import lifecycle as life
from engine.job import Job
from engine.times import format_time

Caused = list[tuple[str, dict[str, Any]]]
"""Event types with their data."""


def caused_by(job: Job, operation: str, facts: dict[str, Any]) -> Caused:
    """The events of one move.

    Args:
        job: The job after the move.
        operation: The row's operation.
        facts: What only the caller knows, e.g. ``duration_ms``.
    """
    state = job.state
    if state == life.AVAILABLE:
        if operation == life.RESERVATION:
            return [*_failed(job, facts), *_available(job)]
        return _available(job)
    if state == life.ACTIVE:
        return [("job.started", {"worker_id": job.worker_id or ""})]
    if state == life.COMPLETED:
        return [("job.completed", facts | ({"result": job.result} if job.has_result else {}))]
    if state == life.SCHEDULED:
        return [("job.scheduled", {"scheduled_at": format_time(job.scheduled_at or 0)})]
    if state == life.PENDING:
        return [("job.pending", {})]
    if state == life.RETRYABLE:
        return [*_failed(job, facts), ("job.retrying", _retrying(job))]
    if state == life.CANCELLED:
        return [("job.cancelled", facts)]
    if operation == life.EXPIRE:
        return [("job.expired", _expired(job))]
    discarded = {"total_attempts": job.attempt, "last_error": job.error or {}}
    return [*_failed(job, facts), ("job.discarded", discarded)]


def _available(job: Job) -> Caused:
    data: dict[str, Any] = {"priority": job.priority}
    if job.unique_key is not None:
        data["unique_key"] = job.unique_key
    return [("job.enqueued", data)]


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
