"""What is wrong with a request that is being written; the templates, and what the editor says of each field."""

from __future__ import annotations

import json
import re
import time

import pytest

from engine import envelope
from engine.clock import ManualClock
from engine.http.message import Request
from playground.compose import BY_NAME, MOST, Problem, check
from playground.session import Session
from playground.topics import TOPICS, Topic
from tests.conftest import ROOT, START

FIELDS = json.loads((ROOT / "static" / "envelope.json").read_text())
LIMIT = 1_048_576


def problems(text: str, target: str = "job") -> list[Problem]:
    return check(text, BY_NAME[target], START, LIMIT)


def errors(text: str, target: str = "job") -> list[tuple[str, str]]:
    return [(one.pointer, one.clause) for one in problems(text, target) if one.error]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_template_has_no_problem_and_the_server_takes_it(topic: Topic) -> None:
    assert problems(topic.text, topic.target) == []
    request = Request("POST", BY_NAME[topic.target].path, {}, topic.text.encode())
    assert Session(ManualClock(START), seed=7).handle(request).status == 201


def test_every_problem_is_listed_with_its_pointer_and_clause() -> None:
    text = json.dumps(
        {
            "type": "Email Send",
            "queue": "Big Q",
            "options": {
                "priority": 999,
                "retry": {"max_attempts": -1, "jitter": 3},
                "unique": {"states": ["nope"], "on_conflict": "x"},
                "rate_limit": {"key": "?"},
            },
        }
    )
    assert sorted(errors(text)) == [
        ("/args", "OJS Core 5.1"),
        ("/options/priority", "OJS Core 5.2"),
        ("/options/rate_limit/key", "OJS Rate Limiting 6.2"),
        ("/options/retry/jitter", "OJS Retry 11.1"),
        ("/options/retry/max_attempts", "OJS Retry 11.1"),
        ("/options/unique/on_conflict", "OJS Unique Jobs 5"),
        ("/options/unique/states", "OJS Unique Jobs 6.2"),
        ("/queue", "OJS Core 5.1"),
        ("/type", "OJS Core 5.1"),
    ]


@pytest.mark.parametrize(
    ("target", "text", "expected"),
    [
        ("batch", '{"jobs": [{"type": "A", "args": []}, {"type": "a", "args": [], "priority": 200}]}',
         [("/jobs/0/type", "OJS Core 5.1"), ("/jobs/1/priority", "OJS Core 5.2")]),
        ("batch", '{"jobs": 3}', [("/jobs", "OJS HTTP Binding 9.2")]),
        ("batch", '{"jobs": [3]}', [("/jobs/0", "OJS HTTP Binding 6.1")]),
        ("workflow", '{"type": "chain", "steps": [{"type": "A", "args": []}, 7]}',
         [("/steps/0/type", "OJS Core 5.1"), ("/steps/1", "OJS Workflows 11.1")]),
        ("workflow", '{"type": "ring", "steps": []}', [("/type", "OJS Workflows 11.1")]),
        ("workflow", "{}", [("", "OJS Workflows 11.1")]),
        ("cron", '{"name": "B B", "cron": "* *", "job_template": {"type": "A", "options": {"priority": 1000}}}',
         [("/name", "OJS Cron 2.2"), ("/cron", "OJS Cron 3.5"), ("/job_template/type", "OJS Core 5.1"),
          ("/job_template/options/priority", "OJS Core 5.2")]),
        ("job", "[]", [("", "OJS HTTP Binding 6.1")]),
        ("job", '{"type": 3, "args": {}, "options": 7}',
         [("/type", "OJS Core 5.1"), ("/args", "OJS Core 5.1"), ("/options", "OJS HTTP Binding 9.1")]),
        ("job", '{"type": "a", "args": [], "retry": {"max_attempts": -1}}',
         [("/retry/max_attempts", "OJS Retry 11.1")]),
        ("job", '{"type": "a", "args": [], "options": {"retry_policy": {"max_attempts": -1}}}',
         [("/options/retry_policy/max_attempts", "OJS Retry 11.1")]),
    ],
)  # fmt: skip
def test_the_places_are_exact(target: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert errors(text, target) == expected


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n  "type": "a",\n}', 3, 1),
        ("{", 1, 2),
        ('{"type"', 1, 8),
        ('{"a": 1}\nx', 2, 1),
        ('{"é𝄞": }', 1, 8),
    ],
)
def test_broken_json_is_marked_where_it_breaks(text: str, line: int, column: int) -> None:
    (problem,) = problems(text)
    assert (problem.place.line, problem.place.column) == (line, column)
    assert problem.error


