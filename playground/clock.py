"""The real clock: the one place in the project that reads the machine's time for the engine."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's time as the engine wants it."""

    __slots__ = ()

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000
