"""Tenants: whose jobs they are, how many there may be, and how they share (OJS Multi-Tenancy).

The model is the shared queue with tenant tags (6.2): a tenant's jobs are those with its id in
``meta.tenant_id``. Counters live in the tenant's record and change in the transaction of the move they count.
"""

from __future__ import annotations

import re
from typing import Any, Final

from engine import lifecycle as life
from engine import limit_policy, neighbours
from engine.envelope import check_priority, refuse
from engine.errors import InvalidRequest, NotFound, TenantLimitExceeded
from engine.figures import Figures
from engine.job import Job
from engine.operations import Operations
from engine.setting import Setting
from engine.times import SECOND, format_time

TENANT: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:-]*\Z", re.ASCII)
DEFAULT: Final = "_default"
MAX_WEIGHT: Final = 10_000
LIMITS: Final = ("max_concurrency", "max_queue_depth", "max_scheduled")
_KIND: Final = "tenant"
_CLAUSE: Final = "OJS Multi-Tenancy 8.1"


def check_tenant(value: Any, field: str, place: str = "body") -> str:
    """A tenant id (OJS Multi-Tenancy 5.2).

    Raises:
        InvalidRequest: Empty, or other characters than letters, digits, '.', '_', ':' and '-'.
    """
    if value == DEFAULT or (isinstance(value, str) and len(value) <= 255 and TENANT.match(value)):
        return str(value)
    rule = "must be letters, digits, '.', '_', ':' and '-', a letter or digit first"
    raise refuse(field, value, rule, "OJS Multi-Tenancy 5.2", place)


def check_weight(value: Any, field: str) -> None:
    """A tenant's share relative to others' (OJS Multi-Tenancy 8.1).

    Raises:
        InvalidRequest: Not a number from 0.0001 to 10,000.
    """
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not 1 / MAX_WEIGHT <= value <= MAX_WEIGHT
    ):
        raise refuse(field, value, f"must be a number from {1 / MAX_WEIGHT} to {MAX_WEIGHT}", _CLAUSE)


