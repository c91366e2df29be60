"""Endpoints of events: polling, and streams per job, queue and all (OJS Events 6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from engine.envelope import check_queue
from engine.events import Event
from engine.http.message import EventStream, Send, Stop
from engine.http.route import Call, Reply, Route

Wanted = Callable[[Event], bool]
REPLAY: Final = 1000
"""Most missed events that a resumed stream sends again."""


def _names(call: Call, *keys: str) -> frozenset[str]:
    return frozenset(name for key in keys for name in call.query.get(key, "").split(",") if name)


def _filter(call: Call) -> Wanted:
    types, queues = _names(call, "types", "type"), _names(call, "queues", "queue")
    jobs, kinds = _names(call, "job_id", "subject"), _names(call, "job_types", "job_type")

    def wanted(event: Event) -> bool:
        return (
            (not types or event.type in types or f"{event.type.partition('.')[0]}.*" in types)
            and (not queues or event.queue in queues)
            and (not jobs or event.subject in jobs)
            and (not kinds or event.job_type in kinds)
        )

    return wanted


def _after(call: Call) -> int:
    """The number after which to go on: ``after``, or the last event id that a stream has delivered."""
    mark = call.query.get("after") or call.query.get("cursor") or call.headers.get("last-event-id", "")
    digits = mark.removeprefix("evt_")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0


def poll(call: Call) -> Reply:
    """The latest events that match, oldest first, or those after a cursor."""
    limit = call.number("limit", 100, 1000, 1)
    wanted, after = _filter(call), _after(call)
    found = [event for event in call.engine.events if event.seq > after and wanted(event)]
    chosen = found[:limit] if after else found[-limit:]
    cursor = f"evt_{chosen[-1].seq:012d}" if chosen else call.query.get("after")
    return Reply(
        {
            "events": [event.to_dict() for event in chosen],
            "count": len(chosen),
            "has_more": len(found) > len(chosen),
            "cursor": cursor,
            "next_cursor": cursor,
        }
    )


def encode(event: Event) -> bytes:
    """One event in the server-sent events format."""
    body = json.dumps(event.to_dict(), separators=(",", ":"))
    return f"id: evt_{event.seq:012d}\nevent: {event.type}\ndata: {body}\n\n".encode()


def _stream(call: Call, wanted: Wanted) -> Reply:
    events, after = call.engine.events, _after(call)

    def start(send: Send, _close: Stop) -> Stop:
        send(b"retry: 1000\n: connected\n\n")
        if after:
            for event in events.since(after, REPLAY):
                if wanted(event):
                    send(encode(event))
        return events.subscribe(lambda event: send(encode(event)) if wanted(event) else None)

    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    return Reply(EventStream(start), 200, headers)


def stream(call: Call) -> Reply:
    """All events that match; ``channel`` narrows them to ``job:ID`` or ``queue:NAME``."""
    kind, _, name = call.query.get("channel", "").partition(":")
    matches = _filter(call)
    if kind == "job":
        return _stream(call, lambda event: event.subject == name and matches(event))
    if kind == "queue":
        return _stream(call, lambda event: event.queue == name and matches(event))
    return _stream(call, matches)


def of_job(call: Call) -> Reply:
    """Events of one job."""
    job = call.engine.info(call.params["id"])
    return _stream(call, lambda event: event.subject == job.id)


def of_queue(call: Call) -> Reply:
    """Events of one queue."""
    queue = check_queue(call.params["name"], "name")
    return _stream(call, lambda event: event.queue == queue)


ROUTES: Final = (
    Route("GET", "/events", poll, "EVENTS", 0, "Poll events.", "OJS Events 6.4"),
    Route("GET", "/events/stream", stream, "EVENTS", -1, "Stream events.", "OJS Real-time"),
    Route("GET", "/jobs/{id}/events", of_job, "EVENTS", -1, "Stream a job's events.", "OJS Real-time"),
    Route(
        "GET", "/queues/{name}/events", of_queue, "EVENTS", -1, "Stream a queue's events.", "OJS Real-time"
    ),
)
