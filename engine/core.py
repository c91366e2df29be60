"""The engine: all subjects wired together over one kernel, and time driven from outside.

`Engine.advance` makes everything that is due happen, in order, each thing at its own instant. Hosts call it:
the binding before each request, a timer, a test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine import bulk, dead_letter, limits
from engine.backpressure import Backpressure
from engine.bulk import Bulk
from engine.clock import Clock
from engine.cron import Cron
from engine.dead_letter import DeadLetters
from engine.events import EventLog
from engine.extensions import Extensions
from engine.fairness import Fairness
from engine.figures import Figures
from engine.kernel import Kernel
from engine.limits import Limits
from engine.memory import MemoryStore
from engine.operations import Operations
from engine.pools import Pools
from engine.priority import Priorities
from engine.queues import Queues
from engine.retention import Retention
from engine.storage import Store
from engine.tenants import Tenants
from engine.unique import Unique
from engine.workers import Workers
from engine.workflows import Workflows

MAX_STEPS: Final = 1_000_000
"""Due things done in one `Engine.advance` before it returns; the rest is done by the next call."""


class Engine:
    """An OJS server's whole logic over a store, a clock and a seed.

    Args:
        clock: Tells the time; the engine never reads any other.
        store: Where everything is kept; a fresh `MemoryStore` by default.
        seed: Of all randomness (ids, jitter).
    """

    def __init__(self, clock: Clock, store: Store | None = None, seed: int = 1) -> None:
        self.clock = clock
        self.store: Store = MemoryStore() if store is None else store
        self.kernel = Kernel(self.store, clock, seed)
        self.operations = Operations(self.kernel)
        self._timers: dict[str, Callable[[str, int], None]] = {}
        self.workers = Workers(self.kernel, self.operations)
        self.on_timer("worker", self.workers.dead)
        self._queue_side()
        self.cron = Cron(self.kernel, self.operations)
        self.on_timer("cron", self.cron.due)
        self.workflows = Workflows(self.kernel, self.operations)
        self.on_timer("workflow", self.workflows.due)
        self.extensions = Extensions(self.kernel, self.operations, self.workers, self.on_timer)
        self.retention.holds.append(self.extensions.results.hold)
        # The operations are the engine's own verbs.
        self.push = self.operations.push
        self.push_many = self.operations.push_many
        self.fetch = self.operations.fetch
        self.ack = self.operations.ack
        self.fail = self.operations.fail
        self.cancel = self.operations.cancel
        self.activate = self.operations.activate
        self.retry = self.operations.retry
        self.info = self.operations.info

    def _queue_side(self) -> None:
        """Queues and all that limits, shares and prunes them."""
        ops, kernel = self.operations, self.kernel
        self.figures = Figures(kernel)
        self.priorities = Priorities(kernel)
        self.queues = Queues(ops)
        self.limits = Limits(ops, self.queues)
        self.tenants = Tenants(ops, self.figures)
        self.fairness = Fairness(kernel, self.tenants, self.queues)
        self.pools = Pools(ops, self.figures)
        self.unique = Unique(ops)
        self.backpressure = Backpressure(ops, self.queues)
        self.retention = Retention(ops, self.queues)
        self.dead_letters = DeadLetters(ops, self.queues, self.retention)
        self.bulk = Bulk(ops)
        self.queues.deleted += [
            self.figures.forget_queue,
            self.priorities.forget,
            self.fairness.forget,
            self.backpressure.forget,
            self.limits.forget,
        ]
        # A job that its own policy answers with an older one needs no room: unique goes before backpressure.
        ops.guards += [
            self.queues.guard,
            self.tenants.guard,
            self.limits.guard,
            self.unique.guard,
            self.backpressure.guard,
        ]
        ops.settlers += [
            self.queues.settle,
            self.tenants.settle,
            self.limits.settle,
            self.unique.settle,
            self.backpressure.settle,
        ]
        self.on_timer(limits.TIMER, self.limits.due)
        self.on_timer(dead_letter.TIMER, self.dead_letters.replay)
        self.on_timer(bulk.TIMER, self.bulk.forget)

    @property
    def events(self) -> EventLog:
        """What has happened."""
        return self.kernel.events

    def now(self) -> int:
        """The engine's instant, milliseconds."""
        return self.kernel.now()

    def next_due(self) -> int | None:
        """When something happens next by itself, milliseconds, or None."""
        return self.store.next_due()

    def advance(self, to: int | None = None) -> int:
        """Do everything due up to an instant, in order.

        Args:
            to: The instant, milliseconds; the clock's when None.

        Returns:
            How many things were done; `MAX_STEPS` means that more may be due.
        """
        limit = self.clock.now() if to is None else to
        done = 0
        while done < MAX_STEPS:
            found = self.store.pop_due(limit)
            if found is None:
                break
            instant, kind, key = found
            with self.kernel.at(instant):
                if kind == "job":
                    self.operations.due(key)
                else:
                    self._timers[kind](key, instant)
            done += 1
        return done

    def reset(self) -> None:
        """Forget everything: jobs, records, timers, events; time and randomness go on."""
        with self.store.transaction():
            self.store.clear()
        self.kernel.events.clear()

    def on_timer(self, kind: str, handle: Callable[[str, int], None]) -> None:
        """Name who handles the timers of a kind: called with the key and the instant it was set for."""
        self._timers[kind] = handle
