"""What happened, in words: a sentence for each event, and a job's path with the clause of each move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engine.events import Event
from engine.job import Job
from engine.lifecycle import TRANSITIONS, Transition
from playground.render import span

_ROWS: Final = {(row.source, row.operation, row.target): row for row in TRANSITIONS}


class Step(NamedTuple):
    """One move of a job's path.

    Args:
        time: Instant, milliseconds.
        row: The row of the transition table that it is.
        stayed: How long the job stayed in the state it reached, milliseconds, or None while it is there.
    """

    time: int
    row: Transition
    stayed: int | None


def path(job: Job) -> list[Step]:
    """All moves of a job, oldest first."""
    steps: list[Step] = []
    source: str | None = None
    for index, (time, operation, state) in enumerate(job.trail):
        following = job.trail[index + 1][0] if index + 1 < len(job.trail) else None
        stayed = None if following is None else following - time
        steps.append(Step(time, _ROWS[source, operation, state], stayed))
        source = state
    return steps


def _error(data: dict[str, Any]) -> str:
    error = data.get("error") or data.get("last_error") or {}
    return str(error.get("message") or error.get("code") or "no message")


def _completed(data: dict[str, Any]) -> str:
    return f"after {span(data['duration_ms'])}" if "duration_ms" in data else ""


_TOLD: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "job.enqueued": lambda data: f"in queue {data['queue']}",
    "job.scheduled": lambda data: f"for {data['scheduled_at'][11:23]}",
    "job.pending": lambda _: "staged until it is activated",
    "job.started": lambda data: (
        f"attempt {data['attempt']}" + (f", {data['worker_id']}" if data["worker_id"] else "")
    ),
    "job.completed": _completed,
    "job.failed": _error,
    "job.retrying": lambda data: f"again in {span(data['retry_delay_ms'])}",
    "job.discarded": lambda data: (
        f"after {data['total_attempts']} attempt" + "s" * (data["total_attempts"] != 1)
    ),
    "job.cancelled": lambda data: str(data.get("reason") or ""),
    "job.expired": lambda _: "before it could start",
    "job.heartbeat": lambda data: f"reserved until {data['visible_until'][11:23]}",
    "worker.started": lambda data: "serves " + ", ".join(data["queues"]) if data.get("queues") else "",
    "worker.stopped": lambda data: str(data.get("reason") or ""),
}


def tell(event: Event) -> str:
    """What an event says beyond its type and subject; empty where there is nothing more."""
    teller = _TOLD.get(event.type)
    try:
        return teller(event.data) if teller else ""
    except (KeyError, TypeError, ValueError, AttributeError):  # another server's event, which may say less
        return ""
