"""Generated programs against a real server: what each enqueues arrives as composed, and each worker finishes it."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.unit import codegen_standins as standins
from tests.unit.test_codegen import HOSTILE, made, tool

ARGS: list[Any] = [*HOSTILE, 10**30, -1, 0.1, None, True, {"__proto__": {"a": [[], {}]}, "${x}": "#{x}"}]
PLAIN = ("java", "rust", "ruby", "curl")


@pytest.fixture(scope="module")
def alone() -> Iterator[Server]:
    """A server without workers of its own."""
    started = Server()
    yield started
    started.stop()


def body(queue: str) -> dict[str, Any]:
    return {"type": "email.send", "args": ARGS, "queue": queue, "tags": ["a b", "'"]}


def ask(server: Server, method: str, path: str, sent: Any = None) -> Any:
    data = None if sent is None else json.dumps(sent).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def program(language: str, text: str, folder: Path) -> list[str]:
    """The command that runs a program."""
    if language == "java":
        path = folder / "Main.java"
        path.write_text(text)
        tool("javac")
        return [tool("java"), str(path)]
    if language == "rust":
        path = folder / "main.rs"
        path.write_text(text)
        out = str(folder / "main")
        subprocess.run([tool("rustc"), "--edition", "2021", "-o", out, str(path)], check=True, timeout=60)
        return [out]
    path = folder / "main.txt"
    path.write_text(text)
    return [tool("ruby" if language == "ruby" else "sh"), str(path)]


def jobs(server: Server, queue: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(server, "GET", f"/ojs/v1/jobs?queue={queue}&limit=10")["jobs"]
    return found


@pytest.mark.parametrize("language", PLAIN)
def test_a_program_enqueues_the_job_as_it_was_composed_and_works_it_off(
    alone: Server, tmp_path: Path, language: str
) -> None:
    if language == "curl":
        tool("curl")
    queue = f"q-{language}"
    made_text = made(body(queue), language, "program", alone.url).text
    words = program(language, made_text, tmp_path)
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
    try:
        for _ in range(300):
            found = jobs(alone, queue)
            if found and found[0]["state"] == "completed":
                break
            assert process.poll() is None, (tmp_path / "said").read_text()[-2000:]
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait(10)
    assert [job["state"] for job in found] == ["completed"], (tmp_path / "said").read_text()[-2000:]
    assert found[0]["args"] == ARGS
    assert found[0]["tags"] == ["a b", "'"]
    assert found[0]["result"] == {"done": True}


def test_what_python_sends_by_its_sdk_arrives_as_it_was_composed(alone: Server) -> None:
    args = [one for one in ARGS if one != HOSTILE[2]] + [HOSTILE[2]]
    sent = standins.python(made(body("q-python") | {"args": args}, "python", "producer", alone.url).text)
    ask(alone, "POST", "/ojs/v1/jobs", sent)
    assert jobs(alone, "q-python")[0]["args"] == args


def test_what_python_sends_without_its_sdk_arrives_as_it_was_composed(alone: Server, tmp_path: Path) -> None:
    unpaired = ["\ud800 half", *ARGS]
    path = tmp_path / "main.py"
    path.write_text(made(body("q-half") | {"args": unpaired}, "python", "producer", alone.url).text)
    subprocess.run([tool("python3"), str(path)], check=True, timeout=30, stdout=subprocess.DEVNULL)
    assert jobs(alone, "q-half")[0]["args"] == unpaired


def test_what_javascript_sends_without_its_sdk_arrives_as_it_was_composed(
    alone: Server, tmp_path: Path
) -> None:
    path = tmp_path / "main.mjs"
    path.write_text(made(body("q-js"), "javascript", "producer", alone.url).text)
    subprocess.run([tool("node"), str(path)], check=True, timeout=30, stdout=subprocess.DEVNULL)
    assert jobs(alone, "q-js")[0]["args"] == ARGS
