"""Rulings about the extensions: checkpoints, schemas, webhooks, tenants, dead letters, pages."""

from __future__ import annotations

import hashlib
import hmac

from engine.conformance.matchers import match
from tests.unit.ruling_checks import Desk, proves


@proves("R-queue-bound")
def _(desk: Desk) -> None:
    desk.ok("PUT", "/queues/size/config", {"max_size": 1, "overflow_policy": "reject"})
    desk.ok("PUT", "/admin/queues/depth/config", {"backpressure": {"max_depth": 1, "strategy": "reject"}})
    for queue in ("size", "depth"):
        desk.job(queue)
        body = {"type": "a", "args": [], "queue": queue}
        desk.refused("POST", "/jobs", body, 429, "QUEUE_FULL")


@proves("R-dead-letter-retention")
def _(desk: Desk) -> None:
    day = 86_400_000
    dropped = desk.running(retry={"max_attempts": 1, "on_exhaustion": "discard"})
    desk.nack(dropped)
    dead = desk.dead().id
    desk.wait(30 * day - 1)
    desk.info(dropped)
    desk.wait(1)
    desk.ok("GET", f"/jobs/{dropped['id']}", None, 404)
    desk.wait(150 * day - 1)
    desk.ok("GET", f"/dead-letter/{dead}")
    desk.wait(2 * day)
    desk.ok("GET", f"/dead-letter/{dead}", None, 404)


@proves("R-dead-letter-admin")
def _(desk: Desk) -> None:
    desk.nack(desk.running(retry={"max_attempts": 1, "on_exhaustion": "discard"}))
    dead = desk.dead().id
    assert [job["id"] for job in desk.ok("GET", "/admin/dead-letter")["items"]] == [dead]
    assert desk.ok("GET", "/admin/jobs?state=discarded")["pagination"]["total"] == 2


@proves("R-dead-letter-queue")
def _(desk: Desk) -> None:
    desk.ok("PUT", "/queues/own/config", {"dead_letter_queue": "graveyard"})
    job = desk.running("own", retry={"max_attempts": 1, "on_exhaustion": "dead_letter"})
    desk.nack(job)
    assert [one["id"] for one in desk.ok("GET", "/dead-letter")["jobs"]] == [job["id"]]
    (copied,) = desk.claim("graveyard")
    assert copied["id"] != job["id"]
    assert copied["meta"]["ojs.dead_letter_job_id"] == job["id"]
    assert copied["errors"] == desk.info(job)["errors"]


@proves("R-checkpoint-name")
def _(desk: Desk) -> None:
    job = desk.running(retry={"jitter": False})
    desk.ok("PUT", f"/jobs/{job['id']}/progress", {"progress": 0.1, "checkpoint": {"at": 5}})
    desk.nack(job)
    desk.wait(1000)
    (again,) = desk.claim()
    assert again["last_checkpoint"] == again["checkpoint"]["state"] == {"at": 5}
    desk.ok("POST", f"/jobs/{job['id']}/checkpoint", {"state": {"at": 9}})
    desk.nack(job)
    desk.wait(2000)
    assert desk.claim()[0]["last_checkpoint"] == {"at": 9}


@proves("R-tenant-stats")
def _(desk: Desk) -> None:
    desk.enqueue(meta={"tenant_id": "acme"})
    shown = desk.ok("GET", "/admin/tenants/acme/stats")
    assert (shown["tenant_id"], shown["total_jobs"], shown["jobs"]["available"]) == ("acme", 1, 1)


@proves("R-schema-fields")
def _(desk: Desk) -> None:
    schema = {"type": "array"}
    uri = "urn:ojs:schema:three:v1"
    desk.ok("POST", "/schemas", {"job_type": "one", "version": "1.0.0", "schema": schema}, 201)
    desk.ok("POST", "/schemas", {"uri": uri, "type": "three", "version": 1, "schema": schema}, 201)
    desk.ok("PUT", "/admin/schemas/two/1.0", {"args_schema": schema}, 201)
    for kind in ("one", "two", "three"):
        shown = desk.ok("GET", f"/schemas/{kind}")["schema"]
        assert (shown["type"], shown["job_type"], shown["schema"]) == (kind, kind, schema)
        assert shown["uri"].startswith(f"urn:ojs:schema:{kind}:v1")


@proves("R-webhook-signature")
def _(desk: Desk) -> None:
    body = {"url": "https://example.com/hook", "events": ["job.enqueued"], "secret": "s3cret"}
    desk.ok("POST", "/webhooks/subscriptions", body, 201)
    desk.job()
    (sent,) = desk.engine.extensions.deliveries.requests()
    signed = sent.headers["X-OJS-Timestamp"].encode() + b"." + sent.body
    expected = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert sent.headers["X-OJS-Signature"] == f"sha256={expected}"


@proves("R-checkpoint-method", "R-checkpoint-active", "R-checkpoint-end")
def _(desk: Desk) -> None:
    job = desk.job(retry={"max_attempts": 1})
    path = f"/jobs/{job['id']}/checkpoint"
    desk.refused("PUT", path, {"state": 1}, 409, "conflict")
    desk.claim()
    for method, url in (("POST", path), ("PUT", path), ("PUT", f"/checkpoints/{job['id']}")):
        desk.ok(method, url, {"state": {"by": method}})
    assert desk.ok("GET", path)["checkpoint"]["sequence"] == 3
    desk.nack(job)
    desk.ok("GET", path, None, 404)
    desk.ok("DELETE", path)
    desk.ok("POST", f"/dead-letter/{job['id']}/retry")
    assert "checkpoint" not in desk.claim()[0]
    desk.ack(job)
    desk.refused("POST", path, {"state": 1}, 409, "conflict")


