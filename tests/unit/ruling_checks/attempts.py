"""Rulings about retries, reservations, timeouts and workers."""

from __future__ import annotations

from random import Random

from engine.retry import RetryPolicy
from tests.unit.ruling_checks import Desk, proves

MINUTE = 60_000


@proves("R-timeout-default", "R-visibility-default")
def _(desk: Desk) -> None:
    job, kept = desk.running(), desk.running("kept")
    for _ in range(90):
        assert desk.info(job)["state"] == "active"
        desk.wait(20_000)
        desk.beat(active_jobs=[kept["id"]])
    assert desk.info(job)["error"]["type"] == "visibility_timeout"
    assert desk.info(kept)["state"] == "active"


@proves("R-execution-timeout")
def _(desk: Desk) -> None:
    job = desk.running(timeout_ms=1000)
    desk.wait(1000)
    shown = desk.info(job)
    assert shown["state"] == "retryable"
    assert (shown["error"]["type"], shown["error"]["code"]) == ("timeout", "timeout")
    assert (shown["error"]["timeout_kind"], shown["error"]["limit_seconds"]) == ("execution", 1)


@proves("R-visibility-unit")
def _(desk: Desk) -> None:
    for option in (
        {"visibility_timeout_ms": 60_000},
        {"visibility_timeout": 60},
        {"visibility_timeout": "PT1M"},
    ):
        assert desk.job(**option)["visibility_timeout_ms"] == 60_000
    desk.enqueue(400, options={"visibility_timeout": "soon"})
    desk.enqueue(400, options={"visibility_timeout_ms": "PT1M"})


@proves("R-visibility-expiry", "R-attempt-count")
def _(desk: Desk) -> None:
    job = desk.running(visibility_timeout_ms=1000, retry={"max_attempts": 2})
    desk.wait(1000)
    shown = desk.info(job)
    assert (shown["state"], shown["attempt"]) == ("available", 1)
    assert [error["type"] for error in shown["errors"]] == ["visibility_timeout"]
    assert desk.claim()[0]["attempt"] == 2
    desk.wait(1000)
    assert (desk.info(job)["state"], desk.info(job)["attempt"]) == ("discarded", 2)


@proves("R-retry-durations")
def _(desk: Desk) -> None:
    iso = desk.job(retry={"initial_interval": "PT1.5S", "max_interval": "PT9S"})["retry"]
    ms = desk.job(retry={"initial_interval_ms": 1500, "max_interval_ms": 9000})["retry"]
    assert iso == ms
    assert (iso["initial_interval"], iso["initial_interval_ms"]) == ("PT1.5S", 1500)
    desk.enqueue(422, options={"retry": {"initial_interval": "1s"}})


@proves("R-retry-policy-name")
def _(desk: Desk) -> None:
    assert desk.job(retry_policy={"max_attempts": 7})["max_attempts"] == 7
    both = desk.job(retry={"max_attempts": 2}, retry_policy={"max_attempts": 7})
    assert both["retry"]["max_attempts"] == both["max_attempts"] == 2


@proves("R-backoff-strategy")
def _(desk: Desk) -> None:
    def strategy(**policy: str) -> str:
        return str(desk.job(retry={"max_attempts": 3, **policy})["retry"]["backoff_strategy"])

    assert strategy() == "exponential"
    assert strategy(backoff_type="linear") == strategy(backoff_strategy="linear") == "linear"
    assert strategy(backoff_strategy="none") == strategy(backoff_strategy="constant") == "constant"
    assert strategy(backoff_strategy="polynomial") == "polynomial"


@proves("R-jitter-cap")
def _(_desk: Desk) -> None:
    policy = RetryPolicy(initial_interval=10_000, max_interval=10_000)
    delays = [policy.delay(1, Random(seed)) for seed in range(100)]
    assert max(delays) == 10_000
    assert min(delays) < 6000


@proves("R-error-in")
def _(desk: Desk) -> None:
    job = desk.running(retry={"max_attempts": 9, "jitter": False})
    desk.nack(job, code="smtp", details={"error_class": "SmtpError", "stack": "a\nb"})
    error = desk.info(job)["error"]
    assert (error["code"], error["type"], error["retryable"]) == ("smtp", "SmtpError", True)
    assert error["backtrace"] == ["a", "b"]
    core = desk.running("core")
    desk.ok("POST", "/workers/nack", {"job_id": core["id"], "error": {"type": "T", "message": "m"}})
    assert (desk.info(core)["error"]["type"], desk.info(core)["error"]["code"]) == ("T", "T")


