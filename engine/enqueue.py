"""PUSH: from a request to stored jobs, one or a whole batch, all or nothing (OJS Core 7.1).

Two passes. First every job is read and shown to the guards, which may refuse it: nothing is written yet. Then
each is settled (what its admission entails: the replaced job goes, the oldest one is dropped) and stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from engine import envelope
from engine import lifecycle as life
from engine.envelope import refuse
from engine.errors import BatchTooLarge, Duplicate, OJSError
from engine.job import Job
from engine.kernel import Kernel

MAX_BATCH: Final = 10_000
"""Most jobs in one request; the standard asks for 1,000 at least (OJS Conformance L4-BULK-002)."""


class Pushed(NamedTuple):
    """What PUSH did.

    Args:
        job: The new job, or the one that was there already.
        duplicate: Whether a uniqueness policy answered with the job that was there already.
        dropped: Whether enqueue middleware quietly dropped the job; it is not stored then.
    """

    job: Job
    duplicate: bool = False
    dropped: bool = False


Guard = Callable[[Job], "Pushed | None"]
"""Sees each new job before it is stored: may change or refuse it (raise), or answer with another job.

It writes nothing, since a later guard, or a later job of the batch, may still be refused.
"""

Settler = Callable[[Job], None]
"""Writes what the admission of a job entails; nothing can refuse the job any more."""


class Ahead:
    """The jobs of the batch at hand that have passed the guards and are not stored yet.

    Attributes:
        by_id: All of them by id.
        by_key: The latest one with each unique key.
        queues: How many there are in each queue.
        sizes: Their bytes in each queue.
        tenants: How many each tenant has.
        waiting: How many of those are scheduled for later.
    """

    __slots__ = ("by_id", "by_key", "queues", "sizes", "tenants", "waiting")

    def __init__(self) -> None:
        self.by_id: dict[str, Job] = {}
        self.by_key: dict[str, Job] = {}
        self.queues: Counter[str] = Counter()
        self.sizes: Counter[str] = Counter()
        self.tenants: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()

    def add(self, job: Job, now: int) -> None:
        """Note one that has passed."""
        self.by_id[job.id] = job
        self.queues[job.queue] += 1
        self.sizes[job.queue] += job.size
        if job.unique_key is not None:
            self.by_key[job.unique_key] = job
        if job.tenant is not None:
            self.tenants[job.tenant] += 1
            self.waiting[job.tenant] += job.scheduled_at is not None and job.scheduled_at > now


class Enqueue:
    """PUSH over one kernel.

    Args:
        kernel: Store, time, randomness, events.

    Attributes:
        guards: Run in order on each new job; enqueue middleware, schemas, limits and uniqueness.
        settlers: Run in order on each admitted job, just before it is stored.
        ahead: What the batch at hand will have stored by then.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.guards: list[Guard] = []
        self.settlers: list[Settler] = []
        self.ahead = Ahead()

    def push(self, body: Any) -> Pushed:
        """Enqueue one job (OJS Core 7.1).

        Args:
            body: The envelope as JSON values; see `engine.envelope.read`.

        Raises:
            OJSError: The envelope is not valid, a guard refuses it, or its id is taken; nothing has changed.
        """
        with self.kernel.store.transaction():
            now = self.kernel.now()
            job, pending = self._read(body, now)
            return self._ask(job) or self._store(job, now, pending=pending)

    def push_many(self, bodies: Any, limit: int = MAX_BATCH) -> list[Pushed]:
        """Enqueue a batch, all of it or nothing (OJS HTTP Binding 9.2).

        Args:
            bodies: A list of 1 to ``limit`` envelopes.
            limit: Most jobs.

        Returns:
            One answer for each envelope, in their order.

        Raises:
            BatchTooLarge: More than ``limit``.
            OJSError: One job is refused; ``details.index`` says which. Nothing has changed.
        """
        check_batch(bodies, limit, "jobs")
        with self.kernel.store.transaction():
            passed: list[tuple[Job, bool, Pushed | None]] = []
            try:
                for index, body in enumerate(bodies):
                    passed.append(self._pass(index, body))
            finally:
                self.ahead = Ahead()
            now = self.kernel.now
            return [answer or self._store(job, now(), pending=pending) for job, pending, answer in passed]

    def _pass(self, index: int, body: Any) -> tuple[Job, bool, Pushed | None]:
        try:
            job, pending = self.read(body)
            answer = self._ask(job)
        except OJSError as error:
            error.message = f"The job at index {index} is refused, and the batch with it: {error.message}"
            error.args = (error.message,)
            error.details = {"index": index, **error.details}
            raise
        if answer is None:
            self.ahead.add(job, self.kernel.now())
        return job, pending, answer

    def read(self, body: Any) -> tuple[Job, bool]:
        """The job of an enqueue request, checked but not stored, and whether it is to be staged."""
        return self._read(body, self.kernel.now())

    def _read(self, body: Any, now: int) -> tuple[Job, bool]:
        job, pending = envelope.read(body, now, self.kernel.ids.uuid7)
        if job.id in self.ahead.by_id or self.kernel.store.get(job.id) is not None:
            raise Duplicate(
                f"There is a job with the id '{job.id}' already (OJS Core 7.1).",
                details={"existing_job_id": job.id, "field": "id"},
            )
        return job, pending

    def accept(self, job: Job, *, pending: bool = False) -> Pushed:
        """Run the guards on a checked job and store it in its first state."""
        return self._ask(job) or self._store(job, self.kernel.now(), pending=pending)

    def _ask(self, job: Job) -> Pushed | None:
        for guard in self.guards:
            answer = guard(job)
            if answer is not None:
                return answer
        return None

    def _store(self, job: Job, now: int, *, pending: bool) -> Pushed:
        for settle in self.settlers:
            settle(job)
        waits = job.scheduled_at is not None and job.scheduled_at > now
        self.kernel.admit(job, life.PENDING if pending else life.SCHEDULED if waits else life.AVAILABLE, now)
        return Pushed(job)


def check_batch(items: Any, limit: int, field_name: str) -> Sequence[Any]:
    """The items of a bulk request.

    Raises:
        InvalidRequest: Not a list, or an empty one.
        BatchTooLarge: More than ``limit`` items (OJS Bulk Operations 9.1).
    """
    if not isinstance(items, list) or not items:
        raise refuse(field_name, items, f"must be an array of 1 to {limit} items", "OJS HTTP Binding 9.2")
    if len(items) > limit:
        raise BatchTooLarge(
            f"'{field_name}' has {len(items)} items; the limit is {limit} (OJS Bulk Operations 9.1).",
            details={"size": len(items), "max_batch_size": limit},
        )
    return items
