"""Code for a job: every language's own parser takes it, and the request that it makes is the job."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.envelope import read as read_job
from engine.errors import InvalidRequest
from engine.unique_policy import parse as parse_unique
from playground.codegen import envelope
from playground.codegen.generate import generate
from playground.codegen.literals import json_text
from playground.codegen.program import PARTS, Part
from playground.codegen.sdks import languages
from tests.unit import codegen_standins as standins

NOW = 1_767_268_800_000
URL = "http://localhost:8080"
HOSTILE = (
    "quote\" back\\slash 'single' `tick` ${x} #{x} $(x) %s {0}",
    "JSON\n'''\n\"\"\"\n`\nJSON",
    "\x00\x07\x1b\x7f\x85\u2028\u2029\ufeff",
    "\u202eright to left\u202c \u2066x\u2069",
    "naïve, 日本語, 😀",
    "\\u0041 \\n \\",
    '"#"##"### r#"x"#',
    "*/ // -- <!-- </script> -->",
    "\\u000a} static { System.exit(1); } //",
    "\r\n\t",
    "",
)
RICH: dict[str, Any] = {
    "type": "email.send",
    "args": [{"to": "user@example.com", "n": 1, "nested": {"deep": [1.5, None, True, {"x": []}]}}],
    "meta": {"trace": "abc", "__proto__": {"evil": 1}},
    "options": {
        "queue": "mail",
        "priority": -5,
        "timeout_ms": 90_000,
        "delay_until": "+PT5S",
        "expires_at": "2030-02-03T04:05:06.789Z",
        "retry": {
            "max_attempts": 5,
            "initial_interval_ms": 1500,
            "backoff_coefficient": 3,
            "max_interval": "PT10M",
            "jitter": False,
            "non_retryable_errors": ["auth.*", "gone"],
        },
        "unique": {"keys": ["type", "args"], "period": "PT1H", "on_conflict": "ignore"},
        "tags": ["a", "b"],
    },
}
POSITIONAL = RICH | {
    "args": ["user@example.com", 42, -7, 2**53 + 1, 10**30, 0.1, 1e300, None, False, list(HOSTILE)]
}
JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from((*HOSTILE, "__proto__")), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = tuple(languages())


def made(body: dict[str, Any], language: str, part: Part = "producer", url: str = URL) -> Any:
    text = json.dumps(body).encode()
    return generate(envelope.read(text, NOW), languages()[language], part, url)


def job(body: dict[str, Any]) -> dict[str, Any]:
    """The job that a request makes, without its id."""
    found, _ = read_job(json.loads(json.dumps(body)), NOW, lambda _: "")
    unique = found.unique and parse_unique(found.unique, found)
    return found.to_dict() | {"unique": unique, "meta": found.meta, "schema": found.schema}


def same(sent: Any, composed: Any) -> bool:
    """Whether JSON is what was composed; a fraction may come back as the whole number that it is."""
    if isinstance(composed, list):
        return len(sent) == len(composed) and all(map(same, sent, composed))
    if isinstance(composed, dict):
        return sent.keys() == composed.keys() and all(same(sent[key], composed[key]) for key in composed)
    return bool(float(sent) == composed if isinstance(composed, float) else sent == composed)


def tool(name: str) -> str:
    """Where a language's own program is; the test is skipped by its name where there is none."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def run(
    *words: str | Path, stdin: str = "", cwd: Path | None = None, env: dict[str, str] | None = None
) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        input=stdin.encode("utf-8", "surrogatepass"),
        capture_output=True,
        check=False,
        cwd=cwd,
        env=env,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode()


# what every language is asked


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_made_in_every_language_and_shows_nothing_unseen(language: str, part: Part) -> None:
    text = made(POSITIONAL, language, part).text
    assert text.endswith("\n")
    assert all(c.isprintable() or c in "\n\t" for c in text)
    assert "email.send" in text or part == "worker"


@pytest.mark.parametrize("language", ["javascript", "go", "python"])
def test_what_an_sdk_cannot_send_is_said_in_the_code_and_beside_it(language: str) -> None:
    body = RICH | {"rate_limit": {"key": "k", "concurrency": 1}, "x\n\u2028import os": 1}
    program = made(body, language)
    said = "\n".join(program.notes)
    assert "'rate_limit'" in said
    assert all(note in program.text for note in program.notes)
    assert "\nimport os" not in program.text
    for path in envelope.read(json.dumps(body).encode(), NOW).options:
        assert path in languages()[language].options or path.split("\n")[0] in said, path


def test_a_job_that_the_server_refuses_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        made({"type": "Wrong", "args": []}, "python")


def test_options_are_read_whichever_way_they_are_spelt() -> None:
    spelt = {"type": "a", "args": [], "retry_policy": {"multiplier": 2.5, "max_interval_ms": 500_000}}
    spelt |= {"max_attempts": 7, "timeout": 2, "delay_until": "PT1S", "priority": "high", "pending": False}
    assert envelope.read(json.dumps(spelt).encode(), NOW).options == {
        "retry.backoff_coefficient": 2.5,
        "retry.max_interval": 500_000,
        "retry.max_attempts": 7,
        "timeout_ms": 2000,
        "scheduled_at": "PT1S",
        "priority": 10,
    }


@given(JSONS)
def test_json_text_is_the_same_json(value: Any) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert all(c.isprintable() or c == "\n" for c in text)


# Python


def _call(text: str) -> ast.Call:
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return next(
        call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "enqueue"
    )


