"""Where a step is taken: its beginning in the sandbox, and what a stored solution does there, act by act."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.clock import ManualClock
from engine.conformance.expect import parse_body
from engine.conformance.result import CaseResult
from engine.conformance.selection import Selection
from engine.conformance.target import MakeTarget
from engine.conformance.template import Templates
from engine.http.message import Request, Response
from playground.learn.course import Act, Step
from playground.learn.judge import Read, reader
from playground.session import Session, nothing
from playground.travel.command import JSON_HEADERS, dumped
from playground.travel.moves import MOVES
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import Player

if TYPE_CHECKING:
    from playground.trial import Hear, Trial

SEED: Final = 1
"""Of a server on which a solution is tried."""
OWN: Final = "http://localhost:9000"
"""Where a visitor's own server would be."""


class Attempt(NamedTuple):
    """What a visitor is at.

    Args:
        step: Name of the step.
        base: How many commands of the journal belong to its beginning.
        guess: Which choice of the prediction they took, counted from 0; None before that.
        answer: Which one was right when the goal was reached; None before that, or where nothing is asked.
        passed: Whether the goal has been reached; what happens afterwards takes nothing away.
    """

    step: str
    base: int
    guess: int | None = None
    answer: int | None = None
    passed: bool = False


def begin(sandbox: Sandbox, step: Step, *, still: bool = False) -> Attempt:
    """Open a step's beginning; the visitor's own session waits.

    Args:
        sandbox: The session whose time can be moved.
        step: The step.
        still: Whether time stands still although the step would let it pass.

    Raises:
        ScenarioError: The scenario cannot be played; the sandbox is as before.
    """
    timeline = Player(step.start).finish()
    sandbox.open(timeline, step.title)
    sandbox.attempt = Attempt(step.name, len(timeline.commands))
    if not step.paused and not still:
        sandbox.play()
    return sandbox.attempt


class Stage:
    """A session on which a step is taken from its beginning, in no time at all.

    Args:
        step: The step; one that is about the real server gets a server of its own.
        own: Gives a real server that a visitor has at some address; without it nothing is sent to any.

    Attributes:
        session: The session.
        attempt: Which step it is at.
    """

    def __init__(self, step: Step, own: Callable[[], MakeTarget] | None = None) -> None:
        self._own = own
        self._trial: Trial | None = None
        self._clock = ManualClock(0)
        self._templates = Templates()
        self.session: Session
        if step.server:
            self.session = Session(self._clock, seed=SEED)
            self.attempt = Attempt(step.name, 0)
            return
        sandbox = Sandbox(self._clock, lambda: SEED)
        self.attempt = begin(sandbox, step, still=True)
        self.session = sandbox

    def read(self) -> Read:
        """What reads the session as it is now."""
        return reader(self.session, self.attempt.base, lambda: self.trial)

    @property
    def trial(self) -> Trial:
        """The page's conformance run."""
        from playground.trial import Trial  # noqa: PLC0415 - few steps have one

        if self._trial is None:
            self._trial = Trial(self._clock.now, nothing)
            self._trial.outside = _at_once
        return self._trial

    def act(self, act: Act) -> Response | None:
        """Do one thing as a visitor would; what has to pass before it passes.

        Returns:
            The answer to a request, None otherwise.

        Raises:
            OJSError: It cannot be done.
            ValueError: It uses an answer that never came.
        """
        if act.get("after"):
            self._pass(act["after"])
        if "request" in act:
            return self._send(act)
        if "worker" in act:
            told = act["worker"]
            self.session.work(told["do"], told.get("id", ""), told.get("with"))
        elif "move" in act:
            assert isinstance(self.session, Sandbox)  # noqa: S101 - the schema of steps allows no move elsewhere
            MOVES[act["move"]](self.session, {key: str(value) for key, value in act.get("with", {}).items()})
            self._arrive()
        elif "cases" in act:
            self._run(act["cases"])
        return None

    def _run(self, told: Mapping[str, Any]) -> None:
        """Run conformance cases to the end."""
        trial = self.trial
        chosen = Selection(told["level"], ()).of(trial.cases.values())
        if not told.get("own"):
            trial.start(chosen)
        elif self._own is not None:
            trial.start(chosen, self._own(), OWN)
        while trial.running:
            trial.tick()

    def play(self, acts: tuple[Act, ...]) -> None:
        """Do several things, one after the other."""
        for act in acts:
            self.act(act)

    def _pass(self, ms: int) -> None:
        if isinstance(self.session, Sandbox):
            self.session.add(ms)
            self._arrive()
        else:
            self._clock.advance(ms)
            self.session.tick()

    def _arrive(self) -> None:
        assert isinstance(self.session, Sandbox)  # noqa: S101 - only there does anything run to a goal
        while self.session.goal is not None:
            self.session.tick()

    def _send(self, act: Act) -> Response:
        told: Mapping[str, Any] = self._templates.value(act["request"])
        if lost := self._templates.take_unresolved():
            raise ValueError(f"{lost[0]} leads nowhere")
        body = dumped(told["body"]) if "body" in told else told.get("text", "").encode()
        headers = {**(JSON_HEADERS if body else {}), **told.get("headers", {})}
        response = self.session.handle(Request(told["method"], told["path"], headers, body))
        if "id" in act and isinstance(response.body, bytes):
            self._templates.remember(act["id"], parse_body(response.body.decode(errors="replace")))
        return response


def _at_once(results: Iterator[CaseResult], take: Hear) -> None:
    """Run cases against another server, and wait for them."""
    for one in (*results, None):
        take(one)


def told(act: Act) -> tuple[str, str]:
    """An act in words: what is done, and what is sent."""
    if "request" in act:
        request = act["request"]
        body = (
            json.dumps(request["body"], ensure_ascii=False) if "body" in request else request.get("text", "")
        )
        return f"{request['method']} {request['path']}", body
    if "worker" in act:
        worker = act["worker"]
        settings = json.dumps(worker["with"], ensure_ascii=False) if "with" in worker else ""
        return WORKERS[worker["do"]].format(worker.get("id", "")), settings
    if "move" in act:
        return MOVED[act["move"]], json.dumps(act["with"]) if act.get("with") else ""
    if "cases" in act:
        return f"Run the cases of Level {act['cases']['level']}", ""
    return "Wait", ""


WORKERS: Final = {
    "start": "Start a worker",
    "stop": "Stop {0}",
    "kill": "Kill {0}",
    "slow": "Disturb {0}: gets slow",
    "mute": "Disturb {0}: falls silent",
    "stall": "Disturb {0}: freezes for a minute",
    "lose-ack": "Disturb {0}: its next answer is lost",
    "repeat-ack": "Disturb {0}: its next answer comes twice",
    "quiet": "Quiet {0}",
    "resume": "Resume {0}",
    "set": "Set how demo workers work",
    "behave": "Set what demo handlers do",
}
"""What is done to a demo worker, as the buttons say it."""
MOVED: Final = {
    "play": "Play",
    "pause": "Pause",
    "step": "Do one thing",
    "next": "Run to the next event",
    "back": "Back to the event before",
    "undo": "Undo",
    "redo": "Redo",
    "end": "To the present",
    "at": "Go to an instant",
}
"""Moves through time, as the time bar says them."""
