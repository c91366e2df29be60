"""A session: one engine with its binding and demo workers, and when it has to be woken next.

Hosts own a session, hand it requests, and call `tick` when `next_due` has come. Nothing here waits or sleeps.
A session can go on from the moment of another engine, in that engine's own time, and come back.
"""

from __future__ import annotations

from collections.abc import Callable

from engine import Engine
from engine.clock import Clock
from engine.events import Event
from engine.http.binding import Binding
from engine.http.message import Request, Response
from playground.clock import ShiftedClock
from playground.demo import Crew


def _nothing() -> None:
    """There is no subscription to end yet."""


class Session:
    """One live OJS server.

    Args:
        clock: The host's clock.
        seed: Of ids and jitter; hosts draw it, so that two visits never share ids.
        workers: Demo workers running from the start.
        max_body: Largest request body, bytes.
        conformance: Whether the binding's test-only hooks are on; no demo worker may run then.
        late: Delay after which an occurrence of cron counts as missed, milliseconds: a real machine may sleep. None
            in virtual time, where nothing comes late.

    Attributes:
        listeners: Hear of every event, whichever engine the session is at.
        visiting: What the session is a visit to, in words; empty in its own time.
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
    ) -> None:
        self.clock = ShiftedClock(clock)
        self.conformance = conformance
        self.listeners: list[Callable[[Event], None]] = [self._hear]
        self.visiting = ""
        self._max_body = max_body
        self._home: tuple[Engine, int, Crew] | None = None
        self._leave_events: Callable[[], None] = _nothing
        engine = Engine(self.clock, seed=seed)
        if late is not None:
            engine.kernel.settings["Cron.late"] = late  # by its key, so that cron itself need not be loaded
        self._attach(engine)
        self.crew = Crew(self.handle)
        self._first_workers = 0 if conformance else workers
        self._hire()

    def _attach(self, engine: Engine) -> None:
        self._leave_events()
        self.engine = engine
        self.binding = Binding(engine, max_body=self._max_body, conformance=self.conformance)
        self._leave_events = engine.events.subscribe(self._spread)

    def _spread(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

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
        """When `tick` has something to do next, milliseconds on the host's clock, or None."""
        times = [
            at - self.clock.offset for at in (self.engine.next_due(), self.crew.next_due()) if at is not None
        ]
        return min(times, default=None)

    def reset(self) -> None:
        """Forget every job and event, and start with fresh demo workers."""
        self.engine.reset()
        self.crew.workers.clear()
        self._hire()

    def visit(self, engine: Engine, now: int, name: str) -> None:
        """Go on from another engine's moment; the session's own engine waits, its time and its workers with it.

        No demo worker goes along: the moment stays as it is until somebody acts.

        Args:
            engine: The engine.
            now: Its instant, milliseconds.
            name: What it is, for the page.
        """
        if self._home is None:
            self._home = (self.engine, self.clock.now(), self.crew)
        self.crew = Crew(self.handle)
        self._go(engine, now, name)

    def leave(self) -> bool:
        """Come back from a visit; whether there was one."""
        if self._home is None:
            return False
        (engine, now, self.crew), self._home = self._home, None
        self._go(engine, now, "")
        return True

    def _go(self, engine: Engine, now: int, name: str) -> None:
        self.clock.offset = now - self.clock.base.now()
        engine.clock = engine.kernel.clock = self.clock
        self.visiting = name
        self._attach(engine)
