"""Which jobs a search finds in a store, what a bulk operation would do, failures alike, attempts, small pictures."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Engine
from engine.clock import ManualClock
from engine.job import Job
from playground import found as finding
from playground.attempts import attempts
from playground.failures import Group, failed, fingerprint, groups
from playground.found import everything, find, preview
from playground.gauges import bars, shares
from playground.search import parse
from tests.conftest import START


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(clock)


def push(engine: Engine, count: int = 1, **fields: Any) -> list[str]:
    return [engine.push({"type": "email.send", "args": [], **fields}).job.id for _ in range(count)]


def test_a_plain_query_is_answered_exactly_and_page_by_page(engine: Engine) -> None:
    ids = push(engine, 60) + push(engine, 3, queue="other")
    result = find(engine.store, parse("queue:default"), 2)
    assert [job.id for job in result.jobs] == ids[34:9:-1]
    assert (result.total, result.page, result.pages, result.partly) == (60, 2, 3, False)
    assert find(engine.store, parse(""), 99).page == 3
    assert find(engine.store, parse("state:active"), 5)[1:4] == (1, 1, 0)


def test_any_other_query_looks_at_the_newest_and_says_how_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "LOOK", 10)
    push(engine, 8, type="old.kind")
    push(engine, 8)
    result = find(engine.store, parse("type:old.*"), 1)
    assert (result.total, result.looked, result.every, result.partly) == (2, 10, 16, True)
    assert len(everything(engine.store, parse("type:old.*"))) == 8


def test_several_states_are_each_given_their_share(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LOOK", 10)
    pending = push(engine, 2, pending=True)
    waiting = push(engine, 40)
    result = find(engine.store, parse("state:pending,available"), 1)
    assert [job.id for job in result.jobs] == [*waiting[:34:-1], *reversed(pending)]
    assert result.partly


def test_a_whole_id_is_looked_up(engine: Engine) -> None:
    first, second = push(engine, 2)
    assert [job.id for job in find(engine.store, parse(f"id:{first}"), 1).jobs] == [first]
    assert find(engine.store, parse(f"id:{second} state:active"), 1).jobs == []
    assert [job.id for job in everything(engine.store, parse(f"id:{second}"))] == [second]


@pytest.mark.parametrize(
    ("what", "possible"),
    [
        ("retry", {"retryable", "discarded"}),
        ("cancel", {"scheduled", "pending", "available", "active", "retryable"}),
        ("delete", {"completed", "cancelled", "discarded"}),
    ],
)
def test_a_preview_knows_from_the_table_what_is_possible_and_why_not(what: str, possible: set[str]) -> None:
    from engine.lifecycle import STATES  # noqa: PLC0415 - one test of many wants it

    jobs = [
        Job(id=f"{state}-{number}", type="a", args=[], state=state) for state in STATES for number in (1, 2)
    ]
    seen = preview(what, jobs)
    assert {job.state for job in seen.possible} == possible
    assert {one.state for one in seen.refused} == set(STATES) - possible
    assert all(one.jobs == 2 and one.why.endswith(".") for one in seen.refused)
    assert seen.total == 16


@pytest.mark.parametrize(
    ("message", "like"),
    [
        ("No user 17 in 3 ms", "No user … in … ms"),
        ('Key "a b" is taken', "Key … is taken"),
        ("Job 01900000-0000-7000-8000-0000000000ab is gone", "Job … is gone"),
        ("at 0xdeadbeef", "at …"),
        ("  spaced \n out ", "spaced out"),
        ("", ""),
    ],
)
def test_a_fingerprint_leaves_out_what_differs(message: str, like: str) -> None:
    assert fingerprint(message) == like


def test_failures_are_grouped_by_type_and_fingerprint_and_found_again(engine: Engine) -> None:
    for number in range(3):
        push(engine, retry={"max_attempts": 1, "on_exhaustion": "dead_letter"})
        (job,) = engine.fetch(["default"])
        engine.fail(job.id, {"type": "Lookup", "message": f'No user {number} in "{number}"'})
    push(engine)
    (other,) = engine.fetch(["default"])
    engine.fail(other.id, {"type": "Lookup", "message": "Refused"})
    first, second = groups(failed(engine.store))
    assert (first.like, first.count, first.dead, first.waiting) == ("No user … in …", 3, 3, 0)
    assert (second.like, second.count, second.dead, second.waiting) == ("Refused", 1, 0, 1)
    assert first.last.startswith("2026-01-01T12")
    assert len(first.examples) == 3
    search = parse(first.query)
    assert search.problems == ()
    assert find(engine.store, search, 1).total == 3


def test_a_group_without_a_message_is_found_by_its_type() -> None:
    assert parse(Group("Boom", "…", "5").query).problems == ()


def test_attempts_tell_waits_runs_and_ends(engine: Engine, clock: ManualClock) -> None:
    push(engine, retry={"max_attempts": 2, "initial_interval": "PT5S", "jitter": False})
    clock.set(START + 1_000)
    (job,) = engine.fetch(["default"])
    clock.set(START + 3_000)
    engine.fail(job.id, {"code": "first"})
    clock.set(START + 9_000)
    engine.advance()
    engine.fetch(["default"])
    clock.set(START + 10_000)
    engine.fail(job.id, {"code": "second"})
    one, two = attempts(job)
    assert (one.number, one.waited, one.ended, one.state) == (1, 1_000, START + 3_000, "retryable")
    assert (two.number, two.waited, two.operation, two.state) == (2, 6_000, "FAIL", "discarded")
    assert [one.error["code"] if one.error else None for one in (one, two)] == ["first", "second"]
    engine.retry(job.id)
    clock.set(START + 11_000)
    engine.fetch(["default"])
    again = attempts(job)[-1]
    assert (again.number, again.waited, again.ended, again.error) == (1, 1_000, None, None)


def test_bars_and_shares_fill_their_picture() -> None:
    assert bars([0, 0], 1, 2, 10) == ""
    assert bars([0, 2], 2, 2, 10) == "M2.0 10.0v-10.0h1.6v10.0z"
    assert bars([1], 2, 2, 10, below=[1]) == "M0.0 5.0v-5.0h1.6v5.0z"
    assert shares({"a": 0, "b": 1, "c": 3}, 100) == [("b", 0.0, 25.0), ("c", 25.0, 75.0)]
    assert shares({"a": 0}, 100) == []
