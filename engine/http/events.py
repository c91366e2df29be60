"""Endpoints of events: polling, and streams per job, queue and all (OJS Events 6, OJS Real-time 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine import lifecycle as life
from engine.envelope import check_queue
from engine.errors import NotFound
from engine.http.outbox import LIMIT
from engine.http.route import Call, Feature, Reply, Route
from engine.http.streaming import ENDINGS, asked, ended, event_id, mark, stream

CHANNELS: Final = ("job", "workflow", "cron", "worker")
"""What a channel of the general stream may name beside ``queue`` and ``all``: the subject of its events."""


def poll(call: Call) -> Reply:
    """The latest events that match, oldest first, or those after a cursor."""
    limit = call.number("limit", 100, 1000, 1)
    wanted, (after, _) = asked(call), mark(call)
    found = [event for event in call.engine.events if (after is None or event.seq > after) and wanted(event)]
    chosen = found[-limit:] if after is None else found[:limit]
    cursor = event_id(chosen[-1].seq) if chosen else call.query.get("after")
    return Reply(
        {
            "events": [event.to_dict() for event in chosen],
            "count": len(chosen),
            "has_more": len(found) > len(chosen),
            "cursor": cursor,
            "next_cursor": cursor,
        }
    )


def general(call: Call) -> Reply:
    """All events that match; ``channel`` narrows them, e.g. to ``job:ID``, ``queue:NAME`` or ``workflow:ID``."""
    channel = call.query.get("channel") or "all"
    kind, _, name = channel.partition(":")
    wanted = asked(call)
    if kind in CHANNELS:
        wanted = replace(wanted, subjects=frozenset({name}))
    elif kind == "queue":
        wanted = replace(wanted, queues=frozenset({name}))
    return stream(call, channel, wanted)


def of_job(call: Call) -> Reply:
    """Events of one job, until it has ended."""
    job = call.engine.info(call.params["id"])
    wanted = replace(asked(call), subjects=frozenset({job.id}))
    if job.state in life.TERMINAL:
        return ended(call, job, wanted)
    return stream(
        call, f"job:{job.id}", wanted, lambda event: event.subject == job.id and event.type in ENDINGS
    )


def of_queue(call: Call) -> Reply:
    """Events of one queue."""
    queue = check_queue(call.params["name"], "name", "path")
    store = call.engine.store
    if queue != "default" and queue not in store.queues() and store.record("queue", queue) is None:
        raise NotFound(
            f"There is no queue '{queue}' (OJS Real-time 2.2).",
            details={"resource_type": "queue", "resource_id": queue},
        )
    return stream(call, f"queue:{queue}", replace(asked(call), queues=frozenset({queue})))


FEATURES: Final = (
    Feature(
        "realtime",
        "experimental",
        facts={"realtime": {"sse": True, "websocket": False, "buffer_size": LIMIT}},
        version="0.1.0",
    ),
)

ROUTES: Final = (
    Route("GET", "/events", poll, "EVENTS", 0, "Poll events.", "OJS Events 6.4"),
    Route("GET", "/events/stream", general, "EVENTS", -1, "Stream events.", "OJS Real-time 3.2"),
    Route("GET", "/jobs/{id}/events", of_job, "EVENTS", -1, "Stream a job's events.", "OJS Real-time 2.1"),
    Route(
        "GET",
        "/queues/{name}/events",
        of_queue,
        "EVENTS",
        -1,
        "Stream a queue's events.",
        "OJS Real-time 2.2",
    ),
)
