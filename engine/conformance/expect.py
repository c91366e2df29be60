"""A step's ``assertions`` held against its answer, one `Check` for each expectation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from engine.conformance.jsonpath import PathError, resolve
from engine.conformance.matchers import DEFAULT, Tolerance, match
from engine.conformance.result import Check
from engine.conformance.target import Exchange
from engine.conformance.values import MAX_DEPTH, Missing, is_number, show, too_deep
from engine.http.message import EventStream, Response

RANGE: Final = re.compile(r"number:range\(\s*(\d+)\s*,\s*(\d+)\s*\)\Z", re.ASCII)
ONE_OF: Final = re.compile(r"one_of:\s*(\d+(?:\s*,\s*\d+)*)\s*\Z", re.ASCII)
CLIP: Final = 200
"""Characters of a body shown beside a text that was looked for in it."""
TIMINGS: Final = ("less_than", "greater_than", "approximate")


class Answer:
    """An HTTP answer as assertions see it: status, headers by lower-case name, body as text and as JSON.

    Args:
        exchange: Request and answer.
    """

    __slots__ = ("body", "elapsed_ms", "headers", "status", "text")

    def __init__(self, exchange: Exchange) -> None:
        response = exchange.response or Response(0)
        raw = b"" if isinstance(response.body, EventStream) else response.body
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.text = raw.decode(errors="replace")
        self.body = parse_body(self.text)
        self.elapsed_ms = exchange.elapsed_ms


def parse_body(text: str) -> Any:
    """The JSON value of a body, or a `Missing` that says why there is none."""
    if not text.strip():
        return Missing("the answer has no body")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        start = " ".join(text[:60].split())
        return Missing(f"the answer is not JSON ({error}); it begins {start!r}")
    return Missing(f"the answer is nested more than {MAX_DEPTH} levels deep") if too_deep(value) else value


Expectation = Callable[[Any, Answer, Tolerance], Iterator[Check]]


def check(assertions: Mapping[str, Any], answer: Answer, tolerance: Tolerance = DEFAULT) -> tuple[Check, ...]:
    """Hold an answer against the assertions of its step.

    Args:
        assertions: As written, templates filled in; names that are not of the language assert nothing.
        answer: What came.
        tolerance: For approximate numbers.
    """
    found: list[Check] = []
    for name, test in _TESTS.items():
        expected = assertions.get(name)
        if expected is not None:
            found.extend(test(expected, answer, tolerance))
    return tuple(found)


def status_trouble(expected: Any, actual: int) -> str:
    """What is wrong with a status; empty when it fits."""
    if is_number(expected):
        return "" if actual == expected else f"expected {expected}, got {actual}"
    if isinstance(expected, str):
        if found := RANGE.match(expected):
            fits = int(found[1]) <= actual <= int(found[2])
            return "" if fits else f"expected a status from {found[1]} to {found[2]}, got {actual}"
        if found := ONE_OF.match(expected):
            fits = actual in {int(part) for part in found[1].split(",")}
            return "" if fits else f"expected one of {found[1]}, got {actual}"
    if isinstance(expected, dict) and set(expected) & {"$in", "$or", "range"}:
        return match(expected, actual) or ""
    return f"{show(expected)} is no status matcher of the case language; got {actual}"


def _status(expected: Any, answer: Answer, _: Tolerance) -> Iterator[Check]:
    yield Check("status", expected, answer.status, status_trouble(expected, answer.status))


def _status_in(expected: Any, answer: Answer, _: Tolerance) -> Iterator[Check]:
    fits = isinstance(expected, list) and answer.status in expected
    trouble = "" if fits else f"expected one of {show(expected)}, got {answer.status}"
    yield Check("status", expected, answer.status, trouble)


def _body(expected: Any, answer: Answer, tolerance: Tolerance) -> Iterator[Check]:
    if not isinstance(expected, dict):
        yield Check("body", expected, answer.body, "the case's body must be an object of paths and matchers")
        return
    for path, matcher in expected.items():
        if path == "$or":
            yield _either(matcher, answer, tolerance)
        else:
            yield at_path(path, matcher, answer.body, tolerance)


def at_path(path: str, matcher: Any, body: Any, tolerance: Tolerance = DEFAULT) -> Check:
    """One path of a body against its matcher; a path that is not of the language leads to nothing."""
    try:
        actual = resolve(path, body)
    except PathError as error:
        actual = Missing(str(error))
    return Check(f"body {path}", matcher, actual, match(matcher, actual, tolerance) or "")


def _either(alternatives: Any, answer: Answer, tolerance: Tolerance) -> Check:
    """The alternatives of a top-level ``$or``: all paths of one of them must match."""
    if not isinstance(alternatives, list) or not alternatives:
        return Check("body $or", alternatives, answer.body, "the case's $or must be an array of bodies")
    troubles: list[str] = []
    for alternative in alternatives:
        wrong = [one for one in _body(alternative, answer, tolerance) if one.trouble]
        if not wrong:
            return Check("body $or", alternatives, answer.body)
        troubles.append(f"{wrong[0].subject.removeprefix('body ')} {wrong[0].trouble}")
    return Check(
        "body $or", alternatives, answer.body, "none of the alternatives matches: " + "; ".join(troubles)
    )


def _absent(expected: Any, answer: Answer, _: Tolerance) -> Iterator[Check]:
    for path in expected if isinstance(expected, list) else [expected]:
        yield at_path(str(path), "absent", answer.body)


def _contains(expected: Any, answer: Answer, _: Tolerance) -> Iterator[Check]:
    for part in expected if isinstance(expected, list) else [expected]:
        fits = isinstance(part, str) and part in answer.text
        yield Check(
            "body text",
            part,
            answer.text[:CLIP],
            "" if fits else f"expected the body to contain {show(part)}",
        )


def _headers(expected: Any, answer: Answer, _: Tolerance) -> Iterator[Check]:
    if not isinstance(expected, dict):
        yield Check("headers", expected, answer.headers, "the case's headers must be an object")
        return
    for name, wanted in expected.items():
        actual = answer.headers.get(name.lower(), Missing("no such header"))
        yield Check(f"header {name}", wanted, actual, _header_trouble(wanted, actual))


def _header_trouble(wanted: Any, actual: Any) -> str:
    # Values compare exactly; named matchers cannot be mistaken for a header's value and are useful for ids.
    return match(wanted, actual) or ""


def _timing(expected: Any, answer: Answer, tolerance: Tolerance) -> Iterator[Check]:
    if not isinstance(expected, dict):
        yield Check("timing", expected, answer.elapsed_ms, "the case's timing_ms must be an object")
        return
    for name in TIMINGS:
        wanted = expected.get(name)
        if wanted is not None:
            yield Check(
                f"timing {name}", wanted, answer.elapsed_ms, _slow(name, wanted, answer.elapsed_ms, tolerance)
            )


def _slow(name: str, wanted: Any, elapsed: float, tolerance: Tolerance) -> str:
    if not is_number(wanted):
        return f"the case's {name} must be a number of milliseconds"
    if name == "less_than":
        return "" if elapsed < wanted else f"expected less than {wanted:g} ms, took {elapsed:g} ms"
    if name == "greater_than":
        return "" if elapsed > wanted else f"expected more than {wanted:g} ms, took {elapsed:g} ms"
    allowed = tolerance.allowance(wanted)
    return (
        ""
        if abs(elapsed - wanted) <= allowed
        else f"expected {wanted:g} ± {allowed:g} ms, took {elapsed:g} ms"
    )


_TESTS: Final[dict[str, Expectation]] = {
    "status": _status,
    "status_in": _status_in,
    "headers": _headers,
    "body": _body,
    "body_absent": _absent,
    "body_contains": _contains,
    "timing_ms": _timing,
}
NAMES: Final = frozenset(_TESTS)
"""The assertions that hold an answer against something."""


def exclusive_claim(expected: Any) -> Check:
    """The cross-step assertion that exactly one of several FETCH answers has a job.

    Args:
        expected: ``{job_id, fetches: [the jobs of each answer, as JSON text], exactly_one_has_job}``.
    """
    subject = "exclusive_claim"
    if not isinstance(expected, dict) or not isinstance(expected.get("fetches"), list):
        return Check(subject, expected, Missing(), "the case's exclusive_claim must name job_id and fetches")
    job_id = expected.get("job_id")
    holders = [number for number, text in enumerate(expected["fetches"]) if _has_job(text, job_id)]
    exactly = expected.get("exactly_one_has_job") is not False
    fits = len(holders) == 1 if exactly else len(holders) != 1
    wanted = "exactly one fetch" if exactly else "none or several fetches"
    trouble = "" if fits else f"expected {wanted} to have job {show(job_id)}; {len(holders)} of them had it"
    return Check(subject, expected, holders, trouble)


def _has_job(text: Any, job_id: Any) -> bool:
    jobs = text
    if isinstance(text, str):
        try:
            jobs = json.loads(text)
        except ValueError:
            return False
    jobs = jobs if isinstance(jobs, list) else [jobs]
    return any(job == job_id or (isinstance(job, dict) and job.get("id") == job_id) for job in jobs)
