"""Workflows: chain, group, batch, step graph, nesting, results, callbacks, failure, cancelling (OJS Workflows)."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest

from engine.times import MINUTE, SECOND
from tests.unit.flow_server import Server

ONCE = {"retry": {"max_attempts": 1}}


@pytest.fixture
def server() -> Server:
    return Server()


def job(kind: str = "step.do", **more: Any) -> dict[str, Any]:
    return {"type": kind, "args": [], "options": ONCE, **more}


def create(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    workflow: dict[str, Any] = server.ok("POST", "/ojs/v1/workflows", body)["workflow"]
    return workflow


def read(server: Server, workflow: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = server.ok("GET", f"/ojs/v1/workflows/{workflow['id']}")["workflow"]
    return found


def ack(server: Server, one: dict[str, Any], result: Any = None) -> None:
    server.ok("POST", "/ojs/v1/workers/ack", {"job_id": one["id"], "result": result})


def fail(server: Server, one: dict[str, Any], message: str = "no") -> None:
    server.ok(
        "POST", "/ojs/v1/workers/nack", {"job_id": one["id"], "error": {"code": "boom", "message": message}}
    )


def kinds(server: Server, workflow: dict[str, Any]) -> list[str]:
    return [event.type for event in server.engine.events if event.subject == workflow["id"]]


# chain


def test_a_chain_enqueues_one_step_after_another(server: Server) -> None:
    flow = create(server, {"type": "chain", "name": "c", "steps": [job("a.a"), job("a.b"), job("a.c")]})
    assert (flow["state"], flow["steps_total"], flow["steps_completed"]) == ("running", 3, 0)
    assert [step["state"] for step in flow["steps"]] == ["pending", "waiting", "waiting"]
    for kind in ("a.a", "a.b", "a.c"):
        (one,) = server.fetch()
        assert one["type"] == kind
        ack(server, one)
    assert read(server, flow)["state"] == "completed"


def test_a_step_gets_the_results_of_all_steps_before_it(server: Server) -> None:
    create(server, {"type": "chain", "steps": [job(), job(), job()]})
    (first,) = server.fetch()
    assert first["parent_results"] == []
    ack(server, first, {"n": 1})
    (second,) = server.fetch()
    assert second["parent_results"] == [{"n": 1}]
    ack(server, second, [2])
    (third,) = server.fetch()
    assert third["parent_results"] == [{"n": 1}, [2]]


def test_a_failed_step_stops_the_chain_and_is_recorded(server: Server) -> None:
    flow = create(server, {"type": "chain", "steps": [job("a.a"), job("a.b"), job("a.c")]})
    ack(server, server.fetch()[0])
    (second,) = server.fetch()
    fail(server, second, "broken")
    assert server.fetch() == []
    flow = read(server, flow)
    assert flow["state"] == "failed"
    assert [step["state"] for step in flow["steps"]] == ["completed", "failed", "cancelled"]
    metadata = flow["metadata"]
    assert (metadata["failed_step_index"], metadata["failed_job_ids"]) == (1, [second["id"]])
    (error,) = metadata["errors"]
    assert (error["job_id"], error["code"], error["message"], error["attempt"]) == (
        second["id"],
        "boom",
        "broken",
        1,
    )
    assert (metadata["job_count"], metadata["completed_count"], metadata["failed_count"]) == (3, 1, 1)
    failed = [event.data for event in server.engine.events if event.type == "workflow.failed"]
    assert (failed[0]["failed_step_id"], failed[0]["failed_step_type"]) == ("1", "a.b")
    assert (failed[0]["error"]["code"], failed[0]["error"]["message"]) == ("boom", "broken")


def test_a_step_that_will_be_retried_has_not_failed(server: Server) -> None:
    step = {"type": "a.b", "args": [], "options": {"retry": {"max_attempts": 2, "jitter": False}}}
    flow = create(server, {"type": "chain", "steps": [step]})
    fail(server, server.fetch()[0])
    assert read(server, flow)["state"] == "running"
    server.wait(2 * SECOND)
    ack(server, server.fetch()[0])
    assert read(server, flow)["state"] == "completed"


def test_an_expired_step_fails_its_chain(server: Server) -> None:
    flow = create(server, {"type": "chain", "steps": [job(options={"expires_at": "+PT5S"}), job()]})
    server.wait(6 * SECOND)
    flow = read(server, flow)
    assert (flow["state"], flow["errors"][0]["code"]) == ("failed", "job_expired")


def test_a_step_cancelled_by_itself_fails_its_chain(server: Server) -> None:
    flow = create(server, {"type": "chain", "steps": [job(), job()]})
    server.ok("DELETE", f"/ojs/v1/jobs/{flow['steps'][0]['job_id']}")
    flow = read(server, flow)
    assert (flow["state"], flow["errors"][0]["code"]) == ("failed", "job_cancelled")
    assert [step["state"] for step in flow["steps"]] == ["cancelled", "cancelled"]


def test_steps_inherit_the_first_one_s_priority_unless_they_say_otherwise(server: Server) -> None:
    first, last = job(options={"priority": 7}), job(options={"priority": 1})
    create(server, {"type": "chain", "steps": [first, job(), last]})
    for priority in (7, 7, 1):
        (one,) = server.fetch()
        assert one["priority"] == priority
        ack(server, one)


def test_a_delayed_step_counts_its_delay_from_its_own_turn(server: Server) -> None:
    create(server, {"type": "chain", "steps": [job(), job(options={"scheduled_at": "+PT10S"})]})
    server.wait(MINUTE)
    ack(server, server.fetch()[0])
    assert server.fetch() == []
    server.wait(10 * SECOND)
    assert len(server.fetch()) == 1


def test_the_trace_goes_on_from_step_to_step(server: Server) -> None:
    origin = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    create(server, {"type": "chain", "meta": {"traceparent": origin}, "steps": [job(), job()]})
    for _ in range(2):
        (one,) = server.fetch()
        assert one["meta"]["ojs.workflow.trace_origin"] == one["meta"]["traceparent"] == origin
        ack(server, one)


# group


def test_a_group_enqueues_all_jobs_at_once_in_their_order(server: Server) -> None:
    flow = create(server, {"type": "group", "jobs": [job(f"a.j{index}") for index in range(5)]})
    assert (flow["jobs_total"], flow["jobs_completed"]) == (5, 0)
    assert [one["type"] for one in server.fetch()] == [f"a.j{index}" for index in range(5)]


def test_a_group_waits_for_all_and_fails_if_one_failed(server: Server) -> None:
    flow = create(server, {"type": "group", "jobs": [job(), job(), job()]})
    one, two, three = server.fetch()
    fail(server, one)
    assert read(server, flow)["state"] == "running"
    ack(server, two)
    ack(server, three)
    flow = read(server, flow)
    assert (flow["state"], flow["jobs_completed"], flow["metadata"]["failed_count"]) == ("failed", 2, 1)
    assert flow["jobs"] == flow["steps"]


def test_a_failed_job_retried_by_hand_counts_again(server: Server) -> None:
    flow = create(server, {"type": "group", "jobs": [job(), job()]})
    one, two = server.fetch()
    fail(server, one)
    server.ok("POST", f"/ojs/v1/jobs/{one['id']}/retry")
    ack(server, two)
    assert read(server, flow)["state"] == "running"
    ack(server, server.fetch()[0], "again")
    flow = read(server, flow)
    assert (flow["state"], flow["jobs_completed"], flow["jobs_failed"]) == ("completed", 2, 0)


# batch


def batch(*names: str, jobs: int = 2) -> dict[str, Any]:
    callbacks = {name: job(f"call.{name}", options={"queue": "calls", **ONCE}) for name in names}
    return {"type": "batch", "jobs": [job() for _ in range(jobs)], "callbacks": callbacks}


def calls(server: Server) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = server.ok(
        "POST", "/ojs/v1/workers/fetch", {"queues": ["calls"], "count": 10}
    )["jobs"]
    return jobs


ALL = ("on_complete", "on_success", "on_failure")


@pytest.mark.parametrize(
    ("failures", "fired"), [(0, ["on_complete", "on_success"]), (1, ["on_complete", "on_failure"])]
)
def test_callbacks_fire_after_the_last_job_as_the_matrix_says(
    server: Server, failures: int, fired: list[str]
) -> None:
    flow = create(server, batch(*ALL))
    one, two = server.fetch()
    ack(server, one, "first")
    assert calls(server) == []
    (fail if failures else ack)(server, two)
    found = calls(server)
    assert [call["type"] for call in found] == [f"call.{name}" for name in fired]
    results = found[0]["parent_results"]
    assert results[0] == "first"
    assert results[1] is None or results[1]["error"]["code"] == "boom"
    assert read(server, flow)["state"] == "running"
    for call in found:
        ack(server, call)
    flow = read(server, flow)
    assert (flow["state"], flow["jobs_total"]) == ("completed", 2)
    assert kinds(server, flow).count("workflow.callback_fired") == 2


def test_a_batch_whose_callback_fails_has_failed_and_says_which(server: Server) -> None:
    flow = create(server, batch("on_complete", jobs=1))
    ack(server, server.fetch()[0])
    fail(server, calls(server)[0])
    flow = read(server, flow)
    assert (flow["state"], flow["metadata"]["callback"]) == ("failed", "on_complete")
    assert flow["errors"][0]["callback"] == "on_complete"
    assert flow["callbacks"]["on_complete"]["state"] == "failed"


def test_a_batch_completes_at_once_when_no_callback_applies(server: Server) -> None:
    flow = create(server, batch("on_failure", jobs=1))
    ack(server, server.fetch()[0])
    assert read(server, flow)["state"] == "completed"


def test_retrying_a_job_after_the_callbacks_fires_none_again(server: Server) -> None:
    create(server, batch(*ALL, jobs=1))
    (one,) = server.fetch()
    fail(server, one)
    assert len(calls(server)) == 2
    server.ok("POST", f"/ojs/v1/jobs/{one['id']}/retry")
    ack(server, server.fetch()[0])
    assert calls(server) == []


# graph


def step(key: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "type": "graph.step",
        "args": [key],
        "depends_on": list(needs),
        "options": ONCE,
        **more,
    }


def test_a_graph_runs_each_step_when_all_it_depends_on_completed(server: Server) -> None:
    flow = create(server, {"name": "g", "steps": [step("a"), step("b"), step("c", "a", "b")]})
    assert [one["state"] for one in flow["steps"]] == ["available", "available", "pending"]
    assert flow["steps"][2]["depends_on"] == ["a", "b"]
    assert (flow["type"], flow["name"]) == ("graph", "g")
    first, second = server.fetch()
    ack(server, second, "B")
    assert server.fetch() == []
    ack(server, first, "A")
    (third,) = server.fetch()
    assert (third["args"], third["parent_results"]) == (["c"], ["A", "B"])
    assert third["workflow_step_id"] == "c"
    ack(server, third)
    assert read(server, flow)["state"] == "completed"


def test_a_failed_step_cancels_what_depends_on_it_and_leaves_the_rest(server: Server) -> None:
    flow = create(server, {"steps": [step("a"), step("b", "a"), step("c", "b"), step("x"), step("y", "x")]})
    a, x = server.fetch()
    fail(server, a)
    ack(server, x)
    assert read(server, flow)["state"] == "running"
    ack(server, server.fetch()[0])
    flow = read(server, flow)
    assert flow["state"] == "failed"
    assert {one["id"]: one["state"] for one in flow["steps"]} == {
        "a": "failed",
        "b": "cancelled",
        "c": "cancelled",
        "x": "completed",
        "y": "completed",
    }


@pytest.mark.parametrize(
    "how", [{"id": "on-failure"}, {"id": "tell", "options": {"callback_type": "on_failure"}}]
)
def test_a_callback_step_of_a_graph_runs_by_its_condition(server: Server, how: dict[str, Any]) -> None:
    flow = create(
        server, {"steps": [step("a"), step("on_success"), {**step("z"), **how, "depends_on": ["a"]}]}
    )
    fail(server, server.fetch()[0])
    (callback,) = server.fetch()
    assert callback["parent_results"][0]["error"]["message"] == "no"
    ack(server, callback)
    assert read(server, flow)["state"] == "completed"


@pytest.mark.parametrize(
    "steps",
    [
        [step("a", "b"), step("b", "a")],
        [step("a", "a")],
        [step("a"), step("b", "a", "d"), step("c", "b"), step("d", "c")],
    ],
)
def test_a_cycle_is_refused(server: Server, steps: list[dict[str, Any]]) -> None:
    status, answer = server.call("POST", "/ojs/v1/workflows", {"steps": steps})
    assert (status, answer["error"]["code"]) == (400, "invalid_workflow")
    assert "in a circle" in answer["error"]["message"]


# nesting


def test_a_group_inside_a_chain_passes_results_in_and_out(server: Server) -> None:
    body = {
        "type": "chain",
        "steps": [job("a.a"), {"type": "group", "jobs": [job("b.a"), job("b.b")]}, job("c.a")],
    }
    flow = create(server, body)
    assert (flow["steps_total"], flow["metadata"]["job_count"]) == (3, 4)
    ack(server, server.fetch()[0], "raw")
    inner = server.fetch()
    assert [one["parent_results"] for one in inner] == [["raw"], ["raw"]]
    ack(server, inner[1], "two")
    assert server.fetch() == []
    ack(server, inner[0], "one")
    (last,) = server.fetch()
    assert last["parent_results"] == ["raw", {"0": "one", "1": "two"}]
    ack(server, last)
    flow = read(server, flow)
    assert (flow["state"], flow["jobs_completed"], flow["steps_completed"]) == ("completed", 4, 3)
    nested = flow["steps"][1]
    assert (nested["type"], nested["state"], len(nested["jobs"])) == ("group", "completed", 2)
    alone = server.ok("GET", f"/ojs/v1/workflows/{nested['workflow_id']}")["workflow"]
    assert alone["parent_workflow_id"] == flow["id"]


def test_a_chain_in_a_batch_in_a_chain_fails_outwards(server: Server) -> None:
    inner = {"type": "chain", "steps": [job("x.a"), job("x.b")]}
    middle = {"type": "batch", "jobs": [inner, job("y.a")], "callbacks": {"on_failure": job("cb.f")}}
    flow = create(server, {"type": "chain", "steps": [middle, job("z.a")]})
    first, second = server.fetch()
    fail(server, first)
    ack(server, second)
    (callback,) = server.fetch()
    assert callback["type"] == "cb.f"
    fail(server, callback)
    flow = read(server, flow)
    assert (flow["state"], flow["steps"][0]["state"], flow["steps"][1]["state"]) == (
        "failed",
        "failed",
        "cancelled",
    )
    chain = flow["steps"][0]["jobs"][0]
    assert [one["state"] for one in chain["steps"]] == ["failed", "cancelled"]


def nest(depth: int) -> dict[str, Any]:
    body: dict[str, Any] = job()
    for index in range(depth):
        body = {"type": "group", "jobs": [body]} if index % 2 else {"type": "chain", "steps": [body]}
    return body


def test_sixteen_levels_run_and_seventeen_are_refused_at_creation(server: Server) -> None:
    flow = create(server, nest(16))
    ack(server, server.fetch()[0], "deep")
    assert read(server, flow)["state"] == "completed"
    status, answer = server.call("POST", "/ojs/v1/workflows", nest(17))
    assert (status, answer["error"]["code"]) == (400, "invalid_workflow")
    assert "deeper than the 16 levels" in answer["error"]["message"]


# saga


def saga_step(name: str, *, undo: bool = True) -> dict[str, Any]:
    more = {"compensate_type": f"undo.{name}", "compensate_args": [name]} if undo else {}
    return {"name": name, "job_type": f"do.{name}", "args": [], **more}


def saga(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "saga", "name": "s", "steps": list(steps), **more}


def test_a_failed_step_of_a_saga_undoes_the_completed_ones_in_reverse(server: Server) -> None:
    flow = create(server, saga(saga_step("a"), saga_step("b"), saga_step("c", undo=False), saga_step("d")))
    for name in "ab":
        ack(server, server.fetch()[0], f"result {name}")
    fail(server, server.fetch()[0])
    assert read(server, flow)["state"] == "compensating"
    for name in "ba":
        (undo,) = server.fetch()
        assert (undo["type"], undo["args"], undo["parent_results"]) == (
            f"undo.{name}",
            [name],
            [f"result {name}"],
        )
        ack(server, undo)
    assert server.fetch() == []
    flow = read(server, flow)
    assert (flow["state"], flow["metadata"]["failed_step_id"]) == ("compensated", "c")
    assert {one["undoes"]: one["state"] for one in flow["compensations"]} == {
        "a": "completed",
        "b": "completed",
        "d": "cancelled",
    }
    assert kinds(server, flow)[-2:] == ["workflow.compensating", "workflow.failed"]


def test_a_saga_whose_steps_all_succeed_undoes_nothing(server: Server) -> None:
    flow = create(server, saga(saga_step("a"), saga_step("b")))
    for _ in range(2):
        ack(server, server.fetch()[0])
    assert server.fetch() == []
    assert read(server, flow)["state"] == "completed"


def test_a_saga_whose_compensation_fails_has_failed(server: Server) -> None:
    flow = create(
        server, saga(saga_step("a"), saga_step("b"), saga_step("c"), options={"retry": {"max_attempts": 1}})
    )
    for _ in range(2):
        ack(server, server.fetch()[0])
    fail(server, server.fetch()[0])
    fail(server, server.fetch()[0])
    assert server.fetch() == []
    flow = read(server, flow)
    assert flow["state"] == "failed"
    assert {one["undoes"]: one["state"] for one in flow["compensations"]}["a"] == "cancelled"


def test_a_saga_with_nothing_to_undo_ends_when_its_step_fails(server: Server) -> None:
    flow = create(server, saga(saga_step("a"), saga_step("b")))
    fail(server, server.fetch()[0])
    assert read(server, flow)["state"] == "compensated"


@pytest.mark.parametrize(("policy", "states"), [("compensate", "compensated"), ("retry", "running")])
def test_only_the_retry_policy_tries_a_failed_step_again(server: Server, policy: str, states: str) -> None:
    flow = create(server, saga(saga_step("a"), failure_policy=policy))
    fail(server, server.fetch()[0])
    assert read(server, flow)["state"] == states


def test_the_skip_policy_goes_on_with_the_next_step(server: Server) -> None:
    flow = create(
        server,
        saga(saga_step("a"), saga_step("b"), failure_policy="skip", options={"retry": {"max_attempts": 1}}),
    )
    fail(server, server.fetch()[0])
    (second,) = server.fetch()
    assert second["type"] == "do.b"
    ack(server, second)
    flow = read(server, flow)
    assert (flow["state"], flow["steps_failed"]) == ("completed", 1)


def test_a_saga_can_be_cancelled_while_it_compensates(server: Server) -> None:
    flow = create(server, saga(saga_step("a"), saga_step("b")))
    ack(server, server.fetch()[0])
    fail(server, server.fetch()[0])
    server.ok("DELETE", f"/ojs/v1/workflows/{flow['id']}")
    assert server.fetch() == []
    assert read(server, flow)["state"] == "cancelled"


# validation


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"type": "chain"}, "$.steps"),
        ({"type": "chain", "steps": []}, "$.steps"),
        ({"type": "group", "jobs": []}, "$.jobs"),
        ({"type": "group", "jobs": "x"}, "$.jobs"),
        ({"type": "pipeline", "steps": [job()]}, "$.type"),
        ({"type": ["chain"], "steps": [job()]}, "$.type"),
        ({"type": "chain", "steps": ["x"]}, "$.steps[0]"),
        ({"type": "chain", "steps": [job(), {"type": "a.b"}]}, "$.steps[1].args"),
        ({"type": "chain", "steps": [job("Bad")]}, "$.steps[0].type"),
        ({"type": "group", "jobs": [job(options={"priority": 999})]}, "$.jobs[0].options.priority"),
        ({"type": "group", "jobs": [job(options=3)]}, "$.jobs[0].options"),
        ({"type": "batch", "jobs": [job()]}, "$.callbacks"),
        ({"type": "batch", "jobs": [job()], "callbacks": {}}, "$.callbacks"),
        ({"type": "batch", "jobs": [job()], "callbacks": {"on_magic": job()}}, "$.callbacks.on_magic"),
        ({"type": "batch", "jobs": [job()], "callbacks": {"on_success": 1}}, "$.callbacks.on_success"),
        ({"type": "group", "jobs": [job()], "callbacks": {"on_success": job()}}, "$.callbacks"),
        ({"type": "chain", "name": 5, "steps": [job()]}, "$.name"),
        ({"type": "chain", "id": "a/b", "steps": [job()]}, "$.id"),
        ({"type": "chain", "steps": [job(id="x"), job(id="x")]}, "$"),
        ({"type": "chain", "workflow_timeout": 0, "steps": [job()]}, "$.workflow_timeout"),
        ({"type": "chain", "steps": [job(), {"type": "group", "jobs": []}]}, "$.steps[1].jobs"),
        ({"steps": [job()]}, "$.steps[0].id"),
        (
            {"type": "group", "meta": {"tenant_id": "a"}, "jobs": [job(), job(meta={"tenant_id": "b"})]},
            "$.jobs[1].meta.tenant_id",
        ),
        ({"steps": [step("a", "ghost")]}, "$.steps[a].depends_on"),
        ({"steps": [step("on_success")]}, "$.steps"),
        ({"steps": [{**step("a"), "depends_on": "b"}]}, "$.steps[a].depends_on"),
        ({"name": "nothing"}, "$.steps"),
        ({"type": "saga", "steps": []}, "$.steps"),
        ({"type": "saga", "steps": [{"job_type": "a.b", "args": []}]}, "$.steps[0].name"),
        ({"type": "saga", "steps": [{"name": "a", "args": []}]}, "$.steps[0].type"),
        ({"type": "saga", "failure_policy": "x", "steps": [saga_step("a")]}, "$.failure_policy"),
        ({"type": "group", "jobs": [job()] * 10_001}, "$.jobs"),
        ({"type": "chain", "steps": [job()] * 1_001}, "$.steps"),
    ],
)
def test_a_bad_structure_is_refused_with_its_path_and_nothing_is_enqueued(
    server: Server, body: dict[str, Any], path: str
) -> None:
    status, answer = server.call("POST", "/ojs/v1/workflows", body)
    error = answer["error"]
    assert (status, error["code"]) == (400, "invalid_workflow")
    assert error["details"]["validation_errors"][0]["path"] == path
    assert server.engine.store.records("workflow") == []
    assert server.engine.store.jobs() == []


def test_all_problems_are_listed(server: Server) -> None:
    _, answer = server.call(
        "POST", "/ojs/v1/workflows", {"type": "chain", "steps": [job("Bad"), job("Worse")]}
    )
    assert len(answer["error"]["details"]["validation_errors"]) == 2


def test_an_empty_body_is_no_workflow(server: Server) -> None:
    assert server.call("POST", "/ojs/v1/workflows", {})[1]["error"]["code"] == "invalid_payload"


def test_a_client_s_id_is_kept_and_may_not_come_twice(server: Server) -> None:
    body = {"id": "wf_1", "type": "group", "jobs": [job()]}
    assert create(server, body)["id"] == "wf_1"
    status, answer = server.call("POST", "/ojs/v1/workflows", body)
    assert (status, answer["error"]["code"]) == (409, "duplicate")
    assert (
        server.call("POST", "/ojs/v1/workflows", {**body, "id": "w", "jobs": [{**body, "id": "w"}]})[0] == 409
    )


def test_options_and_meta_of_the_workflow_are_every_step_s_default(server: Server) -> None:
    steps = [job(options={}), job(options={"queue": "own"}), {**job(options={}), "queue": "top"}]
    body = {"type": "group", "options": {"queue": "shared"}, "meta": {"run": 1}, "jobs": steps}
    flow = create(server, body)
    jobs = [server.ok("GET", f"/ojs/v1/jobs/{one['job_id']}")["job"] for one in flow["jobs"]]
    assert [one["queue"] for one in jobs] == ["shared", "own", "top"]
    assert all(one["meta"]["run"] == 1 for one in jobs)


def test_a_step_whose_job_is_refused_has_failed(server: Server) -> None:
    """Middleware, limits and uniqueness have their say when a step's turn comes."""
    from engine.errors import Rejected  # noqa: PLC0415 - only this test refuses

    def guard(one: Any) -> None:
        if one.type == "bad.job":
            raise Rejected("not this one")

    server.engine.operations.guards.append(guard)
    flow = create(server, {"type": "chain", "steps": [job(), job("bad.job"), job()]})
    ack(server, server.fetch()[0])
    flow = read(server, flow)
    assert (flow["state"], flow["errors"][0]["code"]) == ("failed", "middleware_rejected")
    assert create(server, {"type": "group", "jobs": [job("bad.job")]})["state"] == "failed"


