"""Scenarios: what is read, what is refused and in which words, what is played, what is written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.http.message import Request
from engine.jsonschema import validate
from engine.nesting import MAX_DEPTH
from engine.schemacheck import problem
from playground.travel import scenario as scenarios
from playground.travel.command import Command, recorded
from playground.travel.digest import digest
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import MAX_TEXT, Player, ScenarioError, read, record, schema, write
from playground.travel.timeline import Moment, Origin, Timeline
from tests.conftest import ROOT, START

PUSH = {"method": "POST", "path": "/ojs/v1/jobs", "body": {"type": "email.send", "args": []}}
START_TEXT = "2026-01-01T12:00:00.000Z"


def scenario(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One with these steps."""
    return {
        "format": "ojs-playground-scenario",
        "version": 1,
        "seed": 7,
        "start": START_TEXT,
        "steps": list(steps),
        **more,
    }


def step(at: Any = 0, **what: Any) -> dict[str, Any]:
    does = {} if {"request", "worker", "jump"} & what.keys() else {"request": PUSH}
    return {"at": at, **does, **what}


def play(told: dict[str, Any]) -> Player:
    """Read it from its text, and play all of it."""
    player = Player(read(json.dumps(told)))
    player.finish()
    return player


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels - 1):
        found = [found]
    return found


def test_the_schema_is_a_schema_of_its_draft() -> None:
    assert problem(schema()) is None


@pytest.mark.parametrize(
    "path",
    sorted(set((ROOT / "spec" / "scenarios").glob("*.json")) - {ROOT / "spec" / "scenarios" / "index.json"}),
    ids=lambda path: path.stem,
)
def test_every_scenario_of_the_library_can_be_read_and_written(path: Path) -> None:
    if path.name != "schema.json":
        told = read(path.read_text())
        assert validate(schema(), told) == []
        assert read(write(told)) == told


