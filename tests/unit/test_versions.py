"""Versions of job types: order and ranges (OJS Job Versioning 5, 8; OJS Schema Registry 6)."""

from __future__ import annotations

from typing import Any

import pytest

from engine import versions
from tests.unit.ojs_client import Client


@pytest.mark.parametrize("same", [(2, "2"), ("2", "2.0"), ("2.0", "2.0.0"), ("2.0.0+a", "2.0.0")])
def test_one_version_has_many_spellings(same: tuple[Any, Any]) -> None:
    assert versions.key(same[0]) == versions.key(same[1])


def test_versions_follow_semver_precedence() -> None:
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta",
        "1.0.0-rc.2",
        "1.0.0-rc.10",
        "1",
        "1.2",
        "1.10.0",
        "2",
    ]
    assert sorted(ordered, key=lambda text: versions.key(text) or (0, 0, 0, 0, ())) == ordered


@pytest.mark.parametrize("text", ["", "v2", "2.", "1.2.3.4", "2@", True, 1.5, None])
def test_what_is_no_version_is_none(text: Any) -> None:
    assert versions.key(text) is None


@pytest.mark.parametrize(
    ("version", "text", "fits"),
    [
        ("2.0", "*", True),
        (None, ">=3.0", True),
        ("2.0", "2.0", True),
        (2, "2.0", True),
        ("2.1", "2.0", False),
        ("2.5", ">=1.0 <3.0", True),
        ("3.0", ">=1.0, <3.0", False),
        ("1.9", ">= 1.0 < 2.0", True),
        ("4", ">=2.0", True),
    ],
)
def test_ranges_take_what_they_say(version: Any, text: str, fits: bool) -> None:
    assert versions.included(version, text) is fits


@pytest.mark.parametrize("text", ["^1.0", "~2", ">=", "1 || 2", "a"])
def test_other_range_syntax_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        versions.parse_range(text)


def test_a_version_may_stand_behind_the_type() -> None:
    assert versions.split("invoice.generate@2.0") == ("invoice.generate", "2.0")
    assert versions.split("email@send!") == ("email@send!", None)


@pytest.mark.parametrize(
    ("unique", "first", "second", "alike"),
    [
        ({}, "a.b@1.0", "a.b@2.0", False),
        ({}, "a.b@1.0", "a.b@1", True),
        ({}, "a.b", "a.b", True),
        ({"keys": ["type"]}, "a.b@1.0", "a.b@2.0", True),
        ({"keys": ["type", "version"]}, "a.b@1.0", "a.b@2.0", False),
    ],
)
def test_versions_are_different_jobs_unless_the_policy_says_otherwise(
    unique: dict[str, Any], first: str, second: str, alike: bool
) -> None:
    """OJS Job Versioning 15.5."""
    client = Client()
    for kind in (first, second):
        client.post("/jobs", {"type": kind, "args": [], "unique": {"on_conflict": "reject", **unique}})
    assert client.status == (409 if alike else 201)
