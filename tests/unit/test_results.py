"""Results: stored, limited, kept and pruned (OJS Results)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.http.message import Request
from tests.unit.ojs_client import Client, read_stream

DAY = 86_400_000


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize("result", [None, True, 42, 1.5, "text", [1, "a"], {"a": {"b": None}}])
def test_every_json_value_comes_back_as_it_was(client: Client, result: Any) -> None:
    job_id = client.start()
    client.ack(job_id, result=result)
    body = client.get(f"/jobs/{job_id}/result")
    assert (client.status, body["state"], body["result"]) == (200, "completed", result)
    job = client.job(job_id)
    assert (job["result"], job["result_stored_at"]) == (result, job["completed_at"])
    assert job["result_expires_at"] == "2026-01-12T12:00:00.000Z"
    assert job["result_size_bytes"] > 0


def test_an_ack_without_a_result_stores_none(client: Client) -> None:
    job_id = client.start()
    client.ack(job_id)
    assert not {"result", "result_stored_at", "result_size_bytes"} & set(client.job(job_id))


def test_a_result_over_the_limit_is_refused_and_the_job_stays_active(client: Client) -> None:
    job_id = client.start(result_size_limit=10)
    body = client.ack(job_id, result="x" * 9)
    assert (client.status, client.code) == (413, "result_too_large")
    assert body["error"]["canonical_code"] == "RESULT_TOO_LARGE"
    assert body["error"]["details"]["actual_bytes"] == 11
    assert client.job(job_id)["state"] == "active"
    client.ack(job_id, result="x" * 8)
    assert client.status == 200


def test_a_named_retention_prunes_the_result_at_its_time(client: Client) -> None:
    job_id = client.start(result_ttl=60)
    client.ack(job_id, result={"a": 1})
    client.wait(59_999)
    assert client.get(f"/jobs/{job_id}/result")["result"] == {"a": 1}
    client.wait(1)
    client.get(f"/jobs/{job_id}/result")
    assert (client.status, client.code) == (410, "result_pruned")
    assert "result" not in client.job(job_id)
    assert client.get("/events")["events"][-1]["type"] == "result.pruned"


def test_without_a_named_retention_the_result_stays_as_long_as_the_job(client: Client) -> None:
    job_id = client.start()
    client.ack(job_id, result=1)
    client.wait(7 * DAY - 1)
    assert client.get(f"/jobs/{job_id}/result")["result"] == 1


def test_retention_zero_stores_nothing_and_minus_one_never_expires(client: Client) -> None:
    ephemeral = client.start(result_ttl=0)
    client.ack(ephemeral, result=1)
    assert client.status == 200
    assert "result" not in client.job(ephemeral)
    permanent = client.start(result_ttl=-1)
    client.ack(permanent, result=1)
    assert "result_expires_at" not in client.job(permanent)


def test_the_outcome_of_a_discarded_job_is_its_error(client: Client) -> None:
    job_id = client.start(options={"retry": {"max_attempts": 1}})
    client.fail(job_id, "card_declined")
    body = client.get(f"/jobs/{job_id}/result")
    assert (body["state"], body["error"]["code"], body["result"]) == ("discarded", "card_declined", None)


def test_while_a_job_runs_there_is_no_outcome(client: Client) -> None:
    job_id = client.start()
    assert client.get(f"/jobs/{job_id}/result")["state"] == "active"
    assert (client.status, client.headers["Retry-After"]) == (202, "1")
    client.get(f"/jobs/{job_id}/result?wait=true&timeout=1")
    assert (client.status, client.code, client.headers["Retry-After"]) == (408, "wait_timeout", "1")
    client.get("/jobs/019503e1-7b2a-7000-8000-000000000001/result")
    assert client.status == 404


def test_a_patient_host_is_told_when_the_wait_is_over(client: Client) -> None:
    """OJS Results 8.2."""
    job_id = client.start()
    request = Request("GET", f"/ojs/v1/jobs/{job_id}/result?wait=true&timeout=5", patient=True)
    held = client.binding.handle(request).hold
    assert held is not None
    assert (held.seconds, held.ready()) == (5, False)
    client.ack(job_id)
    assert held.ready()
    assert client.binding.handle(request).status == 200
    unknown = request._replace(url="/ojs/v1/jobs/019503e1-7b2a-7000-8000-000000000001/result?wait=true")
    assert client.binding.handle(unknown).status == 404


def test_a_running_job_says_when_to_ask_again(client: Client) -> None:
    job_id = client.start()
    client.get(f"/jobs/{job_id}")
    assert client.headers["Retry-After"] == "1"
    client.ack(job_id)
    client.get(f"/jobs/{job_id}")
    assert "Retry-After" not in client.headers


def test_many_outcomes_at_once(client: Client) -> None:
    done, running = client.start(), client.start()
    client.ack(done, result=7)
    body = client.post("/jobs/results", {"ids": [done, running, "unknown"]})
    assert {key: (one["state"], one["result"]) for key, one in body["results"].items()} == {
        done: ("completed", 7),
        running: ("active", None),
        "unknown": (None, None),
    }
    client.post("/jobs/results", {"ids": "all"})
    assert client.status == 400


def test_an_external_reference_passes_through(client: Client) -> None:
    reference = {"$ref": "ojs://results/external", "uri": "s3://bucket/key"}
    job_id = client.start(args=[{"__ojs_ref": "s3://bucket/in", "size": 5}])
    client.ack(job_id, result=reference)
    job = client.job(job_id)
    assert (job["args"], job["result"]) == ([{"__ojs_ref": "s3://bucket/in", "size": 5}], reference)


def test_the_stream_tells_progress_then_the_result_and_ends(client: Client) -> None:
    job_id = client.start()
    chunks, closed, _ = read_stream(client.get(f"/jobs/{job_id}/result/stream"))
    client.put(f"/jobs/{job_id}/progress", {"progress": 0.5})
    client.ack(job_id, result={"n": 1})
    assert [chunk.split("\n")[0] for chunk in chunks[1:]] == ["event: progress", "event: result"]
    assert '"value":{"n":1}' in chunks[-1]
    assert closed == [True]


def test_a_manual_retry_forgets_the_old_outcome(client: Client) -> None:
    job_id = client.start(result_ttl=60, options={"retry": {"max_attempts": 1}})
    client.fail(job_id)
    client.post(f"/jobs/{job_id}/retry")
    client.wait(120_000)
    assert client.job(job_id)["state"] == "available"
    client.get(f"/jobs/{job_id}/result")
    assert client.status == 202


@pytest.mark.parametrize("ttl", [-2, "PT1M", 1.5])
def test_a_malformed_retention_is_refused(client: Client, ttl: Any) -> None:
    client.post("/jobs", {"type": "a.b", "args": [], "result_ttl": ttl})
    assert (client.status, client.body["error"]["details"]["field"]) == (400, "result_ttl")


def test_a_step_that_keeps_no_result_keeps_it_until_its_workflow_has_ended(client: Client) -> None:
    """OJS Results 9.1."""
    step = {"type": "a.b", "args": [], "result_ttl": 0}
    client.post("/workflows", {"type": "chain", "steps": [step, {"type": "c.d", "args": []}]})
    first = client.fetch()[0]["id"]
    client.ack(first, result={"n": 1})
    client.wait(5 * 60_000)
    second = client.fetch()[0]
    assert second["parent_results"] == [{"n": 1}]
    assert client.job(first)["result"] == {"n": 1}
    client.ack(second["id"])
    client.wait(60_000)
    assert "result" not in client.job(first)


@pytest.mark.parametrize("ttl", [30 * 86_400, -1])
def test_a_job_is_kept_for_as_long_as_its_result(client: Client, ttl: int) -> None:
    """The queue's own retention of seven days does not take a result away that was promised for longer."""
    job_id = client.start(result_ttl=ttl)
    client.ack(job_id, result=1)
    client.wait(29 * DAY)
    assert client.get(f"/jobs/{job_id}/result")["result"] == 1
