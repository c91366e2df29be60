"""The pictures' geometry and what it is told from: attempts, the scale, waits, pairs, layers, the builders."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRequest
from engine.events import Event
from engine.retry import RetryPolicy
from engine.workflow_reader import read
from playground.graphs.attempts import attempts
from playground.graphs.comparing import lives, pairs
from playground.graphs.cron import joined, parts
from playground.graphs.layers import Node, arrange, every
from playground.graphs.retries import MOST, planned
from playground.graphs.scale import Scale
from playground.graphs.steps import SHOWN, written
from playground.graphs.what_if import changed, places, played, value_of
from playground.graphs.words import plain, preview
from playground.graphs.workflow_builder import (
    CHANGES,
    STARTS,
    building,
    change,
    fill,
    find,
    parse,
    rows,
    text_of,
)
from playground.travel import library
from tests.conftest import START


def event(seq: int, time: int, kind: str, state: str, **data: object) -> Event:
    return Event(seq, time, kind, "j", {"job_id": "j", "job_type": "a.b", "state": state, **data})


# attempts


def test_an_attempt_runs_from_its_start_to_the_next_event_that_leaves_active() -> None:
    found, waiting = attempts(
        [
            event(1, 0, "job.enqueued", "available", attempt=0),
            event(2, 400, "job.started", "active", attempt=1, worker_id="w"),
            event(3, 700, "job.progress", "active", attempt=1),
            event(4, 900, "job.failed", "retryable", attempt=1),
            event(5, 900, "job.retrying", "retryable", attempt=1),
            event(6, 1900, "job.enqueued", "available", attempt=1),
            event(7, 2000, "job.started", "active", attempt=2, worker_id="w"),
        ]
    )
    assert [(one.number, one.start, one.end, one.outcome, one.since) for one in found] == [
        (1, 400, 900, "retryable", 0),
        (2, 2000, None, "active", 900),
    ]
    assert waiting == []


def test_a_job_waits_since_it_first_did_and_no_more_once_it_has_ended() -> None:
    first = event(1, 0, "job.scheduled", "scheduled")
    second = event(2, 500, "job.enqueued", "available")
    _, waiting = attempts([first, second])
    assert [(one.since, one.state) for one in waiting] == [(0, "available")]
    _, waiting = attempts([first, second, event(3, 600, "job.cancelled", "cancelled")])
    assert waiting == []


# the scale

spans = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**7)), min_size=1, max_size=30).map(
    lambda found: [(start, start + length) for start, length in found]
)


@given(spans)
def test_the_scale_keeps_the_order_of_instants_and_stays_in_its_width(found: list[tuple[int, int]]) -> None:
    scale = Scale(found)
    instants = sorted({at for span in found for at in span})
    places_of = [scale.x(at) for at in instants]
    assert all(left <= right for left, right in pairwise(places_of))
    assert places_of[0] == pytest.approx(0)
    assert places_of[-1] <= scale.width + 0.01


def test_a_long_silence_is_cut_and_told_while_attempts_stay_true_to_scale() -> None:
    hour = 3_600_000
    scale = Scale([(0, 1000), (hour, hour + 1000), (hour + 1000, hour + 3000)])
    assert [(cut.ms, cut.idle) for cut in scale.cuts] == [(hour - 1000, True)]
    first = scale.x(1000) - scale.x(0)
    assert scale.x(hour + 3000) - scale.x(hour + 1000) == pytest.approx(2 * first)
    assert scale.x(hour) - scale.x(1000) < 2 * first


# retries


@given(
    st.integers(0, 60),
    st.sampled_from(["exponential", "linear", "polynomial", "constant"]),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_every_delay_that_the_engine_draws_lies_in_the_planned_range(
    most: int, strategy: str, jitter: bool, seed: int
) -> None:
    policy = RetryPolicy(max_attempts=most, strategy=strategy, jitter=jitter)
    found = planned(policy)
    assert len(found) == max(0, min(most - 1, MOST))
    for wait in found:
        assert wait.low is not None
        assert wait.high is not None
        assert wait.low <= policy.delay(wait.retry, Random(seed)) <= wait.high


# cron


@pytest.mark.parametrize(
    ("expression", "names"),
    [("*/5 9 * * MON", 5), ("0 */5 9 * * MON", 6), ("@daily", 5), ("@every 5m", 0), ("* *", 0), ("", 0)],
)
def test_an_expression_has_its_fields_and_they_give_it_back(expression: str, names: int) -> None:
    found = parts(expression)
    assert len(found) == names
    if names and not expression.startswith("@"):
        assert joined({part.key: part.text for part in found}) == expression


def test_a_wrong_field_is_found_among_right_ones() -> None:
    assert [part.name for part in parts("0 25 * 13 *") if part.problem] == ["hour", "month"]


# layers


def test_a_step_stands_right_of_what_it_waits_for_and_boxes_never_overlap() -> None:
    plan = read(json.loads(STARTS["nested"]), START)
    nodes = written(plan)
    width, height = arrange(nodes)
    by_key = {node.key: node for node in nodes}
    for node in nodes:
        assert 0 <= node.x <= node.x + node.width <= width
        assert 0 <= node.y <= node.y + node.height <= height
        for need in node.needs:
            assert by_key[need].x + by_key[need].width < node.x
        for inner in node.inner:
            assert node.x < inner.x
            assert inner.x + inner.width < node.x + node.width
            assert node.y < inner.y
            assert inner.y + inner.height < node.y + node.height


@given(st.lists(st.sets(st.integers(0, 11)), min_size=1, max_size=12))
def test_no_two_boxes_of_any_graph_overlap(needs: list[set[int]]) -> None:
    nodes = [
        Node(str(index), {}, {str(need): "" for need in wanted if need < index})
        for index, wanted in enumerate(needs)
    ]
    arrange(nodes)
    placed = list(every(nodes))
    for index, one in enumerate(placed):
        for other in placed[index + 1 :]:
            assert (
                one.x + one.width <= other.x
                or other.x + other.width <= one.x
                or one.y + one.height <= other.y
                or other.y + other.height <= one.y
            )


def test_of_a_large_group_a_few_are_drawn_and_the_others_counted() -> None:
    body = {"type": "group", "jobs": [{"type": "a.b", "args": []}] * 500}
    nodes = written(read(body, START))
    assert len(nodes) == SHOWN + 1
    assert nodes[-1].facts["title"] == f"{500 - SHOWN} more steps"


# the builder of workflows


@pytest.mark.parametrize("start", STARTS)
def test_what_the_builder_begins_with_is_valid_and_drawn(start: str) -> None:
    found = building(STARTS[start], START)
    assert found["problem"] == ""
    assert found["plan"]["nodes"]
    assert found["rows"]


@given(
    st.sampled_from(sorted(STARTS)), st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 9)))
)
def test_whatever_the_buttons_do_rows_and_text_are_the_same_workflow(
    start: str, presses: list[tuple[str, int]]
) -> None:
    tree, _ = parse(STARTS[start])
    assert tree is not None
    for what, where in presses:
        shown = rows(tree)
        change(tree, f"{what}:{shown[where % len(shown)].path}")
        again, problem = parse(text_of(tree))
        assert problem == ""
        assert again == tree
        for row in rows(tree):
            assert find(tree, row.path)["type"] == (row.type if row.kind == "job" else row.kind)


def test_moving_nesting_and_removing_do_what_they_say() -> None:
    tree, _ = parse(STARTS["chain"])
    assert tree is not None
    change(tree, "up:2")
    assert [one["type"] for one in tree["steps"]] == ["card.charge", "email.send", "stock.reserve"]
    change(tree, "nest:1")
    assert tree["steps"][1] == {"type": "group", "jobs": [{"type": "email.send", "args": []}]}
    change(tree, "remove:0")
    assert len(tree["steps"]) == 2
    change(tree, "flatten:0")
    assert [one["type"] for one in tree["steps"]] == ["email.send", "stock.reserve"]


@pytest.mark.parametrize(
    "press", ["up:0", "down:2", "remove:7", "remove:", "nest:x.y", "up:on_success", "", "x:0"]
)
def test_a_button_whose_place_is_gone_changes_nothing(press: str) -> None:
    tree, _ = parse(STARTS["chain"])
    assert tree is not None
    before = text_of(tree)
    change(tree, press)
    assert text_of(tree) == before


def test_fields_change_what_they_name_and_keep_the_rest() -> None:
    tree, _ = parse(
        '{"type": "chain", "steps": [{"type": "a.b", "args": [], "options": {"queue": "q"}}], "x": 1}'
    )
    assert tree is not None
    wrong = fill(tree, {"type:0": "c.d", "args:0": "[bad", "kind:": "batch", "name": "n", "type:9": "z.z"})
    assert list(wrong) == ["args:0"]
    assert tree["jobs"] == [{"type": "c.d", "args": [], "options": {"queue": "q"}}]
    assert (tree["type"], tree["x"], tree["name"]) == ("batch", 1, "n")
    assert tree["callbacks"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "[" * 5000, '{"type": "chain"}', '{"a": NaN}', '"' + "x" * 300_000]
)
def test_a_half_written_workflow_breaks_nothing(text: str) -> None:
    found = building(text, START)
    assert found["problem"]
    assert found["plan"] is None


# comparisons


def test_a_run_compared_with_itself_fares_alike() -> None:
    timeline = played(library.lesson("retry-until-success"))
    assert not any(pair.differs for pair in pairs(lives(timeline), lives(timeline)))


def test_another_priority_changes_the_order() -> None:
    scenario = library.lesson("priority")
    one, other = played(scenario), played(changed(scenario, "4:options/priority", -50))
    found = {pair.known.job_id: pair for pair in pairs(lives(one), lives(other))}
    last = next(pair for pair in found.values() if pair.known.type == "mail.alert")
    assert last.one is not None
    assert last.other is not None
    assert (last.one.place, last.other.place) == (2, 5)
    assert last.later == 4500


@pytest.mark.parametrize("name", ["priority", "concurrency-limit", "retry-until-success"])
def test_every_place_offered_can_be_changed(name: str) -> None:
    scenario = library.lesson(name)
    for place in places(scenario):
        twin = changed(scenario, place.key, 1)
        assert twin != scenario
        assert "expect" not in twin


@pytest.mark.parametrize("key", ["", "9:type", "x:y", "*:", "4:type/deeper"])
def test_a_place_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest):
        changed(library.lesson("priority"), key, 1)


def test_what_is_typed_is_json_or_else_a_text() -> None:
    assert [value_of(text) for text in ("3", "true", '"a"', "linear", "")] == [3, True, "a", "linear", ""]


# words


def test_strangers_words_are_cut_and_never_turn_the_line() -> None:
    assert plain("a\u202eb\n") == "a\\u202eb\\u000a"
    assert len(plain("x" * 10**6, 40)) == 40
    assert len(preview({str(index): index for index in range(10_000)}, 40)) <= 40
    assert len(preview(["x" * 10**6] * 100, 40)) <= 40
