"""Jobs, records and timers as Redis holds them: values of hashes, and members of sorted sets.

All members of a set have the score 0, and Redis keeps them by their bytes. A number is eight bytes, the biggest first,
so that numbers and bytes have one order; a name ends with NUL, which `rows.name` leaves in none. A member that stands
for a job ends with the number under which the job is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from playground.stores import rows
from playground.stores.backend import Which
from playground.stores.rows import Row

_ZERO: Final = 1 << 63
_one: Final = struct.Struct(">Q").pack
_two: Final = struct.Struct(">QQ").pack
_three: Final = struct.Struct(">QQQ").pack
_four: Final = struct.Struct(">QQQQ").pack
_back: Final = struct.Struct(">Q").unpack_from
END: Final = b"\xff"
"""After every number and every name."""

SETS: Final = (":born", ":queue", ":place", ":here", ":ready", ":due", ":unique", ":seen")
"""The sets that jobs are members of, in the order of `members`: all; by queue; by place; by both; in their queue's
order while available; by when they are due; by unique key; those with a unique key by when they came to their place."""
BORN, QUEUE, PLACE, HERE, READY, DUE, UNIQUE, SEEN = range(len(SETS))

Members = tuple[bytes | None, ...]
"""A job's member of each of `SETS`."""


def number(value: int) -> bytes:
    """A number."""
    return _one(value + _ZERO)


def numbered(member: bytes, at: int = -8) -> int:
    """The number at a place of a member."""
    found: int = _back(member, at if at >= 0 else len(member) + at)[0]
    return found - _ZERO


def word(column: str) -> bytes:
    """A name that has been made fit for a column (`rows.name`, `rows.key`)."""
    return column.encode() + b"\0"


@lru_cache(maxsize=1024)
def name(text: str) -> bytes:
    """Any name."""
    return rows.name(text).encode() + b"\0"


def members(row: Row) -> Members:
    """Where a job belongs: a member for each of `SETS`, or None."""
    job = row.job
    born, entered = row.born + _ZERO, row.entered + _ZERO
    itself, queue, place = _one(born), name(job.queue), word(row.place)
    came = place + _two(entered, born)
    ready = due = unique = seen = None
    if row.lined_up is not None:
        urgency, turn, seq, _ = row.order()
        ready = queue + word(row.lane) + _four(urgency + _ZERO, turn + _ZERO, seq + _ZERO, born)
    if row.due is not None:
        due = _three(row.due + _ZERO, row.due_order + _ZERO, born)
    if job.unique_key is not None:
        key = word(rows.key(job.unique_key))
        unique = key + place + _one(job.created_at + _ZERO) + name(job.id) + itself
        seen = _one(entered) + key + row.place.encode()
    return itself, queue + itself, came, queue + came, ready, due, unique, seen


def born_of(belongs: Sequence[Any]) -> bytes:
    """The number under which a job is kept, of where it belongs."""
    born: bytes = belongs[BORN]
    return born


def value(row: Row) -> bytes:
    """All of a job: what is looked for first, then what else the store says of it, then its body."""
    due = "" if row.due is None else row.due
    parts = f"{row.place}\0{rows.name(row.job.type)}\0{row.entered}\0{due}\0{row.due_order}\0{row.lane}\0"
    return (parts + rows.job_body(row.job)).encode()


def found(born: bytes, kept: bytes) -> tuple[Any, ...]:
    """A job of a number and a value, see `playground.stores.backend.Found`."""
    place, _, entered, due, due_order, lane, body = kept.decode().split("\0", 6)
    return numbered(born), place, int(entered), int(due) if due else None, int(due_order), lane, body


def keyed(which: Which) -> bytes:
    """The name of a timer."""
    return name(which[0]) + rows.name(which[1]).encode()


def which(field: bytes) -> Which:
    """The timer of a name."""
    kind, _, key = field.decode().partition("\0")
    return rows.plain(kind), rows.plain(key)
