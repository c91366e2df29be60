"""Paths of the case language."""

from __future__ import annotations

from typing import Any

import pytest

from engine.conformance.jsonpath import PathError, parse, resolve
from engine.conformance.values import Missing

BODY = {
    "job": {"id": "a", "options": {"queue": "q"}, "error": None, "snake_case-1": 1},
    "jobs": [
        {"id": "a", "state": "active", "args": [1, {"x": 2}], "n": 3, "error": {"code": "E1"}},
        {"id": "b", "state": "done", "args": [], "n": 4, "on": True},
        {"state": "done"},
    ],
    "matrix": [[1, 2], [3]],
}

FOUND: list[tuple[str, Any]] = [
    ("$", BODY),
    ("$.job.id", "a"),
    ("$.job.options.queue", "q"),
    ("$.job.error", None),
    ("$.job.snake_case-1", 1),
    ("$.jobs[0].id", "a"),
    ("$.jobs[0].args[1].x", 2),
    ("$.matrix[0][1]", 2),
    ("$.jobs[*].id", ["a", "b"]),
    ("$.jobs[*].state", ["active", "done", "done"]),
    ("$.jobs[*].args[*]", [1, {"x": 2}]),
    ("$.matrix[*]", [[1, 2], [3]]),
    ("$.jobs[?(@.state=='done')].id", "b"),
    ('$.jobs[?(@.state=="done")].id', "b"),
    ("$.jobs[?(@.state == done)].id", "b"),
    ("$.jobs[?(@.n==4)].id", "b"),
    ("$.jobs[?(@.on==true)].id", "b"),
    ("$.jobs[?(@.error.code=='E1')].id", "a"),
    ("job.id", "a"),
    ("jobs[1].id", "b"),
]

LEADS_NOWHERE = [
    ("$.jobs[7].id", "3 elements"),
    ("$.job.nothing", 'no "nothing"'),
    ("$.job.id.more", "not an object"),
    ("$.job[0]", "not an array"),
    ("$.job[*].id", "not an array"),
    ("$.jobs[?(@.state=='lost')].id", "no element"),
    ("$.job[?(@.state=='lost')]", "not an array"),
    ("$.jobs[2].id", 'no "id"'),
]

BROKEN = ["$..id", "$.", "$.jobs[", "$.jobs[-1]", "$.jobs[x]", '$.meta["a.b"]', "$.jobs[?(@.a>1)]", "$.a]b"]


@pytest.mark.parametrize(("path", "value"), FOUND)
def test_finds(path: str, value: Any) -> None:
    assert resolve(path, BODY) == value


@pytest.mark.parametrize(("path", "why"), LEADS_NOWHERE)
def test_a_path_that_leads_nowhere_says_where_it_ended(path: str, why: str) -> None:
    found = resolve(path, BODY)
    assert isinstance(found, Missing)
    assert why in found.why


@pytest.mark.parametrize("path", BROKEN)
def test_a_path_that_is_not_of_the_language_is_refused(path: str) -> None:
    with pytest.raises(PathError, match="expected"):
        parse(path)


def test_from_a_missing_body_every_path_keeps_the_reason() -> None:
    gone = Missing("the answer has no body")
    assert resolve("$.job.id", gone) is gone
