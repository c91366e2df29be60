"""Timelines: checkpoints that stay few and small, an end to what is remembered, refusals that change nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.errors import Conflict, NotFound, Unavailable
from engine.events import Event, EventLog
from engine.http.message import Request
from playground.travel import timeline as travel
from playground.travel.command import JSON_HEADERS, LATEST, Command, dumped, worker_command
from playground.travel.digest import digest
from playground.travel.timeline import Moment, Origin, Timeline
from tests.conftest import START


def push(timeline: Timeline, kind: str = "email.send", size: int = 0) -> None:
    """Enqueue a job."""
    body = dumped({"type": kind, "args": ["x" * size] if size else []})
    timeline.do(Command(0, "request", Request("POST", "/ojs/v1/jobs", JSON_HEADERS, body)))


def busy(jobs: int, apart: int = 700) -> Timeline:
    """So many jobs, some of which fail, one after the other, with two workers."""
    timeline = Timeline(Origin(3, START, workers=2))
    for index in range(jobs):
        push(timeline, ("email.send", "flaky.charge")[index % 2])
        timeline.advance(timeline.now + apart)
    return timeline


def test_checkpoints_are_at_most_so_many_and_evenly_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travel, "SPACING", 2)
    monkeypatch.setattr(travel, "MAX_CHECKPOINTS", 8)
    timeline = Timeline(Origin(3, START, workers=2))
    for _ in range(120):
        push(timeline)
        timeline.advance(timeline.now + 500)
        kept = [one.moment.step for one in timeline._checkpoints]
        assert len(kept) <= 8
        assert kept[0] == 0
        gaps = [late - early for early, late in pairwise(kept)]
        assert all(gap <= 2 * timeline._spacing for gap in gaps)
        assert timeline.step - kept[-1] <= 2 * timeline._spacing


def test_checkpoints_have_at_most_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travel, "SPACING", 5)
    monkeypatch.setattr(travel, "MAX_BYTES", 40_000)
    timeline = busy(80)
    assert timeline._spacing > 5
    assert 0 < timeline.held <= 40_000
    assert timeline.held == sum(len(one.data) for one in timeline._checkpoints)


def test_a_world_larger_than_all_bytes_is_still_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travel, "SPACING", 5)
    monkeypatch.setattr(travel, "MAX_BYTES", 100)
    assert len(busy(20)._checkpoints) == 2


def test_what_is_forgotten_is_before_the_floor_and_all_after_it_is_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(travel, "SPACING", 10)
    monkeypatch.setattr(travel, "MAX_EVENTS", 100)
    monkeypatch.setattr(EventLog.__init__, "__defaults__", (40,))  # the log itself, as ever, holds fewer
    timeline, seen = Timeline(Origin(3, START, workers=2)), []
    for _ in range(80):
        push(timeline)
        timeline.advance(timeline.now + 700)
        seen.append((timeline.moment, digest(timeline.world)))
        assert len(timeline.seen) <= 100
    assert timeline.floor > Moment(0, START)
    assert timeline.seen[0].event.seq > 1
    for moment, there in reversed(seen):
        timeline.go(moment)
        if moment < timeline.floor:
            assert timeline.moment == timeline.floor
        else:
            assert timeline.moment == moment
            assert digest(timeline.world) == there
            twin = timeline.fork()
            assert digest(twin.world) == there


def test_a_full_journal_refuses_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travel, "MAX_COMMANDS", 3)
    timeline = busy(3)
    before = digest(timeline.world), timeline.moment, timeline.end, list(timeline.commands)
    with pytest.raises(Unavailable, match="3 commands"):
        push(timeline)
    assert before == (digest(timeline.world), timeline.moment, timeline.end, timeline.commands)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (worker_command(0, "kill", "demo-99"), NotFound),
        (worker_command(0, "slow", "demo-2"), Conflict),
        (Command(0, "jump", by=LATEST), Conflict),
    ],
)
def test_what_cannot_be_done_leaves_no_trace(command: Command, error: type[Exception]) -> None:
    timeline = busy(1, apart=10_000)
    before = digest(timeline.world), timeline.moment, timeline.end
    with pytest.raises(error):
        timeline.do(command)
    assert before == (digest(timeline.world), timeline.moment, timeline.end)
    assert len(timeline.commands) == len(timeline.places) == 1


def test_a_worker_more_than_there_may_be_is_refused() -> None:
    timeline = Timeline(Origin(3, START, workers=8))
    timeline.advance(START)
    with pytest.raises(Conflict, match="8 demo workers"):
        timeline.do(worker_command(0, "start"))
    assert timeline.commands == []


def test_two_commands_at_one_instant_happen_in_their_order_with_what_is_due_between() -> None:
    timeline = Timeline(Origin(3, START))
    timeline.do(worker_command(0, "start"))
    push(timeline)
    assert [one.at for one in timeline.commands] == [START, START]
    there = digest(timeline.world)
    timeline.go(timeline.floor)
    assert timeline.past
    timeline.go(timeline.end)
    assert digest(timeline.world) == there


def test_outside_of_what_is_known_lies_its_nearer_end() -> None:
    timeline = busy(4)
    timeline.go_to(START - 1)
    assert timeline.now == START
    timeline.go_to(timeline.end.now + 1)
    assert timeline.moment == timeline.end


def test_the_future_is_remembered_and_not_recorded_twice() -> None:
    timeline = busy(6)
    known = [one.event.to_dict() for one in timeline.seen]
    timeline.go_to(START + 1500)
    assert timeline.past
    assert 0 < timeline.known() < len(known)
    timeline.advance(timeline.end.now)
    assert not timeline.past
    assert [one.event.to_dict() for one in timeline.seen] == known


def test_whoever_listens_hears_every_world_at_the_cursor() -> None:
    timeline, heard = busy(2), list[Event]()
    timeline.listen(heard.append)
    timeline.go(timeline.floor)
    timeline.go(timeline.end)
    assert [event.seq for event in heard] == [one.event.seq for one in timeline.seen]


def test_time_ends_with_the_year_8999() -> None:
    """Whatever is due later never comes, and nothing breaks; RFC 3339 has years of four digits."""
    timeline = Timeline(Origin(3, LATEST - 10_000, workers=1))
    push(timeline)
    assert timeline.advance(LATEST + 10**15)
    assert timeline.now == LATEST
    push(timeline, "flaky.charge")
    assert timeline.advance(LATEST + 10**15)
    assert not timeline.forward(1 << 62)
    assert timeline.world.handle(Request("GET", "/ojs/v1/jobs")).status == 200
