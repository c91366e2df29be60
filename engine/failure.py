"""What a worker's error report becomes: the stored error, and the backtrace kept within bounds (OJS Core 8).

Pure values: reading and shaping only.
"""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import refuse
from engine.times import format_time, parse_time

MAX_FRAMES: Final = 50
MAX_BACKTRACE: Final = 10_000
MAX_HISTORY: Final = 100
"""Error history kept; the standard asks for the latest 10 at least (OJS Retry 10.1)."""

FINAL_CODES: Final = frozenset(
    "AGENT_TOKEN_BUDGET_EXCEEDED AGENT_MAX_DELEGATION_DEPTH AGENT_TOOL_NOT_FOUND AGENT_CONSENSUS_FAILED "
    "AGENT_INVALID_PARAMETER NON_RETRYABLE_ERROR".split()
)
"""Failures that no further attempt can mend (OJS AI Agents 6.3, OJS Errors 4.5)."""

Error = dict[str, Any]


def read(raw: Any) -> Error:
    """The error of a FAIL request in its stored form.

    Args:
        raw: ``{code?, type?, message?, retryable?, details?, backtrace?}``.

    Returns:
        ``{type, code, message, retryable, details, backtrace?}``. The type is the client's error class
        (``details.error_class``), else its type, else its code.

    Raises:
        InvalidRequest: Not an object, or a part of the wrong type.
    """
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise refuse("error", raw, "must be an object with 'code' and 'message'", "OJS Core 8.1")
    details = raw.get("details")
    if details is None:
        details = {}
    elif not isinstance(details, dict):
        raise refuse("error.details", details, "must be an object", "OJS HTTP Binding 10.3")
    for name in ("type", "code", "message"):
        if raw.get(name) is not None and not isinstance(raw[name], str):
            raise refuse(f"error.{name}", raw[name], "must be a string", "OJS Core 8.1")
    retryable = raw.get("retryable")
    if retryable is not None and not isinstance(retryable, bool):
        raise refuse("error.retryable", retryable, "must be true or false", "OJS HTTP Binding 10.3")
    named = details.get("error_class")
    code = raw.get("code") or raw.get("type") or "handler_error"
    error: Error = {
        "type": named if isinstance(named, str) and named else raw.get("type") or code,
        "code": code,
        "message": raw.get("message") or "",
        "retryable": retryable is not False and code.upper() not in FINAL_CODES,
        "details": details,
    }
    if raw.get("rate_limit_until") is not None:
        error["rate_limit_until"] = _until(raw["rate_limit_until"])
    trace = (
        raw.get("backtrace") or details.get("backtrace") or details.get("stack") or details.get("traceback")
    )
    if trace:
        error["backtrace"] = backtrace(trace)
    return error


def _until(value: Any) -> str:
    """The instant until which the error's rate limit key is to rest (OJS Rate Limiting 9.1), as it came."""
    try:
        if isinstance(value, str):
            parse_time(value)
            return value
    except ValueError:
        pass
    raise refuse("error.rate_limit_until", value, "must be an RFC 3339 time", "OJS Rate Limiting 9.1")


def backtrace(trace: Any) -> list[str]:
    """Frames from a list or one text, at most 50 frames and 10,000 characters (OJS Core 8.1)."""
    frames = [str(frame) for frame in trace] if isinstance(trace, list) else str(trace).splitlines()
    kept: list[str] = []
    room = MAX_BACKTRACE
    for frame in frames[:MAX_FRAMES]:
        if room <= 0:
            break
        kept.append(frame[:room])
        room -= len(frame)
    return kept


def server_error(kind: str, message: str) -> Error:
    """An error that the server itself records: a timeout, a reservation that ran out."""
    return {"type": kind, "code": kind, "message": message, "retryable": True, "details": {}}


def entry(error: Error, attempt: int, now: int) -> Error:
    """The error as an entry of the job's history (OJS Retry 10.1)."""
    when = format_time(now)
    return {"attempt": attempt, **error, "occurred_at": when, "timestamp": when}
