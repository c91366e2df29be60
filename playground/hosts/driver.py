"""The driver: answers requests from many threads one at a time, and wakes the application when something is due.

The application is single-threaded by nature, so one lock guards it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Final

from engine.conformance.result import CaseResult
from engine.errors import NotFound, Unavailable
from engine.http.message import EventStream, Request, Response
from engine.http.metrics import Family
from engine.http.streaming import shutdown_notice
from playground.app import Application
from playground.hosts.holding import Holds
from playground.hosts.reader import Reader
from playground.travel_pages import COOKIE
from playground.trial import Hear

LOG: Final = logging.getLogger("ojs.server")
FOREVER: Final = float("inf")
_INSIDE: Final = f"{COOKIE}=sandbox"


class Driver:
    """Answers requests from many threads, one at a time, and wakes the application when something is due.

    Args:
        app: The application; requests of pages that are in the sandbox go to the one beside it.
        streams: Most open streams at a time.

    Attributes:
        held: Told how many streams are open and requests held, whenever that changes: each occupies a thread of its
            server.
    """

    def __init__(self, app: Application, streams: int = 1000) -> None:
        self.app = app
        self.held: Callable[[int], None] = lambda _: None
        self._apps = [app] if app.beside is None else [app, app.beside]
        app.outside = self.outside
        self._streams = streams
        self._readers: set[Reader] = set()
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._outgoing = threading.Condition(lock)
        self._holds = Holds(lock, self._count)
        self._waits = FOREVER
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()
        threading.Thread(target=self._deliver, name="webhooks", daemon=True).start()

    def _deliver(self) -> None:
        """Send webhook deliveries as they are written down, outside the lock, one after the other."""
        from playground.hosts.webhooks import post  # noqa: PLC0415 - urllib only where something is sent

        while not self._ended:
            with self._outgoing:
                deliveries = self.app.session.engine.extensions.deliveries
                waiting = deliveries.requests()
                if not waiting:
                    self._outgoing.wait(1)
                    continue
            for outgoing in waiting:
                outcome = post(outgoing)
                with self._changed, contextlib.suppress(NotFound):  # forgotten meanwhile
                    deliveries.sent(outgoing.delivery_id, outcome.status, outcome.retry_after, outcome.error)
                    self._wake(self.app)

    def _due(self) -> float:
        return min((at for one in self._apps if (at := one.next_due()) is not None), default=FOREVER)

    def _run(self) -> None:
        with self._changed:
            while not self._ended:
                self._waits = self._due()
                if self._waits == FOREVER:
                    self._changed.wait()
                elif (left := self._waits - self.app.clock.now()) > 0:
                    self._changed.wait(left / 1000)
                else:
                    self._tick()

    def _wake(self, app: Application) -> None:
        """Wake the threads that now have something to do sooner than they thought; waking costs a turn of each."""
        due = app.next_due()
        if due is not None and due < self._waits:
            self._waits = due  # told once
            self._changed.notify_all()
        if self.app.session.engine.kernel.events.listening:
            self._outgoing.notify_all()

    def _tick(self) -> None:
        try:
            for app in self._apps:
                app.tick()
            self._holds.stir()
        except Exception:
            LOG.exception(
                "A timer failed; it is tried again in a second."
            )  # it must not silence those to come
            self._changed.wait(1)

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        with self._changed:
            app = self._meant(request)
            # Only real time can be waited for.
            response = self._holds.answer(app.handle, request) if app is self.app else app.handle(request)
            self._holds.stir()
            self._wake(app)
            return response

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
        with self._changed:
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
            self._wake(self.app)
            return reader

    def _count(self) -> None:
        self.held(len(self._readers) + self._holds.count)

    def _left(self, reader: Reader) -> None:
        with self._changed:
            reader.stop()
            if reader in self._readers:
                self._readers.discard(reader)
                self._count()

    def families(self) -> list[Family]:
        """The engine's figures."""
        with self._changed:
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
        with self._changed:
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
        with self._changed:
            goes_on = hear(result)
            self._wake(self.app)
        return goes_on

    def close(self) -> None:
        """End the timers' thread."""
        with self._changed:
            self._ended = True
            self._holds.close()
            self._changed.notify_all()
            self._outgoing.notify_all()
        self._thread.join()
