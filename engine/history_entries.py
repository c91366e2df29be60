"""A job's path told in the words of OJS Execution History 3 and 4, and its workflow's beside it.

Nothing is recorded for this: the path is the job's own trail, the names of workers stand beside it, and a workflow's
record has its times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from engine import lifecycle as life
from engine.job import Job
from engine.storage import Store
from engine.times import format_time
from engine.workflow_records import COMPLETED, ENDED, KIND, Record, Records

_ACTORS: Final = {
    life.PUSH: "client",
    life.CANCEL: "client",
    life.ACTIVATE: "client",
    life.RETRY: "user",
    life.FETCH: "worker",
    life.ACK: "worker",
    life.FAIL: "worker",
}
FAILURES: Final = frozenset({life.FAIL, life.TIMEOUT, life.RESERVATION})
Entry = dict[str, Any]


def entries(job: Job, rebuilt: int = 0) -> list[Entry]:
    """The job's history, oldest first (OJS Execution History 3.1, 4).

    Args:
        job: The job.
        rebuilt: How many of its first moves were worked out afterwards (`engine.history_rebuild`).
    """
    return list(_Teller(job, rebuilt).tell())


class _Teller:
    """Tells one job's path. Where its beginning is forgotten, attempts and workers are counted from the end."""

    def __init__(self, job: Job, rebuilt: int) -> None:
        self.job = job
        self.rebuilt = rebuilt
        self.told = 0
        moves = job.trail
        starts = sum(operation == life.FETCH for _, operation, _ in moves)
        holders = list(job.holders or [])[-starts:] if starts else []
        self.holders = iter([None] * (starts - len(holders)) + holders)
        self.errors = {(error["timestamp"], error["attempt"]): error for error in job.errors or []}
        whole = bool(moves) and moves[0][1] == life.PUSH
        self.attempt = 0 if whole else max(0, job.attempt - starts)
        self.started = 0
        self.holder: str | None = None

    def tell(self) -> Iterator[Entry]:
        was = life.NEW
        for index, (at, operation, state) in enumerate(self.job.trail):
            for kind, data in self._move(at, operation, state, was):
                yield self._entry(at, operation, kind, data, reconstructed=index < self.rebuilt)
            was = state

    def _move(self, at: int, operation: str, state: str, was: str) -> Iterator[tuple[str, Entry]]:
        job = self.job
        if operation == life.RETRY and was == life.DISCARDED:
            self.attempt = 0
        elif operation == life.FETCH:
            self.attempt, self.started, self.holder = self.attempt + 1, at, next(self.holders)
        if operation == life.PUSH:
            size = len(json.dumps(job.args, separators=(",", ":")))
            yield (
                "job.created",
                {"queue": job.queue, "type": job.type, "args_size_bytes": size, "state": state},
            )
        else:
            yield "job.state_changed", {"from": was, "to": state}
        if operation == life.CANCEL:
            yield "job.cancelled", {}
        elif operation == life.FETCH:
            yield "job.attempt_started", {"worker_id": self.holder, "attempt": self.attempt}
        elif operation == life.ACK:
            yield "job.attempt_completed", {"duration_ms": at - self.started, "attempt": self.attempt}
        elif operation in FAILURES:
            yield (
                "job.attempt_failed",
                {
                    "error": self.errors.get((format_time(at), self.attempt)),
                    "will_retry": state != life.DISCARDED,
                    "attempt": self.attempt,
                },
            )
        if state == life.DISCARDED:
            last = (job.error or {}).get("message")
            yield "job.discarded", {"total_attempts": self.attempt, "last_error": last}

    def _entry(self, at: int, operation: str, kind: str, data: Entry, *, reconstructed: bool) -> Entry:
        actor = _ACTORS.get(operation, "system")
        number, self.told = self.told, self.told + 1
        return {
            "id": f"evt_{self.job.id}_{number}",
            "job_id": self.job.id,
            "event_type": kind,
            "timestamp": format_time(at),
            "actor": {"type": actor, "id": (self.holder or "") if actor == "worker" else ""},
            "data": data,
            **({"metadata": {"reconstructed": True}} if reconstructed else {}),
        }


def of_workflow(store: Store, job: Job) -> list[Entry]:
    """What its workflow, and those around it, went through, as far as it is the job's history too (3.3).

    A workflow's creation and end are one event each, told by all its jobs under one id.
    """
    key = job.workflow_id
    if key is None or store.record(KIND, key) is None:
        return []
    records = Records(store)
    found: list[Entry] = []
    for record in records.around(key):
        facts = {"workflow_id": record["id"], "workflow_type": record["type"]}
        created = {**facts, "total_jobs": record["jobs_total"]}
        found.append(_told(job, record, "created", record["created_at"], created))
        if record["state"] in ENDED and record["completed_at"] is not None:
            at = record["completed_at"]
            ended = {**facts, "duration_ms": at - record["created_at"], "status": record["state"]}
            found.append(_told(job, record, "completed", at, ended))
    step = records.step_of(job)
    if step is not None and step["state"] == COMPLETED:
        facts = {"workflow_id": key, "step_index": step["index"], "job_id": job.id}
        found.append(_told(job, records.workflow(key), "step_completed", step["ended_at"], facts, step["id"]))
    return found


def _told(job: Job, record: Record, what: str, at: int, data: Entry, step: str = "") -> Entry:
    return {
        "id": "_".join(part for part in ("evt", record["id"], step, what) if part),
        "job_id": job.id,
        "event_type": f"workflow.{what}",
        "timestamp": format_time(at),
        "actor": {"type": "system", "id": ""},
        "data": data,
    }


def together(of_job: list[Entry], of_workflow: list[Entry]) -> list[Entry]:
    """Both in the order of time; at one instant a workflow is created first and ends last."""
    place = {"workflow.created": 0, "workflow.step_completed": 2, "workflow.completed": 3}
    return sorted(
        [*of_job, *of_workflow], key=lambda entry: (entry["timestamp"], place.get(entry["event_type"], 1))
    )
