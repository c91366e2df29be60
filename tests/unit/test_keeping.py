"""What a tab keeps of its session: branches, cursors and pace come back; damage is refused, the session unharmed."""

from __future__ import annotations

import json

import pytest

from engine.clock import ManualClock
from engine.http.message import Request
from playground.travel import keeping
from playground.travel.digest import digest
from playground.travel.keeping import TooMuch, keep, restoring
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import ScenarioError
from tests.conftest import START


def sandbox() -> Sandbox:
    return Sandbox(ManualClock(START), lambda: 7, workers=1)


def push(session: Sandbox, kind: str = "email.send") -> None:
    body = json.dumps({"type": kind, "args": ["<é>", 1]}).encode()
    session.handle(Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, body))


def lived() -> Sandbox:
    """Two branches, the cursor of the second in its past, at another pace."""
    session = sandbox()
    push(session)
    session.add(60_000)
    session.undo()
    push(session, "flaky.charge")
    session.add(60_000)
    session.history.rename(2, "Zwei")
    session.set_rate(5)
    session.back()
    return session


def test_a_session_comes_back_with_branches_cursors_and_pace() -> None:
    before, after = lived(), sandbox()
    assert list(restoring(after, keep(before)))[-1] == 1.0
    assert [(one.number, one.name, one.parent, one.fork) for one in after.history.branches.values()] == [
        (one.number, one.name, one.parent, one.fork) for one in before.history.branches.values()
    ]
    for number in (1, 2):
        one, other = (s.history.branches[number].timeline for s in (before, after))
        assert one.moment == other.moment
        assert digest(one.world) == digest(other.world)
    assert after.pace.rate == 5
    assert not after.pace.playing
    assert keep(after) == keep(before)


def test_time_that_passed_until_the_page_was_left_passes_again() -> None:
    before, after = sandbox(), sandbox()
    push(before)
    list(restoring(after, keep(before), START + 10_000))
    assert after.timeline.now == START + 10_000
    assert after.engine.store.counts()["completed"] == 1


def test_a_step_is_written_once_and_a_fork_has_steps_of_its_own() -> None:
    session = sandbox()
    push(session)
    keep(session)
    kept = session.timeline.texts
    assert len(kept) == 1
    session.undo()
    push(session, "other.job")
    assert (
        json.loads(keep(session))["branches"][1]["scenario"]["steps"][0]["request"]["body"]["type"]
        == "other.job"
    )
    assert (
        json.loads(keep(session))["branches"][0]["scenario"]["steps"][0]["request"]["body"]["type"]
        == "email.send"
    )


def test_what_a_browser_would_not_keep_is_not_given_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_KEPT", 100)
    session = sandbox()
    push(session)
    with pytest.raises(TooMuch):
        keep(session)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": "ojs-playground-session", "version": 1}',
        '{"format": "ojs-playground-session", "version": 2, "branches": []}',
        '{"format": "ojs-playground-session", "version": 1, "branches": []}',
        '{"format": "ojs-playground-session", "version": 1, "branches": [1]}',
        '{"format": "ojs-playground-session", "version": 1, "branches": [{"scenario": {}}]}',
    ],
)
def test_what_is_damaged_is_refused_and_the_session_stays(text: str) -> None:
    session = sandbox()
    push(session)
    before = digest(session.world)
    with pytest.raises(ScenarioError):
        list(restoring(session, text))
    assert digest(session.world) == before


def test_every_cut_of_a_kept_session_is_refused_or_whole() -> None:
    text = keep(lived())
    for end in range(0, len(text) - 1, 7):
        with pytest.raises(ScenarioError):
            list(restoring(sandbox(), text[:end]))
