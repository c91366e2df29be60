"""The engine: all subjects over one kernel, and time driven from outside.

`Engine.advance` makes everything that is due happen, in order, each thing at its own instant. Hosts call it:
the binding before each request, a timer, a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.clock import Clock
from engine.events import EventLog
from engine.hooks import Hooks
from engine.kernel import Kernel
from engine.memory import MemoryStore
from engine.subjects import Subjects

if TYPE_CHECKING:
    from engine.storage import Store

MAX_STEPS: Final = 1_000_000
"""Due things done in one `Engine.advance` before it returns; the rest is done by the next call."""


class Engine(Subjects):
    """An OJS server's whole logic over a store, a clock and a seed.

    Args:
        clock: Tells the time; the engine never reads any other.
        store: Where everything is kept; a fresh `MemoryStore` by default.
        seed: Of all randomness (ids, jitter).
    """

    def __init__(self, clock: Clock, store: Store | None = None, seed: int = 1) -> None:
        self.clock = clock
        self.store: Store = MemoryStore() if store is None else store
        super().__init__(Kernel(self.store, clock, seed))
        self.hooks = Hooks(self)
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
                    self.timer(kind)(key, instant)
            done += 1
        return done

    def reset(self) -> None:
        """Forget everything: jobs, records, timers, events; time and randomness go on."""
        with self.store.transaction():
            self.store.clear()
        self.kernel.events.clear()
