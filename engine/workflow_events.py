"""What is told of workflows: the events, and the shapes of outcomes and errors (OJS Workflows 9.6 and Appendix B).

Only shaping; when something is told is `engine.workflows`'s business.
"""

from __future__ import annotations

from typing import Any

from engine import lifecycle as life
from engine.job import Job
from engine.kernel import Kernel
from engine.times import format_time
from engine.workflow_plan import CHAIN, GRAPH
from engine.workflow_records import COMPLETED, Record


def emit(kernel: Kernel, kind: str, record: Record, data: dict[str, Any]) -> None:
    """Record an event about a workflow; the fields that each of them has are added here (OJS Events 4.4)."""
    common = {"workflow_id": record["id"], "workflow_name": record["name"], "workflow_type": record["type"]}
    kernel.events.emit(kernel.now(), kind, record["id"], common | data)


def step_ended(kernel: Kernel, record: Record, step: Record) -> None:
    """The event of an ended step: of chains and graphs a step's, of groups and batches a job's (Appendix B)."""
    noun = "step" if record["type"] in {CHAIN, GRAPH} else "job"
    started = step["started_at"]
    remaining = record["total"] - record["completed"] - record["failed"] - record["cancelled"]
    data = {
        "step_id": step["id"],
        "step_index": step["index"],
        "step_type": step["type"],
        "job_id": step["job_id"],
        "duration_ms": 0 if started is None else step["ended_at"] - started,
        "steps_remaining": remaining,
        "remaining_steps": remaining,
    }
    if step["state"] == COMPLETED:
        emit(kernel, f"workflow.{noun}_completed", record, data)
    else:
        emit(kernel, f"workflow.{noun}_failed", record, data | {"error": step["error"] or {}})


def outcome(step: Record) -> Any:
    """What is handed on of an ended step: its result, or its error if it has none (OJS Results 9.1)."""
    if step["state"] == COMPLETED or step["error"] is None:
        return step["result"]
    return {"error": step["error"]}


def blame(step: Record) -> dict[str, Any]:
    """Which step made its workflow fail, and why."""
    return {
        "failed_step_id": step["id"],
        "failed_step_index": step["index"],
        "failed_step_type": step["type"],
        "callback": step["when"],
        "error": step["error"] or {"code": "unknown", "message": ""},
    }


def job_error(job: Job, was: str) -> Record:
    """Why a job ended without success; ``was`` is its state before."""
    if job.state == life.DISCARDED and job.error is not None:
        return job.error
    if job.state == life.CANCELLED:
        return {"code": "job_cancelled", "message": f"The job was cancelled while it was {was}."}
    at = "" if job.expires_at is None else f" at {format_time(job.expires_at)}"
    return {"code": "job_expired", "message": f"The job expired{at} before it could run."}
