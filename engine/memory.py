"""The store in memory: dictionaries for look-ups, heaps for order, every operation O(log n) in the jobs kept.

Heaps are pruned lazily: an entry is true only while the job still says the same (its place, its due time);
anything else is dropped when it surfaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any, Final

from engine.job import Job
from engine.lifecycle import AVAILABLE, STATES
from engine.storage import Admit

_NOTHING: Final = nullcontext()


class MemoryStore:
    """Keeps everything in this process; what `engine.storage.Store` promises, nothing is written anywhere.

    Operations check before they write, so its transaction needs no undo.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove everything."""
        self._jobs: dict[str, Job] = {}
        self._by_state: dict[str, dict[str, Job]] = {state: {} for state in STATES}
        self._counts: dict[str, Counter[str]] = {}
        self._ready: dict[str, list[tuple[int, int, str]]] = {}
        self._due: list[tuple[int, int, str, str]] = []
        self._timers: dict[tuple[str, str], int] = {}
        self._unique: dict[str, dict[str, Job]] = {}
        self._records: dict[str, dict[str, dict[str, Any]]] = {}
        self._seq = 0
        self._ticket = 0

    def transaction(self) -> AbstractContextManager[None]:
        """Nothing to open or to commit."""
        return _NOTHING

    def get(self, job_id: str) -> Job | None:
        """The job itself."""
        return self._jobs.get(job_id)

    def add(self, job: Job) -> None:
        """Insert a new job."""
        self._jobs[job.id] = job
        if job.unique_key is not None:
            self._unique.setdefault(job.unique_key, {})[job.id] = job
        if job.queue not in self._counts:
            self._counts[job.queue] = Counter()
        self._enter(job)

    def save(self, job: Job, was: str) -> None:
        """Re-index a changed job."""
        if was == job.state:
            self._watch(job)
            return
        del self._by_state[was][job.id]
        self._counts[job.queue][was] -= 1
        self._enter(job)

    def _enter(self, job: Job) -> None:
        self._by_state[job.state][job.id] = job
        self._counts[job.queue][job.state] += 1
        if job.state == AVAILABLE:
            heappush(self._ready.setdefault(job.queue, []), (-job.priority, job.seq, job.id))
        self._watch(job)

    def _watch(self, job: Job) -> None:
        due = job.due()
        if due is not None:
            self._push_due(due[0], "job", job.id)

    def _push_due(self, at: int, kind: str, key: str) -> None:
        self._ticket += 1
        heappush(self._due, (at, self._ticket, kind, key))
        # Moved timers (heartbeats) leave stale entries behind; rebuild before they outnumber the true ones.
        if len(self._due) > 64 and len(self._due) > 4 * (len(self._jobs) + len(self._timers)):
            self._due = [entry for entry in self._due if self._is_due(entry)]
            heapify(self._due)

    def delete(self, job: Job) -> None:
        """Remove a job."""
        del self._jobs[job.id]
        del self._by_state[job.state][job.id]
        self._counts[job.queue][job.state] -= 1
        if job.unique_key is not None:
            holders = self._unique[job.unique_key]
            del holders[job.id]
            if not holders:
                del self._unique[job.unique_key]

    def next_seq(self) -> int:
        """The next place in the order of all queues."""
        self._seq += 1
        return self._seq

    def claim(self, queue: str, admit: Admit | None) -> Job | None:
        """The available job that goes first and is admitted; those not admitted keep their places."""
        ready = self._ready.get(queue)
        if not ready:
            return None
        refused: list[tuple[int, int, str]] = []
        found: Job | None = None
        while ready:
            entry = ready[0]
            job = self._jobs.get(entry[2])
            if job is None or job.state != AVAILABLE or job.seq != entry[1] or job.priority != -entry[0]:
                heappop(ready)
                continue
            if admit is None or admit(job):
                found = job
                break
            refused.append(heappop(ready))
        for entry in refused:
            heappush(ready, entry)
        return found

    def sharing(self, unique_key: str) -> list[Job]:
        """All jobs with this unique key, oldest first."""
        return list(self._unique.get(unique_key, {}).values())

    def counts(self, queue: str | None = None) -> dict[str, int]:
        """Jobs in each state."""
        if queue is None:
            return {state: len(jobs) for state, jobs in self._by_state.items()}
        here: Mapping[str, int] = self._counts.get(queue, {})
        return {state: here.get(state, 0) for state in STATES}

    def queues(self) -> list[str]:
        """Names of all queues that ever had a job."""
        return sorted(self._counts)

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
        found = (
            job
            for job in self._walk(None if states is None else list(states), newest=newest)
            if (queue is None or job.queue == queue)
            and (type is None or job.type == type)
            and (keep is None or keep(job))
        )
        return list(islice(found, offset, offset + limit))

    def _walk(self, states: list[str] | None, *, newest: bool) -> Iterator[Job]:
        if states is None:
            yield from reversed(self._jobs.values()) if newest else self._jobs.values()
            return
        if len(states) == 1:
            only = self._by_state.get(states[0], {}).values()
            yield from reversed(only) if newest else only
            return
        some = [job for state in states for job in self._by_state.get(state, {}).values()]
        yield from sorted(some, key=lambda job: (job.created_at, job.id), reverse=newest)

    def _is_due(self, entry: tuple[int, int, str, str]) -> bool:
        at, _, kind, key = entry
        if kind != "job":
            return self._timers.get((kind, key)) == at
        job = self._jobs.get(key)
        due = None if job is None else job.due()
        return due is not None and due[0] == at

    def _first_due(self) -> tuple[int, int, str, str] | None:
        while self._due:
            if self._is_due(self._due[0]):
                return self._due[0]
            heappop(self._due)
        return None

    def next_due(self) -> int | None:
        """The earliest instant at which something is due, or None."""
        entry = self._first_due()
        return None if entry is None else entry[0]

    def pop_due(self, now: int) -> tuple[int, str, str] | None:
        """The earliest thing due by now, or None; a timer is taken off, a job changes its own due time."""
        entry = self._first_due()
        if entry is None or entry[0] > now:
            return None
        heappop(self._due)
        at, _, kind, key = entry
        if kind != "job":
            del self._timers[kind, key]
        return at, kind, key

    def set_timer(self, kind: str, key: str, at: int | None) -> None:
        """Set, move or remove a timer."""
        if at is None:
            self._timers.pop((kind, key), None)
        elif self._timers.get((kind, key)) != at:
            self._timers[kind, key] = at
            self._push_due(at, kind, key)

    def record(self, kind: str, key: str) -> dict[str, Any] | None:
        """The record itself, or None."""
        return self._records.get(kind, {}).get(key)

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Insert or replace a record."""
        self._records.setdefault(kind, {})[key] = value

    def delete_record(self, kind: str, key: str) -> bool:
        """Remove a record; whether there was one."""
        return self._records.get(kind, {}).pop(key, None) is not None

    def records(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """All records of a kind, in the order in which they were first put."""
        return list(self._records.get(kind, {}).items())
