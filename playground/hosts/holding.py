"""Requests that are held: a client that would wait is answered when what it waits for has happened, or in time's end.

A full queue whose strategy is ``block`` (OJS Backpressure 5.2), and the result of a job that has not ended (OJS Results
8.2). The binding says what to wait for; only a host in real time can wait.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from engine.http.message import Hold, Request, Response
from playground.hosts.turns import Turns

MOST: Final = 64
"""Requests held at a time, since each has a thread; the others are answered at once."""
LOOK: Final = 1.0
"""Seconds after which a request looks for itself: another process may have changed what it waits for."""


class Holds:
    """The requests that are held.

    Args:
        turns: The application's.
        counted: Told, in a turn, whenever their number changes.
        most: How many there may be.

    Attributes:
        count: How many there are.
    """

    def __init__(self, turns: Turns, counted: Callable[[], None] = lambda: None, most: int = MOST) -> None:
        self._turns = turns
        self._changed = turns.condition()
        self._counted = counted
        self._most = most
        self.count = 0
        self._over = False

    def answer(self, ask: Callable[[Request], Response], request: Request) -> Response:
        """The answer to a request, which may take a while; others are answered meanwhile.

        Args:
            ask: Answers in a turn of its own; called outside of any.
            request: What is asked.
        """
        if self._over:
            return ask(request)
        patient = request._replace(patient=True)
        response = ask(patient)
        if response.hold is None:
            return response
        end = monotonic() + response.hold.seconds
        if not self._add(1):
            return ask(request)
        try:
            while response.hold is not None:
                if not self._comes(response.hold, end):
                    return ask(request)
                response = ask(patient)
            return response
        finally:
            self._add(-1)

    def _comes(self, hold: Hold, end: float) -> bool:
        """Whether it happens before the end."""
        with self._turns.alone(quiet=True):
            while not hold.ready():
                left = end - monotonic()
                if left <= 0 or self._over:
                    return False
                self._turns.wait(self._changed, min(left, LOOK))
        return True

    def _add(self, number: int) -> bool:
        """One more or one less; False, and nothing changed, when there are as many as there may be."""
        with self._turns.still():
            if number > 0 and self.count >= self._most:
                return False
            self.count += number
            self._counted()
        return True

    def stir(self) -> None:
        """Something has happened that may end a wait; called in a turn."""
        if self.count:
            self._changed.notify_all()

    def close(self) -> None:
        """Answer all that are held, now; called in a turn."""
        self._over = True
        self._changed.notify_all()
