"""The language of the job search: what each term means, and how precise its errors are."""

from __future__ import annotations

from typing import Any

import pytest

from engine.failure import entry, read
from engine.job import Job
from playground.qualifiers import EXAMPLES, MAX_TEXT, NAMES, spelled
from playground.search import MAX_QUERY, MAX_TERMS, parse

ID = "01900000-0000-7000-8000-0000000000ab"


def job(**fields: Any) -> Job:
    """A job that most queries here find."""
    usual: dict[str, Any] = {
        "id": ID,
        "type": "email.send",
        "args": [{"user": 1, "to": {"name": "Ada"}}, "welcome", None, True, 1.5],
        "queue": "mail",
        "priority": 5,
        "tags": ["nightly", "Slow"],
        "meta": {"tenant_id": "acme", "a.b": "dotted"},
        "state": "retryable",
        "attempt": 2,
        "worker_id": "demo-1",
    }
    error = read({"type": "TimeoutError", "code": "timeout", "message": "SMTP timed out after 30 s"})
    return Job(**{**usual, "error": error, "errors": [entry(error, 2, 0)], **fields})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "state:retryable",
        "STATE:Retryable",
        "state:discarded,retryable",
        "type:email.send",
        "type:email.*",
        "type:*send",
        "type:*mail*nd",
        "queue:mail",
        "queue:m*",
        f"id:{ID}",
        "id:01900000",
        "id:0000ab",
        "id:…0000ab",
        "args.0.user:1",
        "args.user:1",
        "args.to.name:Ada",
        "args.0.to.name:A*",
        "args.1:welcome",
        "args.2:null",
        "args.3:true",
        "args.4:1.5",
        "args:WELCOME",
        "meta.tenant_id:acme",
        "meta.a.b:dotted",
        "attempt:2",
        "attempt:=2",
        "attempt:>1",
        "attempt:>=2",
        "attempt:<3",
        "attempt:<=2",
        "attempt:1..2",
        "priority:>-1",
        "tag:nightly",
        "tag:Slo*",
        'error:"timed out"',
        "error:timeouterror",
        "worker:demo-*",
        "welcome",
        '"smtp timed"',
        "ADA",
        "-state:completed",
        "-priority:<5",
        "-absent",
        'state:retryable type:email.* args.user:1 attempt:>1 tag:nightly error:text -x "timed out"'.replace(
            "error:text", "error:smtp"
        ),
    ],
)
def test_a_job_that_meets_every_term_is_found(query: str) -> None:
    search = parse(query)
    assert search.problems == ()
    assert search.matches(job())


@pytest.mark.parametrize(
    "query",
    [
        "state:completed",
        "-state:retryable",
        "state:retryable state:completed",
        "type:email",
        "type:email.*.x",
        "type:emai?.send",
        "queue:mai",
        "queue:mail queue:other",
        "id:1900000",
        f"id:{ID[:-1]}c",
        "args.user:2",
        "args.9:welcome",
        "args.user.name:1",
        "meta.tenant_id:other",
        "attempt:>2",
        "attempt:3..9",
        "priority:<5",
        "tag:night",
        "error:refused",
        "worker:demo",
        "workflow:*",
        "absent",
        "-welcome",
        "type:email.* absent",
    ],
)
def test_a_job_that_misses_one_term_is_not(query: str) -> None:
    search = parse(query)
    assert search.problems == ()
    assert not search.matches(job())


@pytest.mark.parametrize(
    ("query", "part", "what", "hint"),
    [
        ("type:a state:retriable x", "state:retriable", "no state 'retriable'", "retryable"),
        ("state:zzz", "state:zzz", "no state 'zzz'", "scheduled"),
        ("state:", "state:", "no value", "state:retryable"),
        ("state:,", "state:,", "names no state", "state:retryable"),
        ("stat:active", "stat:active", "no qualifier 'stat'", "Did you mean state:"),
        ("colour:red", "colour:red", "no qualifier 'colour'", '"colour:red"'),
        ("x attempt:many", "attempt:many", "no number", ">=3"),
        ("attempt:>", "attempt:>", "no number", "1..3"),
        ("attempt:9..1", "attempt:9..1", "holds no number", "1..9"),
        ("priority:1e9", "priority:1e9", "no number", ">3"),
        ('a error:"never closed', 'error:"never closed', "not closed", 'Close it with "'),
        ("meta:acme", "meta:acme", "needs the name", "meta.NAME:VALUE"),
        ("state.x:active", "state.x:active", "has no fields", "state:"),
        ("type:" + "*a" * 6, "type:" + "*a" * 6, "five stars", "fewer"),
        ("http://example.org", "http://example.org", "no qualifier 'http'", '"http://example.org"'),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place_and_the_rest_holds(
    query: str, part: str, what: str, hint: str
) -> None:
    search = parse(query)
    (problem,) = search.problems
    assert query[problem.start : problem.end] == part
    assert what in problem.what
    assert hint in problem.hint


def test_the_rest_of_a_query_with_an_error_still_counts() -> None:
    search = parse("state:retryable attempt:many queue:other")
    assert search.states == ("retryable",)
    assert search.queue == "other"
    assert not search.matches(job())


def test_a_query_is_bounded_in_length_and_in_terms() -> None:
    long = parse("x" * 10_000)
    assert len(long.text) == MAX_QUERY
    assert "at most" in long.problems[0].what
    many = parse(" ".join("ab" for _ in range(MAX_TERMS + 1)))
    assert "terms" in many.problems[0].what
    assert len(many.tests) == MAX_TERMS


@pytest.mark.parametrize("name", NAMES)
def test_every_qualifier_has_an_example_that_can_be_read(name: str) -> None:
    assert parse(EXAMPLES[name]).problems == ()


@pytest.mark.parametrize(
    ("query", "plain"),
    [("", True), ("state:active", True), ("queue:a state:active", True), ("state:active,completed", False)],
)
def test_what_the_stores_own_order_answers_is_told_apart(query: str, plain: bool) -> None:
    assert parse(query).is_plain == plain


@pytest.mark.parametrize(
    "args",
    [
        [{str(number): number for number in range(10_000)}],
        ["x" * 2_000_000],
        [[[[[[[[[["deep"]]]]]]]]]],
        [None, True, 1.5, "\u202e\u0000", {"": []}],
        list(range(100_000)),
    ],
)
def test_hostile_arguments_are_looked_into_no_further_than_the_bound(args: list[Any]) -> None:
    assert len(spelled(args)) <= MAX_TEXT
    parse("nothing args.0:x args.zero:y meta.a:b").matches(job(args=args))


@pytest.mark.parametrize(
    "text", ["-", "--", ":", '"', '""', "a:b:c", "-:", "\u202e", "state:,", "id:", "…", "*"]
)
def test_no_text_breaks_the_parser(text: str) -> None:
    for query in (text, text + " x", "x " + text, text * 40):
        parse(query).matches(job())
