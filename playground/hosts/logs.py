"""The server's log on stderr: one line a record, as text or as JSON (OJS Logging 5).

A record never holds a header, a query or a body, so that no token and no argument of a job gets into it.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any, Final

from engine.events import Event

LOG: Final = logging.getLogger("ojs.server")
_NUMBERS: Final = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}
_NAMES: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_FIELDS: Final = ("job_id", "job_type", "queue", "attempt", "state", "worker_id", "workflow_id")


def _instant(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"


def _message(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    return text


class Json(logging.Formatter):
    """Records as JSON objects."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        body: dict[str, Any] = {
            "timestamp": _instant(record),
            "severity": _NAMES.get(record.levelname, record.levelname),
            "severity_number": _NUMBERS.get(record.levelname, 9),
            "message": _message(record, self),
            "component": "server",
        }
        facts = dict(getattr(record, "facts", {}))
        ojs = {key: facts.pop(key) for key in _FIELDS if facts.get(key) is not None}
        if "category" in facts:
            body["category"] = facts.pop("category")
        if ojs:
            body["ojs"] = ojs
        if facts.get("trace_id"):
            body["trace"] = {"trace_id": facts.pop("trace_id")}
        if facts:
            body["attributes"] = facts
        return json.dumps(body, separators=(",", ":"))


class Text(logging.Formatter):
    """Records as lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        facts = {key: value for key, value in getattr(record, "facts", {}).items() if key != "category"}
        told = "".join(f" {key}={value}" for key, value in facts.items() if value is not None)
        level = _NAMES.get(record.levelname, record.levelname)
        line = f"{_instant(record)} {level:<5} {_message(record, self)}{told}"
        return "".join(one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in line)


def start(form: str, level: str) -> None:
    """Write the log to stderr.

    Args:
        form: ``text`` or ``json``.
        level: The least severity: ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Json() if form == "json" else Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(level.upper())
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a waiting request is no event
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


def event(one: Event) -> None:
    """Log an event of the engine."""
    facts = {"category": "lifecycle", **{key: one.data.get(key) for key in (*_FIELDS, "trace_id")}}
    LOG.info(one.type, extra={"facts": {key: value for key, value in facts.items() if value is not None}})


def request(method: str, path: str, status: int, seconds: float, **facts: str | None) -> None:
    """Log a request that was answered.

    Args:
        method: HTTP method.
        path: Its path, without the query.
        status: HTTP status of the answer.
        seconds: How long it took.
        facts: ``request_id``, ``job_id``, ``who`` (the scope), where known.
    """
    level = logging.INFO
    if status in {401, 403, 429, 503}:
        level = logging.WARNING
    elif status >= 500:
        level = logging.ERROR
    if LOG.isEnabledFor(level):
        category = "error" if status >= 400 else "performance"
        known = {key: value for key, value in facts.items() if value}
        told = {"category": category, **known, "status": status, "duration_ms": round(seconds * 1000, 3)}
        LOG.log(level, "%s %s", method, path, extra={"facts": told})
