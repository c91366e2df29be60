"""How many requests the server takes, and what every reply tells of it (OJS Rate Limiting 10.4)."""

from __future__ import annotations

import pytest

from engine.http.quota import Quota
from tests.unit.harness import START, Server

SECOND = 1000


@pytest.mark.parametrize("url", ["/health", "/jobs", "/nowhere", "/metrics", "/dead-letter"])
def test_every_reply_tells_what_is_left(url: str) -> None:
    reply, _ = Server().http("GET", url)
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= reply.headers.keys()


def test_a_spent_window_is_429_and_changes_nothing_until_it_is_over() -> None:
    server = Server()
    server.binding.quota = Quota(limit=3, window=10 * SECOND)
    job = {"type": "a", "args": []}
    left = [server.http("POST", "/jobs", job)[0].headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    server.wait(2_500)
    reply, body = server.http("POST", "/jobs", job)
    assert (reply.status, body["error"]["code"], body["error"]["retryable"]) == (429, "rate_limited", True)
    assert reply.headers["Retry-After"] == "8"
    assert int(reply.headers["X-RateLimit-Reset"]) == START // SECOND + 10
    assert server.engine.store.counts()["available"] == 3
    server.wait(7_500)
    assert server.http("POST", "/jobs", job)[0].status == 201


def test_a_clock_set_back_begins_a_new_window() -> None:
    server = Server()
    server.binding.quota = Quota(limit=1)
    assert server.http("GET", "/health")[0].status == 200
    server.clock.advance(-1)
    assert server.http("GET", "/health")[0].status == 200


def test_a_jobs_own_limit_is_told_in_place_of_the_servers() -> None:
    body = {"type": "a", "args": [], "options": {"rate_limit": {"max_per_second": 7}}}
    assert Server().http("POST", "/jobs", body)[0].headers["X-RateLimit-Limit"] == "7"
