"""Replay equals live, to the byte: any commands, any waits, moments gone to in any order, checkpoints in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.travel import timeline as travel
from playground.travel.digest import digest
from playground.travel.history import History
from playground.travel.link import decode, encode
from playground.travel.scenario import Player, read, record, write
from playground.travel.timeline import Timeline
from tests.property.travelling import Act, acts, do, fresh, lived

scripts = st.lists(acts, min_size=1, max_size=25)
proof = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True, scope="module")
def _many_checkpoints() -> Iterator[None]:
    """Checkpoints so near, and so few, that moments come back from them and that they are thinned out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel, "SPACING", 3)
        patch.setattr(travel, "MAX_CHECKPOINTS", 5)
        yield


@proof
@given(scripts, st.data())
def test_a_moment_is_the_same_from_wherever_one_comes(script: list[Act], data: st.DataObject) -> None:
    timeline, seen = lived(script)
    for moment, there in data.draw(st.permutations(seen)):
        timeline.go(moment)
        assert timeline.moment == moment
        assert digest(timeline.world) == there


@proof
@given(scripts, st.data())
def test_an_instant_is_the_same_from_wherever_one_comes(script: list[Act], data: st.DataObject) -> None:
    """Whatever checkpoints there are: a timeline that has none but its beginning comes to the same."""
    timeline, _ = lived(script)
    plain, _ = lived(script)
    plain._checkpoints = plain._checkpoints[:1]
    instants = data.draw(st.lists(st.integers(timeline.floor.now, timeline.end.now), max_size=4))
    for instant in instants:
        timeline.go_to(instant)
        plain.go(plain.floor)
        plain.go_to(instant)
        assert timeline.moment == plain.moment
        assert digest(timeline.world) == digest(plain.world)


@proof
@given(scripts)
def test_the_journal_gives_every_moment_again(script: list[Act]) -> None:
    """A fresh timeline that only has the journal, and time that passes, meets the same bytes."""
    timeline, seen = lived(script)
    again = fresh()
    again.commands = list(timeline.commands)
    for moment, there in seen:
        while again.step < moment.step:
            assert again.forward(moment.now)
        again.clock.set(max(again.now, moment.now))
        assert digest(again.world) == there
    assert again.places == timeline.places
    assert [one.event.to_dict() for one in again.seen] == [one.event.to_dict() for one in timeline.seen]


@proof
@given(scripts, st.data())
def test_a_link_carries_the_moment_to_the_byte(script: list[Act], data: st.DataObject) -> None:
    timeline, seen = lived(script)
    moment, there = data.draw(st.sampled_from([seen[-1], *seen]))
    timeline.go(moment)
    scenario = record(timeline, title="A link")
    assert decode(encode(scenario)) == scenario
    assert read(write(scenario)) == scenario
    played = Player(decode(encode(scenario))).finish()
    assert played.moment == moment
    assert digest(played.world) == there
    played.go(timeline.end)
    timeline.go(timeline.end)
    assert digest(played.world) == digest(timeline.world)


@proof
@given(scripts, st.lists(acts, min_size=1, max_size=6), st.data())
def test_acting_in_the_past_leaves_the_old_branch_as_it_is(
    script: list[Act], other: list[Act], data: st.DataObject
) -> None:
    timeline, seen = lived(script)
    history = History(timeline, lambda _: None)
    moment, there = data.draw(st.sampled_from(seen))
    timeline.go(moment)
    history.fork()
    assert digest(history.timeline.world) == there
    _, elsewhere = lived(other, history.timeline)
    history.switch(1)
    assert digest(timeline.world) == there
    for old, was in reversed(seen):
        history.timeline.go(old)
        assert digest(timeline.world) == was
    history.switch(2)
    for new, was in reversed(elsewhere):
        history.timeline.go(new)
        assert digest(history.timeline.world) == was


@proof
@given(scripts)
def test_undo_goes_back_command_by_command_and_redo_forth(script: list[Act]) -> None:
    timeline = fresh()
    history = History(timeline, lambda _: None)
    after = [digest(timeline.world)]
    before: list[str] = []
    for act in script:
        if act.kind != "wait":
            timeline.advance(timeline.now)
            before.append(digest(timeline.world))
        done = timeline.done
        do(timeline, act)
        if timeline.done > done:
            after.append(digest(timeline.world))
        elif act.kind != "wait":
            before.pop()
    count = timeline.done
    for index in range(count, 0, -1):
        assert history.undo()
        assert timeline.done == index - 1
        assert digest(timeline.world) == before[index - 1]
    assert not history.undo()
    for index in range(1, count + 1):
        assert history.redo()
        assert digest(timeline.world) == after[index]
        assert history.undo()
        assert history.redo()
        assert digest(timeline.world) == after[index]
    assert not history.redo()


@proof
@given(scripts)
def test_a_world_that_comes_from_bytes_goes_on_as_the_original_would(script: list[Act]) -> None:
    timeline, _ = lived(script)
    world = timeline._thaw(timeline._freeze())
    assert digest(world) == digest(timeline.world)
    twin = Timeline(timeline.origin)
    twin.world = world
    for one in (timeline, twin):
        one.advance(one.now + 20_000)
    assert digest(twin.world) == digest(timeline.world)
