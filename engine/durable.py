"""Checkpoints: state that a worker saves so that the next attempt can go on from it (OJS Durable Execution).

A job has one checkpoint or none; it is kept with the job, outlives its attempts and goes when the job ends.
"""

from __future__ import annotations

import json
from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import refuse
from engine.errors import Conflict, NotFound, PayloadTooLarge
from engine.job import Job
from engine.kernel import Kernel
from engine.times import format_time

MAX_STATE: Final = 1_048_576
"""Size of a checkpoint's state as JSON in UTF-8, bytes (OJS Durable Execution 9.1)."""


class Checkpoints:
    """Saving, reading and clearing checkpoints.

    Args:
        kernel: Store, time, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def save(
        self, job_id: str, state: Any, worker_id: str | None = None, sequence: Any = None
    ) -> dict[str, Any]:
        """Replace the checkpoint of an active job (OJS Durable Execution 4.1).

        Args:
            job_id: The job.
            state: Any JSON value.
            worker_id: Checked against the holder when given.
            sequence: When given, must be greater than the one stored.

        Returns:
            The checkpoint, see `shown`.

        Raises:
            NotFound: No such job.
            Conflict: It is not active, another worker holds it, or the sequence is not greater.
            PayloadTooLarge: The state exceeds `MAX_STATE`.
            InvalidRequest: The sequence is no whole number.
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            self._require(job, worker_id)
            size = check_size(state)
            now = self.kernel.now()
            number = self._sequence(job, sequence)
            job.checkpoint = {"state": state, "sequence": number, "created_at": now}
            self.kernel.store.save(job, job.state)
            self.kernel.emit_job("job.checkpointed", job, {"sequence": number, "size_bytes": size}, now)
            return shown(job)

    @staticmethod
    def _require(job: Job, worker_id: str | None) -> None:
        if job.state != life.ACTIVE:
            raise Conflict(
                f"A checkpoint needs an active job; '{job.id}' is {job.state} (OJS Durable Execution 4.2).",
                details={
                    "job_id": job.id,
                    "current_state": job.state,
                    "operation": "CHECKPOINT",
                    "allowed_states": [life.ACTIVE],
                },
            )
        if worker_id is not None and job.worker_id is not None and worker_id != job.worker_id:
            raise Conflict(
                f"Job '{job.id}' is held by worker '{job.worker_id}', not by '{worker_id:.60}' "
                "(OJS Durable Execution 4.2).",
                details={"job_id": job.id, "current_state": job.state, "worker_id": job.worker_id},
            )

    @staticmethod
    def _sequence(job: Job, wanted: Any) -> int:
        last = job.checkpoint["sequence"] if job.checkpoint else 0
        if wanted is None:
            return int(last) + 1
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise refuse(
                "sequence", wanted, "must be a whole number, at least 0", "OJS Durable Execution 5.1"
            )
        if job.checkpoint and wanted <= last:
            raise Conflict(
                f"Sequence {wanted} is not greater than the stored {last} (OJS Durable Execution 5.1).",
                details={"job_id": job.id, "sequence": last},
            )
        return wanted

    def get(self, job_id: str) -> dict[str, Any]:
        """The checkpoint of a job.

        Raises:
            NotFound: No such job, or it has none.
        """
        job = self.kernel.job(job_id)
        if job.checkpoint is None:
            raise NotFound(
                f"Job '{job.id}' has no checkpoint (OJS Durable Execution 4.3).",
                details={"resource_type": "checkpoint", "resource_id": job.id},
            )
        return shown(job)

    def delete(self, job_id: str) -> bool:
        """Clear a checkpoint; whether there was one. The next one starts at sequence 1.

        Raises:
            NotFound: No such job.
        """
        with self.kernel.store.transaction():
            job = self.kernel.job(job_id)
            if job.checkpoint is None:
                return False
            job.checkpoint = None
            self.kernel.store.save(job, job.state)
            return True


def check_size(state: Any) -> int:
    """Size of a state as JSON in UTF-8, bytes.

    Raises:
        PayloadTooLarge: More than `MAX_STATE`.
    """
    size = len(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
    if size > MAX_STATE:
        raise PayloadTooLarge(
            f"The checkpoint has {size} bytes; the limit is {MAX_STATE} (OJS Durable Execution 9.1).",
            details={"field": "state", "actual_bytes": size, "max_bytes": MAX_STATE},
        )
    return size


def shown(job: Job) -> dict[str, Any]:
    """``{job_id, state, sequence, created_at}`` of a job that has a checkpoint."""
    saved = job.checkpoint or {}
    return {"job_id": job.id, **saved, "created_at": format_time(saved.get("created_at", 0))}
