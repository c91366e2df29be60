"""Lessons and requirements find each other by the clauses that both name."""

from __future__ import annotations

from jinja2 import FileSystemLoader

from playground import spec
from playground.crosslinks import cited, required_by, shown_in
from playground.render import environment
from playground.requirements import Requirement, Source
from playground.travel import library
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "ojs" / "spec"


def test_a_clause_in_words_names_files_and_sections() -> None:
    assert cited("OJS Worker Protocol 4.2, 10.1 · OJS HTTP Binding 9") == {
        ("ojs-worker-protocol.md", "4.2"),
        ("ojs-worker-protocol.md", "10.1"),
        ("ojs-http-binding.md", "9"),
    }
    assert cited("nothing of the kind") == set()


def test_every_clause_of_every_lesson_names_a_file_of_the_standard() -> None:
    for name in library.names():
        for clause in library.lesson(name)["clauses"]:
            found = cited(clause)
            assert found, (name, clause)
            if SHARED.exists():
                assert all((SHARED / file).exists() for file, _ in found), (name, clause)


def test_a_requirement_knows_the_lessons_that_show_it_and_they_know_it() -> None:
    clause = next(iter(library.lesson("first-job")["clauses"]))
    file, section = min(cited(clause))
    one = Requirement("R-x-1", "x", "MUST", "Text.", (Source(file, section),), (), (), "", "")
    assert "first-job" in [name for name, _ in shown_in(one)]
    documents = spec.render_all(environment(FileSystemLoader(ROOT / "templates")))
    one_document = next(iter(documents.values()))._replace(requirements={one.id: one})
    assert required_by({"x": one_document}, clause) == [(one_document.name, "R-x-1")]
