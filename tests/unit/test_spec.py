"""The reference: every document reads, renders, survives the bundle, and tells the truth."""

from __future__ import annotations

import json
import re

import pytest
from jinja2 import FileSystemLoader

from engine.conformance.case import read_all
from engine.lifecycle import STATES, TRANSITIONS
from playground import examples, requirements, resources, spec
from playground.case_files import bundled, own_cases
from playground.render import environment
from tests.conftest import ROOT

ENV = environment(FileSystemLoader(ROOT / "templates"))
LIBRARY = spec.render_all(ENV)


def test_documents_survive_the_bundle() -> None:
    assert spec.load(spec.dump(LIBRARY)) == LIBRARY
    assert resources.bundled("spec/rendered.json") is None


@pytest.mark.parametrize("name", LIBRARY)
def test_a_document_has_what_its_page_needs(name: str) -> None:
    document = LIBRARY[name]
    assert document.title
    assert document.summary.endswith(".")
    assert document.contents
    for key, _ in document.contents:
        assert f'id="{key}"' in document.html


REFUSED = {
    ("lifecycle", "illegal"): {409},
    ("lifecycle", "cancel"): {409},
    ("core", "refused-same-id"): {409},
    ("json-format", "refused-args"): {400},
    ("http-binding", "refused-batch"): {400},
    ("errors", "refused-object"): {400},
    ("errors", "refused-missing"): {404},
    ("errors", "refused-full"): {429},
    ("queues", "refused-type"): {422},
    ("queues", "explicit"): {202},
    ("queues", "deletion"): {202},
    ("conformance", "refused-level-4"): {409},
    ("retry", "duration"): {422},
    ("retry", "bad-policy"): {422},
    ("workers", "stranger"): {409},
    ("schedule", "no-zone"): {400},
    ("cron", "wrong"): {400},
    ("cron", "offset"): {400},
    ("unique", "reject"): {409},
    ("workflows", "invalid"): {400},
    ("workflows", "cancel"): {409},
    ("priority", "out-of-range"): {400},
    ("backpressure", "reject"): {429},
    ("bulk", "bulk"): {207},
    ("bulk", "batch"): {400},
    ("results", "not-yet"): {202},
    ("schemas", "refused-strict"): {422},
    ("schemas", "refused-breaking"): {422},
    ("delivery", "refused-late"): {409},
    ("tenants", "refused-limit"): {429},
    ("durable", "refused-early"): {409},
    ("admin", "refused-unconfirmed"): {400},
}
"""The examples that are about a refusal, or about work that is done later, and with which statuses."""


@pytest.mark.parametrize(
    ("name", "example"), [(name, key) for name in LIBRARY for key in LIBRARY[name].examples]
)
def test_an_example_does_what_its_text_says(name: str, example: str) -> None:
    """No request of an example fails, save where the document is about the refusal."""
    exchanges = examples.record(LIBRARY[name].examples[example])
    refused = REFUSED.get((name, example), set())
    statuses = {one.status for one in exchanges}
    assert statuses <= {200, 201} | refused
    assert refused <= statuses
    assert 0 not in statuses


def test_the_life_cycle_shows_every_state_and_every_move_of_the_table() -> None:
    html = LIBRARY["lifecycle"].html
    assert all(state.summary in html for state in STATES.values())
    assert html.count("<td><code>") == len(TRANSITIONS)
    drawn = len(re.findall(r'class="edge[ "]', html))
    assert drawn == len({(move.source, move.target) for move in TRANSITIONS if move.source})


def test_raw_html_in_a_document_is_shown_not_passed_on() -> None:
    source = "title: T\nsummary: S.\nsource: X\n---\n## A <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n"
    document = spec._render("t", source, ENV, {})
    assert "<script>" not in document.html
    assert "<img" not in document.html


def test_a_head_that_lacks_something_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"spec/t\.md: its head lacks source, summary"):
        spec._render("t", "title: T\n---\ntext", ENV, {})


UNTESTABLE = json.loads((own_cases() / "untestable.json").read_text())
LOCKED = json.loads((resources.path("spec") / requirements.LOCK).read_text())


def test_every_requirement_has_a_number_that_never_moves() -> None:
    """The lock file lists what each document has, nothing is missing from it, and nothing is named twice."""
    for path in resources.path("spec").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        names = [head.partition(" ")[0] for head, _ in requirements.FENCE.findall(text)]
        assert len(names) == len(set(names)), path.name
        assert sorted(LOCKED.get(path.stem, [])) == sorted(names), (
            f"{path.name}: run python -m playground.requirements"
        )


def test_every_case_that_a_requirement_names_exists() -> None:
    cases = read_all(bundled())[0]
    known = {case.id for case in cases}
    listed = {key for case in cases for key in case.requirements} | set(UNTESTABLE)
    published = re.compile(r"L[0-4]-|EXT-")
    for document in LIBRARY.values():
        for one in document.requirements.values():
            for key in one.cases:
                assert key in known or published.match(key), f"{one.id}: {key}"
            assert set(one.restates) <= listed, one.id


@pytest.mark.parametrize(
    ("head", "body", "problem"),
    [
        ("Bad MUST", "Text.\nsource: ojs-core.md 1", "lower-case letters"),
        ("good WILL", "Text.\nsource: ojs-core.md 1", "none of MUST"),
        ("unknown MUST", "Text.\nsource: ojs-core.md 1", "no number"),
        ("good MUST", "Text.", "needs text, and a source"),
        ("good MUST", "Text.\nsource: core 1", "needs text, and a source"),
        ("good MUST", "Text.\nsource: ojs-core.md 1\nmore", "below the fields"),
        ("good MUST", "T.\nsource: ojs-core.md 1\ncases: A\nuntestable: no", "not untestable"),
    ],
)
def test_a_requirement_that_cannot_be_read_is_refused_by_name(head: str, body: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        requirements.parse("t", head, body, {"good": 1})
