"""How one FETCH shares its queues, and worker pools (OJS Fair Scheduling, OJS Priority 7)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.errors import InvalidRequest, NotFound
from tests.unit.harness import Server


def filled(server: Server, **counts: int) -> Server:
    for queue, count in counts.items():
        server.pushes(count, queue=queue)
    return server


def took(server: Server, *queues: str, count: int, **wish: Any) -> list[str]:
    """The queues of the jobs that one FETCH after the other gets."""
    return [job.queue for _ in range(count) for job in server.take(*queues, wish=wish)]


def test_without_a_word_queues_go_from_left_to_right() -> None:
    server = filled(Server(), a=2, b=2)
    assert took(server, "b", "a", count=4) == ["b", "b", "a", "a"]


def test_round_robin_takes_one_from_each_in_turn_also_across_requests() -> None:
    server = filled(Server(), a=3, b=3, c=3)
    assert took(server, "a", "b", "c", count=9, strategy="round-robin") == list("abcabcabc")


def test_one_request_for_many_jobs_is_shared_too() -> None:
    server = filled(Server(), a=5, b=5)
    jobs = server.take("a", "b", count=6, wish={"strategy": "round-robin"})
    assert Counter(job.queue for job in jobs) == {"a": 3, "b": 3}


def test_an_empty_queue_is_skipped_and_does_not_save_up_turns() -> None:
    server = filled(Server(), a=20)
    took(server, "a", "b", count=10, strategy="round-robin")
    filled(server, b=10)
    assert Counter(took(server, "a", "b", count=6, strategy="round-robin")) == {"a": 3, "b": 3}


def test_weights_share_in_proportion() -> None:
    server = filled(Server(), critical=80, default=80, low=80)
    weights = {"critical": 5, "default": 2, "low": 1}
    got = took(server, "critical", "default", "low", count=80, strategy="weighted", weights=weights)
    assert Counter(got) == {"critical": 50, "default": 20, "low": 10}
    assert "low" in got[:9]


def test_least_loaded_takes_from_the_deepest_queue() -> None:
    server = filled(Server(), a=1, b=3)
    assert took(server, "a", "b", count=3, strategy="least-loaded")[:2] == ["b", "b"]


def test_least_loaded_gives_nothing_to_a_worker_that_is_full() -> None:
    server = filled(Server(), a=3)
    (job,) = server.take("a", worker="w")
    server.engine.workers.beat("w", [job.id], None, {"concurrency": 1})
    assert server.take("a", worker="w", wish={"strategy": "least-loaded"}) == []


def test_priority_rules_within_each_queue_whatever_the_strategy() -> None:
    server = Server()
    low = server.push(queue="a")
    high = server.push(queue="a", priority=9)
    assert server.take("a", "b", count=2, wish={"strategy": "round-robin"}) == [high, low]


@pytest.mark.parametrize(
    "wish",
    [{"strategy": "luck"}, {"strategy": 5}, {"weights": {"a": 0}}, {"weights": {"a": "x"}}, {"weights": [1]}],
)
def test_a_broken_wish_is_refused_and_claims_nothing(wish: dict[str, Any]) -> None:
    server = filled(Server(), a=1)
    status, _ = server.call("POST", "/workers/fetch", {"queues": ["a"], "strategy": "weighted"} | wish)
    assert status == 400
    assert server.engine.store.counts("a")["available"] == 1


def test_no_job_is_ever_handed_out_twice() -> None:
    server = filled(Server(), a=50, b=50)
    got = [job.id for n in range(100) for job in server.take("a", "b", worker=f"w{n % 7}")]
    assert len(set(got)) == 100


# pools


def pool(server: Server, name: str = "pool", **fields: Any) -> dict[str, Any]:
    return server.engine.pools.put(name, {"queues": ["a", "b"], **fields})[0]


def test_a_pools_own_configuration_goes_before_what_a_worker_asks_for() -> None:
    server = filled(Server(), a=10, b=10, c=10)
    pool(server, strategy="weighted", weights={"a": 3, "b": 1})
    got = took(server, "c", "b", "a", count=8, pool="pool", strategy="strict")
    assert Counter(got) == {"a": 6, "b": 2}


def test_a_worker_belongs_to_the_pool_that_it_names_at_its_heartbeat() -> None:
    server = filled(Server(), a=10, b=10)
    pool(server, strategy="round-robin")
    server.engine.workers.beat("w", [], None, {"pool": "pool"})
    assert [job.queue for _ in range(4) for job in server.take("a", "b", worker="w")] == list("abab")
    assert server.engine.pools.show("pool")["active_workers"] == 1


def test_a_pool_has_no_more_active_jobs_than_it_may() -> None:
    server = filled(Server(), a=9)
    pool(server, concurrency=2)
    jobs = [job for _ in range(5) for job in server.take("a", wish={"pool": "pool"})]
    assert len(jobs) == 2
    assert server.events("scheduling.pool_overloaded") == [
        {"pool": "pool", "active_jobs": 2, "waiting_jobs": 7}
    ]
    assert server.engine.pools.show("pool")["active_jobs"] == 2
    server.engine.fail(jobs[0].id, {"code": "x"})
    assert len(server.take("a", wish={"pool": "pool"})) == 1


def test_one_request_for_many_jobs_takes_no_more_than_its_pool_may() -> None:
    server = filled(Server(), a=9)
    pool(server, concurrency=2)
    assert len(server.take("a", count=5, wish={"pool": "pool"})) == 2


def test_an_isolated_pool_has_its_queues_to_itself() -> None:
    server = filled(Server(), a=2, c=1)
    pool(server, isolated=True)
    assert took(server, "a", "c", count=3) == ["c"]
    assert took(server, "a", count=2, pool="pool") == ["a", "a"]


def test_a_starved_queue_gets_its_guaranteed_share() -> None:
    server = filled(Server(), a=200, b=200)
    rule = {"enabled": True, "rotation_interval": "PT30S", "min_dispatch_ratio": 0.1}
    pool(server, strategy="strict", starvation_prevention=rule)
    got = Counter(took(server, "a", "b", count=100, pool="pool"))
    assert 10 <= got["b"] <= 11


def test_a_queue_without_a_turn_for_too_long_is_told_of_once_until_its_turn() -> None:
    """OJS Fair Scheduling 11.1."""
    server = filled(Server(), a=200, b=3)
    rule = {"enabled": True, "rotation_interval": "PT30S", "min_dispatch_ratio": 0}
    pool(server, strategy="strict", starvation_prevention=rule)
    for _ in range(5):
        assert took(server, "a", "b", count=1, pool="pool") == ["a"]
        server.wait(10_000)
    told = server.events("scheduling.queue_starved")
    assert told == [{"queue": "b", "duration": 40_000, "available_count": 3}]
    server.take("a", count=500)
    assert took(server, "a", "b", count=1, pool="pool") == ["b"]
    server.engine.push({"type": "a.b", "args": [], "queue": "a"})
    assert took(server, "a", "b", count=1, pool="pool") == ["a"]
    assert len(server.events("scheduling.queue_starved")) == 1


def test_a_strict_pool_without_the_rule_starves_whom_it_likes() -> None:
    server = filled(Server(), a=50, b=50)
    pool(server, strategy="strict")
    assert set(took(server, "a", "b", count=50, pool="pool")) == {"a"}


def test_pools_are_created_read_listed_and_removed() -> None:
    server = Server()
    raw = {"strategy": "weighted", "queues": {"high": {"weight": 70}, "low": {"weight": 30}}}
    status, body = server.call("PUT", "/admin/pools/main", raw)
    assert (status, body["pool"]["name"], body["pool"]["strategy"]) == (201, "main", "weighted")
    assert body["pool"]["weights"] == {"high": 70, "low": 30}
    assert server.call("PUT", "/admin/pools/main", raw | {"strategy": "strict"})[0] == 200
    assert server.events("scheduling.rebalanced")[0]["new_strategy"] == "strict"
    assert [one["name"] for one in server.call("GET", "/admin/pools")[1]["items"]] == ["main"]
    assert server.call("DELETE", "/admin/pools/main")[0] == 200
    with pytest.raises(NotFound):
        server.engine.pools.show("main")


@pytest.mark.parametrize(
    "raw",
    [
        {"queues": []},
        {"queues": "a"},
        {"queues": ["No"]},
        {"queues": {"a": {"weight": 0}}},
        {"strategy": "luck"},
        {"concurrency": -1},
        {"starvation_prevention": {"min_dispatch_ratio": 2}},
        {"starvation_prevention": {"rotation_interval": "soon"}},
    ],
)
def test_a_broken_pool_is_refused(raw: dict[str, Any]) -> None:
    server = Server()
    with pytest.raises(InvalidRequest):
        pool(server, **raw)
    assert server.engine.pools.list() == []


def test_statistics_show_how_dispatches_were_shared() -> None:
    server = filled(Server(), a=4, b=4)
    took(server, "a", "b", count=3)
    took(server, "b", count=1)
    _, body = server.call("GET", "/admin/scheduling/stats")
    assert [(row["name"], row["dispatch_count_1m"], row["dispatch_ratio_1m"]) for row in body["queues"]] == [
        ("a", 3, 0.75),
        ("b", 1, 0.25),
    ]
