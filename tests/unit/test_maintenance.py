"""Maintenance mode (OJS Admin API 12.1)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.times import format_time
from tests.unit.harness import START, Server

PATH = "/admin/system/maintenance"
OFF = {"maintenance": False, "reason": None, "enabled_at": None, "estimated_end": None}


def begin(server: Server, **more: Any) -> dict[str, Any]:
    status, body = server.call("POST", PATH, {"enabled": True, **more})
    assert status == 200
    return body


def end(server: Server) -> None:
    assert server.call("POST", PATH, {"enabled": False}) == (200, OFF)


def test_it_tells_why_since_when_and_for_how_long() -> None:
    server = Server()
    assert server.call("GET", PATH) == (200, OFF)
    told = begin(server, reason="Migration", estimated_duration="PT30M")
    assert told == {
        "maintenance": True,
        "reason": "Migration",
        "enabled_at": format_time(START),
        "estimated_end": format_time(START + 1_800_000),
    }
    assert server.call("GET", PATH)[1] == told
    server.wait(60_000)
    again = begin(server, reason="It takes longer")
    assert (again["reason"], again["enabled_at"]) == ("It takes longer", format_time(START))
    end(server)
    end(server)


def test_jobs_are_taken_and_none_is_handed_out() -> None:
    server = Server()
    before = server.push()
    begin(server)
    during = server.push(queue="other")
    assert server.take("default", "other", count=9) == []
    end(server)
    assert server.take("default", "other", count=9) == [before, during]


def test_running_jobs_may_end_and_are_still_held_to_their_times() -> None:
    server = Server()
    ends, hangs = server.push(), server.push(timeout_ms=1000)
    server.take(count=2)
    begin(server)
    server.engine.ack(ends.id)
    server.wait(1000)
    assert (ends.state, hangs.state) == ("completed", "retryable")


def test_nothing_scheduled_comes_up_until_the_end_and_then_in_its_order() -> None:
    server = Server()
    late = server.push(scheduled_at=format_time(START + 2000))
    early = server.push(scheduled_at=format_time(START + 1000))
    after = server.push(scheduled_at=format_time(START + 60_000))
    begin(server)
    server.wait(10_000)
    assert {late.state, early.state, after.state} == {"scheduled"}
    assert server.engine.next_due() == START + 60_000
    end(server)
    assert [late.enqueued_at, early.enqueued_at, after.enqueued_at] == [START + 10_000] * 2 + [None]
    assert server.take(count=9) == [early, late]
    server.wait(50_000)
    assert server.one() is after


def test_a_scheduled_job_still_expires_or_can_be_cancelled() -> None:
    server = Server()
    soon = format_time(START + 1000)
    expires = server.push(scheduled_at=soon, expires_at=format_time(START + 5000))
    cancelled = server.push(scheduled_at=soon)
    begin(server)
    server.wait(2000)
    server.engine.cancel(cancelled.id)
    server.wait(3000)
    assert expires.state == "discarded"
    end(server)
    assert (cancelled.state, server.take()) == ("cancelled", [])


def test_cron_rests_and_says_so() -> None:
    server = Server()
    server.call("POST", "/cron", {"name": "tick", "cron": "* * * * *", "type": "a.b"})
    begin(server)
    server.wait(180_000)
    assert [one["reason"] for one in server.events("cron.skipped")] == ["maintenance"] * 3
    assert server.engine.store.counts()["available"] == 0
    end(server)
    server.wait(60_000)
    assert server.engine.store.counts()["available"] == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"enabled": "yes"}, {"enabled": True, "estimated_duration": "soon"}, {"enabled": True, "reason": 1}],
)
def test_a_broken_request_changes_nothing(body: dict[str, Any]) -> None:
    server = Server()
    assert server.call("POST", PATH, body)[0] == 400
    assert server.call("GET", PATH)[1] == OFF
