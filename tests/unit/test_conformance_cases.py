"""Reading case files, and choosing among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.conformance.case import CaseFileError, is_case, read, read_all
from engine.conformance.selection import Selection

STEP: dict[str, Any] = {"id": "one", "action": "GET", "path": "/ojs/v1/health"}


def file(**fields: Any) -> bytes:
    return json.dumps({"test_id": "T-1", "level": 0, "steps": [STEP], **fields}).encode()


def test_reads_every_field() -> None:
    steps = [{**STEP, "delay_ms": 5, "headers": {"A": "b"}, "assertions": {"status": 200}, "capture": {}}]
    case = read(
        file(name="n", spec_ref="core#1", tags=["a"], requirements=["L0-ENV-001"], steps=steps), "f.json", "s"
    )
    step = case.steps[0]
    assert (case.id, case.level, case.suite, case.file, case.name) == ("T-1", 0, "s", "f.json", "n")
    assert (case.tags, case.requirements, case.spec_ref) == (("a",), ("L0-ENV-001",), "core#1")
    assert (step.id, step.action, step.wait_ms, step.headers) == ("one", "GET", 5, {"A": "b"})
    assert step.ignored == ("capture",)


def test_setup_and_teardown_surround_the_steps_in_either_form() -> None:
    case = read(file(setup={"steps": [STEP]}, teardown=[STEP]), "f.json")
    assert [step.phase for step in case.steps] == ["setup", "steps", "teardown"]
    assert [step.phase for step in read(file(setup=STEP), "f.json").steps] == ["setup", "steps"]


def test_setup_that_describes_handlers_holds_no_steps() -> None:
    assert len(read(file(setup={"handler": "test.echo"}), "f.json").steps) == 1


@pytest.mark.parametrize(
    ("fields", "wait"),
    [({"duration_ms": 30}, 30), ({"delay_ms": 20}, 20), ({"delay_ms": 20, "duration_ms": 30}, 30), ({}, 0)],
)
def test_a_wait_takes_its_duration_else_its_delay(fields: dict[str, int], wait: int) -> None:
    assert read(file(steps=[{"action": "WAIT", **fields}]), "f.json").steps[0].wait_ms == wait


def test_a_step_without_id_is_called_by_its_place() -> None:
    assert read(file(steps=[{"action": "WAIT"}]), "f.json").steps[0].id == "steps[0]"


@pytest.mark.parametrize("level", ["ext", None])
def test_a_case_without_level_is_an_extension(level: str | None) -> None:
    fields = {} if level is None else {"level": level}
    data = {"test_id": "T", "steps": [], **fields}
    assert read(json.dumps(data).encode(), "f.json").level == "ext"


MALFORMED: list[tuple[bytes, str, str]] = [
    (b'{"test_id": "T",', "line 1, column 17", "not JSON"),
    (b"\xff\xfe", "byte 0", "not UTF-8"),
    (b"[" * 100_000, "", "nested more than 100"),
    (b'{"a":' + b"[" * 150 + b"]" * 150 + b"}", "", "nested more than 100"),
    (b"[1]", "", "JSON object"),
    (file(test_id=""), "test_id", "required"),
    (file(test_id=7), "test_id", "string"),
    (file(level=5), "level", "0 to 4"),
    (file(level=""), "level", "0 to 4"),
    (file(level=1.5), "level", "0 to 4"),
    (file(level=[]), "level", "0 to 4"),
    (file(level=True), "level", "0 to 4"),
    (file(steps={}), "steps", "array"),
    (file(steps=None), "steps", "array"),
    (file(steps=[1]), "steps[0]", "object"),
    (file(steps=[STEP, {"id": "x"}]), "steps[1].action", "required"),
    (file(steps=[{"action": "GET"}]), "steps[0].path", "required"),
    (file(steps=[{"action": "GET", "path": "jobs"}]), "steps[0].path", "'/'"),
    (file(steps=[{**STEP, "headers": {"a": 1}}]), "steps[0].headers", "strings"),
    (file(steps=[{**STEP, "delay_ms": "5"}]), "steps[0].delay_ms", "milliseconds"),
    (file(steps=[{**STEP, "delay_ms": -1}]), "steps[0].delay_ms", "milliseconds"),
    (file(steps=[{**STEP, "assertions": []}]), "steps[0].assertions", "object"),
    (file(steps=[{**STEP, "raw_body": {}}]), "steps[0].raw_body", "string"),
    (file(setup=[{"action": "WAIT", "duration_ms": True}]), "setup[0].duration_ms", "milliseconds"),
    (file(tags="a"), "tags", "array of strings"),
]


@pytest.mark.parametrize(("data", "place", "reason"), MALFORMED)
def test_a_malformed_file_is_reported_by_file_and_place(data: bytes, place: str, reason: str) -> None:
    with pytest.raises(CaseFileError) as caught:
        read(data, "bad.json")
    assert (caught.value.file, caught.value.place) == ("bad.json", place)
    assert reason in caught.value.reason
    assert "bad.json" in str(caught.value)


def test_a_malformed_file_does_not_stop_the_others() -> None:
    cases, errors = read_all([("a/1.json", b"{"), ("b/c/2.json", file()), ("3.json", file(test_id=None))])
    assert [case.suite for case in cases] == ["b/c"]
    assert [error.file for error in errors] == ["a/1.json", "3.json"]


def test_manifests_and_handler_lists_are_no_cases() -> None:
    assert not is_case(b'{"version": "1.0.0", "tests": 3}')
    assert read_all([("manifest.json", b'{"version": "1"}')]) == ([], [])


def test_cases_come_by_level_suite_and_id() -> None:
    files = [
        ("b/1.json", file(test_id="B", level=1)),
        ("x/1.json", file(level="ext")),
        ("a/1.json", file(test_id="A")),
    ]
    assert [case.level for case in read_all(files)[0]] == [0, 1, "ext"]


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), "ABCX"),
        (Selection(level=0), "A"),
        (Selection(level=1), "ABC"),
        (Selection(suites=("retry",)), "B"),
        (Selection(suites=("level-1*",)), "BC"),
        (Selection(suites=("level-1/dlq", "level-0")), "AC"),
        (Selection(ids=("a", "X*")), "AX"),
        (Selection(level=1, ids=("?",), suites=("dlq",)), "C"),
        (Selection(ids=("nothing",)), ""),
    ],
)
def test_selects_by_level_suite_and_id(selection: Selection, chosen: str) -> None:
    cases, _ = read_all(
        [
            ("level-0/a.json", file(test_id="A")),
            ("level-1/retry/b.json", file(test_id="B", level=1)),
            ("level-1/dlq/c.json", file(test_id="C", level=1)),
            ("ext/x.json", file(test_id="X", level="ext")),
        ]
    )
    assert "".join(sorted(case.id for case in selection.of(cases))) == chosen
