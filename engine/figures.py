"""Throughput: what was enqueued, started, completed and failed lately, for each queue and tenant.

Two rings of small records hold the last day by the minute and the last thirty days by the hour: reading a figure
touches a fixed number of them, however many jobs there are (OJS HTTP Binding 11.2, OJS Admin API 10.2). Nothing is
counted as it happens: the event log tells it all, and is counted block by block, or when somebody asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from engine import lifecycle as life
from engine.events import Note
from engine.kernel import Kernel
from engine.times import DAY, HOUR, MINUTE

FIGURES: Final = ("enqueued", "started", "wait_ms", "completed", "duration_ms", "failed")
"""What is counted, and how long jobs waited and ran in all, milliseconds."""
_KIND: Final = "figures"
_NOTHING: Final = dict.fromkeys(FIGURES, 0)
_RINGS: Final = {"m": 24 * 60, "h": 30 * 24}
"""How many minutes and hours are kept."""


class Figures:
    """Counts what the event log tells.

    Args:
        kernel: Store, time, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def count(self, notes: Iterable[Note]) -> None:
        """Count a block of the event log's notes."""
        sums: dict[tuple[int, str, str | None], dict[str, int]] = {}
        here: dict[str, int] = {}
        queue, tenant, start = "", None, -MINUTE
        for _, time, kind, _, _, of_queue, _, _, _, further, was, of_tenant, enqueued_at in notes:
            # Neighbours mostly belong together: then this test is all that it takes to find where they count.
            if of_queue is not queue or of_tenant is not tenant or not start <= time < start + MINUTE:
                queue, tenant, start = of_queue, of_tenant, time - time % MINUTE
                here = sums.setdefault((start, queue, tenant), dict.fromkeys(FIGURES, 0))
            if kind == "job.started":
                here["started"] += 1
                here["wait_ms"] += time - (enqueued_at or time)
            elif kind == "job.completed":
                here["completed"] += 1
                here["duration_ms"] += further["duration_ms"]
            elif kind == "job.failed":
                here["failed"] += 1
            elif was == life.NEW:
                here["enqueued"] += 1
        for (start, queue, tenant), amounts in sums.items():
            for scope in (f"queue:{queue}",) if tenant is None else (f"queue:{queue}", f"tenant:{tenant}"):
                self._add(scope, "m", start // MINUTE, amounts)
                self._add(scope, "h", start // HOUR, amounts)

    def _add(self, scope: str, letter: str, number: int, amounts: dict[str, int]) -> None:
        key = f"{scope}|{letter}{number % _RINGS[letter]}"
        slot = self.kernel.store.record(_KIND, key)
        if slot is None or slot["at"] < number:
            slot = {"at": number}
        elif slot["at"] > number:  # done late, longer ago than the ring goes back
            return
        for name, amount in amounts.items():
            slot[name] = slot.get(name, 0) + amount
        self.kernel.store.put_record(_KIND, key, slot)

    def _sum(self, scope: str, letter: str, numbers: range) -> Counter[str]:
        self.kernel.events.settle()
        total: Counter[str] = Counter()
        for number in numbers:
            slot = self.kernel.store.record(_KIND, f"{scope}|{letter}{number % _RINGS[letter]}")
            if slot is not None and slot["at"] == number:
                total.update({name: slot[name] for name in FIGURES})
        return total

    def minutes(self, scope: str, count: int) -> Counter[str]:
        """Sums of the last ``count`` minutes, the one under way included.

        Args:
            scope: ``queue:NAME`` or ``tenant:ID``.
            count: How many minutes.

        Returns:
            Each of `FIGURES`; 0 where nothing was.
        """
        now = self.kernel.now() // MINUTE
        return self._sum(scope, "m", range(now - count + 1, now + 1))

    def series(self, scope: str, count: int) -> list[Mapping[str, int]]:
        """Each of the last ``count`` minutes by itself, the oldest first; see `minutes`."""
        self.kernel.events.settle()
        now = self.kernel.now() // MINUTE
        found: list[Mapping[str, int]] = []
        for number in range(now - count + 1, now + 1):
            slot = self.kernel.store.record(_KIND, f"{scope}|m{number % _RINGS['m']}")
            found.append(slot if slot is not None and slot["at"] == number else _NOTHING)
        return found

    def span(
        self, scope: str, since: int, until: int, *, hours: bool
    ) -> Iterator[tuple[int, Mapping[str, int]]]:
        """What is kept of a span, the oldest first: the start of each minute, or hour, in which anything happened.

        Args:
            scope: ``queue:NAME`` or ``tenant:ID``.
            since: Instant, milliseconds; the minute or hour in which it lies is the first.
            until: Instant, exclusive.
            hours: Whether hours are wanted, which go back further than minutes.
        """
        self.kernel.events.settle()
        letter, unit = ("h", HOUR) if hours else ("m", MINUTE)
        now, size = self.kernel.now() // unit, _RINGS[letter]
        for number in range(max(since // unit, now - size + 1), min(-(-until // unit), now + 1)):
            slot = self.kernel.store.record(_KIND, f"{scope}|{letter}{number % size}")
            if slot is not None and slot["at"] == number:
                yield number * unit, slot

    def day(self, scope: str) -> Counter[str]:
        """Sums of the last 24 hours, the one under way included; see `minutes`."""
        now = self.kernel.now() // HOUR
        return self._sum(scope, "h", range(now - 23, now + 1))

    def today(self, scope: str) -> Counter[str]:
        """Sums since midnight UTC; see `minutes`."""
        now = self.kernel.now()
        return self._sum(scope, "h", range(now // DAY * 24, now // HOUR + 1))

    def forget_queue(self, queue: str) -> None:
        """Drop all figures of a queue."""
        self.forget(f"queue:{queue}")

    def forget(self, scope: str) -> None:
        """Drop all figures of a queue or tenant that is deleted."""
        self.kernel.events.settle()
        for letter, size in _RINGS.items():
            for slot in range(size):
                self.kernel.store.delete_record(_KIND, f"{scope}|{letter}{slot}")
