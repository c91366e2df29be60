"""The reference's tables tell what the engine does: each recipe makes its error, each event that happens is listed."""

from __future__ import annotations

import inspect
import json

import pytest

from engine.conformance.case import read_all
from engine.conformance.runner import run_case
from engine.errors import OJSError
from playground import examples
from playground.case_files import bundled
from playground.reference import _kinds, catalogue
from playground.travel.target import JournalTarget
from tests.conftest import ROOT

EVENTS = json.loads((ROOT / "spec" / "events.json").read_text())
MADE = {code: problem for code, problem in catalogue().items() if problem.example}


@pytest.mark.parametrize("code", MADE)
def test_a_recipe_makes_its_error(code: str) -> None:
    problem = MADE[code]
    assert problem.example is not None
    made = examples.record(problem.example)
    assert made[-1].received["error"]["code"] == code
    assert made[-1].status == problem.status
    assert all(one.status < 400 for one in made[:-1])


def test_every_error_is_told_as_its_class_tells_it() -> None:
    """A tab's byte code has no docstrings, so what they say stands in `spec/errors.json` too."""
    told = {" ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()) for kind in _kinds(OJSError)}
    for problem in catalogue().values():
        assert problem.text in told


def test_every_error_says_when_it_happens_and_what_to_do() -> None:
    assert OJSError.code in catalogue()
    for problem in catalogue().values():
        assert problem.text.endswith(".")
        assert problem.hint.endswith(".")


def test_every_event_that_any_case_causes_is_in_the_table() -> None:
    emitted = set()
    for case in read_all(bundled())[0]:
        target = JournalTarget()
        run_case(case, target)
        emitted |= {seen.event.type for seen in target.timeline.seen}
    assert emitted <= EVENTS.keys()
    assert len(emitted) > 30


def test_every_event_of_the_table_is_somewhere_in_the_engine() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "engine").rglob("*.py"))
    for kind in EVENTS:
        tail = kind.rpartition(".")[2]
        assert f'"{kind}"' in code or f'.{tail}"' in code or f"_{tail.rpartition('_')[2]}" in code, kind
