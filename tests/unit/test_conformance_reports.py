"""Reports: text, JSON, JUnit and the badge."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from engine.clock import ManualClock
from engine.conformance.badge import as_badge, badge_text
from engine.conformance.case import CaseFileError, read
from engine.conformance.junit import as_junit
from engine.conformance.report import Report, as_text
from engine.conformance.runner import run
from engine.conformance.target import START, VirtualTarget
from engine.http.message import Request, Response

BODY = json.dumps({"text": "<&\"'\x00]]>"}).encode()


def serve(_: Request) -> Response:
    return Response(200, {"Content-Type": "application/json"}, BODY + b" \x01")


def report(*verdicts: tuple[str, Any]) -> Report:
    steps: dict[str, dict[str, Any]] = {
        "passed": {"assertions": {"status": 200}},
        "failed": {"assertions": {"status": 201, "body": {"$.text": "\x07<b>"}}},
        "impossible": {"assertions": {"status": [201]}},
        "vacuous": {},
        "skipped": {},
    }
    cases = []
    for number, (verdict, level) in enumerate(verdicts):
        step = {"id": "s", "action": "GET", "path": "/x", **steps[verdict]}
        needs = ["a moon"] if verdict == "skipped" else []
        raw = {
            "test_id": f"T-{number}",
            "level": level,
            "name": f"a&b {verdict}",
            "needs": needs,
            "steps": [step],
        }
        cases.append(read(json.dumps(raw).encode(), f"suite-{level}/{number}.json", f"suite-{level}"))
    results = list(run(cases, lambda: VirtualTarget(serve, ManualClock(START), lambda: None)))
    assert [one.verdict for one in results] == [verdict for verdict, _ in verdicts]
    return Report("a server", results, duration_ms=1234)


ALL = [("passed", 0), ("failed", 1), ("impossible", 1), ("vacuous", 4), ("skipped", "ext")]


def test_the_text_tells_failures_in_detail_and_totals_by_level_and_suite() -> None:
    text = as_text(report(*ALL))
    for part in (
        "FAILED T-1",
        "(suite-1/1.json)",
        "status: expected 201, got 200",
        "suite-ext",
        "T-2",
        "1 failed",
    ):
        assert part in text
    assert text.endswith(
        "5 cases against a server: 1 passed, 1 failed, 1 impossible, 1 vacuous, 1 skipped in 1.2 s\n"
    )


def test_the_json_holds_totals_and_every_step() -> None:
    told = json.loads(json.dumps(report(*ALL).to_dict()))
    counts = {verdict: told["results"][verdict] for verdict in ("total", "passed", "failed", "skipped")}
    assert counts == {"total": 5, "passed": 1, "failed": 1, "skipped": 1}
    assert told["results"]["level_1"] == {
        "total": 2,
        "passed": 0,
        "failed": 1,
        "impossible": 1,
        "vacuous": 0,
        "skipped": 0,
    }
    assert told["results"]["ext"]["skipped"] == 1
    assert told["suites"]["suite-ext"]["skipped"] == 1
    assert (told["conformant"], told["conformant_level"]) == (False, 0)
    assert [one["test_id"] for one in told["failures"]] == ["T-1"]
    assert [one["test_id"] for one in told["impossible"]] == ["T-2"]
    assert [one["test_id"] for one in told["skipped"]] == ["T-4"]
    assert told["cases"][1]["steps"][0]["checks"][0]["message"] == "expected 201, got 200"
    assert "steps" not in report(*ALL).to_dict(steps=False)["cases"][0]


def test_junit_is_well_formed_whatever_the_server_says() -> None:
    whole = report(*ALL)
    whole.malformed.append(CaseFileError("bad.json", "line 1", "is not JSON"))
    root = ET.fromstring(as_junit(whole))  # noqa: S314 - our own output
    suites = {suite.get("name"): suite for suite in root}
    assert [suites["suite-1"].get(name) for name in ("tests", "failures", "skipped")] == ["2", "1", "1"]
    failure = suites["suite-1"].find("testcase/failure")
    assert failure is not None
    assert "expected 201, got 200" in (failure.text or "")
    assert suites["malformed files"].get("errors") == "1"


@pytest.mark.parametrize(
    ("verdicts", "text", "level"),
    [
        ([("passed", level) for level in range(5)], "Level 4 (Runtime)", 4),
        ([("passed", 0), ("passed", 1), ("passed", 4)], "Level 1 (Runtime)", 1),
        ([("passed", 0), ("impossible", 1), ("vacuous", 2)], "Level 0 (Runtime)", 0),
        ([("passed", 0), ("failed", 1), ("passed", 2)], "1 of 3 failed", 0),
        ([("failed", 0)], "1 of 1 failed", None),
        ([("skipped", "ext")], "not tested", None),
        ([("passed", 0), ("failed", "ext")], "1 of 2 failed", 0),
    ],
)
def test_the_badge_claims_no_more_than_what_passed(
    verdicts: list[tuple[str, Any]], text: str, level: int | None
) -> None:
    run_report = report(*verdicts)
    assert badge_text(run_report) == text
    assert run_report.conformant_level == level
    root = ET.fromstring(as_badge(run_report))  # noqa: S314 - our own output
    assert root.get("aria-label") == f"OJS Conformant: {text}"


def test_a_malformed_file_is_never_conformant() -> None:
    broken = report(("passed", 0))
    assert broken.conformant
    broken.malformed.append(CaseFileError("bad.json", "", "is not JSON"))
    assert not broken.conformant
    assert "bad.json: is not JSON" in as_text(broken)


def test_an_empty_run_is_reported_too() -> None:
    assert "none ran" in as_text(Report("a server"))