# cancelling


def test_cancelling_cancels_every_step_that_has_not_ended(server: Server) -> None:
    group = {"type": "group", "jobs": [job("b.a"), job("b.b")]}
    flow = create(server, {"type": "chain", "steps": [job("a.a"), group, job("c.a")]})
    ack(server, server.fetch()[0])
    active = server.fetch(1)[0]
    answer = server.ok("DELETE", f"/ojs/v1/workflows/{flow['id']}")
    shown = answer["workflow"]
    assert (shown["state"], shown["steps_cancelled"], shown["steps_already_completed"]) == ("cancelled", 2, 1)
    assert shown["cancelled_at"] == shown["metadata"]["cancelled_at"]
    metadata = shown["metadata"]
    assert (metadata["completed_count"], metadata["failed_count"], metadata["cancelled_count"]) == (1, 0, 3)
    assert server.fetch() == []
    assert server.ok("GET", f"/ojs/v1/jobs/{active['id']}")["job"]["state"] == "cancelled"
    assert read(server, flow)["steps"][1]["jobs"][0]["state"] == "cancelled"
    status, answer = server.call("DELETE", f"/ojs/v1/workflows/{flow['id']}")
    assert (status, answer["error"]["code"]) == (409, "conflict")
    assert "already in terminal state 'cancelled'" in answer["error"]["message"]


