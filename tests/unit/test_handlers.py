"""Handlers that visitors write: the text that runs them, tried here with a server that only notes what it is asked."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from playground.handlers import LANGUAGES, WITHOUT
from playground.headers import POLICY, SANDBOX
from playground.packages import node
from tests.conftest import ROOT, make_app
from tests.host.test_pages import get

_spec = importlib.util.spec_from_file_location("runner", ROOT / "static" / "runner.py")
assert _spec
assert _spec.loader
runner = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runner)

JOB = {"id": "j1", "type": "greet", "args": ["Ada"], "queue": "python", "attempt": 1, "worker_id": "w"}


class Server:
    """Notes requests, and answers each with a job."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.asked: list[tuple[str, str, Any]] = []

    async def __call__(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        self.asked.append((method, path, json.loads(body or "null")))
        told = {"job": {"id": "j2"}} if self.status < 400 else {"error": {"message": "No."}}
        return self.status, json.dumps(told)


def play(code: str, server: Server | None = None, limit: float = 5) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the start answers, and the first job."""

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        one = runner.Runner(server or Server())
        started = json.loads(await one.start(code))
        if not started.get("types"):
            return started, {}
        done = json.loads(await one.run(json.dumps(JOB), limit))
        await asyncio.sleep(0)
        return started, done

    with ThreadPoolExecutor(1) as thread:  # a browser's test of the same run has a loop in this one
        return thread.submit(lambda: asyncio.run(both())).result()


@pytest.mark.parametrize("word", ["def", "async def"])
def test_what_a_handler_returns_is_the_result(word: str) -> None:
    started, done = play(f"{word} handle(job):\n    return [job.args, job['type'], job.attempt]")
    assert started == {"types": ["*"]}
    assert done == {"result": [["Ada"], "greet", 1]}


def test_what_it_raises_is_the_failure_in_its_own_lines() -> None:
    _, done = play("def deep():\n    raise KeyError('x')\n\ndef handle(job):\n    deep()")
    error = done["error"]
    assert (error["code"], error["type"], error["message"]) == ("handler_error", "KeyError", "'x'")
    assert 'File "handler.py", line 5, in handle\n    deep()' in error["trace"]
    assert 'File "handler.py", line 2, in deep' in error["trace"]
    assert "runner" not in error["trace"]


def test_a_result_that_is_no_json_is_a_failure() -> None:
    assert "not JSON serializable" in play("def handle(job): return {1, 2}")[1]["error"]["message"]
    assert "error" in play("def handle(job): return float('nan')")[1]


def test_text_that_cannot_start_says_where() -> None:
    assert 'File "handler.py", line 2' in play("a = 1\ndef handle(job)\n  pass")[0]["text"]
    assert "line 1" in play("raise SystemExit(3)")[0]["text"]
    assert play("a = 1")[0] == {"types": []}


def test_a_handler_that_waits_too_long_is_ended() -> None:
    _, done = play("import asyncio\nasync def handle(job): await asyncio.sleep(60)", limit=0.12)
    assert done["error"]["code"] == "handler_timeout"
    _, done = play("async def handle(job): raise TimeoutError('mine')")
    assert done["error"]["code"] == "handler_error"


def test_it_enqueues_and_reports_progress_with_or_without_waiting() -> None:
    server = Server()
    _, done = play(
        "more = await ojs.enqueue('first', [1])\n"
        "async def handle(job):\n"
        "    await job.progress(0.5, 'half')\n"
        "    return (await ojs.enqueue('next', [job.id], queue=job.queue))['id']",
        server,
    )
    assert done == {"result": "j2"}
    assert server.asked[0] == ("POST", "/ojs/v1/jobs", {"type": "first", "args": [1]})
    assert server.asked[1][2] == {"job_id": "j1", "worker_id": "w", "progress": 0.5, "message": "half"}
    server = Server()
    play("def handle(job): job.progress(1)", server)
    assert [one[1] for one in server.asked] == ["/ojs/v1/workers/progress"]
    _, done = play("async def handle(job): await ojs.enqueue('x')", Server(429))
    assert done["error"]["message"] == "429: No."


def test_an_unknown_field_of_a_job_says_which_there_are() -> None:
    assert "it has id, type" in play("def handle(job): job.nothing")[1]["error"]["message"]


@pytest.mark.parametrize("example", LANGUAGES[1].examples, ids=lambda one: one.label)
def test_each_python_example_starts(example: Any) -> None:
    assert play(example.code.replace("while True", "while False"))[0] == {"types": ["*"]}


@pytest.mark.parametrize("example", LANGUAGES[0].examples, ids=lambda one: one.label)
def test_each_javascript_example_can_be_read(example: Any) -> None:
    node("--input-type=module", "--eval", f"async () => {{\n{example.code}\n}}")


def test_a_page_without_a_python_says_why() -> None:
    _, html = get(make_app(), "/play?do=handlers")
    assert WITHOUT[:40] in html
    assert "sandbox." in html


def test_the_pages_policy_allows_the_frame_and_the_frames_nothing_of_the_site() -> None:
    assert "frame-src 'self'" in POLICY
    assert "unsafe-eval'" not in POLICY.replace("wasm-unsafe-eval", "")
    policy = SANDBOX["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
