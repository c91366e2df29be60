"""Endpoints of tenants: configuration, limits, statistics, jobs (OJS Multi-Tenancy 10)."""

from __future__ import annotations

from typing import Final

from engine import selection
from engine.http.paging import paged, pagination
from engine.http.route import Call, Feature, Reply, Route


def listing(call: Call) -> Reply:
    """All tenants with their counts."""
    limit, offset = call.page()
    return Reply(paged("tenants", call.engine.tenants.list(), limit, offset))


def show(call: Call) -> Reply:
    """One tenant."""
    return Reply(call.engine.tenants.show(call.params["id"]))


def put(call: Call) -> Reply:
    """Create or change a tenant's configuration."""
    return Reply(call.engine.tenants.configure(call.params["id"], call.body))


def limit(call: Call) -> Reply:
    """Change some of a tenant's limits."""
    given = call.body.get("limits")
    return Reply(
        call.engine.tenants.limit(call.params["id"], given if isinstance(given, dict) else call.body)
    )


def delete(call: Call) -> Reply:
    """Drop a tenant's configuration."""
    call.engine.tenants.forget(call.params["id"])
    return Reply({"deleted": True, "tenant_id": call.params["id"]})


def stats(call: Call) -> Reply:
    """What a tenant's jobs do."""
    return Reply(call.engine.tenants.stats(call.params["id"]))


def jobs(call: Call) -> Reply:
    """A tenant's jobs, newest first."""
    size, offset = call.page()
    counts = call.engine.tenants.show(call.params["id"])["jobs"]
    fields = {name: call.query[name] for name in ("state", "queue", "type") if call.query.get(name)}
    wanted = selection.parse({**fields, "tenant_id": call.params["id"]})
    found = call.engine.store.jobs(
        states=wanted.states, queue=wanted.queue, keep=wanted.matches, limit=size + 1, offset=offset
    )
    rows = [job.to_dict() for job in found[:size]]
    total = sum(counts[state] for state in wanted.states or counts)
    if wanted.queue is not None or wanted.type is not None:
        total = offset + len(found)  # at least so many; counting all would read every job
    page = pagination(total, size, offset, len(rows))
    return Reply({"jobs": rows, "items": rows, "pagination": page})


_CLAUSE: Final = "OJS Multi-Tenancy 10.1"
_ONE: Final = "/admin/tenants/{id}"

FEATURES: Final = (Feature("multi-tenancy"),)

ROUTES: Final = (
    Route("GET", "/admin/tenants", listing, "TENANTS", -1, "List tenants.", _CLAUSE),
    Route("GET", _ONE, show, "TENANTS", -1, "Read a tenant.", _CLAUSE),
    Route("PUT", _ONE, put, "TENANTS", -1, "Configure a tenant.", _CLAUSE),
    Route("DELETE", _ONE, delete, "TENANTS", -1, "Drop a tenant's configuration.", _CLAUSE),
    Route(
        "PUT", f"{_ONE}/limits", limit, "TENANTS", -1, "Change a tenant's limits.", "OJS Multi-Tenancy 9.3"
    ),
    Route("GET", f"{_ONE}/stats", stats, "TENANTS", -1, "A tenant's statistics.", "OJS Multi-Tenancy 10.2"),
    Route("GET", f"{_ONE}/jobs", jobs, "TENANTS", -1, "A tenant's jobs.", "OJS Multi-Tenancy 10.3"),
)
