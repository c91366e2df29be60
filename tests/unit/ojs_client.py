"""A client of the binding over a fresh engine in virtual time, for tests."""

from __future__ import annotations

import json
from typing import Any

from engine import Engine
from engine.clock import ManualClock
from engine.http.binding import Binding
from engine.http.message import EventStream, Request

START = 1_767_614_400_000  # 2026-01-05T12:00:00Z


class Client:
    """Sends requests and keeps the last reply's status, headers and body."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(START)
        self.engine = Engine(self.clock)
        self.binding = Binding(self.engine, **settings)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: Any = None

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Send one request; the reply's body, parsed."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        url = path if path.startswith("/ojs") else "/ojs/v1" + path
        response = self.binding.handle(Request(method, url, headers or {}, raw))
        self.status, self.headers = response.status, dict(response.headers)
        if isinstance(response.body, EventStream):
            self.body = response.body
        elif response.headers["Content-Type"].startswith("application/openjobspec+json"):
            self.body = json.loads(response.body)
        else:
            self.body = response.body.decode()
        return self.body

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """Send a GET."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Send a POST."""
        return self.send("POST", path, {} if body is None else body, headers)

    def put(self, path: str, body: Any = None) -> Any:
        """Send a PUT."""
        return self.send("PUT", path, {} if body is None else body)

    def delete(self, path: str) -> Any:
        """Send a DELETE."""
        return self.send("DELETE", path)

    def push(self, kind: str = "email.send", args: list[Any] | None = None, **more: Any) -> str:
        """Enqueue a job and return its id."""
        body = self.post("/jobs", {"type": kind, "args": args or [], **more})
        assert self.status == 201, body
        return str(body["job"]["id"])

    def fetch(self, queue: str = "default", worker: str = "w1", **more: Any) -> list[dict[str, Any]]:
        """Claim jobs of a queue."""
        body = self.post("/workers/fetch", {"queues": [queue], "worker_id": worker, **more})
        assert self.status == 200, body
        return list(body["jobs"])

    def start(self, kind: str = "email.send", args: list[Any] | None = None, **more: Any) -> str:
        """Enqueue a job, fetch it and return its id."""
        job_id = self.push(kind, args, **more)
        assert [job["id"] for job in self.fetch()] == [job_id]
        return job_id

    def ack(self, job_id: str, **more: Any) -> Any:
        """Complete a job."""
        return self.post("/workers/ack", {"job_id": job_id, **more})

    def fail(self, job_id: str, code: str = "handler_error", **more: Any) -> Any:
        """Report a failure of a job."""
        return self.post(
            "/workers/nack", {"job_id": job_id, "error": {"code": code, "message": "no"}, **more}
        )

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as INFO shows it."""
        return dict(self.get(f"/jobs/{job_id}")["job"])

    def wait(self, ms: int) -> None:
        """Let time pass, milliseconds."""
        self.clock.advance(ms)

    @property
    def code(self) -> str:
        """The last error's code."""
        return str(self.body["error"]["code"])


def read_stream(stream: EventStream) -> tuple[list[str], list[bool], Any]:
    """Start a stream: the chunks sent so far and later, whether it has closed, and how to stop it."""
    chunks: list[str] = []
    closed: list[bool] = []
    stop = stream.start(lambda chunk: chunks.append(chunk.decode()), lambda: closed.append(True))
    return chunks, closed, stop
