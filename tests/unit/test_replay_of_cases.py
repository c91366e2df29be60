"""Replay equals live on every conformance case; and a server with a journal is judged like one without."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.conformance.case import Case, read_all
from engine.conformance.runner import run
from engine.conformance.target import VirtualTarget, fresh_engine
from playground.case_files import bundled, case_files
from playground.travel import timeline as travel
from playground.travel.digest import digest
from playground.travel.link import decode, encode
from playground.travel.scenario import Player, record
from playground.travel.target import JournalTarget
from playground.travel.timeline import Timeline

SUITES = Path(__file__).resolve().parents[2] / ".." / "shared" / "ojs" / "conformance" / "suites"


@pytest.fixture(autouse=True)
def _checkpoints_nearby(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travel, "SPACING", 5)


def judged(cases: list[Case]) -> list[JournalTarget]:
    """Run them both ways, and give what the journal's way leaves behind."""
    targets: list[JournalTarget] = []

    def make() -> VirtualTarget:
        targets.append(JournalTarget())
        return targets[-1]

    plain = [(one.case.id, one.verdict, one.reason) for one in run(cases, fresh_engine)]
    kept = [(one.case.id, one.verdict, one.reason) for one in run(cases, make)]
    assert kept == plain
    return targets


def replayed(timeline: Timeline) -> None:
    """Its end is the same from its beginning, from a checkpoint in its middle, and in a fresh timeline."""
    end, there = timeline.moment, digest(timeline.world)
    timeline.go(timeline.floor)
    timeline.go(end)
    assert digest(timeline.world) == there
    timeline.go_to((timeline.floor.now + end.now) // 2)
    timeline.go(end)
    assert digest(timeline.world) == there
    again = Timeline(timeline.origin)
    again.commands = list(timeline.commands)
    while again.step < end.step:
        assert again.forward(end.now)
    again.clock.set(max(again.now, end.now))
    assert digest(again.world) == there
    played = Player(decode(encode(record(timeline)))).finish()
    assert digest(played.world) == there


def test_our_own_cases_end_the_same_when_replayed() -> None:
    for target in judged(read_all(bundled())[0]):
        replayed(target.timeline)


@pytest.mark.skipif(not SUITES.is_dir(), reason="the published suites are not beside the project")
def test_the_published_cases_end_the_same_when_replayed() -> None:
    for target in judged(read_all(case_files(SUITES))[0]):
        replayed(target.timeline)
