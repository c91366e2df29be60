"""Priority after enqueue: changed while a job waits, and counted by queue (OJS Priority 8, 10).

Higher goes first and 0 is the default, as the core and the suite have it.
"""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import check_priority
from engine.errors import Conflict
from engine.job import Job
from engine.kernel import Kernel

CHANGEABLE: Final = (life.AVAILABLE, life.SCHEDULED)
_KIND: Final = "priorities"


class Priorities:
    """The priorities of waiting jobs.

    Args:
        kernel: Store, events; its moves keep the counts.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def change(self, job_id: Any, value: Any) -> tuple[Job, int]:
        """Give a waiting job another priority; it keeps its place in time (8.1).

        Args:
            job_id: The job.
            value: The new priority, -100 to 100.

        Returns:
            The job, and its priority before.

        Raises:
            NotFound: No such job.
            Conflict: It is neither available nor scheduled.
            InvalidRequest: No such priority.
        """
        priority = check_priority(value)
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            if job.state not in CHANGEABLE:
                raise Conflict(
                    f"The priority of a job that is {job.state} cannot change (OJS Priority 8.1).",
                    details={
                        "job_id": job.id,
                        "current_state": job.state,
                        "allowed_states": list(CHANGEABLE),
                    },
                )
            before = job.priority
            self._count(job, job.queue, -1)
            job.priority = priority
            self._count(job, job.queue, 1)
            self.kernel.store.save(job, job.state)
            facts = {"previous_priority": before, "new_priority": priority}
            self.kernel.emit_job("priority.changed", job, facts, self.kernel.now())
        return job, before

    def counts(self, queue: str) -> dict[str, int]:
        """How many available jobs of a queue have each priority, the highest first (10.3)."""
        record = self.kernel.store.record(_KIND, queue) or {}
        return {name: record[name] for name in sorted(record, key=int, reverse=True) if record[name]}

    def forget(self, queue: str) -> None:
        """Drop the counts of a queue that is gone."""
        self.kernel.store.delete_record(_KIND, queue)

    def moved(self, job: Job, was: str) -> None:
        """Count a job that became available, or no longer is; one of the two."""
        if job.state != was:
            self._add(job, job.queue, 1 if job.state == life.AVAILABLE else -1)

    def transferred(self, job: Job, before: str) -> None:
        """Count a job in its new queue."""
        self._count(job, before, -1)
        self._count(job, job.queue, 1)

    def _count(self, job: Job, queue: str, change: int) -> None:
        if job.state == life.AVAILABLE:
            self._add(job, queue, change)

    def _add(self, job: Job, queue: str, change: int) -> None:
        store = self.kernel.store
        record = store.record(_KIND, queue) or {}
        name = str(job.priority)
        try:
            count = record[name] + change
        except KeyError:
            count = change
        if count:
            record[name] = count
        else:
            del record[name]
        store.put_record(_KIND, queue, record)
