"""Workflows under any shape, any order of completion and any failures: counters agree, callbacks fire exactly once."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Engine
from engine.clock import ManualClock
from engine.job import Job
from engine.memory import MemoryStore

CALLBACKS = ("on_complete", "on_success", "on_failure")
JOB_OPTIONS = {"options": {"retry": {"max_attempts": 1}}}
JOB = {"type": "a.b", "args": [], **JOB_OPTIONS}
CALL = {"type": "call.back", "args": [], "options": {"retry": {"max_attempts": 1}}}


def _saga(count: int, policy: str) -> dict[str, Any]:
    steps = [
        {"name": f"s{index}", "job_type": "a.b", "args": [], **JOB_OPTIONS, "compensate_type": "un.do"}
        for index in range(count)
    ]
    return {"type": "saga", "steps": steps, "failure_policy": policy, **JOB_OPTIONS}


SAGA = st.builds(_saga, st.integers(1, 4), st.sampled_from(("compensate", "retry", "skip")))


def _composite(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.lists(children, min_size=1, max_size=3)
    callbacks = st.sets(st.sampled_from(CALLBACKS), min_size=1).map(
        lambda names: dict.fromkeys(sorted(names), CALL)
    )
    return st.one_of(
        items.map(lambda steps: {"type": "chain", "steps": steps}),
        items.map(lambda jobs: {"type": "group", "jobs": jobs}),
        st.tuples(items, callbacks).map(lambda it: {"type": "batch", "jobs": it[0], "callbacks": it[1]}),
    )


WORKFLOW = st.one_of(SAGA, _composite(st.recursive(st.one_of(st.just(JOB), SAGA), _composite, max_leaves=8)))


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Any]:
    """A step graph without cycles: each step depends on earlier ones only."""
    count = draw(st.integers(1, 7))
    steps = []
    for index in range(count):
        needs = draw(st.sets(st.integers(0, index - 1), max_size=3)) if index else set()
        steps.append({"id": f"s{index}", **JOB, "depends_on": [f"s{need}" for need in sorted(needs)]})
    steps += [{"id": name, **CALL} for name in sorted(draw(st.sets(st.sampled_from(CALLBACKS))))]
    return {"steps": steps}


class CopyingStore(MemoryStore):
    """Hands out and takes in copies of records, as a database does: what is not given back is lost."""

    def record(self, kind: str, key: str) -> dict[str, Any] | None:
        """A copy of the record."""
        return copy.deepcopy(super().record(kind, key))

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Keep a copy."""
        super().put_record(kind, key, copy.deepcopy(value))


def fresh() -> Engine:
    """An engine whose store keeps nothing that was not written."""
    return Engine(ManualClock(1_700_000_000_000), CopyingStore())


def check(engine: Engine) -> None:
    """What holds for every workflow at every moment."""
    records = engine.workflows.records
    for key, record in engine.store.records("workflow"):
        steps = list(records.steps(key))
        regular = [step for step in steps if step["when"] is None]
        ended = [step for step in steps if step["state"] in {"completed", "failed", "cancelled"}]
        assert record["open"] == len(steps) - len(ended)
        for state in ("completed", "failed", "cancelled"):
            assert record[state] == sum(step["state"] == state for step in regular)
        over = record["state"] in {"completed", "failed", "cancelled", "compensated"}
        assert over == (record["open"] == 0)
        done = record["jobs_completed"] + record["jobs_failed"] + record["jobs_cancelled"]
        assert done <= record["jobs_total"]
        assert not over or done == record["jobs_total"]


def check_callbacks(engine: Engine) -> None:
    """Each batch that ended by itself has enqueued the callbacks of the matrix, each once (OJS Workflows 6.5)."""
    fired: dict[tuple[str, str], int] = {}
    for event in engine.events:
        if event.type == "workflow.callback_fired":
            where = event.subject, event.data["callback"]
            fired[where] = fired.get(where, 0) + 1
    assert all(count == 1 for count in fired.values())
    for key, record in engine.store.records("workflow"):
        if record["state"] not in {"completed", "failed"} or record["type"] != "batch":
            continue
        steps = list(engine.workflows.records.steps(key))
        failed = any(step["state"] != "completed" for step in steps if step["when"] is None)
        for step in steps:
            if step["when"] is not None:
                wanted = {"on_complete": True, "on_success": not failed, "on_failure": failed}[step["when"]]
                assert fired.get((key, step["when"]), 0) == wanted


def run(engine: Engine, choose: st.DataObject, *, stop_after: int | None = None) -> None:
    """Let workers end jobs in any order: success, failure, or cancelling from outside."""
    held: list[Job] = []
    done = 0
    while True:
        held += [job for job in engine.fetch(["default"], 3) if job.state == "active"]
        held = [job for job in held if job.state == "active"]
        if not held or done == stop_after:
            return
        job = held.pop(choose.draw(st.integers(0, len(held) - 1), label="which"))
        how = choose.draw(st.sampled_from(("ack", "ack", "ack", "fail", "cancel")), label="how")
        if how == "ack":
            engine.ack(job.id, job.id)
        elif how == "fail":
            engine.fail(job.id, {"code": "boom"})
        else:
            engine.cancel(job.id)
        done += 1
        check(engine)


@settings(max_examples=100, deadline=None)
@given(body=st.one_of(WORKFLOW, graphs()), choose=st.data())
def test_any_workflow_ends_whatever_its_jobs_do_and_callbacks_fire_exactly_once(
    body: dict[str, Any], choose: st.DataObject
) -> None:
    engine = fresh()
    record = engine.workflows.create(body)
    run(engine, choose)
    assert engine.workflows.records.get(record["id"])["state"] in {"completed", "failed", "compensated"}
    check_callbacks(engine)
    kinds = [event.type for event in engine.events if event.subject == record["id"]]
    assert kinds.count("workflow.created") == kinds.count("workflow.started") == 1
    assert kinds.count("workflow.completed") + kinds.count("workflow.failed") == 1
    assert kinds[-1] in {"workflow.completed", "workflow.failed"}


@settings(max_examples=75, deadline=None)
@given(body=st.one_of(WORKFLOW, graphs()), after=st.integers(0, 6), choose=st.data())
def test_a_workflow_cancelled_at_any_moment_leaves_nothing_running(
    body: dict[str, Any], after: int, choose: st.DataObject
) -> None:
    engine = fresh()
    record = engine.workflows.create(body)
    run(engine, choose, stop_after=after)
    if engine.workflows.records.get(record["id"])["state"] in {"running", "compensating"}:
        engine.workflows.cancel(record["id"])
        assert engine.workflows.records.get(record["id"])["state"] == "cancelled"
    check(engine)
    assert engine.fetch(["default"], 100) == []
    assert all(job.state in {"completed", "discarded", "cancelled"} for job in engine.store.jobs(limit=1000))


@settings(max_examples=60, deadline=None)
@given(body=WORKFLOW)
def test_when_every_job_succeeds_so_does_the_workflow(body: dict[str, Any]) -> None:
    engine = fresh()
    record = engine.workflows.create(body)
    while jobs := engine.fetch(["default"], 2):
        for job in jobs:
            engine.ack(job.id, job.id)
    found = engine.workflows.records.get(record["id"])
    assert (found["state"], found["jobs_completed"]) == ("completed", found["jobs_total"])
    assert (found["bad"], found["failed"], found["jobs_cancelled"]) == (0, 0, 0)
