"""Unique jobs: keys, states, periods, and what becomes of a duplicate (OJS Unique Jobs)."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Server

from engine import Job
from engine import lifecycle as life
from engine.errors import Duplicate, InvalidRequest, QueueFull, Rejected

HOUR = 3_600_000
USER = [{"user_id": 42, "locale": "en"}]


def unique(server: Server, policy: dict[str, Any], **fields: Any) -> Any:
    return server.engine.push({"type": "email.send", "args": USER, "unique": policy, **fields})


def is_duplicate(policy: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> bool:
    server = Server()
    unique(server, policy, **first)
    try:
        unique(server, policy, **second)
    except Duplicate:
        return True
    return False


@pytest.mark.parametrize(
    ("policy", "second", "same"),
    [
        ({}, {"args": [1]}, True),
        ({"keys": ["type"]}, {"queue": "other"}, True),
        ({"keys": ["type"]}, {"type": "sms.send"}, False),
        ({"keys": ["args"]}, {"type": "sms.send"}, False),
        ({"keys": ["type", "queue"]}, {"queue": "other"}, False),
        ({"keys": ["type", "args"]}, {"args": [{"locale": "en", "user_id": 42.0}]}, True),
        ({"keys": ["type", "args"]}, {"args": [{"user_id": 42}]}, False),
        ({"keys": ["args"], "args_keys": ["user_id"]}, {"args": [{"user_id": 42, "locale": "de"}]}, True),
        ({"keys": ["args"], "args_keys": ["user_id"]}, {"args": [{"user_id": 43, "locale": "en"}]}, False),
        ({"args_keys": ["user_id"]}, {"args": [{"user_id": 43}]}, False),
        ({"keys": ["type", "user_id"]}, {"args": [{"user_id": 42, "locale": "de"}]}, True),
        ({"key": "user_id"}, {"args": [{"user_id": 43}]}, False),
        ({"keys": "args"}, {"args": [{"user_id": 43}]}, False),
    ],
)
def test_the_key_is_made_of_the_chosen_dimensions(
    policy: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    assert is_duplicate(policy, {}, second) is same


@pytest.mark.parametrize(("other", "same"), [("acme", True), ("globex", False)])
def test_chosen_members_of_meta_are_part_of_the_key(other: str, same: bool) -> None:
    policy = {"keys": ["type", "meta"], "meta_keys": ["tenant_id"]}
    first, second = {"tenant_id": "acme", "trace": "1"}, {"tenant_id": other, "trace": "2"}
    assert is_duplicate(policy, {"meta": first}, {"meta": second}) is same


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"keys": ["argz"]}, "unique.keys"),
        ({"keys": ["Type"]}, "unique.keys"),
        ({"keys": [1]}, "unique.keys"),
        ({"keys": ["meta"]}, "unique.meta_keys"),
        ({"keys": ["meta"], "meta_keys": []}, "unique.meta_keys"),
        ({"keys": ["args"], "args_keys": ["nobody"]}, "unique.args_keys"),
        ({"states": ["finished"]}, "unique.states"),
        ({"period": "1 hour"}, "unique.period"),
        ({"period": "PT0S"}, "unique.period"),
        ({"period": 1.5}, "unique.period"),
        ({"on_conflict": "explode"}, "unique.on_conflict"),
    ],
)
def test_an_invalid_policy_is_refused_with_400(policy: dict[str, Any], field: str) -> None:
    server = Server()
    with pytest.raises(InvalidRequest) as refusal:
        unique(server, policy)
    assert (refusal.value.status, refusal.value.details["field"]) == (400, field)
    assert server.engine.store.jobs() == []


def test_rejecting_names_the_job_that_is_there() -> None:
    server = Server()
    first = unique(server, {}).job
    with pytest.raises(Duplicate) as refusal:
        unique(server, {"on_conflict": "reject"})
    assert refusal.value.details["existing_job_id"] == first.id
    assert refusal.value.details["existing_job_state"] == "available"
    assert refusal.value.details["unique_key"] == first.unique_key
    assert len(server.engine.store.jobs()) == 1


def test_ignoring_answers_200_with_the_job_that_is_there() -> None:
    server = Server()
    body = {"type": "email.send", "args": USER, "options": {"unique": {"on_conflict": "ignore"}}}
    first, second = server.call("POST", "/jobs", body), server.call("POST", "/jobs", body)
    assert (first[0], second[0]) == (201, 200)
    assert second[1]["deduplicated"] is True
    assert second[1]["job"] == first[1]["job"]


@pytest.mark.parametrize("state", ["available", "scheduled", "active", "retryable", "pending"])
def test_replacing_cancels_the_old_job_in_whatever_state(state: str) -> None:
    server = Server()
    more: dict[str, Any] = {"pending": True} if state == "pending" else {}
    if state == "scheduled":
        more = {"scheduled_at": "+PT1H"}
    old = unique(server, {}, **more).job
    if state in {"active", "retryable"}:
        server.one()
    if state == "retryable":
        server.engine.fail(old.id, {"code": "x"})
    assert old.state == state
    new = unique(server, {"on_conflict": "replace"}).job
    assert (old.state, new.state) == ("cancelled", "available")
    assert server.events("job.cancelled")[0]["cancelled_by"] == f"job:{new.id}"


def test_replacing_leaves_what_has_ended_as_it_is() -> None:
    server = Server()
    old = unique(server, {}).job
    server.one()
    server.engine.ack(old.id)
    new = unique(server, {"on_conflict": "replace", "states": ["completed"]}).job
    assert (old.state, new.state) == ("completed", "available")


def test_replacing_except_the_schedule_keeps_the_old_time() -> None:
    server = Server()
    old = unique(server, {}, scheduled_at="+PT1H").job
    new = unique(server, {"on_conflict": "replace_except_schedule"}, scheduled_at="+PT2H").job
    assert (old.state, new.state) == ("cancelled", "scheduled")
    assert new.scheduled_at == old.scheduled_at


def test_replacing_except_the_schedule_is_replacing_when_nothing_is_scheduled() -> None:
    server = Server()
    old = unique(server, {}).job
    new = unique(server, {"on_conflict": "replace_except_schedule"}, scheduled_at="+PT2H").job
    assert (old.state, new.state) == ("cancelled", "scheduled")
    assert new.scheduled_at == server.clock.now() + 2 * HOUR


@pytest.mark.parametrize(
    ("states", "refused"),
    [(None, False), (["available"], False), (["completed"], True), (["available", "completed"], True)],
)
def test_only_jobs_in_the_states_asked_for_count(states: list[str] | None, refused: bool) -> None:
    server = Server()
    policy = {} if states is None else {"states": states}
    job = unique(server, policy).job
    server.one()
    server.engine.ack(job.id)
    if refused:
        with pytest.raises(Duplicate):
            unique(server, policy)
    else:
        assert unique(server, policy).job.state == "available"


@pytest.mark.parametrize(
    "period", [{"period": "PT1H"}, {"period_ms": HOUR}, {"within": "PT1H"}, {"period": 3600}]
)
def test_the_period_counts_from_the_creation_of_the_job_that_is_there(period: dict[str, Any]) -> None:
    server = Server()
    unique(server, period)
    server.wait(HOUR // 2)
    with pytest.raises(Duplicate):
        unique(server, period)
    server.wait(HOUR // 2 - 1)
    with pytest.raises(Duplicate):
        unique(server, period)
    server.wait(1)
    assert unique(server, period).job.state == "available"


def test_a_job_that_waits_for_its_retry_still_counts_and_is_not_checked_again() -> None:
    """OJS Unique Jobs 9.1, 9.2."""
    server = Server()
    job = unique(server, {"states": ["retryable"]}, retry={"initial_interval": "PT1S", "jitter": False}).job
    unique(server, {"states": ["retryable"]})
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    with pytest.raises(Duplicate):
        unique(server, {"states": ["retryable"]})
    server.wait(1000)
    assert job.state == "available"


def test_an_exhausted_job_releases_its_key() -> None:
    server = Server()
    job = unique(server, {}, retry={"max_attempts": 1}).job
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    assert unique(server, {}).job.state == "available"


def test_a_job_without_a_policy_is_nobodys_duplicate() -> None:
    server = Server()
    server.push(args=USER)
    assert unique(server, {}).job.state == "available"
    assert server.push(args=USER).state == "available"


def test_of_a_thousand_equal_jobs_exactly_one_is_there() -> None:
    server = Server()
    for _ in range(1000):
        unique(server, {"on_conflict": "ignore"})
    assert server.engine.store.counts()[life.AVAILABLE] == 1


def test_a_refusal_by_a_later_guard_replaces_nothing() -> None:
    server = Server()
    old = unique(server, {}).job
    before = server.snapshot()

    def refuse(_job: Job) -> None:
        raise Rejected("no")

    server.engine.operations.guards.append(refuse)
    with pytest.raises(Rejected):
        unique(server, {"on_conflict": "replace"})
    assert (server.snapshot(), old.state) == (before, "available")


@pytest.mark.parametrize(("queue", "taken"), [("default", True), ("other", False)])
def test_a_job_that_takes_anothers_place_in_a_full_queue_needs_no_more_room(queue: str, taken: bool) -> None:
    server = Server()
    for name in ("default", "other"):
        server.engine.queues.configure(name, {"max_size": 1})
    old = unique(server, {}).job
    server.push("another", queue="other")
    policy = {"on_conflict": "replace"}
    if taken:
        assert unique(server, policy, queue=queue).job.replaces == old.id
        assert old.state == "cancelled"
    else:
        with pytest.raises(QueueFull):
            unique(server, policy, queue=queue)
        assert old.state == "available"
