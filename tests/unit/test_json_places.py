"""From a path to a place in a JSON text, as editors count."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.json_places import dotted, find, pointer

TEXT = '{\n  "a": [1, {"b": "é𝄞"}],\n  "c/d": {"~": null}, "a2": 2\n}'

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (["a"], '[1, {"b": "é𝄞"}]'),
        (["a", 0], "1"),
        (["a", 1, "b"], '"é𝄞"'),
        (["c/d", "~"], "null"),
        (["a2"], "2"),
        ([], TEXT),
        (["missing"], "{"),
        (["a", 7], "["),
        (["a2", "deeper"], "2"),
    ],
)
def test_a_path_leads_to_its_value_or_to_the_beginning_of_what_is_around_it(
    path: list[str | int], says: str
) -> None:
    place = find(TEXT, path)
    units = TEXT.encode("utf-16-le")[2 * place.start : 2 * place.end]
    assert units.decode("utf-16-le") == says


def test_lines_and_columns_count_from_one() -> None:
    assert find(TEXT, ["c/d"])[:2] == (3, 10)


def test_of_a_member_that_is_there_twice_the_last_counts_as_for_the_reader() -> None:
    text = '{"a": 1, "a": 2}'
    assert text[slice(*find(text, ["a"])[2:])] == "2" == str(json.loads(text)["a"])


def test_pointers_escape_what_rfc_6901_says() -> None:
    assert pointer(["c/d", "~", 0]) == "/c~1d/~0/0"


def test_the_engines_own_paths_are_understood() -> None:
    assert dotted("$.steps[0].options.retry") == ["steps", 0, "options", "retry"]


def paths(value: object) -> list[list[str | int]]:
    found: list[list[str | int]] = [[]]
    if isinstance(value, dict):
        found += [[name, *rest] for name, inner in value.items() for rest in paths(inner)]
    if isinstance(value, list):
        found += [[index, *rest] for index, inner in enumerate(value) for rest in paths(inner)]
    return found


@given(VALUES, st.sampled_from([None, 2]))
def test_every_value_of_any_json_is_found(value: object, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    for path in paths(value):
        inner: object = value
        for part in path:
            inner = inner[part]  # type: ignore[index]
        place = find(text, path)
        units = text.encode("utf-16-le", "surrogatepass")[2 * place.start : 2 * place.end]
        assert json.loads(units.decode("utf-16-le", "surrogatepass")) == inner
