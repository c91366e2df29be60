"""Where a sandbox is on its way to, as fast as it can: an instant, or something that happens earlier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.times import FOREVER
from playground.render import span
from playground.travel.timeline import Timeline

SLICE: Final = 150
"""Steps done in one go: some 20 ms in a tab."""
MAX_RUN: Final = 20_000
"""Most steps of a run whose end nobody knows."""
NOTHING_DUE: Final = "Nothing is due, so nothing more happens by itself: enqueue a job or start a worker."


class Goal:
    """Where the session is on its way to.

    Args:
        until: Instant at which it stops, milliseconds.
        reached: Whether it has come there earlier.
        steps: Most steps to do; without it as many as it takes.
        missed: What to say when it ran out of steps, or nothing more was due.
    """

    def __init__(
        self,
        until: int,
        *,
        reached: Callable[[], bool] | None = None,
        steps: int = FOREVER,
        missed: Callable[[], str] | None = None,
    ) -> None:
        self.until = until
        self.reached = reached
        self.steps = steps
        self.missed = missed

    def run(self, timeline: Timeline) -> str | None:
        """Go on, a slice at most.

        Returns:
            None while there is more to do; then what there is to say, which may be nothing.
        """
        for _ in range(SLICE):
            if self.reached is not None and self.reached():
                return ""
            if self.steps <= 0:
                return self._miss()
            self.steps -= 1
            if not timeline.forward(self.until):
                if self.reached is not None:
                    return self._miss()
                return "" if timeline.advance(self.until) else None
        return None

    def _miss(self) -> str:
        return self.missed() if self.missed is not None else ""


def going(timeline: Timeline) -> str:
    """Which timers keep time going, in words."""
    now, told, world = timeline.now, [], timeline.world
    due = world.engine.next_due()
    if due is not None:
        told.append(f"a timer of the server, in {span(max(0, due - now))}")
    for worker in world.crew.workers.values():
        if worker.beat_at is not None:
            told.append(f"a heartbeat of {worker.id}, in {span(max(0, worker.beat_at - now))}")
        told.extend(f"the handler of {worker.id}, in {span(max(0, run.ends - now))}" for run in worker.runs)
    return f"What keeps time going: {'; '.join(told[:4])}." if told else NOTHING_DUE
