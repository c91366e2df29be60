"""Identifiers: UUIDv7 from the engine's clock and seeded randomness, so that a replay makes the same ids."""

from __future__ import annotations

import re
from random import Random
from typing import Final

UUID7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z", re.ASCII)


class IdSource:
    """Makes UUIDv7s that sort in the order in which they were made (RFC 9562 5.7, method 1).

    Args:
        random: Seeded source of the random bits.
    """

    __slots__ = ("_counter", "_head", "_last", "_random")

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last = 0
        self._counter = 0
        self._head = "00000000-0000-7"

    def uuid7(self, ms: int) -> str:
        """A lower-case UUIDv7; within one millisecond a 12-bit counter keeps the order.

        Args:
            ms: The instant, milliseconds since the epoch; an earlier one than before counts as the last.
        """
        if ms > self._last:
            self._begin(ms)
        elif self._counter < 0xFFF:
            self._counter += 1
        else:  # 4,096 ids in one millisecond: borrow the next one, as the RFC allows
            self._begin(self._last + 1)
        tail = (self._random.getrandbits(62) | 0x8000000000000000).to_bytes(8, "big")
        return f"{self._head}{self._counter:03x}-{tail.hex('-', 6)}"

    def _begin(self, ms: int) -> None:
        head = f"{ms:012x}"
        self._last, self._counter, self._head = ms, 0, f"{head[:8]}-{head[8:]}-7"
