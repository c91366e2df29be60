"""Where the subjects hear of jobs: each stage of a job's way with a cheap test whether a subject is concerned at all.

The order is part of the rules. A job that uses no extension meets these tests and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine import lifecycle as life
from engine.job import Job
from engine.operations import InOrder, Plan, Pushed
from engine.queue_config import DEFAULTS

if TYPE_CHECKING:
    from engine.events import Event
    from engine.subjects import Subjects

_OUTSIDE: Final = frozenset({life.NEW, life.DISCARDED})
"""The states in which a job takes up no room in its queue, and from which it may come back."""


class Hooks:
    """Everything that the kernel and the operations call.

    Args:
        subjects: Whom to tell.
    """

    def __init__(self, subjects: Subjects) -> None:
        self.subjects = subjects
        # Those that every job meets, at hand.
        self.queues = subjects.queues
        self.retention = subjects.retention
        self.extensions = subjects.extensions
        self.store = subjects.kernel.store
        self.settings = subjects.kernel.settings
        kernel, operations = subjects.kernel, subjects.operations
        operations.guards.append(self.guard)
        operations.settlers.append(self.settle)
        operations.admits.append(self.admit)
        operations.closed = self.closed
        operations.ack_guards.append(self.check_output)
        operations.may_fetch = self.may_fetch
        operations.starting = self.starting
        operations.plan = self.plan
        operations.held_back = self.held_back
        operations.prune = subjects.retention.prune
        kernel.turn = self.turn
        kernel.kept_until = subjects.retention.kept_until
        kernel.listeners.append(self.moved)
        kernel.removed.append(self.removed)
        kernel.transferred.append(self.transferred)
        kernel.events.listeners.append(self.hear)
        kernel.events.listening = "webhook_index" in self.store.kinds
        kernel.events.count = subjects.figures.count
        subjects.queues.configured.append(subjects.retention.configured)
        subjects.queues.deleted.append(self.forget_queue)
        subjects.retention.holds.append(self.hold)

    # PUSH

    def guard(self, job: Job) -> Pushed | None:
        """Let a new job pass, refuse it (raise), or answer with another one; nothing is written."""
        all_ = self.subjects
        # Before uniqueness: what is refused must not have replaced anything.
        answer = self.extensions.guard(job)
        if answer is not None:
            return answer
        config = self.queues.guard(job)
        if (job.meta is not None and "tenant_id" in job.meta) or "Tenants.required" in self.settings:
            all_.tenants.guard(job)
        if job.rate_limit is not None:
            all_.limits.guard(job)
        # A job that its own policy answers with an older one needs no room: unique goes before backpressure.
        if job.unique is not None:
            answer = all_.unique.guard(job)
            if answer is not None:
                return answer
        if config is not DEFAULTS:
            all_.backpressure.guard(job)
        return None

    def settle(self, job: Job) -> None:
        """Write what the admission of a job entails."""
        all_ = self.subjects
        self.queues.settle(job)
        if job.meta is not None and job.tenant is not None:
            all_.tenants.settle(job)
        if job.limit_key is not None:
            all_.limits.settle(job)
        if job.unique is not None:
            all_.unique.settle(job)
        if not self.queues.is_plain(job.queue):
            all_.backpressure.settle(job)
        # The stamp comes last of all, so that no fingerprint ever contains it.
        if job.hints is not None:
            all_.extensions.stamp(job)

    # FETCH and ACK

    def may_fetch(self, worker_id: str, queues: list[str]) -> bool:
        """Note a worker's FETCH, and tell whether it gets anything."""
        return self.subjects.workers.may_fetch(worker_id, queues)

    def plan(self, queues: list[str], worker_id: str | None, wish: dict[str, Any]) -> Plan:
        """Which queues a FETCH asks."""
        if wish or ("pool" in self.store.kinds and self.store.records("pool")):
            return self.subjects.pools.plan(queues, worker_id, wish)
        return InOrder(queues)

    def closed(self, queue: str) -> bool:
        """Whether a queue hands out nothing now."""
        queues = self.queues
        if "maintenance" in self.store.kinds and self.store.record("maintenance", "mode") is not None:
            return True
        return queues.paused(queue) or (
            not queues.is_plain(queue) and (queues.full(queue) or self.subjects.limits.closed(queue))
        )

    def held_back(self, job: Job) -> bool:
        """Whether a scheduled job whose time has come waits for the end of a maintenance."""
        return "maintenance" in self.store.kinds and self.subjects.maintenance.holds(job)

    def admit(self, job: Job) -> bool:
        """Whether a waiting job may be claimed now."""
        all_ = self.subjects
        return (
            (job.limit_key is None or all_.limits.admit(job))
            and (job.meta is None or job.tenant is None or all_.tenants.admit(job))
            and (job.cron_name is None or all_.cron.admit(job))
        )

    def starting(self, job: Job) -> bool:
        """The last word on a claimed job; False when it has been moved elsewhere."""
        if job.limit_key is None and self.queues.is_plain(job.queue):
            return True
        return self.subjects.limits.starting(job)

    def check_output(self, job: Job, result: Any, has_result: bool) -> None:
        """Refuse a result that the job's own schema does not allow."""
        if job.extra is not None:
            self.subjects.extensions.check_output(job, result, has_result)

    # moves

    def turn(self, job: Job) -> int:
        """A job's turn within its priority; most have none."""
        if "setting" not in self.store.kinds:
            return 0
        if self.store.record("setting", "tenant_fairness") is None and (
            not job.attempt or self.queues.is_plain(job.queue)
        ):
            return 0
        return self.subjects.fairness.turn(job)

    def moved(self, job: Job, was: str, operation: str) -> None:
        """A job has made a move."""
        all_ = self.subjects
        state = job.state
        ended = state in life.TERMINAL
        kinds = self.store.kinds
        if ended:
            self.queues.ended(job.queue)
        if job.limit_key is not None:
            all_.limits.moved(job, was, operation)
        if job.meta is not None and job.tenant is not None:
            all_.tenants.moved(job, was, operation)
        if job.turn > 0 and operation == life.FETCH:
            all_.fairness.served(job)
        if job.pool is not None:
            all_.pools.moved(job, was)
        weighed = "setting" in kinds or "pressure" in kinds
        if weighed and (ended or was in _OUTSIDE) and self._weighs(job.queue):
            all_.backpressure.moved(job, was)
        if job.dead_letter:
            self.retention.buried(job)
            all_.dead_letters.added(job)
        if job.cron_name is not None:
            all_.cron.moved(job, was)
        if job.workflow_id is not None:
            all_.workflows.moved(job, was, operation)
        if job.extra is not None or job.result_ttl is not None:
            all_.extensions.moved(job, was)

    def _weighs(self, queue: str) -> bool:
        """Whether a queue is bounded, or has been."""
        return not self.queues.is_plain(queue) or (
            "pressure" in self.store.kinds and self.store.record("pressure", queue) is not None
        )

    def removed(self, job: Job) -> None:
        """A job has been deleted."""
        all_ = self.subjects
        if job.limit_key is not None:
            all_.limits.removed(job)
        if job.tenant is not None:
            all_.tenants.removed(job)
        all_.extensions.removed(job)

    def transferred(self, job: Job, before: str) -> None:
        """A job has changed queues."""
        all_ = self.subjects
        if job.tenant is not None:
            all_.tenants.transferred(job, before)
        if self._weighs(before) or self._weighs(job.queue):
            all_.backpressure.transferred(job, before)

    def forget_queue(self, queue: str) -> None:
        """A queue is gone, and all that was known of it."""
        all_ = self.subjects
        all_.figures.forget_queue(queue)
        all_.fairness.forget(queue)
        all_.backpressure.forget(queue)
        all_.limits.forget(queue)

    def hold(self, job: Job) -> int | None:
        """Until when a job that has ended must be kept for its result."""
        return None if job.result_ttl is None else self.subjects.extensions.results.hold(job)

    def hear(self, event: Event) -> None:
        """Something has happened: webhooks may want to tell it."""
        if self.store.record("webhook_index", "subscriptions") is not None:
            self.subjects.extensions.deliveries.hear(event)
