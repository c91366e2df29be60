"""From a request's JSON to a job: every attribute that a client may set, checked against its rule (OJS Core 5).

Both of the standard's own forms are read: attributes at the top level (OJS Core 5) and inside ``options``
(OJS HTTP Binding 9.1). What is refused names the field, the rule and the clause. Clients' further dialects
are the binding's business (`engine.http`), not this module's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from engine import retry
from engine.errors import InvalidPayload, InvalidRequest, MetadataTooLarge, Unsupported
from engine.ids import UUID7
from engine.job import Job
from engine.times import MAX_DURATION, parse_duration, parse_when

TYPE: Final = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)*\Z", re.ASCII)
QUEUE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\Z", re.ASCII)
MAX_TYPE: Final = 255
MAX_QUEUE: Final = 128
PRIORITIES: Final = range(-100, 101)
NAMED_PRIORITIES: Final = {"high": 10, "normal": 0, "low": -10}
"""The names that may stand for a number (OJS Core 5.2)."""
MAX_TAGS: Final = 100
MAX_META: Final = 65_536
"""Size of ``meta`` as JSON in UTF-8, bytes (OJS Payload Limits 4.3)."""

SYSTEM: Final = frozenset(
    "state attempt created_at enqueued_at started_at completed_at cancelled_at discarded_at activated_at error errors "
    "result next_attempt_at next_retry_at retry_delay_ms worker_id reserved_until progress parent_results "
    "workflow_id workflow_step_id cron_name unique_key checkpoint last_checkpoint progress_data progress_updated_at "
    "result_stored_at result_expires_at result_size_bytes".split()
)
"""Attributes that only the server sets; a client's values are ignored (OJS Core 5.3)."""

OPTIONS: Final = frozenset(
    "queue priority timeout timeout_ms scheduled_at delay_until expires_at retry retry_policy unique tags pending "
    "visibility_timeout visibility_timeout_ms max_attempts metadata rate_limit total_timeout total_timeout_ms "
    "enqueue_ttl enqueue_ttl_ms grace_period grace_period_ms heartbeat_timeout heartbeat_timeout_ms "
    "result_ttl result_size_limit".split()
)
_TIMES: Final = OPTIONS - set(
    "queue priority retry unique tags pending max_attempts metadata rate_limit".split()
)
"""Instants, durations and bounds."""
_ASKS: Final = OPTIONS | {"options"}
"""Where a request may set anything optional; most set nothing."""
KNOWN: Final = OPTIONS | SYSTEM | {"id", "type", "args", "meta", "schema", "specversion", "options"}


def refuse(field: str, value: Any, rule: str, clause: str, place: str = "body") -> InvalidRequest:
    """The error for a value that breaks a rule.

    Args:
        field: Path of the field, e.g. ``options.priority``.
        value: What came; shown clipped.
        rule: What it must be.
        clause: Where the standard says so.
        place: Where the field stands: ``body``, ``path``, ``query`` or ``header``.
    """
    shown = repr(value)
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    details = {"field": field, "rule": rule, "clause": clause, "received": _json_type(value)}
    if place != "body":
        details["in"] = place
    return InvalidRequest(f"'{field}' {rule}; got {shown} ({clause}).", details=details)


def _json_type(value: Any) -> str:
    names: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return "null" if value is None else names.get(type(value), "object")


@lru_cache(maxsize=1024)  # a producer's jobs are of few types
def _is_type(value: str) -> bool:
    return len(value) <= MAX_TYPE and TYPE.match(value) is not None


def check_type(value: Any, field: str = "type") -> str:
    """A job type (OJS Core 5.1, `type`).

    Raises:
        InvalidRequest: Not dot-separated lower-case segments, or longer than 255 characters.
    """
    if not isinstance(value, str) or not _is_type(value):
        rule = "must be dot-separated lower-case segments such as 'email.send', each starting with a letter"
        raise refuse(field, value, f"{rule}, at most {MAX_TYPE} characters", "OJS Core 5.1")
    return value


def check_queue(value: Any, field: str = "queue", place: str = "body") -> str:
    """A queue name (OJS Core 5.1, `queue`).

    Raises:
        InvalidRequest: Other characters than a-z, 0-9, '-' and '.', or longer than 128.
    """
    if not isinstance(value, str) or len(value) > MAX_QUEUE or not QUEUE.match(value):
        rule = "must be lower-case letters, digits, '-' and '.', starting with a letter or digit"
        raise refuse(field, value, f"{rule}, at most {MAX_QUEUE} characters", "OJS Core 5.1", place)
    return value


def _integer(value: Any, field: str, allowed: range, clause: str) -> int:
    if isinstance(value, float) and value.is_integer():  # JSON has one kind of number: 5.0 is 5
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        raise refuse(field, value, f"must be an integer from {allowed.start} to {allowed.stop - 1}", clause)
    return value


def _priority(field: str, value: Any) -> int:
    if isinstance(value, str) and value.lower() in NAMED_PRIORITIES:
        return NAMED_PRIORITIES[value.lower()]
    return check_priority(value, field)


