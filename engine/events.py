"""Events: what happened, in order, as CloudEvents-style envelopes (OJS Events 2 to 4).

The log keeps the latest events in memory, numbers them from 1, and tells subscribers at once. It knows
nothing of how events are shown or sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from engine.times import format_time
from engine.tracing import trace_id

if TYPE_CHECKING:
    from engine.job import Job

CAPACITY: Final = 10_000
"""Events kept; older ones are dropped, their numbers stay used."""
BLOCK: Final = 1000
"""Most events that wait to be counted."""

SOURCE: Final = "ojs://playground/engine"
"""Where every event comes from: a URI (OJS Events 2.4)."""


class Event(NamedTuple):
    """One thing that happened.

    Args:
        seq: Its number, from 1, without gaps.
        time: Instant, milliseconds.
        type: E.g. ``job.completed`` (OJS Events 3).
        subject: Id of the job, workflow or worker, or name of the queue or cron entry.
        data: The standard's data fields for this type, times already RFC 3339.
    """

    seq: int
    time: int
    type: str
    subject: str
    data: dict[str, Any]

    @property
    def job_id(self) -> str | None:
        """The job it is about, or None."""
        return self.data.get("job_id")

    @property
    def job_type(self) -> str | None:
        """That job's type, or None."""
        return self.data.get("job_type")

    @property
    def queue(self) -> str | None:
        """The queue it is about, or None."""
        return self.data.get("queue")

    @property
    def state(self) -> str | None:
        """The job's state after it, or None."""
        return self.data.get("state")

    @property
    def attempt(self) -> int | None:
        """The job's attempt counter, or None."""
        return self.data.get("attempt")

    def to_dict(self) -> dict[str, Any]:
        """The event envelope (OJS Events 2.1)."""
        return {
            "specversion": "1.0",
            "id": f"evt_{self.seq:012d}",
            "type": self.type,
            "source": SOURCE,
            "time": format_time(self.time),
            "subject": self.subject,
            "datacontenttype": "application/json",
            "data": self.data,
        }


Note: TypeAlias = tuple[
    int,
    int,
    str,
    str,
    str,
    str,
    str,
    int,
    "str | None",
    dict[str, Any],
    "str | None",
    "str | None",
    "int | None",
]
"""What is noted of an event about a job: number, instant, type, then the job's id, type, queue, state, attempt and
trace, further data, and the state that the job has left (None: it has not moved, or an event of the same move has
told it). Its tenant and when it was enqueued are for whoever counts; events do not tell them."""


def _worded(note: Note) -> Event:
    seq, time, kind, job_id, job_type, queue, state, attempt, trace, further, was, _, _ = note
    data: dict[str, Any] = {
        "job_id": job_id,
        "job_type": job_type,
        "queue": queue,
        "state": state,
        "attempt": attempt,
    }
    if trace is not None:
        data["trace_id"] = trace
    data.update(further)
    if was:
        data["from"] = was
    return Event(seq, time, kind, job_id, data)


def _event(kept: Event | Note) -> Event:
    return kept if isinstance(kept, Event) else _worded(kept)


_State: TypeAlias = tuple[
    list[Event],
    int,
    "int | None",
    list[Callable[[Event], None]],
    bool,
    Callable[[list[Note]], None],
    "list[Callable[[list[Event | Note]], None]]",
]


def _nothing(_notes: list[Note]) -> None:
    pass


