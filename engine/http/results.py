"""Endpoints of results (OJS Results 8 to 10)."""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import refuse
from engine.http.message import Hold
from engine.http.route import Call, Feature, Reply, Route
from engine.http.streams import follow, frame
from engine.job import DEFAULT_RESULT_TTL, Job
from engine.progress import shown
from engine.result_size import MAX_RESULT
from engine.results import summary
from engine.times import MAX_DURATION

MAX_IDS: Final = 1000
FEATURES: Final = (
    Feature(
        "results",
        facts={
            "result_limits": {
                "max_result_bytes": MAX_RESULT,
                "default_result_ttl_seconds": DEFAULT_RESULT_TTL,
                "max_result_ttl_seconds": MAX_DURATION // 1000,
            }
        },
    ),
)


def get(call: Call) -> Reply:
    """What became of a job: 200 with its outcome, 202 while there is none, 408 for who has waited, 410 once pruned."""
    wait = call.query.get("wait", "").lower() in {"true", "1", "yes"}
    seconds = call.number("timeout", 30, 3600)
    if wait and seconds and call.patient and not _is_over(call):
        return Reply({}, 408, hold=Hold(seconds, lambda: _is_over(call)))
    body = call.engine.extensions.results.outcome(call.params["id"], wait=wait)
    if body["state"] in life.TERMINAL:
        return Reply(body)
    return Reply(body, 202, {"Retry-After": "1"})


def _is_over(call: Call) -> bool:
    """Whether there is nothing to wait for: the job has ended, or there is none."""
    job = call.engine.store.get(call.params["id"])
    return job is None or job.state in life.TERMINAL


def many(call: Call) -> Reply:
    """Outcomes of many jobs."""
    ids = call.body.get("ids")
    if not isinstance(ids, list) or len(ids) > MAX_IDS or not all(isinstance(one, str) for one in ids):
        raise refuse("ids", ids, f"must be an array of at most {MAX_IDS} job ids", "OJS Results 9.3")
    return Reply({"results": call.engine.extensions.results.outcomes(ids)})


def stream(call: Call) -> Reply:
    """Follow a job's progress and then its outcome."""
    return follow(call, call.params["id"], lambda job: frame("progress", _told(job)), _final)


def _told(job: Job) -> dict[str, Any]:
    body = shown(job)
    return {"progress": body["progress"], "data": body["data"]}


def _final(job: Job) -> bytes:
    body = summary(job)
    if job.state == life.COMPLETED:
        return frame("result", {"value": body["result"], **body})
    return frame(
        "error", {"error": job.error or {"code": job.state, "message": f"The job was {job.state}."}, **body}
    )


ROUTES: Final = (
    Route("GET", "/jobs/{id}/result", get, "RESULT", -1, "What became of a job.", "OJS Results 8.2"),
    Route(
        "GET", "/jobs/{id}/result/stream", stream, "RESULT", -1, "Follow to the result.", "OJS Results 8.3"
    ),
    Route("POST", "/jobs/results", many, "RESULT", -1, "What became of many jobs.", "OJS Results 9.3"),
)
