"""Rulings about queues, uniqueness, limits, replies, sizes, the manifest and events."""

from __future__ import annotations

import json
from typing import Any

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


@proves("R-unique-declared")
def _(desk: Desk) -> None:
    manifest = _manifest(desk)
    assert manifest["capabilities"]["unique_jobs"] is True
    assert manifest["unique_job_strength"] == manifest["unique_jobs"]["strength"] == "strong"
    assert isinstance(manifest["unique_jobs"]["mechanism"], str)


@proves("R-hold")
def _(desk: Desk) -> None:
    desk.ok("PUT", "/admin/queues/q/config", {"backpressure": {"max_depth": 1, "strategy": "block"}})
    job = desk.job("q")
    body = {"type": "a.b", "args": [], "queue": "q"}
    desk.refused("POST", "/jobs", body, 429, "QUEUE_FULL", ojs_block_timeout="9")
    desk.refused("GET", f"/jobs/{job['id']}/result?wait=true", None, 408, "wait_timeout")
    for method, path in (("POST", "jobs"), ("GET", f"jobs/{job['id']}/result?wait=true&timeout=9")):
        raw = json.dumps(body).encode() if method == "POST" else b""
        url, headers = f"/ojs/v1/{path}", {"ojs-block-timeout": "9"}
        held = desk.binding.handle(Request(method, url, headers, raw, patient=True)).hold
        assert held is not None
        assert (held.seconds, held.ready()) == (9, False)


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


@proves("R-manifest-version", "R-manifest-extensions", "R-manifest-backend")
def _(desk: Desk) -> None:
    manifest = _manifest(desk)
    assert manifest["backend"] == manifest["implementation"]["backend"] == "memory"
    assert manifest["specversion"] == manifest["ojs_version"] == "1.0"
    assert all(isinstance(name, str) for name in manifest["extensions"])
    official = {entry["name"] for entry in manifest["extension_details"]["official"]}
    assert official <= set(manifest["extensions"])
    assert "rate-limiting" in official


@proves("R-extension-tier", "R-extension-full")
def _(desk: Desk) -> None:
    manifest = _manifest(desk)
    entries = {one["name"]: one for tier in manifest["extension_details"].values() for one in tier}
    assert entries.keys() == set(manifest["extensions"])
    assert entries["multi-tenancy"]["uri"] == "urn:ojs:ext:multi-tenancy"
    for uri in ("urn:ojs:ext:multi-tenancy", "urn:ojs:ext:experimental:multi-tenancy", "multi-tenancy"):
        desk.ok("GET", "/health", ojs_requires_extension=uri)
    limits = manifest["payload_limits"]
    assert (limits["supported_compression"], limits["chunking"], limits["per_queue_limits"]) == (
        ["gzip"],
        False,
        False,
    )


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


@proves("R-websocket")
def _(desk: Desk) -> None:
    manifest = _manifest(desk)
    assert (manifest["realtime"]["sse"], manifest["realtime"]["websocket"]) == (True, False)
    desk.refused("GET", "/ws", None, 404, "not_found")


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


@proves("R-ack-path")
def _(desk: Desk) -> None:
    first, second = desk.running(), desk.running()
    assert desk.ok("POST", f"/jobs/{first['id']}/ack", {"result": 1})["state"] == "completed"
    error = {"error": {"code": "x", "message": "y"}}
    assert desk.ok("POST", f"/jobs/{second['id']}/nack", error)["state"] == "retryable"
    assert desk.ack(desk.running())["state"] == "completed"


@proves("R-job-response")
def _(desk: Desk) -> None:
    job = desk.job()
    for body in (desk.ok("GET", f"/jobs/{job['id']}"), desk.enqueue()):
        whole = body["job"]
        fields = ("id", "type", "queue", "state")
        assert [body[name] for name in fields] == [whole[name] for name in fields]


@proves("R-batch-size")
def _(desk: Desk) -> None:
    jobs = [{"type": "a", "args": []}] * 10_000
    assert desk.ok("POST", "/jobs/batch", {"jobs": jobs}, 201)["count"] == 10_000
    over = {"jobs": [*jobs, jobs[0]]}
    desk.refused("POST", "/jobs/batch", over, 413, "BATCH_SIZE_EXCEEDED")


@proves("R-admin-type")
def _(desk: Desk) -> None:
    assert _headers(desk, "GET", "/admin/stats")["Content-Type"] == "application/openjobspec+json"


@proves("R-metric-names")
def _(desk: Desk) -> None:
    desk.ack(desk.running())
    reply = desk.binding.handle(Request("GET", "/metrics"))
    assert isinstance(reply.body, bytes)
    text = reply.body.decode()
    assert 'ojs_job_enqueued_total{queue="default",type="a.b"} 1' in text
    assert "# TYPE ojs_job_duration_seconds histogram" in text
    assert "ojs_jobs_" not in text


@proves("R-trace")
def _(desk: Desk) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for meta in ({"trace_id": trace}, {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}):
        assert desk.enqueue(meta=meta)["job"]["meta"] == meta
        assert desk.events("job.enqueued")[-1]["trace_id"] == trace
