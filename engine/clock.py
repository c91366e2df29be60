"""Where the engine gets its time: a protocol, and a clock that moves only when told to.

Real clocks live in the hosts. Times are integer milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...


class ManualClock:
    """Stands still until it is set: virtual time, tests, replay.

    Args:
        start: First instant, milliseconds since the epoch.
    """

    __slots__ = ("_now",)

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> int:
        """The instant last set."""
        return self._now

    def set(self, ms: int) -> None:
        """Go to an instant; going back is allowed, as a real clock may be corrected."""
        self._now = ms

    def advance(self, ms: int) -> None:
        """Go forward by a duration."""
        self._now += ms
