"""The reference: every document reads, renders, survives the bundle, and tells the truth."""

from __future__ import annotations

import re

import pytest
from jinja2 import FileSystemLoader

from engine.lifecycle import STATES, TRANSITIONS
from playground import examples, resources, spec
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


@pytest.mark.parametrize(
    ("name", "example"), [(name, key) for name in LIBRARY for key in LIBRARY[name].examples]
)
def test_an_example_does_what_its_text_says(name: str, example: str) -> None:
    """No request of an example fails, save where the document is about the refusal."""
    exchanges = examples.record(LIBRARY[name].examples[example])
    refused = {"illegal": {409}, "cancel": {409}}.get(example, set())
    assert {one.status for one in exchanges} <= {200, 201} | refused
    assert 0 not in {one.status for one in exchanges}


def test_the_life_cycle_shows_every_state_and_every_move_of_the_table() -> None:
    html = LIBRARY["lifecycle"].html
    assert all(state.summary in html for state in STATES.values())
    assert html.count("<td><code>") == len(TRANSITIONS)
    drawn = len(re.findall(r'class="edge[ "]', html))
    assert drawn == len({(move.source, move.target) for move in TRANSITIONS if move.source})


def test_raw_html_in_a_document_is_shown_not_passed_on() -> None:
    source = "title: T\nsummary: S.\nsource: X\n---\n## A <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n"
    document = spec._render("t", source, ENV)
    assert "<script>" not in document.html
    assert "<img" not in document.html


def test_a_head_that_lacks_something_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"spec/t\.md: its head lacks source, summary"):
        spec._render("t", "title: T\n---\ntext", ENV)