def test_cancelling_a_batch_fires_no_callback(server: Server) -> None:
    flow = create(server, batch(*ALL))
    server.ok("DELETE", f"/ojs/v1/workflows/{flow['id']}")
    assert calls(server) == []
    assert kinds(server, flow) == ["workflow.created", "workflow.cancelled"]


def test_cancelling_a_nested_workflow_is_a_failed_step_outside(server: Server) -> None:
    flow = create(server, {"type": "chain", "steps": [{"type": "group", "jobs": [job()]}, job()]})
    server.ok("DELETE", f"/ojs/v1/workflows/{flow['steps'][0]['workflow_id']}")
    flow = read(server, flow)
    assert (flow["state"], flow["errors"][0]["code"]) == ("failed", "workflow_cancelled")


def test_an_unknown_workflow_is_not_found(server: Server) -> None:
    for method in ("GET", "DELETE"):
        status, answer = server.call(method, "/ojs/v1/workflows/none")
        assert (status, answer["error"]["code"]) == (404, "not_found")


def test_a_workflow_that_lasts_longer_than_its_timeout_fails(server: Server) -> None:
    flow = create(server, {"type": "chain", "workflow_timeout": 60, "steps": [job(), job()]})
    server.wait(61 * SECOND)
    flow = read(server, flow)
    assert (flow["state"], flow["error"]["code"]) == ("failed", "workflow_timeout")
    assert server.fetch() == []