class EventLog:
    """The latest events, oldest first, and those who want to hear of each new one.

    Args:
        capacity: How many are kept.

    Attributes:
        listeners: The engine's own subjects that hear of each event first; they belong to a snapshot, while
            subscribers, who are the host's, do not.
        listening: Whether the listeners would do anything with an event; until then they are not called.
        count: Is given all notes, in order, block by block.
        tallies: Are given all events, in order, block by block; they belong to a snapshot too.
    """

    __slots__ = (
        "_counted",
        "_events",
        "_held",
        "_seq",
        "_subscribers",
        "count",
        "listeners",
        "listening",
        "tallies",
    )

    def __init__(self, capacity: int = CAPACITY) -> None:
        # Most events about jobs are never read: they are kept as notes, and worded when somebody reads them.
        self._events: deque[Event | Note] = deque(maxlen=capacity)
        self._seq = 0
        self._counted = 0
        self.listeners: list[Callable[[Event], None]] = []
        self.listening = False
        self.count: Callable[[list[Note]], None] = _nothing
        self.tallies: list[Callable[[list[Event | Note]], None]] = []
        self._subscribers: list[Callable[[Event], None]] = []
        self._held: list[Event] | None = None

    @property
    def seq(self) -> int:
        """Number of the latest event, 0 before the first."""
        return self._seq

    @property
    def oldest(self) -> int:
        """Number of the oldest event kept, or the next one's while none is."""
        return self._seq - len(self._events) + 1

    def emit(self, time: int, kind: str, subject: str, data: dict[str, Any]) -> None:
        """Record an event and tell the subscribers."""
        if self._seq - self._counted >= BLOCK:
            self.settle()
        self._seq += 1
        event = Event(self._seq, time, kind, subject, data)
        self._events.append(event)
        if self._subscribers or self.listening:
            self._tell(event)

    def emit_job(self, time: int, kind: str, job: Job, further: dict[str, Any], was: str | None) -> None:
        """Record an event about a job, as it is now, and tell the subscribers.

        Args:
            time: Instant, milliseconds.
            kind: Event type.
            job: The job.
            further: Data beside the fields that every job event has; belongs to the log from here on.
            was: The state that the job has left; see `Note`.
        """
        self._seq = seq = self._seq + 1
        trace = tenant = None
        if job.meta is not None:
            trace, tenant = trace_id(job.meta), job.tenant
        note = (
            seq, time, kind, job.id, job.type, job.queue, job.state, job.attempt, trace, further, was,
            tenant, job.enqueued_at,
        )  # fmt: skip
        self._events.append(note)
        if seq - self._counted >= BLOCK:
            self.settle()
        if self._subscribers or self.listening:
            self._tell(_worded(note))

    def settle(self) -> None:
        """Have everything counted that is not yet."""
        fresh = list(islice(reversed(self._events), self._seq - self._counted))[::-1]
        self._counted = self._seq
        self.count([kept for kept in fresh if not isinstance(kept, Event)])
        for tally in self.tallies:
            tally(fresh)

    def _tell(self, event: Event) -> None:
        for hear in self.listeners:
            hear(event)
        if self._held is not None:
            self._held.append(event)
            return
        for subscriber in self._subscribers:
            subscriber(event)

    # a store that outlives the process: it keeps the log too, and what is not stored has not happened

    @property
    def counted(self) -> int:
        """Up to which number events have been given to `count`."""
        return self._counted

    def hold(self) -> None:
        """From now on subscribers hear of events only by `release`."""
        self._held = []

    def release(self) -> None:
        """Tell the subscribers what has been held back."""
        if self._held:
            held, self._held = self._held, []
            for event in held:
                for subscriber in self._subscribers:
                    subscriber(event)

    def after(self, seq: int) -> list[Event | Note]:
        """What is kept after number ``seq``, oldest first, as it is kept."""
        return list(islice(reversed(self._events), max(0, self._seq - seq)))[::-1]

    def extend(self, events: Iterable[Event | Note], seq: int, counted: int) -> None:
        """Take over events that were recorded elsewhere, the last one number ``seq``; subscribers are to hear them."""
        fresh = list(events)
        self._events.extend(fresh)
        self._seq, self._counted = seq, counted
        if self._held is not None and self._subscribers:
            self._held += map(_event, fresh)

    def replace(self, events: Iterable[Event | Note], seq: int, counted: int) -> None:
        """What happened is not what is kept, but this, the last one number ``seq``: subscribers hear of none of it."""
        self._events.clear()
        self._events.extend(events)
        self._seq, self._counted = seq, counted

    def rewind(self, seq: int, counted: int) -> None:
        """Forget all events after number ``seq``: they have not happened."""
        while self._events and self._events[-1][0] > seq:
            self._events.pop()
        self._seq, self._counted = seq, counted
        if self._held is not None:
            self._held = []

    def clear(self) -> None:
        """Drop the events kept; numbers go on, so that a resumed stream misses nothing."""
        self._events.clear()
        self._counted = self._seq

    def subscribe(self, hear: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``hear`` with each event from now on; returns what ends it, callable any number of times."""
        self._subscribers = [*self._subscribers, hear]

        def stop() -> None:
            self._subscribers = [one for one in self._subscribers if one is not hear]

        return stop

    def last(self, count: int) -> list[Event]:
        """The latest events, oldest first."""
        return [_event(kept) for kept in islice(reversed(self._events), count)][::-1]

    def latest(self) -> Iterator[Event]:
        """All kept events, newest first."""
        return map(_event, reversed(self._events))

    def since(self, seq: int, limit: int = 100) -> list[Event]:
        """Events after number ``seq``, oldest first; those no longer kept are left out."""
        skip = max(0, seq - (self._seq - len(self._events)))
        return [_event(kept) for kept in islice(self._events, skip, skip + limit)]

    def __iter__(self) -> Iterator[Event]:
        """All kept events, oldest first."""
        return map(_event, self._events)

    def detach(self) -> deque[Event | Note]:
        """Hand over the events kept, for a snapshot that has them elsewhere; to be given back to `attach`."""
        self.settle()
        kept, self._events = self._events, deque(maxlen=self._events.maxlen)
        return kept

    def attach(self, events: Iterable[Event | Note]) -> None:
        """Keep these events, oldest first, the last one the latest; numbers stay as they are."""
        self._events = deque(events, maxlen=self._events.maxlen)

    def __getstate__(self) -> _State:
        return (
            list(self),
            self._seq,
            self._events.maxlen,
            self.listeners,
            self.listening,
            self.count,
            self.tallies,
        )

    def __setstate__(self, state: _State) -> None:
        events, self._seq, capacity, self.listeners, self.listening, self.count, self.tallies = state
        self._counted = self._seq
        self._events = deque(events, maxlen=capacity)
        self._subscribers = []
        self._held = None
