"""Matchers: does a value of a response satisfy what a case expects of it?

``match`` answers with None or with a sentence that says what is wrong; it never raises. A matcher is any
JSON value: strings may name a test, objects may hold operators, everything else is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from engine.conformance.patterns import PatternError, found
from engine.conformance.values import absent, go_text, is_number, json_type, show

Verdict = str | None

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})\Z", re.ASCII)
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_RANGE = re.compile(rf"number:range\({_NUMBER},\s*{_NUMBER}\)\Z", re.ASCII)
_LENGTH = re.compile(r"array:(length|min_length|min)(?::(\d+)|\((\d+)\))\Z", re.ASCII)
_APPROXIMATE = re.compile(rf"~{_NUMBER}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an approximate number may be off.

    Args:
        percent: Share of the expected number, in percent.
        floor: Smallest allowance, in the number's own unit (milliseconds in practice).
    """

    percent: float = 50
    floor: float = 100

    def accepts(self, expected: float, actual: float) -> bool:
        """Whether ``actual`` is near enough."""
        return abs(actual - expected) <= self.allowance(expected)

    def allowance(self, expected: float) -> float:
        """The distance that is still near enough."""
        return max(abs(expected) * self.percent / 100, self.floor)


DEFAULT = Tolerance()


def match(matcher: Any, actual: Any, tolerance: Tolerance = DEFAULT) -> Verdict:
    """Hold a value against a matcher.

    Args:
        matcher: The expectation, any JSON value.
        actual: The value, or a ``Missing``.
        tolerance: For ``~`` matchers.

    Returns:
        None if it matches, else one sentence.
    """
    if matcher is None:
        return None if absent(actual) else f"expected null, got {show(actual)}"
    if isinstance(matcher, str):
        return _string(matcher, actual, tolerance)
    if isinstance(matcher, bool):
        return None if actual is matcher else f"expected {show(matcher)}, got {show(actual)}"
    if is_number(matcher):
        return _number(matcher, actual)
    if isinstance(matcher, list):
        return _positions(matcher, actual, tolerance)
    return _object(matcher, actual, tolerance)


def _number(expected: float, actual: Any) -> Verdict:
    if is_number(actual) and (actual == expected or abs(actual - expected) <= 1e-9):
        return None
    return f"expected {show(expected)}, got {show(actual)}"


def _positions(expected: list[Any], actual: Any, tolerance: Tolerance) -> Verdict:
    if not isinstance(actual, list):
        return f"expected an array, got {show(actual)}"
    if len(actual) != len(expected):
        return f"expected {len(expected)} elements, got {len(actual)}: {show(actual)}"
    for number, (matcher, item) in enumerate(zip(expected, actual, strict=True)):
        if trouble := match(matcher, item, tolerance):
            return f"[{number}]: {trouble}"
    return None


# --- strings -----------------------------------------------------------------------------------------


def _string(matcher: str, actual: Any, tolerance: Tolerance) -> Verdict:
    if matcher in NAMED:
        wanted, test = NAMED[matcher]
        return None if test(actual) else f"expected {wanted}, got {show(actual)}"
    for prefix, test_of in _PREFIXED.items():
        if matcher.startswith(prefix):
            return test_of(matcher.removeprefix(prefix), actual)
    if pattern := _RANGE.match(matcher):
        return _between(actual, float(pattern[1]), float(pattern[2]))
    if pattern := _LENGTH.match(matcher):
        return _length(actual, int(pattern[2] or pattern[3]), at_least=pattern[1] != "length")
    if pattern := _APPROXIMATE.match(matcher):
        return _near(float(pattern[1]), actual, tolerance)
    if matcher.startswith("string:pattern(") and matcher.endswith(")"):
        return _regex(matcher[len("string:pattern(") : -1], actual)
    return None if actual == matcher else f"expected {show(matcher)}, got {show(actual)}"


