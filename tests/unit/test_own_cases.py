"""The project's own cases: sound, and together they cover every requirement of the standard's list."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.conformance.case import Case, read_all
from engine.conformance.soundness import asserts_nothing, defect
from playground.case_files import case_files, own_cases

STANDARD = Path(__file__).resolve().parents[2] / ".." / "shared" / "ojs" / "spec" / "ojs-conformance.md"
REQUIREMENT = re.compile(r"\*\*(L[0-4]-[A-Z-]+-\d{3})\*\*")
CASES, MALFORMED = read_all(case_files(own_cases()))
UNTESTABLE: dict[str, str] = json.loads((own_cases() / "untestable.json").read_text())


def test_every_file_is_a_case() -> None:
    assert MALFORMED == []
    assert len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_is_sound(case: Case) -> None:
    assert case.file.endswith(f"/{case.id}.json")
    assert case.id.startswith("OWN-")
    assert all((case.name, case.description, case.spec_ref))
    assert not asserts_nothing(case)
    assert defect(case) == ""
    assert [step.ignored for step in case.steps if step.ignored] == []


def test_ids_are_unique() -> None:
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids))


def test_step_ids_are_unique_within_a_case() -> None:
    """A template names a step by its id, so a second one of the same id would hide the first."""
    for case in CASES:
        ids = [step.id for step in case.steps]
        assert len(ids) == len(set(ids)), case.id


def test_a_case_uses_queues_and_schedules_of_its_own() -> None:
    """Cases must not disturb each other on a server that cannot be reset."""
    users: dict[str, set[str]] = {}
    for case in CASES:
        for step in case.steps:
            for name in re.findall(r"\"(own-[a-z0-9.-]+)\"", json.dumps(step.body)):
                users.setdefault(name, set()).add(case.id)
    assert {name: sorted(ids) for name, ids in users.items() if len(ids) > 1} == {}


@pytest.mark.skipif(not STANDARD.exists(), reason="the standard's text is not beside the project")
def test_every_requirement_is_covered_or_named_untestable() -> None:
    required = set(REQUIREMENT.findall(STANDARD.read_text()))
    covered = {requirement for case in CASES for requirement in case.requirements}
    assert len(required) == 63
    assert covered <= required
    assert required - covered == set(UNTESTABLE)
    assert all(UNTESTABLE.values())


def test_a_case_proves_nothing_of_a_higher_level() -> None:
    """A server of level N runs the cases up to N: what they prove must be demanded of it."""
    for case in CASES:
        levels = [int(requirement[1]) for requirement in case.requirements]
        assert all(isinstance(case.level, int) and level <= case.level for level in levels), case.id
