"""One line of history: a journal of commands, the world at a cursor, and checkpoints from which any moment comes back.

A world in virtual time is moved *step* by step: a step is one command, or everything that is due at the next instant at
which something is. The same seed, start and commands give the same steps, so a moment is named by how many steps were
done and what the clock says. What has been seen once, events with their steps, is remembered: the future of a
cursor that stands in the past.
"""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple

from engine.clock import ManualClock
from engine.errors import OJSError, Unavailable
from engine.events import Event
from engine.http.message import Request, Response
from playground.exchanges import ExchangeLog
from playground.travel.command import LATEST, Command, perform
from playground.world import World

LATE: Final = 5_000
"""After more than this a cron occurrence counts as missed: the clock has jumped; milliseconds."""
SPACING: Final = 250
"""Steps from one checkpoint to the next, at first; twice as many whenever they have been thinned out."""
MAX_CHECKPOINTS: Final = 128
MAX_BYTES: Final = 32 << 20
"""Most checkpoints of a timeline, and their bytes; beyond either, every other one is given up."""
MAX_COMMANDS: Final = 100_000
"""Most commands of a journal; further ones are refused."""
FRESH: Final = b""
MAX_EVENTS: Final = 50_000
"""Events remembered; beyond, the oldest go, and the moments whose log would need them are out of reach."""
MAX_BODY: Final = 1_048_576
"""Largest request body where nobody has said otherwise, bytes."""


class Origin(NamedTuple):
    """What a world begins with.

    Args:
        seed: Of ids and jitter, below 2**53, so that any JSON reader keeps it.
        start: First instant, milliseconds since the epoch.
        workers: Demo workers from the start.
        conformance: Whether the test-only hooks are on.
        max_body: Largest request body, bytes.
    """

    seed: int
    start: int
    workers: int = 0
    conformance: bool = False
    max_body: int = MAX_BODY

    def world(self) -> World:
        """A fresh world."""
        return World(
            ManualClock(self.start),
            seed=self.seed,
            workers=self.workers,
            max_body=self.max_body,
            conformance=self.conformance,
            late=LATE,
        )


class Moment(NamedTuple):
    """A place in a timeline: so many steps done, and the clock's instant, milliseconds."""

    step: int
    now: int


class Seen(NamedTuple):
    """An event with the step that caused it."""

    step: int
    event: Event


class Checkpoint(NamedTuple):
    """A world as bytes, at a moment, when so many of the journal's commands were done.

    Its events are not in the bytes: they are those remembered from number ``oldest`` to number ``seq``. The first one,
    of a world in which nothing has happened, has `FRESH` for its bytes.
    """

    moment: Moment
    done: int
    oldest: int
    seq: int
    data: bytes