NAMED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "any": ("any value but null", lambda value: not absent(value)),
    "absent": ("nothing there", absent),
    "exists": ("a field, even null", lambda value: value is None or not absent(value)),
    "string:nonempty": ("a non-empty string", lambda value: isinstance(value, str) and value != ""),
    "string:non_empty": ("a non-empty string", lambda value: isinstance(value, str) and value != ""),
    "string:uuid": ("a UUID", lambda value: isinstance(value, str) and _UUID.match(value) is not None),
    "string:uuidv7": ("a UUIDv7", lambda value: isinstance(value, str) and _UUID7.match(value) is not None),
    "string:datetime": (
        "an RFC 3339 time",
        lambda value: isinstance(value, str) and _DATETIME.match(value) is not None,
    ),
    "number:positive": ("a number above 0", lambda value: is_number(value) and value > 0),
    "number:non_negative": ("a number from 0 on", lambda value: is_number(value) and value >= 0),
    "array:nonempty": ("a non-empty array", lambda value: isinstance(value, list) and len(value) > 0),
    "array:empty": ("an empty array", lambda value: isinstance(value, list) and not value),
}


def _contains(target: str, actual: Any) -> Verdict:
    if not isinstance(actual, list):
        return f"expected an array that contains {show(target)}, got {show(actual)}"
    if any(go_text(item) == target for item in actual):
        return None
    return f"expected an array that contains {show(target)}, got {show(actual)}"


def _not_contains(target: str, actual: Any) -> Verdict:
    if not isinstance(actual, list):
        return f"expected an array without {show(target)}, got {show(actual)}"
    if any(go_text(item) == target for item in actual):
        return f"expected an array without {show(target)}, got {show(actual)}"
    return None


def _substring(part: str, actual: Any) -> Verdict:
    if isinstance(actual, str) and part in actual:
        return None
    return f"expected a string that contains {show(part)}, got {show(actual)}"


_PREFIXED: dict[str, Callable[[str, Any], Verdict]] = {
    "contains:": _contains,
    "not_contains:": _not_contains,
    "string:contains:": _substring,
}


def _between(actual: Any, low: float | None, high: float | None) -> Verdict:
    fits = is_number(actual) and (low is None or actual >= low) and (high is None or actual <= high)
    if fits:
        return None
    lower = [] if low is None else [f"at least {low:g}"]
    upper = [] if high is None else [f"at most {high:g}"]
    bounds = " and ".join(lower + upper)
    return f"expected a number {bounds}, got {show(actual)}"


def _length(actual: Any, wanted: int, *, at_least: bool = False) -> Verdict:
    if isinstance(actual, list) and (len(actual) >= wanted if at_least else len(actual) == wanted):
        return None
    got = f"{len(actual)}" if isinstance(actual, list) else show(actual)
    return f"expected an array of {'at least ' if at_least else ''}{wanted} elements, got {got}"


def _near(expected: float, actual: Any, tolerance: Tolerance) -> Verdict:
    if is_number(actual) and tolerance.accepts(expected, actual):
        return None
    return f"expected {expected:g} ± {tolerance.allowance(expected):g}, got {show(actual)}"


def _regex(pattern: str, actual: Any) -> Verdict:
    if not isinstance(actual, str):
        return f"expected a string that matches /{pattern}/, got {show(actual)}"
    try:
        if found(pattern, actual):
            return None
    except PatternError as error:
        return f"the case's pattern /{pattern}/ is broken: {error}"
    return f"expected a string that matches /{pattern}/, got {show(actual)}"


# --- objects -----------------------------------------------------------------------------------------


def _object(matcher: Mapping[str, Any], actual: Any, tolerance: Tolerance) -> Verdict:
    operators = [name for name in OPERATORS if name in matcher]
    if not operators:
        return _fields(matcher, actual, tolerance)
    for name in operators:
        if trouble := OPERATORS[name](matcher[name], actual, tolerance):
            return trouble
    if "$type" in matcher and not ("$exists" in matcher and matcher["$exists"] is False):
        return _type(matcher["$type"], actual)
    return None


def _fields(matcher: Mapping[str, Any], actual: Any, tolerance: Tolerance) -> Verdict:
    """Each named field must match; other fields do not matter."""
    if not isinstance(actual, dict):
        hint = "".join(
            f"; {key} alone is no operator of the case language" for key in matcher if key.startswith("$")
        )
        return f"expected an object, got {show(actual)}{hint}"
    for key, expected in matcher.items():
        if key not in actual:
            if expected == "absent":
                continue
            return f'field "{key}": expected {show(expected)}, but there is no such field'
        if trouble := match(expected, actual[key], tolerance):
            return f'field "{key}": {trouble}'
    return None


