"""Execution history: a job's path told in the words of OJS Execution History, and who descends from whom.

What a job's path says, `engine.history_entries` knows; here are the questions, and what becomes of old history.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from engine import lifecycle as life
from engine.history_entries import Entry, entries, of_workflow, together
from engine.job import Job
from engine.kernel import Kernel
from engine.setting import Setting
from engine.storage import Store
from engine.times import DAY, HOUR, MINUTE, format_time, parse_time

MAX_EVENTS: Final = 1000
"""Events of one job that are told; the earliest are left out first (OJS Execution History 6)."""
RETENTION: Final = 30 * DAY
"""How long an event is told, milliseconds (OJS Execution History 6)."""
GROUPS: Final = {"minute": MINUTE, "hour": HOUR, "day": DAY}
MAX_DESCENDANTS: Final = 1000
MAX_DEPTH: Final = 50
"""Generations that a lineage goes down."""
_CHILDREN: Final = "children"
_REBUILT: Final = "history_rebuilt"
"""How many of a job's first moves were worked out afterwards."""


class History:
    """Questions about the history of jobs.

    Args:
        kernel: Store and time.

    Attributes:
        enabled: Whether anything is told at all.
        retention: How long an event is told, milliseconds.
        max_events: Most events of one job that are told, the latest ones.
    """

    enabled = Setting(default=True)
    retention = Setting(RETENTION)
    max_events = Setting(MAX_EVENTS)

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def _kept(self, job: Job) -> list[Entry]:
        if not self.enabled:
            return []
        since = format_time(max(0, self.kernel.now() - self.retention))
        told = entries(job, self._rebuilt(job))
        if told and job.workflow_id is not None:
            told = together(told, of_workflow(self.kernel.store, job))
        return [entry for entry in told if entry["timestamp"] >= since][-self.max_events :]

    def _rebuilt(self, job: Job) -> int:
        record = self.kernel.store.record(_REBUILT, job.id)
        return 0 if record is None else int(record["moves"])

    def of(self, job_id: str) -> list[Entry]:
        """The history of one job, oldest first.

        Raises:
            NotFound: No such job.
        """
        return self._kept(self.kernel.job(job_id))

    def purge(self, job_id: str) -> int:
        """Forget a job's history, as the right to erasure asks; how many events went (OJS Execution History 7.3).

        Raises:
            NotFound: No such job.
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            count = len(self._kept(job))
            self._forget(job, len(job.trail))
        return count

    def _forget(self, job: Job, count: int) -> None:
        """Forget the first moves of a job."""
        moves = job.trail
        starts = sum(operation == life.FETCH for _, operation, _ in moves[count:])
        job.trail = moves[count:]
        job.holders = (job.holders or [])[-starts:] if starts else None
        self.kernel.store.save(job, job.state)
        self._mark(job, max(0, self._rebuilt(job) - count))

    def _mark(self, job: Job, moves: int) -> None:
        if moves:
            self.kernel.store.put_record(_REBUILT, job.id, {"moves": moves})
        elif self._rebuilt(job):
            self.kernel.store.delete_record(_REBUILT, job.id)

    def rebuild(self, job_id: str) -> dict[str, Any]:
        """Work out the beginning of a job's history from the job itself, where it is lost (9.5).

        Returns:
            ``{job_id, events_reconstructed, approximate, gaps}``; what is not lost stays as it was.

        Raises:
            NotFound: No such job.
        """
        from engine.history_rebuild import rebuild  # noqa: PLC0415 - history is seldom lost

        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            kept, gaps = job.trail, list[str]()
            if not kept or kept[0][1] != life.PUSH:
                moves, gaps = rebuild(job)
                lost = [move for move in moves if not kept or move[0] < kept[0][0]]
                starts = sum(operation == life.FETCH for _, operation, _ in lost)
                job.trail = lost + kept
                job.holders = [*([None] * starts), *(job.holders or [])] or None
                self.kernel.store.save(job, job.state)
                self._mark(job, len(lost))
        count = sum("metadata" in entry for entry in entries(job, self._rebuilt(job)))
        return {"job_id": job.id, "events_reconstructed": count, "approximate": bool(gaps), "gaps": gaps}

    def search(
        self, wanted: dict[str, Any], limit: int, offset: int, scan: int = 1000
    ) -> tuple[list[Entry], int]:
        """Events of the latest jobs, newest first (OJS Execution History 7.4).

        Args:
            wanted: ``start``, ``end`` (ms), ``actor_type``, ``query``; sets ``event_types``, ``queues``, ``job_types``.
            limit: Most events returned.
            offset: How many that match are passed over first.
            scan: How many of the latest jobs are looked at.

        Returns:
            The events, and how many match among the jobs that were looked at.
        """
        queues, kinds = wanted.get("queues"), wanted.get("job_types")
        jobs = self.kernel.store.jobs(
            keep=lambda job: (not queues or job.queue in queues) and (not kinds or job.type in kinds),
            limit=scan,
        )
        each = [entry for job in jobs for entry in reversed(self._kept(job)) if _fits(entry, wanted)]
        found = list(
            {entry["id"]: entry for entry in each}.values()
        )  # the jobs of a workflow share its events
        found.sort(key=lambda entry: entry["timestamp"], reverse=True)
        return found[offset : offset + limit], len(found)

    def purge_before(self, before: int, queues: set[str]) -> int:
        """Forget what all jobs did before an instant; how many moves went (OJS Execution History 7.6).

        Args:
            before: Instant, milliseconds; what happened at it stays.
            queues: Only jobs of these queues; all when empty.
        """
        count = 0
        with self.kernel.store.transaction():
            for job in self.kernel.store.jobs(
                keep=lambda job: not queues or job.queue in queues, limit=sys.maxsize
            ):
                old = sum(at < before for at, _, _ in job.trail)  # a path is in the order of time
                count += old
                if old:
                    self._forget(job, old)
        return count

    def stats(self, wanted: dict[str, Any], group: str) -> list[dict[str, Any]]:
        """Counts by time, oldest first, of the latest jobs (OJS Execution History 7.5).

        Args:
            wanted: As for `search`.
            group: One of `GROUPS`.
        """
        events, _ = self.search(wanted, sys.maxsize, 0)
        found: dict[int, dict[str, int]] = {}
        durations: dict[int, list[int]] = {}
        for event in reversed(events):
            start = parse_time(event["timestamp"]) // GROUPS[group] * GROUPS[group]
            counts = found.setdefault(start, {})
            counts[event["event_type"]] = counts.get(event["event_type"], 0) + 1
            if event["event_type"] == "job.attempt_completed":
                durations.setdefault(start, []).append(event["data"]["duration_ms"])
        return [
            {"timestamp": format_time(at), "events": found[at], **_spread(durations.get(at))}
            for at in sorted(found)
        ]

    # lineage

    def born(self, job: Job) -> None:
        """Note a new job with its parent, if it names one (OJS Execution History 5)."""
        parent = parent_of(job)
        if parent is not None:
            record = self.kernel.store.record(_CHILDREN, parent) or {"ids": []}
            record["ids"].append(job.id)
            self.kernel.store.put_record(_CHILDREN, parent, record)

    def lineage(self, job_id: str) -> dict[str, Any]:
        """A job's ancestors by name and its descendants as a tree (OJS Execution History 7.2).

        Raises:
            NotFound: No such job.
        """
        job = self.kernel.job(job_id)
        room = [MAX_DESCENDANTS]  # shared by all branches of the tree
        return {
            "job_id": job.id,
            "parent_id": parent_of(job),
            "workflow_id": job.workflow_id or (job.extra or {}).get("workflow_id"),
            "root_id": (job.extra or {}).get("root_id") or _root(self.kernel.store, job),
            "children": self._children(job.id, room, MAX_DEPTH),
        }

    def _children(self, parent: str, room: list[int], depth: int) -> list[dict[str, Any]]:
        record = self.kernel.store.record(_CHILDREN, parent)
        found: list[dict[str, Any]] = []
        for child in record["ids"] if record else ():
            if room[0] <= 0 or depth <= 0:
                break
            room[0] -= 1
            found.append({"job_id": child, "children": self._children(child, room, depth - 1)})
        return found


def _spread(durations: list[int] | None) -> dict[str, float | None]:
    if not durations:
        return {"avg_duration_ms": None, "p95_duration_ms": None}
    ordered = sorted(durations)
    return {
        "avg_duration_ms": round(sum(ordered) / len(ordered), 3),
        "p95_duration_ms": ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)],
    }


def parent_of(job: Job) -> str | None:
    """The job that spawned this one, if it says so."""
    extra = job.extra or {}
    parent = extra.get("parent_id") or extra.get("ext_agent_parent_id")
    return parent if isinstance(parent, str) and parent != job.id else None


def _root(store: Store, job: Job) -> str | None:
    here: Job | None = job
    root: str | None = None
    for _ in range(100):
        parent = parent_of(here) if here is not None else None
        if parent is None:
            break
        root, here = parent, store.get(parent)
    return root


def _fits(entry: Entry, wanted: dict[str, Any]) -> bool:
    start, end, kinds = wanted.get("start"), wanted.get("end"), wanted.get("event_types")
    text, actor = wanted.get("query"), wanted.get("actor_type")
    return (
        (start is None or entry["timestamp"] >= format_time(start))
        and (end is None or entry["timestamp"] < format_time(end))
        and (not kinds or entry["event_type"] in kinds)
        and (not actor or entry["actor"]["type"] == actor)
        and (not text or text.lower() in json.dumps(entry["data"], ensure_ascii=False).lower())
    )
