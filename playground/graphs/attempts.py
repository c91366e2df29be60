"""Attempts, told from events: which worker had which job, from when to when, how it ended, how long the job had waited.

Only events are read, never all jobs, so that a picture costs as much as it shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from engine import lifecycle as life
from engine.events import Event


class Attempt(NamedTuple):
    """One execution of a job. Instants in milliseconds.

    Args:
        seq: Number of the event that began it.
        job_id: The job.
        type: Its type.
        number: Which attempt, from 1.
        worker: Who had it; empty when it did not say.
        start: When it began.
        end: When it ended, or None while nothing is known of that.
        outcome: The state that it led to: ``active`` while it has not ended, ``available`` when it was lost or
            handed back.
        since: When the job began to wait for it, or None when that was before the events that were read.
    """

    seq: int
    job_id: str
    type: str
    number: int
    worker: str
    start: int
    end: int | None
    outcome: str
    since: int | None


class Waiting(NamedTuple):
    """A job that has not started (again): since when, milliseconds, and in which state it waits."""

    job_id: str
    type: str
    since: int
    state: str


WAITS: Final = frozenset({life.AVAILABLE, life.SCHEDULED, life.RETRYABLE, life.PENDING})
"""States in which a job waits."""


def attempts(events: Iterable[Event]) -> tuple[list[Attempt], list[Waiting]]:
    """The attempts that began in a run of events, in that order, and the jobs that wait at its end, the oldest first.

    Args:
        events: Oldest first, without gaps.
    """
    found: list[Attempt] = []
    open_at: dict[str, int] = {}
    waiting: dict[str, Waiting] = {}
    for event in events:
        job_id, state = event.job_id, event.state
        if job_id is None or state is None:
            continue
        if event.type == "job.started":
            before = waiting.pop(job_id, None)
            open_at[job_id] = len(found)
            found.append(_begun(event, job_id, before))
        elif state != life.ACTIVE:
            place = open_at.pop(job_id, None)
            if place is not None:
                found[place] = found[place]._replace(end=event.time, outcome=state)
            if state not in WAITS:
                waiting.pop(job_id, None)
            elif job_id in waiting:  # from one wait to another: it has waited since the first
                waiting[job_id] = waiting[job_id]._replace(state=state)
            else:
                waiting[job_id] = Waiting(job_id, event.job_type or "", event.time, state)
    return found, list(waiting.values())


def _begun(event: Event, job_id: str, before: Waiting | None) -> Attempt:
    return Attempt(
        event.seq,
        job_id,
        event.job_type or "",
        event.attempt or 0,
        str(event.data.get("worker_id") or ""),
        event.time,
        None,
        life.ACTIVE,
        None if before is None else before.since,
    )
