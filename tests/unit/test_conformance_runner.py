"""Verdicts: the runner can pass, and it can fail, for each kind of assertion and each way a server breaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.conformance.case import Case, read
from engine.conformance.result import CaseResult
from engine.conformance.runner import run, run_case
from engine.conformance.target import START, TransportError, VirtualTarget, fresh_engine
from engine.http.message import EventStream, Request, Response, Transport

GOOD = {"job": {"id": "a", "state": "available"}}
HEADERS = {"Content-Type": "application/openjobspec+json"}


def case(*steps: dict[str, Any], **more: Any) -> Case:
    return read(json.dumps({"test_id": "T-1", "level": 0, "steps": steps, **more}).encode(), "s/f.json", "s")


def get(step_id: str = "one", **assertions: Any) -> dict[str, Any]:
    return {"id": step_id, "action": "GET", "path": "/ojs/v1/x", "assertions": assertions}


def target(transport: Transport, clock: ManualClock | None = None) -> VirtualTarget:
    clock = clock or ManualClock(START)
    return VirtualTarget(transport, clock, lambda: None)


def answering(status: int = 200, body: Any = None, **headers: str) -> Transport:
    raw = json.dumps(GOOD if body is None else body).encode()
    return lambda _: Response(status, {**HEADERS, **headers}, raw)


def judged(transport: Transport, *steps: dict[str, Any], **more: Any) -> CaseResult:
    return run_case(case(*steps, **more), target(transport))


EVERYTHING = {
    "status": 200,
    "headers": {"Content-Type": "application/openjobspec+json"},
    "body": {"$.job.id": "a", "$.job.state": {"$in": ["available"]}},
    "body_absent": ["$.job.error"],
    "body_contains": ['"available"'],
    "timing_ms": {"less_than": 10},
}


def slow(clock: ManualClock) -> Transport:
    def transport(_: Request) -> Response:
        clock.advance(10)
        return answering()(_)

    return transport


BROKEN: dict[str, Callable[[ManualClock], Transport]] = {
    "status": lambda _: answering(500),
    "header Content-Type": lambda _: answering(**{"Content-Type": "text/html"}),
    "body $.job.id": lambda _: answering(body={"job": {"id": "b", "state": "available"}}),
    "body $.job.error": lambda _: answering(body={"job": {**GOOD["job"], "error": {}}}),
    "body text": lambda _: answering(body={"job": {"id": "a", "state": "AVAILABLE"}}),
    "timing less_than": slow,
}


def test_a_server_that_meets_everything_passes() -> None:
    result = judged(answering(), get(**EVERYTHING))
    assert (result.verdict, result.reason) == ("passed", "")


@pytest.mark.parametrize("subject", BROKEN)
def test_a_server_broken_in_one_way_fails_there(subject: str) -> None:
    clock = ManualClock(START)
    result = run_case(case(get(**EVERYTHING)), target(BROKEN[subject](clock), clock))
    assert result.verdict == "failed"
    assert subject in [one.subject for one in result.steps[0].checks if not one.passed]


def raising(error: Exception) -> Transport:
    def transport(_: Request) -> Response:
        raise error

    return transport


@pytest.mark.parametrize(
    ("transport", "text"),
    [
        (raising(KeyError("x")), "the server raised KeyError"),
        (raising(TransportError("connection refused")), "one: connection refused"),
        (raising(RecursionError()), "RecursionError"),
    ],
)
def test_a_server_that_breaks_is_a_failed_step(transport: Transport, text: str) -> None:
    result = judged(transport, get(status=200))
    assert result.verdict == "failed"
    assert text in result.reason


def test_no_answer_fails_even_a_case_that_asserts_nothing() -> None:
    assert judged(raising(TransportError("reset")), get()).verdict == "failed"


def test_after_a_failed_step_only_the_teardown_runs() -> None:
    seen: list[str] = []

    def transport(request: Request) -> Response:
        seen.append(request.url)
        return answering(500)(request)

    steps = [get("one", status=200), get("two", status=200)]
    result = judged(transport, *steps, teardown=[{"id": "end", "action": "DELETE", "path": "/end"}])
    assert [one.outcome for one in result.steps] == ["failed", "not run", "passed"]
    assert seen == ["/ojs/v1/x", "/end"]


def test_a_failed_setup_fails_the_case_and_a_failed_teardown_does_not() -> None:
    wrong = [get("extra", status=404)]
    assert judged(answering(), get(status=200), setup=wrong).verdict == "failed"
    assert judged(answering(), get(status=200), teardown=wrong).verdict == "passed"


def test_a_case_that_asserts_nothing_is_vacuous_and_says_what_it_has_instead() -> None:
    result = judged(answering(404), {**get(), "expect": {"status": 200}})
    assert result.verdict == "vacuous"
    assert "expect" in result.reason


def test_a_case_of_another_dialect_sends_nothing() -> None:
    result = judged(raising(AssertionError("sent")), {"action": "push", "request": {}, "expect": {}})
    assert result.verdict == "vacuous"
    assert "nothing was sent" in result.steps[0].notes[0]


def test_a_case_that_cannot_pass_is_impossible_not_failed() -> None:
    result = judged(answering(), get(body={"$.job.id": {"$type": "string"}}))
    assert result.verdict == "impossible"
    assert "$type alone" in result.reason
    assert result.steps[0].outcome == "failed"


def test_a_case_thought_impossible_that_passes_says_passed() -> None:
    found = {"job": {"id": {"$type": "string"}}}
    assert judged(answering(body=found), get(body={"$.job.id": {"$type": "string"}})).verdict == "passed"


def test_a_case_that_needs_hooks_is_skipped_where_there_are_none() -> None:
    bare = VirtualTarget(answering(), ManualClock(START), lambda: None, hooks=False)
    needy = case(get(status=200), needs=["test-hooks"])
    assert run_case(needy, bare).verdict == "skipped"
    assert run_case(needy, target(answering())).verdict == "passed"
    assert run_case(case(get(status=200), needs=["a moon"]), bare).verdict == "skipped"


def test_templates_carry_values_from_step_to_step() -> None:
    urls: list[tuple[str, bytes, str]] = []

    def transport(request: Request) -> Response:
        urls.append((request.url, request.body, request.headers.get("x-id", "")))
        return answering()(request)

    reference = "{{steps.one.response.body.job.id}}"
    second = {
        "id": "two",
        "action": "POST",
        "path": f"/jobs/{reference}",
        "headers": {"X-Id": reference},
        "body": {"job_id": reference},
        "assertions": {"body": {"$.job.id": reference}},
    }
    assert judged(transport, get(), second).verdict == "passed"
    assert urls[1] == ("/jobs/a", b'{"job_id":"a"}', "a")


def test_a_template_that_leads_nowhere_is_noted() -> None:
    result = judged(
        answering(), get(), {**get("two", status=200), "path": "/x/{{steps.one.response.body.no}}"}
    )
    assert "was not filled in" in result.steps[1].notes[0]


def test_a_raw_body_is_sent_as_it_is_and_a_body_gets_the_standards_media_type() -> None:
    seen: list[Request] = []

    def transport(request: Request) -> Response:
        seen.append(request)
        return answering()(request)

    post = {"id": "one", "action": "POST", "path": "/x"}
    judged(transport, {**post, "raw_body": "{ bad"}, {**post, "body": []}, post)
    assert [request.body for request in seen] == [b"{ bad", b"[]", b""]
    assert [request.headers.get("content-type") for request in seen] == [HEADERS["Content-Type"]] * 2 + [None]


def test_waits_move_virtual_time_and_steps_carry_it() -> None:
    clock, due = ManualClock(START), []
    virtual = VirtualTarget(answering(), clock, lambda: due.append(clock.now()))
    steps = [{"action": "WAIT", "duration_ms": 60_000}, {**get(status=200), "delay_ms": 500}]
    result = run_case(case(*steps), virtual)
    assert [one.offset_ms for one in result.steps] == [60_000, 60_500]
    assert result.waited_ms == 60_500
    assert due == [START, START + 60_000, START + 60_000, START + 60_500]


def test_a_wait_stops_at_everything_that_falls_due_on_its_way() -> None:
    """Like the time of a server that is never switched off: each thing happens at its own instant."""
    clock, seen = ManualClock(START), []
    due = [START + 10, START + 20, START + 500]

    def advance() -> None:
        seen.append(clock.now() - START)
        while due and due[0] <= clock.now():
            due.pop(0)

    virtual = VirtualTarget(answering(), clock, advance, lambda: due[0] if due else None)
    virtual.wait(100)
    assert seen == [0, 10, 20, 100]
    assert due == [START + 500]


def test_parallel_steps_start_together_and_see_only_what_came_before() -> None:
    sent: list[tuple[int, str]] = []
    clock = ManualClock(START)

    def transport(request: Request) -> Response:
        sent.append((clock.now() - START, request.url))
        return answering()(request)

    steps = [
        {**get("late", status=200), "parallel": "p", "delay_ms": 200, "path": "/late"},
        {**get("a", status=200), "parallel": "p", "path": "/a"},
        {**get("b", status=200), "parallel": "p", "path": "/b/{{steps.a.response.body.job.id}}"},
        {**get("after", status=200), "path": "/after"},
    ]
    result = run_case(case(*steps), target(transport, clock))
    assert sent == [(0, "/a"), (0, "/b/{{steps.a.response.body.job.id}}"), (200, "/late"), (200, "/after")]
    assert [one.step.id for one in result.steps] == ["late", "a", "b", "after"]


def test_a_stream_is_read_as_far_as_it_sends_at_once_and_is_then_stopped() -> None:
    stopped: list[bool] = []

    def start(send: Callable[[bytes], None], _: Callable[[], None]) -> Callable[[], None]:
        send(b"data: 1\n\n")
        return lambda: stopped.append(True)

    result = judged(lambda _: Response(200, {}, EventStream(start)), get(body_contains=["data: 1"]))
    assert (result.verdict, stopped) == ("passed", [True])


def test_results_come_one_by_one_and_the_run_can_be_stopped() -> None:
    made: list[int] = []

    def make() -> VirtualTarget:
        made.append(1)
        return target(answering())

    running = run([case(get(status=200))] * 3, make)
    assert next(running).verdict == "passed"
    assert len(made) == 1
    running.close()  # type: ignore[attr-defined]
    assert len(made) == 1


def test_a_result_is_plain_json_with_requests_and_answers() -> None:
    post = {
        "id": "one",
        "action": "POST",
        "path": "/x",
        "body": {"a": 1},
        "assertions": {"status": 201, "body": {"$.no": "any"}},
    }
    told = json.loads(json.dumps(judged(answering(), post).to_dict()))
    step = told["steps"][0]
    assert (told["test_id"], told["verdict"], step["outcome"], step["offset_ms"]) == (
        "T-1",
        "failed",
        "failed",
        0,
    )
    assert step["request"]["method"] == "POST"
    assert json.loads(step["request"]["body"]) == {"a": 1}
    assert step["response"]["status"] == 200
    assert [one["passed"] for one in step["checks"]] == [False, False]
    assert (step["checks"][1]["found"], step["checks"][1]["actual"]) == (False, None)
    assert step["started_at"].startswith("2026-01-05T12:00:00")


def test_the_engine_itself_runs_in_virtual_time() -> None:
    """A job delayed by an hour is fetched after an hour that costs nothing."""
    push = {
        "id": "push",
        "action": "POST",
        "path": "/ojs/v1/jobs",
        "body": {"type": "a.b", "args": [], "options": {"scheduled_at": "+PT1H"}},
        "assertions": {"status": 201, "body": {"$.job.state": "scheduled"}},
    }
    fetch = {
        "id": "fetch",
        "action": "POST",
        "path": "/ojs/v1/workers/fetch",
        "body": {"queues": ["default"]},
    }
    early = {**fetch, "assertions": {"body": {"$.jobs": "array:empty"}}}
    late = {**fetch, "delay_ms": 3_600_000, "assertions": {"body": {"$.jobs": "array:length:1"}}}
    assert run_case(case(push, early, late), fresh_engine()).verdict == "passed"


def test_two_runs_give_the_same_bytes() -> None:
    push = {"id": "push", "action": "POST", "path": "/ojs/v1/jobs", "body": {"type": "a.b", "args": []}}
    first, second = (json.dumps(run_case(case(push), fresh_engine()).to_dict()) for _ in range(2))
    assert first == second
