"""A session whose time its visitors move: what each control does, what it says, what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.errors import InvalidRequest, NotFound
from engine.http.message import Request
from playground.travel import sandbox as session
from playground.travel.digest import digest
from playground.travel.goal import NOTHING_DUE, SLICE
from playground.travel.sandbox import AXIS, MAX_RATE, MIN_RATE, RATES, Sandbox
from playground.travel.timeline import Origin, Timeline
from tests.conftest import START


def opened(workers: int = 1) -> tuple[Sandbox, ManualClock]:
    """A session, and the host's clock."""
    clock = ManualClock(START)
    return Sandbox(clock, lambda: 7, workers=workers), clock


def push(sandbox: Sandbox, kind: str = "email.send", **more: Any) -> str:
    """Enqueue a job; its id."""
    body = json.dumps({"type": kind, "args": [], **more}).encode()
    answer = sandbox.handle(Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, body))
    assert isinstance(answer.body, bytes)
    return str(json.loads(answer.body)["job"]["id"])


def host(sandbox: Sandbox, clock: ManualClock, ms: int) -> None:
    """So much real time passes, as a host lets it pass."""
    end = clock.now() + ms
    while (due := sandbox.next_due()) is not None and due <= end:
        clock.set(max(due, clock.now()))
        sandbox.tick()
    clock.set(end)
    sandbox.tick()


def arrive(sandbox: Sandbox, clock: ManualClock) -> None:
    """Let the host run it to its goal."""
    while sandbox.goal is not None:
        clock.advance(3)
        sandbox.tick()


def state(sandbox: Sandbox, job: str) -> str:
    return sandbox.engine.info(job).state


def test_at_first_time_passes_as_the_hosts_does() -> None:
    sandbox, clock = opened()
    job = push(sandbox)
    host(sandbox, clock, 5_000)
    assert sandbox.timeline.now == START + 5_000
    assert state(sandbox, job) == "completed"
    assert sandbox.face() == (START + 5_000, 1.0)


@pytest.mark.parametrize("rate", RATES)
def test_at_a_rate_it_passes_so_many_times_as_fast(rate: float) -> None:
    sandbox, clock = opened(workers=0)
    sandbox.set_rate(rate)
    host(sandbox, clock, 1_000)
    assert sandbox.timeline.now == START + int(1_000 * rate)


@pytest.mark.parametrize("rate", [0, -1, MIN_RATE / 2, MAX_RATE * 2, float("nan"), float("inf")])
def test_another_rate_is_refused(rate: float) -> None:
    sandbox, _ = opened()
    with pytest.raises(InvalidRequest, match=r"0\.1 to 10000"):
        sandbox.set_rate(rate)
    assert sandbox.face().rate == 1.0


def test_after_pause_nothing_happens_however_long() -> None:
    sandbox, clock = opened()
    push(sandbox, "flaky.charge")
    host(sandbox, clock, 500)
    sandbox.pause()
    before = digest(sandbox.world)
    assert sandbox.next_due() is None
    host(sandbox, clock, 10**9)
    assert digest(sandbox.world) == before
    assert sandbox.face().rate == 0
    sandbox.play()
    assert sandbox.timeline.now == START + 500


def test_a_step_is_one_thing_and_pauses() -> None:
    sandbox, _ = opened()
    push(sandbox)
    before = sandbox.timeline.step
    sandbox.step()
    assert sandbox.timeline.step == before + 1
    assert not sandbox.running


def test_where_nothing_is_due_a_step_says_so() -> None:
    sandbox, _ = opened(workers=0)
    sandbox.step()
    assert sandbox.notice == NOTHING_DUE


def test_the_next_event_is_no_heartbeat() -> None:
    sandbox, clock = opened()
    sandbox.pause()
    push(sandbox, scheduled_at="+PT1M")
    sandbox.next_event()
    arrive(sandbox, clock)
    sandbox.next_event()
    arrive(sandbox, clock)
    (latest,) = sandbox.engine.events.last(1)
    assert not latest.type.endswith(".heartbeat")
    assert sandbox.timeline.now >= START + 60_000


