"""Endpoints of execution history, lineage and debugging (OJS Execution History 7, OpenAPI ``/debug``)."""

from __future__ import annotations

from typing import Any, Final

from engine.errors import NotFound
from engine.http.route import Call, Feature, Reply, Route
from engine.lifecycle import STATES

FEATURES: Final = (Feature("execution-history", version="0.1.0"),)
MAX_PAGE: Final = 1000


def _page(call: Call) -> tuple[int, int, dict[str, str]]:
    """Limit, offset and the header that tells of a clamped limit; the cursor is the offset."""
    limit = call.number("limit", 50, 1_000_000, 1)
    clamped = {"X-OJS-Limit-Clamped": "true"} if limit > MAX_PAGE else {}
    cursor = call.query.get("cursor", "")
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise call.refuse("cursor", "must come from an earlier reply", "OJS Execution History 7.4")
    return min(limit, MAX_PAGE), int(cursor or 0), clamped


def of_job(call: Call) -> Reply:
    """The history of a job, oldest first."""
    limit, offset, clamped = _page(call)
    events = call.engine.extensions.history.of(call.params["id"])
    more = len(events) > offset + limit
    cursor = str(offset + limit) if more else None
    page = events[offset : offset + limit]
    return Reply({"events": page, "next_cursor": cursor, "total": len(events)}, 200, clamped)


def purge(call: Call) -> Reply:
    """Forget the history of a job."""
    return Reply({"deleted": True, "events_deleted": call.engine.extensions.history.purge(call.params["id"])})


def lineage(call: Call) -> Reply:
    """Ancestors and descendants of a job."""
    return Reply(call.engine.extensions.history.lineage(call.params["id"]))


def _wanted(call: Call) -> dict[str, Any]:
    return {
        "start": call.instant("start"),
        "end": call.instant("end"),
        "event_types": call.names("event_types"),
        "queues": call.names("queues"),
        "job_types": call.names("job_types"),
        "actor_type": call.query.get("actor_type"),
        "query": call.query.get("query"),
    }


def stats(call: Call) -> Reply:
    """History of the latest jobs, counted by time."""
    group = call.query.get("group_by", "hour")
    if group not in {"minute", "hour", "day"}:
        raise call.refuse("group_by", "must be minute, hour or day", "OJS Execution History 7.5")
    return Reply({"buckets": call.engine.extensions.history.stats(_wanted(call), group)})


def purge_before(call: Call) -> Reply:
    """Forget what all jobs did before an instant."""
    before = call.instant("before")
    if before is None:
        raise call.refuse("before", "is required: an RFC 3339 time", "OJS Execution History 7.6")
    if "event_types" in call.query:
        rule = "is not supported: history is kept by move, and a move tells several events"
        raise call.refuse("event_types", rule, "OJS Execution History 7.6")
    count = call.engine.extensions.history.purge_before(before, call.names("queues"))
    return Reply({"purged": True, "events_purged": count, "async": False})


def rebuild(call: Call) -> Reply:
    """Work out a lost history from the job itself."""
    job_id = call.query.get("job_id") or call.body.get("job_id")
    if not isinstance(job_id, str):
        raise call.refuse("job_id", "is required: the job's id", "OJS Execution History 9.5")
    return Reply(call.engine.extensions.history.rebuild(job_id))


def search(call: Call) -> Reply:
    """History of the latest jobs, newest first."""
    limit, offset, clamped = _page(call)
    events, total = call.engine.extensions.history.search(_wanted(call), limit, offset)
    cursor = str(offset + limit) if total > offset + limit else None
    body = {"events": events, "next_cursor": cursor, "total_estimate": total, "query_time_ms": 0}
    return Reply(body, 200, clamped)


def _attempts(call: Call) -> list[dict[str, Any]]:
    """A job's history cut into its attempts."""
    found: dict[int, dict[str, Any]] = {}
    for event in call.engine.extensions.history.of(call.params["id"]):
        number = event["data"].get("attempt")
        if number is None:
            continue
        trace = found.setdefault(
            number, {"attempt": number, "started_at": None, "ended_at": None, "events": []}
        )
        trace["events"].append(event)
        trace["started_at" if event["event_type"] == "job.attempt_started" else "ended_at"] = event[
            "timestamp"
        ]
    return list(found.values())


def traces(call: Call) -> Reply:
    """All attempts of a job."""
    return Reply({"job_id": call.params["id"], "traces": _attempts(call)})


def trace(call: Call) -> Reply:
    """One attempt of a job."""
    for one in _attempts(call):
        if str(one["attempt"]) == call.params["attempt"]:
            return Reply({"job_id": call.params["id"], "trace": one, **one})
    raise NotFound(
        f"Job '{call.params['id']}' has no attempt {call.params['attempt']:.20}.",
        details={"resource_type": "attempt", "resource_id": call.params["attempt"][:20]},
    )


def failures(call: Call) -> Reply:
    """The latest failures of all jobs, newest first."""
    limit = call.number("limit", 50, MAX_PAGE, 1)
    found = []
    for event in call.engine.events.latest():
        if event.type == "job.failed":
            found.append(event.to_dict())
        if len(found) >= limit:
            break
    return Reply({"failures": found, "count": len(found)})


def status(call: Call) -> Reply:
    """What the engine holds now."""
    engine = call.engine
    counts = engine.store.counts()
    return Reply(
        {
            "jobs": {state: counts[state] for state in STATES},
            "queues": len(engine.store.queues()),
            "workers": len(engine.workers.list()),
            "events": engine.events.seq,
            "next_due_in_ms": None
            if engine.next_due() is None
            else max(0, (engine.next_due() or 0) - engine.now()),
        }
    )


_HISTORY: Final = "OJS Execution History 7"
_REBUILD: Final = "OJS Execution History 9.5"
_DEBUG: Final = "OpenAPI debug"

ROUTES: Final = (
    Route("GET", "/jobs/{id}/history", of_job, "HISTORY", -1, "A job's history.", _HISTORY),
    Route("DELETE", "/jobs/{id}/history", purge, "HISTORY", -1, "Forget a job's history.", _HISTORY),
    Route("GET", "/jobs/{id}/lineage", lineage, "HISTORY", -1, "A job's family.", _HISTORY),
    Route("GET", "/history", search, "HISTORY", -1, "Search history.", _HISTORY),
    Route("DELETE", "/history", purge_before, "HISTORY", -1, "Forget old history.", _HISTORY),
    Route("POST", "/history/rebuild", rebuild, "HISTORY", -1, "Rebuild a lost history.", _REBUILD),
    Route("GET", "/history/stats", stats, "HISTORY", -1, "History counted by time.", _HISTORY),
    Route("GET", "/debug/status", status, "DEBUG", -1, "What the engine holds.", _DEBUG),
    Route("GET", "/debug/failures", failures, "DEBUG", -1, "Latest failures.", _DEBUG),
    Route("GET", "/debug/jobs/{id}/traces", traces, "DEBUG", -1, "Attempts of a job.", _DEBUG),
    Route("GET", "/debug/jobs/{id}/traces/{attempt}", trace, "DEBUG", -1, "One attempt.", _DEBUG),
)
