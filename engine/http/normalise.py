"""What every enqueue request is given before its handler sees it: the tenant and the request id of its headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.errors import InvalidRequest
from engine.http.route import Route

JOBS: Final = frozenset({"/jobs", "/jobs/batch"})
NESTED: Final = frozenset({"/workflows", "/cron"})
"""Paths whose POST makes jobs: at once, and later."""
MAX_REQUEST_ID: Final = 200


def normalise(route: Route, headers: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """The body with what the headers say of its jobs; the tenant of plain jobs is `engine.http.admission`'s.

    Args:
        route: The route that was found.
        headers: Header values by lower-case name.
        body: The parsed body; its jobs may be changed.

    Raises:
        InvalidRequest: The tenant header is malformed, or contradicts a job.
    """
    if route.method != "POST":
        return body
    tenant = headers.get("x-ojs-tenant") or headers.get("x-ojs-tenant-id")
    if tenant and route.path in NESTED:
        from engine.tenants import check_tenant  # noqa: PLC0415 - few requests name one

        _tag(body, check_tenant(tenant, "X-OJS-Tenant", "header"))
    request_id = headers.get("x-request-id", "")
    if route.path in JOBS and request_id and len(request_id) <= MAX_REQUEST_ID and request_id.isprintable():
        jobs = body.get("jobs") if route.path == "/jobs/batch" else [body]
        for job in jobs if isinstance(jobs, list) else ():
            _note(job, request_id)
    return body


def _tag(node: Any, tenant: str) -> None:
    """Give every job of a workflow or a cron entry the tenant (OJS Multi-Tenancy 5.3, 15.2)."""
    if not isinstance(node, dict):
        return
    parts = [part for name in ("jobs", "steps") if isinstance(node.get(name), list) for part in node[name]]
    parts += [node["job_template"]] if isinstance(node.get("job_template"), dict) else []
    parts += list(node["callbacks"].values()) if isinstance(node.get("callbacks"), dict) else []
    for part in parts:
        _tag(part, tenant)
    meta = {} if node.get("meta") is None else node["meta"]
    if parts or "type" not in node or not isinstance(meta, dict):
        return
    named = meta.get("tenant_id")
    if named is not None and named != tenant:
        raise InvalidRequest(
            f"'meta.tenant_id' is '{named!s:.60}', but the X-OJS-Tenant header says '{tenant:.60}' "
            "(OJS Multi-Tenancy 5.3).",
            details={"field": "meta.tenant_id", "header": tenant[:60], "body": str(named)[:60]},
        )
    node["meta"] = {**meta, "tenant_id": tenant}


def _note(job: Any, request_id: str) -> None:
    """Hand the id on in ``options.metadata``; it joins ``meta`` once the job is admitted (`engine.extensions`)."""
    options = job.get("options", {}) if isinstance(job, dict) else None
    if not isinstance(options, dict):
        return
    hints = options.get("metadata", {})
    if isinstance(hints, dict):
        job["options"] = {**options, "metadata": {"request_id": request_id, **hints}}
