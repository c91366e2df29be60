"""Whatever a case file, a matcher or a server says, the outcome is a verdict or a named error, never a crash."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import ManualClock
from engine.conformance.case import CaseFileError, read
from engine.conformance.jsonpath import PathError, parse, resolve
from engine.conformance.matchers import OPERATORS, match
from engine.conformance.report import Report, as_text
from engine.conformance.runner import run_case
from engine.conformance.soundness import asserts_nothing, defect
from engine.conformance.target import START, VirtualTarget
from engine.conformance.values import Missing
from engine.http.message import Response

WORDS = st.sampled_from(
    "any absent exists string:uuidv7 string:pattern( string:pattern(() array:length:2 array:min:x number:range(1,2) "
    "~5 ~ contains: not_contains:1 one_of:200 {{steps.one.response.body.id}} {{x}} ${y} $or $in $.a[0] $..".split()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | WORDS
KEYS = st.text(max_size=6) | st.sampled_from(
    [*OPERATORS, "$type", "$gte", "min", "max", "$.a", "$.b[0].c", "$or"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
PATHS = st.text(alphabet="$.[]*?(@='\"ab01", max_size=14)
ASSERTIONS = st.dictionaries(
    st.sampled_from(
        "status status_in body body_absent body_contains headers timing_ms exclusive_claim".split()
    ),
    JSON | st.dictionaries(PATHS | KEYS, JSON, max_size=3),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(matcher=JSON, value=JSON | st.builds(Missing, st.text(max_size=5)))
def test_a_match_is_a_verdict(matcher: Any, value: Any) -> None:
    trouble = match(matcher, value)
    assert trouble is None or trouble


@settings(max_examples=200, deadline=None)
@given(path=PATHS, value=JSON)
def test_a_path_is_read_or_refused(path: str, value: Any) -> None:
    try:
        parse(path)
    except PathError:
        return
    resolve(path, value)


@settings(max_examples=200, deadline=None)
@given(
    raw=st.fixed_dictionaries(
        {"test_id": SCALARS, "level": SCALARS, "steps": JSON},
        optional={"setup": JSON, "teardown": JSON, "tags": JSON, "name": JSON},
    )
)
def test_a_case_file_is_read_or_refused_by_place(raw: dict[str, Any]) -> None:
    try:
        read(json.dumps(raw).encode(), "f.json")
    except CaseFileError as error:
        told = error.to_dict()
        if told["file"] != "f.json" or not told["reason"]:
            raise AssertionError(told) from error


@settings(max_examples=100, deadline=None)
@given(assertions=ASSERTIONS, body=st.binary(max_size=12) | JSON, status=st.integers(100, 599), action=WORDS)
def test_any_assertion_against_any_answer_is_a_verdict(
    assertions: dict[str, Any], body: Any, status: int, action: str
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    steps = [
        {"id": "one", "action": "GET", "path": "/x"},
        {"id": "two", "action": "POST", "path": "/{{steps.one.response.body.a}}", "assertions": assertions},
        {"id": "three", "action": "ASSERT", "assertions": assertions},
        {"id": "four", "action": action, "assertions": assertions},
    ]
    for chosen in (steps, steps[2:3], steps[3:]):
        case = read(json.dumps({"test_id": "T", "level": 0, "steps": chosen}).encode(), "f.json")
        target = VirtualTarget(lambda _: Response(status, {}, raw), ManualClock(START), lambda: None)
        result = run_case(case, target)
        assert result.reason or result.verdict == "passed"
        json.dumps(result.to_dict())
        as_text(Report("a server", [result]))
        defect(case)
        asserts_nothing(case)
