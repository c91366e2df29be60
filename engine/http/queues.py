"""Endpoints of queues: list, statistics, pause and resume, configuration, deletion.

OJS HTTP Binding 11, OJS Queue Configuration 9, OJS Priority 10.3.
"""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import check_queue, refuse
from engine.http.paging import paged
from engine.http.route import Call, Feature, Reply, Route
from engine.queues import DEFAULT_POLICY
from engine.throughput import latency
from engine.times import format_time


def name_of(call: Call) -> str:
    """The queue that the path names."""
    return check_queue(call.params["name"], "name", "path")


def named(call: Call, queue: dict[str, Any]) -> Any:
    """``queue`` of a reply: the name for clients that send ``OJS-Version``, as SDKs do; else the object."""
    return queue["name"] if "ojs-version" in call.headers else queue


def figures(call: Call, queue: str) -> dict[str, Any]:
    """The ``stats`` of a queue: jobs by state and throughput; only the tenant's own when one is named."""
    engine, tenant = call.engine, call.tenant
    counts = engine.store.counts(queue) if tenant is None else engine.tenants.counts(tenant, queue)
    scope = f"queue:{queue}" if tenant is None else f"tenant:{tenant}"
    hour, today = engine.figures.minutes(scope, 60), engine.figures.today(scope)
    waiting = ("available", "active", "scheduled", "retryable", "pending")
    return {
        **counts,
        "queue": queue,
        "total": sum(counts.values()),
        "depth": sum(counts[state] for state in waiting),
        "completed_last_hour": hour["completed"],
        "failed_last_hour": hour["failed"],
        "completed_today": today["completed"],
        "failed_today": today["failed"],
        "avg_duration_ms": hour["duration_ms"] // hour["completed"] if hour["completed"] else 0,
        "avg_wait_ms": hour["wait_ms"] // hour["started"] if hour["started"] else 0,
        "throughput_per_second": round(hour["completed"] / 3600, 4),
    }


def _throughput(call: Call, queue: str) -> dict[str, float]:
    hour = call.engine.figures.minutes(f"queue:{queue}", 60)
    return {
        "processed_per_minute": round(hour["completed"] / 60, 3),
        "failed_per_minute": round(hour["failed"] / 60, 3),
    }


def overview(call: Call) -> Reply:
    """All queues with their counts and throughput, for operators (OJS Admin API 6.1)."""
    body = paged("queues", call.engine.queues.list(), *call.page())
    log, now = call.engine.events, call.engine.now()
    shown = [
        row | {"throughput": _throughput(call, row["name"]), "latency_ms": latency(log, now, row["name"])}
        for row in body["queues"]
    ]
    return Reply({**body, "queues": shown, "items": shown})


def listing(call: Call) -> Reply:
    """All queues and their state."""
    limit, offset = call.page()
    return Reply(paged("queues", call.engine.queues.list(), limit, offset))


def create(call: Call) -> Reply:
    """Create a queue before its first job."""
    name = call.body.get("name")
    call.engine.queues.create(check_queue(name, "name"), call.body.get("config"))
    shown = call.engine.queues.show(str(name)) | {"config": call.engine.queues.config(str(name))}
    return Reply(shown | {"queue": shown}, 201, {"Location": f"/ojs/v1/queues/{name}"})


def show(call: Call) -> Reply:
    """A queue with its configuration and statistics."""
    name = name_of(call)
    shown, stats = call.engine.queues.show(name), figures(call, name)
    queue = {**shown, **{state: stats[state] for state in shown["counts"]}, "depth": stats["depth"]}
    held = call.engine.queues.config(name)
    oldest = call.engine.store.oldest(name, "available")
    return Reply(
        {
            **shown,
            "depth": stats["depth"],
            "queue": named(call, queue),
            "config": held,
            "configuration": held,
            "stats": stats,
            "throughput": _throughput(call, name),
            "oldest_available_at": format_time(oldest.enqueued_at or 0) if oldest is not None else None,
        }
    )


def stats(call: Call) -> Reply:
    """Jobs by state and throughput of one queue, flat, in ``queue`` and in ``stats``."""
    name = name_of(call)
    shown, computed = call.engine.queues.show(name), figures(call, name)
    flat = {key: value for key, value in computed.items() if key != "queue"}
    queue = {"name": name, "status": shown["status"], "paused": shown["paused"], **flat}
    return Reply(
        {
            **queue,
            "queue": named(call, queue),
            "stats": computed,
            "computed_at": format_time(call.engine.now()),
        }
    )


def _turned(call: Call, name: str, **facts: Any) -> Reply:
    shown = call.engine.queues.show(name)
    return Reply({**shown, "queue": named(call, shown), **facts})


def pause(call: Call) -> Reply:
    """Stop handing out a queue's jobs."""
    name = name_of(call)
    call.engine.queues.pause(name, call.text("paused_by"))
    return _turned(call, name)


def resume(call: Call) -> Reply:
    """Hand out a queue's jobs again."""
    name = name_of(call)
    call.engine.queues.resume(name, call.text("resumed_by"))
    return _turned(call, name, resumed_at=format_time(call.engine.now()))


