"""Turns within one priority: fair shares between tenants, and retries before or after new jobs.

OJS Fair Scheduling 9, OJS Extension Interactions 9.

Weighted fair queuing. Each job that becomes available gets a virtual finishing time, one step after its tenant's
last one; a step is shorter the larger the tenant's weight. The store orders by it, so that a burst of ten
thousand jobs of one tenant delays another tenant's job by one job, at no cost but a number.
"""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import refuse
from engine.job import Job
from engine.kernel import Kernel
from engine.queues import Queues
from engine.tenants import MAX_WEIGHT, Tenants, check_weight

STEP: Final = 1_000_000
"""Virtual time between two jobs of a tenant of weight 1."""
_RETRIES: Final = {"equal": 0, "prefer_retry": -1, "prefer_new": 1}
"""The turn of a job that has been tried before, relative to new ones (OJS Extension Interactions 9.2)."""
_CLAUSE: Final = "OJS Fair Scheduling 9.2"
_OFF: Final[dict[str, Any]] = {"enabled": False, "strategy": "fair-share", "weights": {}, "default_weight": 1}


class Fairness:
    """Gives jobs their turn.

    Args:
        kernel: Whose jobs it orders.
        tenants: Their weights.
        queues: Whose configuration says whether retries go first; asked only where tenants get no turns.
    """

    def __init__(self, kernel: Kernel, tenants: Tenants, queues: Queues) -> None:
        self.kernel = kernel
        self.tenants = tenants
        self.queues = queues

    def setting(self) -> dict[str, Any]:
        """Whether it is on, and the weights: ``enabled``, ``strategy``, ``weights``, ``default_weight``."""
        return self.kernel.store.record("setting", "tenant_fairness") or dict(_OFF)

    def configure(self, raw: Any) -> dict[str, Any]:
        """Change the setting; it holds for jobs that become available from now on.

        Raises:
            InvalidRequest: A field breaks its rule; nothing has changed.
        """
        if not isinstance(raw, dict):
            raise refuse("tenant_fairness", raw, "must be an object", _CLAUSE)
        enabled = raw.get("enabled", True)
        if not isinstance(enabled, bool):
            raise refuse("tenant_fairness.enabled", enabled, "must be true or false", _CLAUSE)
        strategy = raw.get("strategy", "fair-share")
        if strategy not in {"fair-share", "round-robin", "weighted"}:
            rule = "must be fair-share, round-robin or weighted"
            raise refuse("tenant_fairness.strategy", strategy, rule, _CLAUSE)
        weights = raw.get("weights") or {}
        if not isinstance(weights, dict):
            raise refuse("tenant_fairness.weights", weights, "must be an object", _CLAUSE)
        for name, weight in {**weights, "default_weight": raw.get("default_weight", 1)}.items():
            check_weight(weight, f"tenant_fairness.{name}")
        setting = {
            "enabled": enabled,
            "strategy": strategy,
            "weights": weights,
            "default_weight": raw.get("default_weight", 1),
        }
        with self.kernel.store.transaction():
            self.kernel.store.put_record("setting", "tenant_fairness", setting)
        return setting

    def forget(self, queue: str) -> None:
        """Drop the virtual time of a queue that is gone."""
        self.kernel.store.delete_record("fair", queue)

    def _weight(self, setting: dict[str, Any], tenant: str) -> float:
        if setting["strategy"] == "round-robin":
            return 1.0
        named = setting["weights"].get(tenant, setting["weights"].get(f"tenant:{tenant}"))
        if named is not None:
            return float(named)
        own = self.tenants.weight(tenant) if tenant else 1.0
        return own if own != 1 else float(setting["default_weight"])

    def turn(self, job: Job) -> int:
        """The turn of a job that becomes available."""
        setting = self.setting()
        if not setting["enabled"]:
            return (
                _RETRIES[self.queues.config(job.queue).get("retry_priority", "equal")] if job.attempt else 0
            )
        tenant = job.tenant or ""
        record = self._record(job.queue)
        key = f"{job.urgency}|{tenant}"
        turn = max(record["now"], record["last"].get(key, 0)) + int(STEP / self._weight(setting, tenant))
        record["last"][key] = turn
        self.kernel.store.put_record("fair", job.queue, record)
        return int(turn)

    def _record(self, queue: str) -> dict[str, Any]:
        return self.kernel.store.record("fair", queue) or {"now": 0, "last": {}}

    def served(self, job: Job) -> None:
        """A job starts: virtual time goes on to its turn."""
        if job.turn < STEP // MAX_WEIGHT:
            return
        record = self._record(job.queue)
        record["now"] = max(record["now"], job.turn)
        key = f"{job.urgency}|{job.tenant or ''}"
        if record["last"].get(key, 0) <= job.turn:
            record["last"].pop(key, None)  # its last job is served: virtual time itself remembers it
        self.kernel.store.put_record("fair", job.queue, record)
