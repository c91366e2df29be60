"""Branches: what happens when somebody acts in the past.

The old future is kept, under a name, as a branch of its own; the new one begins at the cursor. Nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from engine.errors import InvalidRequest, NotFound
from engine.events import Event
from engine.http.message import Response
from playground.travel.command import Command
from playground.travel.timeline import Moment, Timeline

MAX_BRANCHES: Final = 12
"""Branches kept; the one left alone for longest goes when one more begins."""
MAX_NAME: Final = 60


class Branch:
    """A timeline with a name.

    Args:
        number: Its number, from 1, never used again.
        name: What the visitor calls it.
        timeline: Its history.
        parent: Number of the branch that it left, or None.
        fork: Where it left it.
    """

    def __init__(
        self,
        number: int,
        name: str,
        timeline: Timeline,
        parent: int | None = None,
        fork: Moment | None = None,
    ) -> None:
        self.number = number
        self.name = name
        self.timeline = timeline
        self.parent = parent
        self.fork = fork


class Difference(NamedTuple):
    """A job that is not the same on two branches; ``one`` and ``other`` are its JSON there, or None.

    Args:
        job_id: The job.
        type: Its type.
        fields: Names of the fields that differ; empty when it is on one branch only.
    """

    job_id: str
    type: str
    one: dict[str, object] | None
    other: dict[str, object] | None
    fields: list[str]


class History:
    """All branches of one session.

    Args:
        timeline: Of the first one.
        hear: Hears of the events at the cursor.

    Attributes:
        branches: By number, the one left alone for longest first.
        dropped: Name of the branch that had to go last, or empty.
        numbers: The highest number that a branch has had.
    """

    def __init__(self, timeline: Timeline, hear: Callable[[Event], None]) -> None:
        self._hear = hear
        self.numbers = 1
        self._undone = 0  # how many commands were done before the first undo that is still meant
        self.branches = {1: Branch(1, "Main", timeline)}
        self.current = self.branches[1]
        self.dropped = ""
        timeline.listen(hear)

    def take_over(self, branches: list[Branch], numbers: int) -> None:
        """Have these branches instead, the last one the current one."""
        self.branches = {branch.number: branch for branch in branches}
        self.current = branches[-1]
        self.numbers = max(numbers, *self.branches)
        for branch in branches[1:]:
            branch.timeline.listen(self._hear)

    @property
    def timeline(self) -> Timeline:
        """The current branch's."""
        return self.current.timeline

    def act(self, command: Command) -> Response | None:
        """Do something at the cursor; in the past this begins a branch.

        Raises:
            OJSError: It cannot be done; nothing has changed.
        """
        if not self.timeline.past:
            return self.timeline.do(command)
        branch = self._branched()
        answer = branch.timeline.do(command)
        self._keep(branch)
        return answer

    def fork(self) -> None:
        """Begin a branch at the cursor."""
        self._keep(self._branched())

    def _branched(self) -> Branch:
        twin, number = self.timeline.fork(), self.numbers + 1
        twin.listen(self._hear)
        return Branch(number, f"Branch {number}", twin, self.current.number, twin.moment)

    def _keep(self, branch: Branch) -> None:
        self.numbers = branch.number
        while len(self.branches) >= MAX_BRANCHES:  # the current one is the last, so it stays
            self.dropped = self.branches.pop(next(iter(self.branches))).name
        self._take(branch)

    def _take(self, branch: Branch) -> None:
        self.branches.pop(branch.number, None)
        self.branches[branch.number] = self.current = branch
        self._undone = 0

    def branch(self, number: int) -> Branch:
        """A branch by its number.

        Raises:
            NotFound: There is none.
        """
        found = self.branches.get(number)
        if found is None:
            raise NotFound(f"There is no branch {number}.", details={"resource_type": "branch"})
        return found

    def switch(self, number: int) -> None:
        """Return to a branch, where its cursor stands.

        Raises:
            NotFound: There is none.
        """
        self._take(self.branch(number))

    def rename(self, number: int, name: str) -> None:
        """Name a branch.

        Raises:
            NotFound: There is none.
            InvalidRequest: No name, or one too long.
        """
        name = " ".join(name.split())
        if not 1 <= len(name) <= MAX_NAME:
            raise InvalidRequest(
                f"A branch's name has 1 to {MAX_NAME} characters.", details={"field": "name"}
            )
        self.branch(number).name = name

    # undo

    def undo(self) -> bool:
        """Go to just before the latest command; whether there was one. Going on from there begins a branch."""
        timeline = self.timeline
        if timeline.done == 0:
            return False
        index = timeline.done - 1
        step = timeline.places[index] - 1
        if step < timeline.floor.step:
            return False
        timeline.go(Moment(step, min(timeline.commands[index].at, timeline.now)))
        self._undone = max(self._undone, index + 1)
        return True

    def redo(self) -> bool:
        """Go to just after the next command that the journal has; whether there is one."""
        timeline = self.timeline
        if timeline.done >= len(timeline.places):
            return False
        index = timeline.done
        while timeline.done <= index and timeline.forward(timeline.end.now):
            pass
        if timeline.done >= self._undone:
            self._undone = 0
        return True

    def moved(self) -> None:
        """The cursor has been put somewhere: what was undone before is no longer meant."""
        self._undone = 0

    def resume(self) -> None:
        """Time is about to go on: after an undo without what was undone, so on a branch of its own."""
        if self._undone and self.timeline.past:
            self.fork()
        self._undone = 0

    def compare(self, one: int, other: int) -> list[Difference]:
        """What differs between two branches, each at its cursor, job by job in the order of their ids.

        Raises:
            NotFound: There is no such branch.
        """
        sides = [_jobs(self.branch(number).timeline) for number in (one, other)]
        found: list[Difference] = []
        for job_id in sorted(sides[0].keys() | sides[1].keys()):
            left, right = (side.get(job_id) for side in sides)
            if left == right:
                continue
            known = left or right or {}
            fields = (
                sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
                if left and right
                else []
            )
            found.append(Difference(job_id, str(known["type"]), left, right, fields))
        return found


def _jobs(timeline: Timeline) -> dict[str, dict[str, object]]:
    everything = timeline.world.engine.store.jobs(limit=1 << 30)
    return {job.id: job.to_dict() for job in everything}
