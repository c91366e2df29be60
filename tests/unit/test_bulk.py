"""Many jobs in one request: the atomic batch, and bulk enqueue, cancel, retry, delete (OJS Bulk Operations)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.harness import Server

DAY = 86_400_000
MISSING = "019539a4-ffff-7000-8000-111111111111"


def jobs(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"type": "user.import", "args": [n], **fields} for n in range(count)]


def statuses(body: dict[str, Any]) -> list[str]:
    return [item["status"] for item in body["items"]]


# POST /jobs/batch


@pytest.mark.parametrize("count", [1, 100, 2_000])
def test_a_batch_creates_all_its_jobs_in_order(count: int) -> None:
    server = Server()
    status, body = server.call("POST", "/jobs/batch", {"jobs": jobs(count)})
    assert (status, body["count"]) == (201, count)
    assert [job["args"] for job in body["jobs"]] == [[n] for n in range(count)]
    assert [job.args for job in server.take(count=count)] == [[n] for n in range(count)]


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        ({"args": []}, 400, "invalid_request"),
        ({"type": "Bad", "args": []}, 400, "invalid_request"),
        ({"type": "a", "args": [], "retry": {"max_attempts": -1}}, 422, "invalid_request"),
        ({"type": "a", "args": [], "unique": {"keys": ["nope"]}}, 400, "invalid_request"),
        ("no object", 400, "invalid_payload"),
    ],
)
def test_one_bad_job_refuses_the_whole_batch_and_is_named(bad: Any, status: int, code: str) -> None:
    server = Server()
    before = server.snapshot()
    got, body = server.call("POST", "/jobs/batch", {"jobs": [*jobs(3), bad, *jobs(2)]})
    assert (got, body["error"]["code"], body["error"]["details"]["index"]) == (status, code, 3)
    assert "index 3" in body["error"]["message"]
    assert server.snapshot() == before


@pytest.mark.parametrize("raw", [{}, {"jobs": []}, {"jobs": {}}, {"jobs": "x"}, {"jobs": None}])
def test_a_batch_without_jobs_is_refused(raw: dict[str, Any]) -> None:
    assert Server().call("POST", "/jobs/batch", raw)[0] == 400


def test_an_id_is_taken_once_within_a_batch_too() -> None:
    server = Server()
    status, body = server.call("POST", "/jobs/batch", {"jobs": jobs(2, id=MISSING)})
    assert (status, body["error"]["code"], body["error"]["details"]["index"]) == (409, "duplicate", 1)
    assert server.engine.store.jobs() == []


def test_equal_jobs_of_one_batch_are_duplicates_of_each_other() -> None:
    server = Server()
    status, body = server.call("POST", "/jobs/batch", {"jobs": jobs(2, unique={"keys": ["type"]})})
    assert (status, body["error"]["details"]["index"]) == (409, 1)
    assert server.engine.store.jobs() == []
    policy = {"keys": ["type"], "on_conflict": "ignore"}
    status, body = server.call("POST", "/jobs/batch", {"jobs": jobs(3, unique=policy)})
    assert (status, body["created"]) == (201, 1)
    assert len({job["id"] for job in body["jobs"]}) == 1
    policy = {"keys": ["type"], "on_conflict": "replace"}
    status, body = server.call("POST", "/jobs/batch", {"jobs": jobs(3, unique=policy)})
    assert status == 201
    assert [job.args for job in server.take(count=9)] == [[2]]


# POST /jobs/bulk


def test_a_partial_bulk_answers_for_each_job() -> None:
    server = Server()
    raw = [*jobs(1), {"type": "", "args": []}, *jobs(1)]
    status, body = server.call("POST", "/jobs/bulk", {"jobs": raw})
    assert status == 207
    assert (body["total"], body["succeeded"], body["failed"]) == (3, 2, 1)
    assert statuses(body) == ["created", "failed", "created"]
    assert [item["index"] for item in body["items"]] == [0, 1, 2]
    assert body["items"][1]["error"]["code"] == "invalid_request"
    assert len(server.take(count=9)) == 2


@pytest.mark.parametrize(("raw", "status"), [(jobs(2), 201), ([{"type": ""}], 422)])
def test_the_status_tells_all_from_none(raw: Any, status: int) -> None:
    assert Server().call("POST", "/jobs/bulk", {"jobs": raw})[0] == status


def test_an_atomic_bulk_creates_all_or_none() -> None:
    server = Server()
    raw = {"atomicity": "atomic", "jobs": [*jobs(2), {"type": ""}]}
    status, body = server.call("POST", "/jobs/bulk", raw)
    assert (status, statuses(body), body["succeeded"]) == (422, ["failed"] * 3, 0)
    assert [item["error"]["code"] for item in body["items"]] == [
        "rolled_back",
        "rolled_back",
        "invalid_request",
    ]
    assert server.engine.store.jobs() == []
    status, body = server.call("POST", "/jobs/bulk", {"atomicity": "atomic", "jobs": jobs(2)})
    assert (status, statuses(body)) == (201, ["created"] * 2)


def test_a_duplicate_is_told_from_a_new_job() -> None:
    server = Server()
    policy = {"keys": ["type"], "on_conflict": "ignore"}
    _, body = server.call("POST", "/jobs/bulk", {"jobs": jobs(2, unique=policy)})
    assert statuses(body) == ["created", "duplicate"]
    assert body["items"][0]["job"]["id"] == body["items"][1]["job"]["id"]


def test_too_many_jobs_are_413_with_the_limit() -> None:
    server = Server()
    server.binding.settings = type(server.binding.settings)(max_body=1 << 24)
    reply, body = server.http("POST", "/jobs/bulk", {"jobs": [{}] * 10_001})
    assert (reply.status, body["error"]["code"]) == (413, "BATCH_SIZE_EXCEEDED")
    assert body["error"]["max_batch_size"] == 10_000
    assert reply.headers["X-OJS-Max-Batch-Size"] == "10000"


@pytest.mark.parametrize("raw", [{"jobs": []}, {"jobs": 5}, {"jobs": jobs(1), "atomicity": "maybe"}])
def test_a_malformed_bulk_is_refused(raw: dict[str, Any]) -> None:
    assert Server().call("POST", "/jobs/bulk", raw)[0] == 400


# idempotency


@pytest.mark.parametrize("where", ["body", "header"])
def test_a_repeated_key_answers_as_before_and_does_nothing(where: str) -> None:
    server = Server()
    raw: dict[str, Any] = {"jobs": jobs(2)}
    headers = {"Idempotency-Key": "import-42"} if where == "header" else {}
    if where == "body":
        raw["idempotency_key"] = "import-42"
    sent = {name.lower(): value for name, value in headers.items()}
    first = server.http("POST", "/jobs/bulk", raw, sent)
    again = server.http("POST", "/jobs/bulk", raw, sent)
    assert (first[0].status, again[0].status) == (201, 201)
    assert first[1] == again[1]
    assert len(server.engine.store.jobs()) == 2


def test_a_key_with_another_request_is_a_conflict() -> None:
    server = Server()
    server.call("POST", "/jobs/bulk", {"jobs": jobs(1), "idempotency_key": "k"})
    assert server.call("POST", "/jobs/bulk", {"jobs": jobs(2), "idempotency_key": "k"})[0] == 409


def test_keys_are_kept_for_a_day_and_apart_by_operation() -> None:
    server = Server()
    raw = {"jobs": jobs(1), "idempotency_key": "k"}
    server.call("POST", "/jobs/bulk", raw)
    assert server.call("POST", "/jobs/bulk/cancel", {"job_ids": [MISSING], "idempotency_key": "k"})[0] == 422
    server.wait(DAY - 1)
    server.call("POST", "/jobs/bulk", raw)
    assert len(server.engine.store.jobs()) == 1
    server.wait(1)
    server.call("POST", "/jobs/bulk", raw)
    assert len(server.engine.store.jobs()) == 2


@pytest.mark.parametrize("key", ["", "x" * 257, 5])
def test_a_key_is_a_string_of_256_characters_at_most(key: Any) -> None:
    assert Server().call("POST", "/jobs/bulk", {"jobs": jobs(1), "idempotency_key": key})[0] == 400


# cancel, retry, delete


def test_cancelling_by_id_answers_for_each_job() -> None:
    server = Server()
    ids = [job.id for job in server.pushes(2)]
    done = server.push()
    server.engine.cancel(done.id)
    status, body = server.call("POST", "/jobs/bulk/cancel", {"job_ids": [*ids, done.id, MISSING, ids[0]]})
    assert status == 207
    assert statuses(body) == ["cancelled", "cancelled", "skipped", "skipped", "skipped"]
    assert (body["total_matched"], body["cancelled"], body["skipped"]) == (5, 2, 3)
    assert all(item["reason"] for item in body["items"][2:])
    assert server.events("bulk.cancel.completed") == [{"total": 5, "cancelled": 2, "skipped": 3}]


def test_an_atomic_cancel_does_all_or_nothing() -> None:
    server = Server()
    ids = [job.id for job in server.pushes(2)]
    raw = {"job_ids": [*ids, MISSING], "atomicity": "atomic"}
    status, body = server.call("POST", "/jobs/bulk/cancel", raw)
    assert (status, statuses(body)) == (422, ["skipped"] * 3)
    assert server.engine.store.counts()["available"] == 2
    assert server.call("POST", "/jobs/bulk/cancel", {"job_ids": ids, "atomicity": "atomic"})[0] == 200


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({}, 5),
        ({"type": "a.one"}, 3),
        ({"type": "a.*"}, 4),
        ({"queue": "other"}, 1),
        ({"state": ["scheduled"]}, 1),
        ({"state": "available"}, 4),
        ({"priority": 7}, 1),
        ({"meta": {"batch": "x"}}, 2),
        ({"enqueued_before": "2026-03-01T12:00:10Z"}, 4),
        ({"enqueued_after": "2026-03-01T12:00:10Z"}, 1),
    ],
)
def test_a_filter_chooses_the_jobs(chosen: dict[str, Any], count: int) -> None:
    server = Server()
    server.push("a.one", meta={"batch": "x", "n": 1})
    server.push("a.one", priority=7, meta={"batch": "x"})
    server.push("a.two", queue="other")
    server.push("b", scheduled_at="+PT1H")
    server.wait(60_000)
    server.push("a.one", meta={"batch": "y"})
    status, body = server.call("POST", "/jobs/bulk/cancel", {"filter": chosen})
    assert (status, body["cancelled"]) == (200, count)


def test_a_filter_never_cancels_what_a_worker_holds() -> None:
    server = Server()
    job = server.push()
    server.one()
    _, body = server.call("POST", "/jobs/bulk/cancel", {"filter": {"state": ["active"]}})
    assert (statuses(body), job.state) == (["skipped"], "active")


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"job_ids": [MISSING], "filter": {}},
        {"job_ids": []},
        {"job_ids": "x"},
        {"filter": 5},
        {"filter": {"state": ["finished"]}},
        {"filter": {"enqueued_before": "noon"}},
        {"filter": {"meta": []}},
        {"filter": {"priority": "high"}},
    ],
)
def test_jobs_are_named_by_ids_or_by_a_valid_filter(raw: dict[str, Any]) -> None:
    assert Server().call("POST", "/jobs/bulk/cancel", raw)[0] == 400


def test_retrying_takes_discarded_and_failed_jobs_only() -> None:
    server = Server()
    dead = server.dead()
    failed = server.push(retry={"initial_interval": "PT1H"})
    server.one()
    server.engine.fail(failed.id, {"code": "x"})
    waiting = server.push()
    ids = [dead.id, failed.id, waiting.id]
    status, body = server.call("POST", "/jobs/bulk/retry", {"job_ids": ids})
    assert (status, statuses(body)) == (207, ["retried", "retried", "skipped"])
    assert {job.state for job in (dead, failed, waiting)} == {"available"}


def test_deleting_takes_jobs_that_have_ended_only() -> None:
    server = Server()
    done, waiting = server.pushes(2)
    server.one()
    server.engine.ack(done.id)
    status, body = server.call("POST", "/jobs/bulk/delete", {"job_ids": [done.id, waiting.id]})
    assert (status, statuses(body)) == (207, ["deleted", "skipped"])
    assert server.call("GET", f"/jobs/{done.id}")[0] == 404
    assert server.call("POST", "/jobs/bulk/delete", {"filter": {}})[1]["deleted"] == 0
