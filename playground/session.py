"""A session: one engine with its binding and demo workers, and when it has to be woken next.

Hosts own a session, hand it requests, and call `tick` when `next_due` has come. Nothing here waits or sleeps.
"""

from __future__ import annotations

from engine import Engine
from engine.clock import Clock
from engine.events import Event
from engine.http.binding import Binding
from engine.http.message import Request, Response
from playground.demo import Crew


class Session:
    """One live OJS server.

    Args:
        clock: The host's clock.
        seed: Of ids and jitter; hosts draw it, so that two visits never share ids.
        workers: Demo workers running from the start.
        max_body: Largest request body, bytes.
        conformance: Whether the binding's test-only hooks are on; no demo worker may run then.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int,
        workers: int = 0,
        max_body: int = 1_048_576,
        conformance: bool = False,
    ) -> None:
        self.clock = clock
        self.engine = Engine(clock, seed=seed)
        self.binding = Binding(self.engine, max_body=max_body, conformance=conformance)
        self.conformance = conformance
        self.crew = Crew(self.binding.handle)
        self._first_workers = 0 if conformance else workers
        self._hire()
        self.engine.events.subscribe(self._hear)

    def _hire(self) -> None:
        for _ in range(self._first_workers):
            self.crew.start(self.clock.now())

    def _hear(self, event: Event) -> None:
        if event.type == "job.enqueued":
            self.crew.stir(self.engine.now())

    def handle(self, request: Request) -> Response:
        """Answer a request to the binding."""
        return self.binding.handle(request)

    def tick(self) -> None:
        """Do everything that is due by now: the engine's timers, then the demo workers."""
        self.engine.advance()
        self.crew.tick(self.engine.now())

    def next_due(self) -> int | None:
        """When `tick` has something to do next, milliseconds on the session's clock, or None."""
        times = [at for at in (self.engine.next_due(), self.crew.next_due()) if at is not None]
        return min(times, default=None)

    def reset(self) -> None:
        """Forget every job and event, and start with fresh demo workers."""
        self.engine.reset()
        self.crew.workers.clear()
        self._hire()
