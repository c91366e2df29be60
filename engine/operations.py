"""The operations on one job: FETCH, ACK, FAIL, CANCEL, ACTIVATE, RETRY, INFO, and what timers do (OJS Core 7).

Each checks everything first and then makes one move through the kernel, inside one transaction of the store.
PUSH is `engine.enqueue`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine import failure, timeouts
from engine import lifecycle as life
from engine.enqueue import Enqueue, Pushed
from engine.errors import Conflict
from engine.job import DEFAULT_TIMEOUT, PRUNE, Job
from engine.kernel import Kernel
from engine.result_size import measure

if TYPE_CHECKING:
    from engine.storage import Admit

__all__ = ["Operations", "Plan", "Pushed"]

_FINAL_CODES: Final = {"DISCARD": False, "FAIL": False, "DEAD_LETTER": True}
"""Codes by which a handler ends its job, and whether it is kept as a dead letter (OJS Retry 7)."""

AckGuard = Callable[[Job, Any, bool], None]
"""Sees an active job, its result and whether one was given, before ACK: may refuse (raise)."""


class Plan(Protocol):
    """Which queues one FETCH asks, and in which order."""

    def order(self) -> Iterable[str]:
        """The queues for the next job, the first one first."""
        ...

    def served(self, job: Job) -> None:
        """A job is about to start; its queue has had its turn."""
        ...


class InOrder:
    """The queues as the worker lists them, the first one first (OJS Core 7.2)."""

    __slots__ = ("_queues",)

    def __init__(self, queues: list[str]) -> None:
        self._queues = queues

    def order(self) -> Iterable[str]:
        """The queues from left to right."""
        return self._queues

    def served(self, job: Job) -> None:
        """No pool holds the job; nothing else to note."""
        job.pool = None


def _always(_worker_id: str, _queues: list[str]) -> bool:
    return True


class Operations(Enqueue):
    """The operations over one kernel.

    Args:
        kernel: Store, time, randomness, events.

    Attributes:
        ack_guards: Run in order on each ACK; output schemas.
        admits: Each tells whether a waiting job may be claimed now; all must agree. See `engine.storage.Admit`.
        closed: Tells whether a queue hands out nothing now (paused, at its limit).
        may_fetch: Notes a worker's FETCH and tells whether it gets anything.
        starting: Has the last word on a claimed job; False when it has moved it elsewhere.
        plan: Says which queues a FETCH asks.
        held_back: Tells whether a scheduled job whose time has come stays where it is for now.
        prune: Removes a job that has ended and whose time is up.
    """

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.ack_guards: list[AckGuard] = []
        self.admits: list[Admit] = []
        self.closed: Callable[[str], bool] = lambda _: False
        self.may_fetch: Callable[[str, list[str]], bool] = _always
        self.starting: Callable[[Job], bool] = lambda _: True
        self.plan: Callable[[list[str], str | None, dict[str, Any]], Plan] = lambda queues, *_: InOrder(
            queues
        )
        self.held_back: Callable[[Job], bool] = lambda _: False
        self.prune: Callable[[Job], None] = kernel.remove

    # FETCH

    def fetch(
        self,
        queues: list[str],
        count: int = 1,
        worker_id: str | None = None,
        visibility_timeout: int | None = None,
        tenant: str | None = None,
        wish: dict[str, Any] | None = None,
        wants: Admit | None = None,
    ) -> list[Job]:
        """Claim up to ``count`` jobs: queues from left to right, then priority, then order (OJS Core 7.2).

        Args:
            queues: Queue names, the first one first.
            count: Most jobs returned.
            worker_id: Who claims them.
            visibility_timeout: Length of the reservation, milliseconds; the job's own when None.
            tenant: Only this tenant's jobs (OJS Multi-Tenancy 6).
            wish: How the worker would like the queues shared: ``strategy``, ``weights``, ``pool``.
            wants: What this worker can take at all (versions, capabilities); everything when None.
        """
        claimed: list[Job] = []
        with self.kernel.store.transaction():
            if worker_id is not None and not self.may_fetch(worker_id, queues):
                return []
            now = self.kernel.now()
            plan = self.plan(queues, worker_id, wish or {})
            # Most workers take whatever comes; then the one test there is needs no other around it.
            plain = tenant is None and wants is None and len(self.admits) == 1
            admit = self.admits[0] if plain else self._suits(tenant, wants)
            while len(claimed) < count:
                job = self._claim(plan, admit)
                if job is None:
                    break
                if self.starting(job):
                    plan.served(job)
                    self._start(job, worker_id, visibility_timeout, now)
                    claimed.append(job)
        return claimed

    def _claim(self, plan: Plan, admit: Admit) -> Job | None:
        for queue in plan.order():
            if not self.closed(queue):
                job = self.kernel.store.claim(queue, admit)
                if job is not None:
                    return job
        return None

    def _suits(self, tenant: str | None, wants: Admit | None) -> Admit:
        def suits(job: Job) -> bool:
            if (tenant is not None and job.tenant != tenant) or (wants is not None and not wants(job)):
                return False
            return all(one(job) for one in self.admits)

        return suits

    def _start(self, job: Job, worker_id: str | None, visibility_timeout: int | None, now: int) -> None:
        job.started_at = job.beat_at = now
        job.attempt += 1
        job.worker_id = worker_id
        if job.holders is None:
            job.holders = [worker_id]
        else:
            job.holders.append(worker_id)
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
            size = measure(job, result) if has_result else None
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
            requeue: Hand the job back to its queue at once; this attempt does not count against the policy's.

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
                job.handed_back += 1
                self.kernel.move(job, life.FAIL, life.AVAILABLE, self.kernel.now())
            else:
                self._fail(job, read, life.FAIL)
        return job

    def take_back(self, job: Job, error: failure.Error) -> None:
        """Return an active job whose worker is gone to its queue, within the attempts that it has."""
        self._fail(job, error, life.RESERVATION)

    def _fail(self, job: Job, error: failure.Error, operation: str, **facts: Any) -> None:
        now = self.kernel.now()
        facts["duration_ms"] = now - (job.started_at or now)
        _record(job, error, now)
        self._release(job)
        policy = job.retry
        delay = policy.delay(job.tries, self.kernel.random)
        if self._is_over(job, error, now + delay, facts.get("timeout_kind")):
            job.discarded_at = job.completed_at = now
            job.checkpoint = None
            job.dead_letter = _FINAL_CODES.get(error["code"], policy.keeps_dead_letters)
            job.retry_delay = None
            self.kernel.move(job, operation, life.DISCARDED, now, **facts)
        elif operation == life.RESERVATION:
            job.started_at = None
            self.kernel.move(job, operation, life.AVAILABLE, now, **facts)
        else:
            job.retry_delay = delay
            job.next_attempt_at = now + delay
            self.kernel.move(job, operation, life.RETRYABLE, now, **facts)

    @staticmethod
    def _is_over(job: Job, error: failure.Error, next_start: int, timeout_kind: str | None) -> bool:
        """Whether no further attempt follows: the handler's word, the policy, the attempts, the total timeout."""
        if error["code"] in _FINAL_CODES or not error["retryable"] or timeout_kind == "total":
            return True
        if job.retry.is_final(error["type"], error["code"]) or job.tries >= job.max_attempts:
            return True
        # An attempt that could not finish within the total timeout is not begun (OJS Timeouts 9.1).
        return job.total_timeout is not None and job.created_at + job.total_timeout < next_start + (
            job.timeout or 0
        )

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
            self.call_off(job, **facts)
        return job

    def call_off(self, job: Job, **facts: Any) -> None:
        """`cancel`, for a job at hand, inside a transaction."""
        life.require(job.state, life.CANCEL)
        now = self.kernel.now()
        job.cancelled_at = now
        job.next_attempt_at = job.checkpoint = None
        job.reserved_until = None
        job.reservation = None
        self.kernel.move(job, life.CANCEL, life.CANCELLED, now, **facts)

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
        """Run a discarded job again as new, or cut a failed one's backoff short (OJS Core 6.3).

        A discarded job starts at attempt 0; the history of its errors stays (OJS Dead Letter 6.1).

        Raises:
            NotFound: No such job.
            Conflict: It is neither discarded nor waiting for a retry.
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            self.revive(job)
        return job

    def revive(self, job: Job) -> None:
        """`retry`, for a job at hand, inside a transaction."""
        life.require(job.state, life.RETRY)
        job.next_attempt_at = job.retry_delay = None
        if job.state == life.DISCARDED:
            job.attempt = job.handed_back = 0
            job.error = None
            job.discarded_at = job.completed_at = job.started_at = None
            job.expires_at = job.total_timeout = job.enqueue_ttl = job.echo = None
            job.dead_letter = job.result_pruned = False
            job.result_size = job.progress = None
        self.kernel.move(job, life.RETRY, life.AVAILABLE, self.kernel.now())

    def drop(self, job: Job, error: failure.Error) -> None:
        """Discard a waiting job by the server's decision: a limit, a full queue, a deleted queue.

        Raises:
            Conflict: It does not wait.
        """
        life.require(job.state, life.DROP)
        now = self.kernel.now()
        _record(job, error, now)
        job.discarded_at = now
        job.next_attempt_at = job.retry_delay = job.checkpoint = None
        self.kernel.move(job, life.DROP, life.DISCARDED, now)

    def put_off(self, job: Job, until: int) -> None:
        """Take an available job out of its queue until an instant (OJS Rate Limiting 6.2, ``reschedule``)."""
        life.require(job.state, life.LIMIT)
        job.scheduled_at = until
        self.kernel.move(job, life.LIMIT, life.SCHEDULED, self.kernel.now())

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
            what = job.deadline() if job is not None else None
            if job is None or what is None or what[0] > now:
                return
            _, operation, kind = what
            if operation == PRUNE:
                self.prune(job)
            elif operation == life.RESERVATION:
                holder = f" by worker '{job.worker_id}'" if job.worker_id else ""
                text = f"The reservation{holder} ran out without ACK or FAIL."
                self._fail(job, failure.server_error("visibility_timeout", text), operation)
            elif operation == life.TIMEOUT:
                measured = timeouts.facts(job, kind, now)
                self._fail(job, timeouts.error(job, kind, now), operation, **measured)
            elif operation == life.EXPIRE:
                self._expire(job, kind, now)
            elif job.state != life.SCHEDULED or not self.held_back(job):
                job.next_attempt_at = None
                self.kernel.move(job, operation, life.AVAILABLE, now)

    def _expire(self, job: Job, kind: str, now: int) -> None:
        measured: dict[str, Any] = {}
        if kind in timeouts.KINDS:
            measured = timeouts.facts(job, kind, now)
            _record(job, timeouts.error(job, kind, now), now)
        job.discarded_at = now
        job.next_attempt_at = job.checkpoint = None
        self.kernel.move(job, life.EXPIRE, life.DISCARDED, now, **measured)


def _record(job: Job, error: failure.Error, now: int) -> None:
    """Make an error the job's latest and add it to its history."""
    job.error = error
    job.errors = [*(job.errors or [])[1 - failure.MAX_HISTORY :], failure.entry(error, job.attempt, now)]
