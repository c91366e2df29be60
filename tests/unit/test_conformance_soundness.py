"""What is told of a case without running it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.conformance.case import Case, read
from engine.conformance.known import known_defect
from engine.conformance.soundness import asserts_nothing, defect

PUSH = {"id": "one", "action": "POST", "path": "/ojs/v1/jobs", "body": {"type": "a", "args": []}}
REFERENCE = "{{steps.one.response.body.job.id}}"


def case(*steps: dict[str, Any], test_id: str = "T-1") -> Case:
    return read(json.dumps({"test_id": test_id, "level": 0, "steps": steps}).encode(), "f.json")


def expecting(
    body: Any = None, status: Any = 200, path: str = "/ojs/v1/health", **more: Any
) -> dict[str, Any]:
    assertions = {"status": status, **({} if body is None else {"body": body}), **more}
    return {"id": "two", "action": "GET", "path": path, "assertions": assertions}


VACUOUS: list[dict[str, Any]] = [
    PUSH,
    {**PUSH, "expect": {"status": 201}},
    {**PUSH, "assertions": {}},
    {**PUSH, "assertions": {"status_one_of": [201], "body_comment": "…", "body_raw": "x"}},
    {**PUSH, "assertions": {"body": {}, "status": None, "status_in": []}},
    {"action": "WAIT", "duration_ms": 5, "assertions": {"status": 200}},
    {"action": "push", "request": {}, "expect": {"status": 201}},
    {"action": "ASSERT", "assertions": {"status": 200}},
]


@pytest.mark.parametrize("step", VACUOUS)
def test_asserts_nothing(step: dict[str, Any]) -> None:
    assert asserts_nothing(case(step))


@pytest.mark.parametrize(
    "assertions",
    [
        {"status": 200},
        {"status_in": [200]},
        {"body": {"$": "any"}},
        {"body_absent": ["$.x"]},
        {"body_contains": ["x"]},
        {"headers": {"a": "b"}},
        {"timing_ms": {"less_than": 5}},
    ],
)
def test_asserts_something(assertions: dict[str, Any]) -> None:
    assert not asserts_nothing(case({**PUSH, "assertions": assertions}))


def test_a_cross_step_assertion_is_something() -> None:
    assert not asserts_nothing(case({"action": "ASSERT", "assertions": {"exclusive_claim": {}}}))


UNSOUND: list[tuple[list[dict[str, Any]], str]] = [
    ([expecting(path="/ojs/v1/jobs/{{job_id}}")], "{{job_id}} in its request"),
    ([expecting(path="/ojs/v1/jobs/${job_id}")], "${job_id} in its request"),
    ([expecting(path=f"/ojs/v1/jobs/{REFERENCE}")], "never filled in"),
    (
        [expecting(), {**PUSH, "body": {"id": "$ref.job"}, "assertions": {"status": {"$in": [200, 201]}}}],
        "$ref.job",
    ),
    ([PUSH, expecting({"$.id": "{{job_id}}"})], "{{job_id}} is never filled in"),
    ([PUSH, expecting({"$.jobs[?(@.id=='{{job_id}}')]": "exists"})], "in the path"),
    ([expecting({"$.n": {"$type": "number"}})], "$type alone"),
    ([expecting({"$.n": {"$gte": 1}})], "$gte alone"),
    ([expecting({"$.a": {"b": {"$type": "number"}}})], "$type alone"),
    ([expecting({"$.a": [{"$type": "number"}]})], "$type alone"),
    ([expecting({"$.a": {"$or": [{"$type": "number"}, "string:odd"]}})], "$type alone"),
    ([expecting({"$.a": {"$in": []}})], "array of alternatives"),
    ([expecting({"$.a": "string:odd"})], "no matcher"),
    ([expecting({"$.a": "number:range(1)"})], "no matcher"),
    ([expecting({"$.a": "array:length:x"})], "no matcher"),
    ([expecting({"$.a": "string:pattern(()"})], "broken"),
    ([expecting({"$.a": {"$match": "["}})], "broken"),
    ([expecting({"$.a": {"$exists": False, "$match": "a"}})], "that there is none"),
    ([expecting({'$.meta["a.b"]': "any"})], "leads nowhere"),
    ([expecting({"$or": [{"$.a": "string:odd"}, {"$.b": {"$type": "x"}}]})], "no matcher"),
    ([expecting({"$or": []})], "no alternatives"),
    ([expecting(status=[200, 201])], "no status matcher"),
    ([expecting(status="2xx")], "no status matcher"),
    ([expecting(status=200, status_in=[201, 202])], "cannot be 200"),
    ([expecting({"$.a": "any"}, body_absent=["$.a"])], "cannot be absent"),
    ([expecting(timing_ms={"greater_than": 100, "less_than": 100})], "no time"),
    ([{"id": "x", "action": "push", "assertions": {"status": 201}}], "no action"),
    ([{**PUSH, "body": {"meta": {"a.b": 1}}}, expecting({"$.job.meta.a.b": 1})], "contains dots"),
]


@pytest.mark.parametrize(("steps", "reason"), UNSOUND)
def test_cannot_pass(steps: list[dict[str, Any]], reason: str) -> None:
    assert reason in defect(case(*steps))


SOUND: list[list[dict[str, Any]]] = [
    [{**PUSH, "body": {"type": "a", "args": ["Dear {{name}}, ${sum}"]}, "assertions": {"status": 201}}],
    [
        PUSH,
        expecting(
            {"$.job.id": REFERENCE, f"$.jobs[?(@.id=='{REFERENCE}')]": "exists"}, path=f"/x/{REFERENCE}"
        ),
    ],
    [expecting(status=404, path="/ojs/v1/jobs/{{job_id}}")],
    [expecting(status={"$in": [200, 404]}, path="/ojs/v1/jobs/{{job_id}}")],
    [{**PUSH, "assertions": {"body_contains": ["x"]}, "path": "/ojs/v1/jobs/${x}"}],
    [expecting({'$.meta["a.b"]': {"$exists": False}, "$.x[?(@.id=='${y}')]": "absent"})],
    [expecting({"$.a": {"$exists": True, "$type": "string"}, "$.b": {"$or": ["string:odd", "any"]}})],
    [expecting({"$.a": "urn:ojs:x", "$.b": "string", "$.c": "{}", "$.d": "text: more"})],
    [expecting({"$.a": "absent"}, body_absent=["$.a"])],
    [{**PUSH, "body": {"meta": {"a.b": 1, "a": {"b": 2}}}}, expecting({"$.job.meta.a.b": 2})],
    [
        {**PUSH, "body": {"meta": {"a.b": 1}}},
        expecting({"$.job.meta.a.b": "absent", "$.job.meta.a": "absent"}),
    ],
    [expecting(status="one_of:200,201"), expecting(status="number:range(200,299)", status_in=None)],
]


@pytest.mark.parametrize("steps", SOUND)
def test_nothing_speaks_against(steps: list[dict[str, Any]]) -> None:
    assert defect(case(*steps)) == ""


@pytest.mark.parametrize(
    "test_id", ["L1-RTR-014", "EXT-ENC-003", "EXT-ENC-010", "EXT-DLQ-003", "L4-ATT-009", "L1-WASI-001"]
)
def test_known_defects_are_kept_as_data(test_id: str) -> None:
    assert defect(case(expecting(), test_id=test_id)) == known_defect(test_id) != ""


@pytest.mark.parametrize("test_id", ["EXT-ENC-005", "EXT-ADM-003", "L4-AGT-001", "L1-RTR-013"])
def test_neighbours_of_known_defects_are_not_accused(test_id: str) -> None:
    assert known_defect(test_id) == ""
