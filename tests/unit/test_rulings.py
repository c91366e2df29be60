"""The errata: a valid file, true references, and for each ruling a proof that the server does what it says."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.conformance.case import read_all
from playground import resources, rulings
from playground.case_files import case_files, own_cases
from playground.rulings import Clause, Ruling
from tests.unit.ruling_checks import CHECKS, Desk, attempts, envelope, extensions, flows, service

STANDARD = Path(__file__).resolve().parents[2] / ".." / "shared" / "ojs"
beside = pytest.mark.skipif(not STANDARD.is_dir(), reason="the standard is not beside the project")
ERRATA = rulings.load()
ALL = tuple(ERRATA.rulings.values())
UNCHECKED: dict[str, str] = {}
"""Rulings that no request can prove, each with the reason."""
OWN = {case.id for case in read_all(case_files(own_cases()))[0]}
MODULES = (attempts, envelope, extensions, flows, service)


def test_every_ruling_is_proved_or_says_why_not() -> None:
    assert CHECKS.keys() | UNCHECKED.keys() == ERRATA.rulings.keys()
    assert not CHECKS.keys() & UNCHECKED.keys()
    assert all(UNCHECKED.values())
    assert {check.__module__ for check in CHECKS.values()} == {module.__name__ for module in MODULES}


@pytest.mark.parametrize("ruling", sorted(CHECKS))
def test_the_server_does_what_a_ruling_says(ruling: str) -> None:
    CHECKS[ruling](Desk())


def test_the_order_of_authority_is_told() -> None:
    assert len(ERRATA.order) == 5
    assert len(ALL) > 100


@pytest.mark.parametrize("ruling", ALL, ids=lambda ruling: ruling.id)
def test_own_cases_that_a_ruling_names_exist(ruling: Ruling) -> None:
    assert [case for case in ruling.cases if case.startswith("OWN-") and case not in OWN] == []
    assert len(set(ruling.cases)) == len(ruling.cases)


# the standard's documents


@pytest.fixture(scope="module")
def published() -> set[str]:
    return {case.id for case in read_all(case_files(STANDARD / "conformance" / "suites"))[0]}


@beside
@pytest.mark.parametrize("ruling", ALL, ids=lambda ruling: ruling.id)
def test_published_cases_that_a_ruling_names_exist(ruling: Ruling, published: set[str]) -> None:
    assert [case for case in ruling.cases if not case.startswith("OWN-") and case not in published] == []


@beside
@pytest.mark.parametrize("ruling", ALL, ids=lambda ruling: ruling.id)
def test_documents_and_sections_that_a_ruling_names_exist(ruling: Ruling, published: set[str]) -> None:
    for clause in ruling.clauses:
        if clause.document == "conformance/suites":
            assert clause.section in published
        else:
            assert _exists(clause), clause


@beside
def test_the_extension_of_a_ruling_has_a_document() -> None:
    named = {ruling.extension for ruling in ALL} - {None}
    assert [name for name in named if not (STANDARD / "spec" / f"ojs-{name}.md").is_file()] == []


def _exists(clause: Clause) -> bool:
    name = clause.document
    path = STANDARD / (f"spec/{name}" if name.startswith("ojs-") else name)
    text = path.read_text(encoding="utf-8")
    section = re.escape(clause.section)
    if name == "openapi.yaml":
        method, _, route = clause.section.partition(" ")
        if not route:
            return re.search(rf"^    {section}:$", text, re.MULTILINE) is not None
        _, _, part = text.partition(f"\n  {route}:\n")
        return f"\n    {method.lower()}:\n" in "\n" + re.split(r"\n  \S", part)[0] + "\n"
    if name.endswith(".json"):
        return clause.section in json.loads(text)
    return re.search(rf"^#{{2,4}} (?:{section}\.? .+|{section})$", text, re.MULTILINE) is not None


@beside
def test_no_ruling_copies_a_sentence_of_the_standard() -> None:
    """Eight words in a row that also stand in the document would be its words, not ours."""
    for ruling in ALL:
        for clause in ruling.clauses:
            path = STANDARD / (
                f"spec/{clause.document}" if clause.document.startswith("ojs-") else clause.document
            )
            if path.is_file():
                theirs = " ".join(_words(path.read_text(encoding="utf-8")))
                ours = _words(clause.says)
                runs = (" ".join(ours[at : at + 8]) for at in range(len(ours) - 7))
                assert [run for run in runs if run in theirs] == [], ruling.id


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9_]+", text.lower())


# the reader


def _file() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((resources.path("spec") / rulings.NAME).read_text(encoding="utf-8"))
    whole["rulings"] = whole["rulings"][:2]
    return whole


def test_a_ruling_is_read_whole() -> None:
    entry = _file()["rulings"][0]
    ruling = rulings.parse(json.dumps(_file())).rulings[entry["id"]]
    assert (ruling.topic, ruling.level, ruling.extension) == (entry["topic"], entry["level"], None)
    assert ruling.clauses[0] == Clause(**entry["clauses"][0])
    assert (ruling.ruling, ruling.why, list(ruling.cases)) == (entry["ruling"], entry["why"], entry["cases"])


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("id",), "error-body", "rulings[0]: 'id'"),
        (("id",), 5, "rulings[0]: 'id'"),
        (("topic",), " ", "R-error-body: 'topic'"),
        (("why",), None, "R-error-body: 'why'"),
        (("ruling",), ["x"], "R-error-body: 'ruling'"),
        (("level",), 5, "R-error-body: 'level'"),
        (("level",), True, "R-error-body: 'level'"),
        (("level",), None, "either 'level' or 'extension'"),
        (("extension",), "cron", "either 'level' or 'extension'"),
        (("cases",), "L0-OPS-030", "R-error-body: cases"),
        (("cases",), [1], "R-error-body: cases"),
        (("clauses",), {}, "R-error-body: clauses"),
        (("clauses",), [], "R-error-body: 'clauses' must be at least two"),
        (("clauses", 1), "x", "R-error-body: clauses[1]"),
        (("clauses", 1, "says"), "", "R-error-body: clauses[1]: 'says'"),
        (("clauses", 1, "verdict"), "x", "R-error-body: clauses[1]: there is no field 'verdict'"),
        (("verdict",), "x", "rulings[0]: there is no field 'verdict'"),
    ],
)
def test_a_mistake_is_told_with_its_entry_and_field(path: tuple[Any, ...], value: Any, message: str) -> None:
    whole = copy.deepcopy(_file())
    place = whole["rulings"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        rulings.parse(json.dumps(whole))


def test_two_clauses_of_one_place_are_one() -> None:
    whole = _file()
    clauses = whole["rulings"][0]["clauses"]
    clauses[1:] = [dict(clauses[0])]
    with pytest.raises(ValueError, match="from different places"):
        rulings.parse(json.dumps(whole))


@pytest.mark.parametrize("text", ["[]", "{", '{"rulings": []}', '{"order": ["a", "b"]}', '{"order": [1, 2]}'])
def test_a_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rulings|order|Expecting"):
        rulings.parse(text)


def test_an_id_stands_once() -> None:
    whole = _file()
    whole["rulings"][1]["id"] = whole["rulings"][0]["id"]
    with pytest.raises(ValueError, match="R-error-body: 'id' stands twice"):
        rulings.parse(json.dumps(whole))
