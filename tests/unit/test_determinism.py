"""Same commands, same seed, same start: same bytes. Reading never changes anything."""

from __future__ import annotations

import pickle

import pytest

from engine.http.routes import ROUTES
from tests.unit.harness import START, Server


def scenario(seed: int) -> Server:
    """A bit of everything on the queue side."""
    server = Server(START, seed)
    engine = server.engine
    engine.fairness.configure({"enabled": True})
    engine.pools.put("pool", {"queues": ["a", "default"], "strategy": "round-robin"})
    engine.tenants.configure("acme", {"limits": {"max_concurrency": 5}, "priority_boost": 1})
    engine.queues.configure(
        "a", {"backpressure": {"max_depth": 8}, "rate_limit": {"limit": 3, "period": "PT1M"}}
    )
    for n in range(6):
        server.push(
            queue="a", meta={"tenant_id": "acme"}, unique={"on_conflict": "replace"} if n % 2 else None
        )
        server.push(options={"rate_limit": {"key": "k", "concurrency": 1}}, retry={"max_attempts": 1})
    engine.workers.beat("w", [], None, {"pool": "pool"})
    for _ in range(3):
        for job in server.take("a", "default", worker="w", count=2):
            engine.fail(job.id, {"code": "boom", "message": "x"}, "w")
        server.wait(700)
    server.dead(queue="graves")
    engine.queues.pause("a")
    return server


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, other = scenario(4), scenario(4)
    assert [event.to_dict() for event in one.engine.events] == [
        event.to_dict() for event in other.engine.events
    ]
    assert pickle.dumps(one.engine) == pickle.dumps(other.engine)


def test_another_seed_gives_other_ids() -> None:
    assert scenario(4).snapshot() != scenario(5).snapshot()


PARAMS = {"{name}": "a", "{id}": "acme", "{key}": "k"}


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES if route.method == "GET"}))
def test_no_read_changes_anything(path: str) -> None:
    server = scenario(4)
    url = path.replace("/ojs/manifest", "/manifest")
    job = server.engine.store.jobs(limit=1)[0].id
    for name, value in PARAMS.items():
        url = url.replace(name, job if name == "{id}" and "tenants" not in url else value)
    if url.endswith(("/stream", "/events")) and url != "/events":
        pytest.skip("a stream")
    before = pickle.dumps(server.engine)
    server.http("GET", url)
    assert pickle.dumps(server.engine) == before


def test_a_loaded_snapshot_goes_on_as_the_original() -> None:
    server = scenario(4)
    twin = Server()
    twin.engine = pickle.loads(pickle.dumps(server.engine))  # noqa: S301 - its own bytes
    twin.clock = twin.engine.clock  # type: ignore[assignment]
    for one in (server, twin):
        one.wait(3_600_000)
        one.push()
        one.take("a", "default", count=9)
    assert server.snapshot() == twin.snapshot()
