"""Runnable examples: a few requests in a row, written in a compact notation inside the spec's markdown.

    POST /jobs
    {"type": "email.send", "args": []}
    ---
    POST /workers/fetch
    {"queues": ["default"]}
    ---
    POST /workers/ack
    {"job_id": "{{1.job.id}}"}

``{{1.job.id}}`` stands for a value of the first answer. The same example runs in a fresh engine when a page
is rendered, for the recorded answers, and in the visitor's own session when it is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engine.clock import ManualClock
from engine.http.message import Request, Response
from engine.lifecycle import STATES
from playground.session import Session

START: Final = 1_767_268_800_000
"""When recorded examples begin: 2026-01-01T12:00:00Z."""
_LINE: Final = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)\Z")
_REFERENCE: Final = re.compile(r"\{\{(\d+)\.([A-Za-z0-9_.]+)\}\}")


class Step(NamedTuple):
    """One request; path and body may hold references."""

    method: str
    path: str
    body: str


class Example(NamedTuple):
    """Some requests in a row.

    Args:
        name: Its name in links, unique in its document.
        title: What it shows.
        steps: The requests.
    """

    name: str
    title: str
    steps: tuple[Step, ...]


class Exchange(NamedTuple):
    """One request that was made and its answer.

    Args:
        method: HTTP method.
        path: Path, references filled in.
        sent: The body, references filled in; empty when there is none.
        status: HTTP status, or 0 when the request could not be made.
        received: The answer's JSON, or ``{"error": {"message": …}}``.
    """

    method: str
    path: str
    sent: str
    status: int
    received: dict[str, Any]

    @property
    def job(self) -> dict[str, Any] | None:
        """The job that the answer is about, or None."""
        job = self.received.get("job")
        return job if isinstance(job, dict) else None

    @property
    def state(self) -> str | None:
        """The state that the answer tells, or None."""
        state = self.received.get("state") or (self.job or {}).get("state")
        return state if isinstance(state, str) and state in STATES else None  # a checkpoint has a state too


def parse(name: str, title: str, text: str) -> Example:
    """An example from its notation.

    Raises:
        ValueError: A request line or a body cannot be read; the message names it.
    """
    steps: list[Step] = []
    for number, part in enumerate(re.split(r"^---$", text, flags=re.MULTILINE), 1):
        line, _, body = part.strip().partition("\n")
        found = _LINE.match(line.strip())
        if not found:
            raise ValueError(f"Example '{name}', request {number}: '{line:.60}' is not METHOD /path.")
        if body.strip():
            try:
                json.loads(body)
            except ValueError as error:
                raise ValueError(
                    f"Example '{name}', request {number}: the body is not JSON: {error}."
                ) from None
        steps.append(Step(found[1], found[2], body.strip()))
    return Example(name, title, tuple(steps))


def written(example: Example) -> str:
    """An example in its notation, as `parse` reads it."""
    return "\n---\n".join(
        f"{step.method} {step.path}" + (f"\n{step.body}" if step.body else "") for step in example.steps
    )


def run(example: Example, call: Callable[[Request], Response]) -> list[Exchange]:
    """Make the example's requests, each with the values of the earlier answers; stop where one is missing."""
    done: list[Exchange] = []
    for step in example.steps:
        try:
            path, sent = (_filled(text, done) for text in (step.path, step.body))
        except LookupError as error:
            done.append(
                Exchange(step.method, step.path, step.body, 0, {"error": {"message": str(error.args[0])}})
            )
            break
        headers = {"content-type": "application/json"}
        response = call(Request(step.method, "/ojs/v1" + path, headers, sent.encode()))
        received = json.loads(response.body) if isinstance(response.body, bytes) else {}
        done.append(Exchange(step.method, path, sent, response.status, received))
    return done


def _filled(text: str, done: list[Exchange]) -> str:
    def value(found: re.Match[str]) -> str:
        number, trail = int(found[1]), found[2]
        if not 1 <= number <= len(done):
            raise LookupError(f"Request {number} has not been made.")
        here: Any = done[number - 1].received
        for key in trail.split("."):
            try:
                here = here[int(key)] if isinstance(here, list) else here[key]
            except (KeyError, IndexError, ValueError, TypeError):
                raise LookupError(
                    f"The answer to request {number} has no '{trail}', so this request was not made."
                ) from None
        return json.dumps(here)[1:-1] if isinstance(here, str) else json.dumps(here)

    return _REFERENCE.sub(value, text)


def record(example: Example) -> list[Exchange]:
    """Run an example in a fresh engine: the same exchanges every time."""
    return run(example, Session(ManualClock(START), seed=1).handle)
