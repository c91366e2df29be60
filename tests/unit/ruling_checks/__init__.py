"""For each ruling, a sequence of requests which proves that the server does what the ruling says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.harness import Server

CHECKS: dict[str, Callable[[Desk], None]] = {}
"""What proves a ruling, by its id; filled by the modules of this package."""


class Desk(Server):
    """A fresh server, and the requests that most checks make."""

    def ok(
        self, method: str, url: str, body: Any = None, status: int = 200, **headers: str
    ) -> dict[str, Any]:
        """The body of a reply that must have this status."""
        found, answer = self.call(method, url, body, **headers)
        assert found == status, answer
        return answer

    def refused(
        self, method: str, url: str, body: Any, status: int, code: str, **headers: str
    ) -> dict[str, Any]:
        """The error object of a reply that must have this status and code."""
        error: dict[str, Any] = self.ok(method, url, body, status, **headers)["error"]
        assert error["code"] == code, error
        return error

    def enqueue(self, status: int = 201, **fields: Any) -> dict[str, Any]:
        """The body that answers an enqueue request of the given top-level fields."""
        return self.ok("POST", "/jobs", {"type": "a.b", "args": [], **fields}, status)

    def job(self, queue: str = "default", **options: Any) -> dict[str, Any]:
        """A new job with these options."""
        job: dict[str, Any] = self.enqueue(options={"queue": queue, **options})["job"]
        return job

    def claim(self, queue: str = "default", **more: Any) -> list[dict[str, Any]]:
        """Jobs fetched from a queue."""
        jobs: list[dict[str, Any]] = self.ok("POST", "/workers/fetch", {"queues": [queue], **more})["jobs"]
        return jobs

    def running(self, queue: str = "default", **options: Any) -> dict[str, Any]:
        """A new job that has been fetched, by no worker in particular."""
        self.job(queue, **options)
        return self.claim(queue)[0]

    def info(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job as it is now."""
        found: dict[str, Any] = self.ok("GET", f"/jobs/{job['id']}")["job"]
        return found

    def ack(self, job: dict[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
        """The answer to ACK."""
        return self.ok("POST", "/workers/ack", {"job_id": job["id"], **more}, status)

    def nack(self, job: dict[str, Any], status: int = 200, **error: Any) -> dict[str, Any]:
        """The answer to FAIL with an error of these fields."""
        told = {"code": "boom", "message": "it broke", **error}
        return self.ok("POST", "/workers/nack", {"job_id": job["id"], "error": told}, status)

    def beat(self, **body: Any) -> dict[str, Any]:
        """The answer to a heartbeat of the worker ``w``."""
        return self.ok("POST", "/workers/heartbeat", {"worker_id": "w", **body})


def proves(*rulings: str) -> Callable[[Callable[[Desk], None]], Callable[[Desk], None]]:
    """Enter a check for these rulings."""

    def enter(check: Callable[[Desk], None]) -> Callable[[Desk], None]:
        for ruling in rulings:
            assert ruling not in CHECKS, ruling
            CHECKS[ruling] = check
        return check

    return enter
