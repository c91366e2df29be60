"""A world: one OJS server with its binding and its demo workers, on whatever clock.

Everything that happens in it follows from its seed, its clock and what is done to it. Hosts let it live in real time
(`playground.session`); `playground.travel` moves it through virtual time, and keeps and restores it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from engine import Engine
from engine.clock import Clock
from engine.events import Event
from engine.http.binding import Binding
from engine.http.message import Request, Response
from engine.kernel import Kernel
from engine.storage import Store
from playground.demo import Crew

Heard = Callable[[int, Request, Response], None]
"""Hears of an exchange: its instant in milliseconds, the request, the answer."""


class Lasting(Store, Protocol):
    """A store that outlives the process, e.g. `playground.stores.store.DatabaseStore`."""

    name: str
    """What health and manifest call it."""

    def attach(self, kernel: Kernel) -> None:
        """Keep this kernel's events and time too, beginning with those that are stored."""
        ...

    def probe(self) -> None:
        """Raise `engine.errors.Unavailable` when it gives no sign of life."""
        ...


class World:
    """One live OJS server.

    Args:
        clock: Tells the time.
        seed: Of ids and jitter.
        workers: Demo workers running from the start.
        max_body: Largest request body, bytes.
        conformance: Whether the binding's test-only hooks are on; no demo worker may run then.
        late: Delay after which an occurrence of cron counts as missed, milliseconds: a machine may sleep, and a clock
            may jump. None where nothing ever comes late.

    Attributes:
        heard: Hear of every exchange over the binding, the demo workers' too; they are no part of a snapshot.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int,
        workers: int = 0,
        max_body: int = 1_048_576,
        conformance: bool = False,
        late: int | None = None,
        store: Lasting | None = None,
    ) -> None:
        self.clock = clock
        self.engine = Engine(clock, store, seed=seed)
        if store is not None:
            store.attach(self.engine.kernel)
        if late is not None:
            self.engine.kernel.settings["Cron.late"] = late  # by its key, so that cron need not be loaded
        self.conformance = conformance
        self.heard: list[Heard] = []
        self.binding = Binding(
            self.engine,
            max_body=max_body,
            conformance=conformance,
            backend="memory" if store is None else store.name,
            probe=None if store is None else store.probe,
        )
        self.crew = Crew(self.handle, self._waiting)
        self.engine.events.subscribe(self._hear)
        for _ in range(0 if conformance else workers):
            self.crew.start(clock.now())

    def _hear(self, event: Event) -> None:
        if event.type == "job.enqueued":
            self.crew.stir(self.engine.now())

    def _waiting(self, queue: str) -> bool:
        return self.engine.store.counts(queue)["available"] > 0

    def handle(self, request: Request) -> Response:
        """Answer a request to the binding."""
        response = self.binding.handle(request)
        for hear in self.heard if response.hold is None else ():
            hear(self.clock.now(), request, response)
        return response

    def asked_for(self, queue: str) -> bool:
        """Whether a worker takes jobs of a queue: a demo worker, or one that has once asked for them."""
        crew = any(queue in worker.manner.queues for worker in self.crew.workers.values())
        return crew or any(queue in record["queues"] for _, record in self.engine.store.records("worker"))

    def next_due(self) -> int | None:
        """When something happens next by itself, milliseconds, or None."""
        times = [at for at in (self.engine.next_due(), self.crew.next_due()) if at is not None]
        return min(times, default=None)

    def tick(self) -> None:
        """Do everything that is due by now: the engine's timers, then the demo workers."""
        self.engine.advance()
        self.crew.tick(self.engine.now())

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "heard": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.engine.events.subscribe(self._hear)  # subscribers are no part of a snapshot
