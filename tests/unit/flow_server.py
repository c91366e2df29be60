"""A server in memory at a known instant, for tests that speak HTTP to it and let time pass."""

from __future__ import annotations

import json
from typing import Any

from engine import Engine, Store
from engine.clock import ManualClock
from engine.http.binding import Binding
from engine.http.message import Request
from engine.times import parse_time

START = parse_time("2026-03-01T12:00:30Z")


class Server:
    """An engine at a known instant, with its binding."""

    def __init__(self, start: int = START, store: Store | None = None) -> None:
        self.clock = ManualClock(start)
        self.engine = Engine(self.clock, store)
        self.binding = Binding(self.engine, conformance=True)

    def call(self, method: str, url: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of a reply."""
        raw = b"" if body is None else json.dumps(body).encode()
        response = self.binding.handle(Request(method, url, {"content-type": "application/json"}, raw))
        assert isinstance(response.body, bytes)
        return response.status, json.loads(response.body)

    def ok(self, method: str, url: str, body: Any = None) -> dict[str, Any]:
        """The body of a reply that must be a success."""
        status, answer = self.call(method, url, body)
        assert status < 300, answer
        return answer

    def entry(self, name: str = "tick", expression: str = "* * * * *", **more: Any) -> dict[str, Any]:
        """Register a cron entry."""
        body = {"name": name, "cron": expression, "type": "report.make", **more}
        entry: dict[str, Any] = self.ok("POST", "/ojs/v1/cron", body)["cron_job"]
        return entry

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.clock.advance(ms)
        self.engine.advance()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """All events of a type, oldest first."""
        return [event.to_dict() for event in self.engine.events if event.type == kind]

    def fetch(self, count: int = 10) -> list[dict[str, Any]]:
        """Claim jobs of the default queue."""
        jobs: list[dict[str, Any]] = self.ok(
            "POST", "/ojs/v1/workers/fetch", {"queues": ["default"], "count": count}
        )["jobs"]
        return jobs
