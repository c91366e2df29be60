"""Rate and concurrency limits on FETCH: how many jobs of one key may run, and how fast they may start.

A window begins with the first start in it and lasts one period (a fixed window, OJS Rate Limiting 5.2). Counters
are records changed in the transaction of the move that they count, so they never drift. The policy that a key's
latest job brought is the key's policy.
"""

from __future__ import annotations

from typing import Any, Final

from engine import failure, limit_policy
from engine import lifecycle as life
from engine.envelope import refuse
from engine.errors import NotFound
from engine.job import Job
from engine.limit_policy import Policy
from engine.operations import Operations
from engine.queues import Queues
from engine.setting import Setting
from engine.times import FOREVER, SECOND, format_duration, format_time, parse_time

TIMER: Final = "limit"
LATER: Final = SECOND
"""How far a job is put off when nobody can say when its limit will allow it."""
_KIND: Final = "limit"
_QUEUE: Final = "@queue:"
"""Prefix of the keys of queues' own limits; no job's key can begin like this."""

Blocked = tuple[str, int | None, int]
"""Strategy that refuses, when it will allow (milliseconds, None if unknown), and its limit."""


class Limits:
    """The limits of all keys and queues.

    Args:
        operations: Whose FETCH is limited.
        queues: Whose configuration holds the queues' own limits.

    Attributes:
        by_tenant: Whether keys are each tenant's own unless the policy's scope is ``global``.
    """

    by_tenant = Setting(default=False)

    def __init__(self, operations: Operations, queues: Queues) -> None:
        self.operations = operations
        self.queues = queues
        self.kernel = operations.kernel

    # PUSH

    def guard(self, job: Job) -> None:
        """Read a job's policy and give it its key.

        Raises:
            InvalidRequest: The policy breaks a rule.
        """
        if job.rate_limit is None:
            return
        key, _, action = limit_policy.parse(job.rate_limit, "rate_limit", f"queue:{job.queue}")
        scope = job.rate_limit.get("scope", "tenant" if self.by_tenant else "global")
        if scope not in {"tenant", "global"}:
            raise refuse(
                "rate_limit.scope", scope, "must be 'tenant' or 'global'", "OJS Extension Interactions 6"
            )
        job.limit_key = f"{key}:{job.tenant}" if scope == "tenant" and job.tenant else key
        job.on_limit = action

    def settle(self, job: Job) -> None:
        """Make an admitted job's policy its key's."""
        if job.limit_key is not None and job.rate_limit is not None:
            record = self._record(job.limit_key)
            record["policy"] = limit_policy.parse(job.rate_limit, "rate_limit", f"queue:{job.queue}")[1]
            self._put(job.limit_key, record)

    # FETCH

    def admit(self, job: Job) -> bool:
        """Whether a waiting job's key has room for it."""
        if job.limit_key is None or job.on_limit != "wait":
            return True  # one that is to be dropped or put off must be claimed for that
        record = self._record(job.limit_key)
        blocked = self._blocked(record, self._policy(record))
        if blocked is not None:
            self._exceeded(job.limit_key, record, blocked, job)
        return blocked is None

    def closed(self, queue: str) -> bool:
        """Whether the queue's own limit is reached."""
        policy = self._queue_policy(queue)
        if policy is None:
            return False
        limit = policy.get("concurrency")
        if limit is not None and self.kernel.store.counts(queue)[life.ACTIVE] >= limit:
            return True
        record = self._record(_QUEUE + queue)
        blocked = self._blocked(
            record, {name: policy[name] for name in ("rate", "throttle") if name in policy}
        )
        return blocked is not None

    def _queue_policy(self, queue: str) -> Policy | None:
        raw = self.queues.config(queue).get("rate_limit")
        return None if raw is None else limit_policy.parse(raw, "rate_limit", "queue")[1]

    def starting(self, job: Job) -> bool:
        """Count a start; False when its limit has dropped the job or put it off instead."""
        if job.limit_key is not None:
            record = self._record(job.limit_key)
            blocked = self._blocked(record, self._policy(record))
            if blocked is not None:
                self._turn_away(job, blocked)
                return False
            self._count(record, self._policy(record))
            self._put(job.limit_key, record)
        policy = self._queue_policy(job.queue)
        if policy is not None:
            record = self._record(_QUEUE + job.queue)
            self._count(record, policy)
            self._put(_QUEUE + job.queue, record)
        return True

    def _turn_away(self, job: Job, blocked: Blocked) -> None:
        key, (strategy, at, _) = job.limit_key or "", blocked
        self._exceeded(key, self._record(key), blocked, job if job.on_limit == "reschedule" else None)
        if job.on_limit == "drop":
            text = f"The {strategy} limit of '{key}' was reached."
            self.operations.drop(job, failure.server_error("rate_limited", text))
            self.kernel.emit("rate_limit.dropped", key, {"key": key, "job_id": job.id, "job_type": job.type})
        else:
            now = self.kernel.now()
            self.operations.put_off(job, max(at or 0, now + 1) if at else now + LATER)

    # counters

    def _record(self, key: str) -> dict[str, Any]:
        return self.kernel.store.record(_KIND, key) or {
            "policy": {},
            "jobs": 0,
            "active": 0,
            "waiting": 0,
            "window": None,
            "count": 0,
            "last": None,
            "until": None,
            "blocked": None,
            "head": None,
        }

    def _put(self, key: str, record: dict[str, Any]) -> None:
        self.kernel.store.put_record(_KIND, key, record)

    def _policy(self, record: dict[str, Any]) -> Policy:
        """The key's policy, with what an override in force says in its place."""
        override = record.get("override")
        if override is None or (override["until"] is not None and override["until"] <= self.kernel.now()):
            return dict(record["policy"])
        return {**record["policy"], **override["policy"]}

    def _blocked(self, record: dict[str, Any], policy: Policy) -> Blocked | None:
        now = self.kernel.now()
        if record["until"] is not None and now < record["until"]:
            return "dynamic", record["until"], 0
        limit = policy.get("concurrency")
        if limit is not None and record["active"] >= limit:
            return "concurrency", None, limit
        found: Blocked | None = None
        rate = policy.get("rate")
        if rate is not None and self._used(record, rate) >= rate["limit"]:
            found = "rate", (record["window"] or now) + rate["period"], rate["limit"]
        throttle = policy.get("throttle")
        if throttle is not None and record["last"] is not None:
            at = record["last"] + -(-throttle["period"] // throttle["limit"])
            if now < at and (found is None or at > (found[1] or 0)):
                found = "throttle", at, throttle["limit"]
        return found

    def _used(self, record: dict[str, Any], rate: dict[str, int]) -> int:
        """Starts in the window under way."""
        open_ = record["window"] is not None and self.kernel.now() < record["window"] + rate["period"]
        return record["count"] if open_ else 0

    def _count(self, record: dict[str, Any], policy: Policy) -> None:
        now = self.kernel.now()
        rate = policy.get("rate")
        if rate is not None:
            used = self._used(record, rate)
            if not used:
                record["window"] = now
            record["count"] = used + 1
        record["last"] = now

    def moved(self, job: Job, was: str, operation: str) -> None:
        """Keep a key's counters."""
        key = job.limit_key
        if key is None:
            return
        record = self._record(key)
        record["jobs"] += operation == life.PUSH
        record["waiting"] += (job.state == life.AVAILABLE) - (was == life.AVAILABLE)
        record["active"] += (job.state == life.ACTIVE) - (was == life.ACTIVE)
        until = (job.error or {}).get("rate_limit_until") if operation == life.FAIL else None
        if until is not None:
            record["until"] = max(record["until"] or 0, parse_time(until))
            self.kernel.store.set_timer(TIMER, key, record["until"])
            facts = {
                "key": key,
                "until": format_time(record["until"]),
                "reason": (job.error or {})["message"],
            }
            self.kernel.emit("rate_limit.dynamic_adjusted", key, facts)
        self._put(key, record)
        if was == life.ACTIVE:
            self._release(key, record)

    def forget(self, queue: str) -> None:
        """Drop the counters of a queue that is gone."""
        self.kernel.store.delete_record(_KIND, _QUEUE + queue)

    def removed(self, job: Job) -> None:
        """Forget the key of a deleted job if it was the last one with it."""
        if job.limit_key is not None:
            record = self._record(job.limit_key)
            record["jobs"] -= 1
            self._put(job.limit_key, record)
            self._tidy(job.limit_key, record)

    def _tidy(self, key: str, record: dict[str, Any]) -> None:
        """Forget a key that no job has any more and no override holds."""
        override = record.get("override")
        if record["jobs"] or (override is not None and (override["until"] or FOREVER) > self.kernel.now()):
            return
        self.kernel.store.delete_record(_KIND, key)
        self.kernel.store.set_timer(TIMER, key, None)

    # blocked and free again

    def _exceeded(self, key: str, record: dict[str, Any], blocked: Blocked, head: Job | None) -> None:
        strategy, at, limit = blocked
        if record["blocked"] != strategy:
            record["blocked"] = strategy
            current = record["active"] if strategy == "concurrency" else record["count"]
            facts = {"key": key, "strategy": strategy, "limit": limit, "current": current}
            self.kernel.emit("rate_limit.exceeded", key, facts)
        record["head"] = head.id if head is not None else record["head"]
        self._put(key, record)
        self.kernel.store.set_timer(TIMER, key, at)

    def _release(self, key: str, record: dict[str, Any]) -> None:
        """Tell that a key which was blocked admits jobs again, or when it will."""
        if record["blocked"] is None:
            return
        blocked = self._blocked(record, self._policy(record))
        if blocked is not None:
            self.kernel.store.set_timer(TIMER, key, blocked[1])
            return
        facts = {"key": key, "strategy": record["blocked"], "job_id": record["head"]}
        record["blocked"] = record["head"] = None
        self._put(key, record)
        if facts["job_id"] is not None:  # nobody waits where all were dropped
            self.kernel.emit("rate_limit.released", key, facts)

    def due(self, key: str, _instant: int) -> None:
        """A window, a pause or an override has ended."""
        with self.kernel.store.transaction():
            record = self._record(key)
            self._release(key, record)
            self._tidy(key, record)

    # inspection and override

    def override(self, key: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Change a key's limits for a while (OJS Rate Limiting 10.2).

        Args:
            key: The key.
            raw: Limits as in a policy, and ``expires_at``.

        Returns:
            The key's state; see `show`.

        Raises:
            InvalidRequest: A part breaks its rule, or ``expires_at`` has passed.
        """
        _, policy, _ = limit_policy.parse({**raw, "key": key}, "rate_limit", key)
        until = _expiry(raw.get("expires_at"), self.kernel.now())
        with self.kernel.store.transaction():
            record = self._record(key)
            record["override"] = {"policy": policy, "until": until} if policy else None
            self._put(key, record)
            self._release(key, record)
            if until is not None:
                self.kernel.store.set_timer(TIMER, key, until)
            return self.show(key)

    def lift(self, key: str) -> dict[str, Any]:
        """End whatever changes a key's limits for a while: an override, and a pause that a failed job asked for.

        Returns:
            The key's state; see `show`.

        Raises:
            NotFound: No job has ever had it.
        """
        with self.kernel.store.transaction():
            self.show(key)
            record = self._record(key)
            record["override"] = record["until"] = None
            self._put(key, record)
            self._release(key, record)
            shown = self.show(key)
            self._tidy(key, record)
            return shown

    def show(self, key: str) -> dict[str, Any]:
        """The state of one key (OJS Rate Limiting 10.1).

        Raises:
            NotFound: No job has ever had it.
        """
        record = self.kernel.store.record(_KIND, key)
        if record is None or key.startswith("@"):
            raise NotFound(
                f"There is no rate limit '{key:.60}'.",
                details={"resource_type": "rate_limit", "resource_id": key[:60]},
            )
        policy, now = self._policy(record), self.kernel.now()
        shown: dict[str, Any] = {
            "key": key,
            "waiting_count": record["waiting"],
            "active_count": record["active"],
        }
        if (limit := policy.get("concurrency")) is not None:
            active = record["active"]
            shown["concurrency"] = {"limit": limit, "active": active, "available": max(0, limit - active)}
        if (rate := policy.get("rate")) is not None:
            used = self._used(record, rate)
            resets = record["window"] + rate["period"] if used else now
            shown["rate"] = {
                "limit": rate["limit"],
                "period": format_duration(rate["period"]),
                "current_count": used,
                "window_resets_at": format_time(resets),
            }
        if (throttle := policy.get("throttle")) is not None:
            gap = -(-throttle["period"] // throttle["limit"])
            allowed = now if record["last"] is None else max(now, record["last"] + gap)
            shown["throttle"] = {
                "limit": throttle["limit"],
                "period": format_duration(throttle["period"]),
                "next_allowed_at": format_time(allowed),
            }
        if record["until"] is not None and now < record["until"]:
            shown["paused_until"] = format_time(record["until"])
        override = record.get("override")
        if override is not None and (override["until"] is None or now < override["until"]):
            until = override["until"]
            shown["override"] = {"expires_at": None if until is None else format_time(until)}
        return shown

    def list(self) -> list[dict[str, Any]]:
        """All keys, in the order in which they were first used; see `show`."""
        return [self.show(key) for key, _ in self.kernel.store.records(_KIND) if not key.startswith("@")]

    def budget(self, job: Job) -> tuple[int, int, int] | None:
        """A job's limit, what is left of it, and when it is whole again (milliseconds); None if it has none."""
        if job.limit_key is None:
            return None
        record, now = self._record(job.limit_key), self.kernel.now()
        policy = self._policy(record)
        rate = policy.get("rate") or policy.get("throttle")
        if rate is not None:
            used = self._used(record, rate)
            return (
                rate["limit"],
                max(0, rate["limit"] - used),
                record["window"] + rate["period"] if used else now,
            )
        limit = policy.get("concurrency")
        return None if limit is None else (limit, max(0, limit - record["active"]), now)


def _expiry(value: Any, now: int) -> int | None:
    if value is None:
        return None
    try:
        until = parse_time(value) if isinstance(value, str) else 0
    except ValueError as error:
        raise refuse("expires_at", value, str(error), "OJS Rate Limiting 10.2") from None
    if until <= now:
        raise refuse("expires_at", value, "must be a future RFC 3339 time", "OJS Rate Limiting 10.2")
    return until
