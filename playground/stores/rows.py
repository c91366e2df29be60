"""Jobs, events and names as a database holds them.

Text columns take neither NUL (PostgreSQL) nor lone surrogates (both), and an index takes no long text; clients may send
all three. JSON, written in ASCII, carries anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

from engine.events import Event, Note
from engine.job import Job
from engine.lifecycle import AVAILABLE, DISCARDED
from engine.retry import DEFAULT, RetryPolicy
from playground.stores.tallies import DEAD as DEAD_TALLY
from playground.stores.tallies import LANE, PRIORITY, STATE

LONGEST: Final = 500
"""Characters of a name that a column holds; a longer one is shortened, with a digest for its tail."""

_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_ESCAPE: Final = re.compile(r"\\(\\|0|u[0-9a-f]{4})")
_SLOTS: Final = tuple(name for name in Job.__slots__ if name not in {"id", "type", "args"})
_values: Final = attrgetter(*_SLOTS)
_DEFAULTS: Final = _values(Job("", "", []))


def dumps(value: Any) -> str:
    """JSON in ASCII."""
    return _encode(value)


def name(text: str) -> str:
    """A name as a column takes it: itself, but for a backslash, NUL and lone surrogates, which are escaped."""
    if "\\" not in text and "\0" not in text and (text.isascii() or _whole(text)):
        return text
    doubled = text.replace("\\", "\\\\").replace("\0", "\\0")
    return doubled.encode("utf-8", "backslashreplace").decode()


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain(column: str) -> str:
    """The name that a column stands for."""
    return _ESCAPE.sub(_unescaped, column) if "\\" in column else column


def _unescaped(found: re.Match[str]) -> str:
    what = found[1]
    return "\\" if what == "\\" else "\0" if what == "0" else chr(int(what[1:], 16))


def key(text: str) -> str:
    """`name`, shortened to what an index takes; equal for equal texts, different for different ones."""
    column = name(text)
    if len(column) <= LONGEST:
        return column
    return column[: LONGEST - 33] + "~" + blake2b(column.encode(), digest_size=16).hexdigest()


def job_body(job: Job) -> str:
    """All of a job that has no column of its own, and what differs from a new one's."""
    fields = {
        slot: value
        for slot, value, default in zip(_SLOTS, _values(job), _DEFAULTS, strict=True)
        if value is not default and value != default
    }
    if job.retry is not DEFAULT:  # told from an equal explicit one by identity
        fields["retry"] = job.retry
    return _encode([job.id, job.type, job.args, fields])


def job_from(body: str) -> Job:
    """The job of a body."""
    job_id, kind, args, fields = json.loads(body)
    if "retry" in fields:
        attempts, initial, coefficient, most, jitter, final, exhaustion, strategy = fields["retry"]
        fields["retry"] = RetryPolicy(
            attempts, initial, coefficient, most, jitter, tuple(final), exhaustion, strategy
        )
    return Job(job_id, kind, args, **fields)


def event_body(kept: Event | Note) -> str:
    """An event, or the note of one."""
    return _encode(kept)


def event_from(body: str) -> Event | Note:
    """The event or note of a body."""
    parts = json.loads(body)
    return Event(*parts) if len(parts) == len(Event._fields) else tuple(parts)


DEAD: Final = "dead"
"""The place of dead letters, which are discarded jobs with a list of their own."""


def places(states: Iterable[str]) -> list[str]:
    """The places of jobs in these states."""
    return [place for state in states for place in ([state, DEAD] if state == DISCARDED else [state])]


def state(place: str) -> str:
    """The state of jobs in a place."""
    return DISCARDED if place == DEAD else place


Order = tuple[int, int, int, int]
"""A job's place in its queue: (negated urgency, turn, seq, born), the smallest goes first."""


class Row:
    """A job in memory, with what the database says of it beside the body.

    Args:
        job: The job.
        born: Its number in the order of creation.
        place: Its state, or `DEAD`.
        entered: Order in which it came to its place.
        due: When the server has to act on it, milliseconds, or None.
        due_order: Order among those due at one instant.
        lane: `key` of its lane while it is available, else "".

    Attributes:
        entries: Where it counts.
        kept: What the database has of it, as the database noted it.
        lined_up: Its queue, lane and place there, as they were when it last changed; None unless it is available.
    """

    __slots__ = ("born", "due", "due_order", "entered", "entries", "job", "kept", "lane", "lined_up", "place")

    def __init__(
        self, job: Job, born: int, place: str, entered: int, due: int | None, due_order: int, lane: str
    ) -> None:
        self.job = job
        self.born = born
        self.place = place
        self.entered = entered
        self.due = due
        self.due_order = due_order
        self.lane = lane
        self.entries: tuple[tuple[str, str, str], ...] = ()
        self.kept: Sequence[Any] = ()
        self.lined_up: tuple[str, str, Order] | None = None
        if place:
            self.count()
            self.line_up()

    def count(self) -> bool:
        """See where the job counts now; whether that has changed."""
        job, queue = self.job, self.job.queue
        entries: tuple[tuple[str, str, str], ...] = ((queue, STATE, job.state),)
        if job.state == AVAILABLE:
            entries = (*entries, (queue, LANE, self.lane), (queue, PRIORITY, str(job.priority)))
        elif self.place == DEAD:
            kind = next((name for _, what, name in self.entries if what == DEAD_TALLY), None)
            entries = (*entries, (queue, DEAD_TALLY, kind or _error_type(job)))
        changed = entries != self.entries
        self.entries = entries
        return changed

    def line_up(self) -> None:
        """Note where it stands in its queue."""
        job = self.job
        self.lined_up = (job.queue, self.lane, self.order()) if job.state == AVAILABLE else None

    def order(self) -> Order:
        """Its place in its queue, the smallest goes first."""
        job = self.job
        return -(job.priority + job.boost), job.turn, job.seq, self.born

    def values(self) -> dict[str, Any]:
        """The whole row, by column."""
        job = self.job
        return {
            "born_": self.born,
            "id_": name(job.id),
            "queue_": name(job.queue),
            "place_": self.place,
            "type_": name(job.type),
            "entered_": self.entered,
            "lane_": self.lane,
            "urgency_": job.priority + job.boost,
            "turn_": job.turn,
            "seq_": job.seq,
            "created_at_": job.created_at,
            "unique_key_": None if job.unique_key is None else key(job.unique_key),
            "due_": self.due,
            "due_order_": self.due_order,
            "body_": job_body(job),
        }


def _error_type(job: Job) -> str:
    return str((job.error or {}).get("type") or "Unknown")[:LONGEST]
