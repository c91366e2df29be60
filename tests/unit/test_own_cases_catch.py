"""The project's own cases notice a server that is wrong in one way: each defect below fails one of them at least."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.conformance.case import read_all
from engine.conformance.runner import run_case
from engine.conformance.target import START, VirtualTarget
from engine.core import Engine
from engine.http.binding import Binding
from engine.http.message import Request, Response
from playground.case_files import case_files, own_cases

CASES = {case.id: case for case in read_all(case_files(own_cases()))[0]}
Defect = Callable[[Request, Response, dict[str, Any]], Response | None]
"""Changes an answer or its body; a response that it returns is sent instead."""


def sound(_request: Request, _response: Response, _body: dict[str, Any]) -> None:
    """No defect."""


def ok_for_created(_request: Request, response: Response, _body: dict[str, Any]) -> Response | None:
    return Response(200, response.headers, response.body) if response.status == 201 else None


def no_location(_request: Request, response: Response, _body: dict[str, Any]) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "Location"}
    return Response(response.status, headers, response.body)


def plain_json(_request: Request, response: Response, _body: dict[str, Any]) -> Response:
    return Response(response.status, {**response.headers, "Content-Type": "application/json"}, response.body)


def no_request_id(_request: Request, response: Response, _body: dict[str, Any]) -> Response:
    return Response(response.status, {**response.headers, "X-Request-Id": ""}, response.body)


def everything_is_fine(_request: Request, response: Response, body: dict[str, Any]) -> Response | None:
    if response.status == 409:
        return Response(200, response.headers, json.dumps({**body, "state": "completed"}).encode())
    return None


def drops_unknown(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    body.get("job", {}).pop("x_origin", None)


def loses_meta(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    for job in body.get("jobs", []):
        job["meta"] = {}


def last_in_first_out(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    body.get("jobs", []).reverse()


def attempt_off_by_one(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    for job in body.get("jobs", []):
        job["attempt"] -= 1


def upper_case_ids(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    if "job" in body:
        body["job"]["id"] = body["job"]["id"].upper()


def silent_refusals(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    body.get("error", {}).pop("details", None)


def retries_at_once(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    if "retry_delay_ms" in body:
        body["retry_delay_ms"] = 0


def no_history(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    body.get("job", {}).pop("errors", None)


def no_directives(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    if "jobs_extended" in body:
        body["state"] = "running"


def no_events(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    if "events" in body:
        body["events"] = []


def events_in_wrong_order(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    body.get("events", []).reverse()


def nothing_expires(_request: Request, _response: Response, body: dict[str, Any]) -> None:
    if body.get("job", {}).get("state") == "discarded":
        body["job"]["state"] = "available"


DEFECTS: list[tuple[Defect, str]] = [
    (ok_for_created, "OWN-L0-OPS-001"),
    (no_location, "OWN-L0-OPS-001"),
    (plain_json, "OWN-L0-WF-001"),
    (no_request_id, "OWN-L0-WF-003"),
    (everything_is_fine, "OWN-L0-LC-002"),
    (everything_is_fine, "OWN-L1-CAN-002"),
    (drops_unknown, "OWN-L0-ENV-006"),
    (loses_meta, "OWN-L0-ENV-008"),
    (last_in_first_out, "OWN-L0-OPS-007"),
    (last_in_first_out, "OWN-L4-PRI-001"),
    (attempt_off_by_one, "OWN-L0-LC-005"),
    (upper_case_ids, "OWN-L0-ENV-002"),
    (silent_refusals, "OWN-L0-LC-003"),
    (retries_at_once, "OWN-L1-RET-001"),
    (no_history, "OWN-L1-RET-009"),
    (no_directives, "OWN-L1-HB-002"),
    (no_events, "OWN-L0-EVT-001"),
    (events_in_wrong_order, "OWN-L0-EVT-002"),
    (nothing_expires, "OWN-L2-TTL-001"),
]


def verdict(case_id: str, defect: Defect) -> str:
    clock = ManualClock(START)
    engine = Engine(clock)
    binding = Binding(engine, conformance=True)

    def transport(request: Request) -> Response:
        response = binding.handle(request)
        assert isinstance(response.body, bytes)
        body = json.loads(response.body)
        changed = defect(request, response, body)
        return changed or Response(response.status, response.headers, json.dumps(body).encode())

    return run_case(CASES[case_id], VirtualTarget(transport, clock, engine.advance, engine.next_due)).verdict


@pytest.mark.parametrize(("defect", "case_id"), DEFECTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_defect_is_caught(defect: Defect, case_id: str) -> None:
    assert verdict(case_id, sound) == "passed"
    assert verdict(case_id, defect) == "failed"


LOOKED_AT = frozenset({"body", "body_contains", "headers"})
"""Assertions that cannot hold on an empty object without headers."""


def with_one_empty_answer(case_id: str, number: int) -> str:
    """How a case ends when one of its requests, by number, is answered with an empty object and no header."""
    clock = ManualClock(START)
    engine = Engine(clock)
    binding = Binding(engine, conformance=True)
    numbers = count()

    def transport(request: Request) -> Response:
        response = binding.handle(request)
        return Response(response.status, {}, b"{}") if next(numbers) == number else response

    return run_case(CASES[case_id], VirtualTarget(transport, clock, engine.advance, engine.next_due)).verdict


@pytest.mark.parametrize("case_id", CASES)
def test_a_case_looks_at_every_answer_that_it_says_it_looks_at(case_id: str) -> None:
    requests = [step for step in CASES[case_id].steps if step.is_request]
    for number, step in enumerate(requests):
        looks = (step.assertions or {}).keys() & LOOKED_AT
        if looks:
            assert with_one_empty_answer(case_id, number) != "passed", step.id
