"""What an enqueue request may say, and what is refused, by field and clause (OJS Core 5)."""

from __future__ import annotations

from typing import Any

import pytest

from engine import envelope
from engine.errors import InvalidPayload, InvalidRequest, OJSError, Unsupported
from tests.unit.harness import START, Server

ID = "019539a4-aaaa-7000-8000-111111111111"


def read(**fields: Any) -> Any:
    return envelope.read({"type": "email.send", "args": [], **fields}, START, lambda _: ID)[0]


def test_a_job_needs_no_more_than_type_and_args() -> None:
    job = read()
    assert (job.queue, job.priority, job.attempt, job.retry.max_attempts) == ("default", 0, 0, 3)


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object_is_an_invalid_payload(body: Any) -> None:
    with pytest.raises(InvalidPayload):
        envelope.read(body, START, lambda _: ID)


@pytest.mark.parametrize("kind", ["a", "email.send", "data.etl.transform", "a1.b_c-d"])
def test_types_are_dotted_lower_case_segments(kind: str) -> None:
    assert read(type=kind).type == kind


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", ""),
        ("type", "Email.send"),
        ("type", "email..send"),
        ("type", "1email"),
        ("type", "email send"),
        ("type", "a" * 256),
        ("type", "e\u0301mail"),
        ("type", 5),
        ("queue", ""),
        ("queue", "Upper"),
        ("queue", "-x"),
        ("queue", "a_b"),
        ("queue", "a" * 129),
        ("args", {}),
        ("args", None),
        ("id", ""),
        ("id", ID.upper()),
        ("id", "019539a4-aaaa-4000-8000-111111111111"),
        ("id", 7),
        ("priority", 101),
        ("priority", -101),
        ("priority", 1.5),
        ("priority", True),
        ("priority", "urgent"),
        ("meta", []),
        ("tags", "x"),
        ("tags", [1]),
        ("timeout", -1),
        ("timeout", "30"),
        ("scheduled_at", "2026-03-01T09:00:00"),
        ("scheduled_at", 12345),
        ("expires_at", "soon"),
        ("schema", "not a uri"),
        ("pending", "yes"),
        ("options", []),
        ("unique", "yes"),
        ("rate_limit", 5),
        ("visibility_timeout", -1),
    ],
)
def test_a_broken_rule_is_refused_with_the_field_and_the_clause(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read(**{field: value})
    assert 400 <= refusal.value.status < 500
    assert refusal.value.details["field"].split(".")[-1].removesuffix("_ms") == field
    assert "(OJS " in refusal.value.message


def test_a_missing_type_is_exactly_400() -> None:
    status, body = Server().call("POST", "/jobs", {"args": []})
    assert (status, body["error"]["details"]["field"]) == (400, "type")


@pytest.mark.parametrize("version", ["2.0", "0.9", 1])
def test_another_specversion_is_unsupported(version: Any) -> None:
    with pytest.raises(Unsupported):
        read(specversion=version)


@pytest.mark.parametrize(
    ("spoken", "number"), [("high", 10), ("HIGH", 10), ("normal", 0), ("low", -10), (100, 100), (5.0, 5)]
)
def test_priorities_are_numbers_or_one_of_three_names(spoken: Any, number: int) -> None:
    assert read(priority=spoken).priority == number
    assert read(options={"priority": spoken}).priority == number


def test_options_go_before_the_top_level() -> None:
    assert read(queue="a", options={"queue": "b"}).queue == "b"


def test_what_only_the_server_sets_is_ignored() -> None:
    job = read(state="completed", attempt=7, created_at="2020-01-01T00:00:00Z", result={"x": 1}, error={})
    assert (job.state, job.attempt, job.has_result, job.error) == ("", 0, False, None)


def test_unknown_fields_come_back_as_they_were() -> None:
    body = read(x_custom={"deep": [1, None]}, another=True).to_dict()
    assert body["x_custom"] == {"deep": [1, None]}
    assert body["another"] is True


@pytest.mark.parametrize(
    ("fields", "ms"),
    [({"timeout": 30}, 30_000), ({"timeout_ms": 1500}, 1500), ({"timeout": 0}, None), ({}, None)],
)
def test_timeouts_are_seconds_or_milliseconds_and_zero_means_the_default(fields: Any, ms: int | None) -> None:
    assert read(**fields).timeout == ms
    assert read(options=fields).timeout == ms


def test_max_attempts_may_stand_beside_the_policy() -> None:
    assert read(options={"max_attempts": 7}).max_attempts == 7
    assert read(options={"max_attempts": 7, "retry": {"max_attempts": 2}}).max_attempts == 2


@pytest.mark.parametrize("text", ["2027-01-01T00:00:00+01:00", "2027-01-01T00:00:00.123456Z"])
def test_expires_at_is_sent_back_as_it_came(text: str) -> None:
    assert read(expires_at=text).to_dict()["expires_at"] == text


def test_any_json_argument_goes_through_unchanged() -> None:
    args = [None, True, 1, 1.5, "ü\u0000\ud800", [], {"a": {"b": [10**30]}}]
    assert read(args=args).to_dict()["args"] == args


@pytest.mark.parametrize("size", [10, 100_000])
def test_an_error_shows_a_value_clipped(size: int) -> None:
    with pytest.raises(OJSError) as refusal:
        read(type="A" * size)
    assert len(refusal.value.message) < 400