@pytest.mark.parametrize("size", range(0, 200, 3))
def test_half_a_text_is_never_more_than_a_problem(size: int) -> None:
    text = next(topic.text for topic in TOPICS if topic.name == "retry")[:size]
    found = problems(text)
    assert found
    assert all(one.message.endswith((".", "?")) for one in found)


def test_what_is_taken_but_perhaps_not_meant_is_a_note() -> None:
    text = '{"type": "a", "args": [], "priorty": 3, "state": "active", "options": {"qeue": "x"}}'
    told = [(one.error, one.pointer, one.clause) for one in problems(text)]
    assert told == [
        (False, "/priorty", "OJS Core 5.5"),
        (False, "/state", "OJS Core 5.3"),
        (False, "/options/qeue", "OJS HTTP Binding 9.1"),
    ]
    assert problems(text)[0].message.endswith("did you mean 'priority'?")


def test_too_many_bytes_are_said_before_anything_is_read() -> None:
    (problem,) = check("x" * 2000, BY_NAME["job"], START, 1000)
    assert "2,000 bytes" in problem.message
    assert problem.clause == "OJS Payload Limits"


def test_hostile_texts_are_answered_shortly_and_soon() -> None:
    started = time.monotonic()
    many = {f"key{index}": index for index in range(10_000)}
    for text in (
        json.dumps({"type": "a", "args": [], **many}),
        json.dumps({"type": "<img src=x>" * 1000, "args": ["x" * 900_000]}),
        "[" * 100_000,
        '{"type": "\u202eevil", "args": [1' + "0" * 5000 + "]}",
    ):
        found = problems(text)
        assert 1 <= len(found) <= MOST
        assert all(len(one.message) < 500 for one in found)
    assert time.monotonic() - started < 5


def test_nothing_is_enqueued_and_no_id_is_drawn_by_a_check() -> None:
    session = Session(ManualClock(START), seed=7)
    check(TOPICS[0].text, BY_NAME["job"], START, LIMIT)
    assert session.engine.push({"type": "a", "args": []}).job.id == (
        Session(ManualClock(START), seed=7).engine.push({"type": "a", "args": []}).job.id
    )


# what the editor says of each field


def names(context: str) -> set[str]:
    return {field["name"] for field in FIELDS[context]["fields"]}


def test_the_editor_tells_of_exactly_the_fields_that_the_engine_reads() -> None:
    assert names("job") | names("options") == envelope.KNOWN - envelope.SYSTEM
    assert names("options") == envelope.OPTIONS


def test_each_field_has_a_sentence_a_clause_and_a_value_to_begin_with() -> None:
    for context in FIELDS.values():
        for field in context["fields"]:
            assert re.fullmatch(r"[A-Z].*[.]", field["text"]), field
            assert field["clause"].startswith(("OJS ", "openapi ")), field
            json.loads(field["insert"])
            assert field.get("inside", "job") in FIELDS
        assert context.get("also", "job") in FIELDS


@pytest.mark.parametrize("context", ["job", "options", "retry", "unique", "rate_limit"])
def test_each_suggested_value_passes(context: str) -> None:
    for field in FIELDS[context]["fields"]:
        for value in [json.loads(field["insert"]), *field.get("values", [])]:
            part = {field["name"]: value}
            if context in {"retry", "unique", "rate_limit"}:
                part = {context: part}
            body = {"type": "a", "args": []} | (part if context == "job" else {"options": part})
            found = [one for one in problems(json.dumps(body)) if one.error]
            assert found == [], field["name"]
