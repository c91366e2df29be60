"""The records of workflows: how they are laid out in the store, read, written and counted (OJS Workflows 3.3).

A workflow's record holds counters only; each step has one of its own, so that a job that ends writes a few small
records however large its workflow is. What happens when is `engine.workflows`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from engine.errors import NotFound
from engine.job import Job
from engine.storage import Store
from engine.workflow_plan import CALLBACKS, GRAPH, Plan, Step

KIND: Final = "workflow"
_PLAN: Final = "workflow_plan"
_STEP: Final = "workflow_step"
_NEEDS: Final = "workflow_needs"

PENDING: Final = "pending"
RUNNING: Final = "running"
COMPLETED: Final = "completed"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
COMPENSATING: Final = "compensating"
COMPENSATED: Final = "compensated"
STATES: Final = (PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, COMPENSATING, COMPENSATED)
"""Workflow states; the last two are a saga's (OJS Workflows 8.1 and 14.4)."""
WAITING: Final = "waiting"
ENQUEUED: Final = "enqueued"
"""Step states: these two, `RUNNING` for a nested workflow, and the three final ones."""
ENDED: Final = frozenset({COMPLETED, FAILED, CANCELLED, COMPENSATED})

Record = dict[str, Any]


class Records:
    """All workflow records of one store.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, key: str) -> Record:
        """A workflow's record.

        Raises:
            NotFound: No such workflow.
        """
        record = self.store.record(KIND, key)
        if record is None:
            raise NotFound(
                f"There is no workflow '{key:.60}' (OJS Workflows 11.2).",
                details={"resource_type": "workflow", "resource_id": key[:60]},
            )
        return record

    def steps(self, key: str) -> Iterator[Record]:
        """A workflow's steps in their order, callbacks last."""
        plan = self.plan(key)
        return (self.step(key, one) for one in (*plan["steps"], *plan["callbacks"]))

    def needs(self, key: str, step_id: str) -> list[str]:
        """What a step of a graph depends on."""
        record = self.store.record(_NEEDS, _key(key, step_id))
        return [] if record is None else list(record["steps"])

    def outermost(self, **wanted: str) -> list[Record]:
        """Outermost workflows, newest first; only those with these values of ``state``, ``type`` or ``name``."""
        return [
            record
            for _, record in reversed(self.store.records(KIND))
            if record["parent"] is None and all(record[name] == value for name, value in wanted.items())
        ]

    def around(self, key: str) -> Iterator[Record]:
        """This workflow and those around it, from the inside out."""
        while True:
            record = self.workflow(key)
            yield record
            if record["parent"] is None:
                return
            key = record["parent"][0]

    def workflow(self, key: str) -> Record:
        """The record of a workflow known to exist."""
        return self._must(KIND, key)

    def plan(self, key: str) -> Record:
        """Ids of a workflow's steps and callbacks, each in order."""
        return self._must(_PLAN, key)

    def step(self, key: str, step_id: str) -> Record:
        """The record of a step known to exist."""
        return self._must(_STEP, _key(key, step_id))

    def step_of(self, job: Job) -> Record | None:
        """The step that a job was enqueued for, or None."""
        if job.workflow_id is None or job.step_id is None:
            return None
        step = self.store.record(_STEP, _key(job.workflow_id, job.step_id))
        return step if step is not None and step["job_id"] == job.id else None

    def put(self, record: Record) -> None:
        """Write a workflow's record."""
        self.store.put_record(KIND, record["id"], record)

    def put_step(self, key: str, step: Record) -> None:
        """Write a step's record."""
        self.store.put_record(_STEP, _key(key, step["id"]), step)

    def _must(self, kind: str, key: str) -> Record:
        record = self.store.record(kind, key)
        if record is None:
            raise LookupError(f"the store has lost the {kind} '{key}'")
        return record

    def keep(
        self, plan: Plan, parent: tuple[str, str] | None, now: int, make_id: Callable[[], str]
    ) -> Record:
        """Store a plan and the plans inside it.

        Args:
            plan: A checked plan.
            parent: Workflow and step that it is nested in, or None.
            now: The instant, milliseconds.
            make_id: Called for each workflow's id that the client did not give.

        Returns:
            The outermost record, in state ``pending``.
        """
        record = _opened(plan, plan.id or make_id(), parent, now)
        key = record["id"]
        dependents: dict[str, list[str]] = {}
        for step in plan.steps:
            for need in step.needs:
                dependents.setdefault(need, []).append(step.id)
        handled = _handled(plan.steps, dependents)
        for index, step in enumerate(plan.steps):
            fresh = _fresh(
                step, index, dependents.get(step.id, []), handled=step.id in handled or step.lenient
            )
            jobs = 1
            if step.inner is not None:
                inner = self.keep(step.inner, (key, step.id), now, make_id)
                fresh["workflow"], jobs = inner["id"], inner["jobs_total"]
            if step.when is None:
                record["jobs_total"] += jobs
            self.put_step(key, fresh)
            if plan.type == GRAPH and step.needs:
                self.store.put_record(_NEEDS, _key(key, step.id), {"steps": step.needs})
        regular = [step.id for step in plan.steps if plan.type == GRAPH or step.when is None]
        callbacks = [step.id for step in plan.steps if plan.type != GRAPH and step.when is not None]
        self.store.put_record(_PLAN, key, {"steps": regular, "callbacks": callbacks})
        self.put(record)
        return record

    def count(self, key: str, step: Record, by: int = 1) -> Record:
        """Count an ended step in its workflow, and its job in those around it; -1 takes it back."""
        record = self.workflow(key)
        record["open"] -= by
        if step["when"] is None:
            record[step["state"]] += by
        if step["state"] != COMPLETED and step["cause"] is None and not step["handled"]:
            record["bad"] += by
        self.put(record)
        if step["when"] is None and step["workflow"] is None:
            for around in self.around(key):
                around["jobs_" + step["state"]] += by
                self.put(around)
        return self.workflow(key)


