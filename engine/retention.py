"""How long jobs that have ended are kept (OJS Queue Configuration 6.3, OJS Dead Letter 5 and 8).

One timer for each queue and kind of end, set for the instant at which the oldest job's time is up: nothing is
polled, and `Engine.next_due` tells the truth about when something happens next.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from engine import lifecycle as life
from engine import queue_config, selection
from engine.envelope import refuse
from engine.job import Job
from engine.kernel import Kernel
from engine.queues import DEFAULT_POLICY, Queues
from engine.times import parse_duration

TIMER: Final = "retention"
DEAD: Final = "dead"
CHUNK: Final = 1000
"""Most jobs removed at one go; the rest follows at the same instant."""


def ended_at(job: Job) -> int:
    """When a job ended, milliseconds."""
    return job.completed_at or job.discarded_at or job.cancelled_at or job.created_at


class Retention:
    """Prunes what has ended long ago.

    Args:
        kernel: Store, time, events.
        queues: Whose configuration says how long.
    """

    def __init__(self, kernel: Kernel, queues: Queues) -> None:
        self.kernel = kernel
        self.queues = queues
        kernel.listeners.append(self._hear)
        queues.configured.append(self._rearm)

    def _hear(self, job: Job, _was: str, _operation: str) -> None:
        if job.state not in life.TERMINAL:
            return
        kind = DEAD if job.dead_letter else job.state
        if self._oldest(job.queue, kind) is job:  # else the timer is set for an older one already
            self._arm(job.queue, kind)
        if job.dead_letter:
            self._crop(job.queue)

    def _keep(self, queue: str, kind: str) -> int:
        config = self.queues.config(queue)
        if kind == DEAD:
            return queue_config.dead_letter_limits(config)[0]
        return parse_duration(config["retention"][kind])

    def _oldest(self, queue: str, kind: str) -> Job | None:
        store = self.kernel.store
        if kind == DEAD:
            return next(store.dead_letters(queue, newest=False), None)
        return store.oldest(queue, kind)

    def due_at(self, queue: str, kind: str) -> int | None:
        """When the oldest job of a kind is pruned, milliseconds, or None.

        Args:
            queue: Queue name.
            kind: A terminal state, or `DEAD`.
        """
        job = self._oldest(queue, kind)
        return None if job is None else ended_at(job) + self._keep(queue, kind)

    def _arm(self, queue: str, kind: str) -> None:
        self.kernel.store.set_timer(TIMER, f"{queue}|{kind}", self.due_at(queue, kind))

    def _rearm(self, queue: str) -> None:
        """Set timers anew after a configuration has changed: this queue's, or everybody's."""
        for name in self.kernel.store.queues() if queue == DEFAULT_POLICY else [queue]:
            for kind in (*sorted(life.TERMINAL), DEAD):
                self._arm(name, kind)
            self._crop(name)

    def due(self, key: str, _instant: int) -> None:
        """Prune what a timer was set for."""
        queue, _, kind = key.rpartition("|")
        now = self.kernel.now()
        with self.kernel.store.transaction():
            keep = self._keep(queue, kind)
            count = 0
            while count < CHUNK:
                job = self._oldest(queue, kind)
                if job is None or ended_at(job) + keep > now:
                    break
                self.kernel.remove(job)
                count += 1
            self._tell(queue, kind, count)
            self._arm(queue, kind)

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
