"""The dead-letter queue: listed, inspected, retried, replayed, deleted (OJS Dead Letter).

A dead letter is a discarded job with `Job.dead_letter` set; it stays in the queue that it came from. How long
it is kept is `engine.retention`'s business.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from engine import retry, selection
from engine.envelope import check_priority, check_queue, refuse
from engine.errors import NotFound, OJSError
from engine.job import Job
from engine.operations import Operations
from engine.queues import Queues
from engine.retention import Retention
from engine.selection import Selection
from engine.times import format_time, parse_duration

TIMER: Final = "replay"


class DeadLetters:
    """The dead letters of all queues.

    Args:
        operations: To retry them.
        queues: Whose configuration names dead-letter queues and replay rules.
        retention: Knows when they are pruned.
    """

    def __init__(self, operations: Operations, queues: Queues, retention: Retention) -> None:
        self.operations = operations
        self.queues = queues
        self.retention = retention
        self.kernel = operations.kernel

    def added(self, job: Job) -> None:
        """Tell of a new dead letter, forward it, and set the timer of its replay."""
        now = self.kernel.now()
        facts = {"error": job.error or {}} | ({"tenant_id": job.tenant} if job.tenant else {})
        self.kernel.emit_job("job.dead_lettered", job, facts, now)
        self.kernel.emit_job("dead_letter.added", job, facts, now)
        config = self.queues.config(job.queue)
        target = config.get("dead_letter_queue")
        if target is not None and target != job.queue:
            self._forward(job, target)
        rule = self._rule(job, config)
        if rule is not None:
            self.kernel.store.set_timer(TIMER, job.id, now + parse_duration(rule.get("delay") or "PT0S"))

    def _forward(self, job: Job, queue: str) -> None:
        """Enqueue a copy, with its errors, for whoever works the dead-letter queue (Queue Configuration 6.4)."""
        meta = {**(job.meta or {}), "ojs.dead_letter_job_id": job.id, "ojs.dead_letter_queue": job.queue}
        copy = Job(
            id=self.kernel.ids.uuid7(self.kernel.now()),
            type=job.type,
            args=job.args,
            queue=queue,
            priority=job.priority,
            meta=meta,
            tags=job.tags,
            retry=job.retry,
            timeout=job.timeout,
            error=job.error,
            errors=job.errors,
        )
        try:
            self.operations.accept(copy)
        except OJSError as error:
            self.kernel.emit_job(
                "dead_letter.refused", job, {"target": queue, "reason": error.message}, self.kernel.now()
            )

    # reading

    def get(self, job_id: Any, tenant: str | None = None) -> Job:
        """One dead letter.

        Args:
            job_id: Its id.
            tenant: Whose it must be, if anybody's (OJS Extension Interactions 8.2).

        Raises:
            NotFound: No job with this id, or it is no dead letter, or another tenant's.
        """
        job = self.kernel.store.get(job_id) if isinstance(job_id, str) else None
        if job is None or not job.dead_letter or tenant not in {None, job.tenant}:
            raise NotFound(
                f"There is no dead letter '{job_id!s:.60}'.",
                details={"resource_type": "dead_letter_job", "resource_id": str(job_id)[:60]},
            )
        return job

    def page(self, wanted: Selection, limit: int, offset: int) -> tuple[list[Job], int]:
        """A page of the dead letters that match, the latest first, and how many there are in all."""
        letters = self.kernel.store.dead_letters(wanted.queue)
        if wanted == Selection(queue=wanted.queue, times=wanted.times) and not _bounded(wanted):
            return list(islice(letters, offset, offset + limit)), self.kernel.store.dead_count(wanted.queue)
        found = [job for job in letters if wanted.matches(job)]
        return found[offset : offset + limit], len(found)

    def stats(self, tenant: str | None = None) -> dict[str, Any]:
        """Totals by queue and by error type, oldest and newest, and the default retention (OJS Dead Letter 10.1).

        Args:
            tenant: Only this tenant's.
        """
        store = self.kernel.store
        own = None if tenant is None else self._matching(Selection(tenant=tenant))
        tally = store.dead_tally() if own is None else _tally(own)
        by_type: dict[str, int] = {}
        for kinds in tally.values():
            for kind, count in kinds.items():
                by_type[kind] = by_type.get(kind, 0) + count
        oldest = next(store.dead_letters(newest=False) if own is None else iter(own), None)
        newest = next(store.dead_letters() if own is None else reversed(own), None)
        prunes = [at for queue in tally if (at := self.retention.due_at(queue)) is not None]
        kept = self.queues.config("default")["dead_letter"]["retention"]
        return {
            "total": store.dead_count() if own is None else len(own),
            "by_queue": {queue: sum(kinds.values()) for queue, kinds in sorted(tally.items())},
            "by_error_type": dict(sorted(by_type.items())),
            "oldest_at": None if oldest is None else format_time(oldest.discarded_at or 0),
            "newest_at": None if newest is None else format_time(newest.discarded_at or 0),
            "retention": {**kept, "next_prune_at": format_time(min(prunes)) if prunes else None},
        }

    # retry and replay

    def retry(self, job_id: Any, override: Any = None) -> Job:
        """Run a dead letter again, from attempt 0, with changes if asked (OJS Dead Letter 6.1, 6.3).

        Args:
            job_id: The dead letter.
            override: ``queue``, ``priority``, ``args``, ``meta`` (merged), ``retry``; all optional.

        Raises:
            NotFound: No such dead letter.
            InvalidRequest: A change breaks its rule; nothing has changed.
        """
        with self.kernel.store.transaction():
            job = self.get(job_id)
            changes = _changes(job, override)
            queue = changes.pop("queue", job.queue)
            for name, value in changes.items():
                setattr(job, name, value)
            self.kernel.transfer(job, queue)
            self._again(job, "dead_letter.retried")
        return job

    def _again(self, job: Job, event: str, **facts: Any) -> None:
        self.kernel.store.set_timer(TIMER, job.id, None)
        self.operations.revive(job)
        self.kernel.emit_job(event, job, facts, self.kernel.now())

    def retry_all(self, wanted: Selection) -> list[str]:
        """Retry all that match; their ids, the oldest first (OJS Dead Letter 6.2)."""
        with self.kernel.store.transaction():
            jobs = self._matching(wanted)
            for job in jobs:
                self._again(job, "dead_letter.retried")
        return [job.id for job in jobs]

    def _rule(self, job: Job, config: dict[str, Any]) -> dict[str, Any] | None:
        """The replay rule that applies to a dead letter, or None (OJS Dead Letter 7.1)."""
        played = (job.meta or {}).get("ojs.replay_count", 0)
        for rule in config.get("replay_rules") or []:
            wanted = selection.parse(rule.get("filter"), moment=selection.discarded)
            if rule.get("enabled", True) and wanted.matches(job) and played < rule.get("max_replays", 1):
                return dict(rule)
        return None

    def replay(self, job_id: str, instant: int) -> None:
        """Retry a dead letter whose replay rule's delay has passed, and note it in ``meta`` (7.2)."""
        with self.kernel.store.transaction():
            job = self.kernel.store.get(job_id)
            rule = (
                self._rule(job, self.queues.config(job.queue))
                if job is not None and job.dead_letter
                else None
            )
            if job is None or rule is None:
                return
            meta = job.meta or {}
            job.meta = {
                **meta,
                "ojs.replay_count": meta.get("ojs.replay_count", 0) + 1,
                "ojs.last_replayed_at": format_time(instant),
                "ojs.replay_rule": rule.get("name", ""),
            }
            self._again(job, "dead_letter.replayed", rule=rule.get("name", ""))

    # deletion

    def delete(self, job_id: Any) -> Job:
        """Remove a dead letter for good.

        Raises:
            NotFound: No such dead letter.
        """
        with self.kernel.store.transaction():
            job = self.get(job_id)
            self._drop(job)
        return job

    def purge(self, wanted: Selection) -> list[str]:
        """Remove all that match for good; their ids, the oldest first."""
        with self.kernel.store.transaction():
            jobs = self._matching(wanted)
            for job in jobs:
                self._drop(job)
        return [job.id for job in jobs]

    def _matching(self, wanted: Selection) -> list[Job]:
        letters = self.kernel.store.dead_letters(wanted.queue, newest=False)
        return [job for job in letters if wanted.matches(job)]

    def _drop(self, job: Job) -> None:
        self.kernel.store.set_timer(TIMER, job.id, None)
        self.kernel.remove(job)
        self.kernel.emit_job("dead_letter.deleted", job, {}, self.kernel.now())


