"""A session: one world as its visitors meet it, and when it has to be woken next.

Hosts own a session, hand it requests, and call `tick` when `next_due` has come. Nothing here waits or sleeps. This one
lives in real time; `playground.travel.sandbox` is one whose time its visitors move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from engine import Engine
from engine.clock import Clock
from engine.events import Event
from engine.http.binding import Binding
from engine.http.message import Request, Response
from playground.demo import Crew
from playground.exchanges import Exchange, ExchangeLog
from playground.travel.command import perform, worker_command
from playground.world import Lasting, World

if TYPE_CHECKING:
    from engine.job import Job
    from playground.attach.session import Standing
    from playground.http_target import Server


def nothing() -> None:
    """Nobody looks yet."""


class Face(NamedTuple):
    """What a page needs to show a session's time without asking.

    Args:
        now: The session's instant, milliseconds.
        rate: How many of its milliseconds pass in a real one; 0 while it stands still.
    """

    now: int
    rate: float


class Session:
    """One live OJS server in real time.

    Args:
        clock: The host's clock.
        seed: Of ids and jitter; hosts draw it, so that two visits never share ids.
        workers: Demo workers running from the start.
        max_body: Largest request body, bytes.
        conformance: Whether the binding's test-only hooks are on; no demo worker may run then.
        late: Delay after which an occurrence of cron counts as missed, milliseconds: a real machine may sleep.
        store: Where everything is kept; this process's memory when None.

    Attributes:
        listeners: Hear of every event.
        touch: Called when something else has changed that a page shows.
        virtual: Whether its time can be moved.
    """

    virtual: ClassVar = False

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
        self.listeners: list[Callable[[Event], None]] = []
        self.touch: Callable[[], None] = nothing
        self._workers = 0 if conformance else workers
        self._world = World(
            clock,
            seed=seed,
            workers=workers,
            max_body=max_body,
            conformance=conformance,
            late=late,
            store=store,
        )
        self._world.engine.events.subscribe(self.spread)
        self._exchanges = ExchangeLog()
        self._world.heard.append(self._exchanges.hear)

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self._world

    @property
    def engine(self) -> Engine:
        """The world's engine."""
        return self.world.engine

    @property
    def binding(self) -> Binding:
        """The world's binding."""
        return self.world.binding

    @property
    def crew(self) -> Crew:
        """The world's demo workers."""
        return self.world.crew

    @property
    def conformance(self) -> bool:
        """Whether the binding's test-only hooks are on."""
        return self.world.conformance

    @property
    def hires(self) -> bool:
        """Whether demo workers may run."""
        return not self.conformance

    @property
    def resets(self) -> bool:
        """Whether everything can be forgotten."""
        return True

    def offers(self, part: str) -> bool:
        """Whether the server has what a part of the views shows; another server may have less than this one."""
        del part
        return True

    def standing(self) -> Standing | None:
        """How it stands with the server that is shown, where that is another one; see `playground.attach`."""
        return None

    def target(self) -> Server:
        """Where a conformance run reaches the server that is shown, where that is another one.

        Raises:
            LookupError: It is this one.
        """
        raise LookupError("no server is attached")

    def seek(self, job_id: str) -> Job | None:
        """A job, or None."""
        return self.engine.store.get(job_id)

    def body(self, job: Job) -> dict[str, Any]:
        """A job's envelope as JSON values."""
        return job.to_dict()

    @property
    def exchanges(self) -> ExchangeLog:
        """What was said over the binding lately."""
        return self._exchanges

    def to_come(self, exchange: Exchange) -> bool:
        """Whether an exchange lies ahead of the cursor; real time has no such thing."""
        del exchange
        return False

    def face(self) -> Face:
        """The session's time."""
        return Face(self.engine.now(), 1.0)

    def ahead(self, limit: int) -> list[Event]:
        """The next events that are known to come, oldest first, heartbeats left out; real time has none."""
        del limit
        return []

    def spread(self, event: Event) -> None:
        """Tell the listeners of an event."""
        for listener in self.listeners:
            listener(event)

    def handle(self, request: Request) -> Response:
        """Answer a request to the binding."""
        return self.world.handle(request)

    def work(self, verb: str, worker: str = "", settings: Mapping[str, Any] | None = None) -> None:
        """Do something with a demo worker, e.g. ``start`` or ``kill``; see `playground.travel.command`.

        Raises:
            NotFound: No such verb or worker.
            Conflict: It cannot be done now.
        """
        perform(self.world, worker_command(self.engine.now(), verb, worker, settings))

    def tick(self) -> None:
        """Do everything that is due by now: the engine's timers, then the demo workers."""
        self.world.tick()

    def next_due(self) -> int | None:
        """When `tick` has something to do next, milliseconds on the host's clock, or None."""
        return self.world.next_due()

    def reset(self) -> None:
        """Forget every job and event, and start with fresh demo workers."""
        self.engine.reset()
        self.crew.reset()
        self.exchanges.clear()
        for _ in range(self._workers):
            self.work("start")
