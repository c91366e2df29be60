"""Tenants: who owns which jobs, what each may have, and how much each has (OJS Multi-Tenancy).

Tenants share the queues (the shared-queue model, 6.2). A job belongs to the tenant named in ``meta.tenant_id``;
one that names none is nobody's. Counters are kept with the tenant, so that no question scans the jobs.
"""

from __future__ import annotations

import re
from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import PRIORITIES, refuse
from engine.errors import NotFound, TenantLimit
from engine.job import Job
from engine.kernel import Kernel
from engine.storage import Admit
from engine.times import MINUTE, SECOND, format_duration, format_time, parse_duration

NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:-]{0,254}\Z", re.ASCII)
LIMITS: Final = ("max_concurrency", "max_queue_depth", "max_scheduled")
_KIND: Final = "tenant"
_LIMITED: Final = "tenant_limited"
_CLAUSE: Final = "OJS Multi-Tenancy 8.1"


def check_name(value: Any, field: str = "tenant_id") -> str:
    """A tenant id (OJS Multi-Tenancy 5.2).

    Raises:
        InvalidRequest: Not letters, digits and ``._:-``, starting with a letter or digit.
    """
    if not isinstance(value, str) or not NAME.match(value):
        rule = "must be letters, digits, '.', '_', ':' and '-', starting with a letter or digit, at most 255"
        raise refuse(field, value, rule, "OJS Multi-Tenancy 5.2")
    return value


def of(job: Job) -> str | None:
    """The tenant of a job, or None."""
    name = (job.meta or {}).get("tenant_id")
    return name if isinstance(name, str) and name else None


