"""Endpoints of single jobs: PUSH, INFO, CANCEL, ACTIVATE (OJS HTTP Binding 9)."""

from __future__ import annotations

from typing import Any, Final

from engine.errors import InvalidPayload
from engine.http.admission import limit_headers, owned, pressure_headers, when_there_is_room
from engine.http.paging import cursor
from engine.http.route import Call, Reply, Route
from engine.job import Job
from engine.lifecycle import STATES, TERMINAL
from engine.times import format_time


def with_job(job: Job, **more: Any) -> dict[str, Any]:
    """``{"job": …}`` with what simple clients read at the top level."""
    body = job.to_dict()
    return {"job": body, "id": job.id, "type": job.type, "queue": job.queue, "state": job.state, **more}


def push(call: Call) -> Reply:
    """Enqueue one job."""
    return when_there_is_room(call, _push)


def _push(call: Call) -> Reply:
    if not call.body:
        raise InvalidPayload('The body is empty; send one job, e.g. {"type": "email.send", "args": []}.')
    pushed = call.engine.push(owned(call, call.body))
    if pushed.dropped:
        return Reply({"enqueued": False, "dropped": True, "reason": "Enqueue middleware dropped the job."})
    headers = limit_headers(call, pushed.job) | pressure_headers(call, pushed.job)
    if pushed.duplicate:
        return Reply(with_job(pushed.job, deduplicated=True, duplicate=True), 200, headers)
    warnings = call.engine.extensions.warnings(pushed.job)
    body = with_job(pushed.job, warnings=warnings) if warnings else with_job(pushed.job)
    return Reply(body, 201, {"Location": f"/ojs/v1/jobs/{pushed.job.id}", **headers})


def info(call: Call) -> Reply:
    """The whole job; while it has not ended, when to ask again (OJS Results 8.1)."""
    job = call.engine.info(call.params["id"])
    return Reply(with_job(job), 200, {} if job.state in TERMINAL else {"Retry-After": "1"})


def cancel(call: Call) -> Reply:
    """Cancel a job that has not ended."""
    before = call.engine.info(call.params["id"]).state
    facts = {
        name: call.body[name] for name in ("reason", "cancelled_by") if isinstance(call.body.get(name), str)
    }
    job = call.engine.cancel(call.params["id"], **facts)
    body = with_job(job, previous_state=before, cancelled_at=format_time(job.cancelled_at or 0))
    body["job"]["previous_state"] = before
    return Reply(body)


def activate(call: Call) -> Reply:
    """Let a pending job into its queue."""
    job = call.engine.activate(call.params["id"])
    body = with_job(job, previous_state="pending")
    body["job"]["previous_state"] = "pending"
    return Reply(body)


def retry(call: Call) -> Reply:
    """Put a discarded job back into its queue, or cut a failed one's backoff short."""
    return Reply(with_job(call.engine.retry(call.params["id"])))


def change(call: Call) -> Reply:
    """Give a waiting job another priority."""
    job, before = call.engine.priorities.change(call.params["id"], call.body.get("priority"))
    return Reply(with_job(job, priority=job.priority, previous_priority=before))


def listing(call: Call) -> Reply:
    """A page of jobs, newest first, filtered by state, queue and type."""
    limit, offset = call.page()
    states = [state for state in call.query.get("state", "").split(",") if state] or None
    for state in states or []:
        if state not in STATES:
            raise call.refuse("state", f"must be one of {', '.join(STATES)}", "OJS Core 6.1")
    jobs = call.engine.store.jobs(
        states=states,
        queue=call.query.get("queue"),
        type=call.query.get("type"),
        keep=None if call.tenant is None else lambda job: job.tenant == call.tenant,
        limit=limit + 1,
        offset=offset,
    )
    page: dict[str, Any] = {"limit": limit, "offset": offset, "has_more": len(jobs) > limit}
    if len(jobs) > limit:
        page["next_cursor"] = cursor(offset + limit)
    return Reply({"jobs": [job.to_dict() for job in jobs[:limit]], "pagination": page})


ROUTES: Final = (
    Route("POST", "/jobs", push, "PUSH", 0, "Enqueue one job.", "OJS HTTP Binding 9.1"),
    Route("GET", "/jobs", listing, "LIST", -1, "List jobs, newest first.", "OJS Admin API"),
    Route("GET", "/jobs/{id}", info, "INFO", 0, "Read a job.", "OJS HTTP Binding 9.3"),
    Route("PATCH", "/jobs/{id}", change, "PRIORITY", -1, "Change a priority.", "OJS Priority 8.1"),
    Route("DELETE", "/jobs/{id}", cancel, "CANCEL", 0, "Cancel a job.", "OJS HTTP Binding 9.4"),
    Route("POST", "/jobs/{id}/cancel", cancel, "CANCEL", -1, "Cancel a job.", "OJS Admin API"),
    Route("POST", "/jobs/{id}/retry", retry, "RETRY", -1, "Retry a discarded job.", "OJS Admin API"),
    Route(
        "POST",
        "/jobs/{id}/activate",
        activate,
        "ACTIVATE",
        1,
        "Activate a pending job.",
        "OJS HTTP Binding 9.5",
    ),
)
