"""Requests that are held: a client that would wait is answered when what it waits for has happened, or in time's end.

A full queue whose strategy is ``block`` (OJS Backpressure 5.2), and the result of a job that has not ended (OJS Results
8.2). The binding says what to wait for; only a host in real time can wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from engine.http.message import Request, Response

MOST: Final = 64
"""Requests held at a time, since each has a thread; the others are answered at once."""
LOOK: Final = 1.0
"""Seconds after which a request looks for itself: another process may have changed what it waits for."""


class Holds:
    """The requests that are held.

    Args:
        lock: Guards the application; held by whoever calls.
        counted: Told whenever their number changes.
        most: How many there may be.

    Attributes:
        count: How many there are.
    """

    def __init__(
        self, lock: threading.RLock, counted: Callable[[], None] = lambda: None, most: int = MOST
    ) -> None:
        self._changed = threading.Condition(lock)
        self._counted = counted
        self._most = most
        self.count = 0
        self._over = False

    def answer(self, ask: Callable[[Request], Response], request: Request) -> Response:
        """The answer to a request, which may take a while; others are answered meanwhile."""
        if self.count >= self._most or self._over:
            return ask(request)
        patient = request._replace(patient=True)
        response = ask(patient)
        if response.hold is None:
            return response
        end = monotonic() + response.hold.seconds
        self._add(1)
        try:
            while response.hold is not None:
                left = end - monotonic()
                if left <= 0 or self._over:
                    return ask(request)
                self._changed.wait(min(left, LOOK))
                if response.hold.ready():
                    response = ask(patient)
            return response
        finally:
            self._add(-1)

    def _add(self, number: int) -> None:
        self.count += number
        self._counted()

    def stir(self) -> None:
        """Something has happened that may end a wait."""
        if self.count:
            self._changed.notify_all()

    def close(self) -> None:
        """Answer all that are held, now."""
        self._over = True
        self._changed.notify_all()
