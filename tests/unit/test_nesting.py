"""How deep JSON is nested, told without reading it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.nesting import MAX_DEPTH, too_deep

VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(alphabet='[]{}"\\a')),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
)


def depth(value: object) -> int:
    """Levels of arrays and objects."""
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


@given(VALUES, st.integers(0, 6))
def test_it_is_the_depth_of_what_would_be_read(value: object, limit: int) -> None:
    assert too_deep(json.dumps(value), limit) == (depth(value) > limit)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 5000 + "]" * 5000, '[{"":' * 200])
def test_what_would_end_python_in_a_tab_is_too_deep(text: str) -> None:
    assert too_deep(text)


@pytest.mark.parametrize("text", ["", "[", '"[[[', "]" * 500, "[]" * 500, '"' + "[" * 500 + '"', '"\\"[[[[['])
def test_what_ends_the_reading_early_is_not(text: str) -> None:
    assert not too_deep(text, MAX_DEPTH)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 400_000 + "[" * 200, "[" * 200 + '"' * 800_001, "[]" * 400_000, '"\\' * 400_001]
)
def test_no_text_takes_long(text: str) -> None:
    too_deep(text + "[" * 200)