def _key(key: str, step_id: str) -> str:
    return f"{key}/{step_id}"


def _opened(plan: Plan, key: str, parent: tuple[str, str] | None, now: int) -> Record:
    return {
        "id": key,
        "type": plan.type,
        "name": plan.name,
        "state": PENDING,
        "parent": None if parent is None else list(parent),
        "trace": plan.meta.get("traceparent"),
        "timeout": plan.timeout,
        "total": sum(step.when is None for step in plan.steps),
        "open": len(plan.steps),
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
        "bad": 0,
        "jobs_total": 0,
        "jobs_completed": 0,
        "jobs_failed": 0,
        "jobs_cancelled": 0,
        "inherited": [],
        "undo": [],
        "error": None,
        "created_at": now,
        "started_at": None,
        "completed_at": None,
        "cancelled_at": None,
    }


def _fresh(step: Step, index: int, dependents: list[str], *, handled: bool) -> Record:
    return {
        "id": step.id,
        "index": index,
        "type": step.type,
        "name": step.name,
        "body": step.body,
        "workflow": None,
        "when": step.when,
        "undoes": step.undoes,
        "lenient": step.lenient,
        "waits": len(step.needs),
        "missed": 0,
        "dependents": dependents,
        "handled": handled,
        "state": WAITING,
        "cause": None,
        "job_id": None,
        "attempt": 0,
        "result": None,
        "error": None,
        "started_at": None,
        "ended_at": None,
    }


def _handled(steps: list[Step], dependents: dict[str, list[str]]) -> set[str]:
    """Steps whose failure a callback deals with: some callback follows from them (OJS Workflows 6.4)."""
    needs = {step.id: step.needs for step in steps}
    found: set[str] = set()
    pending = [need for step in steps if step.when in CALLBACKS for need in step.needs]
    while pending:
        one = pending.pop()
        if one not in found and one in dependents:
            found.add(one)
            pending += needs[one]
    return found
