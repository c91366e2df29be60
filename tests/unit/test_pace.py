"""How virtual time follows another clock."""

from __future__ import annotations

import pytest

from engine.clock import ManualClock
from playground.clock import Pace
from tests.conftest import START


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0, 3.0, 10_000.0])
def test_time_passes_at_its_rate(rate: float) -> None:
    base = ManualClock(START)
    pace = Pace(base, 0, rate=rate)
    base.advance(5_000)
    assert pace.now() == int(5_000 * rate)


def test_while_it_is_paused_none_passes_and_none_is_made_up_for() -> None:
    base = ManualClock(START)
    pace = Pace(base, 7)
    base.advance(100)
    pace.playing = False
    base.advance(1_000_000)
    assert pace.now() == 107
    assert pace.real(10**9) is None
    pace.playing = True
    base.advance(3)
    assert pace.now() == 110


def test_another_rate_goes_on_from_where_time_is() -> None:
    base = ManualClock(START)
    pace = Pace(base, 0, rate=10.0)
    base.advance(100)
    pace.rate = 0.5
    assert pace.now() == 1000
    base.advance(100)
    assert pace.now() == 1050


@pytest.mark.parametrize("rate", [0.1, 0.3, 1.0, 7.0, 10_000.0])
@pytest.mark.parametrize("ahead", [0, 1, 9, 10_001, 86_400_000])
def test_an_instant_has_come_when_the_pace_says_and_not_before(rate: float, ahead: int) -> None:
    base = ManualClock(START)
    pace = Pace(base, START, rate=rate)
    real = pace.real(START + ahead)
    assert real is not None
    base.set(real)
    assert pace.now() >= START + ahead
    base.set(real - 2)  # a millisecond may be lost to rounding
    assert ahead == 0 or pace.now() < START + ahead


def test_an_instant_that_is_past_comes_at_once() -> None:
    assert Pace(ManualClock(START), 500).real(100) == START
