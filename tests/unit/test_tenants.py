"""Tenants: identification, isolation, limits, statistics (OJS Multi-Tenancy)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidRequest, NotFound, TenantLimitExceeded
from tests.unit.harness import Server

JOB: dict[str, Any] = {"type": "report.make", "args": []}


def of(server: Server, tenant: str, **fields: Any) -> Any:
    return server.push(meta={"tenant_id": tenant}, **fields)


def test_the_header_puts_the_tenant_into_meta() -> None:
    server = Server()
    for body in (JOB, JOB | {"meta": {"a": 1}}, JOB | {"meta": {"tenant_id": "acme"}}):
        reply, got = server.http("POST", "/jobs", body, {"x-ojs-tenant": "acme"})
        assert (reply.status, got["job"]["meta"]["tenant_id"]) == (201, "acme")


@pytest.mark.parametrize("path", ["/jobs/batch", "/jobs/bulk"])
def test_the_header_holds_for_every_job_of_a_batch(path: str) -> None:
    server = Server()
    reply, _ = server.http("POST", path, {"jobs": [JOB, JOB]}, {"x-ojs-tenant": "acme"})
    assert reply.status == 201
    assert [job.tenant for job in server.take(count=9)] == ["acme", "acme"]


def test_a_header_that_contradicts_the_body_is_refused() -> None:
    server = Server()
    body = JOB | {"meta": {"tenant_id": "beta"}}
    reply, _ = server.http("POST", "/jobs", body, {"x-ojs-tenant": "acme"})
    assert reply.status == 400
    assert server.engine.store.jobs() == []


@pytest.mark.parametrize("name", ["-x", "a b", "ü", "x" * 256])
def test_a_header_that_is_no_tenant_id_is_refused(name: str) -> None:
    reply, _ = Server().http("POST", "/jobs", JOB, {"x-ojs-tenant": name})
    assert reply.status == 400


def test_a_fetch_in_a_tenants_name_gets_only_its_jobs() -> None:
    server = Server()
    for tenant in ("acme", "beta", "acme"):
        of(server, tenant)
    server.push()
    body = {"queues": ["default"], "count": 9}
    _, got = server.http("POST", "/workers/fetch", body, {"x-ojs-tenant": "beta"})
    assert [job["meta"]["tenant_id"] for job in got["jobs"]] == ["beta"]
    _, got = server.http("POST", "/workers/fetch", body)
    assert len(got["jobs"]) == 3


@pytest.mark.parametrize(("default", "status"), [("_default", 201), ("house", 201), (None, 422)])
def test_where_tenants_are_required_a_job_gets_the_default_or_is_refused(
    default: str | None, status: int
) -> None:
    server = Server()
    server.engine.tenants.required, server.engine.tenants.default = True, default
    got, body = server.call("POST", "/jobs", JOB)
    assert got == status
    if default is not None:
        assert body["job"]["meta"]["tenant_id"] == default


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"max_queue_depth": 2}, "max_queue_depth"),
        ({"max_enqueue_rate": {"limit": 2, "period": "PT1M"}}, "max_enqueue_rate"),
    ],
)
def test_a_limit_refuses_with_429_and_says_which(limits: dict[str, Any], name: str) -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": limits})
    of(server, "acme")
    of(server, "acme")
    reply, body = server.http("POST", "/jobs", JOB, {"x-ojs-tenant": "acme"})
    error = body["error"]
    assert (reply.status, error["code"]) == (429, "TENANT_LIMIT_EXCEEDED")
    assert (error["tenant_id"], error["limit"], error["current"], error["maximum"]) == ("acme", name, 2, 2)
    assert int(reply.headers["Retry-After"]) >= 1
    assert server.events("tenant.limit_exceeded")[0]["limit"] == name
    of(server, "beta")


def test_the_enqueue_rate_is_whole_again_after_its_period() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": {"max_enqueue_rate": {"limit": 1, "period": "PT1M"}}})
    of(server, "acme")
    server.wait(59_999)
    with pytest.raises(TenantLimitExceeded):
        of(server, "acme")
    server.wait(1)
    of(server, "acme")


def test_scheduled_jobs_have_a_limit_of_their_own() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": {"max_scheduled": 1}})
    of(server, "acme", scheduled_at="+PT1H")
    with pytest.raises(TenantLimitExceeded):
        of(server, "acme", scheduled_at="+PT1H")
    of(server, "acme")


def test_a_batch_counts_as_a_whole() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": {"max_queue_depth": 2}})
    jobs = [JOB | {"meta": {"tenant_id": "acme"}}] * 3
    assert server.call("POST", "/jobs/batch", {"jobs": jobs})[0] == 429
    assert server.engine.store.jobs() == []


def test_a_soft_limit_warns_and_lets_the_job_in() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": {"max_queue_depth": 0, "soft": True}})
    of(server, "acme")
    assert server.events("tenant.limit_exceeded")


def test_a_tenant_has_no_more_active_jobs_than_it_may() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": {"max_concurrency": 1}})
    for queue in ("default", "other"):
        of(server, "acme", queue=queue)
    of(server, "beta")
    got = server.take("default", "other", count=9)
    assert sorted(job.tenant for job in got) == ["acme", "beta"]
    server.engine.ack(next(job.id for job in got if job.tenant == "acme"))
    assert len(server.take("default", "other", count=9)) == 1


def test_a_boost_puts_a_tenants_jobs_first_and_leaves_their_priority_as_it_is() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"priority_boost": 10})
    of(server, "beta", priority=5)
    boosted = of(server, "acme")
    assert server.one() is boosted
    assert boosted.priority == 0


@pytest.mark.parametrize(
    "raw",
    [
        {"limits": {"max_concurrency": -1}},
        {"limits": {"max_everything": 1}},
        {"limits": {"max_enqueue_rate": {"limit": 1, "period": "x"}}},
        {"limits": 5},
        {"fairness_weight": 0},
        {"priority_boost": 1000},
    ],
)
def test_a_broken_configuration_is_refused(raw: dict[str, Any]) -> None:
    server = Server()
    with pytest.raises(InvalidRequest):
        server.engine.tenants.configure("acme", raw)
    with pytest.raises(NotFound):
        server.engine.tenants.show("acme")


def test_limits_are_changed_one_by_one() -> None:
    server = Server()
    server.call("PUT", "/admin/tenants/acme", {"limits": {"max_concurrency": 9, "max_scheduled": 5}})
    raw = {"max_concurrency": 1, "max_scheduled": None, "reason": "incident"}
    status, body = server.call("PUT", "/admin/tenants/acme/limits", raw)
    assert (status, body["limits"]) == (200, {"max_concurrency": 1})
    assert server.events("tenant.limits_updated")[0]["reason"] == "incident"


def test_statistics_follow_a_tenants_jobs_through_every_move() -> None:
    server = Server()
    of(server, "acme")
    of(server, "acme", scheduled_at="+PT1H")
    of(server, "beta")
    job = server.take(tenant="acme")[0]
    _, body = server.call("GET", "/admin/tenants/acme/stats")
    assert (body["tenant_id"], body["total_jobs"]) == ("acme", 2)
    assert (body["jobs"]["active"], body["jobs"]["scheduled"], body["jobs"]["available"]) == (1, 1, 0)
    assert body["fairness"]["actual_share"] == 1
    server.engine.ack(job.id)
    _, body = server.call("GET", "/admin/tenants/acme/stats")
    assert (body["jobs"]["completed"], body["jobs"]["completed_24h"]) == (1, 1)
    server.engine.bulk.delete({"job_ids": [job.id]})
    assert server.engine.tenants.counts("acme")["completed"] == 0


def test_a_queues_figures_in_a_tenants_name_are_its_own() -> None:
    server = Server()
    for tenant in ("acme", "acme", "beta"):
        of(server, tenant, queue="q")
    for path in ("/queues/q", "/queues/q/stats"):
        _, body = server.http("GET", path, headers={"x-ojs-tenant": "acme"})
        assert (body["queue"]["name"], body["stats"]["available"]) == ("q", 2)
    server.engine.queues.delete("q", "move", "other")
    assert server.engine.tenants.counts("acme", "other")["available"] == 2
    assert server.engine.tenants.counts("acme", "q")["available"] == 0


def test_a_tenants_jobs_are_listed() -> None:
    server = Server()
    first, second = of(server, "acme"), of(server, "acme", queue="q")
    of(server, "beta")
    _, body = server.call("GET", "/admin/tenants/acme/jobs?state=available")
    assert [job["id"] for job in body["items"]] == [second.id, first.id]
    assert body["pagination"]["total"] == 2
    _, body = server.http("GET", "/jobs", headers={"x-ojs-tenant": "beta"})
    assert len(body["jobs"]) == 1


def test_forgetting_a_tenant_drops_its_limits_and_keeps_its_jobs() -> None:
    server = Server()
    server.engine.tenants.configure("acme", {"limits": {"max_queue_depth": 1}})
    of(server, "acme")
    assert server.call("DELETE", "/admin/tenants/acme")[0] == 200
    of(server, "acme")
    assert server.engine.tenants.counts("acme")["available"] == 2
    assert server.call("DELETE", "/admin/tenants/nobody")[0] == 404


def test_a_tenant_that_takes_more_than_its_part_is_seen() -> None:
    """OJS Multi-Tenancy 9.1."""
    server = Server()
    for tenant, count in (
        ("acme", 33),
        ("beta", 3),
        ("gamma", 3),
        ("delta", 3),
        ("eps", 3),
        ("zeta", 3),
        ("eta", 3),
    ):
        for _ in range(count):
            of(server, tenant)
    server.take(tenant="acme", count=2)
    noise = server.engine.tenants.stats("acme")["noisy_neighbor"]
    assert noise["signals"]["queue_depth_ratio"] == pytest.approx(31 / 3, abs=0.001)
    assert "queue_depth_ratio" in noise["exceeded"]
    assert server.engine.tenants.stats("beta")["noisy_neighbor"]["exceeded"] == []


def test_a_tenant_alone_is_nobodys_neighbour() -> None:
    server = Server()
    of(server, "acme")
    server.take()
    assert server.engine.tenants.stats("acme")["noisy_neighbor"]["exceeded"] == []
