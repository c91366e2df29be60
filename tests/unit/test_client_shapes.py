"""Every official client, as each talks: any producer with any worker, and what each asks for besides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import Engine
from engine.clock import ManualClock
from engine.http.binding import Binding
from engine.http.message import Request
from tests.unit.client_shapes import (
    ARGUMENTS,
    BROWSER,
    CLIENTS,
    GO,
    JAVASCRIPT,
    PYTHON,
    QUEUE,
    RETRY_ISO,
    TYPE,
    Shape,
    read,
    send,
)


class Live:
    """A server with a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_767_268_800_000)
        self.engine = Engine(self.clock, seed=3)
        self.binding = Binding(self.engine)

    def ask(self, shape: Shape, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return send(self.binding, shape, method, path, body)

    def later(self, ms: int) -> None:
        self.clock.set(self.clock.now() + ms)
        self.engine.advance()


@pytest.fixture
def live() -> Live:
    return Live()


named = pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.name)


@pytest.mark.parametrize("worker", CLIENTS, ids=lambda one: one.name)
@pytest.mark.parametrize("producer", CLIENTS, ids=lambda one: one.name)
def test_whoever_enqueues_whoever_works_completes_the_job(live: Live, producer: Shape, worker: Shape) -> None:
    """The front page's scene is one of these: enqueue in JavaScript, process in Go."""
    made = live.ask(producer, "POST", "/jobs", producer.enqueue)
    assert made[":status"] == 201
    assert (made["id"], made["state"], made["type"], made["queue"]) == (
        made["job"]["id"],
        "available",
        TYPE,
        QUEUE,
    )
    got = live.ask(worker, "POST", "/workers/fetch", worker.fetch)
    (job,) = got["jobs"]
    assert (job["id"], job["attempt"], job["args"], job["priority"]) == (made["id"], 1, [ARGUMENTS], 5)
    assert (job["timeout_ms"], job["max_attempts"], job["tags"]) == (30_000, 2, ["mail"])
    beat = json.loads(json.dumps(worker.beat).replace("JOB", job["id"]))
    assert live.ask(worker, "POST", "/workers/heartbeat", beat)["state"] == "running"
    done = live.ask(worker, "POST", "/workers/ack", {"job_id": job["id"], **worker.ack})
    assert (done[":status"], done["acknowledged"]) == (200, True)
    assert live.ask(producer, "GET", f"/jobs/{job['id']}")["job"]["state"] == "completed"
    assert live.ask(worker, "POST", "/workers/fetch", worker.fetch)["jobs"] == []


@named
def test_a_failure_of_each_is_retried_then_discarded_with_its_history(live: Live, client: Shape) -> None:
    made = live.ask(client, "POST", "/jobs", client.enqueue)
    for attempt in (1, 2):
        (job,) = live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"]
        assert job["attempt"] == attempt
        failed = live.ask(client, "POST", "/workers/nack", {"job_id": job["id"], "error": client.fail})
        assert failed["state"] == ("retryable" if attempt == 1 else "discarded")
        live.later(1_000)
    job = live.ask(client, "GET", f"/jobs/{made['id']}")["job"]
    assert job["error"]["message"] == "SMTP refused"
    assert [one["attempt"] for one in job["errors"]] == [1, 2]


@named
def test_a_long_job_stays_with_the_worker_that_sends_heartbeats(live: Live, client: Shape) -> None:
    """A refused heartbeat would make long jobs run twice."""
    live.ask(
        client,
        "POST",
        "/jobs",
        {**client.enqueue, "options": {"queue": QUEUE, "visibility_timeout_ms": 30_000}},
    )
    (job,) = live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"]
    beat = json.loads(json.dumps(client.beat).replace("JOB", job["id"]))
    for _ in range(4):
        live.later(20_000)
        assert live.ask(client, "POST", "/workers/heartbeat", beat)[":status"] == 200
    assert live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"] == []
    assert live.ask(client, "POST", "/workers/ack", {"job_id": job["id"]})["acknowledged"] is True


@named
def test_what_is_not_there_is_an_error_that_each_can_read(live: Live, client: Shape) -> None:
    for method, path in (
        ("GET", "/jobs/01900000-0000-7000-8000-000000000000"),
        ("GET", "/nowhere"),
        ("DELETE", "/jobs/01900000-0000-7000-8000-000000000000"),
    ):
        assert live.ask(client, method, path)["error"]["code"] == "not_found"
    assert live.ask(client, "PUT", "/health")["error"]["code"] == "method_not_allowed"
    assert live.ask(client, "POST", "/jobs", {"type": "A"})["error"]["code"] == "invalid_request"


