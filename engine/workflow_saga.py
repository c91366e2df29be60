"""The saga: when a step fails, what the steps before it did is undone in reverse order (OJS Workflows 14).

Steps and compensations run by the mechanism of `engine.workflows`; here is only which compensation comes next, and
how a saga ends.
"""

from __future__ import annotations

from typing import Any

from engine.kernel import Kernel
from engine.workflow_events import emit
from engine.workflow_records import (
    CANCELLED,
    COMPENSATED,
    COMPENSATING,
    COMPLETED,
    ENDED,
    FAILED,
    RUNNING,
    Record,
    Records,
)


def after(kernel: Kernel, records: Records, key: str) -> tuple[list[Any], str | None]:
    """What follows in a saga when one of its steps has ended.

    Args:
        kernel: For the event.
        records: The workflows' records.
        key: The saga.

    Returns:
        Steps that end without having run (see `engine.workflows.Ending`), and the compensation that is to run now.
    """
    record = records.workflow(key)
    if record["state"] == RUNNING:
        if record["completed"] + record["failed"] + record["cancelled"] < record["total"]:
            return [], None
        undoing = [records.step(key, one) for one in records.plan(key)["callbacks"]]
        wanted = [
            step["id"]
            for step in reversed(undoing)
            if record["bad"] and records.step(key, step["undoes"])["state"] == COMPLETED
        ]
        ended = [_unused(key, step["id"]) for step in undoing if step["id"] not in wanted]
        if not wanted:
            return ended, None
        record["state"], record["undo"] = COMPENSATING, wanted[1:]
        records.put(record)
        emit(kernel, "workflow.compensating", record, {"compensations": len(wanted)})
        return ended, wanted[0]
    if record["state"] != COMPENSATING or not record["undo"]:
        return [], None
    states = {step["state"] for step in _ran(records, key)}
    if not states <= {COMPLETED}:  # the one before failed: somebody must look at it (14.2, 4)
        left, record["undo"] = record["undo"], []
        records.put(record)
        return [_unused(key, one) for one in left], None
    if any(
        records.step(key, one)["state"] not in {*ENDED, "waiting"} for one in records.plan(key)["callbacks"]
    ):
        return [], None
    following, record["undo"] = record["undo"][0], record["undo"][1:]
    records.put(record)
    return [], following


def _unused(key: str, step_id: str) -> tuple[str, str, str, None, None, str]:
    return key, step_id, CANCELLED, None, None, "not needed"


def _ran(records: Records, key: str) -> list[Record]:
    """Compensations that have run to their end."""
    steps = [records.step(key, one) for one in records.plan(key)["callbacks"]]
    return [step for step in steps if step["state"] in ENDED and step["cause"] is None]


def outcome(records: Records, record: Record) -> str:
    """The state in which a saga ends: nothing failed, all undone, or left half undone."""
    forward = [records.step(record["id"], one) for one in records.plan(record["id"])["steps"]]
    if all(step["state"] == COMPLETED or step["lenient"] for step in forward):
        return COMPLETED
    return COMPENSATED if all(step["state"] == COMPLETED for step in _ran(records, record["id"])) else FAILED
