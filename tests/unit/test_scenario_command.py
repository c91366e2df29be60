"""``ojs-playground scenario run``: sources, exit codes, and the hash that the page shows too."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.cli import main
from playground.travel.digest import digest
from playground.travel.link import encode
from playground.travel.scenario import Player, write
from tests.conftest import ROOT, command

FIRST = ROOT / "spec" / "scenarios" / "first-job.json"


def run(*sources: str | Path) -> int:
    """Run the command here."""
    try:
        return main(["scenario", "run", *map(str, sources)]) or 0
    except SystemExit as end:
        return int(end.code or 0)


@pytest.fixture
def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FIRST.read_text())
    return found


def state(told: dict[str, Any]) -> str:
    return digest(Player(told).finish().world)


def test_a_file_is_played_and_its_hash_printed(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FIRST) == 0
    out = capsys.readouterr().out
    assert out.startswith("A first job: 1 commands")
    assert out.count("  ok ") == len(told["expect"])
    assert out.rstrip().endswith(f"state   {state(told)}")


@pytest.mark.parametrize("before", ["", "https://playground.example/play#"])
def test_a_link_gives_the_same_hash(
    before: str, told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(before + encode(told)) == 0
    assert state(told) in capsys.readouterr().out


def test_stdin_gives_the_same_hash(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(write(told)))
    assert run("-") == 0
    assert state(told) in capsys.readouterr().out


def test_the_hash_does_not_depend_on_how_python_hashes(told: dict[str, Any]) -> None:
    """A process of its own has another hash seed."""
    done = command("scenario", "run", str(FIRST))
    assert done.returncode == 0
    assert state(told) in done.stdout


def test_a_broken_promise_is_1_and_says_what_was_found(
    told: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told["expect"][-1]["assertions"]["body"]["$.job.attempt"] = 5
    path = tmp_path / "broken.json"
    path.write_text(write(told))
    assert run(path, FIRST) == 1
    out = capsys.readouterr().out
    assert "FAILED" in out
    assert "$.job.attempt: expected 5" in out


def test_one_that_cannot_be_played_does_not_stop_the_rest(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(FIRST.with_name("index.json"), FIRST) == 2
    out, err = capsys.readouterr()
    assert state(told) in out
    assert "index.json" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": "ojs-playground-scenario", "version": 2}', "version 2"),
        ('{"format"', "cut off"),
        ("{" * 100_000, "nested too deeply"),
        ("[" * 100_000, "no link"),
        ("", "no link"),
        ("\ufeff{}", "not a scenario"),
    ],
    ids=["newer", "cut off", "braces", "brackets", "empty", "a byte order mark"],
)
def test_a_broken_file_is_2_and_one_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    assert run(path) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert "x.json" in err or "…" in err


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no-such-file.json", "no such file"),
        ("#s=1.____", "damaged"),
        ("s=1.", "cut off"),
        (".", "cannot be read"),
        ("x\0y", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ],
    ids=["missing", "damaged link", "cut link", "folder", "no name", "too long a name"],
)
def test_what_cannot_be_had_is_2_and_one_line(
    source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(source) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_step_that_cannot_be_done_is_2(
    told: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told["steps"].append({"at": 1000, "worker": {"do": "kill", "id": "demo-9"}})
    path = tmp_path / "x.json"
    path.write_text(write(told))
    assert run(path) == 2
    assert "step 2, at 1000 ms" in capsys.readouterr().err
