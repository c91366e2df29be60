"""What every enqueue endpoint shares: the tenant of the header goes in, figures of queue and limit come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.envelope import refuse
from engine.errors import InvalidRequest, QueueFull
from engine.http.message import Hold
from engine.http.route import Call, Reply
from engine.job import Job
from engine.times import SECOND

MAX_BLOCK: Final = 3600
"""Longest time for which a producer may wait for room, seconds."""


def owned(call: Call, body: Any) -> Any:
    """The enqueue request with the tenant of the request's header in its ``meta`` (OJS Multi-Tenancy 5.3).

    Raises:
        InvalidRequest: The header is not a tenant id, or the body names another tenant.
    """
    if call.tenant is None or not isinstance(body, dict):
        return body
    from engine.tenants import check_tenant  # noqa: PLC0415 - few requests name one

    tenant = check_tenant(call.tenant, "X-OJS-Tenant", "header")
    meta = body.get("meta")
    if meta is not None and not isinstance(meta, dict):
        return body  # refused by its own rule
    named = (meta or {}).get("tenant_id", tenant)
    if named != tenant:
        raise InvalidRequest(
            f"The header X-OJS-Tenant says '{tenant}', meta.tenant_id '{named!s:.60}' (OJS Multi-Tenancy 5.3).",
            details={"field": "meta.tenant_id", "header": tenant, "body": str(named)[:60]},
        )
    return {**body, "meta": {**(meta or {}), "tenant_id": tenant}}


def when_there_is_room(call: Call, enqueue: Callable[[Call], Reply]) -> Reply:
    """Enqueue; in a full queue that blocks its producers, let a patient host wait (OJS Backpressure 5.2, 9.3).

    Raises:
        QueueFull: There is no room, and the client would not wait, or the host cannot.
        InvalidRequest: The header ``OJS-Block-Timeout`` is no number of seconds.
    """
    text = call.headers.get("ojs-block-timeout", "0").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 4 or int(text) > MAX_BLOCK:
        rule = f"must be a whole number of seconds, at most {MAX_BLOCK}"
        raise refuse("OJS-Block-Timeout", text, rule, "OJS Backpressure 5.2", "header")
    if not call.patient or not int(text):
        return enqueue(call)
    pressure = call.engine.backpressure
    try:
        with pressure.blocking():
            return enqueue(call)
    except QueueFull as full:
        if full.details["strategy"] != "block":
            raise
        queue = full.details["queue"]
        return Reply({}, full.status, hold=Hold(int(text), lambda: pressure.has_room(queue)))


def pressure_headers(call: Call, job: Job) -> dict[str, str]:
    """How full the job's queue is, once it is full enough to warn of (OJS Backpressure 7.3)."""
    if call.engine.queues.is_plain(job.queue):
        return {}
    pressure = call.engine.backpressure.pressure(job.queue)
    if pressure is None or not pressure.warns:
        return {}
    return {
        "X-OJS-Queue-Depth": str(pressure.depth),
        "X-OJS-Queue-Bound": str(pressure.bound),
        "X-OJS-Queue-Pressure": f"{min(1.0, pressure.ratio):.2f}",
    }


def limit_headers(call: Call, job: Job) -> dict[str, str]:
    """What is left of the job's rate limit (OJS Rate Limiting 10.4)."""
    if job.limit_key is None:
        return {}
    budget = call.engine.limits.budget(job)
    if budget is None:
        return {}
    limit, left, resets = budget
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(-(-resets // SECOND)),
    }
