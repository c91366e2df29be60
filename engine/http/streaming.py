"""Server-sent events: filters, frames, what a reader has missed, and when a stream ends (OJS Real-time 2, 4 and 5).

A stream carries every event of the log as its envelope. Each move of a job is also told as ``job.state_changed`` in
the flat form of OJS Real-time 4.1, just before the events that it caused. Comments that keep a quiet connection open
are the host's business, which alone knows real time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.events import SOURCE, Event, EventLog
from engine.http.message import EventStream, Send, Stop
from engine.http.route import Call, Reply
from engine.job import Job
from engine.times import format_time

HEADERS: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
HEARTBEAT: Final = b":heartbeat\n\n"
"""What a host sends when nothing has been sent for `HEARTBEAT_SECONDS` (OJS Real-time 2.4)."""
HEARTBEAT_SECONDS: Final = 15
RETRY_MS: Final = 3000
CHANGED: Final = "job.state_changed"
ENDINGS: Final = frozenset({"job.completed", "job.cancelled", "job.discarded", "job.expired"})
"""The last event of a job's last move: its stream ends after it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted: of each dimension one name must fit, an empty one takes all (OJS Events 6.1).

    Args:
        types: Event types, ``job.*`` for all that begin so.
        queues: Queue names.
        subjects: Ids of jobs, workflows and workers, names of cron entries.
        job_types: Job types.
        sources: Event sources, ``ojs://*`` for all that begin so.
    """

    types: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    job_types: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def takes_type(self, name: str) -> bool:
        """Whether events of this type are wanted."""
        return _fits(name, self.types)

    def takes(self, event: Event) -> bool:
        """Whether an event is wanted, whatever its type."""
        return (
            (not self.queues or event.queue in self.queues)
            and (not self.subjects or event.subject in self.subjects)
            and (not self.job_types or event.job_type in self.job_types)
            and _fits(SOURCE, self.sources)
        )

    def __call__(self, event: Event) -> bool:
        """Whether an event is wanted."""
        return self.takes_type(event.type) and self.takes(event)


def _fits(name: str, patterns: frozenset[str]) -> bool:
    return not patterns or any(
        name.startswith(one[:-1]) if one.endswith("*") else name == one for one in patterns
    )


def asked(call: Call) -> Filter:
    """The filter of a request's query, in the words of OJS Events 6.4 and of OJS Real-time 5.6."""

    def names(*keys: str) -> frozenset[str]:
        return frozenset(name for key in keys for name in call.query.get(key, "").split(",") if name)

    return Filter(
        names("types", "type", "event_types"),
        names("queues", "queue"),
        names("job_id", "subject"),
        names("job_types", "job_type"),
        names("sources", "source"),
    )


def mark(call: Call) -> tuple[int | None, bool]:
    """Where a reader goes on: the last number that it has seen, or None; and whether half of the next one too."""
    text = call.query.get("after") or call.query.get("cursor") or call.headers.get("last-event-id", "")
    digits, half, rest = text.removeprefix("evt_").partition(".")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 15:
        return None, False
    return int(digits), bool(half) and rest == "5"


# frames


def event_id(seq: int) -> str:
    """The id of an event of the log."""
    return f"evt_{seq:012d}"


def frame(kind: str, data: dict[str, Any], identity: str) -> bytes:
    """One event in the server-sent events format."""
    return f"id: {identity}\nevent: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def encode(event: Event) -> bytes:
    """One event of the log with its envelope."""
    return frame(event.type, event.to_dict(), event_id(event.seq))


def _changed(event: Event) -> bytes:
    """The move that an event was the first to tell of. Its id lies between those of the events around it."""
    data = {
        "job_id": event.job_id,
        "queue": event.queue,
        "type": event.job_type,
        "from": event.data["from"],
        "to": event.state,
        "timestamp": format_time(event.time),
    }
    return frame(CHANGED, data, f"{event_id(event.seq - 1)}.5")


def frames(event: Event, wanted: Filter, *, half: bool = False) -> Iterator[bytes]:
    """What a stream sends of an event; ``half`` leaves out the move, which the reader has seen."""
    if not wanted.takes(event):
        return
    if "from" in event.data and not half and wanted.takes_type(CHANGED):
        yield _changed(event)
    if wanted.takes_type(event.type):
        yield encode(event)


def shutdown_notice(grace_ms: int, reason: str, log: EventLog) -> bytes:
    """What a host sends to every stream before it closes them (OJS Real-time 5.1).

    Args:
        grace_ms: How long connections stay open, milliseconds.
        reason: Why the server stops.
        log: The engine's events.
    """
    return frame("server.shutdown", {"reason": reason, "grace_period_ms": grace_ms}, event_id(log.seq))


# streams


def _gap(call: Call, channel: str, after: int) -> bytes:
    """Tell a reader that what it has missed is no longer kept: it must read the state anew (OJS Real-time 4.5)."""
    log = call.engine.events
    first = next(iter(log), None)
    data = {
        "channel": channel,
        "gap_start": format_time(call.settings.started_at),
        "gap_end": format_time(call.engine.now() if first is None else first.time),
        "estimated_missed_count": max(0, log.oldest - 1 - after),
    }
    return frame("system.gap", data, event_id(log.oldest - 1))


def _catch_up(call: Call, channel: str, wanted: Filter, send: Send) -> None:
    """Send again what the reader has missed since the event that it names."""
    log = call.engine.events
    after, half = mark(call)
    if after is None:
        return
    if not log.oldest - 1 <= after <= log.seq:
        send(_gap(call, channel, after))
        after, half = (log.oldest - 1 if after < log.oldest else log.seq), False
    for event in log.since(after, log.seq - after):
        for chunk in frames(event, wanted, half=half and event.seq == after + 1):
            send(chunk)


def stream(call: Call, channel: str, wanted: Filter, ends: Callable[[Event], bool] | None = None) -> Reply:
    """A stream of the events that a filter takes.

    Args:
        call: The request; it may name the last event that its reader has seen.
        channel: What is streamed, for the reader: ``job:ID``, ``queue:NAME``, ``all``.
        wanted: The filter.
        ends: Tells the event after which the stream ends, or None.
    """

    def start(send: Send, close: Stop) -> Stop:
        send(f"retry: {RETRY_MS}\n: connected\n\n".encode())
        _catch_up(call, channel, wanted, send)

        def hear(event: Event) -> None:
            for chunk in frames(event, wanted):
                send(chunk)
            if ends is not None and ends(event):
                stop()
                close()

        stop = call.engine.events.subscribe(hear)
        return stop

    return Reply(EventStream(start, channel), 200, HEADERS)


def ended(call: Call, job: Job, wanted: Filter) -> Reply:
    """The stream of a job that has ended: what the reader missed, or the state once; then the end (2.1)."""

    def start(send: Send, close: Stop) -> Stop:
        send(f"retry: {RETRY_MS}\n: connected\n\n".encode())
        if mark(call)[0] is not None:
            _catch_up(call, f"job:{job.id}", wanted, send)
        elif wanted.takes_type(CHANGED):
            at, _, state = job.trail[-1]
            data = {
                "job_id": job.id,
                "queue": job.queue,
                "type": job.type,
                "from": job.trail[-2][2] if len(job.trail) > 1 else state,
                "to": state,
                "timestamp": format_time(at),
            }
            send(frame(CHANGED, data, event_id(call.engine.events.seq)))
        close()
        return lambda: None

    return Reply(EventStream(start), 200, HEADERS)
