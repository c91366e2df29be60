"""Endpoints of the dead-letter queue (OJS HTTP Binding 12, OJS Dead Letter 10, OJS Admin API 11)."""

from __future__ import annotations

from typing import Any, Final

from engine import selection
from engine.envelope import refuse
from engine.http.jobs import with_job
from engine.http.paging import pagination
from engine.http.route import Call, Feature, Reply, Route
from engine.selection import Selection, discarded
from engine.times import format_time

_QUERY: Final = ("queue", "type", "error_type", "since", "until", "args", "tenant_id")


def _meant(call: Call, raw: Any) -> Selection:
    """A filter; a request in a tenant's name never reaches another's (OJS Extension Interactions 8)."""
    fields = dict(raw) if isinstance(raw, dict) else raw
    if call.tenant is not None and (fields is None or isinstance(fields, dict)):
        fields = {**(fields or {}), "tenant_id": call.tenant}
    return selection.parse(fields, moment=discarded)


def listing(call: Call) -> Reply:
    """Dead letters, the latest first."""
    limit, offset = call.page()
    wanted = _meant(call, {name: call.query[name] for name in _QUERY if call.query.get(name)})
    jobs, total = call.engine.dead_letters.page(wanted, limit, offset)
    rows = [job.to_dict() for job in jobs]
    page = pagination(total, limit, offset, len(rows))
    return Reply({"jobs": rows, "items": rows, "total": total, "pagination": page})


def _own(call: Call) -> str:
    """The id of the path; a request in a tenant's name finds none but its own (OJS Extension Interactions 8.2).

    Raises:
        NotFound: No such dead letter, or another tenant's.
    """
    return call.engine.dead_letters.get(call.params["id"], call.tenant).id


def show(call: Call) -> Reply:
    """One dead letter with its whole error history."""
    job = call.engine.dead_letters.get(_own(call))
    return Reply({**job.to_dict(), **with_job(job)})


def stats(call: Call) -> Reply:
    """How many there are, of what, and since when."""
    return Reply(call.engine.dead_letters.stats(call.tenant))


def retry(call: Call) -> Reply:
    """Run a dead letter again."""
    job = call.engine.dead_letters.retry(_own(call), call.body.get("override"))
    body = with_job(job, retried=True)
    body["job"]["re_enqueued_at"] = format_time(job.enqueued_at or 0)
    return Reply(body)


def retry_all(call: Call) -> Reply:
    """Run all that match again."""
    ids = call.engine.dead_letters.retry_all(_meant(call, call.body.get("filter")))
    return Reply({"action": "retry", "retried": len(ids), "matched": len(ids), "job_ids": ids})


def delete(call: Call) -> Reply:
    """Remove a dead letter for good."""
    job = call.engine.dead_letters.delete(_own(call))
    return Reply({"deleted": True, "job_id": job.id, "id": job.id})


def admin_delete(call: Call) -> Reply:
    """Remove a dead letter for good, without a body in the reply."""
    call.engine.dead_letters.delete(_own(call))
    return Reply("", 204)


def purge(call: Call) -> Reply:
    """Remove all that match for good, once confirmed."""
    if call.body.get("confirm") is not True and call.query.get("confirm") != "true":
        given = call.body.get("confirm", call.query.get("confirm"))
        raise refuse("confirm", given, "must be true: a purge cannot be undone", "OJS Admin API 4")
    fields = call.body.get("filter")
    if fields is None:
        named = {name: call.query[name] for name in _QUERY if call.query.get(name)}
        fields = {**named, **{name: call.body[name] for name in ("older_than", *_QUERY) if name in call.body}}
    ids = call.engine.dead_letters.purge(_meant(call, fields))
    return Reply({"deleted": len(ids), "purged_count": len(ids), "job_ids": ids})


_HTTP: Final = "OJS HTTP Binding 12"
_DLQ: Final = "OJS Dead Letter 10"
_ADMIN: Final = "OJS Admin API 11"

FEATURES: Final = (Feature("dead-letter"),)

ROUTES: Final = (
    Route("GET", "/dead-letter", listing, "DEAD", 1, "List dead letters.", f"{_HTTP}.1"),
    Route("DELETE", "/dead-letter", purge, "DEAD", -1, "Purge dead letters.", _DLQ),
    Route("GET", "/dead-letter/stats", stats, "DEAD", -1, "Dead-letter figures.", f"{_DLQ}.1"),
    Route("POST", "/dead-letter/retry", retry_all, "DEAD", -1, "Retry many dead letters.", _DLQ),
    Route("GET", "/dead-letter/{id}", show, "DEAD", -1, "Read a dead letter.", _DLQ),
    Route("DELETE", "/dead-letter/{id}", delete, "DEAD", 1, "Delete a dead letter.", f"{_HTTP}.3"),
    Route("POST", "/dead-letter/{id}/retry", retry, "DEAD", 1, "Retry a dead letter.", f"{_HTTP}.2"),
    Route("GET", "/admin/dead-letter", listing, "ADMIN", -1, "List dead letters.", f"{_ADMIN}.1"),
    Route("DELETE", "/admin/dead-letter", purge, "ADMIN", -1, "Purge dead letters.", f"{_ADMIN}.3"),
    Route("GET", "/admin/dead-letter/stats", stats, "ADMIN", -1, "Dead-letter figures.", _ADMIN),
    Route("POST", "/admin/dead-letter/retry", retry_all, "ADMIN", -1, "Retry many dead letters.", _ADMIN),
    Route("GET", "/admin/dead-letter/{id}", show, "ADMIN", -1, "Read a dead letter.", _ADMIN),
    Route("DELETE", "/admin/dead-letter/{id}", admin_delete, "ADMIN", -1, "Delete a dead letter.", _ADMIN),
    Route("POST", "/admin/dead-letter/{id}/retry", retry, "ADMIN", -1, "Retry a dead letter.", f"{_ADMIN}.2"),
)
