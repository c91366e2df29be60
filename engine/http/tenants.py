"""Endpoints of tenants (OJS Multi-Tenancy 10), and the tenant header of every enqueue request."""

from __future__ import annotations

from typing import Any, Final

from engine.errors import InvalidRequest
from engine.http.admin import Filter, brief, page_of
from engine.http.route import Call, Feature, Reply, Route

FEATURES: Final = (Feature("multi-tenancy", "experimental"),)


def tag(body: dict[str, Any], tenant: str) -> None:
    """Give every job of an enqueue request the tenant of the request's header (OJS Multi-Tenancy 5.3, 15.2).

    Args:
        body: A job, a batch, a workflow or a cron entry; changed.
        tenant: The header's value.

    Raises:
        InvalidRequest: The header is malformed, or a job names another tenant.
    """
    from engine.tenants import check_name  # noqa: PLC0415 - only requests with the header load it

    _tag(body, check_name(tenant, "X-OJS-Tenant"))


def _tag(node: Any, tenant: str) -> None:
    if not isinstance(node, dict):
        return
    parts = [part for name in ("jobs", "steps") if isinstance(node.get(name), list) for part in node[name]]
    parts += [node["job_template"]] if isinstance(node.get("job_template"), dict) else []
    parts += list(node["callbacks"].values()) if isinstance(node.get("callbacks"), dict) else []
    for part in parts:
        _tag(part, tenant)
    if parts or "type" not in node:
        return
    meta = {} if node.get("meta") is None else node["meta"]
    if not isinstance(meta, dict):
        return
    named = meta.get("tenant_id")
    if named is not None and named != tenant:
        raise InvalidRequest(
            f"'meta.tenant_id' is '{named!s:.60}', but the X-OJS-Tenant header says '{tenant:.60}' "
            "(OJS Multi-Tenancy 5.3).",
            details={"field": "meta.tenant_id", "header": tenant[:60], "body": str(named)[:60]},
        )
    node["meta"] = {**meta, "tenant_id": tenant}


def listing(call: Call) -> Reply:
    """All tenants."""
    body = page_of(call, call.engine.extensions.tenants.list())
    return Reply({**body, "tenants": body["items"]})


def get(call: Call) -> Reply:
    """One tenant."""
    return Reply(call.engine.extensions.tenants.get(call.params["id"]))


def put(call: Call) -> Reply:
    """Create or change a tenant."""
    return Reply(call.engine.extensions.tenants.configure(call.params["id"], call.body))


def delete(call: Call) -> Reply:
    """Forget a tenant's limits and counters."""
    call.engine.extensions.tenants.delete(call.params["id"])
    return Reply({"deleted": True, "tenant_id": call.params["id"]})


def stats(call: Call) -> Reply:
    """Figures of one tenant."""
    return Reply(call.engine.extensions.tenants.stats(call.params["id"]))


def jobs(call: Call) -> Reply:
    """A tenant's jobs, newest first."""
    from engine import tenants  # noqa: PLC0415 - as above

    tenant, meant = call.params["id"], Filter(dict(call.query))
    call.engine.extensions.tenants.get(tenant)
    found = [job for job in meant.find(call) if tenants.of(job) == tenant]
    return Reply(page_of(call, [brief(job) for job in found]))


_CLAUSE: Final = "OJS Multi-Tenancy 10"

ROUTES: Final = (
    Route("GET", "/admin/tenants", listing, "TENANTS", -1, "List tenants.", _CLAUSE),
    Route("GET", "/admin/tenants/{id}", get, "TENANTS", -1, "A tenant.", _CLAUSE),
    Route("PUT", "/admin/tenants/{id}", put, "TENANTS", -1, "Create or change a tenant.", _CLAUSE),
    Route("PUT", "/admin/tenants/{id}/limits", put, "TENANTS", -1, "Change a tenant's limits.", _CLAUSE),
    Route("DELETE", "/admin/tenants/{id}", delete, "TENANTS", -1, "Forget a tenant.", _CLAUSE),
    Route("GET", "/admin/tenants/{id}/stats", stats, "TENANTS", -1, "Figures of a tenant.", _CLAUSE),
    Route("GET", "/admin/tenants/{id}/jobs", jobs, "TENANTS", -1, "A tenant's jobs.", _CLAUSE),
)
