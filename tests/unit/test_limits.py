"""Rate and concurrency limits on FETCH (OJS Rate Limiting)."""

from __future__ import annotations

from typing import Any

import pytest

from engine import limit_policy
from engine.errors import InvalidRequest, NotFound
from engine.times import format_time
from tests.unit.harness import START, Server

SECOND = 1000


def limited(server: Server, limit: dict[str, Any], count: int = 1, **fields: Any) -> list[Any]:
    return server.pushes(count, options={"rate_limit": limit}, **fields)


@pytest.mark.parametrize(
    ("raw", "policy"),
    [
        ({"max_per_second": 1}, {"rate": {"limit": 1, "period": 1000}}),
        ({"max_per_minute": 5}, {"rate": {"limit": 5, "period": 60_000}}),
        ({"key": "k", "rate": 1, "period": "second"}, {"rate": {"limit": 1, "period": 1000}}),
        ({"key": "k", "rate": 10, "period": "PT1M"}, {"rate": {"limit": 10, "period": 60_000}}),
        ({"key": "k", "rate": {"limit": 10, "period": "PT1H"}}, {"rate": {"limit": 10, "period": 3_600_000}}),
        ({"limit": 3, "period": "minute"}, {"rate": {"limit": 3, "period": 60_000}}),
        ({"limit": 3, "period_ms": 1500}, {"rate": {"limit": 3, "period": 1500}}),
        ({"key": "k", "concurrency": 0}, {"concurrency": 0}),
        ({"max_concurrency": 2}, {"concurrency": 2}),
        ({"throttle": {"limit": 10, "period": "PT1S"}}, {"throttle": {"limit": 10, "period": 1000}}),
        ({}, {}),
    ],
)
def test_every_spelling_means_the_same_limit(raw: dict[str, Any], policy: dict[str, Any]) -> None:
    assert limit_policy.parse(raw, "rate_limit", "queue:q")[1] == policy


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"key": ""}, "rate_limit.key"),
        ({"key": "-x"}, "rate_limit.key"),
        ({"key": "a b"}, "rate_limit.key"),
        ({"key": 5}, "rate_limit.key"),
        ({"concurrency": -1}, "rate_limit.concurrency"),
        ({"rate": {"limit": 1.5, "period": "PT1S"}}, "rate_limit.rate.limit"),
        ({"rate": {"limit": 1, "period": "fast"}}, "rate_limit.rate.period"),
        ({"rate": {"limit": 1, "period": "PT0S"}}, "rate_limit.rate.period"),
        ({"throttle": {"limit": 0, "period": "PT1S"}}, "rate_limit.throttle.limit"),
        ({"throttle": 5}, "rate_limit.throttle"),
        ({"on_limit": "panic"}, "rate_limit.on_limit"),
        ({"scope": "galaxy"}, "rate_limit.scope"),
    ],
)
def test_a_broken_limit_is_refused_and_named(raw: dict[str, Any], field: str) -> None:
    server = Server()
    with pytest.raises(InvalidRequest) as refusal:
        limited(server, raw)
    assert refusal.value.details["field"] == field
    assert server.engine.store.jobs() == []


def test_no_more_jobs_of_a_key_are_active_than_it_allows() -> None:
    server = Server()
    limited(server, {"key": "stripe", "concurrency": 2}, 3)
    limited(server, {"key": "stripe", "concurrency": 2}, 2, queue="other")
    assert len(server.take("default", "other", count=9)) == 2
    assert server.take("default", "other", count=9) == []


@pytest.mark.parametrize("end", ["ack", "fail", "cancel", "timeout", "reservation"])
def test_every_way_out_of_active_frees_the_slot(end: str) -> None:
    server = Server()
    job, waiting = limited(server, {"key": "k", "concurrency": 1}, 2, timeout=10, visibility_timeout=20)
    assert server.one() is job
    if end in {"ack", "fail", "cancel"}:
        act = getattr(server.engine, end)
        act(job.id, {"code": "x"}) if end == "fail" else act(job.id)
    elif end == "timeout":
        server.wait(10 * SECOND)
    else:
        job.timeout = None
        server.wait(20 * SECOND)
    assert {one.id for one in server.take(count=9)} <= {job.id, waiting.id}
    assert server.engine.limits.show("k")["concurrency"]["active"] == 1


