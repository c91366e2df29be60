"""The driver: answers requests from many threads one at a time, and wakes the application when something is due.

The application is single-threaded by nature, so one lock guards it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from time import sleep
from typing import Final, TypeVar

from engine.conformance.result import CaseResult
from engine.deliveries import Outgoing
from engine.errors import OJSError, Unavailable
from engine.http.message import EventStream, Request, Response
from engine.http.metrics import Family
from engine.http.streaming import shutdown_notice
from playground.app import Application
from playground.hosts.holding import Holds
from playground.hosts.reader import Reader
from playground.hosts.turns import Keeper, Turns
from playground.travel_pages import COOKIE
from playground.trial import Hear

LOG: Final = logging.getLogger("ojs.server")
T = TypeVar("T")
FOREVER: Final = float("inf")
_INSIDE: Final = f"{COOKIE}=sandbox"


class Driver:
    """Answers requests from many threads, one at a time, and wakes the application when something is due.

    Args:
        app: The application; requests of pages that are in the sandbox go to the one beside it.
        streams: Most open streams at a time.
        keeper: The store, where it outlives the process.

    Attributes:
        held: Told how many streams are open and requests held, whenever that changes: each occupies a thread of its
            server.
        leads: Whether this process is the one that sends webhooks, of all that have the store in common.
    """

    def __init__(self, app: Application, streams: int = 1000, keeper: Keeper | None = None) -> None:
        self.app = app
        self.held: Callable[[int], None] = lambda _: None
        self.leads: Callable[[], bool] = lambda: True
        self._apps = [app] if app.beside is None else [app, app.beside]
        app.outside = self.outside
        self._streams = streams
        self._readers: set[Reader] = set()
        self._turns = Turns(keeper)
        self._turns.ended = self._stir
        self._changed = self._turns.condition()
        self._outgoing = self._turns.condition()
        self._holds = Holds(self._turns, self._count)
        self._waits = FOREVER
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()
        threading.Thread(target=self._deliver, name="webhooks", daemon=True).start()

    def _deliver(self) -> None:
        """Send webhook deliveries as they are written down, outside the lock, one after the other."""
        from playground.hosts.webhooks import post  # noqa: PLC0415 - urllib only where something is sent

        while not self._ended:
            waiting: list[Outgoing] = []
            # Of a store that fails the timers tell; a delivery may have been forgotten meanwhile.
            with contextlib.suppress(OJSError), self._turns.alone(quiet=True):
                deliveries = self.app.session.engine.extensions.deliveries
                waiting = deliveries.requests() if self.leads() else []
                if not waiting:
                    self._turns.wait(self._outgoing, 1)
            for outgoing in waiting:
                outcome = post(outgoing)
                with contextlib.suppress(OJSError), self._turns.alone():
                    deliveries.sent(outgoing.delivery_id, outcome.status, outcome.retry_after, outcome.error)

    def look(self) -> None:
        """Another process has written: see what it did, and tell whoever looks on."""
        with contextlib.suppress(OJSError), self._turns.alone():
            self.app.session.engine.store.counts()

    def do(self, work: Callable[[], None]) -> None:
        """Have something done in a turn of its own."""
        with self._turns.alone():
            work()

    def apart(self, work: Callable[[], T]) -> T:
        """Do something slow in the midst of a turn, while others have theirs; for applications without a store.

        Raises:
            Exception: What the work raises.
        """
        done, ended = self._turns.condition(), threading.Event()
        outcome: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(work())
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                failed.append(error)
            with self._turns.still():
                ended.set()
                done.notify_all()

        threading.Thread(target=run, name="apart", daemon=True).start()
        while not ended.is_set():
            self._turns.wait(done)
        if failed:
            raise failed[0]
        return outcome[0]

    def _due(self) -> float:
        return min((at for one in self._apps if (at := one.next_due()) is not None), default=FOREVER)

    def _run(self) -> None:
        while not self._ended:
            try:
                with self._turns.alone(quiet=True):
                    self._wait_and_tick()
            except OJSError as error:
                LOG.warning("Timers wait for the store: %s", error.message)
                sleep(1)
            except Exception:
                LOG.exception(
                    "A timer failed; it is tried again in a second."
                )  # it must not silence those to come
                sleep(1)

    def _wait_and_tick(self) -> None:
        if self._ended:
            return
        self._waits = self._due()
        if self._waits == FOREVER:
            self._turns.wait(self._changed)
        elif (left := self._waits - self.app.clock.now()) > 0:
            self._turns.wait(self._changed, left / 1000)
        else:
            for app in self._apps:
                app.tick()
            self._holds.stir()

    def _stir(self) -> None:
        """A turn has ended that may have changed something."""
        self._holds.stir()
        self._wake(self.app)

    def _wake(self, app: Application) -> None:
        """Wake the threads that now have something to do sooner than they thought; waking costs a turn of each."""
        try:
            due = app.next_due()
        except OJSError:  # the store fails, and the timers look again by themselves
            due = None
        if due is not None and due < self._waits:
            self._waits = due  # told once
            self._changed.notify_all()
        if self.app.session.engine.kernel.events.listening:
            self._outgoing.notify_all()

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        app = self._meant(request)
        if app is self.app:  # only real time can be waited for
            return self._holds.answer(self._ask, request)
        with self._turns.still():
            response = app.handle(request)
            self._wake(app)
            return response

    def _ask(self, request: Request) -> Response:
        try:
            return self._turns.together(lambda: self.app.handle(request))
        except OJSError as error:
            with self._turns.still():
                return self.app.refuse(request, error)

    def _meant(self, request: Request) -> Application:
        """The application that a request is for: a cookie tells who is in the sandbox, and clients send none."""
        cookie = request.headers.get("cookie")
        inside = cookie is not None and _INSIDE in cookie.replace(" ", "").split(";")
        return self.app.beside if inside and self.app.beside is not None else self.app

    def open(self, body: EventStream) -> Reader:
        """Start a stream; its reader gives the chunks as they come.

        Raises:
            Unavailable: As many streams as there may be are open.
        """
        with self._turns.alone():
            if len(self._readers) >= self._streams:
                raise Unavailable(
                    f"{self._streams} streams are open, and this server has no more.",
                    details={"retry_after": 5},
                )
            reader = Reader(body, self.app.clock.now, self._left)
            self._readers.add(reader)
            self._count()
            try:
                reader.stop = body.start(reader.send, reader.end)
            except BaseException:
                self._left(reader)
                raise
            return reader

    def _count(self) -> None:
        self.held(len(self._readers) + self._holds.count)

    def _left(self, reader: Reader) -> None:
        with self._turns.still():
            reader.stop()
            if reader in self._readers:
                self._readers.discard(reader)
                self._count()

    def families(self) -> list[Family]:
        """The engine's figures."""
        with self._turns.alone(quiet=True):
            metrics = self.app.session.binding.settings.metrics
            return [] if metrics is None else metrics.families()

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def dismiss(self, grace: float, reason: str) -> None:
        """Tell every reader that the server stops, and end the streams (OJS Real-time 5.1).

        Args:
            grace: Seconds that open requests still have.
            reason: Why it stops.
        """
        with self._turns.still():
            self._holds.close()
            notice = shutdown_notice(round(grace * 1000), reason, self.app.session.engine.events)
            for reader in list(self._readers):
                reader.end(notice if reader.events else b"")

    def outside(self, results: Iterator[CaseResult], hear: Hear) -> None:
        """Run conformance cases against another server in a thread, each result told in the application's turn."""

        def run() -> None:
            for result in results:
                if not self._tell(hear, result):
                    return
            self._tell(hear, None)

        threading.Thread(target=run, name="conformance", daemon=True).start()

    def _tell(self, hear: Hear, result: CaseResult | None) -> bool:
        with self._turns.alone():
            return hear(result)

    def close(self) -> None:
        """End the timers' thread, and let go of the store."""
        with self._turns.still():
            self._ended = True
            self._holds.close()
            self._changed.notify_all()
            self._outgoing.notify_all()
        self._thread.join()
        self._turns.close()
