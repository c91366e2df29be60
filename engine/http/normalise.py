"""What every enqueue request is given before its handler sees it: the tenant and the request id of its headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.http.route import Route

ENQUEUES: Final = frozenset({"/jobs", "/jobs/batch", "/workflows", "/cron"})
"""Paths whose POST makes jobs, now or later."""
MAX_REQUEST_ID: Final = 200


def normalise(route: Route, headers: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """The body with what the headers say of its jobs.

    Args:
        route: The route that was found.
        headers: Header values by lower-case name.
        body: The parsed body; its jobs may be changed.

    Raises:
        InvalidRequest: The tenant header is malformed, or contradicts a job.
    """
    if route.method != "POST" or route.path not in ENQUEUES:
        return body
    tenant = headers.get("x-ojs-tenant") or headers.get("x-ojs-tenant-id")
    if tenant:
        from engine.http.tenants import tag  # noqa: PLC0415 - a table of routes must not import itself

        tag(body, tenant)
    request_id = headers.get("x-request-id", "")
    if request_id and len(request_id) <= MAX_REQUEST_ID and request_id.isprintable():
        jobs = body.get("jobs") if route.path == "/jobs/batch" else [body] if route.path == "/jobs" else []
        for job in jobs if isinstance(jobs, list) else ():
            _note(job, request_id)
    return body


def _note(job: Any, request_id: str) -> None:
    """Hand the id on in ``options.metadata``, which is for the server and not shown to the handler."""
    options = job.get("options", {}) if isinstance(job, dict) else None
    if not isinstance(options, dict):
        return
    hints = options.get("metadata", {})
    if isinstance(hints, dict):
        job["options"] = {**options, "metadata": {"request_id": request_id, **hints}}
