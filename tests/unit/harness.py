"""A server in memory at a known instant, for tests that use the engine's verbs or speak HTTP and let time pass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine import Engine, Job
from engine.clock import ManualClock
from engine.http.binding import Binding
from engine.http.message import Request, Response
from engine.times import parse_time

START = parse_time("2026-03-01T12:00:00Z")


class Server:
    """An engine at a known instant, with its binding."""

    def __init__(self, start: int = START, seed: int = 1) -> None:
        self.clock = ManualClock(start)
        self.engine = Engine(self.clock, seed=seed)
        self.binding = Binding(self.engine, conformance=True)

    # the engine's verbs

    def push(self, kind: str = "email.send", **fields: Any) -> Job:
        """Enqueue a job of the default queue."""
        return self.engine.push({"type": kind, "args": [], **fields}).job

    def pushes(self, count: int, **fields: Any) -> list[Job]:
        """Enqueue some equal jobs."""
        return [self.push(**fields) for _ in range(count)]

    def take(self, *queues: str, worker: str | None = None, count: int = 1, **more: Any) -> list[Job]:
        """Claim jobs."""
        return self.engine.fetch(list(queues) or ["default"], count, worker, **more)

    def one(self, *queues: str) -> Job:
        """Claim the one job that must be there."""
        (job,) = self.take(*queues)
        return job

    def dead(self, **fields: Any) -> Job:
        """A dead letter."""
        job = self.push(retry={"max_attempts": 1, "on_exhaustion": "dead_letter"}, **fields)
        self.take(job.queue)
        return self.engine.fail(job.id, {"code": "boom", "message": "it broke"})

    def wait(self, ms: int) -> None:
        """Let time pass, and everything due happen."""
        self.clock.advance(ms)
        self.engine.advance()

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Data of all events of these types, oldest first."""
        return [event.data for event in self.engine.events if event.type in kinds]

    # HTTP

    def http(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Response, dict[str, Any]]:
        """Reply and its JSON body; the path is below the base path."""
        raw = b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | dict(headers or {})
        reply = self.binding.handle(Request(method, "/ojs/v1" + url, sent, raw))
        assert isinstance(reply.body, bytes)
        is_json = "json" in reply.headers["Content-Type"] and reply.body
        return reply, json.loads(reply.body) if is_json else {}

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of a reply; header names with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        reply, answer = self.http(method, url, body, sent)
        return reply.status, answer

    def snapshot(self) -> Any:
        """All that the engine holds about jobs, for comparing before and after."""
        store = self.engine.store
        return [job.to_dict() for job in store.jobs(limit=10_000)], store.counts(), store.next_due()