class Tenants:
    """All tenants over one kernel.

    Args:
        operations: Whose PUSH and FETCH are limited.
        figures: Their throughput.

    Attributes:
        required: Whether every job must belong to a tenant; one that names none gets `default`.
        default: The tenant of such jobs, or None to refuse them with 422.
    """

    required = Setting(default=False)
    default = Setting[str | None](DEFAULT)

    def __init__(self, operations: Operations, figures: Figures) -> None:
        self.operations = operations
        self.kernel = operations.kernel
        self.figures = figures

    # PUSH and FETCH

    def guard(self, job: Job) -> None:
        """Check a job's tenant and the tenant's limits.

        Raises:
            InvalidRequest: No valid tenant where one is required.
            TenantLimitExceeded: One of its limits is reached (8.2).
        """
        named = (job.meta or {}).get("tenant_id")
        if named is not None:
            check_tenant(named, "meta.tenant_id")
        elif self.required:
            self._identify(job)
        if job.tenant is None:
            return
        record = self._record(job.tenant)
        job.boost = record["boost"]
        limits, ahead, now = record["limits"], self.operations.ahead, self.kernel.now()
        states = record["states"]
        waiting = states.get(life.AVAILABLE, 0) + states.get(life.SCHEDULED, 0) + ahead.tenants[job.tenant]
        self._bound(job, record, "max_queue_depth", waiting)
        if job.scheduled_at is not None and job.scheduled_at > now:
            scheduled = states.get(life.SCHEDULED, 0) + ahead.waiting[job.tenant]
            self._bound(job, record, "max_scheduled", scheduled)
        rate = limits.get("max_enqueue_rate")
        if rate is not None:
            used = self._enqueued(record, now) + ahead.tenants[job.tenant]
            left = (record["window"] or now) + rate["period"] - now
            self._bound(job, record, "max_enqueue_rate", used, -(-left // SECOND))

    def _identify(self, job: Job) -> None:
        if self.default is not None:
            job.meta = {**(job.meta or {}), "tenant_id": self.default}
        else:
            raise _Required(
                "'meta.tenant_id' is required, here or in the X-OJS-Tenant header (OJS Multi-Tenancy 5.1).",
                details={"field": "meta.tenant_id", "rule": "required"},
            )

    def _bound(self, job: Job, record: dict[str, Any], name: str, current: int, retry_after: int = 1) -> None:
        maximum = record["limits"].get(name)
        if isinstance(maximum, dict):
            maximum = maximum["limit"]
        if maximum is None or current < maximum:
            return
        facts = {"tenant_id": job.tenant, "limit": name, "current": current, "maximum": maximum}
        self.kernel.emit("tenant.limit_exceeded", job.tenant or "", facts)
        if not record["limits"].get("soft"):
            raise TenantLimitExceeded(
                f"Tenant '{job.tenant}' has exceeded {name} ({maximum}) (OJS Multi-Tenancy 8.2).",
                details={**facts, "retry_after": retry_after},
            )

    def settle(self, job: Job) -> None:
        """Count an admitted job towards its tenant's enqueue rate."""
        if job.tenant is None:
            return
        record, now = self._record(job.tenant), self.kernel.now()
        if "max_enqueue_rate" in record["limits"]:
            used = self._enqueued(record, now)
            record["window"] = record["window"] if used else now
            record["count"] = used + 1
        self.kernel.store.put_record(_KIND, job.tenant, record)

    @staticmethod
    def _enqueued(record: dict[str, Any], now: int) -> int:
        period = record["limits"]["max_enqueue_rate"]["period"]
        return record["count"] if record["window"] is not None and now < record["window"] + period else 0

    def admit(self, job: Job) -> bool:
        """Whether a waiting job's tenant may have one more active."""
        if job.tenant is None:
            return True
        record = self._record(job.tenant)
        limit = record["limits"].get("max_concurrency")
        return limit is None or record["states"].get(life.ACTIVE, 0) < limit

    # counters

    def moved(self, job: Job, was: str, operation: str) -> None:
        """Keep a tenant's counters."""
        self._count(job, was, job.state, new=operation == life.PUSH)

    def removed(self, job: Job) -> None:
        """Take a deleted job off its tenant's counters."""
        self._count(job, job.state, "")

    def _count(self, job: Job, was: str, state: str, *, new: bool = False) -> None:
        if job.tenant is None:
            return
        record = self._record(job.tenant)
        here = record["queues"].setdefault(job.queue, {})
        for name, change in ((was, -1), (state, 1)):
            if name:
                record["states"][name] = record["states"].get(name, 0) + change
                here[name] = here.get(name, 0) + change
        record["total"] += new
        self.kernel.store.put_record(_KIND, job.tenant, record)

    def transferred(self, job: Job, before: str) -> None:
        """Count a job in its new queue."""
        if job.tenant is None:
            return
        record = self._record(job.tenant)
        for queue, change in ((before, -1), (job.queue, 1)):
            here = record["queues"].setdefault(queue, {})
            here[job.state] = here.get(job.state, 0) + change
        self.kernel.store.put_record(_KIND, job.tenant, record)

    def _record(self, tenant: str) -> dict[str, Any]:
        return self.kernel.store.record(_KIND, tenant) or {
            "created_at": self.kernel.now(),
            "configured": False,
            "limits": {},
            "weight": 1,
            "boost": 0,
            "total": 0,
            "states": {},
            "queues": {},
            "window": None,
            "count": 0,
        }

    # configuration

    def configure(self, tenant: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Create or change a tenant's configuration (8.1); limits given replace those before.

        Args:
            tenant: Its id.
            raw: ``limits``, ``fairness_weight``, ``priority_boost``.

        Returns:
            The tenant; see `show`.

        Raises:
            InvalidRequest: A field breaks its rule; nothing has changed.
        """
        check_tenant(tenant, "tenant_id")
        limits = None if raw.get("limits") is None else _limits(raw["limits"], "limits")
        weight = raw.get("fairness_weight")
        if weight is not None:
            check_weight(weight, "fairness_weight")
        boost = raw.get("priority_boost")
        if boost is not None:
            check_priority(boost, "priority_boost")
        with self.kernel.store.transaction():
            record = self._record(tenant)
            if not record["configured"]:
                self.kernel.emit("tenant.created", tenant, {"tenant_id": tenant})
            record["configured"] = True
            record["limits"] = record["limits"] if limits is None else limits
            record["weight"] = record["weight"] if weight is None else weight
            record["boost"] = record["boost"] if boost is None else boost
            self.kernel.store.put_record(_KIND, tenant, record)
            return self.show(tenant)

    def limit(self, tenant: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Change some of a tenant's limits (9.3); null removes one. ``reason`` goes into the event.

        Raises:
            InvalidRequest: A limit breaks its rule; nothing has changed.
        """
        check_tenant(tenant, "tenant_id")
        given = {name: value for name, value in raw.items() if name not in {"reason", "tenant_id"}}
        limits = _limits(given, "limits")
        gone = {name for name, value in given.items() if value is None}
        with self.kernel.store.transaction():
            record = self._record(tenant)
            kept = {name: value for name, value in record["limits"].items() if name not in gone}
            record["limits"] = kept | limits
            record["configured"] = True
            self.kernel.store.put_record(_KIND, tenant, record)
            facts = {"tenant_id": tenant, "limits": limits, "reason": raw.get("reason")}
            self.kernel.emit("tenant.limits_updated", tenant, facts)
            return self.show(tenant)

    def forget(self, tenant: str) -> None:
        """Drop a tenant's configuration; its jobs stay, and so do the counts of them.

        Raises:
            NotFound: No such tenant.
        """
        with self.kernel.store.transaction():
            record = self._known(tenant)
            if any(record["states"].values()):
                record |= {"configured": False, "limits": {}, "weight": 1, "boost": 0}
                self.kernel.store.put_record(_KIND, tenant, record)
            else:
                self.kernel.store.delete_record(_KIND, tenant)
                self.figures.forget(f"tenant:{tenant}")

    def weight(self, tenant: str) -> float:
        """A tenant's share relative to others'."""
        return float(self._record(tenant)["weight"])

    # reading

    def _known(self, tenant: str) -> dict[str, Any]:
        record = self.kernel.store.record(_KIND, tenant)
        if record is None:
            raise NotFound(
                f"There is no tenant '{tenant:.60}'.",
                details={"resource_type": "tenant", "resource_id": tenant[:60]},
            )
        return record

    def counts(self, tenant: str, queue: str | None = None) -> dict[str, int]:
        """A tenant's jobs in each state, in one queue or in all; every state is present."""
        record = self._record(tenant)
        here = record["states"] if queue is None else record["queues"].get(queue, {})
        return {state: here.get(state, 0) for state in life.STATES}

    def show(self, tenant: str) -> dict[str, Any]:
        """A tenant's configuration and counts.

        Raises:
            NotFound: No such tenant.
        """
        record = self._known(tenant)
        counts = self.counts(tenant)
        return {
            "id": tenant,
            "tenant_id": tenant,
            "limits": _shown(record["limits"]),
            "fairness_weight": record["weight"],
            "priority_boost": record["boost"],
            "total_jobs": record["total"],
            "jobs": counts,
            "queues": sorted(queue for queue, here in record["queues"].items() if any(here.values())),
            "created_at": format_time(record["created_at"]),
        }

    def list(self) -> list[dict[str, Any]]:
        """All tenants, in the order in which they were first seen."""
        return [self.show(tenant) for tenant, _ in self.kernel.store.records(_KIND)]

    def stats(self, tenant: str) -> dict[str, Any]:
        """What a tenant's jobs do, and how near it is to its limits (10.2).

        Raises:
            NotFound: No such tenant.
        """
        shown = self.show(tenant)
        counts, limits = shown["jobs"], self._known(tenant)["limits"]
        day, hour = self.figures.day(f"tenant:{tenant}"), self.figures.minutes(f"tenant:{tenant}", 60)
        current = {
            "max_concurrency": counts[life.ACTIVE],
            "max_queue_depth": counts[life.AVAILABLE] + counts[life.SCHEDULED],
            "max_scheduled": counts[life.SCHEDULED],
        }
        active = self.kernel.store.counts()[life.ACTIVE]
        weights = sum(record["weight"] for _, record in self.kernel.store.records(_KIND))
        loads = {name: self._load(name) for name, _ in self.kernel.store.records(_KIND)}
        noise = neighbours.signals(loads[tenant], list(loads.values()))
        return shown | {
            "jobs": {**counts, "completed_24h": day["completed"], "failed_24h": day["failed"]},
            "throughput": {
                "processed_per_minute": round(hour["completed"] / 60, 3),
                "enqueued_per_minute": round(hour["enqueued"] / 60, 3),
            },
            "limits": {
                name: {"limit": limits[name], "current": current[name]} for name in LIMITS if name in limits
            },
            "fairness": {
                "weight": shown["fairness_weight"],
                "effective_share": round(shown["fairness_weight"] / weights, 3),
                "actual_share": round(counts[life.ACTIVE] / active, 3) if active else 0,
            },
            "noisy_neighbor": {"signals": noise, "exceeded": neighbours.exceeded(noise)},
        }

    def _load(self, tenant: str) -> neighbours.Load:
        counts, hour = self.counts(tenant), self.figures.minutes(f"tenant:{tenant}", 60)
        waiting = counts[life.AVAILABLE] + counts[life.SCHEDULED]
        return neighbours.Load(
            waiting, counts[life.ACTIVE], hour["enqueued"], hour["started"], hour["failed"]
        )


class _Required(InvalidRequest):
    """A job must name its tenant (OJS Multi-Tenancy 5.1)."""

    status = 422


def _limits(raw: Any, field: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise refuse(field, raw, "must be an object", _CLAUSE)
    limits: dict[str, Any] = {}
    for name, value in raw.items():
        if value is None:
            continue
        path = f"{field}.{name}"
        if name in LIMITS:
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise refuse(path, value, "must be an integer of at least 0", _CLAUSE)
            limits[name] = value
        elif name == "max_enqueue_rate":
            limits[name] = limit_policy.parse({"rate": value}, path, "tenant")[1]["rate"]
        elif name == "soft" and isinstance(value, bool):
            limits[name] = value
        else:
            known = ", ".join((*LIMITS, "max_enqueue_rate", "soft"))
            raise refuse(path, value, f"is no such limit; there are {known}", _CLAUSE)
    return limits


def _shown(limits: dict[str, Any]) -> dict[str, Any]:
    rate = limits.get("max_enqueue_rate")
    if rate is None:
        return dict(limits)
    return {**limits, "max_enqueue_rate": {"limit": rate["limit"], "period_ms": rate["period"]}}
