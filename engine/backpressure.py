"""Bounded queues: what happens to a job for which there is no room (OJS Backpressure).

Depth counts every job of the queue that has not ended. ``block`` refuses like ``reject``: nothing in the engine waits;
whether a request is held and asked again is the host's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from engine import failure, queue_config
from engine import lifecycle as life
from engine.errors import QueueFull
from engine.job import Job
from engine.operations import Operations
from engine.queues import Queues

RETRY_AFTER: Final = 1
"""Seconds after which a refused producer may try again."""
_KIND: Final = "pressure"


@dataclass(frozen=True, slots=True)
class Pressure:
    """How full a bounded queue is.

    Args:
        depth: Jobs that have not ended, or their bytes.
        bound: The most there may be.
        ratio: ``depth / bound``.
        warns: Whether the warning threshold is reached.
    """

    depth: int
    bound: int
    ratio: float
    warns: bool


class Backpressure:
    """The guard, the settler and the listener of bounded queues.

    Args:
        operations: Whose PUSH it guards.
        queues: Whose configuration holds the bounds.
    """

    def __init__(self, operations: Operations, queues: Queues) -> None:
        self.operations = operations
        self.queues = queues
        self.kernel = operations.kernel
        self._blocking = False

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Meanwhile a full queue that blocks tells of no refusal: whoever is refused waits, and asks again."""
        self._blocking = True
        try:
            yield
        finally:
            self._blocking = False

    def has_room(self, queue: str) -> bool:
        """Whether a queue is below its bounds."""
        pressure = self.pressure(queue)
        return pressure is None or pressure.ratio < 1

    def guard(self, job: Job) -> None:
        """Refuse a job for which there is no room, unless its queue drops the oldest instead.

        Raises:
            QueueFull: The queue has reached its bound in jobs or in bytes (5.1).
        """
        depth_bound, size_bound, strategy, _ = queue_config.bounds(self.queues.config(job.queue))
        if size_bound:
            job.size = len(json.dumps([job.args, job.meta], ensure_ascii=False).encode(errors="replace"))
        ahead = self.operations.ahead
        old = None if job.replaces is None else self.kernel.store.get(job.replaces)
        makes_way = old is not None and old.queue == job.queue
        depth = self.depth(job.queue) + ahead.queues[job.queue] - makes_way
        size = (
            self._size(job.queue) + ahead.sizes[job.queue] + job.size - (old.size if old and makes_way else 0)
        )
        if depth_bound and depth >= depth_bound and not self._makes_room(job.queue, strategy):
            raise self._full(job, depth, depth_bound, strategy, "depth")
        if size_bound and size > size_bound and not self._makes_room(job.queue, strategy):
            raise self._full(job, size - job.size, size_bound, strategy, "size")

    def settle(self, job: Job) -> None:
        """Drop the oldest available jobs until there is room (5.3)."""
        depth_bound, size_bound, strategy, _ = queue_config.bounds(self.queues.config(job.queue))
        while strategy == "drop_oldest" and (
            (depth_bound and self.depth(job.queue) >= depth_bound)
            or (size_bound and self._size(job.queue) + job.size > size_bound)
        ):
            oldest = self.kernel.store.oldest(job.queue, life.AVAILABLE)
            if oldest is None:
                return
            text = f"Queue '{job.queue}' was full; its oldest job made room."
            self.operations.drop(oldest, failure.server_error("overflow", text))
            facts = {"queue": job.queue, "job_id": oldest.id, "job_type": oldest.type}
            self.kernel.emit("backpressure.dropped", job.queue, facts)
            self.kernel.emit("queue.overflow", job.queue, {**facts, "policy": strategy})

    def depth(self, queue: str) -> int:
        """Jobs of a queue that have not ended."""
        counts = self.kernel.store.counts(queue)
        return sum(counts[state] for state in life.NON_TERMINAL)

    def pressure(self, queue: str) -> Pressure | None:
        """How full a queue is, by whichever bound is nearer; None if it is unbounded."""
        depth_bound, size_bound, _, threshold = queue_config.bounds(self.queues.config(queue))
        if not depth_bound and not size_bound:
            return None
        found: Pressure | None = None
        for value, bound in ((self.depth(queue), depth_bound), (self._size(queue), size_bound)):
            ratio = value / bound if bound else 0
            if bound and (found is None or ratio > found.ratio):
                found = Pressure(value, bound, ratio, ratio >= threshold)
        return found

    def forget(self, queue: str) -> None:
        """Drop the figures of a queue that is gone."""
        self.kernel.store.delete_record(_KIND, queue)

    def _makes_room(self, queue: str, strategy: str) -> bool:
        if strategy != "drop_oldest":
            return False
        ahead = self.operations.ahead.queues[queue]
        return ahead > 0 or self.kernel.store.oldest(queue, life.AVAILABLE) is not None

    def _full(self, job: Job, value: int, bound: int, strategy: str, kind: str) -> QueueFull:
        facts: dict[str, Any] = {"queue": job.queue, "depth": value, "bound": bound}
        if not (self._blocking and strategy == "block"):
            self.kernel.emit("backpressure.rejected", job.queue, {**facts, "job_type": job.type})
        return QueueFull(
            f"Queue '{job.queue}' has reached its {kind} bound ({bound}) (OJS Backpressure 5.1).",
            details={**facts, "strategy": strategy, "retry_after": RETRY_AFTER},
        )

    # bytes, and the crossing of the warning threshold

    def _record(self, queue: str) -> dict[str, Any]:
        return self.kernel.store.record(_KIND, queue) or {"bytes": 0, "level": 0}

    def _size(self, queue: str) -> int:
        return int(self._record(queue)["bytes"])

    def _weigh(self, queue: str, change: int) -> None:
        if change:
            record = self._record(queue)
            record["bytes"] += change
            self.kernel.store.put_record(_KIND, queue, record)

    def moved(self, job: Job, was: str) -> None:
        """Weigh what came or went, and tell when the queue gets full or has room again."""
        ended = job.state in life.TERMINAL
        if was not in {"", life.DISCARDED} and not ended:
            return  # neither came nor went
        self._weigh(job.queue, -job.size if ended else job.size)
        self._watch(job.queue)

    def transferred(self, job: Job, before: str) -> None:
        """Weigh a job in its new queue."""
        if job.state in life.NON_TERMINAL:
            self._weigh(before, -job.size)
            self._weigh(job.queue, job.size)

    def _watch(self, queue: str) -> None:
        pressure = self.pressure(queue)
        record = self._record(queue)
        before = record["level"]
        level = 0 if pressure is None or not pressure.warns else 2 if pressure.ratio >= 1 else 1
        if level == before:
            return
        record["level"] = level
        self.kernel.store.put_record(_KIND, queue, record)
        facts = {} if pressure is None else {"depth": pressure.depth, "bound": pressure.bound}
        if not (level and before):
            event = "backpressure.warning" if level else "backpressure.cleared"
            self.kernel.emit(event, queue, {"queue": queue, **facts})
        if level == 2:
            self.kernel.emit("queue.full", queue, {"queue": queue, **facts})
