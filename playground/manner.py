"""How a demo worker works: its queues, how many jobs at once, how fast."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

MAX_CONCURRENCY: Final = 20
"""Most jobs in the hands of one demo worker."""
MAX_QUEUES: Final = 10
MIN_SPEED: Final = 0.1
MAX_SPEED: Final = 100.0
_QUEUE: Final = re.compile(r"[a-z0-9][a-z0-9\-.]{0,254}\Z")


class Manner(NamedTuple):
    """How a demo worker works.

    Args:
        queues: What it fetches from, the first one first.
        concurrency: Jobs that it does at once.
        speed: How many times as fast as usual its handlers are.
    """

    queues: tuple[str, ...]
    concurrency: int = 1
    speed: float = 1.0

    def changed(self, settings: Mapping[str, Any]) -> Manner:
        """The same with some settings changed.

        Args:
            settings: ``{queues?, concurrency?, speed?}``.

        Raises:
            ValueError: It says what to correct.
        """
        new = {**self._asdict(), **settings}
        queues, concurrency, speed = new.pop("queues"), new.pop("concurrency"), new.pop("speed")
        if new:
            raise ValueError(f"A demo worker has no setting '{next(iter(new))!s:.40}'.")
        if not isinstance(queues, list | tuple) or not 1 <= len(queues) <= MAX_QUEUES:
            raise ValueError(f"A demo worker serves from 1 to {MAX_QUEUES} queues.")
        if not all(isinstance(name, str) and _QUEUE.match(name) for name in queues):
            raise ValueError("A queue's name has small letters, digits, '-' and '.', such as 'email'.")
        whole = isinstance(concurrency, int) and not isinstance(concurrency, bool)
        if not whole or not 1 <= concurrency <= MAX_CONCURRENCY:
            raise ValueError(f"A demo worker does from 1 to {MAX_CONCURRENCY} jobs at once.")
        number = isinstance(speed, int | float) and not isinstance(speed, bool)
        if not number or not MIN_SPEED <= speed <= MAX_SPEED:
            raise ValueError(f"The speed goes from {MIN_SPEED:g} to {MAX_SPEED:g} times the usual.")
        return Manner(tuple(dict.fromkeys(queues)), concurrency, float(speed))


USUAL: Final = Manner(("default",))
"""How demo workers work unless they are told otherwise."""
