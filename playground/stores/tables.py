"""The tables, the same for both dialects, and the revision of the schema that this version writes.

Every name begins with ``ojs_``, so that a database may be shared with the programs whose jobs it keeps. What a query
looks for has a column; everything else of a job or a record is JSON in its ``body``.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy.sql.elements import ColumnElement

REVISION: Final = "0001"
"""The newest revision in ``migrations/versions``."""
VERSIONS: Final = "ojs_version"
"""Alembic's own table."""

metadata = MetaData()
_Number: Final = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's own row number is an INTEGER

clock = Table(
    "ojs_clock",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=False),
    Column("seq", _Number, nullable=False),  # the last `Job.seq`
    Column("stamp", _Number, nullable=False),  # the last number given by the store itself
    Column("event", _Number, nullable=False),  # number of the latest event
    Column("counted", _Number, nullable=False),  # up to which event throughput is counted
    Column("instant", _Number, nullable=False),  # the latest instant, milliseconds
    Column("version", _Number, nullable=False),  # of the whole database: one more with each commit
)
"""One row. Whoever writes holds it; a version that another process has written makes a cache worthless."""

job = Table(
    "ojs_job",
    metadata,
    Column("born", _Number, primary_key=True, autoincrement=False),  # order of creation
    Column("id", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("place", Text, nullable=False),  # its state, or "dead" for a dead letter
    Column("type", Text, nullable=False),
    Column("entered", _Number, nullable=False),  # order in which it came to its place
    Column("lane", Text, nullable=False),
    Column("urgency", _Number, nullable=False),
    Column("turn", _Number, nullable=False),
    Column("seq", _Number, nullable=False),
    Column("created_at", _Number, nullable=False),
    Column("unique_key", Text),
    Column("due", _Number),
    Column("due_order", _Number, nullable=False),
    Column("body", Text, nullable=False),
)


def _only(condition: ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


INDEXES: Final = (
    Index("ojs_job_id", job.c.id, unique=True),
    Index("ojs_job_queue", job.c.queue, job.c.born),
    Index("ojs_job_place", job.c.place, job.c.entered),
    Index("ojs_job_queue_place", job.c.queue, job.c.place, job.c.entered),
    Index(
        "ojs_job_ready", job.c.queue, job.c.lane, job.c.urgency.desc(), job.c.turn, job.c.seq,
        **_only(job.c.place == "available"),
    ),
    Index("ojs_job_due", job.c.due, job.c.due_order, **_only(job.c.due.is_not(None))),
    Index(
        "ojs_job_unique", job.c.unique_key, job.c.place, job.c.created_at, job.c.id,
        **_only(job.c.unique_key.is_not(None)),
    ),
    Index("ojs_job_unique_entered", job.c.entered, **_only(job.c.unique_key.is_not(None))),
)  # fmt: skip

tally = Table(
    "ojs_tally",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("count", _Number, nullable=False),
)
"""How many jobs of a queue are in a state, lane, priority, or dead of a type of error: counting is never a scan."""

record = Table(
    "ojs_record",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("name", Text),  # the whole key where the column holds a shortened one
    Column("born", _Number, nullable=False),
    Column("body", Text, nullable=False),
    Index("ojs_record_kind", "kind", "born"),
)

timer = Table(
    "ojs_timer",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("name", Text),
    Column("due", _Number, nullable=False),
    Column("due_order", _Number, nullable=False),
    Index("ojs_timer_due", "due", "due_order"),
)

event = Table(
    "ojs_event",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
"""The latest events (`engine.events.CAPACITY`), as the log notes them."""
