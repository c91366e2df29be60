"""Regular expressions of another dialect."""

from __future__ import annotations

import pytest

from engine.conformance.patterns import PatternError, found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a$", "a"),
        (r"\Aa\z", "a"),
        (r"^\Qa.b\E$", "a.b"),
        ("^[[:alpha:]]+$", "abc"),
        ("[^]]", "x"),
        (r"^[\d$]+$", "1$"),
        (r"(?m)^b$", "a\nb\nc"),
        (r"\$", "$"),
        ("^[0-9a-f]{8}-7[0-9a-f]{3}$", "019b8e07-7abc"),
    ],
)
def test_matches(pattern: str, text: str) -> None:
    assert found(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("^a$", "a\n"), (r"^\d$", "٣"), (r"^\Qa.b\E$", "axb"), ("^[[:upper:]]$", "a"), (r"\Aa\z", "a\n")],
)
def test_does_not_match(pattern: str, text: str) -> None:
    assert not found(pattern, text)


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "a{2,1}"])
def test_a_broken_pattern_is_told_apart(pattern: str) -> None:
    with pytest.raises(PatternError):
        found(pattern, "a")
