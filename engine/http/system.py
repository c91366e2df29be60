"""Endpoints about the server itself: manifest, health, readiness, metrics, and the conformance reset.

OJS HTTP Binding 8 and 21, OJS Observability.
"""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import MAX_META, MAX_QUEUE, MAX_TYPE
from engine.errors import NotFound
from engine.http.route import Call, Feature, Reply, Route
from engine.times import SECOND, format_time

NAME: Final = "ojs-playground"
LEVEL: Final = 4
CAPABILITIES: Final = {
    "batch_enqueue": True,
    "cron_jobs": True,
    "dead_letter": True,
    "delayed_jobs": True,
    "job_ttl": True,
    "priority_queues": True,
    "rate_limiting": True,
    "schema_validation": False,
    "unique_jobs": True,
    "workflows": True,
    "pause_resume": True,
    "events": True,
}
UNIQUE_BY: Final = "an index of fingerprints, read and written in the transaction that stores the job"
"""How uniqueness is kept, for people (OJS Unique Jobs 8.3)."""

FEATURES: Final = (
    Feature("payload-limits"),
    Feature("observability"),
)


def manifest(call: Call) -> Reply:
    """What this server is and can do."""
    from engine.http.routes import FEATURES as features  # noqa: N811, PLC0415 - it takes every module

    body: dict[str, Any] = {
        "specversion": "1.0",
        "ojs_version": "1.0",
        "implementation": {
            "name": NAME,
            "version": call.settings.version,
            "language": "python",
            "backend": call.settings.backend,
        },
        "conformance_level": LEVEL,
        "conformance_tier": "runtime",
        "protocols": ["http"],
        "backend": call.settings.backend,
        "capabilities": CAPABILITIES | {one.capability: True for one in features if one.capability},
        "extensions": [one.name for one in features],
        "extension_details": {
            tier: [
                {"name": one.name, "uri": one.uri, "version": one.version}
                for one in features
                if one.tier == tier
            ]
            for tier in ("official", "experimental")
        },
        "payload_limits": {
            "max_envelope_bytes": call.settings.max_body,
            "max_meta_bytes": MAX_META,
            "max_queue_name_bytes": MAX_QUEUE,
            "max_job_type_bytes": MAX_TYPE,
            "supported_compression": ["gzip"],
            "external_references": True,
            "chunking": False,
            "per_queue_limits": False,
        },
        "unique_job_strength": "strong",
        "unique_jobs": {"strength": "strong", "mechanism": UNIQUE_BY},
        "endpoints": {"base_url": "/ojs/v1", "manifest": "/ojs/manifest", "health": "/ojs/v1/health"},
    }
    for one in features:
        body.update(one.facts)
    return Reply(body)


def health(call: Call) -> Reply:
    """Whether the server and its store work.

    Raises:
        Unavailable: The store does not answer.
    """
    if call.settings.probe is not None:
        call.settings.probe()
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
    """Whether the server takes requests.

    Raises:
        Unavailable: Its store does not answer.
    """
    if call.settings.probe is not None:
        call.settings.probe()
    return Reply({"status": "ready", "ready": True, "checks": {"store": call.settings.backend}})


def metrics(call: Call) -> Reply:
    """Counters, histograms and gauges in the Prometheus text format."""
    figures = call.settings.metrics
    return Reply(figures.text() if figures is not None else "", 200, {"Content-Type": "text/plain"})


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