def drain(call: Call) -> Reply:
    """Take no more jobs; the queue is gone when it is empty."""
    name = name_of(call)
    call.engine.queues.drain(name)
    return _turned(call, name)


def config(call: Call) -> Reply:
    """What is configured for a queue, defaults included; ``_default`` is what all queues inherit."""
    name = call.params["name"]
    if name != DEFAULT_POLICY:
        check_queue(name, "name", "path")
    held = call.engine.queues.config(name)
    return Reply({"name": name, "config": held, "configuration": held})


def configure(call: Call) -> Reply:
    """Change a queue's configuration; fields not named stay."""
    name = call.params["name"]
    given = call.body.get("config") if set(call.body) == {"config"} else call.body
    held = call.engine.queues.configure(name, given)
    return Reply({**held, "name": name, "queue": name, "config": held, "configuration": held})


def delete(call: Call) -> Reply:
    """Delete a queue by a strategy; it drains while jobs are under way."""
    strategy = call.body.get("strategy", call.query.get("strategy"))
    target = call.body.get("target_queue", call.query.get("target_queue"))
    return Reply(call.engine.queues.delete(name_of(call), strategy, target), 202)


def priorities(call: Call) -> Reply:
    """How many available jobs have each priority."""
    name = name_of(call)
    counts = call.engine.priorities.counts(name)
    return Reply({"queue": name, "counts_by_priority": counts, "total": sum(counts.values())})


def purge(call: Call) -> Reply:
    """Delete a queue's finished jobs in some states, once confirmed (OJS Admin API 6.5)."""
    if call.body.get("confirm") is not True:
        raise refuse(
            "confirm", call.body.get("confirm"), "must be true: a purge cannot be undone", "OJS Admin API 6.5"
        )
    states = call.body.get("states")
    if not isinstance(states, list) or not states:
        raise refuse("states", states, "is required: the states to purge", "OJS Admin API 6.5")
    count = call.engine.retention.purge(name_of(call), states, call.body.get("older_than"))
    return Reply({"purged_count": count, "states": states})


_STATS: Final = "OJS HTTP Binding 11.2"
_CONFIG: Final = "OJS Queue Configuration 9.1"

FEATURES: Final = (Feature("queue-config"), Feature("backpressure"))

ROUTES: Final = (
    Route("GET", "/queues", listing, "QUEUES", 0, "List queues.", "OJS HTTP Binding 11.1"),
    Route("POST", "/queues", create, "QUEUES", -1, "Create a queue.", "OJS Queue Configuration 9.2"),
    Route("GET", "/queues/{name}", show, "QUEUES", -1, "Read a queue.", "OJS Queue Configuration 9.3"),
    Route("DELETE", "/queues/{name}", delete, "QUEUES", -1, "Delete a queue.", "OJS Queue Configuration 9.4"),
    Route("GET", "/queues/{name}/stats", stats, "STATS", 4, "A queue's statistics.", _STATS),
    Route(
        "GET",
        "/queues/{name}/priority-stats",
        priorities,
        "STATS",
        -1,
        "Jobs by priority.",
        "OJS Priority 10.3",
    ),
    Route("POST", "/queues/{name}/pause", pause, "PAUSE", 4, "Pause a queue.", "OJS HTTP Binding 11.3"),
    Route("POST", "/queues/{name}/resume", resume, "RESUME", 4, "Resume a queue.", "OJS HTTP Binding 11.4"),
    Route(
        "POST", "/queues/{name}/drain", drain, "DRAIN", -1, "Drain a queue.", "OJS Queue Configuration 5.1"
    ),
    Route("GET", "/queues/{name}/config", config, "CONFIG", -1, "A queue's configuration.", _CONFIG),
    Route("PUT", "/queues/{name}/config", configure, "CONFIG", -1, "Configure a queue.", _CONFIG),
    Route("GET", "/admin/queues", overview, "ADMIN", -1, "List queues.", "OJS Admin API 6.1"),
    Route("GET", "/admin/queues/{name}", show, "ADMIN", -1, "Read a queue.", "OJS Admin API 6.2"),
    Route("POST", "/admin/queues/{name}/pause", pause, "ADMIN", -1, "Pause a queue.", "OJS Admin API 6.3"),
    Route("POST", "/admin/queues/{name}/resume", resume, "ADMIN", -1, "Resume a queue.", "OJS Admin API 6.4"),
    Route(
        "DELETE", "/admin/queues/{name}/jobs", purge, "ADMIN", -1, "Purge finished jobs.", "OJS Admin API 6.5"
    ),
    Route(
        "GET",
        "/admin/queues/{name}/config",
        config,
        "ADMIN",
        -1,
        "A queue's configuration.",
        "OJS Admin API 6.6",
    ),
    Route(
        "PUT",
        "/admin/queues/{name}/config",
        configure,
        "ADMIN",
        -1,
        "Configure a queue.",
        "OJS Admin API 6.6",
    ),
)
