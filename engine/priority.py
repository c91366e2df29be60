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


class Priorities:
    """The priorities of waiting jobs.

    Args:
        kernel: Store, events.
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
            self.kernel.store.prioritise(job, priority)
            facts = {"previous_priority": before, "new_priority": priority}
            self.kernel.emit_job("priority.changed", job, facts, self.kernel.now())
        return job, before

    def counts(self, queue: str) -> dict[str, int]:
        """How many available jobs of a queue have each priority, the highest first (10.3)."""
        counts = self.kernel.store.priorities(queue)
        return {str(priority): counts[priority] for priority in sorted(counts, reverse=True)}