def test_keys_are_counted_apart() -> None:
    server = Server()
    limited(server, {"key": "a", "concurrency": 1}, 3)
    limited(server, {"key": "b", "concurrency": 1}, 3)
    server.push()
    assert sorted(job.limit_key or "" for job in server.take(count=9)) == ["", "a", "b"]


def test_a_limited_job_is_skipped_and_the_next_one_goes_whatever_its_priority() -> None:
    server = Server()
    first, held = limited(server, {"key": "a", "concurrency": 1}, 2, priority=50)
    low = server.push(priority=-50)
    assert [server.one(), server.one()] == [first, low]
    assert held.state == "available"
    server.engine.ack(first.id)
    assert server.one() is held


def test_a_window_begins_with_its_first_start_and_lasts_one_period() -> None:
    server = Server(START + 900)
    limited(server, {"key": "k", "rate": {"limit": 2, "period": "PT1S"}}, 9)
    assert len(server.take(count=9)) == 2
    server.wait(999)
    assert server.take(count=9) == []
    server.wait(1)
    assert len(server.take(count=9)) == 2


def test_a_limit_without_a_key_is_the_queues() -> None:
    server = Server()
    for kind in ("a.one", "a.two"):
        server.push(kind, options={"rate_limit": {"max_per_second": 1}})
    server.push("a.one", queue="other", options={"rate_limit": {"max_per_second": 1}})
    assert len(server.take("default", "other", count=9)) == 2
    assert server.engine.limits.show("queue:default")["rate"]["current_count"] == 1


def test_a_throttle_spaces_the_starts_evenly() -> None:
    server = Server()
    limited(server, {"key": "k", "throttle": {"limit": 4, "period": "PT1S"}}, 9)
    starts = []
    for _ in range(100):
        starts += [job.started_at for job in server.take(count=9)]
        server.wait(10)
    assert [at - START for at in starts] == [0, 250, 500, 750]


def test_all_parts_of_a_policy_must_be_satisfied() -> None:
    server = Server()
    policy = {
        "key": "k",
        "concurrency": 9,
        "rate": {"limit": 2, "period": "PT10S"},
        "throttle": {"limit": 1, "period": "PT1S"},
    }
    limited(server, policy, 9)
    started = 0
    for _ in range(10):
        started += len(server.take(count=9))
        server.wait(999)
    assert started == 2


@pytest.mark.parametrize("limit", [{"concurrency": 0}, {"rate": {"limit": 0, "period": "PT1S"}}])
def test_a_limit_of_zero_stops_a_key(limit: dict[str, Any]) -> None:
    server = Server()
    limited(server, {"key": "k", **limit})
    server.wait(3600 * SECOND)
    assert server.take() == []


def test_dropping_discards_what_the_limit_turns_away() -> None:
    server = Server()
    limited(server, {"key": "k", "rate": {"limit": 1, "period": "PT1M"}, "on_limit": "drop"}, 3)
    assert len(server.take(count=9)) == 1
    assert server.engine.store.counts()["discarded"] == 2
    assert [event["key"] for event in server.events("rate_limit.dropped")] == ["k", "k"]
    assert server.engine.store.dead_count() == 0


def test_rescheduling_puts_off_what_the_limit_turns_away_until_it_may_run() -> None:
    server = Server()
    _, second = limited(
        server, {"key": "k", "rate": {"limit": 1, "period": "PT1M"}, "on_limit": "reschedule"}, 2
    )
    assert len(server.take(count=9)) == 1
    assert (second.state, second.scheduled_at) == ("scheduled", START + 60 * SECOND)
    server.wait(60 * SECOND)
    assert server.one() is second


def test_rescheduling_behind_a_concurrency_limit_tries_again_soon() -> None:
    server = Server()
    first, second = limited(server, {"key": "k", "concurrency": 1, "on_limit": "reschedule"}, 2)
    assert server.take(count=9) == [first]
    assert second.state == "scheduled"
    server.engine.ack(first.id)
    server.wait(SECOND)
    assert server.one() is second


