"""The matchers of the case language: what each accepts, and that each can refuse."""

from __future__ import annotations

from typing import Any

import pytest

from engine.conformance.matchers import Tolerance, match
from engine.conformance.values import Missing

UUID4 = "9f1b7c1e-2d3a-4b5c-8d9e-0f1a2b3c4d5e"
UUID7 = "019b8e07-4600-7000-a1f1-98420750f6eb"
NOTHING = Missing("$ has no such field")

ACCEPTED: list[tuple[Any, Any]] = [
    ({"$some": {"a": 1}}, [{"a": 2}, {"a": 1, "b": 3}]),
    ({"$none": {"a": 1}}, []),
    ({"$none": "active"}, ["available"]),
    ({"$rising": 2}, [1000, 1000, 4000]),
    ({"$rising": 2}, [1000, 900]),
    ({"$rising": 0}, []),
    ("any", 0),
    ("any", ""),
    ("absent", NOTHING),
    ("absent", None),
    ("exists", None),
    ("exists", False),
    ("string:nonempty", "x"),
    ("string:non_empty", "x"),
    ("string:uuid", UUID4),
    ("string:uuidv7", UUID7),
    ("string:datetime", "2026-01-05T12:00:00Z"),
    ("string:datetime", "2026-01-05T12:00:00.123456789+05:30"),
    ("string:contains:max", "the max_attempts"),
    ("string:contains:a:b", "xa:bx"),
    (r"string:pattern(^test\..*)", "test.echo"),
    ("string:pattern((a|b)+)", "ab"),
    ("available", "available"),
    ("", ""),
    ("number:positive", 0.1),
    ("number:non_negative", 0),
    ("number:range(1,3)", 3),
    ("number:range(-1.5, 1.5)", -1.5),
    ("~2000", 1000),
    ("~2000", 3000),
    ("~50", 150),
    (42, 42),
    (42, 42.0),
    (0.5, 0.5),
    ("array:nonempty", [None]),
    ("array:empty", []),
    ("array:length:2", [1, 2]),
    ("array:length(2)", [1, 2]),
    ("array:min_length:1", [1, 2]),
    ("array:min:2", [1, 2]),
    ("contains:urgent", ["low", "urgent"]),
    ("contains:42", [42]),
    ("contains:map[a:1 b:x]", [{"b": "x", "a": 1}]),
    ("contains:[1 2]", [[1, 2]]),
    ("contains:1e+06", [1_000_000]),
    ("not_contains:x", ["y"]),
    ([1, "any", {"$exists": True}], [1, 2, 3]),
    ([], []),
    (True, True),
    (False, False),
    (None, None),
    (None, NOTHING),
    ({"$exists": True}, 0),
    ({"$exists": False}, NOTHING),
    ({"$exists": True, "$type": "string"}, "x"),
    ({"$exists": True, "$type": "number"}, 1.5),
    ({"$exists": True, "$type": "boolean"}, False),
    ({"$exists": True, "$type": "array"}, []),
    ({"$exists": True, "$type": "object"}, {}),
    ({"$exists": False, "$type": "string"}, NOTHING),
    ({"$match": "^Validation.*"}, "ValidationError"),
    ({"$in": [200, "number:range(400,499)"]}, 404),
    ({"$or": ["string:nonempty", {"$exists": False}]}, NOTHING),
    ({"$size": 3}, [1, 2, 3]),
    ({"$size": {"$gte": 1}}, [1]),
    ({"$empty": True}, {}),
    ({"$empty": True}, NOTHING),
    ({"$empty": False}, [0]),
    ({"range": {"min": 0, "max": 100}}, 100),
    ({"range": {"min": 1000}}, 1000),
    ({"range": {"max": 5}}, -7),
    ({"a": 1, "b": "any"}, {"a": 1, "b": 2, "c": 3}),
    ({"a": "absent"}, {}),
    ({}, {"a": 1}),
]

