"""An attached server's events: polled where it lets itself be (OJS Events 6.4), else taken from its stream."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, Final, NamedTuple

from engine.events import Note
from engine.http.streaming import CHANGED
from engine.lifecycle import STATES
from playground.attach.remote import Remote, Trouble
from playground.attach.shapes import Body, inner, instant, number, rows, text

POLL: Final = "/ojs/v1/events"
STREAM: Final = "/ojs/v1/events/stream"
BATCH: Final = 500
"""Events asked for at a time."""
KNOWN: Final = 5_000
"""Ids of events remembered, so that none is shown twice."""
JOBS: Final = 30
"""Jobs remembered of which an event told."""


class Happened(NamedTuple):
    """An event of the attached server; see `engine.events.Event`."""

    time: int
    type: str
    subject: str
    data: Body

    def note(self, seq: int) -> Note | None:
        """An event about a job as the log keeps it, so that it is counted; None where it does not say enough."""
        data = self.data
        job, kind, queue, state = (text(data, name) for name in ("job_id", "job_type", "queue", "state"))
        if not (job and kind and queue and state in STATES):
            return None
        told = {"job_id", "job_type", "queue", "state", "attempt", "from"}
        further = {name: value for name, value in data.items() if name not in told}
        attempt, was = number(data, "attempt") or 0, text(data, "from") or None
        return (
            seq, self.time, self.type, job, kind, queue, state, attempt, None, further,
            was if was in STATES else None, None, None,
        )  # fmt: skip


class Feed:
    """The events of one server, each once.

    Args:
        remote: The server.

    Attributes:
        way: Where they come from; empty where it sends none, None before it was asked.
        jobs: Ids of the jobs of which the latest events told.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self.way: str | None = None
        self.jobs: deque[str] = deque(maxlen=JOBS)
        self._cursor = ""
        self._seen: dict[str, None] = {}

    def forget(self) -> None:
        """Find out anew how it tells; what has been seen is not told again."""
        self.way, self._cursor = None, ""

    def read(self) -> list[Happened]:
        """What is new.

        Raises:
            Trouble: The server cannot be read.
        """
        found: list[Happened] = []
        for raw in self._raw():
            one = self._event(raw)
            if one is not None:
                found.append(one)
        return found

    def _raw(self) -> list[Body]:
        if self.way in {None, POLL}:
            after = f"&after={self._cursor}" if self._cursor else ""
            body = self._remote.ask(f"{POLL}?limit={BATCH}{after}")
            if body is not None:
                self.way = POLL
                self._cursor = text(body, "next_cursor", "cursor") or self._cursor
                return rows(body, "events", "items")
            self.way = STREAM
        if self.way == STREAM:
            named = {"last_event_id": self._cursor} if self._cursor else {}
            response = self._remote.fetch(STREAM, **named)
            if response is not None and isinstance(response.body, bytes):
                return self._frames(response.body)
            self.way = ""
        return []

    def _frames(self, body: bytes) -> list[Body]:
        """The events of a piece of a stream; a frame that is cut off comes again."""
        found: list[Body] = []
        for frame in body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n")[:-1]:
            lines = [line.partition(":")[::2] for line in frame.split("\n")]
            fields = {name: value.removeprefix(" ") for name, value in lines if name in {"id", "event"}}
            data = "\n".join(value.removeprefix(" ") for name, value in lines if name == "data")
            self._cursor = fields.get("id") or self._cursor
            if not data or fields.get("event") == CHANGED:
                continue
            try:
                content: Any = json.loads(data)
            except ValueError:
                raise Trouble(f"{self._remote.url} streams an event that is not JSON.") from None
            if isinstance(content, dict):
                whole = content if "data" in content else {"data": content}
                found.append({"id": fields.get("id"), "type": fields.get("event"), **whole})
        return found

    def _event(self, raw: Body) -> Happened | None:
        kind, time = text(raw, "type"), instant(raw, "time", "timestamp")
        data = inner(raw, "data")
        key = text(raw, "id") or f"{kind} {time} {text(data, 'job_id')}"
        if not kind or time is None or key in self._seen:
            return None
        self._seen[key] = None
        if len(self._seen) > KNOWN:
            del self._seen[next(iter(self._seen))]
        if text(data, "job_id"):
            self.jobs.append(text(data, "job_id"))
        return Happened(time, kind, text(raw, "subject") or text(data, "job_id", "queue"), data)
