"""Endpoints about the server itself: manifest, health, readiness, metrics, and the conformance reset.

OJS HTTP Binding 8 and 21, OJS Observability.
"""

from __future__ import annotations

from typing import Final

from engine.errors import NotFound
from engine.http import gauges
from engine.http.route import Call, Reply, Route
from engine.lifecycle import STATES
from engine.times import SECOND, format_time

NAME: Final = "ojs-playground"
LEVEL: Final = 1
EXTENSIONS: Final[tuple[str, ...]] = (
    "backpressure",
    "bulk-operations",
    "dead-letter",
    "fair-scheduling",
    "graceful-shutdown",
    "multi-tenancy",
    "priority",
    "queue-config",
    "rate-limiting",
    "timeouts",
)
CAPABILITIES: Final = {
    "batch_enqueue": True,
    "cron_jobs": False,
    "dead_letter": True,
    "delayed_jobs": True,
    "job_ttl": True,
    "priority_queues": True,
    "rate_limiting": True,
    "schema_validation": False,
    "unique_jobs": True,
    "workflows": False,
    "pause_resume": True,
    "events": True,
}


def manifest(call: Call) -> Reply:
    """What this server is and can do."""
    return Reply(
        {
            "specversion": "1.0",
            "ojs_version": "1.0",
            "implementation": {"name": NAME, "version": call.settings.version, "language": "python"},
            "conformance_level": LEVEL,
            "protocols": ["http"],
            "backend": call.settings.backend,
            "capabilities": CAPABILITIES,
            "extensions": list(EXTENSIONS),
            "unique_job_strength": "strong",
            "endpoints": {"base_url": "/ojs/v1", "manifest": "/ojs/manifest", "health": "/ojs/v1/health"},
        }
    )


def health(call: Call) -> Reply:
    """Whether the server and its store work."""
    now = call.engine.now()
    return Reply(
        {
            "status": "ok",
            "version": "1.0",
            "uptime_seconds": max(0, now - call.settings.started_at) // SECOND,
            "server_time": format_time(now),
            "backend": {"type": call.settings.backend, "status": "connected", "latency_ms": 0},
        }
    )


def ready(call: Call) -> Reply:
    """Whether the server takes requests."""
    return Reply({"status": "ready", "ready": True, "checks": {"store": call.settings.backend}})


def metrics(call: Call) -> Reply:
    """Jobs by queue and state in the Prometheus text format."""
    lines = ["# HELP ojs_jobs Jobs by queue and state.", "# TYPE ojs_jobs gauge"]
    for queue in call.engine.store.queues():
        counts = call.engine.store.counts(queue)
        lines += [f'ojs_jobs{{queue="{queue}",state="{state}"}} {counts[state]}' for state in STATES]
    lines += ["# HELP ojs_events_total Events so far.", "# TYPE ojs_events_total counter"]
    lines.append(f"ojs_events_total {call.engine.events.seq}")
    lines += gauges.lines(call.engine)
    return Reply("\n".join(lines) + "\n", 200, {"Content-Type": "text/plain"})


def reset(call: Call) -> Reply:
    """Forget everything; only on a server started for conformance."""
    if not call.settings.conformance:
        raise NotFound("This server was not started for conformance; it has no reset.")
    call.engine.reset()
    return Reply({"reset": True})


ROUTES: Final = (
    Route("GET", "/ojs/manifest", manifest, "MANIFEST", 0, "What this server can do.", "OJS HTTP Binding 21"),
    Route("GET", "/manifest", manifest, "MANIFEST", -1, "What this server can do.", "OJS HTTP Binding 21"),
    Route("GET", "/health", health, "HEALTH", 0, "Whether the server works.", "OJS HTTP Binding 8.1"),
    Route("GET", "/ready", ready, "READY", -1, "Whether the server takes requests.", "OJS Observability"),
    Route("GET", "/metrics", metrics, "METRICS", -1, "Figures for Prometheus.", "OJS Observability"),
    Route("POST", "/admin/reset", reset, "RESET", -1, "Forget everything (conformance only).", "rulings"),
)
