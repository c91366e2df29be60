"""The request that makes a job, from the job itself; and any request as a curl command."""

from __future__ import annotations

import json
import shlex
from typing import Any

from engine.job import Job
from engine.retry import DEFAULT
from engine.times import format_time


def enqueue_body(job: Job) -> dict[str, Any]:
    """The shortest enqueue request that makes the same job again (without its id)."""
    body: dict[str, Any] = {"type": job.type, "args": job.args}
    if job.meta:
        body["meta"] = job.meta
    if job.schema:
        body["schema"] = job.schema
    options: dict[str, Any] = {}
    if job.queue != "default":
        options["queue"] = job.queue
    if job.priority:
        options["priority"] = job.priority
    for name, value in (
        ("timeout_ms", job.timeout),
        ("visibility_timeout_ms", job.visibility_timeout),
        ("unique", job.unique),
        ("tags", job.tags),
        ("metadata", job.hints),
    ):
        if value is not None:
            options[name] = value
    if job.scheduled_at is not None:
        options["scheduled_at"] = format_time(job.scheduled_at)
    if job.expires_at is not None:
        options["expires_at"] = (job.echo or {}).get("expires_at") or format_time(job.expires_at)
    usual = DEFAULT.to_dict()
    policy = {
        name: value
        for name, value in job.retry.to_dict().items()
        if value != usual[name] and not name.endswith("_ms")  # each interval stands in both spellings
    }
    if policy:
        options["retry"] = policy
    if job.trail and job.trail[0][2] == "pending":
        options["pending"] = True
    return body | ({"options": options} if options else {}) | (job.extra or {})


def curl(base_url: str, method: str, path: str, body: dict[str, Any] | None = None) -> str:
    """A request as a command for a POSIX shell.

    Args:
        base_url: Scheme, host and port of the server.
        method: HTTP method.
        path: Path of the request.
        body: JSON body, or None.
    """
    lines = [f"curl -X {method} {shlex.quote(base_url + path)}"]
    if body is not None:
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    return " \\\n  ".join(lines)
