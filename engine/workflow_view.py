"""How workflows are shown: state, counters, steps and errors as JSON values (OJS Workflows 11.2, OpenAPI Workflow).

Typed workflows show their steps' states in the words of OJS Workflows 4.4, step graphs in those of the HTTP
Binding 14, which are the jobs' own. Nothing is changed here.
"""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.job import Job
from engine.times import format_time
from engine.workflow_plan import BATCH, GRAPH, GROUP, SAGA
from engine.workflow_records import ENDED, ENQUEUED, FAILED, WAITING, Record, Records

_TIMES: Final = ("started_at", "completed_at", "cancelled_at")


def summary(record: Record) -> dict[str, Any]:
    """A workflow without its steps."""
    metadata: dict[str, Any] = {"created_at": format_time(record["created_at"])}
    metadata |= {name: format_time(record[name]) for name in _TIMES if record[name] is not None}
    metadata |= {
        "job_count": record["jobs_total"],
        "completed_count": record["jobs_completed"],
        "failed_count": record["jobs_failed"],
        "cancelled_count": record["jobs_cancelled"],
    }
    shown: dict[str, Any] = {
        "id": record["id"],
        "type": record["type"],
        "name": record["name"],
        "state": record["state"],
        "steps_total": record["total"],
        "steps_completed": record["completed"],
        "steps_failed": record["failed"],
        "steps_cancelled": record["cancelled"],
        "jobs_total": record["jobs_total"],
        "jobs_completed": record["jobs_completed"],
        "jobs_failed": record["jobs_failed"],
        "jobs_cancelled": record["jobs_cancelled"],
        **{name: time for name, time in metadata.items() if name.endswith("_at")},
        "metadata": metadata,
    }
    if record["parent"] is not None:
        shown["parent_workflow_id"], shown["parent_step_id"] = record["parent"]
    if record["error"] is not None:
        shown["error"] = record["error"]["error"]
        metadata |= {name: value for name, value in record["error"].items() if value is not None}
    return shown


def whole(records: Records, record: Record) -> dict[str, Any]:
    """A workflow with all its steps, those of nested workflows too, and the errors of those that failed."""
    steps = list(records.steps(record["id"]))
    shown = summary(record)
    pairs = [(step, _step(records, record, step)) for step in steps]
    regular = [body for step, body in pairs if step["when"] is None or record["type"] == GRAPH]
    shown["steps"] = regular
    if record["type"] in {GROUP, BATCH}:
        shown["jobs"] = regular
    if record["type"] == BATCH:
        shown["callbacks"] = {step["when"]: body for step, body in pairs if step["when"] is not None}
    if record["type"] == SAGA:
        shown["compensations"] = [
            {**body, "undoes": step["undoes"]} for step, body in pairs if step["undoes"]
        ]
    failed = [step for step in steps if step["error"] is not None]
    if failed:
        shown["metadata"]["failed_job_ids"] = [
            step["job_id"] for step in failed if step["job_id"] is not None
        ]
        shown["metadata"]["errors"] = shown["errors"] = [_failure(step) for step in failed]
    return shown


def _failure(step: Record) -> dict[str, Any]:
    """A failed step's error as the standard lists it (OJS Workflows 9.6)."""
    error = step["error"]
    shown = {
        "job_id": step["job_id"],
        "step_id": step["id"],
        "code": error["code"],
        "message": error["message"],
        "attempt": step["attempt"],
    }
    return shown if step["when"] is None else shown | {"callback": step["when"]}


def _step(records: Records, record: Record, step: Record) -> dict[str, Any]:
    graph = record["type"] == GRAPH
    job = None if step["job_id"] is None else records.store.get(step["job_id"])
    shown: dict[str, Any] = {"index": step["index"], "id": step["id"], "type": step["type"]}
    if step["name"] is not None:
        shown["name"] = step["name"]
    if step["workflow"] is not None:
        inner = records.workflow(step["workflow"])
        shown |= whole(records, inner) | {
            "index": step["index"],
            "id": step["id"],
            "workflow_id": inner["id"],
        }
    shown["state"] = _state(step, job, graph=graph)
    shown["job_id"] = step["job_id"]
    if step["body"] is not None:
        shown["args"] = step["body"]["args"]
    if graph:
        shown["depends_on"] = records.needs(record["id"], step["id"])
    if step["when"] is not None:
        shown["callback_type"] = step["when"]
    started = step["started_at"] if job is None or step["state"] in ENDED else job.started_at
    if started is not None:
        shown["started_at"] = format_time(started)
    if step["ended_at"] is not None and step["cause"] is None:
        shown["completed_at"] = format_time(step["ended_at"])
    if step["result"] is not None:
        shown["result"] = step["result"]
    if step["error"] is not None:
        shown["error"] = step["error"]
    return shown


def _state(step: Record, job: Job | None, *, graph: bool) -> str:
    state: str = step["state"]
    if state == WAITING:
        return life.PENDING if graph else WAITING
    if state != ENQUEUED or job is None:
        return state
    if graph or job.state == life.ACTIVE:
        return job.state
    return life.PENDING


def progress(records: Records, record: Record) -> dict[str, Any]:
    """How far a workflow is, from 0 to 1, and each of its steps (OJS Progress 9)."""
    steps = [step for step in records.steps(record["id"]) if step["when"] is None]
    shares = [_share(records, step) for step in steps]
    counted = [1.0 if step["state"] in ENDED else 0.0 for step in steps]
    exact = counted if record["type"] == BATCH else [share or 0.0 for share in shares]
    shown = []
    for step, share in zip(steps, shares, strict=True):
        job = None if step["job_id"] is None else records.store.get(step["job_id"])
        body = {
            "step_id": step["id"],
            "job_id": step["job_id"],
            "type": step["type"],
            "state": _state(step, job, graph=record["type"] == GRAPH),
            "progress": share,
        }
        data = None if job is None or job.progress is None else job.progress.get("data")
        shown.append(body if data is None else body | {"data": data})
    return {
        "workflow_id": record["id"],
        "type": record["type"],
        "state": record["state"],
        "progress": round(sum(exact) / len(exact), 4),
        "steps": shown,
    }


def _share(records: Records, step: Record) -> float | None:
    """How far a step is, from 0 to 1, or None where nothing is known."""
    if step["state"] in ENDED:
        return None if step["cause"] is not None else 0.0 if step["state"] == FAILED else 1.0
    if step["workflow"] is not None:
        return float(progress(records, records.workflow(step["workflow"]))["progress"])
    job = None if step["job_id"] is None else records.store.get(step["job_id"])
    value = None if job is None or job.progress is None else job.progress.get("progress")
    return float(value) if isinstance(value, int | float) else None
