"""Patterns from outside: what could hang is refused, what is common is not."""

from __future__ import annotations

import time

import pytest

from engine.patterns import Pattern, UnsafePattern


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)*$",
        "(a?){30}a{30}",
        "(.*)*x",
        "(x)\\1",
        "a*a*a*a*a*a*a*b",
        "(\\w+\\s?)*$",
        "(",
    ],
)
def test_patterns_that_may_hang_are_refused(text: str) -> None:
    with pytest.raises(UnsafePattern):
        Pattern(text)


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        (r"^[a-z]+(\.[a-z]+)*$", "a.bc.d", "a..b"),
        (r"^(foo|bar)*$", "foobarfoo", "fob"),
        (r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$", "10.0.0.1", "10.0.0"),
        (r"^[^@]+@[^@]+\.[^@]+$", "a@b.c", "a@b"),
        (r"^\d{4}-\d{2}$", "2026-01", "2026-1"),
        (r"[$]", "a$", "a"),
    ],
)
def test_common_patterns_work(text: str, good: str, bad: str) -> None:
    pattern = Pattern(text)
    assert pattern.matches(good)
    assert not pattern.matches(bad)


@pytest.mark.parametrize("text", [r"^[^@]+@[^@]+\.[^@]+$", r"[a-z]*x[a-z]*y", r"a*b?a*c?a*d", r"^(\.a+)*$"])
def test_the_longest_text_allowed_is_matched_in_time(text: str) -> None:
    pattern = Pattern(text)
    started = time.perf_counter()
    pattern.matches("a" * pattern.limit)
    pattern.matches((".a" * pattern.limit)[: pattern.limit - 1] + "!")
    assert time.perf_counter() - started < 2


def test_a_pattern_has_a_greatest_length() -> None:
    with pytest.raises(UnsafePattern, match="longer than"):
        Pattern("a" * 513)
