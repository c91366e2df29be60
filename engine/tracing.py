"""The trace that a job belongs to, as its metadata tells it (OJS Events 8.2)."""

from __future__ import annotations

import re
from typing import Any, Final

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?\Z", re.ASCII)


def trace_id(meta: dict[str, Any] | None) -> str | None:
    """The trace id of a job: ``meta.trace_id``, else the one inside ``meta.traceparent`` (W3C Trace Context).

    Args:
        meta: The job's metadata.

    Returns:
        The id, or None where the metadata names no trace.
    """
    if not meta:
        return None
    named = meta.get("trace_id")
    if isinstance(named, str) and named:
        return named
    parent = meta.get("traceparent")
    found = _TRACEPARENT.match(parent) if isinstance(parent, str) else None
    return found[1] if found else None