def test_where_only_heartbeats_come_the_search_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_RUN", 200)
    sandbox, clock = opened()
    host(sandbox, clock, 1_000)
    sandbox.next_event()
    arrive(sandbox, clock)
    assert "a heartbeat of demo-1" in sandbox.notice
    assert not sandbox.running


@pytest.mark.parametrize("ms", [1_000, 60_000, 3_600_000])
def test_time_can_be_added(ms: int) -> None:
    sandbox, clock = opened()
    push(sandbox)
    sandbox.pause()
    sandbox.add(ms)
    arrive(sandbox, clock)
    assert sandbox.timeline.now == START + ms
    assert not sandbox.running


@pytest.mark.parametrize("ms", [0, -1, session.MAX_JUMP + 1])
def test_no_other_time_can_be_added_or_jumped(ms: int) -> None:
    sandbox, _ = opened()
    for move in (sandbox.add, sandbox.jump):
        with pytest.raises(InvalidRequest, match="ten years"):
            move(ms)
    assert sandbox.goal is None


def test_a_long_way_is_gone_in_slices_and_a_pause_ends_it() -> None:
    sandbox, clock = opened()
    sandbox.pause()
    before = sandbox.timeline.step
    sandbox.add(86_400_000)
    assert sandbox.timeline.step == before + SLICE
    assert sandbox.running
    assert sandbox.next_due() == clock.now() + session.BREATH
    assert sandbox.face().rate == 0
    sandbox.pause()
    assert not sandbox.running
    there = digest(sandbox.world)
    assert sandbox.timeline.now < START + 86_400_000
    host(sandbox, clock, 1_000_000)
    assert digest(sandbox.world) == there


def test_a_request_on_the_way_is_answered_and_the_way_goes_on() -> None:
    sandbox, clock = opened()
    sandbox.pause()
    sandbox.add(86_400_000)
    job = push(sandbox)
    assert sandbox.running
    arrive(sandbox, clock)
    assert state(sandbox, job) == "completed"
    assert sandbox.timeline.now == START + 86_400_000


def test_a_machine_that_cannot_keep_up_lets_time_wait() -> None:
    sandbox, clock = opened(workers=8)
    sandbox.set_rate(MAX_RATE)
    before = sandbox.timeline.step
    clock.advance(60_000)
    sandbox.tick()
    assert sandbox.timeline.step == before + SLICE
    behind = sandbox.timeline.now
    assert sandbox.pace.now() == behind
    assert sandbox.next_due() == clock.now() + session.BREATH


def test_a_job_settles() -> None:
    sandbox, clock = opened()
    job = push(sandbox, "flaky.charge", retry={"max_attempts": 5, "initial_interval": "PT1S"})
    sandbox.settle(job)
    arrive(sandbox, clock)
    assert state(sandbox, job) == "completed"
    assert sandbox.notice == ""