def _tally(jobs: list[Job]) -> dict[str, dict[str, int]]:
    """As `engine.storage.Store.dead_tally`, of these jobs alone."""
    found: dict[str, dict[str, int]] = {}
    for job in jobs:
        kinds, kind = found.setdefault(job.queue, {}), str((job.error or {}).get("type") or "Unknown")
        kinds[kind] = kinds.get(kind, 0) + 1
    return found


def _bounded(wanted: Selection) -> bool:
    return any(start is not None or end is not None for _, start, end in wanted.times)


def _changes(job: Job, override: Any) -> dict[str, Any]:
    """What an override sets on the job, checked."""
    if override is None:
        return {}
    clause = "OJS Dead Letter 6.3"
    if not isinstance(override, dict):
        raise refuse("override", override, "must be an object", clause)
    changes: dict[str, Any] = {}
    if override.get("queue") is not None:
        changes["queue"] = check_queue(override["queue"], "override.queue")
    if override.get("priority") is not None:
        changes["priority"] = check_priority(override["priority"], "override.priority")
    if override.get("args") is not None:
        if not isinstance(override["args"], list):
            raise refuse("override.args", override["args"], "must be an array", clause)
        changes["args"] = override["args"]
    if override.get("meta") is not None:
        if not isinstance(override["meta"], dict):
            raise refuse("override.meta", override["meta"], "must be an object", clause)
        if override["meta"].get("tenant_id", job.tenant) != job.tenant:
            rule = "cannot give the job to another tenant"
            raise refuse(
                "override.meta.tenant_id", override["meta"]["tenant_id"], rule, "OJS Multi-Tenancy 15.2"
            )
        changes["meta"] = {**(job.meta or {}), **override["meta"]}
    if override.get("retry") is not None:
        changes["retry"] = retry.parse(override["retry"])
    return changes
