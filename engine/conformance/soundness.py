"""What can be told of a case without running it: that it asserts nothing, or that it cannot pass.

Both are computed from the case; `engine.conformance.known` adds what cannot be computed. The rules are narrow
on purpose: whoever calls a sound case impossible hides a failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.conformance import jsonpath
from engine.conformance.case import ASSERT, WAIT, Case, Step
from engine.conformance.expect import NAMES, ONE_OF, RANGE
from engine.conformance.jsonpath import Key, PathError
from engine.conformance.known import known_defect
from engine.conformance.matchers import NAMED, OPERATORS, match
from engine.conformance.patterns import PatternError, found
from engine.conformance.template import REFERENCE
from engine.conformance.values import Missing, is_number, show

_PLACEHOLDER: Final = re.compile(r"\{\{.*?\}\}|\$\{[^}]*\}|\$ref\.\w+")
_PARAMETRIC: Final = re.compile(
    r"(string:contains:.*|string:pattern\(.*\)|number:range\(-?[\d.]+,\s*-?[\d.]+\)"
    r"|array:(length|min_length|min)(:\d+|\(\d+\)))\Z",
    re.DOTALL | re.ASCII,
)
_FAMILY: Final = re.compile(r"(string|number|array):[a-z_]+\b", re.ASCII)
_NOTHING: Final = Missing()


def asserts_nothing(case: Case) -> bool:
    """Whether no step of a case holds any answer against anything; such a run proves nothing."""
    return not any(_effective(step) for step in case.steps)


def _effective(step: Step) -> bool:
    given = step.assertions or {}
    if step.action == ASSERT:
        return "exclusive_claim" in given
    return step.is_request and any(given.get(name) not in (None, {}, []) for name in NAMES)


def defect(case: Case) -> str:
    """Why no honest server can pass a case, with the step; empty when nothing speaks against it."""
    ran: set[str] = set()
    dotted = _dotted_names(case)
    for step in case.steps:
        for reason in _defects(step, ran, dotted):
            return f"{step.id}: {reason}"
        if step.is_request:
            ran.add(step.id)
    return known_defect(case.id)


def _defects(step: Step, ran: set[str], dotted: frozenset[str]) -> Iterator[str]:
    if step.action == WAIT:
        return
    given = step.assertions or {}
    if not step.is_request and step.action != ASSERT:
        if given:
            yield f"{show(step.action)} is no action of the case language"
        return
    if status := _status_defect(given.get("status")):
        yield status
    yield from _contradictions(given)
    if _wants_success(given):
        # Text with braces in the middle may be meant so; a whole value or a part of a path is not.
        values = [text for text in _strings([step.body, step.headers]) if _PLACEHOLDER.fullmatch(text)]
        for text in [step.path, *values]:
            if dead := _dead_reference(text, ran):
                yield f"{dead} in its request is never filled in"
    body = given.get("body")
    if isinstance(body, dict):
        yield from _body_defects(body, ran, dotted)


# --- requests ----------------------------------------------------------------------------------------


def _wants_success(given: Mapping[str, Any]) -> bool:
    """Whether only a 2xx answer will do: then a request that cannot be meant as written cannot pass."""
    status = given.get("status")
    if isinstance(status, dict):
        status = status.get("$in")
    wanted = status if isinstance(status, list) else [status]
    return bool(wanted) and all(is_number(one) and 200 <= one < 300 for one in wanted)


def _dead_reference(text: str, ran: set[str]) -> str:
    """A placeholder of the text that nothing will ever replace; empty when there is none."""
    for placeholder in _PLACEHOLDER.finditer(text):
        reference = REFERENCE.fullmatch(placeholder[0])
        if reference is None or reference[1] not in ran:
            return placeholder[0]
    return ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


# --- assertions --------------------------------------------------------------------------------------


def _status_defect(status: Any) -> str:
    if status is None or is_number(status):
        return ""
    if isinstance(status, str) and (RANGE.match(status) or ONE_OF.match(status)):
        return ""
    if isinstance(status, dict) and set(status) & {"$in", "$or", "range"}:
        return ""
    return f"{show(status)} is no status matcher of the case language"


def _contradictions(given: Mapping[str, Any]) -> Iterator[str]:
    status, one_of = given.get("status"), given.get("status_in")
    if is_number(status) and isinstance(one_of, list) and status not in one_of:
        yield f"the status cannot be {status} and one of {show(one_of)}"
    body, gone = given.get("body"), given.get("body_absent")
    if isinstance(body, dict) and isinstance(gone, list):
        for path in gone:
            if isinstance(path, str) and path in body and match(body[path], _NOTHING) is not None:
                yield f"{path} cannot be absent and {show(body[path])}"
    timing = given.get("timing_ms")
    if isinstance(timing, dict):
        low, high = timing.get("greater_than"), timing.get("less_than")
        if is_number(low) and is_number(high) and low >= high:
            yield f"no time is above {low:g} ms and below {high:g} ms"


def _body_defects(body: Mapping[str, Any], ran: set[str], dotted: frozenset[str]) -> Iterator[str]:
    for path, matcher in body.items():
        if path == "$or":
            alternatives = matcher if isinstance(matcher, list) else []
            flaws = [
                next(_body_defects(one, ran, dotted), "") for one in alternatives if isinstance(one, dict)
            ]
            if not flaws or all(flaws):
                yield flaws[0] if flaws else "$or has no alternatives"
            continue
        if flaw := _matcher_flaw(matcher, ran):
            yield f"{path}: {flaw}"
        elif match(matcher, _NOTHING) is not None and (flaw := _path_flaw(path, ran, dotted)):
            yield flaw


def _path_flaw(path: str, ran: set[str], dotted: frozenset[str]) -> str:
    """Why a path can lead to nothing but nothing."""
    if dead := _dead_reference(path, ran):
        return f"{dead} in the path {path} is never filled in"
    try:
        segments = jsonpath.parse(path)
    except PathError as error:
        return f"{error}, so the path leads nowhere"
    spelled = "." + ".".join(segment.name if isinstance(segment, Key) else "" for segment in segments) + "."
    for name in dotted:
        if f".{name}." in spelled:
            return f"the path {path} takes the name {show(name)}, which contains dots, for nested objects"
    return ""


def _dotted_names(case: Case) -> frozenset[str]:
    """Names with dots that the case's requests send and that none of them also spells as nested objects."""
    names: set[str] = set()
    nested: set[str] = set()
    for step in case.steps:
        _names(step.body, "", names, nested)
    return frozenset(name for name in names if not any(f".{path}".endswith(f".{name}") for path in nested))