class Timeline:
    """A journal and the world at its cursor.

    Args:
        origin: What it begins with.

    Attributes:
        commands: What has been done from outside, in order.
        texts: The first of the commands as JSON, as far as `playground.travel.keeping` has written them.
        places: The step at which each command was done.
        done: How many commands the world at the cursor has seen.
        step: How many steps it has done.
        end: Where what is known ends.
        seen: The events up to there, the future's too.
        floor: The earliest moment that can be gone to.
        exchanges: The latest exchanges over the binding up to the end, those of reading too, which no replay repeats.
        world: The world at the cursor. Nobody but the timeline moves it.
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.commands: list[Command] = []
        self.places: list[int] = []
        self.texts: list[str] = []
        self.seen: list[Seen] = []
        self.exchanges = ExchangeLog()
        self.floor = Moment(0, origin.start)
        self.end = Moment(0, origin.start)
        self.done = 0
        self.step = 0
        self._spacing = SPACING
        self._resting = True
        self._hear: Callable[[Event], None] | None = None
        self._enter(origin.world())
        self._checkpoints = [Checkpoint(self.moment, 0, 1, 0, FRESH)]

    # the world at the cursor

    def _enter(self, world: World) -> None:
        self.world = world
        world.heard.append(self._overhear)
        world.engine.events.subscribe(self._record)
        if self._hear is not None:
            world.engine.events.subscribe(self._hear)

    def listen(self, hear: Callable[[Event], None]) -> None:
        """Let somebody hear the events of every world that comes to stand at the cursor."""
        self._hear = hear
        self.world.engine.events.subscribe(hear)

    def _record(self, event: Event) -> None:
        if self.step > self.end.step:
            self.seen.append(Seen(self.step, event))

    def _overhear(self, at: int, request: Request, response: Response) -> None:
        if (
            self._resting or self.step > self.end.step
        ):  # a reading between two steps, or a step never done before
            self.exchanges.hear(at, request, response, self.step)

    @property
    def now(self) -> int:
        """The cursor's instant, milliseconds."""
        return self.world.clock.now()

    @property
    def moment(self) -> Moment:
        """The cursor."""
        return Moment(self.step, self.now)

    @property
    def past(self) -> bool:
        """Whether the cursor stands before the end of what is known."""
        return self.moment < self.end

    # forward

    def next_due(self) -> int | None:
        """When the next step is: something due, or a command that the journal has; None when nothing is to come."""
        due = self.world.next_due()
        if self.done < len(self.commands):
            at = self.commands[self.done].at
            due = at if due is None else min(due, at)
        return due

    def forward(self, limit: int) -> bool:
        """Do one step, if there is one up to an instant.

        Args:
            limit: The instant, milliseconds; something due at it is done. Nothing is after `LATEST`.

        Returns:
            Whether there was one. The clock has then come to its instant, and stays where it is otherwise.
        """
        limit = min(limit, LATEST)
        due = self.world.next_due()
        if self.done < len(self.commands) and (due is None or self.commands[self.done].at < due):
            command = self.commands[self.done]
            if command.at > limit:
                return False
            self._perform(command)
            return True
        if due is None or due > limit:
            return False
        self._start(due)
        self.world.tick()
        self._finish()
        return True

    def advance(self, to: int, steps: int = 1 << 62) -> bool:
        """Let time pass.

        Args:
            to: Until when, milliseconds.
            steps: Most steps to be done.

        Returns:
            Whether it came there; with too few steps it has stopped on the way.
        """
        for _ in range(steps):
            if not self.forward(to):
                self.clock.set(max(self.now, min(to, LATEST)))
                self.end = max(self.end, self.moment)
                return True
        return False

    def do(self, command: Command) -> Response | None:
        """Do something new, at the cursor, which must be the end of what is known; its instant is the cursor's.

        What is due at that instant happens before it, as in every replay.

        Raises:
            Unavailable: The journal is full.
            OJSError: It cannot be done; nothing has changed and nothing is written down.
        """
        assert not self.past  # noqa: S101 - whoever acts in the past forks first
        if len(self.commands) >= MAX_COMMANDS:
            raise Unavailable(
                f"This session's journal has {MAX_COMMANDS} commands and takes no more: start over, or save it first."
            )
        self.advance(self.now)
        self.commands.append(command._replace(at=self.now))
        try:
            return self._perform(self.commands[-1])
        except OJSError:
            self._resting = True
            self.step -= 1
            self.commands.pop()
            raise

    def _perform(self, command: Command) -> Response | None:
        self._start(command.at)
        answer = perform(self.world, command)
        if self.done == len(self.places):
            self.places.append(self.step)
        self.done += 1
        self._finish()
        return answer

    def _start(self, instant: int) -> None:
        self._resting = False
        self.step += 1
        self.clock.set(max(self.now, instant))

    def _finish(self) -> None:
        self._resting = True
        self.end = max(self.end, self.moment)
        if len(self.seen) > MAX_EVENTS:
            self._forget()
        if self.step >= self._checkpoints[-1].moment.step + self._spacing:
            self._keep()

    @property
    def clock(self) -> ManualClock:
        """The clock of the world at the cursor."""
        clock = self.world.clock
        assert isinstance(clock, ManualClock)  # noqa: S101 - `Origin.world` made it
        return clock

    # anywhere

    def go(self, moment: Moment) -> None:
        """Put the cursor at a moment of what is known; outside of it, at its nearer end."""
        moment = min(max(moment, self.floor), self.end)
        self._near(lambda one: one.step <= moment.step and one.now <= moment.now)
        while self.step < moment.step and self.forward(self.end.now):
            pass
        self.clock.set(max(self.now, moment.now))

    def go_to(self, instant: int) -> None:
        """Put the cursor at an instant, milliseconds, when everything up to it has happened."""
        instant = min(max(instant, self.floor.now), self.end.now)
        if instant == self.end.now:
            self.go(self.end)
            return
        self._near(lambda one: one.now <= instant)
        self.advance(instant)

    def _near(self, fits: Callable[[Moment], bool]) -> None:
        """Go to the latest checkpoint that fits, unless the cursor itself fits and lies no earlier."""
        index = bisect_left(self._checkpoints, True, key=lambda one: not fits(one.moment))
        checkpoint = self._checkpoints[max(0, index - 1)]
        if not fits(self.moment) or self.moment < checkpoint.moment:
            self._restore(checkpoint)

    def _restore(self, checkpoint: Checkpoint) -> None:
        self.step, self.done = checkpoint.moment.step, checkpoint.done
        self._enter(self._thaw(checkpoint))

    def _thaw(self, checkpoint: Checkpoint) -> World:
        if checkpoint.data == FRESH:
            return self.origin.world()
        from playground.travel.sleep import thaw  # noqa: PLC0415 - a tab's start can do without

        world = thaw(checkpoint.data)
        if self.seen:
            first = self.seen[0].event.seq
            kept = self.seen[max(0, checkpoint.oldest - first) : max(0, checkpoint.seq - first + 1)]
            world.engine.events.attach(one.event for one in kept)
        return world

    def _freeze(self) -> Checkpoint:
        from playground.travel.sleep import freeze  # noqa: PLC0415 - a tab's start can do without

        log = self.world.engine.events
        oldest, seq = log.oldest, log.seq
        events = log.detach()
        try:
            data = freeze(self.world)
        finally:
            log.attach(events)
        return Checkpoint(self.moment, self.done, oldest, seq, data)

    def _keep(self) -> None:
        """Take a checkpoint; thin them out where there are too many, evenly, so that every moment stays near one."""
        self._checkpoints.append(self._freeze())
        while len(self._checkpoints) > MAX_CHECKPOINTS or (
            self.held > MAX_BYTES and len(self._checkpoints) > 2
        ):
            self._spacing *= 2
            self._checkpoints = self._checkpoints[:1] + self._checkpoints[2::2]

    @property
    def held(self) -> int:
        """Bytes of all checkpoints."""
        return sum(len(one.data) for one in self._checkpoints)

    def _forget(self) -> None:
        """Drop the oldest fifth of the events, and the checkpoints whose logs would need them."""
        del self.seen[: MAX_EVENTS // 5]
        first = self.seen[0].event.seq
        self._checkpoints = [one for one in self._checkpoints if one.oldest >= first]
        if not self._checkpoints:
            self._checkpoints = [self._freeze()]
        self.floor = self._checkpoints[0].moment

    def fork(self) -> Timeline:
        """Another timeline with the same past, whose future is open; this one stays as it is."""
        twin = copy.copy(self)
        here = self._freeze()
        twin._cut(here)  # noqa: SLF001 - another of this class
        return twin

    def _cut(self, here: Checkpoint) -> None:
        """Know nothing but what has happened at the cursor, in lists and a world of its own."""
        self.end = here.moment
        self.commands = self.commands[: self.done]
        self.places = self.places[: self.done]
        self.texts = self.texts[: self.done]
        self.seen = self.seen[: self.known()]
        self.exchanges = self.exchanges.until(self.step)
        self._checkpoints = [one for one in self._checkpoints if one.moment <= here.moment]
        self._hear = None
        self._enter(self._thaw(here))

    def known(self) -> int:
        """How many of the remembered events have happened at the cursor."""
        return bisect_right(self.seen, self.step, key=lambda one: one.step)
