"""The store in memory: dictionaries for look-ups, heaps for order, every operation O(log n) in the jobs kept.

Heaps are pruned lazily: an entry is true only while the job still says the same (its place, its due time);
anything else is dropped when it surfaces.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager
from heapq import heapify, heappop, heappush, merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from engine.job import Job
from engine.lifecycle import AVAILABLE, DISCARDED, STATES
from engine.ready import Entry, ReadyQueue

if TYPE_CHECKING:
    from engine.storage import Admit


class _Nothing:
    """Does nothing on entry and on exit, in C: `contextlib.nullcontext` costs each operation twice as much."""

    __slots__ = ()
    # Both take whatever is passed and answer "", which is false: no exception is held back.
    __enter__ = "".format
    __exit__ = "".format


_NOTHING: Final = cast("AbstractContextManager[None]", _Nothing())


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
        self._by_queue: dict[str, dict[str, dict[str, Job]]] = {}
        self._ready: dict[str, ReadyQueue] = {}
        self._due: list[tuple[int, int, str, str]] = []
        self._timers: dict[tuple[str, str], int] = {}
        self._in_queue: dict[str, dict[str, Job]] = {}
        self._unique: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._discarded: dict[str, dict[str, Job]] = {}
        self._dead: dict[str, dict[str, Job]] = {}
        self._dead_kinds: dict[str, str] = {}
        self._dead_tally: dict[str, Counter[str]] = {}
        self._records: dict[str, dict[str, dict[str, Any]]] = {}
        self.kinds: Container[str] = self._records
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
        self._enter(job)
        self._in_queue[job.queue][job.id] = job

    def save(self, job: Job, was: str) -> None:
        """Re-index a changed job."""
        if was != job.state:
            self._leave(job, was, job.queue)
            self._enter(job)
            return
        if was == AVAILABLE:
            self._line_up(job)
        self._watch(job)

    def move_queue(self, job: Job, queue: str) -> None:
        """Put a job into another queue, in its place by priority and arrival."""
        self._leave(job, job.state, job.queue)
        del self._in_queue[job.queue][job.id]
        job.queue = queue
        self._enter(job)
        self._in_queue[queue][job.id] = job

    def delete(self, job: Job) -> None:
        """Remove a job."""
        del self._jobs[job.id]
        del self._in_queue[job.queue][job.id]
        self._leave(job, job.state, job.queue)

    def delete_queue(self, queue: str) -> None:
        """Forget that a queue, empty by now, ever had a job."""
        self._by_queue.pop(queue, None)
        self._in_queue.pop(queue, None)
        self._ready.pop(queue, None)

    def _leave(self, job: Job, state: str, queue: str) -> None:
        job_id = job.id
        del self._by_state[state][job_id]
        del self._by_queue[queue][state][job_id]
        if job.unique_key is not None:
            held = self._unique[job.unique_key, state]
            del held[bisect_left(held, (job.created_at, job_id))]
            if not held:
                del self._unique[job.unique_key, state]
        if state == DISCARDED:
            self._discarded.get(queue, {}).pop(job_id, None)
        if job_id in self._dead_kinds:
            del self._dead[queue][job_id]
            kind, tally = self._dead_kinds.pop(job_id), self._dead_tally[queue]
            tally[kind] -= 1
            if not tally[kind]:
                del tally[kind]

    def _enter(self, job: Job) -> None:
        state, job_id = job.state, job.id
        self._by_state[state][job_id] = job
        here = self._by_queue.get(job.queue)
        if here is None:
            here = self._by_queue[job.queue] = {name: {} for name in STATES}
            self._in_queue[job.queue] = {}
        here[state][job_id] = job
        if state == AVAILABLE:
            self._line_up(job)
        if job.unique_key is not None:
            insort(self._unique.setdefault((job.unique_key, state), []), (job.created_at, job_id))
        if job.dead_letter:
            kind = self._dead_kinds[job_id] = str((job.error or {}).get("type") or "Unknown")
            self._dead.setdefault(job.queue, {})[job_id] = job
            self._dead_tally.setdefault(job.queue, Counter())[kind] += 1
        elif state == DISCARDED:
            self._discarded.setdefault(job.queue, {})[job_id] = job
        self._watch(job)

    def _line_up(self, job: Job) -> None:
        ready = self._ready.get(job.queue)
        if ready is None:
            ready = self._ready[job.queue] = ReadyQueue()
        ready.push(job.lane, (-(job.priority + job.boost), job.turn, job.seq, job.id))

    def _watch(self, job: Job) -> None:
        due = job.deadline()
        if due is not None:
            self._push_due(due[0], "job", job.id)

    def _push_due(self, at: int, kind: str, key: str) -> None:
        self._ticket = ticket = self._ticket + 1
        due = self._due
        heappush(due, (at, ticket, kind, key))
        # Moved timers (heartbeats) leave stale entries behind; rebuild before they outnumber the true ones.
        if len(due) > 64 and len(due) > 4 * (len(self._jobs) + len(self._timers)):
            self._due = [entry for entry in due if self._is_due(entry)]
            heapify(self._due)

    def next_seq(self) -> int:
        """The next place in the order of all queues."""
        self._seq += 1
        return self._seq

    def claim(self, queue: str, admit: Admit | None) -> Job | None:
        """The available job that goes first and is admitted; those not admitted keep their places."""
        ready = self._ready.get(queue)
        if ready is None:
            return None

        jobs = self._jobs

        def is_true(entry: Entry) -> bool:
            job = jobs.get(entry[3])
            return (
                job is not None
                and job.state == AVAILABLE
                and job.seq == entry[2]
                and job.queue == queue
                and job.turn == entry[1]
                and job.priority + job.boost == -entry[0]
            )

        found = ready.first(is_true, lambda entry: admit is None or admit(jobs[entry[3]]))
        return None if found is None else jobs[found[3]]

    def holder(self, unique_key: str, states: Iterable[str], after: int | None) -> Job | None:
        """The newest job with this unique key in one of these states, created after an instant."""
        newest = max(
            (held[-1] for state in states if (held := self._unique.get((unique_key, state)))), default=None
        )
        if newest is None or (after is not None and newest[0] <= after):
            return None
        return self._jobs[newest[1]]

    def counts(self, queue: str | None = None) -> dict[str, int]:
        """Jobs in each state."""
        here = self._by_state if queue is None else self._by_queue.get(queue, {})
        return {state: len(here.get(state, ())) for state in STATES}

    def queues(self) -> list[str]:
        """Names of all queues that ever had a job."""
        return sorted(self._by_queue)

    def oldest(self, queue: str, state: str) -> Job | None:
        """The job of this queue that has been in this state for longest; no dead letter."""
        here = (
            self._discarded.get(queue, {})
            if state == DISCARDED
            else self._by_queue.get(queue, {}).get(state, {})
        )
        return next(iter(here.values()), None)

    def dead_letters(self, queue: str | None = None, *, newest: bool = True) -> Iterator[Job]:
        """Dead letters in the order in which they died."""
        if queue is not None:
            one = self._dead.get(queue, {}).values()
            return iter(reversed(one) if newest else one)
        streams = [reversed(q.values()) if newest else q.values() for q in self._dead.values()]
        return merge(*streams, key=lambda job: (job.discarded_at or 0, job.seq), reverse=newest)

    def dead_count(self, queue: str | None = None) -> int:
        """How many dead letters there are."""
        return len(self._dead_kinds) if queue is None else len(self._dead.get(queue, ()))

    def dead_tally(self) -> dict[str, dict[str, int]]:
        """Dead letters by queue and by error type."""
        return {queue: dict(tally) for queue, tally in self._dead_tally.items() if tally}

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
            for job in self._walk(None if states is None else list(states), queue, newest=newest)
            if (type is None or job.type == type) and (keep is None or keep(job))
        )
        return list(islice(found, offset, offset + limit))

    def _walk(self, states: list[str] | None, queue: str | None, *, newest: bool) -> Iterator[Job]:
        if states is None:
            everything = (self._jobs if queue is None else self._in_queue.get(queue, {})).values()
            yield from reversed(everything) if newest else everything
            return
        here = self._by_state if queue is None else self._by_queue.get(queue, {})
        if len(states) == 1:
            only = here.get(states[0], {}).values()
            yield from reversed(only) if newest else only
            return
        some = [job for state in states for job in here.get(state, {}).values()]
        yield from sorted(some, key=lambda job: (job.created_at, job.id), reverse=newest)

    def _is_due(self, entry: tuple[int, int, str, str]) -> bool:
        at, _, kind, key = entry
        if kind != "job":
            return self._timers.get((kind, key)) == at
        job = self._jobs.get(key)
        due = None if job is None else job.deadline()
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
        try:  # kinds stay once they have come: on each job's way, this is cheaper than to ask first
            return self._records[kind].get(key)
        except KeyError:
            return None

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Insert or replace a record."""
        try:
            self._records[kind][key] = value
        except KeyError:
            self._records[kind] = {key: value}

    def delete_record(self, kind: str, key: str) -> bool:
        """Remove a record; whether there was one."""
        return self._records.get(kind, {}).pop(key, None) is not None

    def records(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """All records of a kind, in the order in which they were first put."""
        records = self._records.get(kind)
        return [] if not records else list(records.items())
