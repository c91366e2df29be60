"""The slider's axis: place and instant belong together, nothing overtakes, ticks are few."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.http.message import Request
from playground.travel.axis import RANK, SLOTS, Axis
from playground.travel.command import JSON_HEADERS, Command, dumped
from playground.travel.timeline import Origin, Timeline
from tests.conftest import START


def lived(*waits: int, workers: int = 1) -> Timeline:
    """A job, then a wait, and so on."""
    timeline = Timeline(Origin(3, START, workers=workers))
    for wait in waits:
        body = dumped({"type": "broken.import", "args": [], "retry": {"max_attempts": 1}})
        timeline.do(Command(0, "request", Request("POST", "/ojs/v1/jobs", JSON_HEADERS, body)))
        timeline.advance(timeline.now + wait)
    return timeline


HISTORIES = {
    "nothing": lived(),
    "one event": lived(0, workers=0),
    "a second": lived(1_000),
    "a day and a second": lived(100, 86_400_000, 1_000, workers=0),
    "many at once": lived(*[0] * 50, 10_000),
    "many": lived(*[300] * 300),
}


@pytest.fixture(params=HISTORIES, ids=str)
def axis(request: pytest.FixtureRequest) -> Axis:
    return Axis(HISTORIES[request.param])


def test_places_go_from_0_to_1_and_never_back(axis: Axis) -> None:
    end = axis.timeline.end.now
    instants = sorted({START + (end - START) * part // 500 for part in range(501)})
    places = [axis.place(instant) for instant in instants]
    assert all(early <= late for early, late in pairwise(places))
    assert 0 <= places[0] <= places[-1] <= 1
    assert end == START or places[-1] == pytest.approx(1)


def test_instants_go_from_the_beginning_to_the_end_and_never_back(axis: Axis) -> None:
    instants = [axis.instant(part / 1000) for part in range(1001)]
    assert all(early <= late for early, late in pairwise(instants))
    assert instants[0] == START
    assert instants[-1] == axis.timeline.end.now


def test_a_place_leads_back_to_its_instant(axis: Axis) -> None:
    """To the millisecond where the axis has room for it: at most a rounding away."""
    end = axis.timeline.end.now
    for part in range(201):
        instant = START + (end - START) * part // 200
        assert abs(axis.instant(axis.place(instant)) - instant) <= 1


def test_ticks_are_few_in_order_and_coloured_by_what_one_looks_for(axis: Axis) -> None:
    ticks = axis.ticks()
    assert len(ticks) <= SLOTS + 1
    assert [tick.place for tick in ticks] == sorted({tick.place for tick in ticks})
    assert all(0 <= tick.place <= 1 and tick.events > 0 for tick in ticks)
    assert {tick.state for tick in ticks} <= {*RANK, ""}


def test_a_day_leaves_room_for_a_second() -> None:
    axis = Axis(HISTORIES["a day and a second"])
    day = axis.place(START + 86_400_100) - axis.place(START + 100)
    second = axis.place(START + 86_401_100) - axis.place(START + 86_400_100)
    assert day < 8 * second


def test_a_heartbeat_is_no_tick() -> None:
    timeline = lived()
    timeline.advance(START + 60_000)
    assert len(timeline.seen) > 5
    assert [tick.place for tick in Axis(timeline).ticks()] == [0]  # the worker has come


def test_the_axis_follows_what_happens() -> None:
    timeline = lived(1_000)
    axis = Axis(timeline)
    before = axis.place(START + 1_000)
    timeline.advance(START + 10_000)
    assert axis.place(START + 1_000) < before
    assert axis.place(START + 10_000) == pytest.approx(1)
