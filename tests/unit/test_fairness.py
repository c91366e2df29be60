"""Fair shares between tenants within one queue (OJS Fair Scheduling 9)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.errors import InvalidRequest
from tests.unit.harness import Server


def fair(**setting: Any) -> Server:
    server = Server()
    server.engine.fairness.configure({"enabled": True, **setting})
    return server


def burst(server: Server, tenant: str, count: int, **fields: Any) -> None:
    server.pushes(count, meta={"tenant_id": tenant}, **fields)


def turns(server: Server, count: int) -> list[str]:
    return [job.tenant or "" for job in server.take(count=count)]


def test_without_it_jobs_go_in_the_order_in_which_they_came() -> None:
    server = Server()
    burst(server, "a", 3)
    burst(server, "b", 1)
    assert turns(server, 4) == ["a", "a", "a", "b"]


def test_a_burst_delays_another_tenant_by_one_job() -> None:
    server = fair()
    burst(server, "a", 1000)
    burst(server, "b", 3)
    assert turns(server, 6) == ["a", "b", "a", "b", "a", "b"]


def test_a_tenant_that_comes_late_gets_no_turns_for_the_past() -> None:
    server = fair()
    burst(server, "a", 100)
    turns(server, 50)
    burst(server, "b", 50)
    assert Counter(turns(server, 20)) == {"a": 10, "b": 10}


def test_weights_share_in_proportion() -> None:
    server = fair(weights={"a": 5, "tenant:b": 1}, default_weight=2)
    for tenant in "abc":
        burst(server, tenant, 80)
    assert Counter(turns(server, 80)) == {"a": 50, "b": 10, "c": 20}


def test_a_tenants_own_weight_counts_too() -> None:
    server = fair()
    server.engine.tenants.configure("a", {"fairness_weight": 3})
    for tenant in "ab":
        burst(server, tenant, 40)
    assert Counter(turns(server, 40)) == {"a": 30, "b": 10}


def test_priority_goes_before_fairness() -> None:
    server = fair()
    burst(server, "a", 3, priority=1)
    burst(server, "b", 3)
    assert turns(server, 6) == ["a", "a", "a", "b", "b", "b"]


def test_a_tenants_own_jobs_stay_in_order() -> None:
    server = fair()
    burst(server, "a", 50)
    burst(server, "b", 50)
    jobs = server.take(count=100)
    for tenant in "ab":
        mine = [job.id for job in jobs if job.tenant == tenant]
        assert mine == sorted(mine)


def test_memory_is_kept_only_of_tenants_that_wait() -> None:
    server = fair()
    for n in range(200):
        burst(server, f"t{n}", 2)
    turns(server, 400)
    record = server.engine.store.record("fair", "default")
    assert record is not None
    assert record["last"] == {}


@pytest.mark.parametrize(
    "raw",
    [
        5,
        {"enabled": "yes"},
        {"strategy": "luck"},
        {"weights": {"a": 0}},
        {"weights": [1]},
        {"default_weight": -1},
        {"weights": {"a": 5e-324}},
    ],
)
def test_a_broken_setting_is_refused(raw: Any) -> None:
    server = Server()
    with pytest.raises(InvalidRequest):
        server.engine.fairness.configure(raw)
    assert server.engine.fairness.setting()["enabled"] is False


def test_the_setting_is_read_and_changed_over_http() -> None:
    server = Server()
    raw = {"tenant_fairness": {"enabled": True, "default_weight": 2}}
    assert server.call("PUT", "/admin/scheduling", raw)[0] == 200
    assert server.call("GET", "/admin/scheduling")[1]["tenant_fairness"]["default_weight"] == 2
    assert server.call("PUT", "/admin/scheduling", {})[0] == 400


@pytest.mark.parametrize(
    ("preference", "order"),
    [(None, "nr"), ("equal", "nr"), ("prefer_retry", "rn"), ("prefer_new", "nr")],
)
def test_retries_may_go_before_new_jobs_or_after_them(preference: str | None, order: str) -> None:
    """OJS Extension Interactions 9."""
    server = Server()
    if preference is not None:
        server.engine.queues.configure("default", {"retry_priority": preference})
    tried = server.push(retry={"initial_interval": "PT1S", "jitter": False})
    server.one()
    server.engine.fail(tried.id, {"code": "x"})
    new = server.push()
    if preference == "prefer_new":
        server.wait(1000)
        late = server.push()
        assert server.take(count=9) == [new, late, tried]
        return
    server.wait(1000)
    assert server.take(count=9) == [{"n": new, "r": tried}[one] for one in order]
