"""Endpoints of progress and checkpoints (OJS Progress 10, OJS Durable Execution 7)."""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import refuse
from engine.http.route import Call, Feature, Reply, Route
from engine.http.streams import follow, frame
from engine.http.workers import job_id
from engine.job import Job
from engine.progress import shown

FEATURES: Final = (
    Feature("progress", capability="progress"),
    Feature("durable-execution", facts={"max_checkpoint_bytes": 1_048_576}),
)


def _reply(call: Call, body: dict[str, Any]) -> Reply:
    headers = {"Cache-Control": "no-cache"}
    if body["progress"] is not None:
        headers["X-OJS-Progress"] = f"{body['progress']:g}"
    job = call.engine.info(body["job_id"])
    if job.progress:
        from email.utils import formatdate  # noqa: PLC0415 - only where there is progress to date

        headers["Last-Modified"] = formatdate(job.progress["updated_at"] / 1000, usegmt=True)
    return Reply(body, 200, headers)


def report(call: Call) -> Reply:
    """Report how far a job is; also a heartbeat."""
    said = call.engine.extensions.progress.report(job_id(call), call.body, call.text("worker_id"))
    return _reply(call, {**said, "acknowledged": True})


def get(call: Call) -> Reply:
    """How far a job is."""
    return _reply(call, call.engine.extensions.progress.get(call.params["id"]))


def stream(call: Call) -> Reply:
    """Follow a job's progress until it ends."""
    return follow(call, call.params["id"], lambda job: frame("progress", _told(job)), _final)


def _told(job: Job) -> dict[str, Any]:
    body = shown(job)
    return {name: body[name] for name in ("progress", "data", "message", "updated_at")}


def _final(job: Job) -> bytes:
    name = {life.COMPLETED: "completed", life.CANCELLED: "cancelled"}.get(job.state, "failed")
    return frame(name, {**_told(job), "state": job.state})


def save(call: Call) -> Reply:
    """Save what the next attempt can go on from."""
    if "state" not in call.body:
        raise refuse("state", None, "is required: any JSON value", "OJS Durable Execution 4.1")
    saved = call.engine.extensions.checkpoints.save(
        call.params["id"], call.body["state"], call.text("worker_id"), call.body.get("sequence")
    )
    return Reply({"checkpoint": saved, **saved})


def load(call: Call) -> Reply:
    """The latest checkpoint of a job."""
    saved = call.engine.extensions.checkpoints.get(call.params["id"])
    return Reply({"checkpoint": saved, **saved})


def clear(call: Call) -> Reply:
    """Clear a job's checkpoint; clearing it twice does no harm."""
    there = call.engine.extensions.checkpoints.delete(call.params["id"])
    return Reply({"deleted": there, "job_id": call.params["id"]})


_PROGRESS: Final = "OJS Progress 10"
_DURABLE: Final = "OJS Durable Execution 7"

ROUTES: Final = (
    Route("PUT", "/jobs/{id}/progress", report, "PROGRESS", -1, "Report progress.", _PROGRESS),
    Route("POST", "/jobs/{id}/progress", report, "PROGRESS", -1, "Report progress.", _PROGRESS),
    Route("POST", "/workers/progress", report, "PROGRESS", -1, "Report progress.", _PROGRESS),
    Route("GET", "/jobs/{id}/progress", get, "PROGRESS", -1, "Read progress.", _PROGRESS),
    Route("GET", "/jobs/{id}/progress/stream", stream, "PROGRESS", -1, "Follow progress.", _PROGRESS),
    *(
        Route(method, path, handler, "CHECKPOINT", -1, summary, _DURABLE)
        for path in ("/jobs/{id}/checkpoint", "/checkpoints/{id}")
        for method, handler, summary in (
            ("POST", save, "Save a checkpoint."),
            ("PUT", save, "Save a checkpoint."),
            ("GET", load, "Read the checkpoint."),
            ("DELETE", clear, "Clear the checkpoint."),
        )
    ),
)
