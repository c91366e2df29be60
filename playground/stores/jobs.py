"""The store's jobs: by id, by their place in a queue, by unique key, and how many there are."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from engine.errors import InternalError
from engine.job import Job
from engine.lifecycle import AVAILABLE, DISCARDED
from playground.stores import rows
from playground.stores.backend import LAST
from playground.stores.records import Records
from playground.stores.rows import Order, Row
from playground.stores.tallies import DEAD, LANE, PRIORITY, STATE

if TYPE_CHECKING:
    from engine.storage import Admit

JOBS: Final = 10_000
"""Jobs that stay in memory between turns."""
AHEAD: Final = 64
"""Jobs of a lane that are known in their order, so that not every claim is a query."""
PAGE: Final = 256
"""Most jobs read at one go while a list is walked through."""


class Jobs(Records):
    """Jobs as `engine.storage.Store` has them, but for lists of them."""

    def _forget(self) -> None:
        super()._forget()
        self._rows: dict[str, Row] = {}
        self._changed: dict[str, Row] = {}
        self._gone: list[Row] = []
        self._line_up()

    def _line_up(self) -> None:
        """Know nothing of the order of queues."""
        self._lanes: dict[tuple[str, str], _Window] = {}
        self._ahead = 4 if self.database.passing else AHEAD

    def _trim(self) -> None:
        super()._trim()
        if len(self._rows) > JOBS:
            self._rows = dict(islice(self._rows.items(), len(self._rows) - JOBS // 2, None))
        if self.database.passing or len(self._lanes) > JOBS:  # there, rows are ours only until the turn ends
            self._line_up()

    def _flush(self) -> None:
        super()._flush()
        if self._gone:
            self._change(self.database.drop_jobs, self._gone)
            self._gone = []
        if self._changed:
            self._change(self.database.put_jobs, list(self._changed.values()))
            self._changed = {}

    def _row(self, found: Any) -> Row:
        """The row that a query has found; the one in memory if it is there."""
        born, place, entered, due, due_order, lane, body = found
        job = rows.job_from(body)
        known = self._rows.get(job.id)
        if known is None:
            known = self._rows[job.id] = Row(job, born, place, entered, due, due_order, lane)
            known.kept = self.database.kept(known)
        return known

    def _find(self, job_id: str) -> Row | None:
        self._enter()
        row = self._rows.get(job_id)
        if row is None:
            found = self._ask(self.database.job, job_id)
            row = None if found is None else self._row(found)
        return row

    def get(self, job_id: str) -> Job | None:
        """The job, the same object for as long as the turn lasts."""
        row = self._find(job_id)
        return None if row is None else row.job

    def add(self, job: Job) -> None:
        """Insert a new job."""
        self._enter()
        row = self._rows[job.id] = Row(job, self._next_stamp(), "", 0, None, 0, "")
        self._index(row, moved=True)

    def save(self, job: Job, was: str) -> None:
        """Note a changed job."""
        row = self._find(job.id)
        if row is None:
            raise InternalError(f"Job '{job.id}' was saved, but it is not stored.")
        row.job = job
        self._index(row, moved=was != job.state)

    def delete(self, job: Job) -> None:
        """Remove a job."""
        row = self._find(job.id)
        if row is None:
            return
        self._writes += 1
        self._leave_lane(row)
        self._tallies.move(row.entries, ())
        self._note_due(row.due, None)
        del self._rows[job.id]
        self._changed.pop(job.id, None)
        self._gone.append(row)

    def move_queue(self, job: Job, queue: str) -> None:
        """Put a job into another queue."""
        row = self._find(job.id)
        job.queue = queue
        if row is not None:
            self._index(row, moved=True)

    def prioritise(self, job: Job, priority: int) -> None:
        """Give a job another priority."""
        job.priority = priority
        self.save(job, job.state)

    def _index(self, row: Row, *, moved: bool) -> None:
        """Bring everything in line with what the job now says."""
        self._writes += 1
        job = row.job
        self._leave_lane(row)
        if moved:
            row.entered = self._next_stamp()
            row.place = rows.DEAD if job.state == DISCARDED and job.dead_letter else job.state
        deadline = job.deadline()
        due = None if deadline is None else deadline[0]
        if due != row.due:
            self._note_due(row.due, due)
            row.due, row.due_order = due, self._next_stamp()
        self._answered(job)
        row.lane = rows.key(job.lane) if job.state == AVAILABLE else ""
        before = row.entries
        if row.count():
            self._tallies.move(before, row.entries)
        self._enter_lane(row)
        self._changed[job.id] = row

    # the order of queues

    def _leave_lane(self, row: Row) -> None:
        if row.lined_up is not None and self._lanes:
            queue, lane, order = row.lined_up
            window = self._lanes.get((queue, lane))
            if window is not None and not window.leave(order):
                del self._lanes[queue, lane]
        row.lined_up = None

    def _enter_lane(self, row: Row) -> None:
        row.line_up()
        if row.lined_up is None:
            return
        queue, lane, order = row.lined_up
        window = self._lanes.get((queue, lane))
        if window is not None:
            window.enter(order, row.job.id)
        elif self._tallies.of(queue, LANE).get(lane) == 1:
            self._lanes[queue, lane] = _Window([(order, row.job.id)], whole=True)

    def _head(self, queue: str, lane: str) -> Row | None:
        """The job of a lane that goes first."""
        key = queue, lane
        window = self._lanes.get(key)
        if window is None:
            limit = self._ahead
            self._ahead = min(AHEAD, 4 * limit)
            found = [self._row(one) for one in self._ask(self.database.ready, queue, lane, limit)]
            window = self._lanes[key] = _Window(
                [(row.order(), row.job.id) for row in found], whole=len(found) < limit
            )
        return self._find(window.places[0][1]) if window.places else None

    def claim(self, queue: str, admit: Admit | None) -> Job | None:
        """The available job that goes first and is admitted: of each lane the first one is asked."""
        self._enter()
        lanes = self._tallies.of(queue, LANE)
        heads = [row for lane in lanes if (row := self._head(queue, lane)) is not None]
        if len(heads) > 1:
            heads.sort(key=Row.order)
        return next((row.job for row in heads if admit is None or admit(row.job)), None)

    def next_seq(self) -> int:
        """The next place in the order of all queues."""
        self._enter()
        self._writes += 1
        self._seq += 1
        return self._seq

    # unique keys

    def _holder(self, key: str, place: str) -> Job | None:
        found = self._ask(self.database.holder, key, place)
        return None if found is None else self._row(found).job

    def holder(self, unique_key: str, states: Iterable[str], after: int | None) -> Job | None:
        """The newest job with this unique key in one of these states, created after an instant."""
        key = rows.key(unique_key)
        held = [job for place in rows.places(states) if (job := self._holder(key, place)) is not None]
        newest = max(held, key=lambda job: (job.created_at, job.id), default=None)
        return None if newest is None or (after is not None and newest.created_at <= after) else newest

    def holders(self, limit: int) -> list[Job]:
        """Of the unique keys seen last, the newest job in each state that has one."""
        pairs: dict[tuple[str, str], list[str]] = {}
        before = LAST
        while True:
            found = self._ask(self.database.unique, before, PAGE)
            for _, key, place in found:
                pairs.setdefault((key, rows.state(place)), [])
                if place not in pairs[key, rows.state(place)]:
                    pairs[key, rows.state(place)].append(place)
            if len(found) < PAGE or len(pairs) > limit:
                break
            before = found[-1][0]
        chosen: list[Job] = []
        for (key, _), places in islice(pairs.items(), limit):
            held = [job for place in places if (job := self._holder(key, place)) is not None]
            chosen.append(max(held, key=lambda job: (job.created_at, job.id)))
        return chosen

    # counts

    def priorities(self, queue: str) -> dict[int, int]:
        """Available jobs by priority."""
        self._enter()
        return {int(one): count for one, count in self._tallies.of(queue, PRIORITY).items()}

    def delete_queue(self, queue: str) -> None:
        """Forget that a queue, empty by now, ever had a job."""
        self._enter()
        self._writes += 1
        self._tallies.forget(queue)

    def counts(self, queue: str | None = None) -> dict[str, int]:
        """Jobs in each state."""
        self._enter()
        return self._tallies.states(queue)

    def queues(self) -> list[str]:
        """Names of all queues that ever had a job."""
        self._enter()
        return self._tallies.queues(STATE)

    def dead_count(self, queue: str | None = None) -> int:
        """How many dead letters there are."""
        self._enter()
        which = self._tallies.queues(DEAD) if queue is None else [queue]
        return sum(sum(self._tallies.of(one, DEAD).values()) for one in which)

    def dead_tally(self) -> dict[str, dict[str, int]]:
        """Dead letters by queue and by error type."""
        self._enter()
        every = {queue: self._tallies.of(queue, DEAD) for queue in self._tallies.queues(DEAD)}
        return {queue: tally for queue, tally in every.items() if tally}

    def _answered(self, job: Job) -> None:
        """A job that was due has changed."""
        raise NotImplementedError


class _Window:
    """The first jobs of one lane, in order.

    Args:
        places: (order, job id) of each, sorted.
        whole: Whether these are all that the lane has.
    """

    __slots__ = ("places", "whole")

    def __init__(self, places: list[tuple[Order, str]], *, whole: bool) -> None:
        self.places = places
        self.whole = whole

    def enter(self, order: Order, job_id: str) -> None:
        """A job has come into the lane."""
        if self.whole or order < self.places[-1][0]:
            insort(self.places, (order, job_id))
            if len(self.places) > 2 * AHEAD:
                del self.places[AHEAD:]
                self.whole = False

    def leave(self, order: Order) -> bool:
        """A job has left it; whether the window still says what goes first."""
        at = bisect_left(self.places, (order, ""))
        if at < len(self.places) and self.places[at][0] == order:
            del self.places[at]
        return bool(self.places) or self.whole
