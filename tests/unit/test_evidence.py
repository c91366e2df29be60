"""Evidence: which cases prove a requirement, and what is said where there is none."""

from __future__ import annotations

import json

import pytest

from engine.http.message import Request
from playground.app import Application
from playground.evidence import document_evidence, evidence, rows_of
from playground.requirements import Requirement, parse, summed
from playground.trial import Trial

UNMET = {
    "R-bulk-22": "active jobs that are named are cancelled, as CANCEL does",
    "R-dead-letter-16": "dead letters are deleted, never archived",
    "R-events-10": "an event's source names no instance",
    "R-extensions-69": "a limit is divided by tenant only where tenants are required",
    "R-history-6": "ids of history are not UUIDv7",
    "R-observability-25": "the duration of an enqueue is not measured",
    "R-progress-26": "there are no metrics of progress",
    "R-schedule-28": "there is no grace by default",
    "R-schedule-38": "the heartbeat timeout is the worker protocol's",
    "R-workflows-71": "active jobs of a cancelled workflow are cancelled",
}
"""Recommendations that this engine does not follow, so that no case of ours can pass."""
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


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (["passed", "untestable"], ("passed", "1 of 2 passed")),
        (["passed", "not run"], ("partly", "1 of 2 passed")),
        (["passed", "no case"], ("partly", "1 of 2 passed")),
        (["partly"], ("partly", "0 of 1 passed")),
        (["passed", "failed"], ("failed", "1 of 2 failed")),
        (["not run", "no case", "untestable"], ("not run", "not run")),
        (["no case", "untestable"], ("no case", "no case")),
        (["untestable"], ("untestable", "untestable")),
    ],
)
def test_a_section_passes_when_all_passes_that_can_be_tested(
    verdicts: list[str], told: tuple[str, str]
) -> None:
    assert summed(verdicts) == told


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ("cases: OWN-L4-BULK-001, L1-RET-004, EXT-DLQ-001", 1),
        ("restates: L2-TTL-001", 2),
        ("cases: OWN-DLQ-001", 0),
        ("why: Nothing.", 0),
    ],
)
def test_a_level_is_the_lowest_that_proves_it_or_its_sources(fields: str, level: int) -> None:
    assert requirement(fields).level == level
    assert parse("t", "one MUST", f"Text.\nsource: ojs-progress.md 1\n{fields}", {"one": 1}).level in {
        level,
        "ext",
    }


def test_a_section_has_the_requirements_of_its_parts_too(app: Application) -> None:
    for document in app.documents.values():
        assert document.sections.keys() <= document.headings.keys()
        for key in {key for keys in document.sections.values() for key in keys}:
            assert key in document.requirements
        for section in document.sections:
            assert f'data-requirement="{section}"' in document.html
    rates = app.documents["rate-limits"].sections
    assert set(rates["at-the-same-time"]) < set(rates["three-kinds"])


def test_the_cases_of_a_section_run_at_once(app: Application) -> None:
    body = b"id=a-policy-is-checked-at-the-door"
    answer = app.handle(Request("POST", "/ui/evidence/retry", {"hx-request": "true"}, body))
    assert isinstance(answer.body, bytes)
    assert b"passed</span>" in answer.body
    assert b"not run" not in answer.body.replace(b"v-not-run", b"")
    missing = app.handle(Request("POST", "/ui/evidence/retry", {"hx-request": "true"}, b"id=nowhere"))
    assert missing.status == 400


def test_every_requirement_has_a_case_or_a_reason_why_none_is_possible(app: Application) -> None:
    every = [one for document in app.documents.values() for one in document.requirements.values()]
    bare = {one.id: one.keyword for one in every if one.at_rest == "no case"}
    assert bare == dict.fromkeys(UNMET, "SHOULD")


def test_every_case_of_a_requirement_is_of_our_own_somewhere(app: Application) -> None:
    """A requirement that only the published suite proves would never be more than `not run` here."""
    every = [one for document in app.documents.values() for one in document.requirements.values()]
    assert [one.id for one in every if one.at_rest == "not run" and not rows_of(app.trial, one)] == []


def test_a_document_is_shown_without_reading_a_case(app: Application) -> None:
    first = document_evidence(app, "retry")
    assert app.trial._cases is None
    app.trial.untouched = False
    second = document_evidence(app, "retry")
    assert first["counts"] == second["counts"]
    assert first["sections"] == second["sections"]
