"""Throughput: what was enqueued, started, completed and failed lately, for each queue and tenant.

The minute under way is one small record, and two rings hold what was before, sixty minutes and twenty-four hours: so
counting a move touches one record, and reading a figure a fixed number, however many jobs there are
(OJS HTTP Binding 11.2).
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from engine import lifecycle as life
from engine.job import Job
from engine.kernel import Kernel
from engine.times import DAY, HOUR, MINUTE

_KIND: Final = "figures"
_MINUTES: Final = 60
_HOURS: Final = 24
_FAILURES: Final = frozenset({life.FAIL, life.TIMEOUT, life.RESERVATION})


class Figures:
    """Counts every move of the kernel.

    Args:
        kernel: Whose moves it hears of.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def moved(self, job: Job, was: str, operation: str) -> None:
        """Count a finished move."""
        now = job.trail[-1][0]
        timed, took = "", 0
        if operation == life.PUSH:
            name = "enqueued"
        elif operation == life.FETCH:
            name, timed, took = "started", "wait_ms", now - (job.enqueued_at or now)
        elif operation == life.ACK:
            name, timed, took = "completed", "duration_ms", now - (job.started_at or now)
        elif was == life.ACTIVE and operation in _FAILURES and job.error is not None:
            name = "failed"
        else:
            return
        self._add("queue:" + job.queue, now, name, timed, took)
        if job.meta is not None and job.tenant is not None:
            self._add("tenant:" + job.tenant, now, name, timed, took)

    def _add(self, scope: str, now: int, name: str, timed: str, took: int) -> None:
        """Count one more, and how long it took, in the minute under way; the one before it goes into the rings."""
        store, number = self.kernel.store, now // MINUTE
        running = store.record(_KIND, scope)
        if running is None or running["at"] != number:
            if running is not None:
                self._keep(scope, running)
            running = {"at": number}
        try:  # fails once a minute and name, whose duration comes with it
            running[name] += 1
            if timed:
                running[timed] += took
        except KeyError:
            running[name] = 1
            if timed:
                running[timed] = took
        store.put_record(_KIND, scope, running)

    def _keep(self, scope: str, minute: dict[str, int]) -> None:
        at = minute["at"]
        for letter, number, size in (("m", at, _MINUTES), ("h", at * MINUTE // HOUR, _HOURS)):
            key = f"{scope}|{letter}{number % size}"
            slot = self.kernel.store.record(_KIND, key)
            if slot is None or slot["at"] != number:
                slot = {"at": number}
            for name, amount in _amounts(minute):
                slot[name] = slot.get(name, 0) + amount
            self.kernel.store.put_record(_KIND, key, slot)

    def _sum(self, scope: str, letter: str, numbers: range, size: int) -> Counter[str]:
        total: Counter[str] = Counter()
        for number in numbers:
            slot = self.kernel.store.record(_KIND, f"{scope}|{letter}{number % size}")
            if slot is not None and slot["at"] == number:
                total.update(dict(_amounts(slot)))
        running = self.kernel.store.record(_KIND, scope)
        if running is not None:
            at = running["at"] if letter == "m" else running["at"] * MINUTE // HOUR
            if at in numbers:
                total.update(dict(_amounts(running)))
        return total

    def minutes(self, scope: str, count: int) -> Counter[str]:
        """Sums of the last ``count`` minutes (at most 60), the one under way included.

        Args:
            scope: ``queue:NAME`` or ``tenant:ID``.
            count: How many minutes.

        Returns:
            ``enqueued``, ``started``, ``wait_ms``, ``completed``, ``duration_ms``, ``failed``; 0 where nothing was.
        """
        now = self.kernel.now() // MINUTE
        return self._sum(scope, "m", range(now - count + 1, now + 1), _MINUTES)

    def day(self, scope: str) -> Counter[str]:
        """Sums of the last 24 hours, the one under way included; see `minutes`."""
        now = self.kernel.now() // HOUR
        return self._sum(scope, "h", range(now - _HOURS + 1, now + 1), _HOURS)

    def today(self, scope: str) -> Counter[str]:
        """Sums since midnight UTC; see `minutes`."""
        now = self.kernel.now()
        return self._sum(scope, "h", range(now // DAY * 24, now // HOUR + 1), _HOURS)

    def forget_queue(self, queue: str) -> None:
        """Drop all figures of a queue."""
        self.forget(f"queue:{queue}")

    def forget(self, scope: str) -> None:
        """Drop all figures of a queue or tenant that is deleted."""
        for letter, size in (("m", _MINUTES), ("h", _HOURS)):
            for slot in range(size):
                self.kernel.store.delete_record(_KIND, f"{scope}|{letter}{slot}")
        self.kernel.store.delete_record(_KIND, scope)


def _amounts(slot: dict[str, int]) -> list[tuple[str, int]]:
    return [(name, amount) for name, amount in slot.items() if name != "at"]
