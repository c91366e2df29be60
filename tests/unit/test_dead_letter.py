"""The dead-letter queue (OJS Dead Letter, OJS HTTP Binding 12)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidRequest, NotFound
from tests.unit.harness import Server

DAY = 86_400_000
MINUTE = 60_000


def ids(body: dict[str, Any]) -> list[str]:
    return [job["id"] for job in body["jobs"]]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ({"max_attempts": 1, "on_exhaustion": "dead_letter"}, True),
        ({"max_attempts": 1, "on_exhaustion": "discard"}, False),
        ({"max_attempts": 5, "non_retryable_errors": ["boom"], "on_exhaustion": "dead_letter"}, True),
        ({"max_attempts": 5, "non_retryable_errors": ["boom"], "on_exhaustion": "discard"}, False),
    ],
)
def test_exhausted_jobs_are_kept_as_their_policy_says(policy: dict[str, Any], kept: bool) -> None:
    server = Server()
    job = server.push(retry=policy)
    server.one()
    server.engine.fail(job.id, {"code": "boom"})
    assert job.state == "discarded"
    assert job.discarded_at == server.clock.now()
    _, body = server.call("GET", "/dead-letter")
    assert (job.id in ids(body)) is kept


def test_the_list_shows_whole_jobs_the_latest_first_with_their_history() -> None:
    server = Server()
    first = server.dead(args=[1], meta={"a": 1}, queue="email")
    server.wait(1000)
    second = server.dead()
    _, body = server.call("GET", "/dead-letter")
    assert ids(body) == [second.id, first.id]
    assert body["jobs"] == body["items"]
    assert (body["total"], body["pagination"]["total"], body["pagination"]["has_more"]) == (2, 2, False)
    assert body["pagination"]["page"] == 1
    shown = body["jobs"][1]
    assert (shown["args"], shown["meta"], shown["queue"], shown["state"]) == (
        [1],
        {"a": 1},
        "email",
        "discarded",
    )
    assert shown["errors"][0]["message"] == "it broke"


def test_an_empty_list_is_a_list() -> None:
    assert Server().call("GET", "/dead-letter")[1]["jobs"] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("queue=email", 1),
        ("queue=none", 0),
        ("type=a.one", 1),
        ("type=a.*", 2),
        ("error_type=boom", 3),
        ("error_type=other", 0),
        ("args=needle", 1),
        ("since=2026-03-01T12:00:30Z", 1),
        ("until=2026-03-01T12:00:30Z", 2),
        ("queue=default&type=a.two", 1),
    ],
)
def test_the_list_is_filtered(query: str, count: int) -> None:
    server = Server()
    server.dead(queue="email", args=[{"deep": ["needle"]}])
    job = server.push("a.one", retry={"max_attempts": 1, "on_exhaustion": "dead_letter"})
    server.one()
    server.engine.fail(job.id, {"code": "boom"})
    server.wait(MINUTE)
    job = server.push("a.two", retry={"max_attempts": 1, "on_exhaustion": "dead_letter"})
    server.one()
    server.engine.fail(job.id, {"code": "boom"})
    _, body = server.call("GET", f"/dead-letter?{query}")
    assert (len(body["jobs"]), body["total"]) == (count, count)


def test_pages_follow_each_other_by_offset_and_by_cursor() -> None:
    server = Server()
    made = [server.dead().id for _ in range(5)][::-1]
    _, page = server.call("GET", "/dead-letter?limit=2")
    seen = ids(page)
    while page["pagination"]["has_more"]:
        _, page = server.call("GET", f"/dead-letter?limit=2&cursor={page['pagination']['next_cursor']}")
        seen += ids(page)
    assert seen == made
    assert "next_cursor" not in page["pagination"]
    assert ids(server.call("GET", "/dead-letter?limit=2&offset=3")[1]) == made[3:]
    assert server.call("GET", "/dead-letter?cursor=nonsense")[0] == 400


def test_one_is_read_and_others_are_not_found() -> None:
    server = Server()
    job, waiting = server.dead(), server.push()
    assert server.call("GET", f"/dead-letter/{job.id}")[1]["errors"][0]["attempt"] == 1
    for job_id in (waiting.id, "nonsense"):
        status, body = server.call("GET", f"/dead-letter/{job_id}")
        assert (status, body["error"]["details"]["resource_type"]) == (404, "dead_letter_job")


def test_a_retry_runs_the_same_job_from_attempt_zero() -> None:
    server = Server()
    job = server.dead()
    status, body = server.call("POST", f"/dead-letter/{job.id}/retry", {})
    assert (status, body["job"]["state"], body["job"]["attempt"]) == (200, "available", 0)
    assert body["job"]["re_enqueued_at"]
    assert server.one() is job
    assert server.engine.store.dead_count() == 0
    assert server.events("dead_letter.retried")
    assert server.call("POST", f"/dead-letter/{job.id}/retry", {})[0] == 404


def test_a_retry_may_change_the_job() -> None:
    server = Server()
    job = server.dead(meta={"a": 1})
    override = {
        "queue": "retry",
        "args": [2],
        "priority": 5,
        "meta": {"b": 2},
        "retry": {"max_attempts": 1},
    }
    status, _ = server.call("POST", f"/dead-letter/{job.id}/retry", {"override": override})
    assert status == 200
    assert server.one("retry") is job
    assert (job.args, job.priority, job.meta, job.max_attempts) == ([2], 5, {"a": 1, "b": 2}, 1)


@pytest.mark.parametrize(
    "override",
    [
        5,
        {"queue": "No"},
        {"args": {}},
        {"meta": 5},
        {"priority": 1000},
        {"retry": {"max_attempts": -1}},
        {"queue": "fine", "meta": {"tenant_id": "somebody"}},
    ],
)
def test_a_broken_change_changes_nothing(override: Any) -> None:
    server = Server()
    job = server.dead()
    before = server.snapshot()
    with pytest.raises(InvalidRequest):
        server.engine.dead_letters.retry(job.id, override)
    assert server.snapshot() == before


def test_all_that_match_are_retried() -> None:
    server = Server()
    made = [server.dead(queue=queue).id for queue in ("a", "b", "a")]
    status, body = server.call("POST", "/dead-letter/retry", {"filter": {"queue": "a"}, "confirm": True})
    assert (status, body["retried"], body["job_ids"]) == (200, 2, [made[0], made[2]])
    assert server.engine.store.dead_count() == 1


def test_a_deleted_one_is_gone_for_good() -> None:
    server = Server()
    job = server.dead()
    status, body = server.call("DELETE", f"/dead-letter/{job.id}")
    assert (status, body["deleted"], body["job_id"]) == (200, True, job.id)
    assert server.call("GET", f"/jobs/{job.id}")[0] == 404
    assert server.call("DELETE", f"/dead-letter/{job.id}")[0] == 404
    other = server.dead()
    reply, _ = server.http("DELETE", f"/admin/dead-letter/{other.id}")
    assert (reply.status, reply.body) == (204, b"")


def test_a_purge_must_be_confirmed() -> None:
    server = Server()
    for queue in ("a", "b"):
        server.dead(queue=queue)
    assert server.call("DELETE", "/dead-letter", {"filter": {"queue": "a"}})[0] == 400
    assert server.engine.store.dead_count() == 2
    status, body = server.call("DELETE", "/dead-letter", {"filter": {"queue": "a"}, "confirm": True})
    assert (status, body["purged_count"]) == (200, 1)
    assert server.call("DELETE", "/dead-letter?confirm=true")[1]["purged_count"] == 1


def test_statistics_count_by_queue_and_error() -> None:
    server = Server()
    server.dead(queue="a")
    server.wait(1000)
    server.dead(queue="b")
    _, body = server.call("GET", "/admin/dead-letter/stats")
    assert (body["total"], body["by_queue"], body["by_error_type"]) == (2, {"a": 1, "b": 1}, {"boom": 2})
    assert body["oldest_at"] < body["newest_at"]
    assert body["retention"] == {
        "max_age": "P180D",
        "max_count": 10_000,
        "next_prune_at": "2026-08-28T12:00:00.000Z",
    }
    assert Server().call("GET", "/dead-letter/stats")[1]["total"] == 0


# retention


def test_dead_letters_are_pruned_when_their_age_is_reached() -> None:
    server = Server()
    server.engine.queues.configure("default", {"dead_letter": {"retention": {"max_age": "P2D"}}})
    first = server.dead()
    server.wait(DAY)
    second = server.dead()
    server.wait(DAY - 1)
    assert server.engine.store.dead_count() == 2
    server.wait(1)
    with pytest.raises(NotFound):
        server.engine.info(first.id)
    assert server.engine.info(second.id) is second
    assert server.events("dead_letter.pruned") == [{"queue": "default", "kind": "dead", "count": 1}]


def test_no_more_dead_letters_are_kept_than_allowed_the_oldest_go_first() -> None:
    server = Server()
    server.engine.queues.configure("default", {"dead_letter": {"retention": {"max_count": 2}}})
    made = [server.dead() for _ in range(4)]
    assert list(server.engine.store.dead_letters()) == [made[3], made[2]]
    server.engine.queues.configure("default", {"dead_letter_max_size": 1})
    assert list(server.engine.store.dead_letters()) == [made[3]]


# dead-letter queues and replay


def test_a_configured_queue_gets_a_copy_with_its_errors() -> None:
    server = Server()
    server.engine.queues.configure("default", {"dead_letter_queue": "graveyard"})
    job = server.dead(args=[1], meta={"a": 1})
    copy = server.one("graveyard")
    assert copy.id != job.id
    assert (copy.type, copy.args, copy.error) == (job.type, job.args, job.error)
    assert (copy.meta or {})["ojs.dead_letter_job_id"] == job.id


def test_a_dead_letter_queue_is_not_its_own_dead_letter_queue() -> None:
    server = Server()
    server.engine.queues.configure("_default", {"dead_letter_queue": "graveyard"})
    server.dead(queue="graveyard")
    assert server.engine.store.counts("graveyard") == server.engine.store.counts() | {"discarded": 1}


def test_a_replay_rule_retries_after_its_delay_and_no_more_often_than_it_may() -> None:
    server = Server()
    rule = {
        "name": "again",
        "filter": {"error_type": "boom"},
        "delay": "PT1H",
        "max_replays": 2,
        "enabled": True,
    }
    server.engine.queues.configure("default", {"replay_rules": [rule]})
    job = server.dead()
    for count in (1, 2):
        server.wait(3_599_999)
        assert job.state == "discarded"
        server.wait(1)
        assert job.state == "available"
        assert (job.meta or {})["ojs.replay_count"] == count
        assert (job.meta or {})["ojs.replay_rule"] == "again"
        server.one()
        server.engine.fail(job.id, {"code": "boom"})
    server.wait(DAY)
    assert job.state == "discarded"
    assert len(server.events("dead_letter.replayed")) == 2


@pytest.mark.parametrize(
    "rule", [{"enabled": False}, {"filter": {"error_type": "other"}}, {"max_replays": 0}]
)
def test_a_rule_that_is_off_or_means_others_replays_nothing(rule: dict[str, Any]) -> None:
    server = Server()
    server.engine.queues.configure("default", {"replay_rules": [{"name": "x", "delay": "PT1S", **rule}]})
    job = server.dead()
    server.wait(DAY)
    assert job.state == "discarded"


def test_a_dead_letter_is_announced_after_its_retries_are_exhausted() -> None:
    """OJS Extension Interactions 10."""
    server = Server()
    server.dead()
    kinds = [event.type for event in server.engine.events]
    wanted = ["job.failed", "job.retry_exhausted", "job.discarded", "job.dead_lettered", "dead_letter.added"]
    assert [kind for kind in kinds if kind in wanted] == wanted


def test_a_request_in_a_tenants_name_reaches_only_its_own() -> None:
    """OJS Extension Interactions 8."""
    server = Server()
    mine = server.dead(meta={"tenant_id": "acme"})
    server.dead(meta={"tenant_id": "beta"})
    _, body = server.http("GET", "/dead-letter", headers={"x-ojs-tenant": "acme"})
    assert ids(body) == [mine.id]
    body = {"confirm": True, "filter": {"tenant_id": "beta"}}
    server.http("DELETE", "/dead-letter", body, {"x-ojs-tenant": "acme"})
    assert server.engine.store.dead_count() == 1


def test_a_tenant_finds_none_but_its_own_dead_letters() -> None:
    """OJS Extension Interactions 8.2, for each way to ask."""
    server = Server()
    own, other = (server.dead(meta={"tenant_id": name}) for name in ("acme", "zeta"))
    for base in ("/dead-letter", "/admin/dead-letter"):
        for method, path in (("GET", ""), ("POST", "/retry"), ("DELETE", "")):
            status, _ = server.call(method, f"{base}/{other.id}{path}", None, x_ojs_tenant="acme")
            assert (status, other.dead_letter) == (404, True), (method, base, path)
        assert server.call("GET", f"{base}/{own.id}", None, x_ojs_tenant="acme")[0] == 200
        told = server.call("GET", f"{base}/stats", None, x_ojs_tenant="acme")[1]
        assert (told["total"], told["by_queue"], told["by_error_type"]) == (1, {"default": 1}, {"boom": 1})
        assert told["oldest_at"] == told["newest_at"] is not None
    assert server.call("GET", "/dead-letter/stats")[1]["total"] == 2
    assert server.call("GET", f"/dead-letter/{other.id}", None, x_ojs_tenant="zeta")[0] == 200
    assert server.call("POST", f"/dead-letter/{other.id}/retry")[0] == 200, "without a tenant: the operator's"
