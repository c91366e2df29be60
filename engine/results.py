"""Results: how long one is kept, and what a client is told of it (OJS Results); `engine.result_size` has its size.

A job that names a ``result_ttl`` has its result removed by a timer, and is itself kept until then; any other keeps its
result for as long as the job is kept, so that most jobs need no timer.
"""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.errors import ResultPruned, WaitTimeout
from engine.job import DEFAULT_RESULT_TTL, Job
from engine.kernel import Kernel
from engine.times import FOREVER, SECOND, format_time

TIMER: Final = "result"
LOOK_AGAIN: Final = 60 * SECOND
"""When a result whose time is over is looked at again because its workflow goes on, milliseconds."""
ENDED: Final = frozenset({"completed", "failed", "cancelled"})
"""States of a workflow that nothing leads out of."""


class Results:
    """Retention and retrieval of results.

    Args:
        kernel: Store, time, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def ended(self, job: Job, now: int) -> None:
        """Set the timer that removes the outcome of a job that has just ended and names a retention."""
        if job.result_ttl is not None and (job.result_ttl > 0 or (job.result_ttl == 0 and job.has_result)):
            self.kernel.store.set_timer(TIMER, job.id, now + job.result_ttl * SECOND)

    @staticmethod
    def hold(job: Job) -> int | None:
        """Until when a job must be kept for its result, milliseconds; a hold of `engine.retention.Retention`.

        Returns:
            None when the job names no retention of its own; `FOREVER` when it asks that the result never go.
        """
        if job.result_ttl is None:
            return None
        until = expires_at(job)
        return FOREVER if until is None else until

    def prune(self, job_id: str, instant: int) -> None:
        """Remove a result or an error whose time has come; nothing if the job is gone or runs again."""
        with self.kernel.store.transaction():
            job = self.kernel.store.get(job_id)
            expires = None if job is None else expires_at(job)
            if job is None or job.state not in life.TERMINAL or expires is None or instant < expires:
                return
            if self._wanted(job):
                self.kernel.store.set_timer(TIMER, job.id, self.kernel.now() + LOOK_AGAIN)
                return
            job.result = job.result_size = None
            job.has_result = False
            job.result_pruned = True
            self.kernel.store.save(job, job.state)
            self.kernel.emit_job("result.pruned", job, {}, self.kernel.now())

    def _wanted(self, job: Job) -> bool:
        """Whether a workflow that goes on may still read it (OJS Results 9.1)."""
        record = self.kernel.store.record("workflow", job.workflow_id) if job.workflow_id else None
        return record is not None and record["state"] not in ENDED

    def outcome(self, job_id: str, *, wait: bool = False) -> dict[str, Any]:
        """What became of a job (OJS Results 8.2).

        Args:
            job_id: The job.
            wait: Whether the caller would have waited; the engine itself never does.

        Returns:
            ``{job_id, state, result, error?, …}``; ``result`` is None while the job has not ended.

        Raises:
            NotFound: No such job.
            ResultPruned: Its result is gone.
            WaitTimeout: It has not ended, and the caller asked to wait.
        """
        job = self.kernel.job(job_id)
        if job.result_pruned:
            raise ResultPruned(
                f"The result of job '{job.id}' expired at {format_time(expires_at(job) or 0)}.",
                details={"resource_type": "result", "resource_id": job.id},
            )
        if wait and job.state not in life.TERMINAL:
            raise WaitTimeout(
                f"Job '{job.id}' is still {job.state} (OJS Results 8.2).",
                details={"job_id": job.id, "current_state": job.state},
            )
        return {"job_id": job.id, **summary(job)}

    def outcomes(self, job_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Outcomes of many jobs by id, None where there is no result (OJS Results 9.3)."""
        found: dict[str, dict[str, Any]] = {}
        for job_id in job_ids:
            job = self.kernel.store.get(job_id)
            found[job_id] = {"state": None, "result": None} if job is None else summary(job)
        return found


def expires_at(job: Job) -> int | None:
    """When the outcome of an ended job may be removed, milliseconds; None for never."""
    ttl = DEFAULT_RESULT_TTL if job.result_ttl is None else job.result_ttl
    ended = job.completed_at or job.cancelled_at or job.discarded_at
    return None if ttl < 0 or ended is None else ended + ttl * SECOND


def summary(job: Job) -> dict[str, Any]:
    """State, result and, of a discarded job, its error."""
    body: dict[str, Any] = {"state": job.state, "result": job.result if job.has_result else None}
    if job.state == life.DISCARDED and job.error is not None:
        body["error"] = job.error
    expires = expires_at(job)
    if job.has_result and expires is not None:
        body["result_expires_at"] = format_time(expires)
    if job.result_size is not None:
        body["result_stored_at"] = format_time(job.completed_at or job.discarded_at or 0)
        body["result_size_bytes"] = job.result_size
    return body
