"""Templates and the text forms of values."""

from __future__ import annotations

from typing import Any

import pytest

from engine.conformance.template import Templates, as_text
from engine.conformance.values import Missing, go_text


def made() -> Templates:
    templates = Templates()
    templates.remember("one", {"job": {"id": "abc", "n": 3, "f": 2.5, "none": None}, "jobs": [{"id": "x"}]})
    return templates


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("/jobs/{{steps.one.response.body.job.id}}", "/jobs/abc"),
        ("{{steps.one.response.body.job.id}}-{{steps.one.response.body.jobs[0].id}}", "abc-x"),
        ("{{steps.one.response.body.job.n}}", "3"),
        ("{{steps.one.response.body.job.f}}", "2.5"),
        ("{{steps.one.response.body.jobs}}", '[{"id":"x"}]'),
        ("no template {{here}}", "no template {{here}}"),
    ],
)
def test_fills_in(text: str, filled: str) -> None:
    assert made().text(text) == filled


@pytest.mark.parametrize(
    "where", ["two.response.body.job.id", "one.response.body.job.gone", "one.response.body.job.none"]
)
def test_what_leads_nowhere_stays_as_written_and_is_noted(where: str) -> None:
    templates, text = made(), f"{{{{steps.{where}}}}}"
    assert templates.text(text) == text
    assert text in templates.take_unresolved()[0]
    assert templates.take_unresolved() == ()


def test_a_step_without_an_answer_gives_its_reason() -> None:
    templates = Templates()
    templates.remember("one", Missing("step 'one' got no answer"))
    templates.text("{{steps.one.response.body.id}}")
    assert "got no answer" in templates.take_unresolved()[0]


def test_fills_in_keys_and_nested_values_and_leaves_the_original_alone() -> None:
    reference = "{{steps.one.response.body.job.id}}"
    original: dict[str, Any] = {reference: [{"a": reference}, 1, None]}
    assert made().value(original) == {"abc": [{"a": "abc"}, 1, None]}
    assert reference in original


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (1, "1"),
        (1.0, "1"),
        (1e21, "1000000000000000000000"),
        (0.1, "0.1"),
        (True, "true"),
        ({"b": 1, "a": [2.0]}, '{"a":[2],"b":1}'),
    ],
)
def test_a_value_in_a_template_is_written_like_the_reference_says(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (False, "false"),
        (999_999, "999999"),
        (1_000_000, "1e+06"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        ([1, "a", None], "[1 a <nil>]"),
        ({"b": 1, "a": {}}, "map[a:map[] b:1]"),
    ],
)
def test_the_text_that_contains_compares(value: Any, text: str) -> None:
    assert go_text(value) == text