def _names(value: Any, path: str, names: set[str], nested: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _names(item, path, names, nested)
    elif isinstance(value, dict):
        for key, item in value.items():
            if "." in key:
                names.add(key)
            else:
                nested.add(f"{path}.{key}")
                _names(item, f"{path}.{key}", names, nested)


def _matcher_flaw(matcher: Any, ran: set[str]) -> str:
    """Why no value matches; empty when one may."""
    if isinstance(matcher, str):
        return _string_flaw(matcher, ran)
    if isinstance(matcher, list):
        return next((flaw for item in matcher if (flaw := _matcher_flaw(item, ran))), "")
    if isinstance(matcher, dict):
        return _object_flaw(matcher, ran)
    return ""


def _string_flaw(matcher: str, ran: set[str]) -> str:
    if matcher in NAMED:
        return ""
    if dead := _dead_reference(matcher, ran):
        return f"{dead} is never filled in"
    if matcher.startswith("string:pattern(") and matcher.endswith(")"):
        return _pattern_flaw(matcher[len("string:pattern(") : -1])
    if _FAMILY.match(matcher) and not _PARAMETRIC.match(matcher):
        return f"{show(matcher)} is no matcher of the case language"
    return ""


def _pattern_flaw(pattern: str) -> str:
    try:
        found(pattern, "")
    except PatternError as error:
        return f"the pattern {show(pattern)} is broken: {error}"
    return ""


def _object_flaw(matcher: Mapping[str, Any], ran: set[str]) -> str:
    if not any(name in OPERATORS for name in matcher):
        strange = [name for name in matcher if name.startswith("$")]
        if strange:
            return f"{strange[0]} alone is no operator of the case language"
        return next((flaw for item in matcher.values() if (flaw := _matcher_flaw(item, ran))), "")
    for name in ("$in", "$or"):
        if name in matcher:
            choices = matcher[name]
            if not isinstance(choices, list) or not choices:
                return f"{name} must be an array of alternatives"
            flaws = [_matcher_flaw(choice, ran) for choice in choices]
            if all(flaws):
                return flaws[0]
    if isinstance(matcher.get("$match"), str) and (flaw := _pattern_flaw(matcher["$match"])):
        return flaw
    wants = matcher.get("$exists")
    if wants is False and (json.dumps(matcher.get("$size", 0)) != "0" or "$match" in matcher):
        return "it demands a value and that there is none"
    return ""
