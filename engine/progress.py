"""Progress: what a worker says of how far it is, and what comes of it (OJS Progress).

An update is also a heartbeat. One that comes too late, or would go back, is passed over and never refused.
"""

from __future__ import annotations

import math
from typing import Any, Final

from engine import lifecycle as life
from engine.durable import check_size
from engine.envelope import refuse
from engine.errors import InvalidRequest
from engine.job import Job
from engine.kernel import Kernel
from engine.times import MINUTE, SECOND, format_time

EVENT_EVERY: Final = SECOND
"""At most one progress event a job in this time, milliseconds; the value is always stored (OJS Progress 6.2)."""


STALLED: Final = MINUTE
"""A running job that has reported progress and reports none for this long is said to have stalled, milliseconds."""
TIMER: Final = "progress"


class Progress:
    """Reporting and reading progress.

    Args:
        kernel: Store, time, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def report(self, job_id: str, body: dict[str, Any], worker_id: str | None = None) -> dict[str, Any]:
        """Take an update of an active job's attempt; of any other job it is ignored (OJS Progress 6.1).

        Args:
            job_id: The job.
            body: ``{progress?, data?, message?, checkpoint?}``; at least progress or data.
            worker_id: An update by a worker that does not hold the job is ignored.

        Returns:
            The progress as it is now, see `shown`.

        Raises:
            NotFound: No such job.
            InvalidRequest: Neither progress nor data, or a value of the wrong type.
            PayloadTooLarge: The checkpoint exceeds its limit.
        """
        share, data, message = _share(body), body.get("data"), body.get("message")
        if data is not None and not isinstance(data, dict):
            raise refuse("data", data, "must be an object", "OJS Progress 5.2")
        if message is not None and not isinstance(message, str):
            raise refuse("message", message, "must be a string", "OJS Progress 5.2")
        if share is None and data is None:
            raise InvalidRequest(
                "'progress' or 'data' is required: a number from 0 to 1, or an object (OJS Progress 5.2).",
                details={"field": "progress", "rule": "required", "clause": "OJS Progress 5.2"},
            )
        checkpoint = body.get("checkpoint")
        if checkpoint is not None:
            check_size(checkpoint)
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            stranger = worker_id is not None and job.worker_id is not None and worker_id != job.worker_id
            if job.state == life.ACTIVE and not stranger:
                self._store(job, share, data, message, checkpoint)
            return shown(job)

    def _store(self, job: Job, share: float | None, data: Any, message: str | None, checkpoint: Any) -> None:
        now = self.kernel.now()
        last = job.progress or {"progress": None, "data": None, "message": None, "event_at": None}
        if share is not None and last["progress"] is not None:
            share = max(share, last["progress"])  # OJS Progress 5.1: never back within an attempt
        told = last["event_at"]
        tell = told is None or now - told >= EVENT_EVERY or (share == 1.0 and last["progress"] != 1.0)
        job.progress = {
            "progress": last["progress"] if share is None else share,
            "data": last["data"] if data is None else data,
            "message": last["message"] if message is None else message,
            "updated_at": now,
            "event_at": now if tell else told,
        }
        if checkpoint is not None:
            number = job.checkpoint["sequence"] + 1 if job.checkpoint else 1
            job.checkpoint = {"state": checkpoint, "sequence": number, "created_at": now}
        job.beat_at = now  # OJS Timeouts 9.3: it is a sign of life
        if job.reservation:
            job.reserved_until = max(job.reserved_until or 0, now + job.reservation)
        self.kernel.store.save(job, job.state)
        self.kernel.store.set_timer(TIMER, job.id, now + STALLED)
        if tell:
            self._tell(job, now)

    def due(self, job_id: str, instant: int) -> None:
        """Tell of a job that has stopped reporting, if it still runs (OJS Progress 11.1)."""
        job = self.kernel.store.get(job_id)
        said = job.progress if job is not None and job.state == life.ACTIVE else None
        if job is not None and said is not None and said["updated_at"] + STALLED == instant:
            last = {"last_progress": said["progress"], "last_update": format_time(said["updated_at"])}
            self.kernel.emit_job("progress.stalled", job, last, instant)

    def _tell(self, job: Job, now: int) -> None:
        said = job.progress or {}
        percent = None if said["progress"] is None else round(100 * said["progress"], 4)
        data = {
            "worker_id": job.worker_id or "",
            "progress": said["progress"],
            "progress_percent": percent,
            "progress_message": said["message"],
            "data": said["data"],
        }
        self.kernel.emit_job("job.progress", job, {k: v for k, v in data.items() if v is not None}, now)

    def get(self, job_id: str) -> dict[str, Any]:
        """The progress of a job; null where none was reported (OJS Progress 7.1).

        Raises:
            NotFound: No such job.
        """
        return shown(self.kernel.job(job_id))


def _share(body: dict[str, Any]) -> float | None:
    """The number, clamped to 0 to 1; one SDK counts in percent and names it so."""
    value = body.get("progress")
    scale = 1
    if value is None:
        field = next((name for name in ("percentage", "percent", "progress_percent") if name in body), "")
        value, scale = body.get(field), 100
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise refuse("progress", value, "must be a number from 0 to 1", "OJS Progress 5.1")
    return float(min(1, max(0, value / scale)))


def shown(job: Job) -> dict[str, Any]:
    """``{job_id, state, progress, data, message, updated_at}``, null where nothing was reported."""
    said = job.progress
    return {
        "job_id": job.id,
        "state": job.state,
        "progress": said["progress"] if said else None,
        "data": said["data"] if said else None,
        "message": said["message"] if said else None,
        "updated_at": format_time(said["updated_at"]) if said else None,
    }
