"""How many requests the server takes, and the headers that tell what is left (OJS Rate Limiting 10.4).

A fixed window that begins with its first request. It belongs to the binding, not to the engine: no request's
outcome in the engine depends on it.
"""

from __future__ import annotations

from typing import Final

from engine.errors import RateLimited
from engine.times import MINUTE, SECOND

DEFAULT_LIMIT: Final = 1_000_000
"""Requests a minute: no honest client meets it; a host that needs a lower one says so."""


class Quota:
    """Counts the requests of one window.

    Args:
        limit: Most requests in a window.
        window: Its length, milliseconds.
    """

    __slots__ = ("_limit", "_start", "_used", "_window")

    def __init__(self, limit: int = DEFAULT_LIMIT, window: int = MINUTE) -> None:
        self._limit = limit
        self._window = window
        self._start = 0
        self._used = 0

    def spend(self, now: int) -> None:
        """Count a request.

        Args:
            now: The instant, milliseconds; a clock that was set back begins a new window.

        Raises:
            RateLimited: The window's requests are spent.
        """
        if not self._start <= now < self._start + self._window:
            self._start, self._used = now, 0
        if self._used >= self._limit:
            wait = -(-(self._start + self._window - now) // SECOND)
            raise RateLimited(
                f"Rate limit exceeded; try again in {wait} s (OJS HTTP Binding 18.2).",
                details={
                    "limit": self._limit,
                    "window_seconds": self._window // SECOND,
                    "retry_after_seconds": wait,
                    "retry_after": wait,
                },
            )
        self._used += 1

    def headers(self) -> dict[str, str]:
        """Limit, what is left of it, and the Unix time at which it is whole again, in seconds."""
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(self._limit - self._used),
            "X-RateLimit-Reset": str(-(-(self._start + self._window) // SECOND)),
        }
