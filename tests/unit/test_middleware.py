"""Middleware chains (OJS Middleware 3 to 7)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import Rejected
from engine.job import Job
from engine.middleware import EnqueueChain, ExecutionChain
from tests.unit.ojs_client import Client


def job() -> Job:
    return Job("id", "a.b", [1])


def marker(seen: list[str], name: str) -> Any:
    def run(one: Job) -> Job:
        seen.append(name)
        return one

    return run


def test_chains_are_built_in_the_order_asked_for() -> None:
    chain = EnqueueChain()
    chain.add("b", marker([], "b"))
    chain.prepend("a", marker([], "a"))
    chain.insert_after("b", "d", marker([], "d"))
    chain.insert_before("d", "c", marker([], "c"))
    assert chain.names() == ["a", "b", "c", "d"]
    chain.remove("b")
    assert chain.names() == ["a", "c", "d"]
    with pytest.raises(LookupError, match="no middleware 'b'; there are a, c, d"):
        chain.insert_before("b", "x", marker([], "x"))


def test_enqueue_middleware_runs_in_order_until_one_drops_the_job() -> None:
    seen: list[str] = []
    chain = EnqueueChain()
    chain.add("first", marker(seen, "first"))
    chain.add("drop", lambda _job: None)
    chain.add("never", marker(seen, "never"))
    answer = chain.run(job())
    assert answer is not None
    assert answer.dropped
    assert seen == ["first"]


def test_an_empty_chain_lets_everything_through() -> None:
    assert EnqueueChain().run(job()) is None
    assert ExecutionChain().run(job(), lambda one: one.args) == [1]


def test_middleware_may_not_change_the_id() -> None:
    def rename(one: Job) -> Job:
        one.id = "other"
        return one

    chain = EnqueueChain()
    chain.add("rename", rename)
    with pytest.raises(Rejected, match="rename"):
        chain.run(job())


def test_execution_middleware_is_nested_and_sees_the_result() -> None:
    seen: list[str] = []

    def around(name: str) -> Any:
        def run(_job: Job, proceed: Any) -> Any:
            seen.append("+" + name)
            result = proceed()
            seen.append("-" + name)
            return [name, result]

        return run

    chain = ExecutionChain()
    chain.add("outer", around("outer"))
    chain.add("inner", around("inner"))
    assert chain.run(job(), lambda _job: "done") == ["outer", ["inner", "done"]]
    assert seen == ["+outer", "+inner", "-inner", "-outer"]


def test_an_error_passes_outwards_and_may_be_handled() -> None:
    def fail(_job: Job) -> Any:
        raise ValueError("handler")

    def rescue(_job: Job, proceed: Any) -> Any:
        try:
            return proceed()
        except ValueError as error:
            return str(error)

    chain = ExecutionChain()
    chain.add("rescue", rescue)
    assert chain.run(job(), fail) == "handler"


def test_the_engine_runs_enqueue_middleware_on_every_job() -> None:
    client = Client()

    def inject(one: Job) -> Job:
        one.meta = {**(one.meta or {}), "seen": True}
        return one

    client.engine.extensions.enqueue_chain.add("inject", inject)
    assert client.job(client.push())["meta"] == {"seen": True}


def test_a_dropped_job_is_not_stored_and_not_an_error() -> None:
    client = Client()
    client.engine.extensions.enqueue_chain.add("drop", lambda _job: None)
    body = client.post("/jobs", {"type": "a.b", "args": []})
    assert (client.status, body["enqueued"], body["dropped"]) == (200, False, True)
    assert client.get("/jobs")["jobs"] == []


def test_the_refusing_middleware_is_for_conformance_only() -> None:
    request = {"type": "a.b", "args": [], "meta": {"ojs_validate": True}}
    for client, status in ((Client(conformance=True), 422), (Client(), 201)):
        client.post("/jobs", request)
        assert client.status == status
    strict = Client(conformance=True)
    strict.post("/jobs", request)
    assert strict.code == "middleware_rejected"
    assert strict.get("/jobs")["jobs"] == []


def test_the_id_of_a_request_reaches_the_job_after_all_guards() -> None:
    """A fingerprint made by a guard must not contain it, or no two jobs would ever be alike."""
    client = Client()
    seen: list[Any] = []
    client.engine.operations.guards.append(lambda one: seen.append(one.meta))
    body = client.post("/jobs", {"type": "a.b", "args": []}, {"x-request-id": "req-1"})
    assert (body["job"]["meta"], seen) == ({"request_id": "req-1"}, [None])
    own = client.post(
        "/jobs", {"type": "a.b", "args": [], "meta": {"request_id": "mine"}}, {"x-request-id": "r"}
    )
    assert own["job"]["meta"] == {"request_id": "mine"}
    assert client.job(client.push())["meta"] == {}
