"""What a timeout says: the error on the job and the facts of its event (OJS Timeouts 8, 11.1). Pure values."""

from __future__ import annotations

from typing import Any, Final

from engine import failure
from engine.job import Job

_TYPES: Final = {
    "execution": "timeout",
    "stalled": "stalled",
    "total": "total_timeout",
    "enqueue_ttl": "enqueue_ttl_expired",
}
_TEXTS: Final = {
    "execution": "Attempt {attempt} ran longer than its timeout of {limit} s.",
    "stalled": "No heartbeat named the job for {limit} s.",
    "total": "The job was not finished within its total timeout of {limit} s.",
    "enqueue_ttl": "No worker started the job within its enqueue TTL of {limit} s.",
}
KINDS: Final = frozenset(_TYPES)
"""The job's limits that leave an error of their own."""


def _seconds(ms: int) -> int | float:
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


def _measure(job: Job, kind: str) -> tuple[int, int]:
    """Limit and start of what is measured, milliseconds."""
    if kind == "execution":
        return job.timeout or 0, job.started_at or 0
    if kind == "stalled":
        return job.heartbeat_timeout or 0, job.beat_at or 0
    if kind == "total":
        return job.total_timeout or 0, job.created_at
    return job.enqueue_ttl or 0, job.created_at


def facts(job: Job, kind: str, now: int) -> dict[str, Any]:
    """``timeout_kind``, ``limit_seconds`` and ``elapsed_seconds`` of a timeout (OJS Timeouts 8).

    Args:
        job: The job, before the move.
        kind: One of `KINDS`.
        now: The instant, milliseconds.
    """
    limit, start = _measure(job, kind)
    return {
        "timeout_kind": kind,
        "limit_seconds": _seconds(limit),
        "elapsed_seconds": _seconds(now - start),
    }


def error(job: Job, kind: str, now: int) -> failure.Error:
    """The error that a timeout leaves on the job; retryable, unless the policy lists its type."""
    measured = facts(job, kind, now)
    text = _TEXTS[kind].format(attempt=job.attempt, limit=measured["limit_seconds"])
    return failure.server_error(_TYPES[kind], text) | measured
