"""How long jobs that have ended are kept (OJS Queue Configuration 6.3, OJS Dead Letter 5 and 8).

Each job learns as it ends when it is pruned, `Job.prune_at`, and is due then like for anything else: nothing is
polled, and `Engine.next_due` tells the truth about when something happens next. A changed configuration holds
for jobs that end from then on (OJS Queue Configuration 4).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from engine import lifecycle as life
from engine import queue_config
from engine.envelope import refuse
from engine.job import Job
from engine.operations import Operations
from engine.queues import DEFAULT_POLICY, Queues
from engine.times import FOREVER, parse_duration

DEAD: Final = "dead"
CHUNK: Final = 1000
"""Most jobs removed at one go; the rest follows at the same instant."""

_DEFAULT: Final = {state: parse_duration(text) for state, text in queue_config.DEFAULTS["retention"].items()}
"""How long a job is kept where nobody has said anything, milliseconds, by its state."""

Hold = Callable[[Job], int | None]
"""Until when a job that has ended must be kept, milliseconds; None for no wish, `FOREVER` for ever."""


def ended_at(job: Job) -> int:
    """When a job ended, milliseconds."""
    return job.completed_at or job.discarded_at or job.cancelled_at or job.created_at


class Retention:
    """Prunes what has ended long ago.

    Args:
        operations: Whose due jobs it prunes.
        queues: Whose configuration says how long.

    Attributes:
        holds: Ask for a job to be kept for longer.
    """

    def __init__(self, operations: Operations, queues: Queues) -> None:
        self.kernel = operations.kernel
        self.queues = queues
        self.holds: list[Hold] = []

    def kept_until(self, job: Job) -> int | None:
        """When a job that ends now is pruned, milliseconds, or None for never."""
        at = ended_at(job) + self._default(job)
        for hold in self.holds:
            until = hold(job)
            if until is not None and until > at:
                at = until
        return None if at == FOREVER else at

    def buried(self, job: Job) -> None:
        """A job has become a dead letter: the oldest ones make room."""
        self._crop(job.queue)

    def _default(self, job: Job) -> int:
        """For how long a job is kept by its queue's configuration, milliseconds."""
        if job.dead_letter:
            return queue_config.dead_letter_limits(self.queues.config(job.queue))[0]
        if self.queues.is_plain(job.queue):
            return _DEFAULT[job.state]
        return parse_duration(self.queues.config(job.queue)["retention"][job.state])

    def _oldest(self, queue: str, kind: str) -> Job | None:
        store = self.kernel.store
        return (
            next(store.dead_letters(queue, newest=False), None) if kind == DEAD else store.oldest(queue, kind)
        )

    def due_at(self, queue: str) -> int | None:
        """When the oldest dead letter of a queue is pruned, milliseconds, or None."""
        job = self._oldest(queue, DEAD)
        return None if job is None else job.prune_at

    def prune(self, job: Job) -> None:
        """Remove a job whose time is up, and those beside it whose time is up too."""
        queue, kind, now = job.queue, DEAD if job.dead_letter else job.state, self.kernel.now()
        self.kernel.remove(job)
        count = 1
        while count < CHUNK:
            other = self._oldest(queue, kind)
            if other is None or other.prune_at is None or other.prune_at > now:
                break
            self.kernel.remove(other)
            count += 1
        self._tell(queue, kind, count)

    def configured(self, queue: str) -> None:
        """A queue may keep fewer dead letters than before."""
        for name in self.kernel.store.queues() if queue == DEFAULT_POLICY else [queue]:
            self._crop(name)

    def purge(self, queue: str, states: list[Any], older_than: Any) -> int:
        """Remove a queue's jobs in some terminal states now (OJS Admin API 6.5).

        Args:
            queue: Queue name.
            states: Terminal states.
            older_than: RFC 3339 time; only jobs that ended before it. None for all.

        Returns:
            How many were removed.

        Raises:
            InvalidRequest: A state that is not terminal, or no time.
        """
        from engine import selection  # noqa: PLC0415 - an operator's request, no job's way

        wanted = selection.parse({"state": states, "until": older_than}, moment=ended_at)
        for state in wanted.states or ():
            if state not in life.TERMINAL:
                raise refuse(
                    "states", state, "must be completed, cancelled or discarded", "OJS Admin API 6.5"
                )
        with self.kernel.store.transaction():
            found = self.kernel.store.jobs(
                states=wanted.states, queue=queue, keep=wanted.matches, limit=sys.maxsize, newest=False
            )
            for job in found:
                self.kernel.remove(job)
        return len(found)

    def _crop(self, queue: str) -> None:
        """Keep no more dead letters than the queue may have; the oldest go first (OJS Dead Letter 5.1)."""
        most = queue_config.dead_letter_limits(self.queues.config(queue))[1]
        count = 0
        for _ in range(self.kernel.store.dead_count(queue) - most):
            job = self._oldest(queue, DEAD)
            if job is not None:
                self.kernel.remove(job)
                count += 1
        self._tell(queue, DEAD, count)

    def _tell(self, queue: str, kind: str, count: int) -> None:
        if not count:
            return
        event = "dead_letter.pruned" if kind == DEAD else "queue.pruned"
        self.kernel.emit(event, queue, {"queue": queue, "kind": kind, "count": count})
