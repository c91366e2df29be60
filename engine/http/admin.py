"""The admin API's endpoints of jobs: search, detail, single and bulk operations (OJS Admin API 7, 8).

Queues and dead letters have their own modules; workers and figures are in `engine.http.admin_server`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine import lifecycle as life
from engine import selection
from engine.errors import Conflict, InvalidRequest, OJSError
from engine.http import jobs
from engine.http.route import Call, Feature, Reply, Route
from engine.job import Job
from engine.selection import Selection

FEATURES: Final = (Feature("admin-api", capability="admin_api"),)
SCAN: Final = 10_000
"""Jobs that one search or bulk operation looks at, the newest first."""
_SORTS: Final[dict[str, Callable[[Job], Any]]] = {
    "created_at": lambda job: (job.created_at, job.id),
    "scheduled_at": lambda job: (job.scheduled_at or 0, job.id),
    "priority": lambda job: (job.priority, job.id),
}
_BRIEF: Final = (
    "id type queue state priority attempt max_attempts created_at enqueued_at scheduled_at started_at completed_at "
    "cancelled_at discarded_at next_attempt_at error tags"
).split()
_FILTERS: Final = ("state", "queue", "type", "tenant_id", "error_type", "since", "until")
_TIMES: Final = (
    "created_at enqueued_at scheduled_at started_at completed_at cancelled_at discarded_at expires_at".split()
)


def pages(call: Call) -> tuple[int, int, dict[str, int]]:
    """Page size, offset and the start of the reply's ``pagination`` (OJS Admin API 7.1); 100 a page at most."""
    if "limit" in call.query or "offset" in call.query:
        size = min(call.number("limit", 25, 1_000_000, 1), 100)
        offset = call.number("offset", 0, 100_000_000)
        return size, offset, {"page": offset // size + 1, "per_page": size, "limit": size, "offset": offset}
    size = min(call.number("per_page", 20, 1_000_000, 1), 100)
    page = call.number("page", 1, 10_000_000, 1)
    return size, (page - 1) * size, {"page": page, "per_page": size}


def page_of(call: Call, items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list of which the caller sees one page, as ``{items, pagination}``."""
    size, offset, pagination = pages(call)
    total = len(items)
    return {"items": items[offset : offset + size], "pagination": {"total": total, **pagination}}


def _find(
    call: Call, wanted: Selection, limit: int = SCAN, offset: int = 0, *, newest: bool = True
) -> list[Job]:
    """The jobs that are meant, in order of creation."""
    return call.engine.store.jobs(
        states=wanted.states,
        queue=wanted.queue,
        keep=wanted.matches,
        limit=limit,
        offset=offset,
        newest=newest,
    )


def _count(call: Call, wanted: Selection) -> int:
    """How many are meant; at most `SCAN` where they have to be looked at one by one."""
    if wanted != Selection(queue=wanted.queue, states=wanted.states, times=wanted.times) or any(
        start is not None or end is not None for _, start, end in wanted.times
    ):
        return len(_find(call, wanted))
    counts = call.engine.store.counts(wanted.queue)
    return sum(counts[state] for state in wanted.states or life.STATES)


def _asked(call: Call) -> Selection:
    """The filter of a query string; an unescaped plus sign of a zone arrives as a space."""
    raw: dict[str, Any] = {name: value for name, value in call.query.items() if name in _FILTERS and value}
    if "state" in raw:
        raw["state"] = raw["state"].split(",")
    times = {name: raw[name].replace(" ", "+") for name in ("since", "until") if name in raw}
    return selection.parse(raw | times)


def listing(call: Call) -> Reply:
    """A page of jobs that match, newest first unless the request says otherwise."""
    size, offset, pagination = pages(call)
    meant = _asked(call)
    sort, order = call.query.get("sort", "created_at"), call.query.get("order", "desc")
    if sort not in _SORTS:
        raise call.refuse("sort", f"must be one of {', '.join(_SORTS)}", "OJS Admin API 7.1")
    if order not in {"asc", "desc"}:
        raise call.refuse("order", "must be 'asc' or 'desc'", "OJS Admin API 7.1")
    if sort == "created_at":
        found = _find(call, meant, size, offset, newest=order == "desc")
    else:
        found = sorted(_find(call, meant), key=_SORTS[sort], reverse=order == "desc")[offset : offset + size]
    items = [brief(job) for job in found]
    return Reply({"items": items, "jobs": items, "pagination": {"total": _count(call, meant), **pagination}})


def brief(job: Job) -> dict[str, Any]:
    """A job as lists show it."""
    body = job.to_dict()
    return {name: body[name] for name in _BRIEF if name in body}


def detail(call: Call) -> Reply:
    """A job with its policy, times and history."""
    job = call.engine.info(call.params["id"])
    body = job.to_dict()
    times = {name: body.get(name) for name in _TIMES}
    history = call.engine.extensions.history.of(job.id)
    more = {
        "retry_policy": job.retry.to_dict(),
        "errors": job.errors or [],
        "metadata": times,
        "history": history,
    }
    return Reply({"result": None, **body, **more, "job": body})


# bulk operations


def _bulk(call: Call, action: str, states: frozenset[str], act: Callable[[Job], Any]) -> Reply:
    if call.body.get("confirm") is not True:
        raise InvalidRequest(
            "'confirm' must be true: this acts on every job that matches (OJS Admin API 8).",
            details={"field": "confirm", "rule": "must be true", "clause": "OJS Admin API 8"},
        )
    given = call.body.get("filter")
    meant = selection.parse(call.body if given is None else given, states=sorted(states))
    found = _find(call, meant, newest=False)
    errors: list[dict[str, str]] = []
    for job in found:
        try:
            if job.state not in states:
                raise Conflict(f"Job is {job.state}; to {action} it must be {', '.join(sorted(states))}.")
            act(job)
        except OJSError as error:
            errors.append({"job_id": job.id, "code": error.code, "error": error.message})
    done = len(found) - len(errors)
    past = {"retry": "retried", "cancel": "cancelled", "delete": "deleted"}[action]
    body = {"action": action, "matched": len(found), "succeeded": done, "failed": len(errors), past: done}
    return Reply({**body, "errors": errors[:100]})


def bulk_retry(call: Call) -> Reply:
    """Put all discarded jobs that match back into their queues."""
    return _bulk(call, "retry", frozenset({life.DISCARDED}), lambda job: call.engine.retry(job.id))


def bulk_cancel(call: Call) -> Reply:
    """Cancel all jobs that match and have not ended."""
    return _bulk(
        call, "cancel", life.NON_TERMINAL, lambda job: call.engine.cancel(job.id, cancelled_by="admin")
    )


def bulk_delete(call: Call) -> Reply:
    """Delete all jobs that match and have ended."""

    def delete(job: Job) -> None:
        with call.engine.store.transaction():
            call.engine.kernel.remove(job)

    return _bulk(call, "delete", life.TERMINAL, delete)


_JOBS: Final = "OJS Admin API 7"
_BULK: Final = "OJS Admin API 8"

ROUTES: Final = (
    Route("GET", "/admin/jobs", listing, "ADMIN", -1, "Search jobs.", _JOBS),
    Route("GET", "/admin/jobs/{id}", detail, "ADMIN", -1, "A job in full.", _JOBS),
    Route("POST", "/admin/jobs/{id}/cancel", jobs.cancel, "ADMIN", -1, "Cancel a job.", _JOBS),
    Route("POST", "/admin/jobs/{id}/retry", jobs.retry, "ADMIN", -1, "Retry a job.", _JOBS),
    Route("POST", "/admin/jobs/bulk/retry", bulk_retry, "ADMIN", -1, "Retry many jobs.", _BULK),
    Route("POST", "/admin/jobs/bulk/cancel", bulk_cancel, "ADMIN", -1, "Cancel many jobs.", _BULK),
    Route("POST", "/admin/jobs/bulk/delete", bulk_delete, "ADMIN", -1, "Delete many jobs.", _BULK),
)
