"""Rulings about queues, uniqueness, limits, the manifest, events and the extensions."""

from __future__ import annotations

import json
from typing import Any

from engine.conformance.matchers import match
from engine.http.message import EventStream, Request
from tests.unit.ruling_checks import Desk, proves


def _manifest(desk: Desk) -> dict[str, Any]:
    reply = desk.binding.handle(Request("GET", "/ojs/manifest"))
    assert isinstance(reply.body, bytes)
    found: dict[str, Any] = json.loads(reply.body)
    return found


def _headers(desk: Desk, method: str, url: str, body: Any = None, **sent: str) -> dict[str, str]:
    names = {name.replace("_", "-"): value for name, value in sent.items()}
    return dict(desk.http(method, url, body, names)[0].headers)


@proves("R-queue-object")
def _(desk: Desk) -> None:
    desk.job("q")
    plain = desk.ok("GET", "/queues/q/stats")
    assert (plain["queue"]["name"], plain["queue"]["available"]) == ("q", 1)
    client = desk.ok("GET", "/queues/q/stats", ojs_version="1.0")
    assert client["queue"] == "q"
    assert plain["stats"]["available"] == client["stats"]["available"] == client["available"] == 1


@proves("R-paused-enqueue")
def _(desk: Desk) -> None:
    desk.ok("POST", "/queues/q/pause")
    assert desk.job("q")["state"] == "available"
    assert desk.claim("q") == []
    desk.ok("POST", "/queues/q/resume")
    assert len(desk.claim("q")) == 1


@proves("R-unknown-queue")
def _(desk: Desk) -> None:
    assert desk.ok("GET", "/queues/ghost/stats")["queue"]["available"] == 0
    assert [queue["name"] for queue in desk.ok("GET", "/queues")["queues"]] == ["default"]
    assert desk.ok("POST", "/queues/new/pause")["status"] == "paused"
    assert [queue["name"] for queue in desk.ok("GET", "/queues")["queues"]] == ["default", "new"]


@proves("R-stream-unknown-queue")
def _(desk: Desk) -> None:
    desk.refused("GET", "/queues/ghost/events", None, 404, "not_found")
    reply = desk.binding.handle(Request("GET", "/ojs/v1/queues/default/events"))
    assert isinstance(reply.body, EventStream)


@proves("R-queue-name")
def _(desk: Desk) -> None:
    assert desk.job("q" * 128)["queue"] == "q" * 128
    for bad in ("q" * 129, "Upper", "under_score", "-x", ""):
        desk.enqueue(400, options={"queue": bad})
    assert _manifest(desk)["payload_limits"]["max_queue_name_bytes"] == 128


def _unique(desk: Desk, field: str) -> None:
    for queue, named, second, status in (
        ("dimension", ["type", "args"], [{"a": 1, "b": 2}], 201),
        ("field", ["a"], [{"a": 1, "b": 2}], 409),
        ("text", "a", [{"a": 2, "b": 1}], 201),
    ):
        policy = {"type": f"u.{field}.{queue}", "options": {"unique": {field: named}}}
        desk.enqueue(args=[{"a": 1, "b": 1}], **policy)
        desk.enqueue(status, args=second, **policy)


@proves("R-unique-key")
def _(desk: Desk) -> None:
    _unique(desk, "keys")
    _unique(desk, "key")
    desk.enqueue(type="u.none", args=[1], options={"unique": {}})
    desk.enqueue(409, type="u.none", args=[2], options={"unique": {}})


@proves("R-unique-existing")
def _(desk: Desk) -> None:
    for word in ("ignore", "use_existing"):
        policy = {"type": f"u.{word}", "options": {"unique": {"on_conflict": word}}}
        first = desk.enqueue(**policy)["job"]["id"]
        again = desk.enqueue(200, **policy)
        assert (again["job"]["id"], again["deduplicated"]) == (first, True)


@proves("R-unique-strategies")
def _(desk: Desk) -> None:
    def push(word: str, status: int, when: str = "+PT9S") -> dict[str, Any]:
        options = {"scheduled_at": when, "unique": {"on_conflict": word}}
        return desk.enqueue(status, type=f"u.{word}", options=options)

    for word, status in (
        ("reject", 409),
        ("replace", 201),
        ("replace_except_schedule", 201),
        ("ignore", 200),
    ):
        first = push(word, 201)["job"]
        second = push(word, status, "+PT1H")
        replaced = word.startswith("replace")
        assert desk.info(first)["state"] == ("cancelled" if replaced else "scheduled")
        if replaced:
            kept = second["job"]["scheduled_at"] == first["scheduled_at"]
            assert kept is (word == "replace_except_schedule")
    desk.enqueue(400, options={"unique": {"on_conflict": "whatever"}})


@proves("R-rate-limit-form")
def _(desk: Desk) -> None:
    forms = (
        {"max_per_second": 1},
        {"key": "k", "rate": {"limit": 1, "period": "PT1S"}},
        {"rate": 1, "period": "PT1S"},
        {"key": "c", "concurrency": 1},
    )
    for index, form in enumerate(forms):
        for _ in range(2):
            desk.job(f"q{index}", rate_limit=form)
        assert [len(desk.claim(f"q{index}")) for _ in range(2)] == [1, 0]
    desk.wait(1000)
    assert [len(desk.claim(f"q{index}")) for index in range(4)] == [1, 1, 1, 0]


@proves("R-rate-limit-headers")
def _(desk: Desk) -> None:
    wanted = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    for url in ("/health", "/no/such/path", "/metrics"):
        assert wanted <= _headers(desk, "GET", url).keys()