def test_being_blocked_and_being_free_again_are_told_once_each() -> None:
    server = Server()
    first, second = limited(server, {"key": "k", "concurrency": 1}, 2)
    server.one()
    for _ in range(3):
        assert server.take() == []
    assert server.events("rate_limit.exceeded") == [
        {"key": "k", "strategy": "concurrency", "limit": 1, "current": 1}
    ]
    server.engine.ack(first.id)
    assert server.events("rate_limit.released") == [
        {"key": "k", "strategy": "concurrency", "job_id": second.id}
    ]


def test_a_rate_is_free_again_at_its_very_instant() -> None:
    server = Server()
    limited(server, {"key": "k", "rate": {"limit": 1, "period": "PT1M"}}, 2)
    server.take(count=2)
    server.wait(60 * SECOND - 1)
    assert not server.events("rate_limit.released")
    server.wait(1)
    assert len(server.events("rate_limit.released")) == 1


def test_a_handlers_report_rests_its_key() -> None:
    """OJS Rate Limiting 9.1."""
    server = Server()
    job, _ = limited(server, {"key": "k"}, 2)
    server.one()
    until = format_time(START + 300 * SECOND)
    server.engine.fail(job.id, {"code": "x", "message": "slow down", "rate_limit_until": until})
    assert server.take() == []
    assert server.engine.limits.show("k")["paused_until"] == until
    server.wait(300 * SECOND)
    assert len(server.take(count=9)) == 2
    assert server.events("rate_limit.dynamic_adjusted")[0]["reason"] == "slow down"


def test_a_rest_can_be_lifted_like_an_override() -> None:
    """OJS Rate Limiting 9.1, 10.2: whoever knows better than the last failed job need not wait."""
    server = Server()
    job, _ = limited(server, {"key": "k"}, 2)
    server.one()
    until = format_time(START + 300 * SECOND)
    server.engine.fail(job.id, {"code": "x", "message": "slow down", "rate_limit_until": until})
    server.engine.limits.override("k", {"concurrency": 0})
    assert server.take() == []
    status, body = server.call("DELETE", "/rate-limits/k")
    assert (status, body.keys() & {"paused_until", "override"}) == (200, set())
    assert len(server.take(count=9)) == 1
    assert server.call("DELETE", "/rate-limits/nobody")[0] == 404


def test_a_rest_without_an_instant_is_refused_and_fails_nothing() -> None:
    server = Server()
    (job,) = limited(server, {"key": "k"})
    server.one()
    with pytest.raises(InvalidRequest):
        server.engine.fail(job.id, {"code": "x", "rate_limit_until": "later"})
    assert job.state == "active"


def test_a_queue_has_limits_of_its_own_that_no_job_gets_around() -> None:
    server = Server()
    status, _ = server.call(
        "PUT", "/admin/queues/default/rate-limit", {"concurrency": 3, "rate": {"limit": 2, "period": "PT1M"}}
    )
    assert status == 200
    server.pushes(3)
    limited(server, {"key": "k", "concurrency": 9}, 3)
    assert len(server.take(count=9)) == 2
    server.wait(60 * SECOND)
    assert len(server.take(count=9)) == 1


def test_ten_thousand_blocked_jobs_hold_up_nobody() -> None:
    server = Server()
    limited(server, {"key": "k", "concurrency": 1}, 2_000, priority=1)
    server.one()
    asked = []
    server.engine.operations.admits.append(lambda job: not asked.append(job.id))
    free = server.push()
    assert server.one() is free
    assert len(asked) < 5


# inspection and override


