"""Evidence: which cases prove a requirement, and what is said where there is none."""

from __future__ import annotations

import json

from playground.app import Application
from playground.evidence import evidence, rows_of
from playground.requirements import Requirement, parse
from playground.trial import Trial

BODY = "Text.\nsource: ojs-core.md 1\n"


def requirement(fields: str) -> Requirement:
    return parse("t", "one MUST", BODY + fields, {"one": 1})


def case(test_id: str, proves: list[str]) -> tuple[str, bytes]:
    told = {
        "test_id": test_id,
        "level": 0,
        "requirements": proves,
        "steps": [{"action": "GET", "path": "/ojs/v1/health"}],
    }
    return f"suite/{test_id}.json", json.dumps(told).encode()


def trial(*files: tuple[str, bytes]) -> Trial:
    made = Trial(lambda: 0, lambda: None)
    made.load(files, "a test")
    return made


def names(made: Trial, one: Requirement) -> list[str]:
    return [row.name for row in rows_of(made, one)]


def test_an_id_of_the_standards_list_is_not_the_test_of_that_id() -> None:
    """The published suite has a test L0-LC-002 that has nothing to do with the requirement L0-LC-002."""
    made = trial(case("L0-LC-002", []), case("OWN-1", ["L0-LC-002"]))
    assert names(made, requirement("cases: L0-LC-002")) == ["L0-LC-002"]
    assert names(made, requirement("restates: L0-LC-002")) == ["OWN-1"]


def test_cases_that_are_not_loaded_are_not_run_and_not_missing() -> None:
    made = trial(case("OWN-1", []))
    assert evidence(made, requirement("cases: L9-ELSEWHERE")).verdict == "not run"
    assert evidence(made, requirement("why: No reason.")).verdict == "no case"
    assert evidence(made, requirement("untestable: It is inside.")).verdict == "untestable"


def test_every_case_of_the_reference_is_found(app: Application) -> None:
    for document in app.documents.values():
        for one in document.requirements.values():
            own = {key for key in one.cases if key.startswith("OWN-")}
            assert own <= {row.case.id for row in rows_of(app.trial, one)}, one.id
