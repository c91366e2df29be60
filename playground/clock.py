"""Real time, the one place in the project that reads the machine's; and virtual time that passes at a chosen rate."""

from __future__ import annotations

import time

from engine.clock import Clock


class SystemClock:
    """The machine's time as the engine wants it."""

    __slots__ = ()

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


class Pace:
    """How virtual time follows another clock: at a rate, or not at all.

    Args:
        base: The clock that runs.
        now: The virtual instant to begin with, milliseconds.
        rate: How many times as fast virtual time passes.
        playing: Whether it passes.
    """

    __slots__ = ("_base", "_from", "_now", "_playing", "_rate")

    def __init__(self, base: Clock, now: int, *, rate: float = 1.0, playing: bool = True) -> None:
        self._base = base
        self._rate = rate
        self._playing = playing
        self.set(now)

    def now(self) -> int:
        """The virtual instant, milliseconds since 1970-01-01T00:00:00Z."""
        if not self._playing:
            return self._now
        return self._now + int((self._base.now() - self._from) * self._rate)

    def set(self, now: int) -> None:
        """Go on from another instant."""
        self._now = now
        self._from = self._base.now()

    @property
    def playing(self) -> bool:
        """Whether time passes."""
        return self._playing

    @playing.setter
    def playing(self, playing: bool) -> None:
        self.set(self.now())
        self._playing = playing

    @property
    def rate(self) -> float:
        """How many times as fast as the base clock."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self.set(self.now())
        self._rate = rate

    def real(self, instant: int) -> int | None:
        """When a virtual instant comes, on the base clock; None while time stands still."""
        if not self._playing:
            return None
        return self._from + max(0, -int((self._now - instant) // self._rate))