def test_a_job_that_does_not_settle_says_what_keeps_time_going(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_RUN", 100)
    sandbox, clock = opened()
    job = push(sandbox, queue="elsewhere")
    sandbox.settle(job)
    arrive(sandbox, clock)
    assert sandbox.notice.startswith("The job is still available. What keeps time going: ")
    assert "a heartbeat of demo-1" in sandbox.notice


def test_a_job_that_nothing_moves_says_that_nothing_is_due() -> None:
    sandbox, clock = opened(workers=0)
    sandbox.settle(push(sandbox))
    arrive(sandbox, clock)
    assert NOTHING_DUE in sandbox.notice


def test_a_job_that_is_not_there_cannot_settle() -> None:
    sandbox, _ = opened()
    with pytest.raises(NotFound):
        sandbox.settle("none")
    assert sandbox.goal is None


def test_after_a_jump_what_was_due_comes_late() -> None:
    sandbox, clock = opened()
    push(sandbox, "slow.report")
    host(sandbox, clock, 1_000)
    sandbox.jump(3_600_000)
    host(sandbox, clock, 1_000)
    assert sandbox.timeline.now == START + 3_602_000
    assert sandbox.timeline.commands[-1].by == 3_600_000


def test_back_goes_from_event_to_event_to_the_very_beginning() -> None:
    sandbox, clock = opened()
    push(sandbox)
    host(sandbox, clock, 3_000)
    moments = []
    while sandbox.timeline.moment > sandbox.timeline.floor:
        sandbox.back()
        moments.append(sandbox.timeline.moment)
    assert moments == sorted(set(moments), reverse=True)
    assert sandbox.engine.events.seq == 0
    sandbox.back()
    assert sandbox.timeline.moment == sandbox.timeline.floor


def test_an_event_leads_to_the_moment_right_after_it() -> None:
    sandbox, clock = opened()
    job = push(sandbox)
    host(sandbox, clock, 3_000)
    done = next(one.event for one in sandbox.timeline.seen if one.event.type == "job.completed")
    sandbox.go_to(START)
    sandbox.go_to_event(done.seq)
    assert sandbox.timeline.now == done.time
    assert state(sandbox, job) == "completed"
    for missing in (0, -1, 10**6):
        with pytest.raises(NotFound):
            sandbox.go_to_event(missing)


def test_the_slider_goes_from_the_beginning_to_the_end() -> None:
    sandbox, clock = opened()
    push(sandbox)
    host(sandbox, clock, 3_000)
    end = sandbox.timeline.end
    sandbox.go_along(0)
    assert sandbox.timeline.now == START
    sandbox.go_along(AXIS)
    assert sandbox.timeline.moment == end
    for place in (-1, AXIS + 1, float("nan")):
        with pytest.raises(InvalidRequest):
            sandbox.go_along(place)


def test_the_future_stays_in_sight_and_comes_again() -> None:
    sandbox, clock = opened()
    push(sandbox)
    host(sandbox, clock, 3_000)
    there, ahead = digest(sandbox.world), len(sandbox.timeline.seen)
    sandbox.go_to(START)
    assert 0 < len(sandbox.ahead(100)) < ahead
    sandbox.go_to_end()
    assert digest(sandbox.world) == there
    assert sandbox.ahead(100) == []
    assert sandbox.running


def test_playing_after_an_undo_goes_on_without_it() -> None:
    sandbox, clock = opened()
    push(sandbox)
    host(sandbox, clock, 3_000)
    sandbox.undo()
    assert not sandbox.running
    sandbox.play()
    host(sandbox, clock, 10_000)
    assert sandbox.engine.store.jobs() == []
    assert sorted(sandbox.history.branches) == [1, 2]
    sandbox.undo()
    assert sandbox.notice == "There is nothing to undo."
    sandbox.redo()
    assert sandbox.notice == "There is nothing to redo."


def test_what_is_undone_twice_and_redone_once_is_undone_once() -> None:
    sandbox, _ = opened(workers=0)
    push(sandbox)
    push(sandbox)
    sandbox.undo()
    sandbox.undo()
    sandbox.redo()
    sandbox.play()
    assert len(sandbox.timeline.commands) == 1
    assert len(sandbox.engine.store.jobs()) == 1


def test_a_reset_leaves_no_trace() -> None:
    sandbox, clock = opened()
    push(sandbox)
    host(sandbox, clock, 3_000)
    sandbox.undo()
    push(sandbox)
    sandbox.reset()
    assert digest(sandbox.world) == digest(Origin(7, clock.now(), 1).world())
    assert list(sandbox.history.branches) == [1]
    assert sandbox.timeline.seen == []
    assert sandbox.running


def test_another_history_opens_beside_ones_own_which_waits() -> None:
    sandbox, clock = opened()
    push(sandbox)
    host(sandbox, clock, 3_000)
    sandbox.pause()
    mine = digest(sandbox.world)
    sandbox.open(Timeline(Origin(9, START)), "A lesson")
    push(sandbox, "flaky.charge")
    sandbox.open(Timeline(Origin(9, START)), "Another")
    sandbox.play()
    host(sandbox, clock, 60_000)
    assert sandbox.title == "Another"
    assert sandbox.leave()
    assert sandbox.title == ""
    assert digest(sandbox.world) == mine
    assert not sandbox.running
    assert not sandbox.leave()


def test_everybody_hears_of_events_on_every_branch() -> None:
    sandbox, clock = opened()
    heard: list[str] = []
    sandbox.listeners.append(lambda event: heard.append(event.type))
    push(sandbox)
    host(sandbox, clock, 3_000)
    sandbox.go_to(START)
    heard.clear()
    push(sandbox, "flaky.charge")
    assert "job.enqueued" in heard