def test_a_workflow_that_ends_in_time_does_not_fail_later(server: Server) -> None:
    flow = create(server, {"type": "chain", "workflow_timeout": 60, "steps": [job()]})
    ack(server, server.fetch()[0])
    server.wait(61 * SECOND)
    assert kinds(server, flow)[-1] == "workflow.completed"
    assert read(server, flow)["state"] == "completed"


# reading and telling


def test_the_events_of_a_chain_and_of_a_group(server: Server) -> None:
    flow = create(server, {"type": "chain", "name": "n", "steps": [job("a.a"), job("a.b")]})
    (one,) = server.fetch()
    server.wait(2 * SECOND)
    ack(server, one)
    fail(server, server.fetch()[0])
    assert kinds(server, flow) == [
        "workflow.created",
        "workflow.started",
        "workflow.step_completed",
        "workflow.step_failed",
        "workflow.failed",
    ]
    done = next(event.data for event in server.engine.events if event.type == "workflow.step_completed")
    assert done == {
        "workflow_id": flow["id"],
        "workflow_name": "n",
        "workflow_type": "chain",
        "step_id": "0",
        "step_index": 0,
        "step_type": "a.a",
        "job_id": one["id"],
        "duration_ms": 2000,
        "steps_remaining": 1,
        "remaining_steps": 1,
    }
    flow = create(server, {"type": "group", "jobs": [job()]})
    ack(server, server.fetch()[0])
    assert kinds(server, flow) == [
        "workflow.created",
        "workflow.started",
        "workflow.job_completed",
        "workflow.completed",
    ]