@proves("R-manifest-version", "R-manifest-extensions")
def _(desk: Desk) -> None:
    manifest = _manifest(desk)
    assert manifest["specversion"] == manifest["ojs_version"] == "1.0"
    assert all(isinstance(name, str) for name in manifest["extensions"])
    official = {entry["name"] for entry in manifest["extension_details"]["official"]}
    assert official <= set(manifest["extensions"])
    assert "rate-limiting" in official


@proves("R-response-type")
def _(desk: Desk) -> None:
    for url, status in (("/health", 200), ("/nowhere", 404)):
        reply, _ = desk.http("GET", url, None, {"accept": "application/json"})
        assert (reply.status, reply.headers["Content-Type"]) == (status, "application/openjobspec+json")
    manifest = desk.binding.handle(Request("GET", "/ojs/manifest"))
    assert manifest.headers["Content-Type"] == "application/openjobspec+json"
    needy = _headers(desk, "GET", "/health", user_agent="python-httpx/0.28")["Content-Type"]
    assert needy == 'application/openjobspec+json; profile="application/json"'


@proves("R-metrics-type")
def _(desk: Desk) -> None:
    for url in ("/metrics", "/ojs/v1/metrics"):
        reply = desk.binding.handle(Request("GET", url))
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/plain")


@proves("R-unsupported-media")
def _(desk: Desk) -> None:
    job = {"type": "a", "args": []}
    desk.ok("POST", "/jobs", job, 400, content_type="text/plain")
    desk.ok("POST", "/jobs", job, 415, content_encoding="zstd")
    desk.ok("POST", "/jobs", job, 201, content_type="application/openjobspec+json; charset=utf-8")


@proves("R-event-data", "R-event-id")
def _(desk: Desk) -> None:
    job = desk.running("q")
    desk.ack(job)
    events = desk.ok("GET", "/events?queues=q")["events"]
    assert [event["type"] for event in events] == ["job.enqueued", "job.started", "job.completed"]
    for event in events:
        data = event["data"]
        assert event["subject"] == data["job_id"] == job["id"]
        assert (data["job_type"], data["queue"]) == ("a.b", "q")
        assert {"state", "attempt"} <= data.keys()
    ids = [event["id"] for event in events]
    assert ids == sorted(ids)
    rest = desk.ok("GET", f"/events?queues=q&after={ids[0]}")["events"]
    assert [event["id"] for event in rest] == ids[1:]


@proves("R-event-stream")
def _(desk: Desk) -> None:
    job = desk.job()
    reply = desk.binding.handle(Request("GET", f"/ojs/v1/jobs/{job['id']}/events"))
    assert isinstance(reply.body, EventStream)
    chunks: list[bytes] = []
    reply.body.start(chunks.append, lambda: None)
    desk.claim()
    text = b"".join(chunks).decode()
    told = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert (told[0]["from"], told[0]["to"]) == ("available", "active")
    assert (told[1]["specversion"], told[1]["type"]) == ("1.0", "job.started")


@proves("R-body-limit", "R-body-limit-code")
def _(desk: Desk) -> None:
    limit = 1_048_576
    frame = len(json.dumps({"type": "a", "args": [""]}))
    desk.enqueue(type="a", args=["x" * (limit - frame)])
    body = {"type": "a", "args": ["x" * (limit - frame + 1)]}
    error = desk.refused("POST", "/jobs", body, 413, "payload_too_large")
    assert error["canonical_code"] == "PAYLOAD_TOO_LARGE"
    assert error["details"]["max_bytes"] == error["details"]["limit"] == limit
    assert error["details"]["actual_bytes"] == error["details"]["size"] == limit + 1
    assert _manifest(desk)["payload_limits"]["max_envelope_bytes"] == limit


@proves("R-meta-limit")
def _(desk: Desk) -> None:
    frame = len('{"x":""}')
    desk.enqueue(meta={"x": "y" * (65_536 - frame)})
    body = {"type": "a", "args": [], "meta": {"x": "y" * (65_537 - frame)}}
    desk.refused("POST", "/jobs", body, 413, "metadata_too_large")


@proves("R-batch-atomic")
def _(desk: Desk) -> None:
    half = {"jobs": [{"type": "a", "args": []}, {"args": []}]}
    before = desk.snapshot()
    desk.ok("POST", "/jobs/batch", half, 400)
    desk.ok("POST", "/jobs/bulk", half | {"atomicity": "atomic"}, 422)
    assert desk.snapshot() == before
    desk.ok("PUT", "/admin/queues/q/config", {"backpressure": {"max_depth": 1}})
    desk.ok("POST", "/jobs/batch", {"jobs": [{"type": "a", "args": [], "queue": "q"}] * 2}, 429)
    assert desk.claim("q") == []
    assert desk.ok("POST", "/jobs/bulk", half, 207)["succeeded"] == 1


@proves("R-results-type")
def _(desk: Desk) -> None:
    for result in (None, 3, "text", [1], {"a": None}, False):
        job = desk.running()
        desk.ack(job, result=result)
        assert desk.info(job)["result"] == result


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


@proves("R-schema-mode", "R-schema-status")
def _(desk: Desk) -> None:
    uri, schema = "urn:ojs:schema:a.b:v1", {"type": "array", "minItems": 1}
    desk.ok("POST", "/schemas", {"uri": uri, "type": "a.b", "version": 1, "schema": schema}, 201)
    body = {"type": "a.b", "args": [], "schema": uri}
    error = desk.refused("POST", "/jobs", body, 422, "schema_validation")
    assert error["type"] == "validation_error"
    assert len(error["details"]["violations"]) == 1
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
