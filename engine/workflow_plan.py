"""A workflow's plan: its steps and what each waits for, and the words and bounds of workflows.

Chain, group, batch, saga and step graph become one form, steps with dependencies, so that one mechanism runs them
(`engine.workflows`). Values only; requests are read by `engine.workflow_reader`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

CHAIN: Final = "chain"
GROUP: Final = "group"
BATCH: Final = "batch"
SAGA: Final = "saga"
GRAPH: Final = "graph"
"""The type shown of a step graph, which has none of its own."""
TYPES: Final = (CHAIN, GROUP, BATCH, SAGA)
CALLBACKS: Final = ("on_complete", "on_success", "on_failure")
COMPENSATION: Final = "compensation"
FAILURE_POLICIES: Final = ("compensate", "retry", "skip")
"""What a saga does when a step fails (OJS Workflows 14.3)."""
MAX_JOBS: Final = 10_000
MAX_CHAIN: Final = 1_000
"""Steps of one chain: each is handed the results of all before it."""
MAX_DEPTH: Final = 16
"""Levels of nesting; the standard asks for 3 at least (OJS Workflows 10.2)."""


@dataclass(slots=True)
class Step:
    """One step of a plan.

    Args:
        id: Unique within its workflow.
        type: Job type, or the type of the nested workflow.
        body: The enqueue request of its job, or None for a nested workflow.
        inner: The nested workflow, or None for a job.
        name: The client's name for it, or None.
        needs: Ids of the steps that must have ended before it.
        when: Of a callback: ``on_complete``, ``on_success`` or ``on_failure``; of a saga's undoing ``compensation``.
        undoes: Of a compensation: the step whose effects it undoes.
        lenient: Whether it runs, and its workflow goes on, whatever became of the steps before it and of itself.
    """

    id: str
    type: str
    body: dict[str, Any] | None
    inner: Plan | None = None
    name: str | None = None
    needs: list[str] = field(default_factory=list)
    when: str | None = None
    undoes: str | None = None
    lenient: bool = False


@dataclass(slots=True)
class Plan:
    """A checked workflow.

    Args:
        type: One of `TYPES`, or `GRAPH`.
        id: The client's, or None.
        name: The client's, or empty.
        steps: In the order of the request; callbacks last.
        meta: Attached to each job.
        timeout: Longest duration of the whole, milliseconds, or None (OJS Timeouts 9.2).
    """

    type: str
    id: str | None
    name: str
    steps: list[Step]
    meta: dict[str, Any]
    timeout: int | None = None


def ids(plan: Plan) -> list[str]:
    """The ids that the client gave to a plan and to those inside it."""
    inner = [one for step in plan.steps if step.inner is not None for one in ids(step.inner)]
    return inner if plan.id is None else [plan.id, *inner]
