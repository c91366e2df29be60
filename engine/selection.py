"""Which jobs a list or a bulk operation means: the standard's filters as one test (OJS Bulk Operations 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine import lifecycle as life
from engine.canonical import canonical
from engine.envelope import refuse
from engine.job import Job
from engine.times import parse_time


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, checked. A part that is None matches everything.

    Args:
        queue: Queue name.
        type: Job type; one that ends in ``*`` matches by prefix.
        states: Any of these.
        tenant: Tenant id.
        error_type: Type of the latest error.
        priority: This priority.
        meta: These members of ``meta``.
        args: Text that the canonical JSON of ``args`` contains.
        times: (how to read an instant off the job, from, to), milliseconds, both exclusive.
    """

    queue: str | None = None
    type: str | None = None
    states: Sequence[str] | None = None
    tenant: str | None = None
    error_type: str | None = None
    priority: int | None = None
    meta: dict[str, Any] | None = None
    args: str | None = None
    times: tuple[tuple[Callable[[Job], int | None], int | None, int | None], ...] = field(default=())

    def matches(self, job: Job) -> bool:
        """Whether a job is meant."""
        return (
            (self.queue is None or job.queue == self.queue)
            and (self.type is None or _named(job.type, self.type))
            and (self.states is None or job.state in self.states)
            and (self.tenant is None or job.tenant == self.tenant)
            and (self.error_type is None or (job.error or {}).get("type") == self.error_type)
            and (self.priority is None or job.priority == self.priority)
            and (self.meta is None or self.meta.items() <= (job.meta or {}).items())
            and (self.args is None or self.args in canonical(job.args))
            and all(_within(read(job), start, end) for read, start, end in self.times)
        )


def _named(job_type: str, wanted: str) -> bool:
    return job_type.startswith(wanted[:-1]) if wanted.endswith("*") else job_type == wanted


def _within(instant: int | None, start: int | None, end: int | None) -> bool:
    if start is None and end is None:
        return True
    return instant is not None and (start is None or instant > start) and (end is None or instant < end)


def _enqueued(job: Job) -> int | None:
    return job.enqueued_at or job.created_at


def _created(job: Job) -> int | None:
    return job.created_at


def discarded(job: Job) -> int | None:
    """When it was discarded."""
    return job.discarded_at


def parse(
    raw: Any, *, moment: Callable[[Job], int | None] = _created, states: Sequence[str] | None = None
) -> Selection:
    """A filter as it came.

    Args:
        raw: ``queue``, ``type``, ``state`` (or ``states``; a string or a list), ``tenant_id``, ``error_type``,
            ``priority``, ``meta``, ``args``, ``since``, ``until``, ``older_than``, ``enqueued_after``,
            ``enqueued_before``.
        moment: What ``since``, ``until`` and ``older_than`` are about.
        states: The states when the filter names none; None for all.

    Raises:
        InvalidRequest: A part of the wrong kind.
    """
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise refuse("filter", raw, "must be an object", "OJS Bulk Operations 6.1")
    for name in ("queue", "type", "tenant_id", "error_type", "args"):
        if raw.get(name) is not None and not isinstance(raw[name], str):
            raise refuse(f"filter.{name}", raw[name], "must be a string", "OJS Bulk Operations 6.1")
    meta = raw.get("meta")
    if meta is not None and not isinstance(meta, dict):
        raise refuse("filter.meta", meta, "must be an object", "OJS Bulk Operations 6.1")
    priority = raw.get("priority")
    if priority is not None and (not isinstance(priority, int) or isinstance(priority, bool)):
        raise refuse("filter.priority", priority, "must be an integer", "OJS Bulk Operations 6.1")
    until = "older_than" if raw.get("until") is None else "until"
    return Selection(
        queue=raw.get("queue"),
        type=raw.get("type"),
        states=_states(raw, states),
        tenant=raw.get("tenant_id"),
        error_type=raw.get("error_type"),
        priority=priority,
        meta=meta,
        args=raw.get("args"),
        times=(
            (moment, _instant(raw, "since"), _instant(raw, until)),
            (_enqueued, _instant(raw, "enqueued_after"), _instant(raw, "enqueued_before")),
        ),
    )


def _states(raw: dict[str, Any], default: Sequence[str] | None) -> Sequence[str] | None:
    given = raw.get("state", raw.get("states"))
    if given is None:
        return default
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(one, str) and one in life.STATES for one in names):
        raise refuse(
            "filter.state", given, f"must be among {', '.join(life.STATES)}", "OJS Bulk Operations 6.1"
        )
    return names


def _instant(raw: dict[str, Any], name: str) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise refuse(f"filter.{name}", value, "must be an RFC 3339 time", "OJS Bulk Operations 6.1")
    try:
        return parse_time(value)
    except ValueError as error:
        raise refuse(f"filter.{name}", value, str(error), "OJS Bulk Operations 6.1") from None
