"""Endpoints that workers use: FETCH, ACK, FAIL and BEAT (OJS HTTP Binding 10)."""

from __future__ import annotations

from typing import Any, Final

from engine.envelope import check_queue, refuse
from engine.errors import InvalidRequest
from engine.http.route import Call, Feature, Reply, Route
from engine.job import Job
from engine.times import MAX_DURATION, format_time

MAX_FETCH: Final = 1000
MAX_QUEUES: Final = 100


def _count(call: Call, *names: str, most: int, default: int | None) -> int | None:
    for name in names:
        value = call.body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise refuse(name, value, f"must be an integer from 1 to {most}", "OJS HTTP Binding 10")
        return value
    return default


def _queues(call: Call) -> list[str]:
    raw = call.body.get("queues")
    if raw is None and call.body.get("queue") is not None:
        raw = [call.body["queue"]]
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_QUEUES:
        rule = f"is required: an array of 1 to {MAX_QUEUES} queue names, the first one is asked first"
        raise refuse("queues", raw, rule, "OJS Core 7.2")
    return [check_queue(name, f"queues[{index}]") for index, name in enumerate(raw)]


def job_id(call: Call) -> str:
    """The id of the job that an ACK or a FAIL is about: in the path, or in the body.

    Raises:
        InvalidRequest: Neither.
    """
    found = call.params.get("id") or call.body.get("job_id") or call.body.get("id")
    if not isinstance(found, str):
        raise InvalidRequest(
            "'job_id' is required: the id of the job that was fetched (OJS HTTP Binding 10.2).",
            details={"field": "job_id", "rule": "required"},
        )
    return found


def fetch(call: Call) -> Reply:
    """Claim jobs."""
    worker = call.text("worker_id")
    jobs = call.engine.fetch(
        _queues(call),
        _count(call, "count", most=MAX_FETCH, default=1) or 1,
        worker,
        _count(call, "visibility_timeout_ms", most=MAX_DURATION, default=None),
        tenant=call.tenant,
        wish={name: call.body[name] for name in ("strategy", "weights", "pool") if call.body.get(name)},
        wants=call.engine.extensions.wants(worker, call.body),
    )
    bodies = [job.to_dict() for job in jobs]
    return Reply({"jobs": bodies, "job": bodies[0]} if bodies else {"jobs": []})


def ack(call: Call) -> Reply:
    """Complete a job."""
    job = call.engine.ack(
        job_id(call), call.body.get("result"), call.text("worker_id"), has_result="result" in call.body
    )
    return Reply(
        {
            "acknowledged": True,
            "id": job.id,
            "job_id": job.id,
            "state": job.state,
            "completed_at": format_time(job.completed_at or 0),
            "job": job.to_dict(),
        }
    )


def nack(call: Call) -> Reply:
    """Report a failure."""
    requeue = call.body.get("requeue", False)
    if not isinstance(requeue, bool):
        raise refuse("requeue", requeue, "must be true or false", "OJS HTTP Binding 10.3")
    job = call.engine.fail(job_id(call), call.body.get("error"), call.text("worker_id"), requeue=requeue)
    return Reply(failed(job))


def failed(job: Job) -> dict[str, Any]:
    """What FAIL answers: where the job went, and when it runs again."""
    body: dict[str, Any] = {
        "id": job.id,
        "job_id": job.id,
        "state": job.state,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "job": job.to_dict(),
    }
    if job.next_attempt_at is not None:
        at = format_time(job.next_attempt_at)
        body |= {"next_attempt_at": at, "next_retry_at": at, "retry_delay_ms": job.retry_delay}
    if job.discarded_at is not None:
        at = format_time(job.discarded_at)
        body |= {"discarded_at": at, "completed_at": at, "dead_letter": job.dead_letter}
    return body


def heartbeat(call: Call) -> Reply:
    """Tell that a worker lives, extend its reservations, hear the server's directive."""
    active = call.body.get("active_jobs")
    ids = active if isinstance(active, list) else call.body.get("active_job_ids")
    if ids is None:
        ids = [call.body["job_id"]] if isinstance(call.body.get("job_id"), str) else []
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise refuse("active_jobs", ids, "must be an array of job ids", "OJS HTTP Binding 10.4")
    extend = _count(call, "visibility_timeout_ms", most=MAX_DURATION, default=None)
    beat = call.engine.workers.beat(call.text("worker_id"), ids, extend, call.body)
    return Reply(beat)


def register(call: Call) -> Reply:
    """Tell that a worker begins."""
    return Reply(call.engine.workers.register(call.text("worker_id"), call.body), 201)


def leave(call: Call) -> Reply:
    """Tell that a worker is gone for good."""
    call.engine.workers.leave(call.params["id"])
    return Reply({"ok": True, "worker_id": call.params["id"]})


FEATURES: Final = (Feature("graceful-shutdown"), Feature("timeouts"))

ROUTES: Final = (
    Route("POST", "/workers/fetch", fetch, "FETCH", 0, "Claim jobs.", "OJS HTTP Binding 10.1"),
    Route("POST", "/jobs/fetch", fetch, "FETCH", -1, "Claim jobs.", "suite wasi"),
    Route("POST", "/workers/ack", ack, "ACK", 0, "Complete a job.", "OJS HTTP Binding 10.2"),
    Route("POST", "/workers/nack", nack, "FAIL", 0, "Report a failure.", "OJS HTTP Binding 10.3"),
    Route("POST", "/workers/fail", nack, "FAIL", -1, "Report a failure.", "OJS HTTP Binding 10.3"),
    Route("POST", "/workers/heartbeat", heartbeat, "BEAT", 1, "Heartbeat.", "OJS HTTP Binding 10.4"),
    Route("POST", "/workers/beat", heartbeat, "BEAT", -1, "Heartbeat.", "OJS Graceful Shutdown 5.1"),
    Route("POST", "/workers/register", register, "REGISTER", -1, "Register.", "OJS Worker Protocol 3.1"),
    Route("DELETE", "/workers/{id}", leave, "LEAVE", -1, "Deregister.", "OJS Worker Protocol 3.4"),
    Route("POST", "/jobs/{id}/ack", ack, "ACK", -1, "Complete a job.", "OJS HTTP Binding 10.2"),
    Route("POST", "/jobs/{id}/nack", nack, "FAIL", -1, "Report a failure.", "OJS HTTP Binding 10.3"),
)
