"""What waits for a slow reader of a stream: bounded, the oldest dropped first, and the loss told (OJS Real-time 5.4).

A host puts chunks in as they are sent and takes them out as its connection can carry them. One lock around each
outbox is the host's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from engine.http.streaming import frame
from engine.times import format_time

LIMIT: Final = 1000
"""Events kept for one connection, as the standard recommends."""


class Outbox:
    """The chunks of one connection that have not been taken yet.

    Args:
        channel: The stream's channel, for the notice.
        now: Tells the time of the notice, milliseconds.
        limit: Most chunks kept.
    """

    __slots__ = ("_channel", "_chunks", "_count", "_first", "_last", "_limit", "_now")

    def __init__(self, channel: str, now: Callable[[], int], limit: int = LIMIT) -> None:
        self._channel = channel
        self._now = now
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._count = 0
        self._first = self._last = ""

    def put(self, chunk: bytes) -> None:
        """Add a chunk; if there are too many, the oldest is dropped."""
        self._chunks.append(chunk)
        if len(self._chunks) > self._limit:
            self._drop(self._chunks.popleft())

    def _drop(self, chunk: bytes) -> None:
        identity = _id(chunk)
        if identity:
            self._count += 1
            self._first = self._first or identity
            self._last = identity

    def take(self) -> bytes | None:
        """All that waits, what was dropped told first; None when nothing does."""
        if not self._chunks and not self._count:
            return None
        parts = [self._notice()] if self._count else []
        parts += self._chunks
        self._chunks.clear()
        return b"".join(parts)

    def _notice(self) -> bytes:
        data = {
            "channel": self._channel,
            "dropped_count": self._count,
            "oldest_dropped_id": self._first,
            "newest_dropped_id": self._last,
            "timestamp": format_time(self._now()),
        }
        comment = f":events-dropped {self._count}\n\n".encode()
        told = comment + frame("system.events_dropped", data, self._last)
        self._count, self._first, self._last = 0, "", ""
        return told


def _id(chunk: bytes) -> str:
    """The event id of a chunk, or an empty string for a comment."""
    line, _, _ = chunk.partition(b"\n")
    return line.removeprefix(b"id: ").decode() if line.startswith(b"id: ") else ""
