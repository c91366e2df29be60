"""Streams that follow one job to its end: what was, what comes, and then the end of the stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from engine import lifecycle as life
from engine.events import Event
from engine.http.message import EventStream, Send, Stop
from engine.http.route import Call, Reply
from engine.job import Job

HEADERS: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
_LAST: Final = frozenset({"job.completed", "job.cancelled", "job.discarded", "job.expired"})
Frame = Callable[[Job], bytes | None]


def frame(name: str, data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def follow(call: Call, job_id: str, progress: Frame, final: Frame) -> Reply:
    """A stream of a job's progress that ends with the job.

    Args:
        call: The request.
        job_id: The job.
        progress: What to send of its progress now, or None.
        final: What to send once it has ended.

    Raises:
        NotFound: No such job.
    """
    engine = call.engine
    engine.info(job_id)

    def start(send: Send, close: Stop) -> Stop:
        def tell(job: Job, *, ended: bool) -> None:
            chunk = final(job) if ended else progress(job)
            if chunk is not None:
                send(chunk)
            if ended:
                close()

        def hear(event: Event) -> None:
            if event.subject == job_id and (event.type == "job.progress" or event.type in _LAST):
                job = engine.store.get(job_id)
                if job is not None:
                    tell(job, ended=event.type in _LAST)

        send(b"retry: 1000\n: connected\n\n")
        job = engine.info(job_id)
        if job.progress:
            tell(job, ended=False)
        if job.state in life.TERMINAL:
            tell(job, ended=True)
            return lambda: None
        return engine.events.subscribe(hear)

    return Reply(EventStream(start), 200, HEADERS)