@proves("R-tenant-operator")
def _(desk: Desk) -> None:
    for tenant in ("acme", "zeta"):
        job = desk.enqueue(meta={"tenant_id": tenant}, options={"retry": {"max_attempts": 1}})["job"]
        desk.claim()
        desk.nack(job)
    counts = [desk.ok("GET", "/dead-letter", **who)["total"] for who in ({}, {"x_ojs_tenant": "acme"})]
    assert counts == [2, 1]
    desk.ok("GET", f"/dead-letter/{job['id']}")
    desk.refused("GET", f"/admin/dead-letter/{job['id']}", None, 404, "not_found", x_ojs_tenant="acme")


@proves("R-progress-events")
def _(desk: Desk) -> None:
    job = desk.running()
    desk.ok("PUT", f"/jobs/{job['id']}/progress", {"progress": 0.5})
    desk.wait(60_000)
    desk.ack(job)
    kinds = ("job.progress", "progress.updated", "progress.stalled", "progress.completed")
    assert [len(desk.events(kind)) for kind in kinds] == [1, 0, 1, 1]


@proves("R-schema-mode", "R-schema-status")
def _(desk: Desk) -> None:
    uri, schema = "urn:ojs:schema:a.b:v1", {"type": "array", "minItems": 1}
    desk.ok("POST", "/schemas", {"uri": uri, "type": "a.b", "version": 1, "schema": schema}, 201)
    body = {"type": "a.b", "args": [], "schema": uri}
    error = desk.refused("POST", "/jobs", body, 422, "schema_validation")
    assert error["type"] == "validation_error"
    assert len(error["details"]["validation_errors"]) == 1
    assert len(desk.enqueue()["warnings"]) == 1
    assert "warnings" not in desk.enqueue(args=[1])
    assert desk.enqueue(schema="urn:ojs:schema:other:v1", type="o.o")["job"]["schema"]
    strict = {"type": "c.d", "version": 1, "mode": "strict", "schema": schema}
    desk.ok("POST", "/schemas", strict, 201)
    desk.enqueue(422, type="c.d")


@proves("R-schema-version", "R-schema-again")
def _(desk: Desk) -> None:
    for version in (2, "2.1", "2.10.0"):
        assert desk.enqueue(version=version)["job"]["version"] == version
        body = {"type": "a.b", "version": version, "schema": {"type": "array"}}
        assert desk.ok("POST", "/schemas", body, 201)["version"] == version
    assert desk.ok("GET", "/schemas/a.b")["schema"]["version"] == "2.10.0"
    desk.refused("POST", "/schemas", body, 409, "conflict")
    desk.ok("PUT", "/admin/schemas/a.b/2.1", {"schema": {"type": "array", "title": "t"}})
    assert desk.ok("GET", "/schemas/a.b/2.1")["schema"]["schema"]["title"] == "t"


@proves("R-progress-scale")
def _(desk: Desk) -> None:
    job = desk.running()
    for sent, kept in ((0.25, 0.25), (-1, 0.25), (50, 1.0)):
        assert desk.ok("PUT", f"/jobs/{job['id']}/progress", {"progress": sent})["progress"] == kept
    first = desk.events("job.progress")[0]
    assert (first["progress"], first["progress_percent"]) == (0.25, 25.0)


@proves("R-tenant-required", "R-tenant-header")
def _(desk: Desk) -> None:
    assert desk.enqueue()["job"]["meta"] == {}
    body = {"type": "a", "args": []}
    for header in ("x_ojs_tenant", "x_ojs_tenant_id"):
        job = desk.ok("POST", "/jobs", body, 201, **{header: "acme"})["job"]
        assert job["meta"] == {"tenant_id": "acme"}
    both = desk.ok("POST", "/jobs", body, 201, x_ojs_tenant="one", x_ojs_tenant_id="two")["job"]
    assert both["meta"] == {"tenant_id": "one"}
    desk.ok("POST", "/jobs", {**body, "meta": {"tenant_id": "x"}}, 400, x_ojs_tenant="y")


@proves("R-dead-letter-delete")
def _(desk: Desk) -> None:
    plain, admin = desk.dead().id, desk.dead().id
    assert desk.ok("DELETE", f"/dead-letter/{plain}")["deleted"] is True
    assert desk.ok("DELETE", f"/admin/dead-letter/{admin}", None, 204) == {}


@proves("R-page-limit", "R-pagination")
def _(desk: Desk) -> None:
    jobs = [desk.dead().id for _ in range(3)]
    first = desk.ok("GET", "/dead-letter?limit=2")
    cursor = first["pagination"]["next_cursor"]
    for query in (f"limit=2&cursor={cursor}", "limit=2&offset=2", "per_page=2&page=2"):
        (last,) = desk.ok("GET", f"/dead-letter?{query}")["jobs"]
        assert {job["id"] for job in first["jobs"]} | {last["id"]} == set(jobs)
    whole = desk.ok("GET", "/dead-letter?limit=1000")["pagination"]
    assert (whole["has_more"], "next_cursor" in whole) == (False, False)
    for bad in (0, 1001):
        desk.ok("GET", f"/dead-letter?limit={bad}", None, 400)


@proves("R-case-eq")
def _(_desk: Desk) -> None:
    assert match({"$eq": "a"}, "a") is None
    assert match({"$eq": "a"}, "b") is not None
    assert match({"$size": {"$gte": 1}}, [1]) is None
    assert match({"$gte": 1}, 1) is not None
    assert match({"$type": "number"}, 1) is not None
