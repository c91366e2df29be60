"""The admin API's jobs, workers and figures (OJS Admin API)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ojs_client import Client


@pytest.fixture
def client() -> Client:
    return Client()


def test_jobs_are_listed_newest_first_in_pages(client: Client) -> None:
    ids = [client.push() for _ in range(5)]
    body = client.get("/admin/jobs?per_page=2&page=2")
    assert [one["id"] for one in body["items"]] == [ids[2], ids[1]]
    assert body["pagination"] == {"total": 5, "page": 2, "per_page": 2}
    assert client.get("/admin/jobs")["pagination"]["per_page"] == 20
    assert client.get("/admin/jobs?per_page=500")["pagination"]["per_page"] == 100
    openapi = client.get("/admin/jobs?limit=2&offset=4")
    assert ([one["id"] for one in openapi["items"]], openapi["pagination"]["total"]) == ([ids[0]], 5)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("state=active", 1),
        ("state=available,active", 3),
        ("queue=other", 1),
        ("queue=other&state=active", 0),
        ("type=email.send", 2),
        ("type=email.*", 2),
        ("type=e*", 2),
        ("since=2026-01-05T12:00:00Z", 1),
        ("until=2026-01-05T12:00:01Z", 2),
    ],
)
def test_filters_choose_jobs_and_count_them(client: Client, query: str, total: int) -> None:
    client.start()
    client.push("report.make", options={"queue": "other"})
    client.wait(1000)
    client.push()
    body = client.get("/admin/jobs?" + query)
    assert (body["pagination"]["total"], len(body["items"])) == (total, total)


def test_jobs_are_sorted_as_asked(client: Client) -> None:
    for priority in (5, -5, 0):
        client.push(options={"priority": priority})
    items = client.get("/admin/jobs?sort=priority&order=asc")["items"]
    assert [one["priority"] for one in items] == [-5, 0, 5]
    first = client.get("/admin/jobs?order=asc")["items"][0]
    assert first["priority"] == 5


@pytest.mark.parametrize(
    "query", ["state=lost", "sort=luck", "order=up", "since=today", "page=0", "per_page=x"]
)
def test_a_malformed_question_is_refused(client: Client, query: str) -> None:
    client.get("/admin/jobs?" + query)
    assert (client.status, client.code) == (400, "invalid_request")


def test_the_detail_has_policy_times_errors_and_history(client: Client) -> None:
    job_id = client.start(meta={"a": 1})
    client.fail(job_id)
    body = client.get(f"/admin/jobs/{job_id}")
    assert (body["id"], body["state"], body["meta"]) == (job_id, "retryable", {"a": 1})
    assert body["retry_policy"]["max_attempts"] == 3
    assert body["metadata"]["started_at"] == "2026-01-05T12:00:00.000Z"
    assert body["metadata"]["completed_at"] is None
    assert (len(body["errors"]), body["history"][0]["event_type"]) == (1, "job.created")


def test_single_jobs_are_cancelled_and_retried(client: Client) -> None:
    job_id = client.start(options={"retry": {"max_attempts": 1}})
    client.fail(job_id)
    assert client.post(f"/admin/jobs/{job_id}/retry")["job"]["state"] == "available"
    assert client.post(f"/admin/jobs/{job_id}/cancel")["job"]["state"] == "cancelled"


def dead(client: Client, count: int) -> list[str]:
    ids = [client.start(options={"retry": {"max_attempts": 1}}) for _ in range(count)]
    for job_id in ids:
        client.fail(job_id)
    return ids


def test_bulk_operations_need_confirmation(client: Client) -> None:
    dead(client, 1)
    for action in ("retry", "cancel", "delete"):
        for confirm in ({}, {"confirm": False}, {"confirm": "yes"}):
            body = client.post(f"/admin/jobs/bulk/{action}", {"filter": {}, **confirm})
            assert (client.status, body["error"]["details"]["field"]) == (400, "confirm")
    assert client.engine.store.counts()["discarded"] == 1


def test_bulk_retry_revives_what_matches(client: Client) -> None:
    dead(client, 2)
    client.push("other.type")
    wanted = {"state": "discarded", "type": "email.send"}
    body = client.post("/admin/jobs/bulk/retry", {"filter": wanted, "confirm": True})
    assert body == {
        "action": "retry",
        "matched": 2,
        "succeeded": 2,
        "failed": 0,
        "retried": 2,
        "errors": [],
    }
    assert client.engine.store.counts()["available"] == 3


def test_bulk_operations_report_what_they_could_not_do(client: Client) -> None:
    job_id = client.start()
    body = client.post("/admin/jobs/bulk/retry", {"filter": {"state": "active"}, "confirm": True})
    assert (body["matched"], body["succeeded"], body["failed"]) == (1, 0, 1)
    assert body["errors"][0]["job_id"] == job_id


def test_bulk_cancel_and_delete(client: Client) -> None:
    client.push()
    client.push(options={"scheduled_at": "+PT1H"})
    done = client.start("a.b", options={"priority": 9, "queue": "default"})
    client.ack(done)
    assert client.post("/admin/jobs/bulk/cancel", {"confirm": True})["succeeded"] == 2
    body = client.post("/admin/jobs/bulk/delete", {"filter": {"state": "completed"}, "confirm": True})
    assert body["succeeded"] == 1
    client.get(f"/jobs/{done}")
    assert client.status == 404
    assert client.engine.store.counts()["cancelled"] == 2


def beat(client: Client, worker: str, jobs: list[str] | None = None, **more: Any) -> Any:
    return client.post("/workers/heartbeat", {"worker_id": worker, "active_jobs": jobs or [], **more})


def test_workers_are_listed_with_a_summary(client: Client) -> None:
    beat(client, "w1", hostname="h", version="1.2")
    beat(client, "w2")
    client.post("/admin/workers/w2/quiet")
    client.post("/workers/fetch", {"queues": ["default"], "worker_id": "w3"})
    client.wait(29_000)
    beat(client, "w1", hostname="h", version="1.2")
    beat(client, "w2")
    client.wait(2_000)
    body = client.get("/admin/workers")
    assert body["summary"] == {"total": 3, "running": 1, "quiet": 1, "terminate": 0, "stale": 1}
    assert (body["pagination"]["total"], body["items"][0]["hostname"]) == (3, "h")
    assert beat(client, "w2")["state"] == "quiet"
    client.post("/admin/workers/w2/resume")
    assert beat(client, "w2")["state"] == "running"


def test_a_worker_is_shown_with_its_jobs(client: Client) -> None:
    job_id = client.start()
    beat(client, "w1", [job_id])
    assert client.get("/admin/workers/w1")["jobs"][0]["id"] == job_id
    client.get("/admin/workers/nobody")
    assert client.status == 404


def test_only_stale_workers_are_deregistered(client: Client) -> None:
    client.post("/workers/fetch", {"queues": ["default"], "worker_id": "w1"})
    client.delete("/admin/workers/w1")
    assert (client.status, client.code) == (409, "conflict")
    client.wait(31_000)
    assert client.delete("/admin/workers/w1")["deleted"] is True
    assert client.get("/admin/workers")["items"] == []


def test_figures_count_jobs_and_the_last_minute(client: Client) -> None:
    client.ack(client.start())
    client.fail(client.start())
    body = client.get("/admin/stats")
    assert (body["queues"], body["workers"]) == (1, 1)
    assert (body["jobs"]["completed"], body["jobs"]["retryable"]) == (1, 1)
    assert body["throughput"] == {
        "processed_per_minute": 1,
        "failed_per_minute": 1,
        "enqueued_per_minute": 2,
    }
    client.wait(60_000)
    assert client.get("/admin/stats")["throughput"]["processed_per_minute"] == 0
    assert client.body["uptime_seconds"] == 60


def test_figures_over_time_come_in_buckets(client: Client) -> None:
    job_id = client.start()
    client.wait(30_000)
    client.ack(job_id)
    client.wait(60_000)
    client.push()
    body = client.get("/admin/stats/history?period=1m")
    assert [(one["timestamp"], one["enqueued"], one["processed"]) for one in body["data"]] == [
        ("2026-01-05T12:00:00.000Z", 1, 1),
        ("2026-01-05T12:01:00.000Z", 1, 0),
    ]
    assert body["data"][0]["latency_p50_ms"] == 30_000
    assert client.get("/admin/stats/history?queue=other")["data"] == []
    client.get("/admin/stats/history?period=1y")
    assert client.status == 400


def test_a_minute_with_more_events_than_the_log_keeps_is_counted_all_the_same(client: Client) -> None:
    for _ in range(500):
        client.engine.push({"type": "a.b", "args": []})
    client.wait(60_000)
    for _ in range(12_000):
        client.engine.kernel.emit("queue.paused", "x", {"queue": "x"})
    assert client.get("/admin/stats")["throughput"]["enqueued_per_minute"] == 500


def test_figures_go_back_a_day_by_minutes_and_a_month_by_hours(client: Client) -> None:
    """OJS Admin API 10.2, also when the event log has long forgotten; percentiles are then unknown, not zero."""
    job_id = client.start()
    client.wait(250)
    client.ack(job_id)
    for _ in range(12_000):
        client.engine.kernel.emit("queue.paused", "x", {"queue": "x"})
    since = "2026-01-05T12:00:00Z"
    client.wait(23 * 3_600_000)
    (minute,) = client.get(f"/admin/stats/history?period=1m&since={since}")["data"]
    assert (minute["timestamp"], minute["processed"], minute["enqueued"]) == (
        "2026-01-05T12:00:00.000Z",
        1,
        1,
    )
    assert (minute["latency_avg_ms"], minute["latency_p50_ms"]) == (250, None)
    client.wait(28 * 86_400_000)
    assert client.get(f"/admin/stats/history?period=1m&since={since}")["data"] == []
    (hour,) = client.get(f"/admin/stats/history?period=1h&since={since}")["data"]
    assert (hour["timestamp"], hour["processed"]) == ("2026-01-05T12:00:00.000Z", 1)
    client.wait(2 * 86_400_000)
    assert client.get(f"/admin/stats/history?period=1h&since={since}")["data"] == []


def test_the_configuration_is_shown(client: Client) -> None:
    assert client.get("/admin/system/config")["max_meta_bytes"] == 65_536


def test_cron_is_an_operators_too(client: Client) -> None:
    client.post("/admin/cron", {"name": "n", "cron": "0 2 * * *", "type": "a.b", "args": []})
    assert client.status == 201
    assert client.get("/admin/cron?page=1&per_page=5")["items"][0]["name"] == "n"
    assert client.post("/admin/cron/n/pause")["cron_job"]["enabled"] is False
    assert client.post("/admin/cron/n/resume")["cron_job"]["enabled"] is True
    assert client.post("/admin/cron/n/trigger")["job"]["type"] == "a.b"
    client.delete("/admin/cron/n")
    client.get("/admin/cron/n")
    assert client.status == 404


def test_changes_through_the_admin_api_are_written_down_newest_first(client: Client) -> None:
    client.push()
    client.get("/admin/jobs")
    headers = {"x-ojs-actor": "token:admin", "x-request-id": "req-1"}
    client.post("/admin/queues/default/pause", headers=headers)
    client.post("/admin/jobs/bulk/cancel", {"filter": {"state": "available"}})
    client.post("/admin/jobs/bulk/cancel", {"filter": {"state": "available"}, "confirm": True})
    body = client.get("/admin/audit")
    assert body["pagination"]["total"] == 3, "reading is no change, and a refusal is one that was asked for"
    bulk, refused, paused = body["items"]
    assert (bulk["status"], bulk["outcome"]) == (200, {"matched": 1, "succeeded": 1, "failed": 0})
    assert (refused["status"], refused["error"], refused["actor"]) == (400, "invalid_request", "unknown")
    assert (paused["actor"], paused["request_id"]) == ("token:admin", "req-1")
    assert (paused["method"], paused["path"]) == ("POST", "/ojs/v1/admin/queues/default/pause")
    assert paused["at"] == "2026-01-05T12:00:00.000Z"
    assert [one["id"] for one in client.get("/admin/audit?actor=token:admin")["items"]] == [paused["id"]]
    assert [one["id"] for one in client.get("/admin/audit?status=400")["items"]] == [refused["id"]]


def test_the_record_of_changes_is_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.http.audit.KEPT", 3)
    for _ in range(5):
        client.post("/admin/queues/default/pause")
    assert [one["id"] for one in client.get("/admin/audit")["items"]] == [
        "audit_000000000005",
        "audit_000000000004",
        "audit_000000000003",
    ]


ANSWERS = (
    ("GET", "/admin/queues", None, "items pagination"),
    (
        "GET",
        "/admin/queues/default",
        None,
        "name state counts configuration paused created_at oldest_available_at",
    ),
    ("POST", "/admin/queues/default/pause", {}, "name paused paused_at"),
    ("POST", "/admin/queues/default/resume", {}, "name paused"),
    (
        "DELETE",
        "/admin/queues/default/jobs",
        {"states": ["completed"], "confirm": True},
        "purged_count states",
    ),
    ("PUT", "/admin/queues/default/config", {"concurrency": 3}, "name"),
    ("GET", "/admin/jobs", None, "items pagination"),
    ("GET", "/admin/jobs/{id}", None, "id type queue args meta state retry_policy errors result metadata"),
    (
        "POST",
        "/admin/jobs/bulk/retry",
        {"filter": {}, "confirm": True},
        "action matched succeeded failed errors",
    ),
    (
        "POST",
        "/admin/jobs/bulk/delete",
        {"filter": {}, "confirm": True},
        "action matched succeeded failed errors",
    ),
    ("GET", "/admin/workers", None, "items summary pagination"),
    ("GET", "/admin/workers/w1", None, "id state queues active_jobs last_heartbeat_at jobs"),
    ("POST", "/admin/workers/w1/quiet", {}, "id"),
    ("GET", "/admin/stats", None, "queues workers jobs throughput uptime_seconds"),
    ("GET", "/admin/stats/history", None, "period data"),
    ("GET", "/admin/dead-letter", None, "items pagination"),
    ("DELETE", "/admin/dead-letter", {"confirm": True}, "purged_count"),
    ("POST", "/admin/system/maintenance", {"enabled": False}, "maintenance"),
    ("GET", "/admin/system/config", None, "backend"),
    ("POST", "/admin/jobs/{id}/cancel", {}, "job"),
)
"""Each endpoint of the document with the fields that it shows in the answer (OJS Admin API 6 to 12)."""


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"), ANSWERS, ids=[f"{a[0]} {a[1]}" for a in ANSWERS]
)
def test_every_endpoint_of_the_document_answers_with_its_fields(
    client: Client, method: str, path: str, body: Any, fields: str
) -> None:
    job = client.push()
    client.push(queue="other")
    client.fetch("other")
    client.post("/workers/heartbeat", {"worker_id": "w1", "active_jobs": [], "queues": ["other"]})
    answer = client.send(method, path.replace("{id}", job), body)
    assert client.status == 200, answer
    assert set(fields.split()) <= answer.keys()


def test_what_the_document_shows_of_each_item(client: Client) -> None:
    client.push()
    client.fetch()
    queue = client.get("/admin/queues")["items"][0]
    assert {"name", "state", "counts", "throughput", "latency_ms", "paused", "created_at"} <= queue.keys()
    assert {"p50", "p95", "p99"} <= queue["latency_ms"].keys()
    facts = {
        "hostname": "h",
        "version": "1.2",
        "concurrency": 4,
        "metadata": {"pod": "p"},
        "queues": ["default"],
    }
    client.post("/workers/heartbeat", {"worker_id": "w1", "started_at": "2026-01-05T11:00:00Z", **facts})
    worker = client.get("/admin/workers")["items"][0]
    names = "id hostname state queues concurrency active_jobs started_at last_heartbeat_at version metadata"
    assert set(names.split()) <= worker.keys()
