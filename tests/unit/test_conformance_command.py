"""The command: options, exit codes, reports, case files from folders and archives."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from playground.case_files import case_files
from playground.conformance import add_arguments, main

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"id": "s", "action": "GET", "path": "/ojs/v1/health", "assertions": {"status": 200}}
BAD = {**GOOD, "assertions": {"status": 418}}


def case(test_id: str, *steps: object, level: object = 0) -> str:
    return json.dumps({"test_id": test_id, "level": level, "name": "n", "steps": steps})


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    for name, text in {
        "suites/level-0/a.json": case("A", GOOD),
        "suites/level-1/sub/b.json": case("B", GOOD, level=1),
        "suites/ext/x.json": case("X", GOOD, level="ext"),
        "suites/manifest.json": '{"version": "1.0.0"}',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "suites"


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return main(parser.parse_args([str(word) for word in words]))


def test_all_passed_is_0(suites: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--suites", suites) == 0
    assert "3 cases against this engine in virtual time: 3 passed" in capsys.readouterr().out


def test_a_failed_case_is_1(suites: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suites / "level-0" / "z.json").write_text(case("Z", BAD))
    assert run("--suites", suites) == 1
    assert "FAILED Z" in capsys.readouterr().out


def test_impossible_vacuous_and_skipped_cases_do_not_fail(suites: Path) -> None:
    (suites / "i.json").write_text(case("I", {**GOOD, "assertions": {"status": [418]}}))
    (suites / "v.json").write_text(case("V", {**GOOD, "assertions": {}}))
    assert run("--suites", suites) == 0


def test_a_malformed_file_is_reported_and_does_not_stop_the_run(
    suites: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (suites / "level-0" / "bad.json").write_text("{")
    assert run("--suites", suites) == 1
    out = capsys.readouterr().out
    assert "level-0/bad.json, line 1, column 2: is not JSON" in out
    assert "3 passed" in out


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--level", "1"], ["A", "B"]),
        (["--suite", "sub"], ["B"]),
        (["--case", "[ax]"], ["A", "X"]),
        (["--case", "a", "--case", "b", "--level", "0"], ["A"]),
    ],
)
def test_filters(suites: Path, words: list[str], ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--suites", suites, "--format", "json", *words) == 0
    assert [one["test_id"] for one in json.loads(capsys.readouterr().out)["cases"]] == ids


@pytest.mark.parametrize(
    ("form", "start"), [("text", "suite"), ("json", "{"), ("junit", "<?xml"), ("badge", "<svg")]
)
def test_each_format_goes_to_a_file(suites: Path, tmp_path: Path, form: str, start: str) -> None:
    output = tmp_path / "report"
    assert run("--suites", suites, "--format", form, "--output", output) == 0
    assert output.read_text().startswith(start)


def test_an_archive_is_read_like_a_folder(suites: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in suites.rglob("*.json"):
            file.write(path, "project-1.0/suites/" + path.relative_to(suites).as_posix())
        file.writestr("__MACOSX/suites/._a.json", "junk")
    assert list(case_files(archive)) == list(case_files(suites))
    assert run("--suites", archive) == 0


def test_a_damaged_archive_is_bad_usage(
    suites: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(suites / "level-0" / "a.json", "suites/a.json")
    data = bytearray(archive.read_bytes())
    data[60:70] = b"\xff" * 10
    archive.write_bytes(data)
    assert run("--suites", archive) == 2
    assert "give a folder or a zip" in capsys.readouterr().err


def test_a_malformed_file_outside_the_chosen_folder_does_not_count(suites: Path) -> None:
    (suites / "ext" / "bad.json").write_text("{")
    assert run("--suites", suites, "--suite", "level-0") == 0
    assert run("--suites", suites, "--suite", "ext") == 1


def test_one_file_can_be_run(suites: Path) -> None:
    assert run("--suites", suites / "level-0" / "a.json") == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--suites", "/no/such/folder"], "give a folder or a zip"),
        (["--suites", __file__], "give a folder or a zip"),
        (["--suites", str(Path(__file__).parent)], "no case files"),
        (["--case", "nothing-*"], "no case fits"),
        (["--format", "badge", "--case", "A"], "leave out --suite and --case"),
        (["--url", "ftp://x"], "give its address like http://localhost:8080"),
        (["--url", "http://x", "--timeout", "0"], "--timeout must be"),
        (["--url", "http://x", "--max-wait", "inf"], "--max-wait must be"),
        (["--url", "http://x", "--header", "no colon"], "'Name: value'"),
        (["--output", "/no/such/folder/file"], "name a file that can be written"),
    ],
)
def test_bad_usage_is_2_with_one_line_that_says_what_to_do(
    suites: Path, words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = words if "--suites" in words else ["--suites", str(suites), *words]
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


def test_a_server_that_is_not_there_fails_every_case_and_crashes_nothing(
    suites: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--suites", suites, "--url", "http://127.0.0.1:1", "--timeout", "1") == 1
    assert "refused the connection" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"), [(["--level", "0", "--case", "OWN-L0-WF-00[1-4]"], 0), (["--level", "9"], 2)]
)
def test_runs_as_a_module_with_the_projects_own_cases(words: list[str], code: int) -> None:
    command = [sys.executable, "-m", "playground.conformance", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == code, done.stderr
    if code == 2:
        assert done.stderr.count("\n") == 1


def test_what_no_encoding_can_carry_is_escaped(
    suites: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a surrogate pair is legal in JSON text and impossible in UTF-8."""
    odd = {**GOOD, "assertions": {"body": {"$.status": "\ud800"}}}
    (suites / "odd.json").write_text(case("ODD", odd))
    assert run("--suites", suites) == 1
    assert "\\ud800" in capsys.readouterr().out
    assert run("--suites", suites, "--format", "json", "--output", tmp_path / "r.json") == 1
    assert "\\ud800" in (tmp_path / "r.json").read_text()