UNREADABLE: dict[str, tuple[str, str]] = {
    "nothing": ("", "not JSON, or was cut off"),
    "a list": ("[]", "not a scenario"),
    "another format": ('{"format": "har"}', "not a scenario"),
    "no format": ("{}", "not a scenario"),
    "cut off": (json.dumps(scenario(step()))[:-5], "cut off"),
    "NaN": (json.dumps(scenario(seed=float("nan"))), "NaN is no JSON number"),
    "NaN in a body": (
        json.dumps(scenario(step(request={**PUSH, "body": [float("nan")]}))),
        "NaN is no JSON number",
    ),
    "endless": (json.dumps(scenario()).replace("7", "1e999", 1), "/seed"),
    "a number of 5,000 digits": (
        json.dumps(scenario()).replace('"seed": 7', '"seed": ' + "9" * 5000),
        "digits",
    ),
    "too large": (" " * (MAX_TEXT + 1), "limit is 8,388,608"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "deep but closed": (
        json.dumps(scenario(step(request={**PUSH, "body": deep(MAX_DEPTH + 1)}))),
        "too deeply",
    ),
    "newer": (json.dumps(scenario(version=2)), "version 2; this playground reads version 1"),
    "older": (json.dumps(scenario(version=0)), "/version"),
    "version in words": (json.dumps(scenario(version="1")), "/version"),
    "an unknown field": (json.dumps(scenario(script="alert(1)")), "script"),
    "no seed": (json.dumps({k: v for k, v in scenario().items() if k != "seed"}), "seed"),
    "a seed too large": (json.dumps(scenario(seed=2**53)), "/seed"),
    "a negative seed": (json.dumps(scenario(seed=-1)), "/seed"),
    "half a seed": (json.dumps(scenario(seed=0.5)), "/seed"),
    "nine workers": (json.dumps(scenario(workers=9)), "/workers"),
    "a start in words": (json.dumps(scenario(start="noon")), "/start"),
    "no such day": (json.dumps(scenario(start="2026-02-30T12:00:00.000Z")), "/start"),
    "before 1970": (json.dumps(scenario(start="0001-01-01T00:00:00.000Z")), "/start"),
    "the year 9999": (json.dumps(scenario(start="9999-12-31T23:59:59.000Z")), "/start"),
    "steps that are none": (json.dumps(scenario(steps={})), "/steps"),
    "a step that is none": (json.dumps(scenario(steps=[3])), "/steps/0"),
    "a step without time": (json.dumps(scenario({"jump": 1})), "/steps/0"),
    "a step before the start": (json.dumps(scenario(step(-1))), "/steps/0/at"),
    "a time in words": (json.dumps(scenario(step("soon"))), "/steps/0/at"),
    "a step before the one above": (json.dumps(scenario(step(5), step(4))), "/steps/1/at: it lies before"),
    "a step that does two things": (json.dumps(scenario(step(0, jump=1, request=PUSH))), "/steps/0"),
    "a step that does nothing": (json.dumps(scenario({"at": 0})), "/steps/0"),
    "an unknown verb": (json.dumps(scenario(step(0, worker={"do": "explode"}))), "/steps/0/worker/do"),
    "a jump back": (json.dumps(scenario(step(0, jump=-5))), "/steps/0/jump"),
    "another method": (json.dumps(scenario(step(0, request={**PUSH, "method": "TRACE"}))), "/method"),
    "another host": (json.dumps(scenario(step(0, request={**PUSH, "path": "https://x.example"}))), "/path"),
    "a header of two lines": (
        json.dumps(scenario(step(0, request={**PUSH, "headers": {"ojs-version": "1\r\nx: y"}}))),
        "/steps/0/request/headers",
    ),
    "a page elsewhere": (json.dumps(scenario(view="//x.example")), "/view"),
    "a page that is code": (json.dumps(scenario(view="javascript:alert(1)")), "/view"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_said_with_its_place(name: str) -> None:
    text, message = UNREADABLE[name]
    with pytest.raises(ScenarioError) as caught:
        read(text)
    assert message in caught.value.message
    assert len(caught.value.message) < 500


def test_a_text_cut_anywhere_is_refused() -> None:
    text = write(scenario(step(), step(9, jump=7), title="A title"))
    for length in range(len(text) - 2):
        with pytest.raises(ScenarioError):
            read(text[:length])


UNPLAYABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a reference to no step": (
        scenario(step(0, request={**PUSH, "path": "/ojs/v1/jobs/{{steps.none.response.body.job.id}}"})),
        "step 1, at 0 ms: {{steps.none",
    ),
    "a reference into nothing": (
        scenario(
            step(id="one"),
            step(3, request={**PUSH, "body": {"type": "{{steps.one.response.body.what.ever}}", "args": []}}),
        ),
        "step 2, at 3 ms",
    ),
    "an expectation of nothing": (
        scenario(
            expect=[
                {
                    "at": 5,
                    "says": "x",
                    "path": "/ojs/v1/jobs/{{steps.a.response.body.id}}",
                    "assertions": {"status": 200},
                }
            ]
        ),
        "the expectation at 5 ms",
    ),
    "no such worker": (scenario(step(0, worker={"do": "kill", "id": "demo-5"})), "no demo worker 'demo-5'"),
    "an idle worker disturbed": (
        scenario(step(0, worker={"do": "slow", "id": "demo-1"}), workers=1),
        "no job",
    ),
    "a ninth worker": (scenario(step(0, worker={"do": "start"}), workers=8), "8 demo workers"),
    "no base64": (
        scenario(step(0, request={"method": "POST", "path": "/ojs/v1/jobs", "base64": "@"})),
        "base64",
    ),
    "half a character": (
        scenario(step(0, request={"method": "POST", "path": "/ojs/v1/jobs", "text": "\ud800"})),
        "cannot be sent",
    ),
    "half a character in JSON": (scenario(step(0, request={**PUSH, "body": ["\ud800"]})), "cannot be sent"),
}


@pytest.mark.parametrize("name", UNPLAYABLE)
def test_what_cannot_be_played_is_said_with_its_step(name: str) -> None:
    told, message = UNPLAYABLE[name]
    with pytest.raises(ScenarioError) as caught:
        play(told)
    assert message in caught.value.message


def test_a_scenario_of_too_many_steps_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "MAX_STEPS", 500)
    with pytest.raises(ScenarioError, match="more than 500 steps"):
        play(scenario(workers=8, end=315_360_000_000))


