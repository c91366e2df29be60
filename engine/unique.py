"""Unique jobs: a duplicate is refused, ignored, or takes the old one's place (OJS Unique Jobs).

Uniqueness is strong: the check and the insertion are one transaction, so two equal jobs never both pass.
"""

from __future__ import annotations

from typing import NamedTuple

from engine import lifecycle as life
from engine.enqueue import Pushed
from engine.errors import Duplicate
from engine.job import Job
from engine.operations import Operations
from engine.unique_policy import UniquePolicy, parse


class Lock(NamedTuple):
    """A unique key that is taken.

    Args:
        key: Fingerprint of the unique dimensions.
        job: The newest job that holds it.
        policy: That job's policy.
        until: When the policy's period ends, milliseconds; None where only the job's state frees the key.
    """

    key: str
    job: Job
    policy: UniquePolicy
    until: int | None


class Unique:
    """The guard and the settler of unique jobs.

    Args:
        operations: Whose PUSH it watches.
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.kernel = operations.kernel

    def guard(self, job: Job) -> Pushed | None:
        """Give a job its unique key, and apply its policy to the job that has the same one.

        Raises:
            InvalidRequest: The policy is not valid.
            Duplicate: The policy is to reject (OJS Unique Jobs 5.1).
        """
        if job.unique is None:
            return None
        policy = parse(job.unique, job)
        job.unique_key = policy.key
        holder = self._ahead(policy) or self._holder(policy)
        if holder is None:
            return None
        if policy.on_conflict == "ignore":
            return Pushed(holder, duplicate=True)
        if not policy.replaces:
            raise _duplicate(holder, policy)
        if holder.state in life.NON_TERMINAL:
            job.replaces = holder.id
        if policy.on_conflict == "replace_except_schedule" and _is_scheduled(holder, self.kernel.now()):
            job.scheduled_at = holder.scheduled_at
        return None

    def settle(self, job: Job) -> None:
        """Cancel what the job replaces; what has ended already stays as it is (OJS Unique Jobs 5.2)."""
        if job.unique is None:
            return
        policy = parse(job.unique, job)
        while policy.replaces:
            old = self.kernel.store.holder(
                policy.key, policy.states & life.NON_TERMINAL, policy.after(self.kernel.now())
            )
            if old is None:
                return
            self.operations.call_off(old, reason="replaced", cancelled_by=f"job:{job.id}")

    def locks(self, limit: int) -> list[Lock]:
        """The locks in force, the newest key first.

        Args:
            limit: Most holders that are looked at.
        """
        now = self.kernel.now()
        found: dict[str, Lock] = {}
        for job in self.kernel.store.holders(limit):
            policy = parse(job.unique or {}, job)
            until = None if policy.period is None else job.created_at + policy.period
            if job.state not in policy.states or (until is not None and until <= now):
                continue
            known = found.get(policy.key)
            if known is None or known.job.created_at < job.created_at:
                found[policy.key] = Lock(policy.key, job, policy, until)
        return list(found.values())

    def _ahead(self, policy: UniquePolicy) -> Job | None:
        """An equal job of the same batch; it will be scheduled or available by then."""
        job = self.operations.ahead.by_key.get(policy.key)
        if job is None:
            return None
        state = life.SCHEDULED if _is_scheduled(job, self.kernel.now()) else life.AVAILABLE
        return job if state in policy.states else None

    def _holder(self, policy: UniquePolicy) -> Job | None:
        return self.kernel.store.holder(policy.key, policy.states, policy.after(self.kernel.now()))


def _is_scheduled(job: Job, now: int) -> bool:
    return job.state in {"", life.SCHEDULED} and job.scheduled_at is not None and job.scheduled_at > now


def _duplicate(holder: Job, policy: UniquePolicy) -> Duplicate:
    return Duplicate(
        f"Job '{holder.id}' has the same unique key and is {holder.state or 'part of this batch'} "
        "(OJS Unique Jobs 5.1).",
        details={
            "existing_job_id": holder.id,
            "existing_job_state": holder.state or life.AVAILABLE,
            "unique_key": policy.key,
            "uniqueness_key": policy.key,
        },
    )
