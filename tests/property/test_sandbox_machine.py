"""A session in virtual time under anything its visitors may do, in any order, while the host's clock runs."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.clock import ManualClock
from engine.errors import OJSError
from playground.travel import sandbox as session
from playground.travel import timeline as travel
from playground.travel.command import MAX_JUMP, WORKER
from playground.travel.digest import digest
from playground.travel.sandbox import RATES, Sandbox
from playground.travel.timeline import Timeline
from tests.property.travelling import START, Act, acts, request, requests, worker

SOME = st.integers(0, 40)


class SandboxMachine(RuleBasedStateMachine):
    """Moves through time, and watches what must hold wherever one stands."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for module, name, value in (
            (travel, "SPACING", 3),
            (travel, "MAX_CHECKPOINTS", 6),
            (session, "SLICE", 7),
            (session, "MAX_RUN", 60),
        ):
            self.patch.setattr(module, name, value)
        self.clock = ManualClock(START)
        seeds = iter(range(1000))
        self.sandbox = Sandbox(self.clock, lambda: next(seeds), workers=1)
        self.still: str | None = None
        """The hash of what was there when time was stopped."""
        self.known: dict[tuple[Timeline, travel.Moment], str] = {}
        """What was there at a moment of a timeline."""

    def teardown(self) -> None:
        """Leave the limits as they were."""
        self.patch.undo()

    def stopped(self) -> None:
        """Whatever was done has stopped time."""
        assert not self.sandbox.running
        self.still = digest(self.sandbox.world)

    # what is done

    @rule(act=requests)
    def ask(self, act: Act) -> None:
        """Send a request, which is answered."""
        answer = self.sandbox.handle(request(self.sandbox.timeline, act))
        assert answer.status >= 200
        self.still = None

    @rule(verb=st.sampled_from(sorted(WORKER)), which=SOME)
    def disturb(self, verb: str, which: int) -> None:
        """Do something with a worker; what is refused has changed nothing."""
        timeline, before = self.sandbox.timeline, digest(self.sandbox.world)
        command = worker(timeline, Act("worker", verb, which=which))
        branches = list(self.sandbox.history.branches)
        calm = timeline.past or (timeline.next_due() or 1 << 62) > timeline.now
        try:
            self.sandbox.work(command.verb, command.worker)
        except OJSError:
            assert self.sandbox.timeline is timeline
            assert sorted(self.sandbox.history.branches) == sorted(branches)
            if calm:
                assert digest(self.sandbox.world) == before
        self.still = None

    @rule(by=st.one_of(st.integers(-1, 60_000), st.integers(1, MAX_JUMP)))
    def jump(self, by: int) -> None:
        """The clock jumps."""
        with suppress(OJSError):
            self.sandbox.jump(by)
        self.still = None

    @rule(act=acts)
    def act_as_a_page_does(self, act: Act) -> None:
        """Several things at one instant."""
        for _ in range(2):
            self.ask(Act("request", "/ojs/v1/jobs", b'{"type": "a.b", "args": []}'))
            if act.kind == "request":
                self.ask(act)

    # time

    @rule(ms=st.one_of(st.integers(0, 300), st.integers(0, 30_000)), ticks=st.integers(1, 5))
    def real_time_passes(self, ms: int, ticks: int) -> None:
        """The host's clock goes on, and the host ticks, mostly when it is told to."""
        for _ in range(ticks):
            self.clock.advance(ms // ticks)
            due = self.sandbox.next_due()
            if due is None or due > self.clock.now() or ms % 2:
                before = digest(self.sandbox.world)
                self.sandbox.tick()
                if due is None and not self.sandbox.running:
                    assert digest(self.sandbox.world) == before
            else:
                self.sandbox.tick()

    @rule()
    def play(self) -> None:
        """Let time pass."""
        self.sandbox.play()
        self.still = None

    @rule()
    def pause(self) -> None:
        """After it nothing changes, however long one waits."""
        self.sandbox.pause()
        self.stopped()

    @rule(rate=st.sampled_from([*RATES, 0.0, -1.0, float("nan"), float("inf")]))
    def rate(self, rate: float) -> None:
        """Another rate, or one that is refused."""
        if rate in RATES:
            self.sandbox.set_rate(rate)
        else:
            with pytest.raises(OJSError):
                self.sandbox.set_rate(rate)

    @rule()
    def step(self) -> None:
        """One thing happens."""
        self.sandbox.step()
        self.stopped()

    @rule()
    def next_event(self) -> None:
        """Run to the next event."""
        self.sandbox.next_event()
        self.still = None

    @rule()
    def back(self) -> None:
        """One event back."""
        before = self.sandbox.timeline.moment
        self.sandbox.back()
        assert self.sandbox.timeline.moment <= before
        self.stopped()

    @rule(ms=st.sampled_from([-1, 0, 1, 1000, 60_000, 3_600_000, MAX_JUMP + 1]))
    def add(self, ms: int) -> None:
        """Add some time."""
        with suppress(OJSError):
            self.sandbox.add(ms)
        self.still = None

    @rule(which=SOME)
    def settle(self, which: int) -> None:
        """Run until a job has ended."""
        jobs = self.sandbox.engine.store.jobs(limit=100)
        with suppress(OJSError):
            self.sandbox.settle(jobs[which % len(jobs)].id if jobs else "none")
        self.still = None

    # anywhere

    @rule(redo=st.booleans())
    def undo(self, redo: bool) -> None:
        """Undo, and perhaps redo, which together end right after the same command."""
        done = self.sandbox.timeline.done
        self.sandbox.undo()
        undone = self.sandbox.timeline.done
        assert undone in {done, done - 1}
        if redo and undone < done:
            self.sandbox.redo()
            assert self.sandbox.timeline.done == done
        self.stopped()

    @rule()
    def redo(self) -> None:
        """The next command that was done."""
        self.sandbox.redo()
        self.stopped()

    @rule(part=st.integers(-100, 1100))
    def go_along(self, part: int) -> None:
        """Anywhere on the slider."""
        with suppress(OJSError):
            self.sandbox.go_along(part)
            self.stopped()

    @rule(part=st.floats(-0.1, 1.1))
    def go_to(self, part: float) -> None:
        """Any instant; outside of what is known, its nearer end."""
        timeline = self.sandbox.timeline
        self.sandbox.go_to(timeline.floor.now + int((timeline.end.now - timeline.floor.now) * part))
        self.stopped()

    @rule(which=st.integers(-2, 300))
    def go_to_event(self, which: int) -> None:
        """Right after an event: it is the latest one, or one of the same step is."""
        events = self.sandbox.timeline.seen
        try:
            self.sandbox.go_to_event(which)
        except OJSError:
            assert which not in {one.event.seq for one in events}
            return
        assert self.sandbox.engine.events.seq >= which
        self.stopped()

    @rule()
    def go_to_end(self) -> None:
        """The end of what is known, from where time goes on."""
        self.sandbox.go_to_end()
        assert not self.sandbox.timeline.past
        self.still = None

    @rule(number=st.integers(0, 20))
    def switch(self, number: int) -> None:
        """Another branch."""
        branch = self.sandbox.history.branches.get(number)
        try:
            self.sandbox.switch(number)
        except OJSError:
            assert branch is None
            return
        assert branch is self.sandbox.history.current
        self.stopped()

    @rule(number=st.integers(0, 5), other=st.integers(0, 5))
    def compare(self, number: int, other: int) -> None:
        """Two branches; with itself none differs."""
        with suppress(OJSError):
            found = self.sandbox.history.compare(number, other)
            assert number != other or not found

    @rule()
    def reset(self) -> None:
        """No trace of what was."""
        self.sandbox.reset()
        assert self.sandbox.timeline.commands == []
        assert self.sandbox.engine.events.seq == 0
        assert list(self.sandbox.history.branches) == [1]
        self.still = None

    @rule()
    def opened(self) -> None:
        """Another history, then home, where nothing has changed."""
        self.sandbox.pause()
        before = digest(self.sandbox.world)
        self.sandbox.open(Timeline(travel.Origin(9, START)), "Another")
        self.sandbox.handle(request(self.sandbox.timeline, Act("request", "/ojs/v1/jobs", b'{"type": "a"}')))
        self.sandbox.leave()
        assert digest(self.sandbox.world) == before

    # what holds

    @invariant()
    def the_cursor_is_within_what_is_known(self) -> None:
        """Never before the floor, never after the end; the world's clock shows its instant."""
        timeline = self.sandbox.timeline
        assert timeline.floor <= timeline.moment <= timeline.end
        assert self.sandbox.world.clock.now() == timeline.now == self.sandbox.engine.now()
        assert timeline.done <= len(timeline.places) == len(timeline.commands)

    @invariant()
    def the_journal_is_in_order(self) -> None:
        """Commands and their places never go back."""
        timeline = self.sandbox.timeline
        times = [one.at for one in timeline.commands]
        assert times == sorted(times)
        assert timeline.places == sorted(set(timeline.places))

    @invariant()
    def nothing_happens_while_time_stands_still(self) -> None:
        """Since it was stopped, and nobody has done anything."""
        assert self.still is None or digest(self.sandbox.world) == self.still

    @invariant()
    def a_moment_is_always_the_same(self) -> None:
        """Whenever one stands at a moment of a timeline again, the same is there."""
        key = (self.sandbox.timeline, self.sandbox.timeline.moment)
        there = digest(self.sandbox.world)
        assert self.known.setdefault(key, there) == there

    @invariant()
    def the_axis_has_a_place_for_the_cursor(self) -> None:
        """From 0 to 1; the events' ticks are few."""
        axis = self.sandbox.axis
        assert 0 <= axis.place(self.sandbox.timeline.now) <= 1
        assert len(axis.ticks()) <= 201


SandboxMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestSandbox = SandboxMachine.TestCase
