"""Cron entries and workflows: the same commands give the same bytes, however finely time is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Engine
from engine.clock import ManualClock
from engine.times import HOUR, parse_time

START = parse_time("2026-03-08T04:00:00Z")  # New York's clocks jump at 07:00
EXPRESSIONS = (
    "* * * * *",
    "*/7 * * * *",
    "30 2 * * *",
    "@hourly",
    "@every 11m",
    "15,45 1-4 * * *",
    "*/20 * * * * *",
)
POLICIES = ("skip", "allow", "cancel_previous", "enqueue")

ENTRY = st.fixed_dictionaries(
    {
        "cron": st.sampled_from(EXPRESSIONS),
        "timezone": st.sampled_from(("UTC", "America/New_York", "Asia/Kolkata")),
        "overlap_policy": st.sampled_from(POLICIES),
        "enabled": st.sampled_from((True, True, True, False)),
    }
)


def history(entries: list[dict[str, Any]], steps: list[int]) -> str:
    """All events of six hours, as text; time goes on by the given steps."""
    clock = ManualClock(START)
    engine = Engine(clock)
    for index, entry in enumerate(entries):
        engine.cron.register({"name": f"e{index}", "type": "a.b", **entry})
    for step in steps:
        clock.advance(step)
        engine.advance()
    return json.dumps([event.to_dict() for event in engine.events])


@settings(max_examples=40, deadline=None)
@given(entries=st.lists(ENTRY, min_size=1, max_size=3), cuts=st.lists(st.integers(0, 5 * HOUR), max_size=6))
def test_the_outcome_does_not_depend_on_how_finely_time_is_cut(
    entries: list[dict[str, Any]], cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), 5 * HOUR]
    steps = [late - early for early, late in pairwise(edges)]
    assert history(entries, steps) == history(entries, [5 * HOUR])


@settings(max_examples=40, deadline=None)
@given(entries=st.lists(ENTRY, min_size=1, max_size=3))
def test_each_occurrence_is_triggered_or_skipped_exactly_once(entries: list[dict[str, Any]]) -> None:
    """Every occurrence is an event, in order, and the counters agree with the events (OJS Cron 9)."""
    clock = ManualClock(START)
    engine = Engine(clock)
    for index, entry in enumerate(entries):
        engine.cron.register({"name": f"e{index}", "type": "a.b", **entry})
    expected = {f"e{index}": engine.cron.next_runs(f"e{index}", 1000) for index in range(len(entries))}
    clock.advance(5 * HOUR)
    engine.advance()
    for name, runs in expected.items():
        events = [event for event in engine.events if event.subject == name]
        real = [event for event in events if event.data.get("reason") != "dst_skip"]
        assert [event.time for event in real] == [at for at in runs if at <= START + 5 * HOUR]
        triggered = sum(event.type == "cron.triggered" for event in events)
        assert engine.cron.get(name)["run_count"] == triggered


def test_the_same_workflow_with_the_same_seed_gives_the_same_bytes() -> None:
    def once() -> str:
        engine = Engine(ManualClock(START), seed=7)
        inner = {"type": "group", "jobs": [{"type": "b.c", "args": [index]} for index in range(3)]}
        engine.workflows.create({"type": "chain", "steps": [{"type": "a.b", "args": []}, inner]})
        while jobs := engine.fetch(["default"], 2):
            for job in jobs:
                engine.ack(job.id, job.args)
        return json.dumps([event.to_dict() for event in engine.events])

    assert once() == once()
