"""A session whose time its visitors move: play, pause, any rate, step, any moment, branches.

The cursor's timeline is all there is; the pace says where it should be by now, and `tick` brings it there, a slice at a
time, so that a page stays alive while a year passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from engine.clock import Clock
from engine.errors import InvalidRequest, NotFound, OJSError, Unavailable
from engine.events import Event
from engine.http.message import Request, Response
from engine.lifecycle import TERMINAL
from engine.times import FOREVER
from playground.clock import Pace
from playground.exchanges import Exchange, ExchangeLog
from playground.session import Face, Session, nothing
from playground.travel.axis import Axis
from playground.travel.command import MAX_JUMP, WRITES, Command, recorded, worker_command
from playground.travel.goal import MAX_RUN, NOTHING_DUE, SLICE, Goal, going
from playground.travel.history import History
from playground.travel.timeline import Moment, Origin, Timeline
from playground.world import World

if TYPE_CHECKING:
    from playground.learn.stage import Attempt
    from playground.travel.scenario import Scenario

FIRST: Final = 20
"""Slices of something long that are done at once: what takes no longer needs no progress shown."""
BREATH: Final = 2
"""Pause between two slices, so that requests get their turn; milliseconds."""
AXIS: Final = 1000
"""The slider's numbers go from 0 to this."""
RATES: Final = (
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
    200.0,
    500.0,
    1000.0,
    2000.0,
    5000.0,
    10000.0,
)
"""The rates that the pages offer, evenly spaced to the eye: a logarithmic control."""
MIN_RATE: Final = 0.1
MAX_RATE: Final = 10_000.0


Loading = Iterator[float]
"""Something that takes long: gives way with how much of it is done, from 0 to 1."""