def test_workflows_are_listed_newest_first_filtered_and_paged(server: Server) -> None:
    for index in range(3):
        create(server, {"type": "group", "name": f"g{index}", "jobs": [job()]})
    create(server, {"type": "chain", "name": "c", "steps": [{"type": "group", "jobs": [job()]}]})
    listed = server.ok("GET", "/ojs/v1/workflows")
    assert [one["name"] for one in listed["workflows"]] == ["c", "g2", "g1", "g0"]
    assert "steps" not in listed["workflows"][0]
    assert server.ok("GET", "/ojs/v1/workflows?type=chain")["total"] == 1
    assert server.ok("GET", "/ojs/v1/workflows?state=completed")["total"] == 0
    page = server.ok("GET", "/ojs/v1/workflows?limit=2&offset=1")
    assert ([one["name"] for one in page["workflows"]], page["pagination"]["has_more"]) == (
        ["g2", "g1"],
        True,
    )
    assert server.call("GET", "/ojs/v1/workflows?state=odd")[0] == 400


def test_progress_is_counted_per_primitive(server: Server) -> None:
    flow = create(server, {"type": "chain", "steps": [job(), job()]})
    one = server.fetch()[0]
    path = f"/ojs/v1/workflows/{flow['id']}/progress"
    assert server.ok("GET", path)["progress"] == 0
    server.ok("PUT", f"/ojs/v1/jobs/{one['id']}/progress", {"progress": 0.5, "data": {"rows": 3}})
    answer = server.ok("GET", path)
    assert (answer["progress"], answer["steps"][0]["data"]) == (0.25, {"rows": 3})
    ack(server, one)
    assert server.ok("GET", path)["progress"] == 0.5


