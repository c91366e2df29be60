"""Which jobs a search finds, a page at a time, and what an operation on all of them would do.

A page that lives must stay cheap with a hundred thousand jobs: what the store's own order and counts answer is exact;
anything else looks at the newest jobs, a bounded number of them, and says so. An operation on all that match looks at
every job, once.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from engine import lifecycle as life
from engine.errors import Conflict
from engine.job import Job
from engine.storage import Store
from playground.search import Search

ROWS: Final = 25
"""Jobs on a page."""
LOOK: Final = 5_000
"""Jobs that a living page looks at, the newest first."""
LOOK_DEEP: Final = 1_000
"""The same where arguments have to be looked into."""
MAX_BULK: Final = 100_000
"""Most jobs of one operation on all that match."""
SHOWN: Final = 10
"""Jobs that a preview lists."""

OPERATIONS: Final = {"retry": life.RETRY, "cancel": life.CANCEL, "delete": None}
"""What can be done to many jobs, and the operation of the table that it is; none for a deletion."""
DONE: Final = {"retry": "retried", "cancel": "cancelled", "delete": "deleted"}


class Found(NamedTuple):
    """A page of the jobs that match.

    Args:
        jobs: Of this page, newest first.
        page: Its number, from 1; the last one there is if a later one was asked for.
        pages: How many there are.
        total: How many jobs match among those looked at.
        looked: How many jobs were looked at; None where the store's counts answer.
        every: How many there are to be looked at.
    """

    jobs: list[Job]
    page: int
    pages: int
    total: int
    looked: int | None
    every: int

    @property
    def partly(self) -> bool:
        """Whether there are older jobs that were not looked at."""
        return self.looked is not None and self.looked < self.every


def find(store: Store, search: Search, page: int, rows: int = ROWS) -> Found:
    """A page of the jobs that match.

    Args:
        store: The jobs.
        search: What is wanted.
        page: Which page, from 1.
        rows: Jobs on a page.
    """
    counts = store.counts(search.queue)
    every = sum(counts[state] for state in search.states or life.STATES)
    if search.is_plain:
        page, pages = _paged(page, every, rows)
        jobs = store.jobs(states=search.states, queue=search.queue, limit=rows, offset=(page - 1) * rows)
        return Found(jobs, page, pages, every, None, every)
    if search.id is not None:
        one = store.get(search.id)
        matching = [one] if one is not None and search.matches(one) else []
        return Found(matching, 1, 1, len(matching), None, 1)
    near = _newest(store, search, LOOK_DEEP if search.deep else LOOK)
    matching = [job for job in near if search.matches(job)]
    page, pages = _paged(page, len(matching), rows)
    return Found(matching[(page - 1) * rows : page * rows], page, pages, len(matching), len(near), every)


def _paged(page: int, total: int, rows: int) -> tuple[int, int]:
    pages = max(1, -(-total // rows))
    return min(max(1, page), pages), pages


def _newest(store: Store, search: Search, limit: int) -> list[Job]:
    """The newest jobs of the states and the queue that are asked for; a share of each state where there are several."""
    if search.states is None or len(search.states) == 1:
        return store.jobs(states=search.states, queue=search.queue, limit=limit)
    share = limit // len(search.states)
    some = [
        job for state in search.states for job in store.jobs(states=[state], queue=search.queue, limit=share)
    ]
    return sorted(some, key=lambda job: (job.created_at, job.id), reverse=True)


def everything(store: Store, search: Search) -> list[Job]:
    """All jobs that match, the oldest first, at most `MAX_BULK`."""
    if search.id is not None:
        one = store.get(search.id)
        return [one] if one is not None and search.matches(one) else []
    return store.jobs(
        states=search.states,
        queue=search.queue,
        keep=search.matches if search.tests else None,
        limit=MAX_BULK,
        newest=False,
    )


class Refused(NamedTuple):
    """Jobs with which an operation is not possible.

    Args:
        state: The state that they are in.
        jobs: How many.
        why: The reason, one sentence.
    """

    state: str
    jobs: int
    why: str


class Preview(NamedTuple):
    """What an operation on many jobs would do.

    Args:
        what: One of `OPERATIONS`.
        possible: The jobs with which it is possible, the oldest first.
        refused: Those with which it is not, by their state.
    """

    what: str
    possible: list[Job]
    refused: list[Refused]

    @property
    def total(self) -> int:
        """All jobs that are meant."""
        return len(self.possible) + sum(one.jobs for one in self.refused)


def preview(what: str, jobs: list[Job]) -> Preview:
    """What an operation would do with these jobs; whether it may follows from their states alone."""
    counts = Counter(job.state for job in jobs)
    reasons = {state: _reason(what, state) for state in counts}
    possible = [job for job in jobs if reasons[job.state] is None]
    refused = [Refused(state, counts[state], why) for state, why in reasons.items() if why is not None]
    return Preview(what, possible, refused)


def _reason(what: str, state: str) -> str | None:
    operation = OPERATIONS[what]
    if operation is None:
        return None if state in life.TERMINAL else "Only a job that has ended can be deleted."
    try:
        life.require(state, operation)
    except Conflict as error:
        return error.message
    return None