class Sandbox(Session):
    """One OJS server in virtual time, with its whole history.

    Args:
        base: The host's clock.
        draw: Draws a seed below 2**53.
        workers: Demo workers running from the start, and after each new start.
        max_body: Largest request body, bytes.

    Attributes:
        history: The branches.
        progress: How much of what is being loaded is there, from 0 to 1.
        pace: How time passes.
        goal: What is being run to, or None.
        notice: What the visitor should know of the last move through time; empty when there is nothing.
        title: What has been opened, while the visitor's own session waits; empty in their own.
        notes: What to watch for there, as plain text; empty where nobody has said.
        attempt: Which step of the tutorial has been opened, or None; see `playground.learn.stage`.
    """

    virtual: ClassVar = True

    def __init__(
        self, base: Clock, draw: Callable[[], int], *, workers: int = 0, max_body: int = 1_048_576
    ) -> None:
        self._base = base
        self._draw = draw
        self._workers = workers
        self._max_body = max_body
        self._breath = 0
        self.progress = 1.0
        self._home: tuple[History, Pace] | None = None
        self._axis: Axis | None = None
        self._loading: Loading | None = None
        self.stoppable = True
        self.listeners = []
        self.touch = nothing
        self.title = self.notes = ""
        self.attempt: Attempt | None = None
        self._begin()

    def _begin(self) -> None:
        now = self._base.now()
        self.history = History(
            Timeline(Origin(self._draw(), now, self._workers, max_body=self._max_body)), self.spread
        )
        self.pace = Pace(self._base, now)
        self.goal: Goal | None = None
        self.notice = ""

    @property
    def timeline(self) -> Timeline:
        """The current branch's."""
        return self.history.timeline

    @property
    def world(self) -> World:
        """The world at the cursor."""
        return self.timeline.world

    @property
    def exchanges(self) -> ExchangeLog:
        """What was said over the binding lately, on this branch, after the cursor too."""
        return self.timeline.exchanges

    def to_come(self, exchange: Exchange) -> bool:
        """Whether an exchange lies ahead of the cursor."""
        return exchange.step > self.timeline.step

    def face(self) -> Face:
        """The session's time."""
        return Face(self.timeline.now, self.pace.rate if self.pace.playing and not self.goal else 0.0)

    @property
    def running(self) -> bool:
        """Whether time passes, by itself or on the way to a goal."""
        return self.goal is not None or self.pace.playing

    # as any session

    def ahead(self, limit: int) -> list[Event]:
        """The next events of the cursor's future, as far as it is known."""
        seen, known = self.timeline.seen, self.timeline.known()
        told = (
            one.event for one in seen[known : known + 4 * limit] if not one.event.type.endswith(".heartbeat")
        )
        return list(islice(told, limit))

    def handle(self, request: Request) -> Response:
        """Answer a request to the binding; one that may change something is written down."""
        self.tick()
        if request.method not in WRITES:
            return self.world.handle(request)
        try:
            command = Command(0, "request", recorded(request))
        except InvalidRequest as error:
            return self.world.binding.refuse(error, request)
        response = self._act(command)
        assert response is not None  # noqa: S101 - a request has an answer
        return response

    def work(self, verb: str, worker: str = "", settings: Mapping[str, Any] | None = None) -> None:
        """Do something with a demo worker; see `Session.work`."""
        self._act(worker_command(0, verb, worker, settings))

    def jump(self, by: int) -> None:
        """Let the clock jump ahead, as a machine's does after sleep: what was due meanwhile comes late.

        Args:
            by: How far, milliseconds.

        Raises:
            InvalidRequest: Not from 1 to `MAX_JUMP`.
        """
        if not 1 <= by <= MAX_JUMP:
            raise InvalidRequest("A clock jumps by 1 ms to ten years.", details={"field": "by"})
        self._act(Command(0, "jump", by=by))
        self.pace.set(self.timeline.now)

    def _act(self, command: Command) -> Response | None:
        if self._loading is not None:
            raise Unavailable(f"A history is being opened ({self.progress:.0%}); try again when it is here.")
        answer = self.history.act(command)
        self.notice = ""
        self.pace.set(self.timeline.now)
        return answer

    def tick(self) -> None:
        """Bring the cursor to where it should be by now, or a slice nearer."""
        if self._loading is not None:
            self._load_on(self._loading)
        elif self.goal is not None:
            self._run(self.goal)
        elif self.pace.playing:
            to = self.pace.now()
            if to >= self.timeline.now and not self.timeline.advance(to, SLICE):
                self._rest()

    def _rest(self) -> None:
        """The machine cannot keep up: virtual time waits for it, and requests get their turn."""
        self.pace.set(self.timeline.now)
        self._breath = self._base.now() + BREATH

    def next_due(self) -> int | None:
        """When `tick` has something to do next, milliseconds on the host's clock, or None."""
        if self.goal is not None or self._loading is not None:
            return self._breath
        due = self.timeline.next_due()
        real = None if due is None else self.pace.real(due)
        return None if real is None else max(real, self._breath)

    def reset(self) -> None:
        """Forget everything: every branch, job and event, and what was opened. Time is the host's again."""
        self._home = self._loading = self.attempt = None
        self.title = self.notes = ""
        self._begin()

    # through time

    def play(self) -> None:
        """Let time pass."""
        self.history.resume()
        self.notice = ""
        self.pace.set(self.timeline.now)
        self.pace.playing = True

    def pause(self) -> None:
        """Stop time, and whatever is being run to."""
        self.tick()
        self.goal = None
        self.pace.playing = False
        self.pace.set(self.timeline.now)

    def stop(self) -> None:
        """Give up what is being opened."""
        if self.stoppable:
            self._loading = None

    @property
    def loading(self) -> bool:
        """Whether something is being opened, or a kept session brought back."""
        return self._loading is not None

    def set_rate(self, rate: float) -> None:
        """Let time pass faster or more slowly.

        Raises:
            InvalidRequest: Not from `MIN_RATE` to `MAX_RATE`.
        """
        if not MIN_RATE <= rate <= MAX_RATE:
            raise InvalidRequest(
                f"The rate goes from {MIN_RATE:g} to {MAX_RATE:g}.", details={"field": "rate"}
            )
        self.tick()
        self.pace.rate = float(rate)

    def step(self) -> None:
        """Pause, and do one thing: the next that is due, or the next that the journal has."""
        self.pause()
        self.history.resume()
        self.notice = "" if self.timeline.forward(FOREVER) else NOTHING_DUE
        self.pace.set(self.timeline.now)

    def next_event(self) -> None:
        """Pause, and run until something happens to a job: a heartbeat is no event in this sense."""
        self.pause()
        heard = self._heard()
        self._set_goal(
            Goal(
                FOREVER,
                reached=lambda: self._heard() != heard,
                steps=MAX_RUN,
                missed=lambda: going(self.timeline),
            )
        )

    def _heard(self) -> int:
        """Number of the latest event that is no heartbeat, among the last few."""
        latest = (one.seq for one in self.engine.events.latest() if not one.type.endswith(".heartbeat"))
        return next(latest, 0)

    def add(self, ms: int) -> None:
        """Let so much time pass as fast as possible; what is due meanwhile happens in its time.

        Raises:
            InvalidRequest: Not from 1 to `MAX_JUMP`.
        """
        if not 1 <= ms <= MAX_JUMP:
            raise InvalidRequest("Between 1 ms and ten years can be added.", details={"field": "ms"})
        self._set_goal(Goal(self.timeline.now + ms))

    def settle(self, job_id: str) -> None:
        """Run until a job has ended.

        Raises:
            NotFound: There is no such job.
        """
        self.engine.info(job_id)

        def ended() -> bool:
            job = self.engine.store.get(job_id)
            return job is None or job.state in TERMINAL

        self._set_goal(Goal(FOREVER, reached=ended, steps=MAX_RUN, missed=lambda: self._unsettled(job_id)))

    def _set_goal(self, goal: Goal) -> None:
        self.history.resume()
        self.notice = ""
        self.goal = goal
        self._run(goal)

    def _run(self, goal: Goal) -> None:
        said = goal.run(self.timeline)
        if said is not None:
            self.notice = said
            self.goal = None
        self._rest()
        self.touch()

    def _unsettled(self, job_id: str) -> str:
        job = self.engine.store.get(job_id)
        return f"The job is still {job.state if job else 'there'}. {going(self.timeline)}"

    # to a moment

    def _stop_at_cursor(self) -> None:
        self.goal = None
        self.pace.playing = False
        self.notice = ""

    def go_to(self, instant: int) -> None:
        """Pause at an instant of what is known, milliseconds."""
        self._stop_at_cursor()
        self.history.moved()
        self.timeline.go_to(instant)
        self.pace.set(self.timeline.now)

    def go_along(self, place: float) -> None:
        """Pause at a place of the slider's axis.

        Args:
            place: From 0, the beginning, to 1000, the end of what is known.

        Raises:
            InvalidRequest: Another number.
        """
        if not 0 <= place <= AXIS:
            raise InvalidRequest(f"A place on the slider goes from 0 to {AXIS}.", details={"field": "x"})
        self.go_to(self.axis.instant(place / AXIS))

    @property
    def axis(self) -> Axis:
        """The current branch's axis."""
        if self._axis is None or self._axis.timeline is not self.timeline:
            self._axis = Axis(self.timeline)
        return self._axis

    def go_to_event(self, seq: int) -> None:
        """Pause right after an event.

        Raises:
            NotFound: It is not among those remembered.
        """
        seen = self.timeline.seen
        index = seq - seen[0].event.seq if seen else -1
        if not 0 <= index < len(seen) or seen[index].step < self.timeline.floor.step:
            raise NotFound(f"Event {seq} is not remembered.", details={"resource_type": "event"})
        self._put(Moment(seen[index].step, seen[index].event.time))

    def _put(self, moment: Moment) -> None:
        self._stop_at_cursor()
        self.history.moved()
        self.timeline.go(moment)
        self.pace.set(self.timeline.now)

    def back(self) -> None:
        """Pause at the event before the cursor, a heartbeat being none, or at the beginning."""
        here, seen = self.timeline.moment, self.timeline.seen
        for index in range(self.timeline.known() - 1, -1, -1):
            step, event = seen[index]
            if step < self.timeline.floor.step:
                break
            if not event.type.endswith(".heartbeat") and Moment(step, event.time) < here:
                self.go_to_event(event.seq)
                return
        self._put(self.timeline.floor)

    def go_to_end(self) -> None:
        """Return to the end of what is known, and let time go on."""
        self._put(self.timeline.end)
        self.play()

    def undo(self) -> None:
        """Pause before the latest thing that was done."""
        self._stop_at_cursor()
        if not self.history.undo():
            self.notice = "There is nothing to undo."
        self.pace.set(self.timeline.now)

    def redo(self) -> None:
        """Pause after the next thing that was done."""
        self._stop_at_cursor()
        if not self.history.redo():
            self.notice = "There is nothing to redo."
        self.pace.set(self.timeline.now)

    def switch(self, number: int) -> None:
        """Return to a branch.

        Raises:
            NotFound: There is none.
        """
        self.history.branch(number)
        self._stop_at_cursor()
        self.history.switch(number)
        self.pace.set(self.timeline.now)

    # other histories

    @property
    def own(self) -> tuple[History, Pace]:
        """The visitor's own branches and their pace, whatever else is open now."""
        return (self.history, self.pace) if self._home is None else self._home

    def take_over(self, history: History, rate: float, *, playing: bool) -> None:
        """Have another history for the visitor's own."""
        self._home = self.attempt = None
        self.title = self.notes = self.notice = ""
        self.goal = None
        self.history = history
        self.pace = Pace(self._base, self.timeline.now, rate=rate, playing=playing)

    def catch_up(self, instant: int) -> None:
        """Go on to an instant, as fast as possible; time then passes as it did."""
        if instant > self.timeline.now:
            self._set_goal(Goal(instant))

    def load(self, loading: Loading, *, stoppable: bool = True) -> None:
        """Begin something that takes many slices, and do the first of them now; nothing can be done meanwhile.

        Args:
            loading: What.
            stoppable: Whether `stop` may give it up.

        Raises:
            OJSError: It cannot be done; the session is as before.
        """
        self.goal = self._loading = None
        self.stoppable = stoppable
        self.progress = 0.0
        for self.progress in islice(loading, FIRST):
            pass
        self._loading = None if self.progress >= 1 else loading

    def _load_on(self, loading: Loading) -> None:
        try:
            self.progress = next(loading, 1.0)
        except OJSError as error:
            self.notice = error.message
            self.progress = 1.0
        if self.progress >= 1:
            self._loading = None
        self._breath = self._base.now() + BREATH
        self.touch()

    def opening(self, scenario: Scenario) -> Loading:
        """Open a scenario, for `load`."""
        from playground.travel.scenario import Player  # noqa: PLC0415 - a tab's start can do without

        player = Player(scenario)
        for _ in player.run():
            yield min(0.99, player.progress)
        self.open(player.timeline, scenario.get("title") or "A shared moment", scenario.get("notes", ""))
        yield 1.0

    def open(self, timeline: Timeline, title: str, notes: str = "") -> None:
        """Go to another history, e.g. a scenario's; the visitor's own session waits."""
        if self._home is None:
            self.pause()
            self._home = (self.history, self.pace)
        self.history = History(timeline, self.spread)
        self.pace = Pace(self._base, timeline.now, playing=False)
        self.goal = self.attempt = None
        self.notice = ""
        self.title = title
        self.notes = notes

    def leave(self) -> bool:
        """Come back from what was opened; whether anything was."""
        if self._home is None:
            return False
        (self.history, self.pace), self._home = self._home, None
        self.goal = self.attempt = None
        self.title = self.notes = self.notice = ""
        return True
