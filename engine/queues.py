"""Queues: created on first use or on purpose, paused, drained, configured, deleted (OJS Queue Configuration).

A queue's record holds its state and configuration; its jobs are the store's. The virtual queue ``_default`` has
a configuration only, which every queue inherits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine import failure, queue_config, retry
from engine import lifecycle as life
from engine.envelope import check_queue, refuse
from engine.errors import Conflict, NotFound, QueueDraining, TypeNotAllowed
from engine.job import Job
from engine.operations import Operations
from engine.queue_config import Config
from engine.retry import DEFAULT
from engine.times import SECOND, format_time

DEFAULT_POLICY: Final = "_default"
STRATEGIES: Final = ("reject", "discard", "move")
_KIND: Final = "queue"
_MOVABLE: Final = tuple(sorted(life.NON_TERMINAL - {life.ACTIVE}))


class Queues:
    """All queues over one kernel.

    Args:
        operations: Whose PUSH is guarded and whose FETCH is steered.

    Attributes:
        configured: Hear the name of each queue whose configuration has changed.
        deleted: Hear the name of each queue that is gone.
        strict: Whether a job for an unknown queue is refused instead of creating the queue (5.2).
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.kernel = operations.kernel
        self.store = self.kernel.store
        self.strict = False
        self.born = self.kernel.now()
        self.configured: list[Callable[[str], None]] = []
        self.deleted: list[Callable[[str], None]] = []

    # what PUSH and FETCH ask

    def guard(self, job: Job) -> Config:
        """Let a job into its queue, and give it the queue's defaults for what it does not say itself.

        Returns:
            What holds for the queue.

        Raises:
            NotFound: Unknown queue, in strict mode.
            QueueDraining: The queue takes no more jobs.
            TypeNotAllowed: It takes other job types only (6.5).
        """
        record = self.store.record(_KIND, job.queue)
        if record is None and self.strict:
            raise _unknown(job.queue)
        if record is not None and record["state"] == "draining":
            raise QueueDraining(
                f"Queue '{job.queue}' is draining and takes no more jobs (OJS Queue Configuration 5.1).",
                details={"queue": job.queue},
            )
        if self.is_plain(job.queue):
            return queue_config.DEFAULTS
        config = self.config(job.queue)
        if not queue_config.allows(config, job.type):
            raise TypeNotAllowed(
                f"Queue '{job.queue}' does not take jobs of type '{job.type}' (OJS Queue Configuration 6.5).",
                details={"queue": job.queue, "field": "type", "allowed": config["allowed_job_types"]},
            )
        if job.timeout is None and config.get("default_timeout") is not None:
            job.timeout = config["default_timeout"] * SECOND
        if job.visibility_timeout is None and config.get("visibility_timeout") is not None:
            job.visibility_timeout = config["visibility_timeout"] * SECOND
        if job.retry is DEFAULT and config.get("default_retry") is not None:
            job.retry = retry.parse(config["default_retry"])
        return config

    def settle(self, job: Job) -> None:
        """Create the queue of an admitted job if it is the first."""
        if self.store.record(_KIND, job.queue) is None:
            self.store.put_record(_KIND, job.queue, self._fresh())

    def paused(self, queue: str) -> bool:
        """Whether a queue hands out nothing because somebody has said so."""
        record = self.store.record(_KIND, queue)
        return record is not None and record["state"] == "paused"

    def full(self, queue: str) -> bool:
        """Whether a queue has as many jobs active as it may have (6.2)."""
        limit = self.config(queue).get("concurrency")
        return limit is not None and self.store.counts(queue)[life.ACTIVE] >= limit

    # configuration

    def config(self, queue: str) -> Config:
        """What holds for a queue: system defaults, default policy, its own configuration (7.2); not to be changed."""
        if self.is_plain(queue):
            return queue_config.DEFAULTS
        record, base = self.store.record(_KIND, queue), self.store.record(_KIND, DEFAULT_POLICY)
        layers = [one["config"] for one in (base, record) if one is not None and one["config"]]
        return queue_config.layered(queue_config.DEFAULTS, *layers)

    def is_plain(self, queue: str) -> bool:
        """Whether nobody has configured anything for a queue: no bound, no limit, the default retention."""
        if "setting" not in self.store.kinds:
            return True
        find = self.store.record
        if find("setting", "queue_config") is None:
            return True
        record = find(_KIND, queue)
        if record is not None and record["config"]:
            return False
        base = find(_KIND, DEFAULT_POLICY)
        return base is None or not base["config"]

    def _configured(self) -> None:
        """Note that some queue has a configuration: until then, none has to be looked up."""
        self.store.put_record("setting", "queue_config", {"used": True})

    def configure(self, queue: str, raw: Any) -> Config:
        """Change a queue's configuration; fields not named stay, null removes one.

        Args:
            queue: Queue name, or ``_default`` for the policy that all queues inherit.
            raw: The fields to change.

        Returns:
            What holds now.

        Raises:
            InvalidRequest: A field breaks its rule; nothing has changed.
        """
        from engine import queue_rules  # noqa: PLC0415 - configuring is rare

        given = queue_rules.check(raw)
        with self.store.transaction():
            record = self._ensure(queue)
            merged = queue_config.layered(record["config"], given)
            record["config"] = merged
            self._configured()
            record["updated_at"] = self.kernel.now()
            self.store.put_record(_KIND, queue, record)
            self.kernel.emit("queue.config_updated", queue, {"queue": queue, "config": given})
            for hear in self.configured:
                hear(queue)
            return self.config(queue)

    def create(self, queue: str, raw: Any) -> None:
        """Create a queue before its first job (5.2).

        Raises:
            Conflict: There is one.
            InvalidRequest: The configuration breaks a rule.
        """
        from engine import queue_rules  # noqa: PLC0415 - configuring is rare

        check_queue(queue, "name")
        config = queue_rules.check({} if raw is None else raw)
        with self.store.transaction():
            if self.store.record(_KIND, queue) is not None:
                raise Conflict(
                    f"There is a queue '{queue}' already (OJS Queue Configuration 9.2).",
                    details={"queue": queue},
                )
            self.store.put_record(_KIND, queue, self._fresh() | {"config": config})
            if config:
                self._configured()
            self.kernel.emit("queue.created", queue, {"queue": queue, "config": config})

    # states

    def pause(self, queue: str, by: str | None = None) -> None:
        """Stop handing out jobs; those active go on, new ones may still be enqueued (5.1)."""
        with self.store.transaction():
            self._set(queue, "paused", "queue.paused", {"paused_by": by} if by else {})

    def resume(self, queue: str, by: str | None = None) -> None:
        """Hand out jobs again."""
        with self.store.transaction():
            self._set(queue, "active", "queue.resumed", {"resumed_by": by} if by else {})

    def drain(self, queue: str) -> None:
        """Take no more jobs, and be gone when the last one has ended (5.1)."""
        with self.store.transaction():
            self._set(queue, "draining", "queue.draining", {})
            self._finish(queue)

    def _set(self, queue: str, state: str, event: str, facts: dict[str, Any]) -> None:
        record = self._ensure(queue)
        if record["state"] == state:
            return
        record["state"] = state
        record[f"{state}_at"] = record["updated_at"] = self.kernel.now()
        self.store.put_record(_KIND, queue, record)
        self.kernel.emit(event, queue, {"queue": queue, **facts})

    # deletion

    def delete(self, queue: str, strategy: Any, target: Any = None) -> dict[str, Any]:
        """Remove a queue (5.3). Jobs under way may finish; until then it drains.

        Args:
            queue: The queue.
            strategy: ``reject`` when it still has jobs, ``discard`` them, or ``move`` them.
            target: Where to move them.

        Returns:
            ``strategy``, ``target_queue``, ``jobs_affected``, and ``state``: ``deleted`` or ``draining``.

        Raises:
            NotFound: No such queue.
            Conflict: ``reject``, and it has jobs that have not ended.
            InvalidRequest: No such strategy, or no target to move to.
        """
        if strategy not in STRATEGIES:
            rule = f"is required: one of {', '.join(STRATEGIES)}"
            raise refuse("strategy", strategy, rule, "OJS Queue Configuration 5.3")
        if strategy == "move" and check_queue(target, "target_queue") == queue:
            raise refuse("target_queue", target, "must be another queue", "OJS Queue Configuration 5.3")
        with self.store.transaction():
            if self.store.record(_KIND, queue) is None:
                raise _unknown(queue)
            counts = self.store.counts(queue)
            left = sum(counts[state] for state in life.NON_TERMINAL)
            if strategy == "reject" and left:
                raise Conflict(
                    f"Queue '{queue}' has {left} jobs that have not ended (OJS Queue Configuration 5.3).",
                    details={"queue": queue, "jobs": left},
                )
            self._set(queue, "draining", "queue.draining", {})
            affected = self._clear(queue, target if strategy == "move" else None)
            gone = self._finish(queue)
        return {
            "queue": queue,
            "strategy": strategy,
            "target_queue": target if strategy == "move" else None,
            "jobs_affected": affected,
            "state": "deleted" if gone else "draining",
        }

    def _clear(self, queue: str, target: str | None) -> int:
        affected = 0
        if target is not None:
            self._ensure(target)
        for state in _MOVABLE:
            while (job := self.store.oldest(queue, state)) is not None:
                if target is None:
                    text = f"Queue '{queue}' was deleted."
                    self.operations.drop(job, failure.server_error("queue_deleted", text))
                else:
                    self.kernel.transfer(job, target)
                affected += 1
        return affected

    def _finish(self, queue: str) -> bool:
        """Delete a draining queue that has no jobs left to do."""
        record = self.store.record(_KIND, queue)
        if record is None or record["state"] != "draining":
            return False
        counts = self.store.counts(queue)
        if any(counts[one] for one in life.NON_TERMINAL):
            return False
        self.store.delete_record(_KIND, queue)
        if not any(counts.values()):
            self.store.delete_queue(queue)
        self.kernel.emit("queue.deleted", queue, {"queue": queue})
        for hear in self.deleted:
            hear(queue)
        return True

    def ended(self, queue: str) -> None:
        """A job of the queue has ended: one that drains may be gone by that."""
        record = self.store.record(_KIND, queue)
        if record is not None and record["state"] == "draining":
            self._finish(queue)

    # reading

    def list(self) -> list[dict[str, Any]]:
        """All queues in alphabetical order, ``default`` always among them; see `show`."""
        names = {name for name, _ in self.store.records(_KIND)} - {DEFAULT_POLICY}
        return [self.show(name) for name in sorted(names | {"default"})]

    def show(self, queue: str) -> dict[str, Any]:
        """A queue's name, state, times and depth; one that was never used is active and empty."""
        record = self.store.record(_KIND, queue) or self._fresh(self.born)
        counts = self.store.counts(queue)
        shown = {
            "name": queue,
            "state": record["state"],
            "status": record["state"],
            "paused": record["state"] == "paused",
            "depth": sum(counts[state] for state in life.NON_TERMINAL),
            "counts": counts,
            "created_at": format_time(record["created_at"]),
        }
        for name in ("updated_at", "paused_at"):
            if record.get(name) is not None and (name != "paused_at" or record["state"] == "paused"):
                shown[name] = format_time(record[name])
        return shown

    def _ensure(self, queue: str) -> dict[str, Any]:
        record = self.store.record(_KIND, queue)
        if record is None:
            if queue != DEFAULT_POLICY:
                check_queue(queue, "name")
            record = self._fresh()
            self.store.put_record(_KIND, queue, record)
        return record

    def _fresh(self, at: int | None = None) -> dict[str, Any]:
        now = self.kernel.now() if at is None else at
        return {"state": "active", "created_at": now, "updated_at": None, "config": {}}


def _unknown(queue: str) -> NotFound:
    return NotFound(
        f"There is no queue '{queue:.60}'.", details={"resource_type": "queue", "resource_id": queue[:60]}
    )
