"""The first schema: clock, jobs, tallies, records, timers, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[int]:
    if key:
        return sa.Column(name, _NUMBER, primary_key=True, autoincrement=False)
    return sa.Column(name, _NUMBER, nullable=empty)


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=key, nullable=empty)


def _partial(name: str, columns: list[str | sa.TextClause], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "ojs_job", columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Make every table."""
    numbers = ("seq", "stamp", "event", "counted", "instant", "version")
    clock = op.create_table("ojs_clock", _number("id", key=True), *map(_number, numbers))
    op.bulk_insert(clock, [{"id": 1, **dict.fromkeys(numbers, 0)}])
    op.create_table(
        "ojs_job",
        _number("born", key=True), _text("id"), _text("queue"), _text("place"), _text("type"), _number("entered"),
        _text("lane"), _number("urgency"), _number("turn"), _number("seq"), _number("created_at"),
        _text("unique_key", empty=True), _number("due", empty=True), _number("due_order"), _text("body"),
    )  # fmt: skip
    op.create_index("ojs_job_id", "ojs_job", ["id"], unique=True)
    op.create_index("ojs_job_queue", "ojs_job", ["queue", "born"])
    op.create_index("ojs_job_place", "ojs_job", ["place", "entered"])
    op.create_index("ojs_job_queue_place", "ojs_job", ["queue", "place", "entered"])
    _partial(
        "ojs_job_ready", ["queue", "lane", sa.text("urgency DESC"), "turn", "seq"], "place = 'available'"
    )
    _partial("ojs_job_due", ["due", "due_order"], "due IS NOT NULL")
    _partial("ojs_job_unique", ["unique_key", "place", "created_at", "id"], "unique_key IS NOT NULL")
    _partial("ojs_job_unique_entered", ["entered"], "unique_key IS NOT NULL")
    op.create_table(
        "ojs_tally",
        _text("queue", key=True),
        _text("kind", key=True),
        _text("name", key=True),
        _number("count"),
    )
    op.create_table(
        "ojs_record",
        _text("kind", key=True), _text("key", key=True), _text("name", empty=True), _number("born"), _text("body"),
    )  # fmt: skip
    op.create_index("ojs_record_kind", "ojs_record", ["kind", "born"])
    op.create_table(
        "ojs_timer",
        _text("kind", key=True), _text("key", key=True), _text("name", empty=True), _number("due"),
        _number("due_order"),
    )  # fmt: skip
    op.create_index("ojs_timer_due", "ojs_timer", ["due", "due_order"])
    op.create_table("ojs_event", _number("seq", key=True), _text("body"))