def test_a_scenario_with_more_commands_than_a_journal_takes_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("playground.travel.timeline.MAX_COMMANDS", 2)
    with pytest.raises(ScenarioError, match="step 3, at 2 ms"):
        play(scenario(step(0), step(1), step(2)))


def test_whatever_is_wrong_the_session_does_not_notice() -> None:
    session = Sandbox(ManualClock(START), lambda: 7, workers=1)
    session.handle(Request("POST", "/ojs/v1/jobs", {}, b'{"type": "a.b", "args": []}'))
    session.pause()
    before = digest(session.world), session.timeline, session.timeline.end
    for text, _ in UNREADABLE.values():
        with pytest.raises(ScenarioError):
            session.open(Player(read(text)).finish(), "Another's")
    for told, _ in UNPLAYABLE.values():
        with pytest.raises(ScenarioError):
            session.open(Player(read(json.dumps(told))).finish(), "Another's")
    assert before == (digest(session.world), session.timeline, session.timeline.end)
    assert session.title == ""


# what is played


def test_whole_numbers_may_be_written_as_any_json_does() -> None:
    plain = play(scenario(step(1000), step(2000, jump=500), end=3000)).timeline
    floats = play(scenario(step(1e3), step(2.0e3, jump=500.0), end=3000.0, seed=7.0)).timeline
    assert digest(floats.world) == digest(plain.world)
    assert record(floats) == record(plain)


def test_a_step_uses_the_answer_to_an_earlier_one() -> None:
    gone = {"method": "DELETE", "path": "/ojs/v1/jobs/{{steps.one.response.body.job.id}}"}
    player = play(scenario(step(id="one"), step(5, request=gone)))
    (job,) = player.timeline.world.engine.store.jobs()
    assert job.state == "cancelled"


def test_a_literal_request_is_sent_as_it_is_written() -> None:
    words = "{{steps.one.response.body.job.id}}"
    body = {"type": "email.send", "args": [words]}
    player = play(scenario(step(request={**PUSH, "body": body, "literal": True})))
    (job,) = player.timeline.world.engine.store.jobs()
    assert job.args == [words]
    assert "literal" in record(player.timeline)["steps"][0]["request"]


def test_a_reading_step_is_no_command() -> None:
    look = {"method": "GET", "path": "/ojs/v1/jobs"}
    assert play(scenario(step(request=look))).timeline.commands == []


def test_an_expectation_that_fails_says_what_was_found() -> None:
    path = "/ojs/v1/jobs/{{steps.one.response.body.job.id}}"
    expectation = {"at": 0, "says": "It is done.", "path": path}
    fails = {**expectation, "assertions": {"body": {"$.job.state": "completed"}}}
    holds = {**expectation, "at": 9_000, "assertions": {"body": {"$.job.state": "completed"}}}
    first, second = play(scenario(step(id="one"), workers=1, expect=[holds, fails])).outcomes
    assert (first.at, second.at) == (0, 9_000)
    assert "available" in first.problem
    assert second.problem == ""


def test_at_one_instant_steps_come_before_expectations() -> None:
    expectation = {
        "at": 0,
        "says": "x",
        "path": "/ojs/v1/jobs",
        "assertions": {"body": {"$.jobs": "array:length:1"}},
    }
    player = play(scenario(step(), expect=[expectation]))
    assert "got nothing" not in player.outcomes[0].problem
    assert len(player.timeline.commands) == 1


def test_the_cursor_is_put_where_it_was() -> None:
    whole = play(scenario(step(), step(5_000), workers=1, end=9_000)).timeline
    by_time = play(scenario(step(), step(5_000), workers=1, end=9_000, cursor={"at": 5_100})).timeline
    by_step = play(
        scenario(step(), step(5_000), workers=1, end=9_000, cursor={"at": 5_000, "step": 6})
    ).timeline
    assert by_time.now == START + 5_100
    assert by_step.moment == Moment(6, START + 5_000)
    assert by_time.end == by_step.end == whole.end