@proves("R-fail-without-error")
def _(desk: Desk) -> None:
    job = desk.running()
    desk.ok("POST", "/workers/nack", {"job_id": job["id"], "error": "boom"}, 400)
    assert desk.ok("POST", "/workers/nack", {"job_id": job["id"]})["state"] == "retryable"
    assert desk.info(job)["error"]["code"] == "handler_error"


@proves("R-error-types")
def _(desk: Desk) -> None:
    policy = {"non_retryable_errors": ["FatalError", "auth.*"]}
    for kind, state in (("FatalError", "discarded"), ("auth.expired", "discarded"), ("auth", "retryable")):
        job = desk.running(kind.lower().replace(".", "-"), retry=policy)
        assert desk.nack(job, type=kind)["state"] == state
    assert desk.nack(desk.running("code", retry=policy), code="FatalError")["state"] == "discarded"


@proves("R-handler-retry")
def _(desk: Desk) -> None:
    policy = {"non_retryable_errors": ["fatal.error"]}
    assert desk.nack(desk.running(retry=policy), code="RETRY", type="fatal.error")["state"] == "discarded"
    assert desk.nack(desk.running(retry=policy), code="RETRY", type="other.error")["state"] == "retryable"


@proves("R-error-history")
def _(desk: Desk) -> None:
    job = desk.running()
    desk.nack(job, details={"host": "x"})
    (entry,) = desk.info(job)["errors"]
    assert entry["occurred_at"] == entry["timestamp"] == "2026-03-01T12:00:00.000Z"
    assert (entry["code"], entry["type"], entry["message"]) == ("boom", "boom", "it broke")
    assert (entry["details"], entry["attempt"]) == ({"host": "x"}, 1)


@proves("R-ack-response")
def _(desk: Desk) -> None:
    job = desk.running()
    answer = desk.ack(job)
    assert answer["acknowledged"] is True
    assert answer["id"] == answer["job_id"] == answer["job"]["id"] == job["id"]
    assert (answer["state"], answer["completed_at"]) == ("completed", "2026-03-01T12:00:00.000Z")


@proves("R-fail-response")
def _(desk: Desk) -> None:
    job = desk.running(retry={"jitter": False})
    answer = desk.nack(job)
    assert answer["id"] == answer["job_id"] == answer["job"]["id"] == job["id"]
    assert (answer["state"], answer["attempt"], answer["max_attempts"]) == ("retryable", 1, 3)
    assert answer["next_attempt_at"] == answer["next_retry_at"] == "2026-03-01T12:00:01.000Z"
    assert answer["retry_delay_ms"] == 1000


@proves("R-discard-times")
def _(desk: Desk) -> None:
    failed = desk.nack(desk.running(retry={"max_attempts": 1}))
    assert failed["discarded_at"] == failed["completed_at"]
    late = desk.job(expires_at="+PT1S")
    desk.wait(1000)
    shown = desk.info(late)
    assert (shown["state"], "discarded_at" in shown, "completed_at" in shown) == ("discarded", True, False)


@proves("R-exhaustion-default")
def _(desk: Desk) -> None:
    for queue, says, kept in (("a", "discard", 0), ("b", "dead_letter", 1), ("c", None, 1)):
        policy = {"max_attempts": 1} | ({"on_exhaustion": says} if says else {})
        assert desk.nack(desk.running(queue, retry=policy))["state"] == "discarded"
        assert len(desk.ok("GET", f"/dead-letter?queue={queue}")["jobs"]) == kept


@proves("R-manual-retry", "R-attempt-reset")
def _(desk: Desk) -> None:
    job = desk.running(retry={"max_attempts": 2, "jitter": False})
    desk.nack(job)
    desk.wait(1000)
    assert desk.claim()[0]["attempt"] == 2
    desk.nack(job)
    again = desk.ok("POST", f"/dead-letter/{job['id']}/retry")["job"]
    assert (again["id"], again["state"], again["attempt"]) == (job["id"], "available", 0)
    assert (len(again["errors"]), "error" in again, again["max_attempts"]) == (2, False, 2)


