"""The operations on one job: PUSH, FETCH, ACK, FAIL, CANCEL, ACTIVATE, INFO, and what timers do (OJS Core 7).

Each checks everything first and then makes one move through the kernel, inside one transaction of the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine import envelope, failure, results
from engine import lifecycle as life
from engine.errors import Conflict, Duplicate
from engine.job import DEFAULT_TIMEOUT, Job
from engine.kernel import Kernel
from engine.storage import Admit


@dataclass(frozen=True, slots=True)
class Pushed:
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
"""Sees each new job before it is stored: may change or refuse it (raise), or answer with another job."""


Settler = Callable[[Job], None]
"""Writes what the admission of a job entails; nothing can refuse the job any more."""

AckGuard = Callable[[Job, Any, bool], None]
"""Sees an active job, its result and whether one was given, before ACK: may refuse (raise)."""


def _never(_queue: str) -> bool:
    return False


def _always(_worker_id: str, _queues: list[str]) -> bool:
    return True


def _both(one: Admit | None, other: Admit | None) -> Admit | None:
    if one is None or other is None:
        return one or other
    return lambda job: one(job) and other(job)


class Operations:
    """The operations over one kernel.

    Args:
        kernel: Store, time, randomness, events.

    Attributes:
        guards: Run in order on each new job; enqueue middleware, schemas, limits and uniqueness.
        settlers: Run in order on each admitted job, just before it is stored.
        ack_guards: Run in order on each ACK; result limits and output schemas.
        admit: Tells whether a waiting job may be claimed now, or None when there are no limits.
        closed: Tells whether a queue hands out nothing now (paused).
        may_fetch: Notes a worker's FETCH and tells whether it gets anything.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.guards: list[Guard] = []
        self.settlers: list[Settler] = []
        self.ack_guards: list[AckGuard] = []
        self.admit: Admit | None = None
        self.closed: Callable[[str], bool] = _never
        self.may_fetch: Callable[[str, list[str]], bool] = _always

    # PUSH

    def push(self, body: Any) -> Pushed:
        """Enqueue one job (OJS Core 7.1).

        Args:
            body: The envelope as JSON values; see `engine.envelope.read`.

        Raises:
            OJSError: The envelope is not valid, a guard refuses it, or its id is taken; nothing has changed.
        """
        with self.kernel.store.transaction():
            job, pending = self.read(body)
            return self.accept(job, pending=pending)

    def read(self, body: Any) -> tuple[Job, bool]:
        """The job of an enqueue request, checked but not stored, and whether it is to be staged."""
        now = self.kernel.now()
        job, pending = envelope.read(body, now, lambda: self.kernel.ids.uuid7(now))
        if self.kernel.store.get(job.id) is not None:
            raise Duplicate(
                f"There is a job with the id '{job.id}' already (OJS Core 7.1).",
                details={"existing_job_id": job.id, "field": "id"},
            )
        return job, pending

    def accept(self, job: Job, *, pending: bool = False) -> Pushed:
        """Run the guards on a checked job and store it in its first state."""
        for guard in self.guards:
            answer = guard(job)
            if answer is not None:
                return answer
        for settle in self.settlers:
            settle(job)
        now = self.kernel.now()
        waits = job.scheduled_at is not None and job.scheduled_at > now
        self.kernel.admit(job, life.PENDING if pending else life.SCHEDULED if waits else life.AVAILABLE, now)
        return Pushed(job)

    # FETCH

    def fetch(
        self,
        queues: list[str],
        count: int = 1,
        worker_id: str | None = None,
        visibility_timeout: int | None = None,
        wants: Admit | None = None,
    ) -> list[Job]:
        """Claim up to ``count`` jobs: queues from left to right, then priority, then order (OJS Core 7.2).

        Args:
            queues: Queue names, the first one first.
            count: Most jobs returned.
            worker_id: Who claims them.
            visibility_timeout: Length of the reservation, milliseconds; the job's own when None.
            wants: What this worker can take at all (tenant, versions, capabilities); everything when None.
        """
        admit = _both(wants, self.admit)
        claimed: list[Job] = []
        store = self.kernel.store
        with store.transaction():
            if worker_id is not None and not self.may_fetch(worker_id, queues):
                return []
            now = self.kernel.now()
            for queue in queues:
                if self.closed(queue):
                    continue
                while len(claimed) < count:
                    job = store.claim(queue, admit)
                    if job is None:
                        break
                    self._start(job, worker_id, visibility_timeout, now)
                    claimed.append(job)
        return claimed

    def _start(self, job: Job, worker_id: str | None, visibility_timeout: int | None, now: int) -> None:
        job.started_at = now
        job.attempt += 1
        job.worker_id = worker_id
        job.reservation = visibility_timeout or job.visibility_timeout or DEFAULT_TIMEOUT
        job.reserved_until = now + job.reservation
        job.next_attempt_at = job.retry_delay = job.progress = None
        self.kernel.move(job, life.FETCH, life.ACTIVE, now)

    # ACK, FAIL

    def ack(
        self, job_id: Any, result: Any = None, worker_id: str | None = None, *, has_result: bool = True
    ) -> Job:
        """Complete an active job and keep its result (OJS Core 7.3).

        Raises:
            NotFound: No such job.
            Conflict: It is not active, or another worker holds it.
        """
        with self.kernel.store.transaction():
            job = self._held(job_id, life.ACK, worker_id)
            for guard in self.ack_guards:
                guard(job, result, has_result)
            size = results.measure(job, result, has_result=has_result)
            now = self.kernel.now()
            duration = now - (job.started_at or now)
            job.completed_at = now
            job.result_size = size
            job.has_result = size is not None
            job.result = result if job.has_result else None
            job.error = job.checkpoint = None
            if job.progress and job.progress["progress"] is not None:
                job.progress = {**job.progress, "progress": 1.0}  # OJS Progress 8.1
            self._release(job)
            self.kernel.move(job, life.ACK, life.COMPLETED, now, duration_ms=duration)
        return job

    def fail(self, job_id: Any, error: Any, worker_id: str | None = None, *, requeue: bool = False) -> Job:
        """Record a failure; the retry policy decides what comes next (OJS Core 7.4).

        Args:
            job_id: The job.
            error: See `engine.failure.read`.
            worker_id: Checked against the holder when given.
            requeue: Hand the job back to its queue at once, as if it had not been tried.

        Raises:
            NotFound: No such job.
            Conflict: It is not active, or another worker holds it.
            InvalidRequest: The error object is malformed.
        """
        with self.kernel.store.transaction():
            job = self._held(job_id, life.FAIL, worker_id)
            read = failure.read(error)
            if requeue:
                self._release(job)
                self.kernel.move(job, life.FAIL, life.AVAILABLE, self.kernel.now())
            else:
                self._fail(job, read, life.FAIL)
        return job

    def take_back(self, job: Job, error: failure.Error) -> None:
        """Return an active job whose worker is gone to its queue, within the attempts that it has."""
        self._fail(job, error, life.RESERVATION)

    def _fail(self, job: Job, error: failure.Error, operation: str) -> None:
        now = self.kernel.now()
        duration = now - (job.started_at or now)
        job.error = error
        job.errors = [*(job.errors or [])[1 - failure.MAX_HISTORY :], failure.entry(error, job.attempt, now)]
        self._release(job)
        policy = job.retry
        final = not error["retryable"] or policy.is_final(error["type"], error["code"])
        if final or job.attempt >= policy.max_attempts:
            job.discarded_at = job.completed_at = now
            job.checkpoint = None
            job.dead_letter = policy.keeps_dead_letters
            job.retry_delay = None
            self.kernel.move(job, operation, life.DISCARDED, now, duration_ms=duration)
        elif operation == life.RESERVATION:
            job.started_at = None
            self.kernel.move(job, operation, life.AVAILABLE, now, duration_ms=duration)
        else:
            job.retry_delay = policy.delay(job.attempt, self.kernel.random)
            job.next_attempt_at = now + job.retry_delay
            self.kernel.move(job, operation, life.RETRYABLE, now, duration_ms=duration)

    def _held(self, job_id: Any, operation: str, worker_id: str | None) -> Job:
        job = self.kernel.job(job_id)
        life.require(job.state, operation)
        if worker_id is not None and job.worker_id is not None and worker_id != job.worker_id:
            raise Conflict(
                f"Job '{job.id}' is held by worker '{job.worker_id}', not by '{worker_id:.60}' (OJS Core 7.3).",
                details={"job_id": job.id, "current_state": job.state, "worker_id": job.worker_id},
            )
        return job

    @staticmethod
    def _release(job: Job) -> None:
        job.reserved_until = None
        job.reservation = None
        job.worker_id = None

    # CANCEL, ACTIVATE, RETRY, INFO

    def cancel(self, job_id: Any, **facts: Any) -> Job:
        """Stop a job for good, whatever it waits for (OJS Core 7.6).

        Args:
            job_id: The job.
            facts: ``reason`` and ``cancelled_by`` for the event.

        Raises:
            NotFound: No such job.
            Conflict: It has ended already; cancelling a cancelled job too (see the rulings).
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            life.require(job.state, life.CANCEL)
            now = self.kernel.now()
            job.cancelled_at = now
            job.next_attempt_at = job.checkpoint = None
            job.reserved_until = None
            job.reservation = None
            self.kernel.move(job, life.CANCEL, life.CANCELLED, now, **facts)
        return job

    def activate(self, job_id: Any) -> Job:
        """Let a staged job into its queue (OJS HTTP Binding 9.5).

        Raises:
            NotFound: No such job.
            Conflict: It is not pending.
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            life.require(job.state, life.ACTIVATE)
            now = self.kernel.now()
            job.activated_at = now
            self.kernel.move(job, life.ACTIVATE, life.AVAILABLE, now)
        return job

    def retry(self, job_id: Any) -> Job:
        """Put a discarded job back into its queue, as new: attempt 0, no errors (OJS Core 6.3).

        Raises:
            NotFound: No such job.
            Conflict: It is not discarded.
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            life.require(job.state, life.RETRY)
            job.attempt = 0
            job.error = job.errors = None
            job.discarded_at = job.completed_at = job.started_at = None
            job.next_attempt_at = job.retry_delay = job.expires_at = None
            job.echo = None
            job.dead_letter = job.result_pruned = False
            job.result_size = job.progress = None
            self.kernel.move(job, life.RETRY, life.AVAILABLE, self.kernel.now())
        return job

    def info(self, job_id: Any) -> Job:
        """The job as it is (OJS Core 7.7).

        Raises:
            NotFound: No such job.
        """
        return self.kernel.job(job_id)

    # timers

    def due(self, job_id: str) -> None:
        """Do what the clock demands of this job now; nothing if it has moved on meanwhile."""
        with self.kernel.store.transaction():
            job = self.kernel.store.get(job_id)
            now = self.kernel.now()
            what = job.due() if job is not None else None
            if job is None or what is None or what[0] > now:
                return
            operation = what[1]
            if operation == life.RESERVATION:
                holder = f" by worker '{job.worker_id}'" if job.worker_id else ""
                text = f"The reservation{holder} ran out without ACK or FAIL."
                self._fail(job, failure.server_error("visibility_timeout", text), operation)
            elif operation == life.TIMEOUT:
                text = f"Attempt {job.attempt} ran longer than its timeout of {job.timeout} ms."
                self._fail(job, failure.server_error("timeout", text), operation)
            elif operation == life.EXPIRE:
                job.discarded_at = now
                job.checkpoint = None
                self.kernel.move(job, operation, life.DISCARDED, now)
            else:
                if job.state == life.RETRYABLE:
                    job.next_attempt_at = None
                self.kernel.move(job, operation, life.AVAILABLE, now)
