"""Rulings about errors, the envelope and times."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import InternalError
from engine.http.message import Request
from tests.unit.ruling_checks import Desk, proves

ID = "019539a4-b68c-7def-8000-1a2b3c4d5e6f"


@proves("R-error-body")
def _(desk: Desk) -> None:
    error = desk.refused("GET", f"/jobs/{ID}", None, 404, "not_found", x_request_id="r1")
    fields = "code canonical_code message retryable type hint docs_url doc_url details request_id"
    assert set(error) == set(fields.split())
    assert error["request_id"] == "r1"


@proves("R-error-codes")
def _(desk: Desk) -> None:
    assert desk.refused("GET", f"/jobs/{ID}", None, 404, "not_found")["canonical_code"] == "NOT_FOUND"
    desk.ok("PUT", "/admin/queues/q/config", {"backpressure": {"max_depth": 1}})
    desk.job("q")
    full = desk.refused("POST", "/jobs", {"type": "a", "args": [], "queue": "q"}, 429, "QUEUE_FULL")
    assert full["canonical_code"] == "QUEUE_FULL"
    many = {"jobs": [{"type": "a", "args": []}] * 10_001}
    desk.refused("POST", "/jobs/batch", many, 413, "BATCH_SIZE_EXCEEDED")


@proves("R-validation-errors")
def _(desk: Desk) -> None:
    wrong = {"type": "a.b", "args": [], "options": {"tags": 1}}
    details = desk.refused("POST", "/jobs", wrong, 400, "invalid_request")["details"]
    (breach,) = details["validation_errors"]
    assert (breach["path"], breach["message"]) == ("$.options.tags", details["rule"])
    desk.ok("POST", "/schemas", {"type": "s.s", "mode": "strict", "schema": {"minItems": 1}}, 201)
    error = desk.refused("POST", "/jobs", {"type": "s.s", "args": []}, 422, "schema_validation")
    (breach,) = error["details"]["validation_errors"]
    assert (breach["path"], breach["keyword"]) == ("$.args", "minItems")
    asked = desk.refused("GET", "/jobs?limit=x", None, 400, "invalid_request")["details"]
    assert (asked["field"], asked["in"], "validation_errors" in asked) == ("limit", "query", False)


@proves("R-nesting")
def _(desk: Desk) -> None:
    def nested(levels: int) -> list[Any]:
        found: list[Any] = []
        for _ in range(levels - 1):
            found = [found]
        return found

    desk.enqueue(args=nested(99))
    desk.refused("POST", "/jobs", {"type": "a.b", "args": nested(100)}, 400, "invalid_payload")
    desk.enqueue(args=[dict.fromkeys((f"k{n}" for n in range(20_000)), 1)])


@proves("R-internal-error")
def _(desk: Desk) -> None:
    reply = desk.binding.refuse(InternalError("It broke."), Request("GET", "/ojs/v1/health"))
    assert isinstance(reply.body, bytes)
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["code"], error["canonical_code"]) == (500, "internal_error", "BACKEND_ERROR")
    assert error["retryable"] is True


@proves("R-bad-json")
def _(desk: Desk) -> None:
    desk.refused("POST", "/jobs", None, 400, "invalid_payload")
    desk.refused("POST", "/jobs", [], 400, "invalid_payload")
    reply = desk.binding.handle(Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, b"{"))
    assert isinstance(reply.body, bytes)
    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (400, "invalid_payload")
    wrong = desk.refused("POST", "/jobs", {"type": "a", "args": 1}, 400, "invalid_request")
    assert wrong["details"]["field"] == "args"


@proves("R-missing-type")
def _(desk: Desk) -> None:
    desk.refused("POST", "/jobs", {"args": []}, 400, "invalid_request")


@proves("R-bad-retry-policy")
def _(desk: Desk) -> None:
    body = {"type": "a", "args": [], "options": {"retry": {"max_attempts": -1}}}
    error = desk.refused("POST", "/jobs", body, 422, "invalid_request")
    assert (error["type"], error["canonical_code"]) == ("validation_error", "INVALID_RETRY_POLICY")
    assert "max_attempts" in error["message"]
    assert error["details"]["validation"] == "validation.retry_policy_invalid"


@proves("R-wrong-state")
def _(desk: Desk) -> None:
    job = desk.job()
    for path in ("/workers/ack", "/workers/nack"):
        error = desk.refused("POST", path, {"job_id": job["id"]}, 409, "conflict")
        assert (error["details"]["current_state"], error["details"]["allowed_states"]) == (
            "available",
            ["active"],
        )
    desk.refused("POST", f"/jobs/{job['id']}/activate", None, 409, "conflict")
    desk.ack(desk.claim()[0])
    over = desk.refused("DELETE", f"/jobs/{job['id']}", None, 409, "conflict")
    assert over["canonical_code"] == "JOB_ALREADY_COMPLETED"


@proves("R-cancel-twice", "R-terminal-states")
def _(desk: Desk) -> None:
    done, dead, gone = desk.running(), desk.running(retry={"max_attempts": 1}), desk.running()
    desk.ack(done)
    desk.nack(dead)
    desk.ok("DELETE", f"/jobs/{gone['id']}")
    before = desk.snapshot()
    for job in (done, dead, gone):
        desk.refused("DELETE", f"/jobs/{job['id']}", None, 409, "conflict")
        desk.ack(job, 409)
    assert desk.snapshot() == before
    for job in (done, gone):
        desk.ok("POST", f"/dead-letter/{job['id']}/retry", None, 404)
    assert desk.ok("POST", f"/dead-letter/{dead['id']}/retry")["job"]["state"] == "available"


@proves("R-cancel-waiting")
def _(desk: Desk) -> None:
    failed = desk.running()
    desk.nack(failed)
    jobs = [desk.job(scheduled_at="+PT1H"), desk.job(), desk.job(pending=True), failed, desk.running("q")]
    states = [desk.info(job)["state"] for job in jobs]
    assert states == ["scheduled", "available", "pending", "retryable", "active"]
    for job in jobs:
        assert desk.ok("DELETE", f"/jobs/{job['id']}")["job"]["state"] == "cancelled"


@proves("R-cancel-active")
def _(desk: Desk) -> None:
    job = desk.running()
    assert desk.ok("DELETE", f"/jobs/{job['id']}")["job"]["state"] == "cancelled"
    assert desk.beat(active_jobs=[job["id"]])["jobs_cancelled"] == [job["id"]]
    desk.ack(job, 409)
    other = desk.running("q")
    desk.ok("POST", "/jobs/bulk/cancel", {"filter": {"queue": "q"}, "confirm": True})
    assert desk.info(other)["state"] == "active"
    desk.ok("POST", "/jobs/bulk/cancel", {"job_ids": [other["id"]]})
    assert desk.info(other)["state"] == "cancelled"


@proves("R-duplicate-id")
def _(desk: Desk) -> None:
    desk.enqueue(id=ID)
    error = desk.refused("POST", "/jobs", {"type": "x", "args": [1], "id": ID}, 409, "duplicate")
    assert error["details"]["existing_job_id"] == ID


@proves("R-request-id")
def _(desk: Desk) -> None:
    def sent(value: str) -> str:
        return desk.http("GET", "/health", None, {"x-request-id": value})[0].headers["X-Request-Id"]

    assert sent("mine-1") == "mine-1"
    assert sent("").startswith("req_")
    assert sent("x" * 201).startswith("req_")


@proves("R-required-attributes")
def _(desk: Desk) -> None:
    job = desk.enqueue()["job"]
    assert (job["specversion"], job["queue"], job["args"]) == ("1.0", "default", [])
    assert job["id"][14] == "7"


@proves("R-job-type")
def _(desk: Desk) -> None:
    for kind in ("a", "a.b_c-d.e1", "x" * 255):
        desk.enqueue(type=kind)
    for kind in ("A", "a.B", "1a", "a..b", "a b", "", "x" * 256):
        desk.enqueue(400, type=kind)


@proves("R-type-version")
def _(desk: Desk) -> None:
    job = desk.enqueue(type="invoice.make@2.0")["job"]
    assert (job["type"], job["version"]) == ("invoice.make", "2.0")
    assert desk.enqueue(type="invoice.make@2.0", version="3.0")["job"]["version"] == "3.0"
    desk.enqueue(400, type="Invoice@2.0")


@proves("R-job-id")
def _(desk: Desk) -> None:
    for bad in (ID.upper(), "", "019539a4-b68c-4def-8000-1a2b3c4d5e6f", "x"):
        desk.enqueue(400, id=bad)
    assert desk.enqueue(id=ID)["job"]["id"] == ID


@proves("R-unknown-fields", "R-request-schemas")
def _(desk: Desk) -> None:
    job = desk.enqueue(id=ID, x_mine={"deep": [1]}, other=7)["job"]
    assert (job["x_mine"], job["other"], desk.info(job)["other"]) == ({"deep": [1]}, 7, 7)


@proves("R-type-allowlist")
def _(desk: Desk) -> None:
    desk.enqueue(type="never.heard.of")
    desk.ok("PUT", "/queues/q/config", {"allowed_job_types": ["a.b"]})
    desk.job("q")
    desk.enqueue(422, type="c.d", queue="q")


@proves("R-meta-keys")
def _(desk: Desk) -> None:
    meta = {"a key: with/signs": "two\nlines", "n": {"deep": [None, 1.5]}}
    assert desk.info(desk.enqueue(meta=meta)["job"])["meta"] == meta
    desk.enqueue(400, meta={"tenant_id": "two words"})
    desk.enqueue(400, meta={"tenant_id": 5})


@proves("R-tags")
def _(desk: Desk) -> None:
    job = desk.enqueue(meta={"tags": ["m"]}, options={"tags": ["t"]})["job"]
    assert (job["tags"], job["meta"]) == (["t"], {"tags": ["m"]})
    assert desk.enqueue()["job"]["tags"] == []


@proves("R-options-place")
def _(desk: Desk) -> None:
    job = desk.enqueue(queue="q", priority=7, timeout_ms=5000)["job"]
    assert (job["queue"], job["priority"], job["timeout_ms"]) == ("q", 7, 5000)
    assert desk.enqueue(queue="q", options={"queue": "r"})["job"]["queue"] == "r"


@proves("R-args-array")
def _(desk: Desk) -> None:
    desk.enqueue(400, args={"a": 1})
    policy = {"unique": {"keys": ["args"], "args_keys": ["a"]}}
    desk.enqueue(args=[{"a": 1, "b": 1}], options=policy)
    desk.enqueue(409, args=[{"a": 1, "b": 2}], options=policy)


@proves("R-metadata-option")
def _(desk: Desk) -> None:
    job = desk.enqueue(meta={"a": 1}, options={"metadata": {"a": 2, "b": 3}})["job"]
    assert job["meta"] == {"a": 1, "b": 3}
    unique = {"metadata": {"k": 1}, "unique": {"keys": ["meta"], "meta_keys": ["k"]}}
    desk.enqueue(options=unique)
    desk.enqueue(409, options=unique)


@proves("R-specversion")
def _(desk: Desk) -> None:
    for version in ("1.0", "1.0.0", "1.0.0-rc.1"):
        assert desk.enqueue(specversion=version)["job"]["specversion"] == "1.0"
    body = {"type": "a", "args": [], "specversion": "2.0"}
    desk.refused("POST", "/jobs", body, 422, "unsupported")
    desk.refused("GET", "/health", None, 422, "unsupported", ojs_version="2.0")


@proves("R-priority-range")
def _(desk: Desk) -> None:
    for allowed in (-100, 0, 100):
        assert desk.job(priority=allowed)["priority"] == allowed
    for bad in (-101, 101, 1.5, "urgent"):
        desk.enqueue(400, options={"priority": bad})


@proves("R-priority-direction")
def _(desk: Desk) -> None:
    low, plain, first, second = (
        desk.job(**one) for one in ({"priority": -1}, {}, {"priority": 5}, {"priority": 5})
    )
    assert plain["priority"] == 0
    fetched = [job["id"] for job in desk.claim(count=4)]
    assert fetched == [job["id"] for job in (first, second, plain, low)]


@proves("R-priority-names")
def _(desk: Desk) -> None:
    names = ("HIGH", "high", "NORMAL", "low")
    assert [desk.job(priority=name)["priority"] for name in names] == [10, 10, 0, -10]


@proves("R-relative-times")
def _(desk: Desk) -> None:
    for when in ("+PT2S", "PT2S", "2026-03-01T12:00:02Z", "2026-03-01T14:00:02+02:00"):
        assert desk.job(scheduled_at=when)["scheduled_at"] == "2026-03-01T12:00:02.000Z"
    desk.enqueue(400, options={"scheduled_at": "2026-03-01T12:00:02"})


@proves("R-time-zone")
def _(desk: Desk) -> None:
    when = "2026-03-02T14:00:00+02:00"
    job = desk.job(expires_at=when, scheduled_at=when.replace("02T", "01T"))
    assert (job["expires_at"], job["scheduled_at"]) == (when, "2026-03-01T12:00:00.000Z")
    assert job["created_at"] == "2026-03-01T12:00:00.000Z"


@proves("R-schedule-name")
def _(desk: Desk) -> None:
    later = "2026-03-01T13:00:00Z"
    assert desk.job(delay_until=later)["scheduled_at"] == "2026-03-01T13:00:00.000Z"
    both = desk.job(delay_until=later, scheduled_at="+PT5S")
    assert both["scheduled_at"] == "2026-03-01T12:00:05.000Z"
    assert "delay_until" not in both


@proves("R-enqueued-at")
def _(desk: Desk) -> None:
    waiting, staged = desk.job(scheduled_at="+PT5S"), desk.job(pending=True)
    assert "enqueued_at" not in waiting
    assert "enqueued_at" not in staged
    desk.wait(5000)
    assert desk.info(waiting)["enqueued_at"] == "2026-03-01T12:00:05.000Z"
    desk.nack(desk.running("q", retry={"jitter": False}))
    desk.wait(1000)
    assert desk.claim("q")[0]["enqueued_at"] == "2026-03-01T12:00:06.000Z"


@proves("R-timeout-unit")
def _(desk: Desk) -> None:
    for option in ({"timeout_ms": 5000}, {"timeout": 5}, {"timeout": "PT5S"}):
        job = desk.job(**option)
        assert job["timeout_ms"] == 5000
        assert "timeout" not in job


@proves("R-timeout-zero")
def _(desk: Desk) -> None:
    assert "timeout_ms" not in desk.job(timeout=0)
    desk.enqueue(400, options={"timeout": -1})
