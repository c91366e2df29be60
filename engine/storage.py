"""The storage protocol: the few short steps from which every operation is made.

An operation reads what it needs, checks everything, and only then writes, inside one `Store.transaction`.
So a refused operation has written nothing, on every store. Stores know the envelope's fields and the queue
order; they know no rule of the life cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from engine.job import Job

Admit = Callable[[Job], bool]
"""Says whether a job may be claimed now (limits); one that may not keeps its place in the queue.

Its answer is the same for all jobs of one `Job.lane`; it may write records, but must not touch jobs.
"""


class Store(Protocol):
    """Where jobs and the server's other records live. Instants are integer milliseconds.

    Attributes:
        kinds: At least the kinds of which there is a record. Asking it is the cheap first step on every job's way:
            what nobody has ever configured need not be looked up.
    """

    kinds: Container[str]

    def transaction(self) -> AbstractContextManager[None]:
        """All writes inside it happen, or none; transactions do not overlap."""
        ...

    # jobs

    def get(self, job_id: str) -> Job | None:
        """The job, to be changed and given back by `save`, or None."""
        ...

    def add(self, job: Job) -> None:
        """Insert a new job, whose id is known to be free."""
        ...

    def save(self, job: Job, was: str) -> None:
        """Write a changed job; ``was`` is its state before the change."""
        ...

    def delete(self, job: Job) -> None:
        """Remove a job and its unique key."""
        ...

    def move_queue(self, job: Job, queue: str) -> None:
        """Put a job into another queue; state, priority and place in time stay."""
        ...

    def prioritise(self, job: Job, priority: int) -> None:
        """Give a job another priority; state, queue and place in time stay."""
        ...

    def priorities(self, queue: str) -> dict[int, int]:
        """How many available jobs of a queue have each priority; only those that any has."""
        ...

    def delete_queue(self, queue: str) -> None:
        """Forget a queue that has no job."""
        ...

    def claim(self, queue: str, admit: Admit | None) -> Job | None:
        """The available job of this queue that goes first, or None; not yet changed.

        Order: `Job.urgency`, highest first; then `Job.turn` and `Job.seq`, lowest first.
        """
        ...

    def next_seq(self) -> int:
        """The next place in the order of all queues."""
        ...

    def holder(self, unique_key: str, states: Iterable[str], after: int | None) -> Job | None:
        """The newest job with this unique key in one of these states, created after an instant; or None."""
        ...

    def holders(self, limit: int) -> list[Job]:
        """Of the unique keys seen last, the newest job in each state that has one."""
        ...

    def counts(self, queue: str | None = None) -> dict[str, int]:
        """How many jobs are in each state, in one queue or in all; every state is present."""
        ...

    def queues(self) -> list[str]:
        """Names of all queues that have ever had a job, in alphabetical order."""
        ...

    def oldest(self, queue: str, state: str) -> Job | None:
        """The job of this queue that has been in this state for longest, or None.

        Dead letters have a list of their own and do not count as discarded here.
        """
        ...

    def dead_letters(self, queue: str | None = None, *, newest: bool = True) -> Iterator[Job]:
        """Dead letters (`Job.dead_letter`) in the order in which they died, of one queue or of all."""
        ...

    def dead_count(self, queue: str | None = None) -> int:
        """How many dead letters there are, in one queue or in all."""
        ...

    def dead_tally(self) -> dict[str, dict[str, int]]:
        """How many dead letters there are by queue and, within it, by the type of their error."""
        ...

    def jobs(
        self,
        *,
        states: Iterable[str] | None = None,
        queue: str | None = None,
        type: str | None = None,  # noqa: A002 - the envelope's own name
        keep: Callable[[Job], bool] | None = None,
        limit: int = 50,
        offset: int = 0,
        newest: bool = True,
    ) -> list[Job]:
        """A page of jobs in the order in which they were created; of one state, in which they entered it.

        Args:
            states: Only these states; None for all.
            queue: Only this queue.
            type: Only this job type.
            keep: A further test.
            limit: Most jobs returned.
            offset: How many that match are passed over first.
            newest: Newest first, else oldest first.
        """
        ...

    # time

    def next_due(self) -> int | None:
        """The earliest instant at which a job or a timer is due, or None."""
        ...

    def pop_due(self, now: int) -> tuple[int, str, str] | None:
        """The earliest thing due at or before ``now`` as (instant, kind, key), or None.

        Kind ``job`` means the job with that id; any other was set by `set_timer` and is taken off.
        """
        ...

    def set_timer(self, kind: str, key: str, at: int | None) -> None:
        """Set, move or (with None) remove the one timer of this kind and key."""
        ...

    # other records: queues, cron entries, workflows, workers, schemas

    def record(self, kind: str, key: str) -> dict[str, Any] | None:
        """A record, or None. The caller may change it and must give it back by `put_record`."""
        ...

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Insert or replace a record."""
        ...

    def delete_record(self, kind: str, key: str) -> bool:
        """Remove a record; whether there was one."""
        ...

    def records(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """All records of a kind as (key, value), in the order in which they were first put."""
        ...

    def clear(self) -> None:
        """Remove everything."""
        ...
