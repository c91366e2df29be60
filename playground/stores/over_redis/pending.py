"""What a turn has changed and Redis does not know yet: it is laid over each answer, and committed in one step."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

MOST: Final = 4000
"""Values in one call of a command: Lua's stack holds no more than 8000."""


class Changed:
    """A sorted set's changes. First all that is gone leaves, then all that was added comes.

    Attributes:
        added: Members that Redis does not have, or has in `gone` too; sorted.
        gone: Members that Redis has and that are there no more; sorted.
    """

    __slots__ = ("added", "gone")

    def __init__(self) -> None:
        self.added: list[bytes] = []
        self.gone: list[bytes] = []

    def add(self, member: bytes) -> None:
        """One that is not there."""
        insort(self.added, member)

    def remove(self, member: bytes) -> None:
        """One that is there."""
        at = bisect_left(self.added, member)
        if at < len(self.added) and self.added[at] == member:
            del self.added[at]
        else:
            insort(self.gone, member)

    def hides(self, member: bytes) -> bool:
        """Whether one that Redis has is gone."""
        at = bisect_left(self.gone, member)
        return at < len(self.gone) and self.gone[at] == member


def between(sorted_: list[bytes], low: bytes, high: bytes) -> list[bytes]:
    """Those from ``low`` to before ``high``."""
    return sorted_[bisect_left(sorted_, low) : bisect_left(sorted_, high)]


class Pending:
    """All changes of a turn.

    Attributes:
        sets: By the set's key.
        hashes: By the hash's key: values by field, None for what is gone.
        records: By kind and key: (order, body, whether the one before is gone), None for what is gone.
        timers: By name: when they are due, with their order, or "" for what is gone.
        verbs: Other commands, done first and last: (verb, key, values).
    """

    def __init__(self) -> None:
        self.sets: dict[str, Changed] = {}
        self.hashes: dict[str, dict[bytes, bytes | None]] = {}
        self.records: dict[str, dict[bytes, tuple[bytes, bytes, bool] | None]] = {}
        self.timers: dict[bytes, bytes] = {}
        self.first: list[tuple[str, str, list[bytes]]] = []
        self.last: list[tuple[str, str, list[bytes]]] = []
        self.cleared = False

    def set(self, key: str) -> Changed:
        """A sorted set's changes."""
        changed = self.sets.get(key)
        if changed is None:
            changed = self.sets[key] = Changed()
        return changed

    def hash(self, key: str) -> dict[bytes, bytes | None]:
        """A hash's changes."""
        return self.hashes.setdefault(key, {})

    def put(self, key: str, field: bytes, value: bytes | None) -> None:
        """Set a field of a hash, or remove it."""
        self.hashes.setdefault(key, {})[field] = value

    def arguments(self) -> list[bytes | str | int]:
        """What the commit's script takes."""
        told: list[bytes | str | int] = []
        for verb, key, values in self._verbs():
            told += verb, key, len(values), *values
        return told

    def _verbs(self) -> Iterator[tuple[str, str, list[bytes]]]:
        yield from self.first
        for key, fields in self.hashes.items():
            yield from _pieces("HDEL", key, [field for field, value in fields.items() if value is None])
            put = [part for field, value in fields.items() if value is not None for part in (field, value)]
            yield from _pieces("HSET", key, put)
        for key, changed in self.sets.items():
            yield from _pieces("ZREM", key, changed.gone)
            yield from _pieces("ZADD", key, [part for member in changed.added for part in (b"0", member)])
        for kind, records in self.records.items():
            for name, record in records.items():
                if record is None or record[2]:
                    yield "HDEL", kind, [name]
                if record is not None:
                    yield "RECORD", kind, [name, *record[:2]]
        for name, at in self.timers.items():
            yield "TIMER", ":timer", [name, at]
        yield from self.last


def _pieces(verb: str, key: str, values: list[bytes]) -> Iterator[tuple[str, str, list[bytes]]]:
    for at in range(0, len(values), MOST):
        yield verb, key, values[at : at + MOST]
