"""Progress and checkpoints (OJS Progress, OJS Durable Execution)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ojs_client import Client, read_stream

RETRY = {"retry": {"max_attempts": 3, "strategy": "constant", "initial_interval_ms": 1000, "jitter": False}}


@pytest.fixture
def client() -> Client:
    return Client()


def report(client: Client, job_id: str, **body: Any) -> Any:
    return client.put(f"/jobs/{job_id}/progress", body)


def test_before_the_first_report_progress_is_null_not_missing(client: Client) -> None:
    body = client.get(f"/jobs/{client.push()}/progress")
    assert (client.status, body["progress"], body["data"], body["updated_at"]) == (200, None, None, None)
    client.get("/jobs/019503e1-7b2a-7000-8000-000000000001/progress")
    assert client.status == 404


@pytest.mark.parametrize(("said", "kept"), [(0.5, 0.5), (1.5, 1.0), (-3, 0.0), (1, 1.0)])
def test_values_out_of_range_are_clamped(client: Client, said: float, kept: float) -> None:
    job_id = client.start()
    assert report(client, job_id, progress=said)["progress"] == kept
    assert client.headers["X-OJS-Progress"] == f"{kept:g}"
    assert client.headers["Cache-Control"] == "no-cache"
    assert client.headers["Last-Modified"] == "Mon, 05 Jan 2026 12:00:00 GMT"


def test_progress_never_goes_back_within_an_attempt(client: Client) -> None:
    job_id = client.start()
    report(client, job_id, progress=0.6)
    assert report(client, job_id, progress=0.2, data={"step": 2}) | {} == client.body
    assert (client.body["progress"], client.body["data"]) == (0.6, {"step": 2})


def test_a_report_is_kept_with_the_job(client: Client) -> None:
    job_id = client.start()
    report(client, job_id, progress=0.25, data={"rows": 5}, message="quarter")
    job = client.job(job_id)
    assert (job["progress"], job["progress_data"]) == (0.25, {"rows": 5})


@pytest.mark.parametrize(
    "body", [{}, {"progress": "half"}, {"progress": True}, {"data": [1]}, {"progress": 1, "message": 2}]
)
def test_a_malformed_report_is_refused(client: Client, body: dict[str, Any]) -> None:
    report(client, client.start(), **body)
    assert client.status == 400


def test_reports_on_jobs_that_are_not_active_are_ignored(client: Client) -> None:
    job_id = client.push()
    assert report(client, job_id, progress=0.5)["progress"] is None
    assert client.status == 200
    done = client.fetch()[0]["id"]
    client.ack(done)
    assert report(client, done, progress=0.5)["progress"] is None


def test_a_stranger_reports_in_vain(client: Client) -> None:
    job_id = client.start()
    assert report(client, job_id, progress=0.5, worker_id="other")["progress"] is None


def test_the_workers_endpoint_takes_the_job_from_the_body_and_percent(client: Client) -> None:
    job_id = client.start()
    body = client.post("/workers/progress", {"job_id": job_id, "percentage": 40, "message": "m"})
    assert (client.status, body["progress"], body["message"]) == (200, 0.4, "m")


def test_a_report_is_a_heartbeat(client: Client) -> None:
    client.push()
    job_id = client.fetch(visibility_timeout_ms=10_000)[0]["id"]
    for _ in range(3):
        client.wait(9_000)
        report(client, job_id, data={})
    assert client.job(job_id)["state"] == "active"
    client.wait(10_001)
    assert client.job(job_id)["state"] == "available"


def test_completing_sets_progress_to_one_and_failing_keeps_it(client: Client) -> None:
    done, failed, silent = client.start(), client.start(options=RETRY), client.start()
    for job_id in (done, failed):
        report(client, job_id, progress=0.7)
    client.ack(done)
    client.fail(failed)
    client.ack(silent)
    assert client.get(f"/jobs/{done}/progress")["progress"] == 1.0
    assert client.get(f"/jobs/{failed}/progress")["progress"] == 0.7
    assert client.get(f"/jobs/{silent}/progress")["progress"] is None


def test_the_next_attempt_starts_without_progress(client: Client) -> None:
    job_id = client.start(options=RETRY)
    report(client, job_id, progress=0.7)
    client.fail(job_id)
    client.wait(1_000)
    assert "progress" not in client.fetch()[0]


def test_at_most_one_event_a_second_but_every_value_is_kept(client: Client) -> None:
    job_id = client.start()
    for step in range(10):
        report(client, job_id, progress=step / 10)
        client.wait(200)
    told = [e for e in client.get("/events?limit=100")["events"] if e["type"] == "job.progress"]
    assert [event["data"]["progress_percent"] for event in told] == [0.0, 50.0]
    assert client.job(job_id)["progress"] == 0.9


def test_the_stream_ends_with_the_job(client: Client) -> None:
    job_id = client.start()
    report(client, job_id, progress=0.1)
    chunks, closed, _ = read_stream(client.get(f"/jobs/{job_id}/progress/stream"))
    assert client.headers["Content-Type"] == "text/event-stream"
    client.wait(1_000)
    report(client, job_id, progress=0.4)
    client.delete(f"/jobs/{job_id}")
    assert [chunk.split("\n")[0] for chunk in chunks[1:]] == [
        "event: progress",
        "event: progress",
        "event: cancelled",
    ]
    assert closed == [True]


def test_a_stream_of_an_ended_job_ends_at_once(client: Client) -> None:
    job_id = client.start()
    client.ack(job_id)
    chunks, closed, _ = read_stream(client.get(f"/jobs/{job_id}/progress/stream"))
    assert (chunks[-1].split("\n")[0], closed) == ("event: completed", [True])


# checkpoints


@pytest.mark.parametrize("state", [{"a": [1, {"b": None}]}, [], "cursor", 5, None, {}])
def test_any_json_value_is_a_checkpoint(client: Client, state: Any) -> None:
    job_id = client.start()
    saved = client.post(f"/jobs/{job_id}/checkpoint", {"state": state})
    assert (client.status, saved["checkpoint"]["sequence"], saved["sequence"]) == (200, 1, 1)
    found = client.get(f"/jobs/{job_id}/checkpoint")
    assert (found["state"], found["checkpoint"]["job_id"], found["job_id"]) == (state, job_id, job_id)


def test_each_save_replaces_the_state_and_counts(client: Client) -> None:
    job_id = client.start()
    client.put(f"/jobs/{job_id}/checkpoint", {"state": {"a": 1, "b": 2}})
    client.put(f"/ojs/v1/ojs/v1/checkpoints/{job_id}".removeprefix("/ojs/v1"), {"state": {"c": 3}})
    found = client.get(f"/checkpoints/{job_id}")
    assert (found["state"], found["sequence"]) == ({"c": 3}, 2)


def test_only_active_jobs_have_checkpoints_saved(client: Client) -> None:
    waiting = client.push()
    client.post(f"/jobs/{waiting}/checkpoint", {"state": 1})
    assert (client.status, client.body["error"]["details"]["current_state"]) == (409, "available")
    client.fetch()
    client.ack(waiting)
    client.post(f"/jobs/{waiting}/checkpoint", {"state": 1})
    assert client.status == 409
    client.post("/jobs/01965000-0000-7000-8000-000000000000/checkpoint", {"state": 1})
    assert client.status == 404


def test_only_the_holder_saves(client: Client) -> None:
    job_id = client.start()
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 1, "worker_id": "other"})
    assert client.status == 409
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 1, "worker_id": "w1"})
    assert client.status == 200


def test_a_checkpoint_outlives_the_attempt_and_reaches_the_next_worker(client: Client) -> None:
    job_id = client.start(options=RETRY)
    client.post(f"/jobs/{job_id}/checkpoint", {"state": {"cursor": "x"}})
    client.fail(job_id)
    client.wait(1_000)
    job = client.fetch()[0]
    assert (job["attempt"], job["checkpoint"]["state"], job["checkpoint"]["sequence"]) == (
        2,
        {"cursor": "x"},
        1,
    )
    client.post(f"/jobs/{job_id}/checkpoint", {"state": {"cursor": "y"}})
    assert client.body["sequence"] == 2


def test_progress_may_carry_the_checkpoint(client: Client) -> None:
    job_id = client.start(options=RETRY)
    report(client, job_id, progress=0.5, checkpoint={"row": 14})
    client.fail(job_id)
    client.wait(1_000)
    job = client.fetch()[0]
    assert (job["last_checkpoint"], job["checkpoint"]["state"]) == ({"row": 14}, {"row": 14})


@pytest.mark.parametrize("end", ["ack", "cancel", "discard"])
def test_a_checkpoint_goes_when_the_job_ends(client: Client, end: str) -> None:
    job_id = client.start(options={"retry": {"max_attempts": 1}})
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 1})
    if end == "ack":
        client.ack(job_id)
    elif end == "cancel":
        client.delete(f"/jobs/{job_id}")
    else:
        client.fail(job_id)
    client.get(f"/jobs/{job_id}/checkpoint")
    assert client.status == 404
    assert "checkpoint" not in client.job(job_id)


def test_deleting_twice_does_no_harm_and_the_next_one_starts_at_one(client: Client) -> None:
    job_id = client.start()
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 1})
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 2})
    assert client.delete(f"/jobs/{job_id}/checkpoint") == {"deleted": True, "job_id": job_id}
    assert client.delete(f"/jobs/{job_id}/checkpoint")["deleted"] is False
    assert client.post(f"/jobs/{job_id}/checkpoint", {"state": 3})["sequence"] == 1


def test_a_sequence_that_is_not_greater_is_a_conflict(client: Client) -> None:
    job_id = client.start()
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 1, "sequence": 5})
    client.post(f"/jobs/{job_id}/checkpoint", {"state": 2, "sequence": 5})
    assert client.status == 409
    assert client.get(f"/jobs/{job_id}/checkpoint")["state"] == 1


def test_a_checkpoint_has_a_greatest_size() -> None:
    client = Client(max_body=3_000_000)
    job_id = client.start()
    client.post(f"/jobs/{job_id}/checkpoint", {"state": "x" * 1_048_574})
    assert client.status == 200
    client.post(f"/jobs/{job_id}/checkpoint", {"state": "x" * 1_048_575})
    assert (client.status, client.code) == (413, "payload_too_large")
    client.post(f"/jobs/{job_id}/checkpoint", {})
    assert client.status == 400


def test_a_job_that_stops_reporting_is_told_of_once(client: Client) -> None:
    """OJS Progress 11.1."""
    silent, busy, done = (client.start() for _ in range(3))
    for job_id in (silent, busy, done):
        client.put(f"/jobs/{job_id}/progress", {"progress": 0.25})
    client.ack(done)
    client.wait(30_000)
    client.put(f"/jobs/{busy}/progress", {"progress": 0.5})
    client.wait(30_000)
    found = client.get("/events?types=progress.stalled")["events"]
    assert [one["subject"] for one in found] == [silent]
    assert found[0]["data"]["last_progress"] == 0.25
    assert found[0]["data"]["last_update"] == "2026-01-05T12:00:00.000Z"
    client.wait(300_000)
    assert len(client.get("/events?types=progress.stalled")["events"]) == 2


def test_the_end_of_reported_progress_is_told(client: Client) -> None:
    quiet, told = client.start(), client.start()
    client.put(f"/jobs/{told}/progress", {"progress": 0.25})
    client.wait(1500)
    for job_id in (quiet, told):
        client.ack(job_id)
    (event,) = client.get("/events?types=progress.completed")["events"]
    assert (event["subject"], event["data"]["progress"], event["data"]["duration"]) == (told, 1.0, 1500)