REFUSED: list[tuple[Any, Any]] = [
    ({"$some": {"a": 1}}, []),
    ({"$some": {"a": 1}}, {"a": 1}),
    ({"$none": {"a": 1}}, [{"a": 1}]),
    ({"$none": {"a": 1}}, NOTHING),
    ({"$rising": 2}, [1000]),
    ({"$rising": 2}, [4000, 1000]),
    ({"$rising": 2}, [1, "2"]),
    ({"$rising": True}, [1, 2]),
    ("any", None),
    ("any", NOTHING),
    ("absent", 0),
    ("absent", ""),
    ("exists", NOTHING),
    ("string:nonempty", ""),
    ("string:nonempty", 1),
    ("string:non_empty", None),
    ("string:uuid", UUID4.upper()),
    ("string:uuid", UUID4 + "\n"),
    ("string:uuidv7", UUID4),
    ("string:uuidv7", NOTHING),
    ("string:datetime", "2026-01-05 12:00:00"),
    ("string:datetime", "2026-01-05T12:00:00"),
    ("string:datetime", "2026-01-05T12:00:00Z "),
    ("string:contains:Max", "max"),
    ("string:contains:1", 1),
    (r"string:pattern(^test\.$)", "test.\n"),
    ("string:pattern(x)", ["x"]),
    ("string:pattern(()", "x"),
    ("available", "Available"),
    ("available", NOTHING),
    ("1", 1),
    ("number:positive", 0),
    ("number:positive", "1"),
    ("number:positive", True),
    ("number:non_negative", -1),
    ("number:range(1,3)", 3.01),
    ("number:range(1,3)", NOTHING),
    ("~2000", 999),
    ("~2000", 3001),
    ("~2000", "2000"),
    (42, 43),
    (42, "42"),
    (1, True),
    (0, None),
    ("array:nonempty", []),
    ("array:nonempty", "x"),
    ("array:empty", None),
    ("array:length:2", [1]),
    ("array:length(2)", [1, 2, 3]),
    ("array:min_length:3", [1]),
    ("array:min:1", {}),
    ("contains:urgent", ["very urgent"]),
    ("contains:urgent", "urgent"),
    ("contains:urgent", NOTHING),
    ("not_contains:x", ["x"]),
    ("not_contains:x", NOTHING),
    ([1, 2], [1]),
    ([1, 2], [2, 1]),
    ([1], "1"),
    (True, 1),
    (True, "true"),
    (False, None),
    (None, 0),
    (None, False),
    ({"$exists": True}, None),
    ({"$exists": True}, NOTHING),
    ({"$exists": False}, ""),
    ({"$exists": "yes"}, 1),
    ({"$exists": True, "$type": "string"}, 1),
    ({"$exists": True, "$type": "number"}, True),
    ({"$exists": True, "$type": "object"}, []),
    ({"$type": "string"}, "x"),
    ({"$gte": 1}, 2),
    ({"$match": "^a"}, "ba"),
    ({"$match": "^a"}, None),
    ({"$match": 3}, "3"),
    ({"$in": [1, 2]}, 3),
    ({"$in": 1}, 1),
    ({"$or": []}, 1),
    ({"$size": 3}, [1]),
    ({"$size": {"$gte": 2}}, [1]),
    ({"$size": "2"}, [1, 2]),
    ({"$size": 1}, {"a": 1}),
    ({"$empty": True}, [0]),
    ({"$empty": True}, 0),
    ({"$empty": False}, ""),
    ({"range": {"min": 0, "max": 100}}, 101),
    ({"range": {"min": "0"}}, 1),
    ({"range": 5}, 5),
    ({"a": 1}, {}),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, [1]),
]


@pytest.mark.parametrize(("matcher", "value"), ACCEPTED, ids=repr)
def test_accepts(matcher: Any, value: Any) -> None:
    assert match(matcher, value) is None


@pytest.mark.parametrize(("matcher", "value"), REFUSED, ids=repr)
def test_refuses_with_one_sentence(matcher: Any, value: Any) -> None:
    trouble = match(matcher, value)
    assert trouble
    assert "\n" not in trouble


def test_tolerance_is_a_share_with_a_floor() -> None:
    narrow = Tolerance(percent=10, floor=5)
    assert match("~100", 110, narrow) is None
    assert match("~100", 111, narrow) is not None
    assert match("~10", 15, narrow) is None


def test_an_operator_that_stands_alone_is_named_in_the_trouble() -> None:
    assert "$type alone" in (match({"$type": "string"}, "x") or "")


def test_long_values_are_clipped_in_the_trouble() -> None:
    assert len(match("x", "y" * 10_000) or "") < 300
