"""A reader of a stream: what is sent to it waits here, within bounds, until its connection carries it.

Of a stream of events the oldest are dropped when a reader falls behind, and it is told which (OJS Real-time 5.4); it
is cut off when it has taken nothing for `PATIENCE`. A page's stream of views is cut off at once, because every chunk
of it counts: the page comes back and sees the present.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from engine.http.message import EventStream, Stop
from engine.http.outbox import LIMIT, Outbox
from engine.http.streaming import HEARTBEAT, HEARTBEAT_SECONDS

PATIENCE: Final = 60.0
"""Seconds in which a reader that has fallen behind must take something."""
TOO_SLOW: Final = b":closed: you are too slow; connect again with Last-Event-ID\n\n"


class Reader:
    """An open stream, as the bytes of its response.

    Args:
        body: The stream.
        now: Tells the time of notices, milliseconds.
        gone: Called once when it has ended.
        limit: Most chunks that wait.
    """

    def __init__(
        self, body: EventStream, now: Callable[[], int], gone: Callable[[Reader], None], limit: int = LIMIT
    ) -> None:
        self._changed = threading.Condition()
        self._outbox = Outbox(body.channel, now, limit)
        self.events = bool(body.channel)
        self._limit = limit
        self._waiting = 0
        self._taken = monotonic()
        self._ended = False
        self._last: bytes = b""
        self._gone = gone
        self.stop: Stop = lambda: None

    def send(self, chunk: bytes) -> None:
        """Take a chunk of the stream; never waits."""
        with self._changed:
            if self._ended:
                return
            self._outbox.put(chunk)
            self._waiting += 1
            behind = self._waiting > self._limit
            if behind and (not self.events or monotonic() - self._taken > PATIENCE):
                self._last, self._ended = TOO_SLOW, True
            self._changed.notify()

    def end(self, last: bytes = b"") -> None:
        """The stream is at its end; what waits is still carried.

        Args:
            last: A last chunk.
        """
        with self._changed:
            if not self._ended:
                self._last, self._ended = last, True
                self._changed.notify()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                if not self._waiting and not self._ended:
                    self._changed.wait(HEARTBEAT_SECONDS)
                chunk, ended = self._outbox.take(), self._ended
                self._waiting, self._taken = 0, monotonic()
            if ended:
                yield (chunk or b"") + self._last
                return
            yield chunk or HEARTBEAT

    def close(self) -> None:
        """The connection is gone, or everything has been carried; WSGI servers call this in any case."""
        with self._changed:
            self._ended = True
        self._gone(self)
