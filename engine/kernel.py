"""The one place where a job changes state, and what every subject shares: store, time, randomness, events.

Subjects (operations, workflows, cron, …) call the kernel and listen to it; it calls none of them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from engine import lifecycle as life
from engine.clock import Clock
from engine.errors import Conflict, NotFound
from engine.events import EventLog
from engine.happenings import caused_by
from engine.ids import IdSource
from engine.job import Job

if TYPE_CHECKING:
    from engine.storage import Store

Moved = Callable[[Job, str, str], None]
"""Hears of a finished move: job, state before, operation."""


def _no_turn(_job: Job) -> int:
    return 0


def _for_ever(_job: Job) -> None:
    return None


class Kernel:
    """What the engine's subjects have in common.

    Args:
        store: Where everything is kept.
        clock: Tells the time.
        seed: Of all randomness: the same commands with the same seed give the same bytes.
    """

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store = store
        self.clock = clock
        self.random = Random(seed)
        self.ids = IdSource(Random(self.random.getrandbits(64)))
        self.events = EventLog()
        self.settings: dict[str, Any] = {}
        """What hosts have chosen for the subjects; see `engine.setting`."""
        self.listeners: list[Moved] = []
        self.removed: list[Callable[[Job], None]] = []
        """Hear of each job that has been deleted."""
        self.transferred: list[Callable[[Job, str], None]] = []
        """Hear of each job that has changed queues, with the queue before."""
        self.turn: Callable[[Job], int] = _no_turn
        """Gives a job that becomes available its `Job.turn`."""
        self.kept_until: Callable[[Job], int | None] = _for_ever
        """Gives a job that ends its `Job.prune_at`."""
        self._time = 0
        self._due: int | None = None

    def now(self) -> int:
        """The engine's instant, milliseconds: the clock's, but never earlier than what has happened."""
        if self._due is not None:
            return self._due
        now = self.clock.now()
        if now > self._time:  # noqa: PLR1730 - asked several times on each job's way: no call of max()
            self._time = now
        return self._time

    @property
    def latest(self) -> int:
        """The latest instant at which something has happened, milliseconds."""
        return self._time

    def catch_up(self, instant: int) -> None:
        """What has happened elsewhere, or before this process, has happened by this instant."""
        self._time = max(self._time, instant)

    @contextmanager
    def at(self, instant: int) -> Iterator[None]:
        """Let ``now`` be this instant: what was due then happens then, even if it is done later."""
        self._due = instant
        try:
            yield
        finally:
            self._due = None
            self._time = max(self._time, instant)

    def job(self, job_id: Any) -> Job:
        """The job with this id.

        Raises:
            NotFound: There is none.
        """
        job = self.store.get(job_id) if isinstance(job_id, str) else None
        if job is None:
            raise NotFound(
                f"There is no job '{job_id!s:.60}'.",
                details={"resource_type": "job", "resource_id": str(job_id)[:60]},
            )
        return job

    def admit(self, job: Job, target: str, now: int) -> None:
        """Put a new job into its first state and store it (PUSH)."""
        job.created_at = now
        self.move(job, life.PUSH, target, now)

    def move(self, job: Job, operation: str, target: str, now: int, **facts: Any) -> None:
        """Make one legal move, store it, record its events and tell the listeners.

        Args:
            job: The job, its fields for the new state already set by the caller.
            operation: The row's operation.
            target: The row's target.
            now: The instant, milliseconds.
            facts: Further data for the events.

        Raises:
            Conflict: The transition table has no such row; nothing has changed.
        """
        life.require(job.state, operation)
        was = job.state
        job.state = target
        if target == life.AVAILABLE:
            job.enqueued_at = now
            job.turn = self.turn(job)
            job.seq = self.store.next_seq()
        elif target in life.TERMINAL:
            job.prune_at = self.kept_until(job)
        job.path += now, operation, target
        if was == life.NEW:
            self.store.add(job)
        else:
            self.store.save(job, was)
        # The first event of a move tells where the job came from: the move itself can be told from it.
        origin: str | None = was
        for kind, data in caused_by(job, operation, facts):
            self.events.emit_job(now, kind, job, data, origin)
            origin = None
        for listener in self.listeners:
            listener(job, was, operation)

    def remove(self, job: Job) -> None:
        """Delete a job that has ended, for good.

        Raises:
            Conflict: It has not ended; nothing has changed (OJS Bulk Operations 8).
        """
        if job.state not in life.TERMINAL:
            raise Conflict(
                f"Job '{job.id}' is {job.state}; only jobs that have ended can be deleted (OJS Bulk Operations 8).",
                details={
                    "job_id": job.id,
                    "current_state": job.state,
                    "allowed_states": sorted(life.TERMINAL),
                },
            )
        self.store.delete(job)
        for listener in self.removed:
            listener(job)

    def transfer(self, job: Job, queue: str) -> None:
        """Put a job into another queue, in whatever state it is."""
        before = job.queue
        if before != queue:
            self.store.move_queue(job, queue)
            for listener in self.transferred:
                listener(job, before)

    def emit(self, kind: str, subject: str, data: dict[str, Any]) -> None:
        """Record an event about something other than a job, now."""
        self.events.emit(self.now(), kind, subject, data)

    def emit_job(self, kind: str, job: Job, data: dict[str, Any], now: int) -> None:
        """Record an event about a job; the fields that every job event has are added here.

        Args:
            kind: Event type.
            job: The job, after what happened.
            data: Further fields; not to be changed any more.
            now: The instant, milliseconds.
        """
        self.events.emit_job(now, kind, job, data, None)