@given(st.lists(JSONS, max_size=4))
@example(list(HOSTILE))
def test_python_literals_are_the_arguments(args: list[Any]) -> None:
    text = made({"type": "a.b", "args": args}, "python").text
    if "BODY = r'''" in text:
        body = next(node for node in ast.parse(text).body if ast.unparse(node).startswith("BODY ="))
        assert isinstance(body, ast.Assign)
        assert json.loads(ast.literal_eval(body.value))["args"] == args
    else:
        assert ast.literal_eval(_call(text).args[1]) == args


@pytest.mark.parametrize("body", [RICH, POSITIONAL])
def test_python_makes_the_same_job(body: dict[str, Any]) -> None:
    sent = standins.python(made(body, "python", "program").text)
    assert job(sent) == job(body)


# JavaScript


def _javascript(programs: Iterable[str], folder: Path) -> list[dict[str, Any]]:
    """The requests that these programs make, by a stand-in of the SDK's documented interface, in one process."""
    node = tool("node")
    package = folder / "node_modules" / "@openjobspec" / "sdk"
    package.mkdir(parents=True, exist_ok=True)
    (package / "package.json").write_text(
        '{"name": "@openjobspec/sdk", "type": "module", "main": "index.js"}'
    )
    (package / "index.js").write_text(standins.JAVASCRIPT)
    names = []
    for number, text in enumerate(programs):
        names.append(f"p{number}.mjs")
        (folder / names[-1]).write_text(text)
    (folder / "main.mjs").write_text(standins.JAVASCRIPT_MAIN)
    out = run(node, "main.mjs", *names, cwd=folder)
    return [json.loads(line) for line in out.split("\n") if line.startswith("{")]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("body", [RICH, POSITIONAL])
def test_node_parses_it(tmp_path: Path, part: Part, body: dict[str, Any]) -> None:
    path = tmp_path / "a.mjs"
    path.write_text(made(body, "javascript", part).text)
    run(tool("node"), "--check", path)


def test_javascript_makes_the_same_job(tmp_path: Path) -> None:
    sent = _javascript([made(body, "javascript").text for body in (RICH, POSITIONAL)], tmp_path)
    assert [job(one) for one in sent] == [job(RICH), job(POSITIONAL)]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(JSONS, max_size=4), min_size=10, max_size=25))
@example([[text, {text: text}] for text in HOSTILE])
def test_javascript_literals_are_the_arguments(tmp_path: Path, jobs: list[list[Any]]) -> None:
    bodies = [{"type": "a.b", "args": args} for args in jobs]
    sent = _javascript([made(body, "javascript").text for body in bodies], tmp_path)
    assert same([one["args"] for one in sent], jobs)


# Go


@pytest.mark.parametrize("part", PARTS)
def test_gofmt_and_vet_take_it(tmp_path: Path, part: Part) -> None:
    gofmt, go = tool("gofmt"), tool("go")
    sdk = tmp_path / "sdk"
    sdk.mkdir()
    (sdk / "go.mod").write_text("module github.com/openjobspec/ojs-go-sdk\n\ngo 1.19\n")
    (sdk / "ojs.go").write_text(standins.GO)
    env = {"HOME": str(tmp_path), "GOFLAGS": "-mod=mod", "GOPROXY": "off", "PATH": os.environ["PATH"]}
    for number, body in enumerate((RICH, POSITIONAL, {"type": "a", "args": []})):
        folder = tmp_path / f"p{number}"
        folder.mkdir()
        (folder / "main.go").write_text(made(body, "go", part).text)
        (folder / "go.mod").write_text(
            "module example\n\ngo 1.19\n\nrequire github.com/openjobspec/ojs-go-sdk v0.0.0\n\n"
            "replace github.com/openjobspec/ojs-go-sdk => ../sdk\n"
        )
        run(gofmt, "-e", folder / "main.go")
        run(go, "vet", ".", cwd=folder, env=env)
        if part == "producer" and body is not POSITIONAL:  # which goes by net/http, to a server
            assert job(json.loads(run(go, "run", ".", cwd=folder, env=env).splitlines()[0])) == job(body)


# Java, Rust, Ruby, the shell


@pytest.mark.parametrize("part", PARTS)
def test_javac_takes_it(tmp_path: Path, part: Part) -> None:
    path = tmp_path / "Main.java"
    path.write_text(made(POSITIONAL, "java", part).text)
    run(tool("javac"), "-d", tmp_path, path)


@pytest.mark.parametrize("part", PARTS)
def test_rustc_takes_it(tmp_path: Path, part: Part) -> None:
    path = tmp_path / "main.rs"
    path.write_text(made(POSITIONAL, "rust", part).text)
    run(
        tool("rustc"),
        "--edition",
        "2021",
        "-D",
        "warnings",
        "--emit",
        "metadata",
        "-o",
        tmp_path / "out",
        path,
    )


@pytest.mark.parametrize("part", PARTS)
def test_ruby_takes_it(tmp_path: Path, part: Part) -> None:
    path = tmp_path / "main.rb"
    path.write_text(made(POSITIONAL, "ruby", part).text)
    run(tool("ruby"), "-wc", path)


@pytest.mark.parametrize("part", PARTS)
def test_the_shell_takes_it(tmp_path: Path, part: Part) -> None:
    path = tmp_path / "main.sh"
    path.write_text(made(POSITIONAL, "curl", part).text)
    run(tool("sh"), "-n", path)
