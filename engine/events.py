"""Events: what happened, in order, as CloudEvents-style envelopes (OJS Events 2 to 4).

The log keeps the latest events in memory, numbers them from 1, and tells subscribers at once. It knows
nothing of how events are shown or sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from engine.times import format_time

CAPACITY: Final = 10_000
"""Events kept; older ones are dropped, their numbers stay used."""

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


class EventLog:
    """The latest events, oldest first, and those who want to hear of each new one.

    Args:
        capacity: How many are kept.

    Attributes:
        listeners: The engine's own subjects that hear of each event first; they belong to a snapshot, while
            subscribers, who are the host's, do not.
    """

    __slots__ = ("_events", "_seq", "_subscribers", "listeners")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque(maxlen=capacity)
        self._seq = 0
        self.listeners: list[Callable[[Event], None]] = []
        self._subscribers: list[Callable[[Event], None]] = []

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
        self._seq += 1
        event = Event(self._seq, time, kind, subject, data)
        self._events.append(event)
        for hear in self.listeners:
            hear(event)
        for subscriber in self._subscribers:
            subscriber(event)

    def clear(self) -> None:
        """Drop the events kept; numbers go on, so that a resumed stream misses nothing."""
        self._events.clear()

    def subscribe(self, hear: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``hear`` with each event from now on; returns what ends it, callable any number of times."""
        self._subscribers = [*self._subscribers, hear]

        def stop() -> None:
            self._subscribers = [one for one in self._subscribers if one is not hear]

        return stop

    def last(self, count: int) -> list[Event]:
        """The latest events, oldest first."""
        return list(islice(reversed(self._events), count))[::-1]

    def latest(self) -> Iterator[Event]:
        """All kept events, newest first."""
        newest: Iterator[Event] = reversed(self._events)
        return newest

    def since(self, seq: int, limit: int = 100) -> list[Event]:
        """Events after number ``seq``, oldest first; those no longer kept are left out."""
        skip = max(0, seq - (self._seq - len(self._events)))
        return list(islice(self._events, skip, skip + limit))

    def __iter__(self) -> Iterator[Event]:
        """All kept events, oldest first."""
        return iter(self._events)

    def __getstate__(self) -> tuple[list[Event], int, int | None, list[Callable[[Event], None]]]:
        return list(self._events), self._seq, self._events.maxlen, self.listeners

    def __setstate__(self, state: tuple[list[Event], int, int | None, list[Callable[[Event], None]]]) -> None:
        events, self._seq, capacity, self.listeners = state
        self._events = deque(events, maxlen=capacity)
        self._subscribers = []
