"""Queues: created, paused, drained, configured, deleted, counted (OJS Queue Configuration, OJS HTTP Binding 11)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import Conflict, InvalidRequest, NotFound, QueueDraining, TypeNotAllowed
from tests.unit.harness import Server

DAY = 86_400_000


def names(server: Server) -> list[str]:
    return [queue["name"] for queue in server.engine.queues.list()]


def test_the_default_queue_is_always_there_and_others_come_with_their_first_job() -> None:
    server = Server()
    assert names(server) == ["default"]
    server.push(queue="email")
    assert names(server) == ["default", "email"]


def test_a_paused_queue_takes_jobs_and_hands_out_none() -> None:
    server = Server()
    job = server.push(queue="email")
    server.engine.queues.pause("email", "ops")
    server.push(queue="email")
    assert server.take("email") == []
    server.engine.queues.resume("email")
    assert server.one("email") is job
    assert server.events("queue.paused") == [{"queue": "email", "paused_by": "ops"}]
    assert server.events("queue.resumed") == [{"queue": "email"}]


def test_jobs_under_way_go_on_while_the_queue_is_paused() -> None:
    server = Server()
    job = server.push()
    server.one()
    server.engine.queues.pause("default")
    assert server.engine.ack(job.id).state == "completed"


def test_pausing_twice_is_once() -> None:
    server = Server()
    server.engine.queues.pause("default")
    server.wait(1000)
    server.engine.queues.pause("default")
    assert len(server.events("queue.paused")) == 1


def test_a_draining_queue_takes_nothing_and_is_gone_when_it_is_empty() -> None:
    server = Server()
    job = server.push(queue="old")
    server.engine.queues.drain("old")
    with pytest.raises(QueueDraining):
        server.push(queue="old")
    assert server.one("old") is job
    server.engine.ack(job.id)
    assert names(server) == ["default"]
    assert server.events("queue.deleted") == [{"queue": "old"}]
    assert server.engine.info(job.id).state == "completed"
    assert server.push(queue="old").state == "available"


def test_strict_mode_knows_only_queues_created_on_purpose() -> None:
    server = Server()
    server.engine.queues.create("email", None)
    server.engine.queues.strict = True
    server.push(queue="email")
    with pytest.raises(NotFound):
        server.push(queue="other")


def test_a_queue_is_created_once() -> None:
    server = Server()
    server.engine.queues.create("email", {"concurrency": 2})
    assert server.engine.queues.config("email")["concurrency"] == 2
    with pytest.raises(Conflict):
        server.engine.queues.create("email", None)


# configuration


def test_configuration_is_layered_system_then_default_policy_then_the_queue() -> None:
    server = Server()
    queues = server.engine.queues
    queues.configure("_default", {"concurrency": 10, "retention": {"completed": "P1D"}})
    queues.configure("email", {"concurrency": 3, "retention": {"cancelled": "P2D"}})
    config = queues.config("email")
    assert config["concurrency"] == 3
    assert config["retention"] == {"completed": "P1D", "discarded": "P30D", "cancelled": "P2D"}
    assert queues.config("other")["concurrency"] == 10
    queues.configure("email", {"concurrency": None})
    assert queues.config("email")["concurrency"] == 10


def test_a_jobs_own_settings_go_before_the_queues() -> None:
    server = Server()
    server.engine.queues.configure(
        "default", {"default_timeout": 60, "visibility_timeout": 90, "default_retry": {"max_attempts": 7}}
    )
    job = server.push()
    assert (job.timeout, job.visibility_timeout, job.max_attempts) == (60_000, 90_000, 7)
    own = server.push(timeout=5, visibility_timeout=6, retry={"max_attempts": 2})
    assert (own.timeout, own.visibility_timeout, own.max_attempts) == (5_000, 6_000, 2)


def test_a_new_configuration_leaves_jobs_that_are_there_as_they_are() -> None:
    server = Server()
    job = server.push()
    server.engine.queues.configure("default", {"default_timeout": 1})
    assert job.timeout is None


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"max_size": -1}, "config.max_size"),
        ({"max_size": "many"}, "config.max_size"),
        ({"concurrency": 1.5}, "config.concurrency"),
        ({"overflow_policy": "explode"}, "config.overflow_policy"),
        ({"retention": {"completed": "7 days"}}, "config.retention.completed"),
        ({"retention": 5}, "config.retention"),
        ({"dead_letter_queue": "No"}, "config.dead_letter_queue"),
        ({"dead_letter": {"retention": {"max_count": -1}}}, "config.dead_letter.retention.max_count"),
        ({"allowed_job_types": "email.*"}, "config.allowed_job_types"),
        ({"backpressure": {"warning_threshold": 2}}, "config.backpressure.warning_threshold"),
        ({"backpressure": {"strategy": "hope"}}, "config.backpressure.strategy"),
        ({"rate_limit": {"limit": -1, "period": "PT1S"}}, "config.rate_limit.limit"),
        ({"default_timeout": 0}, "config.default_timeout"),
        ({"replay_rules": [{"delay": "soon"}]}, "config.replay_rules[0].delay"),
        ({"replay_rules": [{"filter": {"type": 5}}]}, "filter.type"),
        (5, "config"),
    ],
)
def test_a_broken_configuration_is_refused_and_changes_nothing(config: Any, field: str) -> None:
    server = Server()
    before = server.engine.queues.config("default")
    with pytest.raises(InvalidRequest) as refusal:
        server.engine.queues.configure("default", config)
    assert refusal.value.details["field"] == field
    assert server.engine.queues.config("default") == before


@pytest.mark.parametrize(("kind", "taken"), [("payment.refund", True), ("email.send", False)])
def test_a_queue_may_take_some_job_types_only(kind: str, taken: bool) -> None:
    server = Server()
    server.engine.queues.configure("default", {"allowed_job_types": ["payment.*"]})
    if taken:
        server.push(kind)
        return
    with pytest.raises(TypeNotAllowed) as refusal:
        server.push(kind)
    assert refusal.value.code == "JOB_TYPE_NOT_ALLOWED"


def test_a_queue_may_have_a_bound_on_its_active_jobs() -> None:
    server = Server()
    server.engine.queues.configure("default", {"concurrency": 2})
    server.pushes(5)
    first = server.take(count=5)
    assert len(first) == 2
    assert server.take(count=5) == []
    server.engine.ack(first[0].id)
    assert len(server.take(count=5)) == 1


# deletion


def test_a_queue_with_jobs_is_not_deleted_by_reject() -> None:
    server = Server()
    server.push(queue="old")
    with pytest.raises(Conflict):
        server.engine.queues.delete("old", "reject")
    assert "old" in names(server)


def test_deleting_by_discard_ends_what_waits_and_lets_what_runs_finish() -> None:
    server = Server()
    running = server.push(queue="old")
    server.one("old")
    waiting = [server.push(queue="old"), server.push(queue="old", scheduled_at="+PT1H")]
    answer = server.engine.queues.delete("old", "discard")
    assert (answer["jobs_affected"], answer["state"]) == (2, "draining")
    assert {(job.state, (job.error or {})["type"]) for job in waiting} == {("discarded", "queue_deleted")}
    server.engine.ack(running.id)
    assert names(server) == ["default"]


def test_deleting_by_move_takes_every_waiting_job_along_in_order() -> None:
    server = Server()
    jobs = [server.push(queue="old", priority=priority) for priority in (0, 5, 0)]
    later = server.push(queue="old", scheduled_at="+PT1M")
    server.push(queue="new", priority=1)
    answer = server.engine.queues.delete("old", "move", "new")
    assert (answer["jobs_affected"], answer["state"]) == (4, "deleted")
    assert [job.priority for job in server.take("new", count=9)] == [5, 1, 0, 0]
    server.wait(60_000)
    assert server.one("new") is later
    assert {job.queue for job in jobs} == {"new"}


@pytest.mark.parametrize(
    ("strategy", "target"), [(None, None), ("burn", None), ("move", None), ("move", "old"), ("move", "No")]
)
def test_a_deletion_needs_a_strategy_and_a_target_to_move_to(strategy: Any, target: Any) -> None:
    server = Server()
    server.push(queue="old")
    with pytest.raises(InvalidRequest):
        server.engine.queues.delete("old", strategy, target)
    assert server.engine.queues.show("old")["state"] == "active"


def test_an_unknown_queue_cannot_be_deleted() -> None:
    with pytest.raises(NotFound):
        Server().engine.queues.delete("nobody", "reject")


# HTTP


def test_the_list_has_what_clients_read() -> None:
    server = Server()
    server.push(queue="email")
    status, body = server.call("GET", "/queues")
    assert status == 200
    assert [queue["name"] for queue in body["queues"]] == ["default", "email"]
    assert {"name", "status", "paused", "depth", "created_at"} <= body["queues"][1].keys()
    assert body["pagination"]["total"] == 2


def test_statistics_are_flat_in_queue_and_in_stats() -> None:
    server = Server()
    server.pushes(3, queue="email")
    job = server.one("email")
    server.wait(250)
    server.engine.ack(job.id)
    _, body = server.call("GET", "/queues/email/stats")
    for part in (body, body["queue"], body["stats"]):
        assert (part["available"], part["completed"], part["depth"], part["completed_last_hour"]) == (
            2,
            1,
            2,
            1,
        )
    assert body["queue"]["name"] == body["stats"]["queue"] == "email"
    assert body["stats"]["avg_duration_ms"] == 250
    assert body["status"] == "active"


@pytest.mark.parametrize("path", ["/queues/email/stats", "/queues/email"])
def test_sdks_read_the_queues_name_as_a_string(path: str) -> None:
    server = Server()
    server.push(queue="email")
    assert server.call("GET", path, OJS_Version="1.0")[1]["queue"]["name"] == "email"
    reply, body = server.http("GET", path, headers={"ojs-version": "1.0"})
    assert (reply.status, body["queue"]) == (200, "email")


def test_pause_and_resume_over_http() -> None:
    server = Server()
    _, body = server.call("POST", "/queues/email/pause", {})
    assert (body["status"], body["paused"], body["queue"]["name"]) == ("paused", True, "email")
    assert body["paused_at"]
    status, _ = server.call("POST", "/jobs", {"type": "a", "args": [], "options": {"queue": "email"}})
    assert status == 201
    assert server.call("POST", "/workers/fetch", {"queues": ["email"]})[1]["jobs"] == []
    _, body = server.call("POST", "/queues/email/resume", {})
    assert (body["status"], body["paused"]) == ("active", False)
    assert len(server.call("POST", "/workers/fetch", {"queues": ["email"]})[1]["jobs"]) == 1


def test_creating_configuring_and_deleting_over_http() -> None:
    server = Server()
    status, body = server.call("POST", "/queues", {"name": "pay", "config": {"max_size": 10}})
    assert (status, body["name"], body["state"], body["config"]["max_size"]) == (201, "pay", "active", 10)
    status, body = server.call("PUT", "/queues/pay/config", {"concurrency": 4})
    assert (status, body["config"]["concurrency"], body["config"]["max_size"]) == (200, 4, 10)
    status, body = server.call("PUT", "/queues/_default/config", {"concurrency": 9})
    assert (status, server.call("GET", "/queues/other/config")[1]["config"]["concurrency"]) == (200, 9)
    assert server.call("DELETE", "/queues/pay", {"strategy": "reject"})[0] == 202
    assert server.call("DELETE", "/queues/pay", {"strategy": "reject"})[0] == 404
    assert server.call("GET", "/queues/No-Such/stats")[0] == 400


def test_a_read_of_a_queue_that_was_never_used_creates_nothing() -> None:
    server = Server()
    assert server.call("GET", "/queues/ghost/stats")[1]["queue"]["available"] == 0
    assert names(server) == ["default"]


def test_a_purge_must_be_confirmed_and_ends_nothing_that_runs() -> None:
    server = Server()
    job = server.push()
    server.one()
    server.engine.ack(job.id)
    server.push()
    url = "/admin/queues/default/jobs"
    assert server.call("DELETE", url, {"states": ["completed"]})[0] == 400
    assert server.call("DELETE", url, {"states": ["available"], "confirm": True})[0] == 400
    status, body = server.call("DELETE", url, {"states": ["completed"], "confirm": True})
    assert (status, body["purged_count"]) == (200, 1)
    assert server.engine.store.counts()["available"] == 1


def test_a_deleted_queue_leaves_no_records_behind() -> None:
    server = Server()
    server.engine.fairness.configure({"enabled": True})
    server.engine.queues.configure("old", {"max_size": 1, "rate_limit": {"limit": 9, "period": "PT1M"}})
    job = server.push(queue="old", meta={"tenant_id": "acme"})
    server.one("old")
    server.engine.ack(job.id)
    server.engine.queues.delete("old", "reject")
    for kind in ("queue", "figures", "fair", "pressure", "limit"):
        assert not [key for key, _ in server.engine.store.records(kind) if "old" in key], kind
