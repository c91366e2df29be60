"""What servers answer, read with forgiveness into the engine's own records: jobs, queues, cron entries, workers.

Servers differ in which fields they send and how they wrap lists. What is missing stays empty; what cannot be shown at
all, e.g. a job without an id, is left out.
"""

from __future__ import annotations

from typing import Any, Final

from engine import cron_expression, retry, zones
from engine.cron_definition import OVERLAP
from engine.envelope import QUEUE
from engine.errors import OJSError
from engine.job import Job
from engine.lifecycle import STATES
from engine.times import FOREVER, parse_time
from engine.workers import DIRECTIVES

Body = dict[str, Any]
MOST_TEXT: Final = 255
_INSTANTS: Final = (
    "scheduled_at expires_at created_at enqueued_at started_at completed_at cancelled_at discarded_at activated_at "
    "next_attempt_at reserved_until"
).split()
_TEXTS: Final = {
    "worker_id": "worker_id",
    "workflow_id": "workflow_id",
    "workflow_step_id": "step_id",
    "cron_name": "cron_name",
    "unique_key": "unique_key",
    "schema": "schema",
}
_NUMBERS: Final = {
    "timeout_ms": "timeout",
    "visibility_timeout_ms": "visibility_timeout",
    "retry_delay_ms": "retry_delay",
    "result_size_bytes": "result_size",
}


def rows(body: Body | None, *names: str) -> list[Body]:
    """The objects of a list that is wrapped under one of these names."""
    for name in names:
        found = (body or {}).get(name)
        if isinstance(found, list):
            return [one for one in found if isinstance(one, dict)]
    return []


def text(body: Body, *names: str) -> str:
    """The first of these fields that is a text, cut where it is too long; empty where there is none."""
    for name in names:
        if isinstance(found := body.get(name), str) and found:
            return found[:MOST_TEXT]
    return ""


def number(body: Body, *names: str) -> int | None:
    """The first of these fields that is a whole number."""
    for name in names:
        found = body.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < FOREVER:
            return found
    return None