def test_a_cursor_beyond_the_end_is_at_the_end() -> None:
    timeline = play(scenario(step(), cursor={"at": 10**9, "step": 10**9})).timeline
    assert timeline.moment == timeline.end


def test_a_slice_at_a_time_and_how_far_it_is() -> None:
    player = Player(read(json.dumps(scenario(workers=8, end=6_000_000))))
    slices: Iterator[None] = player.run()
    told = [player.progress for _ in slices]
    assert len(told) > 3
    assert told == sorted(told)
    assert player.progress == 1


# what is written down


AWKWARD: dict[str, Request] = {
    "no body": Request("POST", "/ojs/v1/queues/default/pause"),
    "not JSON": Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, b"{"),
    "not UTF-8": Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, b"\xff\x00"),
    "NaN": Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, b'{"args": [NaN, 1e999]}'),
    "deep": Request("POST", "/ojs/v1/jobs", {}, json.dumps(deep(MAX_DEPTH + 1)).encode()),
    "just not too deep": Request("POST", "/ojs/v1/jobs", {}, json.dumps(deep(MAX_DEPTH)).encode()),
    "half a character": Request("POST", "/ojs/v1/jobs", {}, b'{"type": "\\ud800"}'),
    "a key twice": Request("POST", "/ojs/v1/jobs", {}, b'{"type": "a", "type": "b"}'),
    "numbers": Request("POST", "/ojs/v1/jobs", {}, b'{"args": [1.0, -0.0, 1e2, 12345678901234567890]}'),
    "references": Request(
        "PUT", "/ojs/v1/x/{{steps.a.response.body.b}}", {"idempotency-key": "{{steps.a.response.body.b}}"}
    ),
    "large": Request("POST", "/ojs/v1/jobs", {}, b'{"type":"a","args":["' + b"x" * 1_100_000 + b'"]}'),
    "gzip": Request("POST", "/ojs/v1/jobs", {"content-encoding": "gzip"}, b"\x1f\x8b"),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_any_request_comes_back_to_the_byte(name: str) -> None:
    timeline = Timeline(Origin(7, START))
    command = Command(0, "request", recorded(AWKWARD[name]))
    timeline.do(command)
    played = Player(read(write(record(timeline)))).finish()
    assert played.commands == timeline.commands
    assert digest(played.world) == digest(timeline.world)


def test_another_limit_of_bodies_comes_back() -> None:
    timeline = Timeline(Origin(7, START, max_body=10))
    answer = timeline.do(
        Command(0, "request", recorded(Request("POST", "/ojs/v1/jobs", {}, b'{"type":"a"}')))
    )
    assert answer is not None
    assert answer.status == 413
    played = Player(read(write(record(timeline)))).finish()
    assert played.origin == timeline.origin
    assert digest(played.world) == digest(timeline.world)


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/" + "x" * 2001),
        Request("POST", "/ojs/v1/jobs?ü"),
        Request("POST", "/ojs/v1/jobs", {"idempotency-key": "x" * 1001}),
        Request("POST", "/ojs/v1/jobs", {"x-request-id": "a\tb"}),
    ],
    ids=["a long address", "no ASCII", "a long header", "a tab in a header"],
)
def test_what_no_scenario_can_carry_is_refused_in_virtual_time(request_: Request) -> None:
    session = Sandbox(ManualClock(START), lambda: 7)
    answer = session.handle(request_)
    assert answer.status == 400
    assert session.timeline.commands == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PURGE", ""])
def test_what_changes_nothing_is_not_written_down(method: str) -> None:
    session = Sandbox(ManualClock(START), lambda: 7)
    before = digest(session.world)
    session.handle(Request(method, "/ojs/v1/jobs"))
    assert session.timeline.commands == []
    assert digest(session.world) == before


def test_secrets_are_not_written_down() -> None:
    session = Sandbox(ManualClock(START), lambda: 7)
    session.handle(Request("POST", "/ojs/v1/jobs", {"authorization": "Bearer x", "cookie": "y"}, b"{}"))
    assert "Bearer" not in write(record(session.timeline))