class Tenants:
    """The tenants, their limits and counters.

    Args:
        kernel: Store, time, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    # at enqueue and at fetch

    def guard(self, job: Job) -> None:
        """Hold a new job against its tenant's limits, and raise its priority as the tenant's boost says.

        Raises:
            TenantLimit: A limit is reached (OJS Multi-Tenancy 8.2).
        """
        tenant = of(job)
        record = self.kernel.store.record(_KIND, tenant) if tenant else None
        if tenant is None or record is None:
            return
        limits, counts, now = record["limits"], record["counts"], self.kernel.now()
        waiting = counts[life.AVAILABLE] + counts[life.SCHEDULED]
        later = job.scheduled_at is not None and job.scheduled_at > now
        self._hold(tenant, limits, "max_queue_depth", waiting)
        if later:
            self._hold(tenant, limits, "max_scheduled", counts[life.SCHEDULED])
        rate = limits.get("max_enqueue_rate")
        if rate:
            window = self._window(record, now)
            left = window["start"] + rate["period"] - now
            self._hold(tenant, {"max_enqueue_rate": rate["limit"]}, "max_enqueue_rate", window["count"], left)
        boost = record["priority_boost"]
        job.priority = max(PRIORITIES.start, min(PRIORITIES.stop - 1, job.priority + boost))

    def _hold(self, tenant: str, limits: dict[str, Any], name: str, current: int, wait: int = SECOND) -> None:
        most = limits.get(name)
        if most is not None and current >= most:
            raise TenantLimit(
                f"Tenant '{tenant}' has reached {name} ({most}) (OJS Multi-Tenancy 8.2).",
                details={
                    "tenant_id": tenant,
                    "limit": name,
                    "current": current,
                    "maximum": most,
                    "retry_after": max(1, -(-wait // SECOND)),
                },
            )

    @staticmethod
    def _window(record: dict[str, Any], now: int) -> dict[str, int]:
        """The enqueue count of the period under way; a new period starts with the first job after the last."""
        window, rate = record["window"], record["limits"]["max_enqueue_rate"]
        if window is None or now >= window["start"] + rate["period"]:
            return {"start": now, "count": 0}
        return dict(window)

    def concurrency(self) -> Admit | None:
        """The test that keeps a tenant within its ``max_concurrency``; None while no tenant has one."""
        if self.kernel.store.record(_LIMITED, "all") is None:
            return None

        def test(job: Job) -> bool:
            tenant = of(job)
            record = self.kernel.store.record(_KIND, tenant) if tenant else None
            most = record["limits"].get("max_concurrency") if record else None
            return record is None or most is None or record["counts"][life.ACTIVE] < most

        return test

    # counters

    def moved(self, job: Job, was: str, operation: str) -> None:
        """Count a finished move of a tenant's job."""
        tenant = of(job)
        if tenant is None:
            return
        record = self.kernel.store.record(_KIND, tenant) or self._new()
        if was:
            record["counts"][was] = max(0, record["counts"][was] - 1)
        else:
            record["total"] += 1
            if record["limits"].get("max_enqueue_rate"):
                window = self._window(record, self.kernel.now())
                record["window"] = {**window, "count": window["count"] + 1}
        record["counts"][job.state] += 1
        if operation in {life.ACK, life.FAIL, life.TIMEOUT, life.RESERVATION}:
            record["failed" if operation != life.ACK else "processed"] += 1
        self.kernel.store.put_record(_KIND, tenant, record)

    def removed(self, job: Job) -> None:
        """A job was deleted: it no longer counts to its state."""
        tenant = of(job)
        record = self.kernel.store.record(_KIND, tenant) if tenant else None
        if tenant is not None and record is not None:
            record["counts"][job.state] = max(0, record["counts"][job.state] - 1)
            self.kernel.store.put_record(_KIND, tenant, record)

    def _new(self) -> dict[str, Any]:
        return {
            "created_at": self.kernel.now(),
            "total": 0,
            "processed": 0,
            "failed": 0,
            "counts": dict.fromkeys(life.STATES, 0),
            "limits": {},
            "fairness_weight": 1,
            "priority_boost": 0,
            "window": None,
        }

    # administration

    def configure(self, tenant: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create a tenant or change its limits (OJS Multi-Tenancy 8.1, 9.3).

        Args:
            tenant: Its id.
            body: Limits under ``limits`` or at the top; ``fairness_weight``, ``priority_boost``; null removes a limit.

        Raises:
            InvalidRequest: A value is malformed.
        """
        check_name(tenant)
        nested = body.get("limits")
        limits = _limits({**body, **nested} if isinstance(nested, dict) else body)
        weight, boost = body.get("fairness_weight"), body.get("priority_boost")
        if weight is not None and (
            isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0
        ):
            raise refuse("fairness_weight", weight, "must be a number above 0", _CLAUSE)
        if boost is not None and (
            isinstance(boost, bool) or not isinstance(boost, int) or boost not in PRIORITIES
        ):
            raise refuse("priority_boost", boost, "must be an integer from -100 to 100", _CLAUSE)
        with self.kernel.store.transaction():
            known = self.kernel.store.record(_KIND, tenant)
            record = known or self._new()
            merged = {**record["limits"], **limits}
            record["limits"] = {name: value for name, value in merged.items() if value is not None}
            record["fairness_weight"] = record["fairness_weight"] if weight is None else weight
            record["priority_boost"] = record["priority_boost"] if boost is None else boost
            self.kernel.store.put_record(_KIND, tenant, record)
            if record["limits"].get("max_concurrency") is not None:
                self.kernel.store.put_record(_LIMITED, "all", {"since": self.kernel.now()})
            if known is None:
                self.kernel.events.emit(self.kernel.now(), "tenant.created", tenant, {"tenant_id": tenant})
        return shown(tenant, record)

    def get(self, tenant: str) -> dict[str, Any]:
        """One tenant.

        Raises:
            NotFound: Nobody has enqueued for it or configured it.
        """
        return shown(tenant, self._known(tenant))

    def list(self) -> list[dict[str, Any]]:
        """All tenants, in the order in which they were first seen."""
        return [shown(name, record) for name, record in self.kernel.store.records(_KIND)]

    def delete(self, tenant: str) -> None:
        """Forget a tenant's limits and counters; its jobs stay.

        Raises:
            NotFound: No such tenant.
        """
        with self.kernel.store.transaction():
            self._known(tenant)
            self.kernel.store.delete_record(_KIND, tenant)

    def stats(self, tenant: str) -> dict[str, Any]:
        """Figures of one tenant (OJS Multi-Tenancy 10.2).

        Raises:
            NotFound: No such tenant.
        """
        record = self._known(tenant)
        counts, limits = record["counts"], record["limits"]
        current = {
            "max_concurrency": counts[life.ACTIVE],
            "max_queue_depth": counts[life.AVAILABLE] + counts[life.SCHEDULED],
            "max_scheduled": counts[life.SCHEDULED],
        }
        minutes = max(1.0, (self.kernel.now() - record["created_at"]) / MINUTE)
        return {
            "tenant_id": tenant,
            "total_jobs": record["total"],
            "jobs": dict(counts),
            "throughput": {
                "processed_per_minute": round(record["processed"] / minutes, 3),
                "failed_per_minute": round(record["failed"] / minutes, 3),
                "enqueued_per_minute": round(record["total"] / minutes, 3),
            },
            "limits": {
                name: {"limit": limits[name], "current": current[name]} for name in LIMITS if name in limits
            },
            "fairness": {"weight": record["fairness_weight"]},
        }

    def _known(self, tenant: str) -> dict[str, Any]:
        record = self.kernel.store.record(_KIND, tenant)
        if record is None:
            raise NotFound(
                f"There is no tenant '{tenant:.60}'.",
                details={"resource_type": "tenant", "resource_id": tenant[:60]},
            )
        return record


def _limits(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in LIMITS:
        if name in body:
            value = body[name]
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise refuse(name, value, "must be a whole number, at least 0", _CLAUSE)
            found[name] = value
    if "max_enqueue_rate" in body:
        found["max_enqueue_rate"] = _rate(body["max_enqueue_rate"])
    return found


def _rate(value: Any) -> dict[str, int] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("limit"), int) or value["limit"] < 1:
        raise refuse("max_enqueue_rate", value, "must be {limit, period} with a limit of at least 1", _CLAUSE)
    try:
        period = parse_duration(str(value.get("period", "PT1M")))
    except ValueError as error:
        raise refuse("max_enqueue_rate.period", value.get("period"), str(error), _CLAUSE) from None
    return {"limit": value["limit"], "period": max(SECOND, period)}


def shown(tenant: str, record: dict[str, Any]) -> dict[str, Any]:
    """A tenant as JSON values."""
    limits = dict(record["limits"])
    if "max_enqueue_rate" in limits:
        rate = limits["max_enqueue_rate"]
        limits["max_enqueue_rate"] = {"limit": rate["limit"], "period": format_duration(rate["period"])}
    return {
        "tenant_id": tenant,
        "limits": limits,
        "fairness_weight": record["fairness_weight"],
        "priority_boost": record["priority_boost"],
        "total_jobs": record["total"],
        "jobs": dict(record["counts"]),
        "created_at": format_time(record["created_at"]),
    }
