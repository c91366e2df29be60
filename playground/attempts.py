"""A job's attempts: how long each was waited for, how long it ran, and how it ended, read off the job's path."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from engine import lifecycle as life
from engine.job import Job

SHOWN: Final = 50
"""Attempts on a job's page, the latest ones."""


class Attempt(NamedTuple):
    """One execution; instants and durations in milliseconds.

    Args:
        number: The job's attempt counter during it.
        waited: How long the job had waited: since it was made, or since the attempt before it ended.
        started: When a worker claimed it.
        ended: When it ended, or None while it goes on.
        state: The state that it led to, ``active`` while it goes on.
        operation: What ended it, e.g. ``FAIL``; empty while it goes on.
        error: What was reported of a failure, or None.
    """

    number: int
    waited: int
    started: int
    ended: int | None
    state: str
    operation: str
    error: dict[str, Any] | None


def attempts(job: Job) -> list[Attempt]:
    """The attempts of a job, oldest first."""
    errors = list(job.errors or [])
    found: list[Attempt] = []
    number, since, started, before = 0, job.created_at, None, ""
    for time, operation, state in job.trail:
        if operation == life.FETCH:
            number, started = number + 1, time
        elif started is not None:
            error = None
            if errors and state in {life.RETRYABLE, life.DISCARDED, life.AVAILABLE}:
                known = [one for one in errors if one.get("attempt") == number]
                error = known[0] if known else None
                errors = [one for one in errors if one is not error]
            found.append(Attempt(number, started - since, started, time, state, operation, error))
            since, started = time, None
        elif operation == life.RETRY and before == life.DISCARDED:  # by hand: attempts begin anew
            number, since = 0, time
        before = state
    if started is not None:
        found.append(Attempt(number, started - since, started, None, life.ACTIVE, "", None))
    return found[-SHOWN:]
