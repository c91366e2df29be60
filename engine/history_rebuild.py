"""A job's path worked out again from the job as it is, where its own was lost (OJS Execution History 9.5).

The record of a job has the times of its creation, of its last start, of each error and of its end. What lies between
is supplied so that every move is legal; what had to be guessed is said.
"""

from __future__ import annotations

from typing import Final

from engine import lifecycle as life
from engine.job import Job, Move
from engine.times import parse_time

_RUNNING: Final = {
    "visibility_timeout": life.RESERVATION,
    "worker_death": life.RESERVATION,
    "timeout": life.TIMEOUT,
    "stalled": life.TIMEOUT,
    "total_timeout": life.TIMEOUT,
}
"""What ended an attempt, by the type of the server's own errors; workers' errors are FAIL."""
_WAITING: Final = {
    "overflow": life.DROP,
    "rate_limited": life.DROP,
    "queue_deleted": life.DROP,
    "enqueue_ttl_expired": life.EXPIRE,
    "total_timeout": life.EXPIRE,
}
"""What ended a job while it waited."""


def rebuild(job: Job) -> tuple[list[Move], list[str]]:
    """The moves that lead to the job as it is, oldest first, and what of them is estimated."""
    path = _Path(job)
    for error in job.errors or []:
        path.fail(error["attempt"], error["type"], parse_time(error["timestamp"]))
    path.end()
    if job.handed_back:
        path.gaps.append(f"{job.handed_back} attempts were handed back; when, is not kept")
    return path.moves, path.gaps


class _Path:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.gaps: list[str] = []
        self.attempt = 0
        first = life.AVAILABLE
        if job.state == life.PENDING or job.activated_at is not None:
            first = life.PENDING
        elif job.scheduled_at is not None and job.scheduled_at > job.created_at:
            first = life.SCHEDULED
        self.moves: list[Move] = [(job.created_at, life.PUSH, first)]

    @property
    def state(self) -> str:
        return self.moves[-1][2]

    def _go(self, at: int, operation: str, state: str) -> None:
        self.moves.append((max(at, self.moves[-1][0]), operation, state))

    def _ready(self, at: int) -> None:
        """Into its queue, by the only way from where it is."""
        if self.state == life.PENDING:
            self._go(self.job.activated_at or at, life.ACTIVATE, life.AVAILABLE)
        elif self.state == life.SCHEDULED:
            self._go(self.job.scheduled_at or at, life.DUE, life.AVAILABLE)
        elif self.state == life.RETRYABLE:
            self._go(at, life.DUE, life.AVAILABLE)
        elif self.state == life.DISCARDED:
            self._go(at, life.RETRY, life.AVAILABLE)
            self.attempt = 0

    def fail(self, attempt: int, kind: str, at: int) -> None:
        """An error of the job's list: the attempt that it ended."""
        if attempt == self.attempt and kind in _WAITING:
            self._go(at, _WAITING[kind], life.DISCARDED)
            return
        if attempt <= self.attempt and self.state != life.DISCARDED:
            # Its numbers start again: it had been discarded, and was brought back by hand.
            self.moves[-1] = (self.moves[-1][0], life.FAIL, life.DISCARDED)
        self._ready(at)
        self.attempt = attempt
        self.gaps.append(f"the start of attempt {attempt} is taken to be the moment of its failure")
        self._go(at, life.FETCH, life.ACTIVE)
        operation = _RUNNING.get(kind, life.FAIL)
        last = self.job.state == life.DISCARDED and at == self.job.discarded_at
        after = life.AVAILABLE if operation == life.RESERVATION else life.RETRYABLE
        self._go(at, operation, life.DISCARDED if last else after)

    def end(self) -> None:
        """From the last error to the state that the job is in."""
        job = self.job
        if job.state in {life.ACTIVE, life.COMPLETED} or job.attempt > self.attempt:
            started = job.started_at or job.created_at
            self._ready(job.enqueued_at or started)
            self._go(started, life.FETCH, life.ACTIVE)
        if job.state == self.state:
            return
        if job.state == life.COMPLETED:
            self._go(job.completed_at or 0, life.ACK, life.COMPLETED)
        elif job.state == life.CANCELLED:
            self._go(job.cancelled_at or 0, life.CANCEL, life.CANCELLED)
        elif job.state == life.DISCARDED:
            self._go(job.discarded_at or 0, life.EXPIRE, life.DISCARDED)
        elif job.state == life.AVAILABLE:
            self._ready(job.enqueued_at or 0)
