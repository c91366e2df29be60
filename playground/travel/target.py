"""A timeline as what conformance cases run against: the run leaves a journal behind."""

from __future__ import annotations

from engine.conformance.target import START, VirtualTarget
from engine.http.message import Request, Response
from playground.travel.command import WRITES, Command, recorded
from playground.travel.timeline import Origin, Timeline


class JournalTarget(VirtualTarget):
    """A fresh server in virtual time whose requests are written down.

    Args:
        seed: Of all randomness.

    Attributes:
        timeline: The journal.
    """

    def __init__(self, seed: int = 1) -> None:
        self.timeline = Timeline(Origin(seed, START, conformance=True))
        world = self.timeline.world
        super().__init__(self._answer, self.timeline.clock, world.tick)

    def _answer(self, request: Request) -> Response:
        if request.method not in WRITES:
            return self.timeline.world.handle(request)
        response = self.timeline.do(Command(self.now(), "request", recorded(request)))
        assert response is not None  # noqa: S101 - a request has an answer
        return response

    def wait(self, ms: int) -> None:
        """Let time pass, each thing due happening at its instant."""
        self.timeline.advance(self.now() + ms)
