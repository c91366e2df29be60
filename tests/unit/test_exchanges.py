"""The log of exchanges: bounded, quiet ones apart, and in virtual time true to the cursor."""

from __future__ import annotations

import json

import pytest

from engine.clock import ManualClock
from engine.http.message import Request, Response
from playground.exchanges import MAX_BYTES, MOST, ExchangeLog
from playground.session import Session
from playground.travel.sandbox import Sandbox
from tests.conftest import START

EMPTY = Response(200, {}, b'{"job":null,"jobs":[]}')


def post(path: str, **body: object) -> Request:
    return Request("POST", f"/ojs/v1{path}", {"content-type": "application/json"}, json.dumps(body).encode())


def sandbox() -> Sandbox:
    made = Sandbox(ManualClock(START), lambda: 7, workers=1)
    made.pause()
    return made


def told(session: Session) -> list[str]:
    return [f"{one.request.method} {one.request.url}" for one in session.exchanges.last(50)]


def test_only_the_latest_are_kept_and_quiet_ones_push_out_no_other() -> None:
    log = ExchangeLog()
    for index in range(MOST + 10):
        log.hear(index, post("/jobs"), Response(201))
        log.hear(index, post("/workers/fetch"), EMPTY)
    assert [len(log.last(1000, quiet=quiet)) for quiet in (False, True)] == [MOST, MOST]
    assert log.find(1) is None
    assert log.find(2 * (MOST + 10)) is not None


def test_their_bytes_are_bounded_too() -> None:
    log = ExchangeLog()
    for index in range(20):
        log.hear(index, Request("POST", "/ojs/v1/jobs", {}, b"x" * (1 << 20)), Response(413))
    assert sum(one.size for one in log.last(1000)) <= MAX_BYTES


@pytest.mark.parametrize(
    ("request_", "response", "quiet"),
    [
        (post("/workers/heartbeat"), Response(200, {}, b"{}"), True),
        (post("/workers/heartbeat"), Response(404, {}, b"{}"), False),
        (post("/workers/fetch"), EMPTY, True),
        (post("/workers/fetch"), Response(200, {}, b'{"jobs":[{"id":"1"}]}'), False),
        (Request("GET", "/ojs/v1/jobs"), Response(200, {}, b'{"jobs":[]}'), False),
    ],
)
def test_a_heartbeat_and_an_empty_fetch_are_quiet(request_: Request, response: Response, quiet: bool) -> None:
    log = ExchangeLog()
    log.hear(START, request_, response)
    assert len(log.last(1, quiet=quiet)) == 1


def test_a_session_in_real_time_hears_everyone_and_forgets_with_its_jobs() -> None:
    session = Session(ManualClock(START), seed=7, workers=1)
    session.handle(post("/jobs", type="email.send", args=[]))
    session.tick()
    assert "POST /ojs/v1/workers/fetch" in told(session)
    session.reset()
    assert [one for one in told(session) if "fetch" not in one] == []


def test_what_lies_ahead_of_the_cursor_is_known_but_not_said_twice() -> None:
    session = sandbox()
    session.handle(post("/jobs", type="email.send", args=[]))
    session.add(60_000)
    whole = told(session)
    assert "POST /ojs/v1/workers/ack" in whole
    session.go_to(START)
    assert told(session) == whole
    assert all(session.to_come(one) for one in session.exchanges.last(50) if one.request.url.endswith("/ack"))
    session.go_to_end()
    assert told(session) == whole
    assert not any(session.to_come(one) for one in session.exchanges.last(50))


def test_acting_in_the_past_leaves_the_old_future_on_its_own_branch() -> None:
    session = sandbox()
    session.handle(post("/jobs", type="email.send", args=[]))
    session.add(60_000)
    whole = told(session)
    session.undo()
    session.handle(post("/jobs", type="report.build", args=[]))
    assert told(session) == ["POST /ojs/v1/jobs"]
    session.switch(1)
    assert told(session) == whole


def test_a_reading_is_heard_once_although_no_replay_repeats_it() -> None:
    session = sandbox()
    session.handle(Request("GET", "/ojs/v1/jobs"))
    session.handle(post("/jobs", type="email.send", args=[]))
    session.go_to(START)
    session.go_to_end()
    assert told(session).count("GET /ojs/v1/jobs") == 1
