"""The published cases: which of them are judged how before any server is asked, and how long a run takes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.conformance.case import Case, read_all
from engine.conformance.known import known_defect
from engine.conformance.runner import run
from engine.conformance.soundness import asserts_nothing, defect
from engine.conformance.target import fresh_engine
from playground.case_files import case_files

SUITES = Path(__file__).resolve().parents[2] / ".." / "shared" / "ojs" / "conformance" / "suites"
pytestmark = pytest.mark.skipif(not SUITES.is_dir(), reason="the published suites are not beside the project")
VACUOUS_SUITES = {"ext-durable-execution", "ext-federation", "ext-ml-resources"}
VACUOUS_CASES = {"EXT-MT-006", "EXT-SCH-012"}


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    found, malformed = read_all(case_files(SUITES))
    assert malformed == []
    return found


def test_what_cannot_pass_is_what_the_rulings_say(cases: list[Case]) -> None:
    """The rules find the same cases as the people who read them all; and nearly all of them without the table."""
    found = {case.id for case in cases if defect(case) and not asserts_nothing(case)}
    ruled = {case.id for case in cases if known_defect(case.id)}
    assert found == ruled


def test_what_asserts_nothing_is_what_the_rulings_say(cases: list[Case]) -> None:
    found = {case.id for case in cases if asserts_nothing(case)}
    ruled = {case.id for case in cases if case.suite in VACUOUS_SUITES or case.id in VACUOUS_CASES}
    assert found == ruled


def test_all_of_them_run_in_less_than_three_seconds(cases: list[Case]) -> None:
    start = time.perf_counter()
    results = list(run(cases, fresh_engine))
    assert len(results) == len(cases)
    assert time.perf_counter() - start < 3
    assert all(one.reason for one in results if one.verdict != "passed")