def check_priority(value: Any, field: str = "priority") -> int:
    """A numeric priority (OJS Core 5.2, `priority`).

    Raises:
        InvalidRequest: Not an integer from -100 to 100.
    """
    return _integer(value, field, PRIORITIES, "OJS Core 5.2")


def _object(value: Any, field: str, clause: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise refuse(field, value, "must be an object", clause)
    return value


def _instant(value: Any, field: str, now: int) -> int:
    if not isinstance(value, str):
        raise refuse(field, value, "must be an RFC 3339 time with a zone", "OJS Core 5.2")
    try:
        return parse_when(value, now)
    except ValueError as error:
        raise refuse(field, value, str(error), "OJS Core 5.2") from None


class _Options:
    """The request's optional attributes: ``options`` first, then the top level.

    Attributes:
        names: Those that the request sets at all; most jobs set none or few.
    """

    __slots__ = ("_body", "_options", "names")

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body
        raw = body.get("options")
        self._options: dict[str, Any] = {} if raw is None else _object(raw, "options", "OJS HTTP Binding 9.1")
        self.names = OPTIONS.intersection(body)
        if raw:
            self.names |= OPTIONS.intersection(raw)

    def find(self, *names: str) -> tuple[str, Any]:
        """Path and value of the first of these names that is set; ('', None) when none is."""
        for name in names:
            if name not in self.names:
                continue
            if (value := self._options.get(name)) is not None:
                return f"options.{name}", value
            if (value := self._body.get(name)) is not None:
                return name, value
        return "", None

    def milliseconds(self, name: str, clause: str, least: int = 0) -> int | None:
        """A duration as ``NAME_ms`` in milliseconds, ``NAME`` in seconds or in ISO 8601; 0 means the default."""
        field, value = self.find(f"{name}_ms", name)
        if value is None:
            return None
        if isinstance(value, str) and field.endswith(name):
            return _duration(field, value, clause, least)
        factor = 1 if field.endswith("_ms") else 1000
        return _integer(value, field, range(least, MAX_DURATION // factor + 1), clause) * factor or None


def _duration(field: str, value: str, clause: str, least: int) -> int | None:
    try:
        return _integer(parse_duration(value), field, range(least, MAX_DURATION + 1), clause) or None
    except ValueError as error:
        raise refuse(field, value, str(error), clause) from None


def _kind(value: Any) -> tuple[str, str | None]:
    """A job type and the version that may stand behind its ``@`` (OJS Job Versioning 5.3)."""
    if not isinstance(value, str) or "@" not in value:
        return check_type(value), None
    from engine import versions  # noqa: PLC0415 - few types carry one

    name, version = versions.split(value)
    return check_type(name), version


def _hints(options: _Options) -> dict[str, Any] | None:
    field, hints = options.find("metadata")
    return None if hints is None else _object(hints, field, "openapi EnqueueOptions")


def _meta(value: Any, hints: dict[str, Any] | None) -> dict[str, Any] | None:
    """``meta`` with what ``options.metadata`` adds to it; a key that both have is ``meta``'s.

    All but ``request_id``: each request has another, and no fingerprint of the job may contain it.
    """
    added = {name: hint for name, hint in (hints or {}).items() if name != "request_id"}
    meta = {**added, **_object(value, "meta", "OJS Core 5.2")}
    size = len(json.dumps(meta, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
    if size > MAX_META:
        raise MetadataTooLarge(
            f"'meta' has {size} bytes; the limit is {MAX_META} (OJS Payload Limits 4.3).",
            details={"field": "meta", "actual_bytes": size, "max_bytes": MAX_META},
        )
    return meta or None


def _result(job: Job, options: _Options) -> None:
    field, ttl = options.find("result_ttl")
    if ttl is not None:
        job.result_ttl = _integer(ttl, field, range(-1, MAX_DURATION // 1000 + 1), "OJS Results 7.1")
    field, limit = options.find("result_size_limit")
    if limit is not None:
        job.result_limit = _integer(limit, field, range(1, 2**31), "OJS Results 6.1")


def _tags(field: str, value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_TAGS or not all(isinstance(tag, str) for tag in value):
        raise refuse(field, value, f"must be an array of at most {MAX_TAGS} strings", "OJS HTTP Binding 9.1")
    return value or None


def _retry(options: _Options) -> retry.RetryPolicy:
    _, policy = options.find("retry", "retry_policy")
    _, attempts = options.find("max_attempts")
    if attempts is not None and (
        policy is None or (isinstance(policy, dict) and "max_attempts" not in policy)
    ):
        policy = {**(policy or {}), "max_attempts": attempts}
    return retry.parse(policy)


def _schema(value: Any) -> str:
    from urllib.parse import urlsplit  # noqa: PLC0415 - few jobs name a schema

    if not isinstance(value, str) or not urlsplit(value).scheme or any(ch.isspace() for ch in value):
        raise refuse("schema", value, "must be a URI such as 'urn:ojs:schema:email.send:v1'", "OJS Core 5.2")
    return value


def _identity(given: Any) -> str:
    if not isinstance(given, str) or not UUID7.match(given):
        raise refuse("id", given, "must be a lower-case UUIDv7, or be left out", "OJS Core 5.1")
    return given


def _check_shape(body: Any) -> None:
    """Refuse what has not the parts that every request has."""
    if not isinstance(body, dict):
        raise InvalidPayload(
            f"The body must be one JSON object, not {_json_type(body)} (OJS HTTP Binding 6.1)."
        )
    if body.get("type") is None:
        raise InvalidRequest(
            "'type' is required: name the kind of job, e.g. \"email.send\" (OJS Core 5.1).",
            details={"field": "type", "rule": "required", "clause": "OJS Core 5.1"},
        )
    version = body.get("specversion")
    if version is not None and (not isinstance(version, str) or not version.startswith("1.")):
        raise Unsupported(
            f"'specversion' {version!r:.40} is not supported; this server speaks 1.0 (OJS Core 5.1).",
            details={"field": "specversion", "supported": ["1.0"]},
        )
    if "args" not in body:
        raise refuse("args", None, "is required: an array, [] when there is nothing to pass", "OJS Core 5.1")
    if not isinstance(body["args"], list):
        raise refuse("args", body["args"], "must be an array", "OJS Core 5.1")


def read(body: Any, now: int, make_id: Callable[[int], str]) -> tuple[Job, bool]:
    """A job from an enqueue request.

    Args:
        body: The parsed request body.
        now: The instant, milliseconds; relative times count from it.
        make_id: Called with the instant for the id when the client gave none.

    Returns:
        The job, in no state yet, and whether it asks to be staged (``pending``).

    Raises:
        InvalidPayload: Not an object, or ``type`` is missing.
        InvalidRequest: A field breaks its rule.
        Unsupported: Another ``specversion`` than 1.x.
    """
    _check_shape(body)
    kind, version = body["type"], None
    if not isinstance(kind, str) or not _is_type(kind):  # refused, or with a version
        kind, version = _kind(kind)
    if len(body) == 2 and version is None:  # no more than a type and arguments
        return Job(make_id(now), kind, body["args"]), False
    options = None if _ASKS.isdisjoint(body) else _Options(body)
    given = body.get("id")
    job = Job(make_id(now) if given is None else _identity(given), kind, body["args"])
    meta, hints = body.get("meta"), None if options is None else _hints(options)
    if meta is not None or hints is not None:
        job.meta, job.hints = _meta({} if meta is None else meta, hints), hints
    if body.get("schema") is not None:
        job.schema = _schema(body["schema"])
    unknown = {} if KNOWN.issuperset(body) else {name: body[name] for name in body if name not in KNOWN}
    if version is not None:
        job.extra = {"version": version, **unknown}
    elif unknown:
        job.extra = unknown
    return job, options is not None and bool(options.names) and _optional(job, options, now)


def _optional(job: Job, options: _Options, now: int) -> bool:
    """Read what most requests leave out; whether the job asks to be staged."""
    field, queue = options.find("queue")
    if queue is not None:
        job.queue = check_queue(queue, field)
    field, priority = options.find("priority")
    if priority is not None:
        job.priority = _priority(field, priority)
    job.tags = _tags(*options.find("tags"))
    job.retry = _retry(options)
    if not options.names.isdisjoint(_TIMES):
        job.timeout = options.milliseconds("timeout", "OJS Core 5.2")
        job.visibility_timeout = options.milliseconds("visibility_timeout", "OJS HTTP Binding 9.1")
        _times(job, options, now)
        _result(job, options)
        _limits(job, options)
    _policies(job, options)
    return _pending(*options.find("pending"))


def _pending(field: str, value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise refuse(field, value, "must be true or false", "OJS HTTP Binding 9.1")
    return bool(value)


def _policies(job: Job, options: _Options) -> None:
    field, unique = options.find("unique")
    job.unique = None if unique is None else _object(unique, field, "OJS Unique Jobs 2")
    field, rate_limit = options.find("rate_limit")
    job.rate_limit = None if rate_limit is None else _object(rate_limit, field, "OJS Rate Limiting 6")


def _times(job: Job, options: _Options, now: int) -> None:
    field, when = options.find("scheduled_at", "delay_until")
    if when is not None:
        job.scheduled_at = _instant(when, field, now)
    field, expires = options.find("expires_at")
    if expires is not None:
        job.expires_at = _instant(expires, field, now)
        if not expires.startswith(("P", "+")):
            job.echo = {"expires_at": expires}


def _limits(job: Job, options: _Options) -> None:
    job.total_timeout = options.milliseconds("total_timeout", "OJS Timeouts 6", 1)
    job.enqueue_ttl = options.milliseconds("enqueue_ttl", "OJS Timeouts 6", 1)
    job.grace_period = options.milliseconds("grace_period", "OJS Timeouts 6")
    job.heartbeat_timeout = options.milliseconds("heartbeat_timeout", "OJS Timeouts 6", 1)
    if job.total_timeout is not None and job.timeout is not None and job.total_timeout < job.timeout:
        field, value = options.find("total_timeout_ms", "total_timeout")
        raise refuse(field, value, "must be at least the timeout of one attempt", "OJS Timeouts 6")
