"""Two runs side by side: which jobs are the same, and what became of each in either. Everything is told from events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.lifecycle import TERMINAL
from playground.graphs.attempts import Attempt, attempts
from playground.travel.timeline import Timeline

LOOKED: Final = 8000
"""Events of a run that are read, from its beginning."""


class Life(NamedTuple):
    """A job in one run. Instants in milliseconds after the run's start.

    Args:
        job_id: Its id.
        type: Its type.
        born: When it was enqueued.
        state: The state in which the run left it.
        ended: When it ended, or None while it has not.
        place: Its place among the jobs that ended, from 1, or None.
        attempts: Its attempts.
    """

    job_id: str
    type: str
    born: int
    state: str
    ended: int | None
    place: int | None
    attempts: list[Attempt]


class Pair(NamedTuple):
    """A job in both runs; None where a run does not have it."""

    one: Life | None
    other: Life | None

    @property
    def known(self) -> Life:
        """The job, from whichever run has it."""
        found = self.other or self.one
        assert found is not None  # noqa: S101 - a pair has one side at least
        return found

    @property
    def differs(self) -> bool:
        """Whether its fate is another."""
        return _fate(self.one) != _fate(self.other)

    @property
    def later(self) -> int | None:
        """By how much later it ended in the other run, milliseconds; None where it did not end in both."""
        if self.one is None or self.other is None or self.one.ended is None or self.other.ended is None:
            return None
        return self.other.ended - self.one.ended


def _fate(life: Life | None) -> object:
    if life is None:
        return None
    return life.state, life.ended, life.place, [(one.start, one.end, one.outcome) for one in life.attempts]


def lives(timeline: Timeline) -> list[Life]:
    """All jobs of a run, the first enqueued first; what is known of the future too."""
    start = timeline.origin.start
    events = [one.event._replace(time=one.event.time - start) for one in timeline.seen[:LOOKED]]
    tried: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts(events)[0]:
        tried[attempt.job_id].append(attempt)
    found: dict[str, Life] = {}
    over = 0
    for event in events:
        job_id, state = event.job_id, event.state
        if job_id is None or state is None:
            continue
        life = found.get(job_id)
        if life is None:
            life = Life(job_id, event.job_type or "", event.time, state, None, None, tried[job_id])
        if state in TERMINAL and life.ended is None:
            over += 1
            life = life._replace(ended=event.time, place=over)
        elif state not in TERMINAL:
            life = life._replace(ended=None, place=None)
        found[job_id] = life._replace(state=state)
    return list(found.values())


def pairs(one: Sequence[Life], other: Sequence[Life]) -> list[Pair]:
    """The jobs of two runs, matched by id and type, else by type and order; in the order of the first run.

    The same seed draws the same ids: on two branches one id may be two jobs.
    """
    known = {(life.job_id, life.type): life for life in other}
    spare: dict[str, list[Life]] = defaultdict(list)
    here = {(life.job_id, life.type) for life in one}
    for life in other:
        if (life.job_id, life.type) not in here:
            spare[life.type].append(life)
    found: list[Pair] = []
    for life in one:
        twin = known.get((life.job_id, life.type))
        if twin is None and spare[life.type]:
            twin = spare[life.type].pop(0)
        found.append(Pair(life, twin))
    return found + [Pair(None, life) for lives_left in spare.values() for life in lives_left]
