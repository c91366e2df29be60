"""What a step's job is handed: the results of those before it, and the trace (OJS Workflows 7).

Reads the records; writes only that a workflow has found its trace.
"""

from __future__ import annotations

from typing import Any, Final

from engine.job import Job
from engine.workflow_events import outcome
from engine.workflow_plan import CHAIN, COMPENSATION, GRAPH, SAGA
from engine.workflow_records import Record, Records

_ORIGIN: Final = "ojs.workflow.trace_origin"


def inputs(records: Records, record: Record, step: Record) -> list[Any]:
    """The results that a step is handed.

    Of a chain those of all steps before it, of a graph those that it depends on, of a callback those of all jobs
    (errors included), of a compensation that of the step it undoes; the first steps get what came from outside.
    """
    key = record["id"]
    if step["when"] == COMPENSATION:
        return [records.step(key, step["undoes"])["result"]]
    if record["type"] in {CHAIN, SAGA}:
        before = records.plan(key)["steps"][: step["index"]]
        return [records.step(key, one)["result"] for one in before] or list(record["inherited"])
    if record["type"] == GRAPH:
        needs = records.needs(key, step["id"])
        return [outcome(records.step(key, one)) for one in needs] or list(record["inherited"])
    if step["when"] is None:
        return list(record["inherited"])
    return [outcome(records.step(key, one)) for one in records.plan(key)["steps"]]


def hand_on_trace(records: Records, record: Record, step: Record, job: Job) -> None:
    """Give a job the trace of its workflow's origin and of the step before it (OJS Distributed Tracing 6.3)."""
    origin = record["trace"] or (job.meta or {}).get("traceparent")
    if not isinstance(origin, str):
        return
    if record["trace"] is None:
        record["trace"] = origin
        records.put(record)
    meta = {"traceparent": origin, **(job.meta or {}), _ORIGIN: origin}
    if record["type"] in {CHAIN, SAGA} and step["index"] > 0 and step["when"] is None:
        before = records.step(record["id"], records.plan(record["id"])["steps"][step["index"] - 1])
        earlier = records.store.get(before["job_id"]) if before["job_id"] else None
        if earlier is not None and "traceparent" not in (step["body"].get("meta") or {}):
            meta["traceparent"] = (earlier.meta or {}).get("traceparent", origin)
    job.meta = meta