def test_the_reply_has_the_workflow_beside_its_own_fields(server: Server) -> None:
    answer = server.ok("POST", "/ojs/v1/workflows", {"steps": [step("a")]})
    assert answer["id"] == answer["workflow"]["id"]
    assert answer["steps"][0] == answer["workflow"]["steps"][0]
    assert answer["name"] == ""


def test_reading_changes_nothing_and_records_are_plain_json(server: Server) -> None:
    flow = create(server, batch(*ALL))
    ack(server, server.fetch(1)[0], {"x": 1})
    names = ("workflow", "workflow_plan", "workflow_step", "workflow_needs")
    before = {name: copy.deepcopy(server.engine.store.records(name)) for name in names}
    read(server, flow)
    server.ok("GET", f"/ojs/v1/workflows/{flow['id']}/progress")
    assert {name: server.engine.store.records(name) for name in names} == before
    for name in names:
        for _, record in before[name]:
            assert json.loads(json.dumps(record)) == record


def test_a_job_of_a_large_group_ends_as_fast_as_one_of_a_small_group(server: Server) -> None:
    """Ten times the jobs take about ten times as long in all: nothing is rescanned at each end."""
    took = {}
    for count in (500, 5000):
        server.engine.workflows.create({"type": "batch", **batch("on_complete", jobs=count)})
        begin = time.perf_counter()
        while jobs := server.engine.fetch(["default"], 100):
            for one in jobs:
                server.engine.ack(one.id, one.step_id)
        took[count] = (time.perf_counter() - begin) / count
        (callback,) = server.engine.fetch(["calls"])
        assert callback.parent_results == [str(index) for index in range(count)]
        server.engine.ack(callback.id)
    assert took[5000] < 5 * took[500]
