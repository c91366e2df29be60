"""The engine's subjects, each made when it is first needed.

A subject keeps nothing of its own: all that it knows is in the store and in `Kernel.settings`. So it may come late, and
a snapshot leaves it out. What no job and no request asks for is never imported: most of the start-up time in a browser.
How the subjects hear of jobs is `engine.hooks`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from engine.extensions import Extensions
from engine.figures import Figures
from engine.kernel import Kernel
from engine.operations import Operations
from engine.priority import Priorities
from engine.queues import Queues
from engine.retention import Retention

if TYPE_CHECKING:
    from engine.backpressure import Backpressure
    from engine.bulk import Bulk
    from engine.cron import Cron
    from engine.dead_letter import DeadLetters
    from engine.fairness import Fairness
    from engine.limits import Limits
    from engine.maintenance import Maintenance
    from engine.pools import Pools
    from engine.tenants import Tenants
    from engine.unique import Unique
    from engine.workers import Workers
    from engine.workflows import Workflows

# Each import below stands in the property that needs it, so that start-up does not pay for it.
# ruff: noqa: PLC0415

Timer = Callable[[str, int], None]
"""Does what is due: called with the key and the instant it was set for."""


class Subjects:
    """All subjects over one kernel; those that every job meets are there from the start.

    Args:
        kernel: Store, time, randomness, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.operations = Operations(kernel)
        self.figures = Figures(kernel)
        self.priorities = Priorities(kernel)
        self.queues = Queues(self.operations)
        self.retention = Retention(self.operations, self.queues)
        self.extensions = Extensions(kernel)

    def __getstate__(self) -> dict[str, Any]:
        self.kernel.events.settle()  # what it has counted is in the store
        return {name: value for name, value in vars(self).items() if name not in ON_DEMAND}

    @cached_property
    def workers(self) -> Workers:
        """Workers and their heartbeats."""
        from engine.workers import Workers

        return Workers(self.kernel, self.operations)

    @cached_property
    def limits(self) -> Limits:
        """Rate and concurrency limits."""
        from engine.limits import Limits

        return Limits(self.operations, self.queues)

    @cached_property
    def tenants(self) -> Tenants:
        """Tenants and their limits."""
        from engine.tenants import Tenants

        return Tenants(self.operations, self.figures)

    @cached_property
    def fairness(self) -> Fairness:
        """Turns within one priority."""
        from engine.fairness import Fairness

        return Fairness(self.kernel, self.tenants, self.queues)

    @cached_property
    def pools(self) -> Pools:
        """Worker pools, and how a FETCH shares its queues."""
        from engine.pools import Pools

        return Pools(self.operations, self.figures)

    @cached_property
    def unique(self) -> Unique:
        """Unique jobs."""
        from engine.unique import Unique

        return Unique(self.operations)

    @cached_property
    def backpressure(self) -> Backpressure:
        """Bounded queues."""
        from engine.backpressure import Backpressure

        return Backpressure(self.operations, self.queues)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """The dead-letter queue."""
        from engine.dead_letter import DeadLetters

        return DeadLetters(self.operations, self.queues, self.retention)

    @cached_property
    def bulk(self) -> Bulk:
        """Bulk operations."""
        from engine.bulk import Bulk

        return Bulk(self.operations)

    @cached_property
    def cron(self) -> Cron:
        """Cron entries."""
        from engine.cron import Cron

        return Cron(self.kernel, self.operations)

    @cached_property
    def workflows(self) -> Workflows:
        """Workflows."""
        from engine.workflows import Workflows

        return Workflows(self.kernel, self.operations)

    @cached_property
    def maintenance(self) -> Maintenance:
        """The maintenance mode."""
        from engine.maintenance import Maintenance

        return Maintenance(self.kernel)

    def timer(self, kind: str) -> Timer:
        """Who handles the timers of a kind.

        Raises:
            KeyError: Nobody sets such timers.
        """
        return TIMERS[kind](self)


TIMERS: Final[dict[str, Callable[[Subjects], Timer]]] = {
    "worker": lambda all_: all_.workers.dead,
    "limit": lambda all_: all_.limits.due,
    "replay": lambda all_: all_.dead_letters.replay,
    "idempotency": lambda all_: all_.bulk.forget,
    "cron": lambda all_: all_.cron.due,
    "workflow": lambda all_: all_.workflows.due,
    "result": lambda all_: all_.extensions.results.prune,
    "progress": lambda all_: all_.extensions.progress.due,
    "delivery": lambda all_: all_.extensions.deliveries.due,
}
"""Kinds of timers in the store, and whose they are."""

ON_DEMAND: Final = frozenset(
    name for name, value in vars(Subjects).items() if isinstance(value, cached_property)
)
"""The subjects that come late."""