@proves("R-late-ack")
def _(desk: Desk) -> None:
    job = desk.job(visibility_timeout_ms=1000, retry={"max_attempts": 5})
    desk.claim(worker_id="first")
    desk.wait(1000)
    late = {"job_id": job["id"], "worker_id": "first"}
    error = desk.refused("POST", "/workers/ack", late, 409, "conflict")
    assert error["details"]["current_state"] == "available"
    desk.claim(worker_id="second")
    error = desk.refused("POST", "/workers/ack", late, 409, "conflict")
    assert error["details"]["worker_id"] == "second"
    assert desk.ack(job)["state"] == "completed"


@proves("R-worker-identity")
def _(desk: Desk) -> None:
    desk.job()
    (job,) = desk.claim(worker_id="w")
    desk.ack(job, 409, worker_id="v")
    desk.ok("POST", "/workers/nack", {"job_id": job["id"], "worker_id": "v"}, 409)
    assert desk.ack(job)["state"] == "completed"


@proves("R-requeue")
def _(desk: Desk) -> None:
    job = desk.running(retry={"max_attempts": 1})
    back = desk.ok("POST", "/workers/nack", {"job_id": job["id"], "requeue": True})
    assert (back["state"], back["attempt"], "error" in back["job"]) == ("available", 1, False)
    assert desk.claim()[0]["attempt"] == 2
    policy = {"max_attempts": 2, "jitter": False}
    twice = desk.running("twice", retry=policy)
    desk.ok("POST", "/workers/nack", {"job_id": twice["id"], "requeue": True})
    desk.claim("twice")
    failed = desk.nack(twice)
    assert (failed["state"], failed["attempt"], failed["retry_delay_ms"]) == ("retryable", 2, 1000)


@proves("R-heartbeat-request")
def _(desk: Desk) -> None:
    job = desk.running()
    for named in (
        {"active_jobs": [job["id"]]},
        {"active_jobs": 1, "active_job_ids": [job["id"]]},
        {"job_id": job["id"]},
    ):
        assert desk.beat(**named)["jobs_extended"] == [job["id"]]
    assert desk.beat(active_jobs=1)["jobs_extended"] == []


@proves("R-heartbeat-directive")
def _(desk: Desk) -> None:
    calm = desk.beat()
    assert (calm["state"], calm["directive"]) == ("running", "")
    desk.ok("POST", "/admin/workers/w/quiet")
    told = desk.beat()
    assert (told["state"], told["directive"]) == ("quiet", "quiet")


@proves("R-heartbeat-extension")
def _(desk: Desk) -> None:
    job = desk.running(visibility_timeout_ms=10_000)
    desk.wait(4000)
    for body, until in (
        ({}, "2026-03-01T12:00:14.000Z"),
        ({"visibility_timeout_ms": 60_000}, "2026-03-01T12:01:04.000Z"),
        ({"visibility_timeout_ms": 1000}, "2026-03-01T12:01:04.000Z"),
    ):
        desk.beat(active_jobs=[job["id"]], **body)
        assert desk.info(job)["reserved_until"] == until


@proves("R-heartbeat-path")
def _(desk: Desk) -> None:
    for path in ("/workers/heartbeat", "/workers/beat"):
        answer = desk.ok("POST", path, {"worker_id": path[-4:], "state": "drain", "active_jobs": 2})
        assert (answer["acknowledged"], answer["state"]) == (True, "quiet")
    assert desk.beat(state="no such state")["state"] == "running"


@proves("R-heartbeat-interval")
def _(desk: Desk) -> None:
    told = desk.beat()
    assert (told["heartbeat_interval"], told["heartbeat_timeout"]) == (5, 30)
    desk.job()
    (job,) = desk.claim(worker_id="silent")
    desk.wait(MINUTE)
    assert desk.info(job)["state"] == "active"


@proves("R-dead-worker")
def _(desk: Desk) -> None:
    desk.job()
    (job,) = desk.claim(worker_id="w")
    desk.beat(active_jobs=[job["id"]])
    asked = desk.running("asked", heartbeat_timeout=20)
    desk.wait(30_000)
    shown, stalled = desk.info(job), desk.info(asked)
    assert (shown["state"], shown["error"]["type"]) == ("available", "worker_death")
    assert stalled["error"]["type"] == "stalled"
    assert stalled["attempt"] == 1
