"""Assertions held against an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.conformance.expect import Answer, check, exclusive_claim
from engine.conformance.target import Exchange
from engine.http.message import Request, Response

BODY = {"job": {"id": "a", "state": "available", "error": None}, "jobs": []}


def answer(status: int = 200, body: bytes | None = None, elapsed: float = 0, **headers: str) -> Answer:
    raw = json.dumps(BODY).encode() if body is None else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(Exchange(Request("GET", "/"), Response(status, named, raw), "", 0, elapsed))


def troubles(assertions: dict[str, Any], got: Answer) -> list[str]:
    return [one.subject for one in check(assertions, got) if not one.passed]


@pytest.mark.parametrize(
    ("assertions", "got"),
    [
        ({"status": 200}, answer()),
        ({"status": "number:range(400,422)"}, answer(422)),
        ({"status": "one_of:200,201,409"}, answer(409)),
        ({"status": {"$in": [200, 409]}}, answer(409)),
        ({"status_in": [200, 201]}, answer(201)),
        ({"body": {"$.job.state": "available", "$.job.error": "absent"}}, answer()),
        (
            {"body": {"$or": [{"$.jobs": "array:nonempty"}, {"$.jobs": "array:empty", "$.job.id": "a"}]}},
            answer(),
        ),
        ({"body": {"$": {"$empty": True}}}, answer(204, b"")),
        ({"body_absent": ["$.job.result", "$.job.error"]}, answer()),
        ({"body_contains": ['"state": "available"']}, answer()),
        ({"headers": {"content-TYPE": "a/b"}}, answer(Content_Type="a/b")),
        ({"timing_ms": {"less_than": 100, "greater_than": 10}}, answer(elapsed=50)),
        ({"timing_ms": {"approximate": 3000}}, answer(elapsed=1500)),
        ({"body_raw": "reserved", "status_one_of": [1]}, answer()),
    ],
)
def test_holds(assertions: dict[str, Any], got: Answer) -> None:
    assert troubles(assertions, got) == []


@pytest.mark.parametrize(
    ("assertions", "got", "subject"),
    [
        ({"status": 201}, answer(), "status"),
        ({"status": "number:range(400,422)"}, answer(423), "status"),
        ({"status": "one_of:200,201"}, answer(20), "status"),
        ({"status": {"$in": [200, 409]}}, answer(404), "status"),
        ({"status": [200, 201]}, answer(), "status"),
        ({"status": "ok"}, answer(), "status"),
        ({"status_in": [200]}, answer(201), "status"),
        ({"status_in": 200}, answer(200), "status"),
        ({"body": {"$.job.state": "active"}}, answer(), "body $.job.state"),
        ({"body": {"$.job[": "any"}}, answer(), "body $.job["),
        ({"body": {"$.job.id": "any"}}, answer(200, b"<html></html>"), "body $.job.id"),
        ({"body": {"$.job.id": "any"}}, answer(200, b"\xff\xfe{"), "body $.job.id"),
        ({"body": {"$[0]": "any"}}, answer(200, b"[" * 150 + b"]" * 150), "body $[0]"),
        ({"body": {"$[0]": "any"}}, answer(200, b"[" * 100_000), "body $[0]"),
        ({"body": ["$.job.id"]}, answer(), "body"),
        ({"body": {"$or": [{"$.jobs": "array:nonempty"}, {"$.job.id": "b"}]}}, answer(), "body $or"),
        ({"body": {"$or": []}}, answer(), "body $or"),
        ({"body_absent": ["$.job.id"]}, answer(), "body $.job.id"),
        ({"body_contains": ["Available"]}, answer(), "body text"),
        ({"headers": {"X": "1"}}, answer(), "header X"),
        ({"headers": {"X": "1"}}, answer(X="1 "), "header X"),
        ({"headers": "X"}, answer(), "headers"),
        ({"timing_ms": {"less_than": 100}}, answer(elapsed=100), "timing less_than"),
        ({"timing_ms": {"greater_than": 100}}, answer(elapsed=100), "timing greater_than"),
        ({"timing_ms": {"approximate": 100}}, answer(elapsed=201), "timing approximate"),
        ({"timing_ms": {"less_than": "100"}}, answer(), "timing less_than"),
        ({"timing_ms": 5}, answer(), "timing"),
    ],
)
def test_does_not_hold(assertions: dict[str, Any], got: Answer, subject: str) -> None:
    assert troubles(assertions, got) == [subject]


def test_every_expectation_is_checked_and_told_one_by_one() -> None:
    checks = check({"status": 201, "body": {"$.job.id": "a", "$.job.state": "x"}}, answer())
    told = [(one.subject, one.passed, one.actual) for one in checks]
    assert told == [
        ("status", False, 200),
        ("body $.job.id", True, "a"),
        ("body $.job.state", False, "available"),
    ]


def test_a_page_instead_of_json_is_told_with_its_beginning() -> None:
    trouble = check({"body": {"$.job": "any"}}, answer(200, b"<html>  <h1>Oops"))[0].trouble
    assert "not JSON" in trouble
    assert "<html> <h1>Oops" in trouble


@pytest.mark.parametrize(
    ("fetches", "exactly", "passed"),
    [
        (['[{"id":"a"}]', "[]"], True, True),
        (['[{"id":"a"}]', '[{"id":"a"}]'], True, False),
        (["[]", '[{"id":"b"}]'], True, False),
        (["{{not filled in}}", '[{"id":"a"}]'], True, True),
        (["[]", "[]"], False, True),
        ([[{"id": "a"}], []], True, True),
    ],
)
def test_exclusive_claim(fetches: list[Any], exactly: bool, passed: bool) -> None:
    expected = {"job_id": "a", "fetches": fetches, "exactly_one_has_job": exactly}
    assert exclusive_claim(expected).passed is passed


def test_a_malformed_exclusive_claim_fails() -> None:
    assert not exclusive_claim({"job_id": "a"}).passed
