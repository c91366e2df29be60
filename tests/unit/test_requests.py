"""The request that makes a job, and curl."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from engine import Engine
from engine.clock import ManualClock
from playground.requests import curl, enqueue_body
from tests.conftest import START

BODIES: list[dict[str, Any]] = [
    {"type": "email.send", "args": ["user@example.com", "welcome"]},
    {"type": "a", "args": [{"deep": [1, None]}], "meta": {"trace": "x"}, "note": "kept"},
    {"type": "a", "args": [], "options": {"queue": "mail", "priority": 7, "tags": ["x"], "timeout_ms": 5000}},
    {
        "type": "a",
        "args": [],
        "options": {"retry": {"max_attempts": 9, "jitter": False, "initial_interval": "PT7S"}},
    },
    {"type": "a", "args": [], "options": {"scheduled_at": "+PT5S", "expires_at": "2026-01-01T13:00:00Z"}},
    {"type": "a", "args": [], "options": {"pending": True, "visibility_timeout_ms": 4000}},
]


@pytest.mark.parametrize("body", BODIES)
def test_the_request_made_from_a_job_makes_the_same_job_again(body: dict[str, Any]) -> None:
    def job(request: dict[str, Any]) -> dict[str, Any]:
        return Engine(ManualClock(START), seed=1).push(request).job.to_dict()

    first = Engine(ManualClock(START), seed=1).push(body).job
    assert job(enqueue_body(first)) == job(body)


def test_curl_survives_every_quote_of_a_shell() -> None:
    body = {"type": "a", "args": ['it\'s "quoted" $HOME `x` \\ \n é']}
    words = shlex.split(curl("http://localhost:8080", "POST", "/v1/jobs", body).replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", "http://localhost:8080/v1/jobs"]
    assert json.loads(words[-1]) == body