@named
def test_a_duplicate_names_the_job_that_is_there(live: Live, client: Shape) -> None:
    for keys in (["type", "args"], "type", ["to"]):
        live = Live()
        unique = {"keys": keys, "period": "PT1H", "on_conflict": "reject"}
        body = {**client.enqueue, "options": {"queue": QUEUE, "unique": unique}}
        first = live.ask(client, "POST", "/jobs", body)
        again = live.ask(client, "POST", "/jobs", body)
        assert (again[":status"], again["error"]["code"]) == (409, "duplicate")
        assert again["error"]["details"]["existing_job_id"] == first["id"]


@named
@pytest.mark.parametrize(
    "when", ["2026-01-01T12:00:05Z", "2026-01-01T14:00:05.000000001+02:00", "PT5S", "+PT5S"]
)
def test_a_delay_is_understood_however_it_is_spelt(live: Live, client: Shape, when: str) -> None:
    made = live.ask(
        client, "POST", "/jobs", {"type": TYPE, "args": [], "options": {"queue": QUEUE, "delay_until": when}}
    )
    assert made["state"] == "scheduled"
    live.later(5_001)
    assert len(live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"]) == 1


@named
def test_queues_are_listed_and_paused_in_the_shape_that_each_reads(live: Live, client: Shape) -> None:
    names = [one["name"] for one in live.ask(client, "GET", "/queues")["queues"]]
    assert "default" in names
    live.ask(client, "POST", "/jobs", client.enqueue)
    stats = live.ask(client, "GET", f"/queues/{QUEUE}/stats")
    assert stats["stats"]["available"] == 1
    dialect = "ojs-version" in client.headers
    assert stats["queue"] == QUEUE if dialect else stats["queue"]["name"] == QUEUE
    paused = live.ask(client, "POST", f"/queues/{QUEUE}/pause")
    assert (paused["queue"] if dialect else paused["queue"]["name"]) == QUEUE
    assert live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"] == []
    live.ask(client, "POST", f"/queues/{QUEUE}/resume")
    assert len(live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"]) == 1


@named
def test_dead_letters_are_paged_and_never_null(live: Live, client: Shape) -> None:
    empty = live.ask(client, "GET", "/dead-letter?limit=10")
    assert (empty["jobs"], empty["total"], empty["pagination"]["has_more"]) == ([], 0, False)
    body = {
        "type": TYPE,
        "args": [],
        "options": {"queue": QUEUE, "retry": {"max_attempts": 1, "on_exhaustion": "dead_letter"}},
    }
    made = live.ask(client, "POST", "/jobs", body)
    live.ask(client, "POST", "/workers/fetch", client.fetch)
    live.ask(client, "POST", "/workers/nack", {"job_id": made["id"], "error": client.fail})
    page = live.ask(client, "GET", f"/dead-letter?queue={QUEUE}&limit=1&offset=0")
    assert [one["id"] for one in page["jobs"]] == [made["id"]]
    assert {"total": 1, "limit": 1, "offset": 0, "has_more": False}.items() <= page["pagination"].items()
    assert live.ask(client, "POST", f"/dead-letter/{made['id']}/retry")["job"]["state"] == "available"


def template(**more: Any) -> dict[str, Any]:
    return {"type": TYPE, "options": {"queue": QUEUE}, **more}


@pytest.mark.parametrize(
    ("client", "body"),
    [
        (JAVASCRIPT, {"name": "nightly", "cron": "0 2 * * *", "timezone": "UTC", **template(args=[])}),
        (GO, {"name": "nightly", "expression": "0 2 * * *", "job_template": template(args=[ARGUMENTS])}),
        (PYTHON, {"name": "nightly", "cron": "0 2 * * *", "job_template": template()}),
    ],
    ids=["javascript", "go", "python"],
)
def test_cron_speaks_both_vocabularies(live: Live, client: Shape, body: dict[str, Any]) -> None:
    made = live.ask(client, "POST", "/cron", body)
    assert made[":status"] == 201
    for entry in (made["cron"] if isinstance(made["cron"], dict) else made["cron_job"], made["cron_job"]):
        assert entry["name"] == "nightly"
    listed = live.ask(client, "GET", "/cron?page=1&per_page=10")
    assert (
        [one["name"] for one in listed["crons"]]
        == [one["name"] for one in listed["cron_jobs"]]
        == ["nightly"]
    )
    live.later(16 * 3_600_000)
    assert len(live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"]) == 1


ONE: dict[str, Any] = {"type": "a.one", "args": []}
TWO: dict[str, Any] = {"type": "a.two", "args": []}


@pytest.mark.parametrize(
    ("client", "body", "steps"),
    [
        (JAVASCRIPT, {"type": "chain", "steps": [ONE, TWO]}, 2),
        (JAVASCRIPT, {"type": "group", "jobs": [ONE, TWO]}, 2),
        (GO, {"name": "flow", "steps": [{"id": "x", **ONE}, {"id": "y", **TWO, "depends_on": ["x"]}]}, 2),
        (PYTHON, {"steps": [{"id": "x", **ONE}, {"id": "on_success", **TWO, "depends_on": ["x"]}]}, 2),
        (
            PYTHON,
            {"steps": [{"id": "x", **ONE}, {"id": "y", **TWO, "options": {"callback_type": "on_success"}}]},
            2,
        ),
    ],
    ids=["javascript chain", "javascript group", "go graph", "callback by id", "callback by option"],
)
def test_workflows_of_every_client_run_to_their_end(
    live: Live, client: Shape, body: dict[str, Any], steps: int
) -> None:
    made = live.ask(client, "POST", "/workflows", body)
    assert made[":status"] == 201
    assert (made["id"], made["state"]) == (made["workflow"]["id"], "running")
    assert isinstance(made["name"], str)
    done = 0
    for _ in range(steps):
        found = live.ask(client, "POST", "/workers/fetch", {"queues": ["default"], "count": 10})["jobs"]
        for job in found:
            live.ask(client, "POST", "/workers/ack", {"job_id": job["id"], "result": {"n": done}})
            done += 1
    assert done == steps
    ended = live.ask(client, "GET", f"/workflows/{made['id']}")
    assert ended["state"] == "completed"
    assert all({"id", "type", "state"} <= step.keys() for step in ended["workflow"].get("steps", []))


@named
def test_manifest_and_health_have_the_types_that_each_decodes(live: Live, client: Shape) -> None:
    manifest = live.ask(client, "GET", "/ojs/manifest")
    assert manifest["specversion"] == manifest["ojs_version"] == "1.0"
    assert all(isinstance(one, str) for one in manifest["extensions"])
    assert all(isinstance(one, bool) for one in manifest["capabilities"].values())
    assert all(isinstance(one, str) for one in manifest["endpoints"].values())
    health = live.ask(client, "GET", "/health")
    assert health["status"] == "ok"
    assert isinstance(health["uptime_seconds"], int)


@named
def test_progress_checkpoints_and_listing_beyond_the_binding(live: Live, client: Shape) -> None:
    live.ask(client, "POST", "/jobs", client.enqueue)
    (job,) = live.ask(client, "POST", "/workers/fetch", client.fetch)["jobs"]
    told = {"job_id": job["id"], "progress": 0.5, "percentage": 50, "message": "half"}
    assert live.ask(client, "POST", "/workers/progress", told)[":status"] == 200
    assert live.ask(client, "GET", f"/jobs/{job['id']}/progress")[":status"] == 200
    assert [one["id"] for one in live.ask(client, "GET", "/jobs?limit=5")["jobs"]] == [job["id"]]
    doubled = f"/ojs/v1/ojs/v1/checkpoints/{job['id']}"
    assert live.ask(client, "PUT", doubled, {"state": {"row": 7}})[":status"] in {200, 201}
    assert live.ask(client, "GET", doubled)[":status"] == 200
    assert live.ask(client, "POST", f"/jobs/{job['id']}/ack", {})["acknowledged"] is True


def test_the_policy_may_leave_out_how_often(live: Live) -> None:
    policy = {name: value for name, value in RETRY_ISO.items() if name != "max_attempts"}
    for body, most in (
        ({"options": {"retry": policy}}, 3),
        ({"options": {"retry": policy, "max_attempts": 7}}, 7),
        ({"max_attempts": 4}, 4),
    ):
        made = live.ask(JAVASCRIPT, "POST", "/jobs", {"type": TYPE, "args": [], **body})
        assert made["job"]["max_attempts"] == most


@pytest.mark.parametrize("path", ["/queues", "/jobs", "/workers", "/dead-letter", "/cron", "/audit"])
def test_the_admin_ui_reads_items_and_pages(live: Live, path: str) -> None:
    body = read(
        BROWSER, live.binding.handle(Request("GET", f"/ojs/v1/admin{path}?page=1&per_page=5", BROWSER))
    )
    assert body[":status"] == 200
    assert isinstance(body["items"], list)
    assert {"page", "per_page", "total"} <= body["pagination"].keys()
