"""The admin API's endpoints of workers, figures and configuration (OJS Admin API 9, 10, 12)."""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import MAX_META, MAX_QUEUE, MAX_TYPE, refuse
from engine.errors import Conflict
from engine.http.admin import page_of
from engine.http.route import Call, Reply, Route
from engine.lifecycle import STATES
from engine.throughput import PERIODS, buckets, per_minute
from engine.times import HOUR, SECOND, parse_duration, parse_time
from engine.workers import HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT


def _stale(call: Call, worker: dict[str, Any]) -> bool:
    return call.engine.now() - parse_time(worker["last_seen_at"]) > HEARTBEAT_TIMEOUT


def workers(call: Call) -> Reply:
    """All workers known, with how many are in which state."""
    known = call.engine.workers.list()
    stale = sum(_stale(call, one) for one in known)
    items = [{**one, "stale": _stale(call, one)} for one in known]
    summary = {"total": len(known), "running": 0, "quiet": 0, "terminate": 0, "stale": stale}
    for one in items:
        summary[one["state"]] += not one["stale"]
    return Reply({**page_of(call, items), "summary": summary})


def worker(call: Call) -> Reply:
    """One worker with the jobs that it works on."""
    found = call.engine.workers.get(call.params["id"])
    jobs = [job for one in found["active_job_ids"] if (job := call.engine.store.get(one)) is not None]
    return Reply({**found, "stale": _stale(call, found), "jobs": [job.to_dict() for job in jobs]})


def quiet(call: Call) -> Reply:
    """Let a worker finish what it has and fetch no more; it hears so at its next heartbeat."""
    return Reply(call.engine.workers.direct(call.params["id"], "quiet"))


def terminate(call: Call) -> Reply:
    """Let a worker finish what it has and end; it hears so at its next heartbeat."""
    return Reply(call.engine.workers.direct(call.params["id"], "terminate"))


def resume(call: Call) -> Reply:
    """Let a quiet worker fetch again."""
    return Reply(call.engine.workers.direct(call.params["id"], "running"))


def deregister(call: Call) -> Reply:
    """Forget a worker that has fallen silent; its jobs go back to their queues."""
    name = call.params["id"]
    found = call.engine.workers.get(name)
    if not _stale(call, found):
        raise Conflict(
            f"Worker '{name:.60}' was heard of within {HEARTBEAT_TIMEOUT // SECOND} s; it is not stale "
            "(OJS Admin API 9.4).",
            details={"worker_id": name[:60], "last_seen_at": found["last_seen_at"]},
        )
    call.engine.workers.dead(name, call.engine.now())
    return Reply({"deleted": True, "id": name, "jobs_rescheduled": found["active_job_ids"]})


def stats(call: Call) -> Reply:
    """Figures of the whole server."""
    engine, now = call.engine, call.engine.now()
    counts = engine.store.counts()
    return Reply(
        {
            "queues": len(engine.store.queues()),
            "workers": len(engine.workers.list()),
            "jobs": {state: counts[state] for state in STATES},
            "throughput": per_minute(engine.events, engine.figures, engine.store.queues(), now),
            "uptime_seconds": max(0, now - call.settings.started_at) // SECOND,
        }
    )


def history(call: Call) -> Reply:
    """Figures over time."""
    name = call.query.get("period", "5m")
    if name not in PERIODS:
        raise call.refuse("period", f"must be one of {', '.join(PERIODS)}", "OJS Admin API 10.2")
    now = call.engine.now()
    until = call.instant("until")
    until = now + 1 if until is None else until
    since = call.instant("since")
    since = until - HOUR if since is None else since
    queue = call.query.get("queue")
    queues = [queue] if queue else call.engine.store.queues()
    found = buckets(call.engine.events, call.engine.figures, queues, PERIODS[name], since, until)
    return Reply({"period": name, "data": found})


def config(call: Call) -> Reply:
    """The server's configuration."""
    return Reply(
        {
            "backend": call.settings.backend,
            "conformance": call.settings.conformance,
            "max_body_bytes": call.settings.max_body,
            "max_meta_bytes": MAX_META,
            "max_queue_name_bytes": MAX_QUEUE,
            "max_job_type_bytes": MAX_TYPE,
            "heartbeat_interval_seconds": HEARTBEAT_INTERVAL // SECOND,
            "heartbeat_timeout_seconds": HEARTBEAT_TIMEOUT // SECOND,
        }
    )


def maintenance(call: Call) -> Reply:
    """Whether the server is under maintenance."""
    return Reply(call.engine.maintenance.shown())


def maintain(call: Call) -> Reply:
    """Begin or end a maintenance."""
    enabled = call.body.get("enabled")
    if not isinstance(enabled, bool):
        raise refuse("enabled", enabled, "is required: true or false", "OJS Admin API 12.1")
    reason, text, length = call.text("reason"), call.text("estimated_duration"), None
    if text is not None:
        try:
            length = parse_duration(text)
        except ValueError as error:
            raise refuse("estimated_duration", text, str(error), "OJS Admin API 12.1") from None
    subject = call.engine.maintenance
    return Reply(subject.begin(reason, length) if enabled else subject.end())


_WORKERS: Final = "OJS Admin API 9"
_STATS: Final = "OJS Admin API 10"
_MODE: Final = "/admin/system/maintenance"

ROUTES: Final = (
    Route("GET", "/admin/workers", workers, "ADMIN", -1, "List workers.", _WORKERS),
    Route("GET", "/admin/workers/{id}", worker, "ADMIN", -1, "A worker and its jobs.", _WORKERS),
    Route("POST", "/admin/workers/{id}/quiet", quiet, "ADMIN", -1, "Quiet a worker.", _WORKERS),
    Route("POST", "/admin/workers/{id}/resume", resume, "ADMIN", -1, "Let a worker fetch again.", _WORKERS),
    Route(
        "POST",
        "/admin/workers/{id}/terminate",
        terminate,
        "ADMIN",
        -1,
        "End a worker.",
        "OJS Worker Protocol 4.4",
    ),
    Route("DELETE", "/admin/workers/{id}", deregister, "ADMIN", -1, "Forget a stale worker.", _WORKERS),
    Route("GET", "/admin/stats", stats, "ADMIN", -1, "Figures of the server.", _STATS),
    Route("GET", "/admin/stats/history", history, "ADMIN", -1, "Figures over time.", _STATS),
    Route("GET", _MODE, maintenance, "ADMIN", -1, "Whether it is under maintenance.", "OJS Admin API 12.1"),
    Route("POST", _MODE, maintain, "ADMIN", -1, "Begin or end a maintenance.", "OJS Admin API 12.1"),
    Route("GET", "/admin/system/config", config, "ADMIN", -1, "Configuration.", "OJS Admin API 12.2"),
)
