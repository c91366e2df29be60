"""A workflow's steps as nodes of a picture: from its records, or from the plan of one that is being written."""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.workflow_plan import CHAIN, GRAPH, SAGA, Plan
from engine.workflow_records import CANCELLED, COMPENSATED, COMPLETED, ENDED, FAILED, RUNNING, Record, Records
from playground.graphs.layers import Node
from playground.graphs.words import plain, preview

SHOWN: Final = 16
"""Neighbours drawn; of more the rest is one box."""
MOST: Final = 80
"""Steps drawn in all."""
BEFORE: Final = 3
"""Steps before the one where it stands that are still drawn, when not all are."""
COLOURS: Final = {
    COMPLETED: life.COMPLETED,
    FAILED: life.DISCARDED,
    CANCELLED: life.CANCELLED,
    COMPENSATED: life.CANCELLED,
    RUNNING: life.ACTIVE,
    "compensating": life.RETRYABLE,
}
"""The state whose colour and shape stands for a workflow's or a step's; the others have none."""


class _Budget:
    def __init__(self) -> None:
        self.left = MOST


def living(records: Records, record: Record, budget: _Budget | None = None) -> list[Node]:
    """The nodes of a workflow as it is now.

    Args:
        records: Where it is kept.
        record: Its record.
        budget: How many more may be drawn; left out by callers.
    """
    budget = budget or _Budget()
    key = record["id"]
    plan = records.plan(key)
    regular: list[str] = plan["steps"]
    most = max(1, min(SHOWN, budget.left))
    first = 0
    if len(regular) > most:
        first = max(0, min(len(regular) - most, record["completed"] - BEFORE))
    window = regular[first : first + most]
    shown = [*window, *plan["callbacks"][:SHOWN]]
    budget.left -= len(shown)
    nodes = {one: _living(records, record, records.step(key, one), budget) for one in shown}
    for one in shown:
        step = records.step(key, one)
        for dependent in step["dependents"]:
            if dependent in nodes:
                nodes[dependent].needs[one] = nodes[dependent].facts["when"]
        if step["undoes"] in nodes:
            nodes[one].needs[step["undoes"]] = "undoes"
    lost = len(regular) - len(window)
    if lost and record["type"] in {CHAIN, SAGA}:
        return _between(_ordered(nodes), window, first, lost - first)
    return [*_ordered(nodes), *_rest("(more)", lost)]


def _rest(key: str, count: int) -> list[Node]:
    """The box for steps that are not drawn."""
    if count <= 0:
        return []
    text = f"{count:,} more {'step' if count == 1 else 'steps'}"
    return [Node(key, {"kind": "more", "title": text, "state": "", "when": "", "says": text})]


def _between(nodes: list[Node], window: list[str], before: int, after: int) -> list[Node]:
    """The steps of a long chain with what comes before and after them."""
    head, tail = _rest("(before)", before), _rest("(after)", after)
    for node in nodes:
        if head and node.key == window[0]:
            node.needs["(before)"] = ""
    for node in tail:
        node.needs[window[-1]] = ""
    return [*head, *nodes, *tail]


def _living(records: Records, record: Record, step: Record, budget: _Budget) -> Node:
    job = None if step["job_id"] is None else records.store.get(step["job_id"])
    state = step["state"]
    inner: list[Node] = []
    if step["workflow"] is not None:
        within = records.workflow(step["workflow"])
        state = within["state"]
        inner = living(records, within, budget) if budget.left > 0 else []
    elif job is not None and state not in ENDED:
        state = job.state
    error = step["error"] or (job.error if job is not None else None)
    facts = {
        "kind": "workflow" if step["workflow"] is not None else "job",
        "id": step["id"],
        "title": _title(step["type"], step["name"]),
        "when": step["when"] or "",
        "state": state,
        "colour": COLOURS.get(state, state if state in life.STATES else ""),
        "job_id": step["job_id"],
        "workflow": step["workflow"],
        "attempt": job.attempt if job is not None else step["attempt"],
        "args": "" if step["body"] is None else preview(step["body"]["args"], 60),
        "result": "" if step["result"] is None else preview(step["result"], 200),
        "error": "" if not error else plain(error.get("message") or error.get("code") or "", 120),
        "passes": bool(step["dependents"]),
    }
    if record["type"] == GRAPH:
        facts["waits"] = records.needs(record["id"], step["id"])
    facts["says"] = f"{facts['title']}: {state}"
    return Node(step["id"], facts, {}, inner)


def _title(kind: str, name: str | None) -> str:
    return plain(kind if not name else f"{name} ({kind})", 60)


def written(plan: Plan, budget: _Budget | None = None) -> list[Node]:
    """The nodes of a workflow that nobody has created yet."""
    budget = budget or _Budget()
    nodes: dict[str, Node] = {}
    regular = [step for step in plan.steps if step.when is None or plan.type == GRAPH]
    callbacks = [step for step in plan.steps if step.when is not None and plan.type != GRAPH]
    most = max(1, min(SHOWN, budget.left))
    for step in [*regular[:most], *callbacks[:SHOWN]]:
        budget.left -= 1
        inner = written(step.inner, budget) if step.inner is not None and budget.left > 0 else []
        facts: dict[str, Any] = {
            "kind": "job" if step.inner is None else "workflow",
            "id": step.id,
            "title": _title(step.type, step.name),
            "when": step.when or "",
            "state": "",
            "colour": "",
            "job_id": None,
            "workflow": None,
            "attempt": 0,
            "args": "" if step.body is None else preview(step.body["args"], 60),
            "result": "",
            "error": "",
            "passes": False,
        }
        facts["says"] = facts["title"]
        nodes[step.id] = Node(step.id, facts, dict.fromkeys(step.needs, step.when or ""), inner)
        if step.undoes is not None:
            nodes[step.id].needs[step.undoes] = "undoes"
    # What a graph's step needs may stand after it in the request.
    return [*_ordered(nodes), *_rest("(more)", len(regular) - most)]


def _ordered(nodes: dict[str, Node]) -> list[Node]:
    done: dict[str, Node] = {}
    waiting = dict(nodes)
    while waiting:
        ready = [key for key, node in waiting.items() if all(need not in waiting for need in node.needs)]
        for key in ready or list(waiting):
            done[key] = waiting.pop(key)
    return list(done.values())
