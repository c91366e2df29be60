"""The store in memory: dictionaries for look-ups, heaps for order, every operation O(log n) in the jobs kept.

Order is pruned lazily: an entry holds only while the job still says the same (its place, its due time); any other
is dropped when it surfaces.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from engine.agenda import Agenda, Due
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


def _anything(_job: Job) -> bool:
    return True


class _Queue:
    """The jobs of one queue, by each way in which they are looked for."""

    __slots__ = ("dead", "dead_tally", "discarded", "jobs", "priorities", "ready", "states")

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.states: dict[str, dict[str, Job]] = {state: {} for state in STATES}
        self.ready = ReadyQueue()
        self.priorities: dict[int, int] = {}
        """How many available jobs have each priority."""
        self.discarded: dict[str, Job] = {}
        """Those that are no dead letters."""
        self.dead: dict[str, Job] = {}
        self.dead_tally: Counter[str] = Counter()

    def line_up(self, job: Job) -> None:
        """Give an available job its place."""
        self.ready.push(job.lane, (-(job.priority + job.boost), job.turn, job.seq, job.id))

    def placed(self, entry: Entry) -> Job | None:
        """The job whose place an entry of `ready` still is."""
        job = self.states[AVAILABLE].get(entry[3])
        if (
            job is None
            or job.seq != entry[2]
            or job.turn != entry[1]
            or job.priority + job.boost != -entry[0]
        ):
            return None
        return job


_EMPTY: Final = _Queue()
"""Stands for a queue that never had a job."""


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
        self._queues: dict[str, _Queue] = {}
        self._due = Agenda()
        self._most_due = 0
        self._timers: dict[tuple[str, str], int] = {}
        self._unique: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._dead_kinds: dict[str, str] = {}
        self._records: dict[str, dict[str, dict[str, Any]]] = {}
        self.kinds: Container[str] = self._records
        self._seq = 0

    def transaction(self) -> AbstractContextManager[None]:
        """Nothing to open or to commit."""
        return _NOTHING

    def get(self, job_id: str) -> Job | None:
        """The job itself."""
        return self._jobs.get(job_id)

    def add(self, job: Job) -> None:
        """Insert a new job."""
        self._jobs[job.id] = job
        self._enter(job).jobs[job.id] = job

    def save(self, job: Job, was: str) -> None:
        """Re-index a changed job."""
        if was != job.state:
            self._leave(job, was)
            self._enter(job)
            return
        if was == AVAILABLE:
            self._queues[job.queue].line_up(job)
        due = job.deadline()
        if due is not None and self._due.add(due[0], job.id) > self._most_due:
            self._tidy()

    def move_queue(self, job: Job, queue: str) -> None:
        """Put a job into another queue, in its place by priority and arrival."""
        self._leave(job, job.state)
        del self._queues[job.queue].jobs[job.id]
        job.queue = queue
        self._enter(job).jobs[job.id] = job

    def prioritise(self, job: Job, priority: int) -> None:
        """Give a job another priority, and its new place if it is available."""
        if job.state == AVAILABLE:
            counts = self._queues[job.queue].priorities
            counts[job.priority] -= 1
            counts[priority] = counts.get(priority, 0) + 1
        job.priority = priority
        self.save(job, job.state)

    def priorities(self, queue: str) -> dict[int, int]:
        """Available jobs by priority."""
        here = self._queues.get(queue)
        return {} if here is None else {one: count for one, count in here.priorities.items() if count}

    def delete(self, job: Job) -> None:
        """Remove a job."""
        self._leave(job, job.state)
        del self._jobs[job.id]
        del self._queues[job.queue].jobs[job.id]

    def delete_queue(self, queue: str) -> None:
        """Forget that a queue, empty by now, ever had a job."""
        self._queues.pop(queue, None)

    def _leave(self, job: Job, state: str) -> None:
        job_id, here = job.id, self._queues[job.queue]
        del self._by_state[state][job_id]
        del here.states[state][job_id]
        if job.unique_key is not None:
            held = self._unique[job.unique_key, state]
            del held[bisect_left(held, (job.created_at, job_id))]
            if not held:
                del self._unique[job.unique_key, state]
        if state == AVAILABLE:
            here.priorities[job.priority] -= 1
        elif state == DISCARDED:
            kind = self._dead_kinds.pop(job_id, None)
            if kind is None:
                del here.discarded[job_id]
            else:
                del here.dead[job_id]
                here.dead_tally[kind] -= 1

    def _enter(self, job: Job) -> _Queue:
        state, job_id = job.state, job.id
        here = self._queues.get(job.queue)
        if here is None:
            here = self._queues[job.queue] = _Queue()
        self._by_state[state][job_id] = here.states[state][job_id] = job
        if job.unique_key is not None:
            insort(self._unique.setdefault((job.unique_key, state), []), (job.created_at, job_id))
        if state == AVAILABLE:
            counts, priority = here.priorities, job.priority
            counts[priority] = counts.get(priority, 0) + 1
            here.line_up(job)
        elif state == DISCARDED:
            if job.dead_letter:
                kind = self._dead_kinds[job_id] = str((job.error or {}).get("type") or "Unknown")
                here.dead[job_id] = job
                here.dead_tally[kind] += 1
            else:
                here.discarded[job_id] = job
        due = job.deadline()
        if due is not None and self._due.add(due[0], job_id) > self._most_due:
            self._tidy()
        return here

    def _tidy(self) -> None:
        """Moved timers (heartbeats) leave stale entries behind; drop them before they outnumber the true ones."""
        self._most_due = max(64, 4 * (len(self._jobs) + len(self._timers)))
        if self._due.size > self._most_due:
            self._due.prune(self._is_due)

    def next_seq(self) -> int:
        """The next place in the order of all queues."""
        self._seq += 1
        return self._seq

    def claim(self, queue: str, admit: Admit | None) -> Job | None:
        """The available job that goes first and is admitted; those not admitted keep their places."""
        here = self._queues.get(queue)
        return None if here is None else here.ready.first(here.placed, admit or _anything)

    def holder(self, unique_key: str, states: Iterable[str], after: int | None) -> Job | None:
        """The newest job with this unique key in one of these states, created after an instant."""
        newest = max(
            (held[-1] for state in states if (held := self._unique.get((unique_key, state)))), default=None
        )
        if newest is None or (after is not None and newest[0] <= after):
            return None
        return self._jobs[newest[1]]

    def holders(self, limit: int) -> list[Job]:
        """Of the unique keys seen last, the newest job in each state that has one."""
        return [self._jobs[held[-1][1]] for held in islice(reversed(self._unique.values()), limit)]

    def counts(self, queue: str | None = None) -> dict[str, int]:
        """Jobs in each state."""
        here = self._states(queue)
        return {state: len(here[state]) for state in STATES}

    def queues(self) -> list[str]:
        """Names of all queues that ever had a job."""
        return sorted(self._queues)

    def oldest(self, queue: str, state: str) -> Job | None:
        """The job of this queue that has been in this state for longest; no dead letter."""
        here = self._queues.get(queue, _EMPTY)
        return next(iter((here.discarded if state == DISCARDED else here.states[state]).values()), None)

    def dead_letters(self, queue: str | None = None, *, newest: bool = True) -> Iterator[Job]:
        """Dead letters in the order in which they died."""
        if queue is not None:
            one = self._queues.get(queue, _EMPTY).dead.values()
            return iter(reversed(one) if newest else one)
        every = [here.dead.values() for here in self._queues.values()]
        streams = [reversed(dead) if newest else dead for dead in every]
        return merge(*streams, key=lambda job: (job.discarded_at or 0, job.seq), reverse=newest)

    def dead_count(self, queue: str | None = None) -> int:
        """How many dead letters there are."""
        return len(self._dead_kinds if queue is None else self._queues.get(queue, _EMPTY).dead)

    def dead_tally(self) -> dict[str, dict[str, int]]:
        """Dead letters by queue and by error type."""
        every = {queue: +here.dead_tally for queue, here in self._queues.items()}
        return {queue: dict(tally) for queue, tally in every.items() if tally}

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
            everything = (self._jobs if queue is None else self._queues.get(queue, _EMPTY).jobs).values()
            yield from reversed(everything) if newest else everything
            return
        here = self._states(queue)
        if len(states) == 1:
            only = here[states[0]].values()
            yield from reversed(only) if newest else only
            return
        some = [job for state in states for job in here[state].values()]
        yield from sorted(some, key=lambda job: (job.created_at, job.id), reverse=newest)

    def _states(self, queue: str | None) -> dict[str, dict[str, Job]]:
        return self._by_state if queue is None else self._queues.get(queue, _EMPTY).states

    def _is_due(self, at: int, what: Due) -> bool:
        if isinstance(what, tuple):
            return self._timers.get(what) == at
        job = self._jobs.get(what)
        due = None if job is None else job.deadline()
        return due is not None and due[0] == at

    def next_due(self) -> int | None:
        """The earliest instant at which something is due, or None."""
        found = self._due.first(self._is_due)
        return None if found is None else found[0]

    def pop_due(self, now: int) -> tuple[int, str, str] | None:
        """The earliest thing due by now, or None; a timer is taken off, a job changes its own due time."""
        found = self._due.first(self._is_due)
        if found is None or found[0] > now:
            return None
        self._due.drop_first()
        at, what = found
        if not isinstance(what, tuple):
            return at, "job", what
        del self._timers[what]
        return at, *what

    def set_timer(self, kind: str, key: str, at: int | None) -> None:
        """Set, move or remove a timer."""
        if at is None:
            self._timers.pop((kind, key), None)
        elif self._timers.get((kind, key)) != at:
            self._timers[kind, key] = at
            if self._due.add(at, (kind, key)) > self._most_due:
                self._tidy()

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
