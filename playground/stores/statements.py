"""Every statement of the store, written once by SQLAlchemy for both dialects.

Names of values end in an underscore, so that none is taken for a column's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Insert,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Select

from playground.stores.tables import clock, event, job, record, tally, timer

Value = bindparam


def _values(table: Table) -> dict[str, Any]:
    return {column.name: Value(column.name + "_") for column in table.columns}


def _put(table: Table, *fixed: str) -> Insert:
    """Insert a row, or replace it but for its key and what is fixed once it is there."""
    made = postgresql.insert(table).values(_values(table))  # SQLite spells it alike
    key = [column.name for column in table.primary_key]
    changes = {
        column.name: made.excluded[column.name]
        for column in table.columns
        if column.name not in {*key, *fixed}
    }
    return made.on_conflict_do_update(index_elements=key, set_=changes)


FOUND: Final = (job.c.born, job.c.place, job.c.entered, job.c.due, job.c.due_order, job.c.lane, job.c.body)
"""What is read of a job."""

CLOCK: Final = select(
    clock.c.seq, clock.c.stamp, clock.c.event, clock.c.counted, clock.c.instant, clock.c.version
).with_for_update()
"""In PostgreSQL this holds the row until the transaction ends: one process writes at a time."""
PUT_CLOCK: Final = update(clock).values(_values(clock))

BODIES: Final = select(job.c.body).order_by(job.c.born)
JOB: Final = select(*FOUND).where(job.c.id == Value("id_"))
PUT_JOB: Final = _put(job)
DROP_JOB: Final = delete(job).where(job.c.born == Value("born_"))

_READY: Final = (job.c.urgency.desc(), job.c.turn, job.c.seq)
_WAITS: Final = (job.c.place == literal_column("'available'"), job.c.queue == Value("queue_"))
FIRST: Final = (
    select(*FOUND)
    .where(*_WAITS, job.c.lane == Value("lane_"))
    .order_by(*_READY)
    .limit(Value("limit_"))
    .with_for_update(skip_locked=True)
)
"""The jobs of a queue and lane that go first; one whose row somebody else holds is passed over."""

HOLDER: Final = (
    select(*FOUND)
    .where(job.c.unique_key == Value("key_"), job.c.place == Value("place_"))
    .order_by(job.c.created_at.desc(), job.c.id.desc())
    .limit(literal_column("1"))
)
UNIQUE: Final = (
    select(job.c.entered, job.c.unique_key, job.c.place)
    .where(job.c.unique_key.is_not(None), job.c.entered < Value("before_"))
    .order_by(job.c.entered.desc())
    .limit(Value("limit_"))
)

TALLIES: Final = select(tally.c.queue, tally.c.kind, tally.c.name, tally.c.count)
PUT_TALLY: Final = _put(tally)
DROP_TALLY: Final = delete(tally).where(
    tally.c.queue == Value("queue_"), tally.c.kind == Value("kind_"), tally.c.name == Value("name_")
)

_KEYED: Final = (record.c.kind == Value("kind_"), record.c.key == Value("key_"))
RECORD: Final = select(record.c.body).where(*_KEYED)
RECORDS: Final = (
    select(record.c.key, record.c.name, record.c.body)
    .where(record.c.kind == Value("kind_"))
    .order_by(record.c.born)
)
PUT_RECORD: Final = _put(record, "born")
DROP_RECORD: Final = delete(record).where(*_KEYED)

PUT_TIMER: Final = _put(timer)
TIMER: Final = select(timer.c.due).where(timer.c.kind == Value("kind_"), timer.c.key == Value("key_"))
DROP_TIMER: Final = delete(timer).where(timer.c.kind == Value("kind_"), timer.c.key == Value("key_"))
_TIMERS = (
    select(timer.c.due, timer.c.due_order, timer.c.kind, timer.c.key, timer.c.name)
    .order_by(timer.c.due, timer.c.due_order)
    .limit(literal_column("1"))
    .subquery()
)
_JOBS = (
    select(
        job.c.due,
        job.c.due_order,
        literal_column("'job'").label("kind"),
        job.c.id.label("key"),
        literal_column("NULL").label("name"),
    )
    .where(job.c.due.is_not(None))
    .order_by(job.c.due, job.c.due_order)
    .limit(Value("limit_"))
    .subquery()
)
DUE: Final = union_all(select(_TIMERS), select(_JOBS))
"""The first timer, and the first jobs that are due."""

EVENTS: Final = select(event.c.seq, event.c.body).where(event.c.seq > Value("after_")).order_by(event.c.seq)
ADD_EVENT: Final = insert(event).values(_values(event))
DROP_EVENTS: Final = delete(event).where(event.c.seq < Value("before_"))

CLEAR: Final = [delete(table) for table in (job, tally, record, timer)]
SCHEMA: Final = select(func.current_schema())
NOTIFY: Final = select(func.pg_notify(Value("channel_"), Value("payload_")))


@lru_cache(maxsize=128)
def page(
    places: int, *, queue: bool, type_: bool, order: str, newest: bool, few: bool = False
) -> Select[Any]:
    """Jobs in order, from a place in it on.

    Args:
        places: How many places are named (``place0_``, …); 0 for all.
        queue: Whether a queue is named (``queue_``).
        type_: Whether a type is named (``type_``).
        order: ``born`` or ``entered``.
        newest: Newest first.
        few: Whether few of all jobs are in these places: then they are found by place, and sorted.
    """
    column: ColumnElement[int] = job.c[order]
    beyond = column < Value("from_") if newest else column > Value("from_")
    found = select(*FOUND).where(beyond)
    if places:
        found = found.where(job.c.place.in_([Value(f"place{number}_") for number in range(places)]))
    if queue:
        found = found.where(job.c.queue == Value("queue_"))
    if type_:
        found = found.where(job.c.type == Value("type_"))
    key = column + literal_column("0") if few else column
    return found.order_by(key.desc() if newest else key).limit(Value("limit_")).offset(Value("offset_"))
