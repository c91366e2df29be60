"""Maintenance: no job is handed out, nothing scheduled comes up, cron rests; jobs are taken (OJS Admin API 12.1)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from engine import lifecycle as life
from engine.job import Job
from engine.kernel import Kernel
from engine.times import format_time

if TYPE_CHECKING:
    from engine.storage import Store

_KIND: Final = "maintenance"
_KEY: Final = "mode"


def rests(store: Store) -> bool:
    """Whether the server is under maintenance."""
    return _KIND in store.kinds and store.record(_KIND, _KEY) is not None


class Maintenance:
    """The mode, and what waits for its end.

    Args:
        kernel: Store and time.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def shown(self) -> dict[str, Any]:
        """``{maintenance, reason, enabled_at, estimated_end}``."""
        record = self.kernel.store.record(_KIND, _KEY) or {"reason": None, "since": None, "until": None}
        return {
            "maintenance": record["since"] is not None,
            "reason": record["reason"],
            "enabled_at": _shown(record["since"]),
            "estimated_end": _shown(record["until"]),
        }

    def begin(self, reason: str | None, duration: int | None) -> dict[str, Any]:
        """Begin, or tell more of what goes on already.

        Args:
            reason: Why, for people.
            duration: How long it may take from now, milliseconds; the mode does not end by itself.
        """
        with self.kernel.store.transaction():
            now = self.kernel.now()
            before = self.kernel.store.record(_KIND, _KEY)
            record = {
                "reason": reason,
                "since": now if before is None else before["since"],
                "until": None if duration is None else now + duration,
            }
            self.kernel.store.put_record(_KIND, _KEY, record)
        return self.shown()

    def end(self) -> dict[str, Any]:
        """End it: what has come due meanwhile comes up now, in the order in which it would have."""
        store = self.kernel.store
        with store.transaction():
            if store.delete_record(_KIND, _KEY):
                now = self.kernel.now()
                held = store.jobs(
                    states=[life.SCHEDULED],
                    keep=lambda job: job.held_due is not None and job.held_due == job.scheduled_at,
                    limit=sys.maxsize,
                    newest=False,
                )
                for job in sorted(held, key=lambda job: job.held_due or 0):
                    job.held_due = None
                    self.kernel.move(job, life.DUE, life.AVAILABLE, now)
        return self.shown()

    def holds(self, job: Job) -> bool:
        """Whether a scheduled job whose time has come stays where it is until the end; inside a transaction."""
        if not rests(self.kernel.store):
            return False
        job.held_due = job.scheduled_at
        self.kernel.store.save(job, job.state)
        return True


def _shown(at: int | None) -> str | None:
    return None if at is None else format_time(at)
