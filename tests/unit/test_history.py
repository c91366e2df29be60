"""Execution history, lineage and the debug endpoints (OJS Execution History)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ojs_client import Client

RETRY = {"retry": {"max_attempts": 2, "strategy": "constant", "initial_interval_ms": 1000, "jitter": False}}


@pytest.fixture
def client() -> Client:
    return Client()


def told(client: Client, job_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [(one["event_type"], one["data"]) for one in client.get(f"/jobs/{job_id}/history")["events"]]


def test_every_move_of_a_job_is_told_in_order(client: Client) -> None:
    job_id = client.start(args=[1], options=RETRY)
    client.fail(job_id, "first")
    client.wait(1000)
    client.fetch()
    client.wait(250)
    client.ack(job_id)
    kinds = [kind for kind, _ in told(client, job_id)]
    assert kinds == [
        "job.created",
        "job.state_changed",
        "job.attempt_started",
        "job.state_changed",
        "job.attempt_failed",
        "job.state_changed",
        "job.state_changed",
        "job.attempt_started",
        "job.state_changed",
        "job.attempt_completed",
    ]
    data = dict(told(client, job_id))
    assert data["job.created"] == {
        "queue": "default",
        "type": "email.send",
        "args_size_bytes": 3,
        "state": "available",
    }
    failed = data["job.attempt_failed"]
    assert (failed["error"]["code"], failed["will_retry"], failed["attempt"]) == ("first", True, 1)
    assert data["job.attempt_completed"] == {"duration_ms": 250, "attempt": 2}


def test_the_end_of_a_failed_job_is_told_with_its_attempts(client: Client) -> None:
    job_id = client.start(options={"retry": {"max_attempts": 1}})
    client.fail(job_id)
    assert told(client, job_id)[-1] == ("job.discarded", {"total_attempts": 1, "last_error": "no"})


def test_actors_are_clients_workers_and_the_system(client: Client) -> None:
    job_id = client.push(options={"scheduled_at": "+PT5S"})
    client.wait(5000)
    client.fetch()
    client.delete(f"/jobs/{job_id}")
    events = client.get(f"/jobs/{job_id}/history")["events"]
    assert [one["actor"]["type"] for one in events] == [
        "client",
        "system",
        "worker",
        "worker",
        "client",
        "client",
    ]
    assert all(one["job_id"] == job_id for one in events)
    assert len({one["id"] for one in events}) == len(events)


def test_each_attempt_tells_who_worked_at_it_long_afterwards(client: Client) -> None:
    """OJS Execution History 3.1: `worker_id` is a required field of a start."""
    job_id = client.push(options=RETRY)
    client.fetch(worker="first")
    client.fail(job_id)
    client.wait(1000)
    client.fetch(worker="second")
    client.ack(job_id)
    started = [data["worker_id"] for kind, data in told(client, job_id) if kind == "job.attempt_started"]
    assert started == ["first", "second"]
    ended = {one["event_type"]: one["actor"] for one in client.get(f"/jobs/{job_id}/history")["events"]}
    assert ended["job.attempt_failed"] == {"type": "worker", "id": "first"}
    assert ended["job.attempt_completed"] == {"type": "worker", "id": "second"}


def test_attempts_keep_their_numbers_when_their_beginning_is_forgotten(client: Client) -> None:
    job_id = client.start(options=RETRY)
    client.fail(job_id)
    client.wait(1000)
    client.delete("/history?before=2026-01-05T12:00:00.500Z")
    client.fetch(worker="late")
    client.fail(job_id, "last")
    data = dict(told(client, job_id))
    assert data["job.attempt_started"] == {"worker_id": "late", "attempt": 2}
    assert (data["job.attempt_failed"]["attempt"], data["job.attempt_failed"]["error"]["code"]) == (2, "last")
    assert data["job.discarded"]["total_attempts"] == 2


def test_a_job_of_a_workflow_tells_what_it_was_there_for(client: Client) -> None:
    """OJS Execution History 3.3."""
    steps = [{"type": "a.one", "args": []}, {"type": "a.two", "args": []}]
    workflow = client.post("/workflows", {"type": "chain", "steps": steps})["workflow"]
    for _ in steps:
        (job,) = client.fetch()
        client.wait(100)
        client.ack(job["id"])
    events = client.get(f"/jobs/{job['id']}/history")["events"]
    of_workflow = [one for one in events if one["event_type"].startswith("workflow.")]
    assert [one["event_type"] for one in of_workflow] == [
        "workflow.created",
        "workflow.step_completed",
        "workflow.completed",
    ]
    created, step, completed = (one["data"] for one in of_workflow)
    key = {"workflow_id": workflow["id"]}
    assert created == {**key, "workflow_type": "chain", "total_jobs": 2}
    assert step == {**key, "step_index": 1, "job_id": job["id"]}
    assert completed == {**key, "workflow_type": "chain", "duration_ms": 200, "status": "completed"}
    assert [events[0]["event_type"], events[-1]["event_type"]] == ["workflow.created", "workflow.completed"]
    every = client.get("/history?event_types=workflow.created,workflow.step_completed,workflow.completed")
    assert [one["event_type"] for one in every["events"]].count("workflow.created") == 1
    assert every["total_estimate"] == 4


def test_a_nested_workflow_is_told_with_those_around_it(client: Client) -> None:
    inner = {"type": "group", "jobs": [{"type": "a.b", "args": []}, {"type": "a.b", "args": []}]}
    client.post("/workflows", {"type": "chain", "steps": [inner]})
    jobs = client.fetch(count=2)
    client.fail(jobs[0]["id"])
    for job in jobs[1:]:
        client.ack(job["id"])
    told_of = [one["data"] for one in client.get(f"/jobs/{jobs[0]['id']}/history")["events"]]
    assert [one["workflow_type"] for one in told_of if "total_jobs" in one] == ["group", "chain"]
    assert not any("step_index" in one for one in told_of)


def test_history_is_paged_by_a_cursor(client: Client) -> None:
    job_id = client.start()
    first = client.get(f"/jobs/{job_id}/history?limit=2")
    rest = client.get(f"/jobs/{job_id}/history?limit=2&cursor={first['next_cursor']}")
    assert [len(first["events"]), first["total"], len(rest["events"]), rest["next_cursor"]] == [2, 3, 1, None]
    client.get(f"/jobs/{job_id}/history?limit=5000")
    assert client.headers["X-OJS-Limit-Clamped"] == "true"
    client.get(f"/jobs/{job_id}/history?cursor=abc")
    assert client.status == 400


def test_history_can_be_erased(client: Client) -> None:
    job_id = client.start()
    assert client.delete(f"/jobs/{job_id}/history") == {"deleted": True, "events_deleted": 3}
    assert client.get(f"/jobs/{job_id}/history")["events"] == []
    client.ack(job_id)
    assert told(client, job_id)[-1][0] == "job.attempt_completed"


def test_search_finds_by_type_time_queue_and_text_newest_first(client: Client) -> None:
    one = client.start(options={"retry": {"max_attempts": 1}})
    client.fail(one, "smtp")
    client.wait(60_000)
    client.push(options={"queue": "other"})
    found = client.get("/history?event_types=job.attempt_failed,job.created")["events"]
    assert [event["event_type"] for event in found] == ["job.created", "job.attempt_failed", "job.created"]
    assert client.get("/history?queues=other")["total_estimate"] == 1
    assert client.get("/history?query=SMTP")["total_estimate"] == 1
    assert client.get("/history?start=2026-01-05T12:00:30Z")["total_estimate"] == 1
    assert client.get("/history?end=2026-01-05T12:00:30%2B00:00&actor_type=client")["total_estimate"] == 1
    client.get("/history?start=yesterday")
    assert client.status == 400


def test_reading_history_changes_nothing(client: Client) -> None:
    job_id = client.start()
    seq, trail = client.engine.events.seq, list(client.engine.info(job_id).trail)
    for path in (f"/jobs/{job_id}/history", f"/jobs/{job_id}/lineage", "/history", "/debug/status"):
        client.get(path)
    assert (client.engine.events.seq, client.engine.info(job_id).trail) == (seq, trail)


def test_lineage_names_ancestors_and_descendants(client: Client) -> None:
    root = client.push()
    child = client.push(parent_id=root)
    grandchild = client.push(parent_id=child)
    tree = client.get(f"/jobs/{root}/lineage")
    assert tree["children"] == [{"job_id": child, "children": [{"job_id": grandchild, "children": []}]}]
    found = client.get(f"/jobs/{grandchild}/lineage")
    assert (found["parent_id"], found["root_id"]) == (child, root)
    assert client.job(child)["parent_id"] == root


def test_a_job_without_family_stands_alone(client: Client) -> None:
    job_id = client.push()
    assert client.get(f"/jobs/{job_id}/lineage") == {
        "job_id": job_id,
        "parent_id": None,
        "workflow_id": None,
        "root_id": None,
        "children": [],
    }


def test_attempts_are_traced_one_by_one(client: Client) -> None:
    job_id = client.start(options=RETRY)
    client.fail(job_id)
    client.wait(1000)
    client.fetch()
    traces = client.get(f"/debug/jobs/{job_id}/traces")["traces"]
    assert [(one["attempt"], one["ended_at"] is None) for one in traces] == [(1, False), (2, True)]
    assert client.get(f"/debug/jobs/{job_id}/traces/1")["attempt"] == 1
    client.get(f"/debug/jobs/{job_id}/traces/3")
    assert client.status == 404
    assert client.get("/debug/failures")["failures"][0]["subject"] == job_id
    assert client.get("/debug/status")["jobs"]["active"] == 1


def test_how_much_is_told_and_for_how_long_is_configured(client: Client) -> None:
    job_id = client.start()
    history = client.engine.extensions.history
    history.max_events = 2
    assert [kind for kind, _ in told(client, job_id)] == ["job.state_changed", "job.attempt_started"]
    client.wait(30 * 86_400_000 + 1)
    assert "job.created" not in dict(told(client, job_id))
    history.enabled = False
    assert told(client, job_id) == []


def test_old_history_is_purged_in_bulk(client: Client) -> None:
    old = client.start()
    client.wait(60_000)
    client.ack(old)
    client.push(options={"queue": "other"})
    client.delete("/history")
    assert (client.status, client.body["error"]["details"]["field"]) == (400, "before")
    body = client.delete("/history?before=2026-01-05T12:00:30Z&queues=other")
    assert body["events_purged"] == 0
    assert client.delete("/history?before=2026-01-05T12:00:30Z")["events_purged"] == 2
    assert [kind for kind, _ in told(client, old)] == ["job.state_changed", "job.attempt_completed"]


def test_history_is_counted_by_time(client: Client) -> None:
    job_id = client.start()
    client.wait(60_000)
    client.ack(job_id)
    buckets = client.get("/history/stats?group_by=minute")["buckets"]
    assert [one["timestamp"] for one in buckets] == ["2026-01-05T12:00:00.000Z", "2026-01-05T12:01:00.000Z"]
    assert buckets[1]["events"] == {"job.state_changed": 1, "job.attempt_completed": 1}
    assert (buckets[1]["avg_duration_ms"], buckets[0]["avg_duration_ms"]) == (60_000, None)
    client.get("/history/stats?group_by=week")
    assert client.status == 400


def test_nothing_is_kept_of_a_deleted_job(client: Client) -> None:
    parent = client.start(ext_agent_v2={"state": "running"})
    child = client.push(parent_id=parent)
    client.post(f"/agents/{parent}/pause")
    client.ack(parent)
    assert client.post("/admin/jobs/bulk/delete", {"confirm": True})["succeeded"] == 1
    store = client.engine.store
    assert store.records("children") == store.records("agent") == []
    assert client.get(f"/jobs/{child}/lineage")["root_id"] == parent
