"""Runnable examples: their notation, references and what happens when one cannot go on."""

from __future__ import annotations

import pytest

from playground import examples

TEXT = """POST /jobs
{"type": "a", "args": [], "options": {"queue": "q"}}
---
POST /workers/fetch
{"queues": ["q"]}
---
POST /workers/ack
{"job_id": "{{2.job.id}}"}
"""


def test_an_example_runs_with_the_values_of_earlier_answers() -> None:
    exchanges = examples.record(examples.parse("x", "X", TEXT))
    assert [exchange.status for exchange in exchanges] == [201, 200, 200]
    assert [exchange.state for exchange in exchanges] == ["available", "active", "completed"]
    assert exchanges[2].sent == f'{{"job_id": "{exchanges[0].received["id"]}"}}'


def test_a_recording_is_the_same_every_time() -> None:
    example = examples.parse("x", "X", TEXT)
    assert examples.record(example) == examples.record(example)


def test_a_reference_that_leads_nowhere_stops_the_example_and_says_so() -> None:
    fetch, ack = 'POST /workers/fetch\n{"queues": ["empty"]}', 'POST /workers/ack\n{"job_id": "{{1.job.id}}"}'
    text = f"{fetch}\n---\n{ack}\n---\nGET /health"
    exchanges = examples.record(examples.parse("x", "X", text))
    assert [exchange.status for exchange in exchanges] == [200, 0]
    assert "has no 'job.id'" in exchanges[1].received["error"]["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FETCH /jobs", "request 1: 'FETCH /jobs' is not METHOD /path"),
        ("GET jobs", "is not METHOD /path"),
        ("POST /jobs\n{nonsense", "request 1: the body is not JSON"),
        ("GET /health\n---\n", "request 2"),
    ],
)
def test_a_broken_notation_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("/", "/")):
        examples.parse("x", "X", text)


@pytest.mark.parametrize(
    ("received", "state"),
    [
        ({"state": "active"}, "active"),
        ({"job": {"state": "completed"}}, "completed"),
        ({"state": "quiet"}, None),
        ({"state": {"processed": 5}}, None),
        ({"state": ["active"]}, None),
        ({}, None),
    ],
)
def test_only_a_jobs_state_is_told_as_one(received: dict[str, object], state: str | None) -> None:
    """The state of a worker and what a checkpoint has saved are called so too."""
    assert examples.Exchange("GET", "/x", "", 200, received).state == state
