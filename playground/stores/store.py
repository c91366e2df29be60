"""The store that outlives the process: what `engine.storage.Store` promises, over SQLite, PostgreSQL or Redis.

Its parts, each over the one before: the turn (`turn`), records and timers (`records`), jobs (`jobs`), and here the
lists of jobs and what is due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import Any, Final

from engine.errors import OJSError
from engine.job import Job
from engine.lifecycle import STATES
from playground.stores import rows
from playground.stores.backend import LAST, Page
from playground.stores.jobs import PAGE, Jobs
from playground.stores.records import MISSING
from playground.stores.rows import Row

FIRST: Final = -LAST


class DatabaseStore(Jobs):
    """Keeps everything in a database; see `playground.stores.turn` for what a host has to do."""

    def _forget(self) -> None:
        super()._forget()
        self._popped: dict[str, int] = {}
        self._next: Any = MISSING

    def _settle(self) -> None:
        super()._settle()
        if self._next is MISSING:
            self._earliest()

    # lists

    def _walk(
        self, places: list[str], order: str, *, queue: str | None, kind: str | None = None, newest: bool,
        few: bool = False, offset: int = 0, first: int = PAGE,
    ) -> Iterator[Row]:  # fmt: skip
        """Jobs in order, read a few at a time; those that change on the way are seen once."""
        start, limit = LAST if newest else FIRST, first
        while True:
            page = Page(places, queue, kind, order, newest, few, start, limit, offset)
            found = self._ask(self.database.page, page)
            for one in found:
                yield self._row(one)
            if len(found) < limit:
                return
            start = found[-1][0 if order == "born" else 2]
            offset, limit = 0, PAGE

    def oldest(self, queue: str, state: str) -> Job | None:
        """The job of this queue that has been in this state for longest; no dead letter."""
        return next(
            (row.job for row in self._walk([state], "entered", queue=queue, newest=False, first=1)), None
        )

    def dead_letters(self, queue: str | None = None, *, newest: bool = True) -> Iterator[Job]:
        """Dead letters in the order in which they died."""
        which = self.dead_tally() if queue is None else [queue]
        first = 1 if queue is not None else 16
        streams = [
            (row.job for row in self._walk([rows.DEAD], "entered", queue=one, newest=newest, first=first))
            for one in which
        ]
        return merge(*streams, key=lambda job: (job.discarded_at or 0, job.seq), reverse=newest)

    def jobs(
        self,
        *,
        states: Iterable[str] | None = None,
        queue: str | None = None,
        type: str | None = None,  # noqa: A002 - the envelope's own name
        keep: Callable[[Job], bool] | None = None,
        limit: int = 50,
        offset: int = 0,
        newest: bool = True,
    ) -> list[Job]:
        """A page of jobs; see `engine.storage.Store.jobs`."""
        named = None if states is None else list(dict.fromkeys(states))
        if limit <= 0:
            return []
        passed, first = (offset, min(PAGE, limit)) if keep is None else (0, PAGE)
        places = [] if named is None else rows.places(named)
        if named is not None and len(named) == 1:
            if len(places) > 1:  # the discarded: dead letters have a place of their own
                streams = [
                    self._walk([one], "entered", queue=queue, kind=type, newest=newest) for one in places
                ]
                found: Iterator[Row] = merge(*streams, key=lambda row: row.entered, reverse=newest)
                passed = 0
            else:
                found = self._walk(
                    places, "entered", queue=queue, kind=type, newest=newest, offset=passed, first=first
                )
        elif named == []:
            return []
        else:
            counts = self.counts(queue)
            chosen = sum(counts[state] for state in named or STATES)
            few = named is not None and chosen * 20 < sum(self._tallies.states(None).values())
            found = self._walk(
                places, "born", queue=queue, kind=type, newest=newest, few=few, offset=passed,
                first=first,
            )  # fmt: skip
        kept = (row.job for row in found if keep is None or keep(row.job))
        skip = offset - passed
        return list(islice(kept, skip, skip + limit))

    # time

    def _note_due(self, old: int | None, new: int | None) -> None:
        """Keep the earliest instant right, or know that it must be asked for."""
        if self._next is MISSING:
            return
        if new is not None and (self._next is None or new <= self._next):
            self._next = new
        elif old is not None and old == self._next:
            self._next = MISSING

    def _earliest(self) -> tuple[int, int, str, str] | None:
        """What is due first: (instant, order, kind, key); a kind of timer is never ``job``."""
        waiting = self._ask(self.database.due, len(self._popped) + 1)
        earliest = min(
            (one for one in waiting if one[2] != "job" or self._popped.get(one[3]) != one[0]), default=None
        )
        self._next = None if earliest is None else earliest[0]
        return earliest

    def next_due(self) -> int | None:
        """The earliest instant at which something is due; asked between turns, it may be what the last one knew."""
        if self._next is MISSING:
            between = not self.database.open
            self._earliest()
            if between:
                self.commit()
        found: int | None = self._next
        return found

    def pop_due(self, now: int) -> tuple[int, str, str] | None:
        """The earliest thing due by now, or None; a timer is taken off, a job is not named again."""
        self._enter()
        if self._next is not MISSING and (self._next is None or self._next > now):
            return None
        found = self._earliest()
        if found is None or found[0] > now:
            return None
        at, _, kind, key = found
        if kind == "job":
            self._popped[key] = at
            self._next = MISSING
        else:
            self._timers[kind, key] = at
            self.set_timer(kind, key, None)
        return at, kind, key

    def _answered(self, job: Job) -> None:
        if self._popped and self._popped.pop(job.id, None) is not None:
            self._next = MISSING

    def clear(self) -> None:
        """Remove everything; the numbers of events and the version go on."""
        self._enter()
        self._forget()
        self._writes += 1
        self._tallies.clear()
        self._seq = 0
        try:
            self.database.clear()
        except OJSError as error:
            self._fail(error)