def test_inspection_shows_counters_and_when_they_are_whole_again() -> None:
    server = Server()
    policy = {
        "key": "k",
        "concurrency": 5,
        "rate": {"limit": 100, "period": "PT1M"},
        "throttle": {"limit": 10, "period": "PT1S"},
    }
    limited(server, policy, 3)
    server.one()
    status, body = server.call("GET", "/rate-limits/k")
    assert status == 200
    assert body["concurrency"] == {"limit": 5, "active": 1, "available": 4}
    assert body["rate"]["current_count"] == 1
    assert body["rate"]["window_resets_at"] == format_time(START + 60 * SECOND)
    assert body["throttle"]["next_allowed_at"] == format_time(START + 100)
    assert body["waiting_count"] == 2
    assert server.call("GET", "/rate-limits")[1]["items"] == [body]


def test_an_override_holds_until_it_expires() -> None:
    server = Server()
    limited(server, {"key": "k", "concurrency": 5}, 3)
    expires = format_time(START + 60 * SECOND)
    status, body = server.call("PUT", "/rate-limits/k", {"concurrency": 0, "expires_at": expires})
    assert (status, body["concurrency"]["limit"], body["override"]["expires_at"]) == (200, 0, expires)
    assert server.take() == []
    server.wait(60 * SECOND)
    assert len(server.take(count=9)) == 3


def test_an_override_can_be_lifted() -> None:
    server = Server()
    limited(server, {"key": "k"}, 1)
    server.engine.limits.override("k", {"concurrency": 0})
    assert server.take() == []
    assert server.call("DELETE", "/rate-limits/k")[0] == 200
    assert len(server.take()) == 1


@pytest.mark.parametrize(
    "body", [{"concurrency": -1}, {"concurrency": 1, "expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": 5}]
)
def test_a_broken_override_changes_nothing(body: dict[str, Any]) -> None:
    server = Server()
    limited(server, {"key": "k", "concurrency": 5})
    before = server.engine.limits.show("k")
    assert server.call("PUT", "/rate-limits/k", body)[0] == 400
    assert server.engine.limits.show("k") == before


def test_an_unknown_key_and_a_queues_own_are_not_shown() -> None:
    server = Server()
    for key in ("nobody", "@queue:default"):
        with pytest.raises(NotFound):
            server.engine.limits.show(key)


def test_an_enqueue_reply_tells_what_is_left_of_the_limit() -> None:
    server = Server()
    body = {"type": "a", "args": [], "options": {"rate_limit": {"key": "k", "rate": 1, "period": "second"}}}
    reply, _ = server.http("POST", "/jobs", body)
    assert (reply.headers["X-RateLimit-Limit"], reply.headers["X-RateLimit-Remaining"]) == ("1", "1")
    server.take()
    reply, _ = server.http("POST", "/jobs", body)
    assert reply.status == 201
    assert reply.headers["X-RateLimit-Remaining"] == "0"
    assert int(reply.headers["X-RateLimit-Reset"]) == START // SECOND + 1


def test_a_tenants_scope_gives_each_tenant_a_key_of_its_own() -> None:
    """OJS Extension Interactions 6."""
    server = Server()
    for tenant in ("acme", "beta"):
        for scope in ("tenant", "global"):
            limited(server, {"key": scope, "concurrency": 1, "scope": scope}, meta={"tenant_id": tenant})
    assert sorted(job.limit_key or "" for job in server.take(count=9)) == [
        "global",
        "tenant:acme",
        "tenant:beta",
    ]


def test_a_key_is_forgotten_with_its_last_job() -> None:
    server = Server()
    first, second = limited(server, {"key": "k", "concurrency": 5}, 2)
    for job in server.take(count=2):
        server.engine.ack(job.id)
    server.engine.bulk.delete({"job_ids": [first.id]})
    assert server.engine.limits.show("k")
    server.engine.bulk.delete({"job_ids": [second.id]})
    assert server.engine.limits.list() == []


def test_an_override_keeps_its_key_until_it_expires() -> None:
    server = Server()
    server.engine.limits.override("k", {"concurrency": 0, "expires_at": format_time(START + 60 * SECOND)})
    (job,) = limited(server, {"key": "k"})
    server.engine.cancel(job.id)
    server.engine.bulk.delete({"job_ids": [job.id]})
    assert server.engine.limits.show("k")["concurrency"]["limit"] == 0
    server.wait(60 * SECOND)
    assert server.engine.limits.list() == []
