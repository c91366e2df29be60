"""How each official client talks, in our own words: its headers, the shape of what it sends, and how it reads answers.

Noted from exchanges of the published clients with a server; the words on which they disagree are
`engine.http.normalise`'s business. A reader here is as strict as the client: what it cannot use fails the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from engine.http.binding import Binding
from engine.http.message import Request, Response

TYPE: Final = "email.send"
ARGUMENTS: Final = {"to": "user@example.com"}
QUEUE: Final = "email"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Shape(NamedTuple):
    """One client.

    Args:
        name: What it is called in a test's id.
        headers: What it sends with every request.
        base: Its base path.
        enqueue: The body with which it enqueues the same job as the others.
        fetch: The body with which its worker asks for one.
        ack: The members of its ACK beside the job's id.
        fail: The error of its FAIL.
        beat: Its heartbeat for one job.
    """

    name: str
    headers: Mapping[str, str]
    base: str = "/ojs/v1"
    enqueue: Mapping[str, Any] = {}
    fetch: Mapping[str, Any] = {}
    ack: Mapping[str, Any] = {}
    fail: Mapping[str, Any] = {}
    beat: Mapping[str, Any] = {}


_OJS: Final = "application/openjobspec+json"
RETRY_MS: Final = {
    "max_attempts": 2,
    "initial_interval_ms": 1000,
    "backoff_coefficient": 2.0,
    "max_interval_ms": 60_000,
    "jitter": False,
}
RETRY_ISO: Final = {
    "max_attempts": 2,
    "initial_interval": "PT1S",
    "backoff_coefficient": 2.0,
    "max_interval": "PT1M",
    "jitter": False,
}

JAVASCRIPT: Final = Shape(
    "javascript",
    {"user-agent": "node", "ojs-version": "1.0", "content-type": _OJS, "accept": _OJS},
    enqueue={
        "type": TYPE,
        "args": [ARGUMENTS],
        "options": {
            "queue": QUEUE,
            "priority": 5,
            "timeout_ms": 30_000,
            "retry": RETRY_ISO,
            "tags": ["mail"],
        },
        "meta": {},
    },
    fetch={"queues": [QUEUE], "count": 1, "worker_id": "js-worker"},
    ack={"result": {"sent": True}},
    fail={
        "code": "handler_error",
        "message": "SMTP refused",
        "retryable": True,
        "details": {"error_class": "Error", "stack": "Error: SMTP refused\n    at handler (app.mjs:3:9)"},
    },
    beat={"worker_id": "js-worker", "state": "running", "active_jobs": 1, "active_job_ids": ["JOB"]},
)
GO: Final = Shape(
    "go",
    {
        "user-agent": "Go-http-client/1.1",
        "ojs-version": "1.0.0-rc.1",
        "content-type": _OJS,
        "accept": _OJS,
        "accept-encoding": "gzip",
    },
    enqueue={
        "type": TYPE,
        "args": [ARGUMENTS],
        "options": {"queue": QUEUE, "priority": 5, "timeout_ms": 30_000, "retry": RETRY_MS, "tags": ["mail"]},
    },
    fetch={"queues": [QUEUE], "count": 1, "worker_id": "go-worker", "visibility_timeout_ms": 30_000},
    ack={"result": {"sent": True}},
    fail={"code": "handler_error", "message": "SMTP refused", "retryable": True, "details": {}},
    beat={"worker_id": "go-worker", "active_jobs": 1, "active_job_ids": ["JOB"], "state": "running"},
)
PYTHON: Final = Shape(
    "python",
    {
        "user-agent": "python-httpx/0.28.1",
        "ojs-version": "1.0",
        "content-type": _OJS,
        "accept": _OJS,
        "accept-encoding": "gzip, deflate",
        "connection": "keep-alive",
    },
    enqueue={
        "type": TYPE,
        "args": [ARGUMENTS],
        "queue": QUEUE,
        "priority": 5,
        "options": {"timeout_ms": 30_000, "retry": RETRY_ISO, "tags": ["mail"]},
    },
    fetch={"queues": [QUEUE], "count": 1, "worker_id": "py-worker"},
    ack={},  # no body member where the handler gave nothing
    fail={
        "code": "RuntimeError",
        "message": "SMTP refused",
        "retryable": True,
        "details": {"traceback": 'Traceback (most recent call last):\n  File "app.py", line 3'},
    },
    beat={"worker_id": "py-worker", "state": "running", "active_jobs": ["JOB"]},
)
CLI: Final = Shape(
    "cli",
    {"user-agent": "Go-http-client/1.1", "content-type": "application/json", "accept-encoding": "gzip"},
    base="/v1",
    enqueue={
        "type": TYPE,
        "args": [ARGUMENTS],
        "options": {"queue": QUEUE, "priority": 5, "timeout_ms": 30_000, "retry": RETRY_MS, "tags": ["mail"]},
    },
    fetch={"queues": [QUEUE], "count": 1, "worker_id": "cli"},
    ack={"result": None},
    fail={"code": "cli", "message": "SMTP refused", "retryable": True},
    beat={"worker_id": "cli", "active_jobs": 1, "active_job_ids": ["JOB"]},
)
CLIENTS: Final = (JAVASCRIPT, GO, PYTHON, CLI)
BROWSER: Final = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)", "accept": "application/json"}
"""What the admin UI's API client sends: it is a page, and names no version."""


def send(binding: Binding, shape: Shape, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """One exchange as the client has it; what it cannot read fails.

    Returns:
        The answer's body, with its status as ``:status``.
    """
    raw = b"" if body is None else json.dumps(body).encode()
    url = path if path.startswith("/ojs/") else shape.base + path
    return read(shape.headers, binding.handle(Request(method, url, shape.headers, raw)))


def read(headers: Mapping[str, str], response: Response) -> dict[str, Any]:
    """An answer, read as strictly as the client does that sent these headers."""
    media = response.headers["Content-Type"]
    assert media.partition(";")[0] == _OJS
    if headers.get("user-agent", "").startswith("python-httpx"):
        assert "application/json" in media, "the Python SDK parses no other answer"
    assert response.headers["OJS-Version"] == "1.0"
    assert response.headers["X-Request-Id"]
    assert isinstance(response.body, bytes)
    body: dict[str, Any] = json.loads(response.body) if response.body else {}
    if response.status >= 400:
        assert body["error"]["code"] == body["error"]["code"].lower()
        assert {"code", "message", "retryable"} <= body["error"].keys()
    for job in (body.get("job"), *(body.get("jobs") or [])):
        if isinstance(job, dict) and "specversion" in job:  # a workflow lists its steps as jobs
            strict(job)
    return {**body, ":status": response.status}


def strict(job: dict[str, Any]) -> None:
    """A job as the typed SDKs decode it: Go stops at a wrong type, JavaScript takes ``timeout`` for milliseconds."""
    for name in ("priority", "attempt", "max_attempts", "timeout_ms", "retry_delay_ms"):
        assert isinstance(job.get(name, 0), int), name
    for name, value in job.items():
        if name.endswith("_at"):
            assert _TIME.fullmatch(value), f"{name}: {value!r}"
    assert "timeout" not in job
    assert isinstance(job["args"], list)
    assert isinstance(job["tags"], list)
    assert isinstance(job["meta"], dict)
    error = job.get("error")
    if error is not None:
        assert {"code", "type", "message", "retryable", "details"} <= error.keys()
        assert isinstance(error["details"], dict)
    assert all(isinstance(one, dict) for one in job.get("errors", []))
