"""The queue side's gauges for Prometheus: queues, limits, dead letters, tenants, pools.

OJS Queue Configuration 10.2, Rate Limiting 11.2, Backpressure 10.2, Dead Letter 11.2, Multi-Tenancy 11.2,
Fair Scheduling 11.2, Priority 11.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine import lifecycle as life
from engine import queue_config
from engine.core import Engine
from engine.http.metrics import Family

MAX_TENANTS: Final = 1000
"""Tenants with lines of their own; the rest is summed up as ``_other`` (OJS Multi-Tenancy 15.4)."""

_WAITING: Final = sorted(life.NON_TERMINAL)

Sample = tuple[str, dict[str, str], float]
"""Metric name, labels, value."""

HELP: Final = {
    "ojs_queue_depth": "Jobs that have not ended, by queue and state.",
    "ojs_queue_paused": "Whether the queue is paused.",
    "ojs_queue_max_size": "Most jobs the queue may have.",
    "ojs_backpressure_pressure": "Depth of the queue relative to its bound.",
    "ojs_queue_available_by_priority": "Available jobs by priority.",
    "ojs_rate_limit_active": "Active jobs of the key.",
    "ojs_rate_limit_waiting": "Available jobs of the key.",
    "ojs_dead_letter_total": "Dead letters by queue.",
    "ojs_tenant_jobs": "The tenant's jobs by state.",
    "ojs_scheduling_pool_utilization": "Active jobs of the pool relative to its limit.",
}


def _queues(engine: Engine) -> Iterator[Sample]:
    for queue in engine.queues.list():
        label = {"queue": queue["name"]}
        for state in _WAITING:
            yield "ojs_queue_depth", {**label, "state": state}, queue["counts"][state]
        yield "ojs_queue_paused", label, float(queue["paused"])
        bound = queue_config.bounds(engine.queues.config(queue["name"]))[0]
        if bound:
            yield "ojs_queue_max_size", label, bound
        pressure = engine.backpressure.pressure(queue["name"])
        if pressure is not None:
            yield "ojs_backpressure_pressure", label, round(pressure.ratio, 4)
        for priority, count in engine.priorities.counts(queue["name"]).items():
            yield "ojs_queue_available_by_priority", {**label, "priority": priority}, count


def _tenants(engine: Engine) -> Iterator[Sample]:
    tenants = engine.tenants.list()
    for tenant in tenants[:MAX_TENANTS]:
        for state, count in tenant["jobs"].items():
            yield "ojs_tenant_jobs", {"tenant_id": tenant["id"], "state": state}, count
    if tenants[MAX_TENANTS:]:
        for state in life.STATES:
            count = sum(tenant["jobs"][state] for tenant in tenants[MAX_TENANTS:])
            yield "ojs_tenant_jobs", {"tenant_id": "_other", "state": state}, count


def _others(engine: Engine) -> Iterator[Sample]:
    for limit in engine.limits.list():
        yield "ojs_rate_limit_active", {"key": limit["key"]}, limit["active_count"]
        yield "ojs_rate_limit_waiting", {"key": limit["key"]}, limit["waiting_count"]
    for queue, kinds in engine.store.dead_tally().items():
        yield "ojs_dead_letter_total", {"queue": queue}, sum(kinds.values())
    for pool in engine.pools.list():
        if pool["concurrency"]:
            share = round(pool["active_jobs"] / pool["concurrency"], 4)
            yield "ojs_scheduling_pool_utilization", {"pool": pool["name"]}, share


def families(engine: Engine) -> list[Family]:
    """All gauges that have a value, each metric's samples together."""
    found: dict[str, list[tuple[str, dict[str, str], float]]] = {}
    for source in (_queues, _tenants, _others):
        for name, labels, value in source(engine):
            found.setdefault(name, []).append(("", {key: str(text) for key, text in labels.items()}, value))
    return [Family(name, "gauge", text, found[name]) for name, text in HELP.items() if name in found]