def instant(body: Body, *names: str) -> int | None:
    """The first of these fields that is a time, milliseconds."""
    for name in names:
        try:
            return parse_time(body[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def inner(body: Body, name: str) -> Body:
    """A field that is an object; an empty one where it is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _policy(raw: Body) -> retry.RetryPolicy:
    """The retry policy that a job tells of."""
    given = raw.get("retry", raw.get("retry_policy"))
    attempts = number(raw, "max_attempts")
    try:
        return retry.parse(given) if given is not None else retry.RetryPolicy(max_attempts=attempts or 3)
    except OJSError:
        return retry.RetryPolicy(max_attempts=attempts or 3)


def job(raw: Body) -> Job | None:
    """A job, or None where it has no id, no type or no state of the standard."""
    key, kind, state = text(raw, "id", "job_id"), text(raw, "type", "job_type"), text(raw, "state", "status")
    queue = text(raw, "queue") or "default"
    if not key or not kind or state not in STATES or not QUEUE.match(queue):
        return None
    args = raw.get("args")
    found = Job(key, kind, args if isinstance(args, list) else [], queue=queue, state=state)
    found.priority = number(raw, "priority") or 0
    found.attempt = number(raw, "attempt") or 0
    found.meta = inner(raw, "meta") or None
    tags = raw.get("tags")
    found.tags = [one for one in tags if isinstance(one, str)] if isinstance(tags, list) else None
    found.retry = _policy(raw)
    for name in _INSTANTS:
        setattr(found, name, instant(raw, name))
    found.created_at = found.created_at or found.enqueued_at or 0
    for name, attribute in _TEXTS.items():
        setattr(found, attribute, text(raw, name) or None)
    for name, attribute in _NUMBERS.items():
        setattr(found, attribute, number(raw, name))
    found.error = _error(raw.get("error"))
    errors = raw.get("errors")
    found.errors = [one for raw_ in errors if (one := _error(raw_))] if isinstance(errors, list) else None
    found.result, found.has_result = raw.get("result"), raw.get("result") is not None
    return found


def _error(raw: Any) -> Body | None:
    """An error with the fields that views show."""
    if isinstance(raw, str):
        raw = {"message": raw}
    if not isinstance(raw, dict) or not raw:
        return None
    message = text(raw, "message", "error") or "no message"
    code = text(raw, "code", "type") or "error"
    lines = raw.get("backtrace")
    kept = {name: value for name, value in raw.items() if name != "backtrace"}
    more = {"backtrace": [str(one) for one in lines]} if isinstance(lines, list) else {}
    return {**kept, "code": code, "type": text(raw, "type") or code, "message": message, **more}


def counts(raw: Body) -> dict[str, int] | None:
    """Jobs by state, wherever the answer has them; None where it has none."""
    for place in (inner(raw, "counts"), inner(raw, "stats"), inner(raw, "jobs"), raw):
        if "available" in place and number(place, "available") is not None:
            return {state: max(0, number(place, state) or 0) for state in STATES}
    return None


def queue(raw: Body) -> tuple[str, Body] | None:
    """A queue's name and record."""
    name = text(raw, "name", "queue")
    if not QUEUE.match(name):
        return None
    state = text(raw, "state", "status") or "active"
    paused = raw.get("paused") is True or state == "paused"
    return name, {
        "state": "paused" if paused else "draining" if state == "draining" else "active",
        "created_at": instant(raw, "created_at") or 0,
        "updated_at": instant(raw, "updated_at"),
        "paused_at": instant(raw, "paused_at"),
        "config": {},
    }


def cron(raw: Body) -> Body | None:
    """A cron entry's record; None where its expression or zone cannot be read here."""
    name, expression = text(raw, "name"), text(raw, "expression", "cron", "schedule")
    zone, template = text(raw, "timezone") or "UTC", inner(raw, "job_template")
    try:
        cron_expression.parse(expression)
        zones.find(zone)
    except ValueError:
        return None
    enabled = raw.get("enabled") is not False and text(raw, "status") in {"", "active", "enabled"}
    overlap = text(raw, "overlap_policy")
    args = template.get("args", raw.get("args"))
    if not name:
        return None
    return {
        "name": name,
        "expression": expression,
        "timezone": zone,
        "job": {
            "type": text(template, "type") or text(raw, "type") or "?",
            "args": args if isinstance(args, list) else [],
            "meta": inner(template, "meta") or inner(raw, "meta"),
            "options": inner(template, "options") or inner(raw, "options"),
        },
        "overlap_policy": overlap if overlap in OVERLAP else "skip",
        "misfire_policy": text(raw, "misfire_policy") or "not told",
        "status": "active" if enabled else text(raw, "status") or "paused",
        "description": text(raw, "description"),
        "next": instant(raw, "next_run_at", "next_run") if enabled else None,
        "last_run_at": instant(raw, "last_run_at", "last_run"),
        "last_job_id": text(raw, "last_job_id") or None,
        "run_count": number(raw, "run_count") or 0,
        "open": [],
        "history": [],
        "created_at": instant(raw, "created_at") or 0,
        "updated_at": instant(raw, "updated_at") or instant(raw, "created_at") or 0,
    }


def worker(raw: Body) -> tuple[str, Body] | None:
    """A worker's id and record."""
    key = text(raw, "id", "worker_id")
    if not key:
        return None
    state, directive = text(raw, "state"), text(raw, "directive")
    queues, held = raw.get("queues"), raw.get("active_job_ids")
    seen = instant(raw, "last_seen_at", "last_heartbeat_at", "last_heartbeat") or 0
    facts: Body = {
        name: raw[name] for name in ("hostname", "pid", "concurrency", "labels", "version") if name in raw
    }
    return key, {
        **facts,
        "first_seen": instant(raw, "first_seen_at", "started_at") or seen,
        "last_seen": seen,
        "beat": instant(raw, "last_heartbeat_at", "last_heartbeat"),
        "queues": [str(one) for one in queues] if isinstance(queues, list) else [],
        "directive": directive if directive in DIRECTIVES else "running",
        "state": state if state in DIRECTIVES else "running",
        "jobs": [str(one) for one in held] if isinstance(held, list) else [],
    }
