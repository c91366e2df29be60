"""Endpoints of worker pools and fair shares (OJS Fair Scheduling 10)."""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import refuse
from engine.http.paging import paged
from engine.http.route import Call, Feature, Reply, Route


def listing(call: Call) -> Reply:
    """All worker pools."""
    limit, offset = call.page()
    return Reply(paged("pools", call.engine.pools.list(), limit, offset))


def _shown(pool: dict[str, Any]) -> dict[str, Any]:
    return {**pool, "pool": pool}


def show(call: Call) -> Reply:
    """One worker pool."""
    return Reply(_shown(call.engine.pools.show(call.params["name"])))


def put(call: Call) -> Reply:
    """Create or replace a worker pool."""
    inner = call.body.get("pool")
    pool, new = call.engine.pools.put(call.params["name"], inner if isinstance(inner, dict) else call.body)
    return Reply(_shown(pool), 201 if new else 200)


def delete(call: Call) -> Reply:
    """Remove a worker pool."""
    call.engine.pools.delete(call.params["name"])
    return Reply({"deleted": True, "name": call.params["name"]})


def stats(call: Call) -> Reply:
    """How the queues have shared the last minute's dispatches."""
    return Reply(call.engine.pools.stats())


def fairness(call: Call) -> Reply:
    """Whether tenants get fair shares, and by which weights."""
    return Reply({"tenant_fairness": call.engine.fairness.setting()})


def set_fairness(call: Call) -> Reply:
    """Turn fair shares between tenants on or off."""
    raw = call.body.get("tenant_fairness")
    if raw is None:
        raise refuse("tenant_fairness", raw, "is required: an object", "OJS Fair Scheduling 9.2")
    return Reply({"tenant_fairness": call.engine.fairness.configure(raw)})


_POOLS: Final = "OJS Fair Scheduling 10.1"
_SHARES: Final = "OJS Fair Scheduling 9.2"

FEATURES: Final = (Feature("fair-scheduling"), Feature("priority"))

ROUTES: Final = (
    Route("GET", "/admin/pools", listing, "POOLS", -1, "List worker pools.", _POOLS),
    Route("GET", "/admin/pools/{name}", show, "POOLS", -1, "Read a worker pool.", _POOLS),
    Route("PUT", "/admin/pools/{name}", put, "POOLS", -1, "Create or replace a worker pool.", _POOLS),
    Route("DELETE", "/admin/pools/{name}", delete, "POOLS", -1, "Remove a worker pool.", _POOLS),
    Route("GET", "/admin/scheduling", fairness, "POOLS", -1, "Fair shares between tenants.", _SHARES),
    Route("PUT", "/admin/scheduling", set_fairness, "POOLS", -1, "Set fair shares.", _SHARES),
    Route(
        "GET",
        "/admin/scheduling/stats",
        stats,
        "POOLS",
        -1,
        "Dispatches by queue.",
        "OJS Fair Scheduling 10.2",
    ),
)