def _exists(wanted: Any, actual: Any, _: Tolerance) -> Verdict:
    if not isinstance(wanted, bool):
        return f"the case's $exists must be true or false, not {show(wanted)}"
    if wanted and absent(actual):
        return f"expected a value, got {show(actual)}"
    if not wanted and not absent(actual):
        return f"expected nothing there, got {show(actual)}"
    return None


def _type(wanted: Any, actual: Any) -> Verdict:
    kind = json_type(actual)
    return None if kind == wanted else f"expected the type {show(wanted)}, got {kind}: {show(actual)}"


def _match(pattern: Any, actual: Any, _: Tolerance) -> Verdict:
    if not isinstance(pattern, str):
        return f"the case's $match must be a string, not {show(pattern)}"
    return _regex(pattern, actual)


def _any_of(name: str) -> Callable[[Any, Any, Tolerance], Verdict]:
    def test(alternatives: Any, actual: Any, tolerance: Tolerance) -> Verdict:
        if not isinstance(alternatives, list):
            return f"the case's {name} must be an array, not {show(alternatives)}"
        if any(match(item, actual, tolerance) is None for item in alternatives):
            return None
        return f"expected one of {show(alternatives)}, got {show(actual)}"

    return test


def _size(wanted: Any, actual: Any, _: Tolerance) -> Verdict:
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return _length(actual, wanted)
    if isinstance(wanted, dict) and isinstance(wanted.get("$gte"), int):
        return _length(actual, wanted["$gte"], at_least=True)
    return f'the case\'s $size must be a number or {{"$gte": n}}, not {show(wanted)}'


def _empty(wanted: Any, actual: Any, _: Tolerance) -> Verdict:
    empty = absent(actual) or (actual in ("", [], {}) and not is_number(actual))
    if empty is (wanted is not False):
        return None
    return f"expected {'nothing' if not empty else 'a body'}, got {show(actual)}"


def _range(bounds: Any, actual: Any, _: Tolerance) -> Verdict:
    ends = [bounds.get("min"), bounds.get("max")] if isinstance(bounds, dict) else [bounds, ""]
    if not all(end is None or is_number(end) for end in ends):
        return f'the case\'s range must be {{"min": a, "max": b}}, not {show(bounds)}'
    return _between(actual, *ends)


def _some(wanted: Any, actual: Any, tolerance: Tolerance) -> Verdict:
    """At least one element matches: whoever looks on does not know which one it will be."""
    if not isinstance(actual, list):
        return f"expected an array, got {show(actual)}"
    if any(match(wanted, item, tolerance) is None for item in actual):
        return None
    return f"expected an element that matches {show(wanted)}, got {show(actual)}"


def _none(wanted: Any, actual: Any, tolerance: Tolerance) -> Verdict:
    if not isinstance(actual, list):
        return f"expected an array, got {show(actual)}"
    if any(match(wanted, item, tolerance) is None for item in actual):
        return f"expected no element that matches {show(wanted)}, got {show(actual)}"
    return None


def _rising(wanted: Any, actual: Any, tolerance: Tolerance) -> Verdict:
    """Each number is no smaller than the one before, but for the tolerance; at least so many numbers as said."""
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        return f"the case's $rising must be how many numbers there are at least, not {show(wanted)}"
    if not isinstance(actual, list) or not all(map(is_number, actual)) or len(actual) < wanted:
        return f"expected at least {wanted} numbers, got {show(actual)}"
    for before, after in pairwise(actual):
        if after < before - tolerance.allowance(before):
            return f"expected numbers that do not fall, got {show(before)} before {show(after)}"
    return None


def _equal(wanted: Any, actual: Any, _: Tolerance) -> Verdict:
    return (
        None
        if wanted == actual and absent(wanted) == absent(actual)
        else f"expected {show(wanted)}, got {show(actual)}"
    )


OPERATORS: dict[str, Callable[[Any, Any, Tolerance], Verdict]] = {
    "$eq": _equal,
    "$exists": _exists,
    "$match": _match,
    "$in": _any_of("$in"),
    "$some": _some,
    "$none": _none,
    "$rising": _rising,
    "$size": _size,
    "$or": _any_of("$or"),
    "$empty": _empty,
    "range": _range,
}
