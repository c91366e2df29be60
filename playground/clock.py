"""The real clock: the one place in the project that reads the machine's time for the engine."""

from __future__ import annotations

import time

from engine.clock import Clock


class SystemClock:
    """The machine's time as the engine wants it."""

    __slots__ = ()

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


class ShiftedClock:
    """Another clock, some time ahead of it or behind.

    Args:
        base: The clock that runs.
        offset: Added to its time, milliseconds.
    """

    __slots__ = ("base", "offset")

    def __init__(self, base: Clock, offset: int = 0) -> None:
        self.base = base
        self.offset = offset

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z, shifted."""
        return self.base.now() + self.offset
