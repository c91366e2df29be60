"""A workflow as servers answer it, into the records from which its graph is drawn (`engine.workflow_records`)."""

from __future__ import annotations

from typing import Any, Final

from engine.workflow_plan import BATCH, CHAIN, GRAPH, GROUP, SAGA
from playground.attach.shapes import Body, inner, instant, number, rows, text

Put = tuple[str, str, Body]
"""A record: kind, key, value."""
DEPTH: Final = 5
"""How deep nested workflows are read."""
_TYPES: Final = frozenset({CHAIN, GROUP, BATCH, SAGA, GRAPH})


def records(raw: Body, parent: tuple[str, str] | None = None, depth: int = 0) -> list[Put]:
    """All records of a workflow and of those inside it; empty where it has no id."""
    key = text(raw, "workflow_id", "id") if parent else text(raw, "id", "workflow_id")
    if not key or "/" in key or depth > DEPTH:
        return []
    listed = rows(raw, "steps", "jobs")
    kind = text(raw, "type") if text(raw, "type") in _TYPES else GRAPH
    callbacks = [
        {**one, "callback_type": when}
        for when, one in inner(raw, "callbacks").items()
        if isinstance(one, dict)
    ]
    undoing = [{**one, "callback_type": "compensation"} for one in rows(raw, "compensations")]
    steps = [_step(one, index) for index, one in enumerate([*listed, *callbacks, *undoing])]
    regular = steps[: len(listed)]
    found: list[Put] = []
    by_id = {one["id"]: one for one in steps}
    for at, one in enumerate(listed):
        needs = one.get("depends_on")
        needed = [str(need) for need in needs] if isinstance(needs, list) else []
        if kind in {CHAIN, SAGA} and at:
            needed = [regular[at - 1]["id"]]
        for need in needed:
            if need in by_id:
                by_id[need]["dependents"].append(regular[at]["id"])
        if kind == GRAPH and needed:
            found.append(("workflow_needs", f"{key}/{regular[at]['id']}", {"steps": needed}))
        if rows(one, "steps", "jobs") and text(one, "workflow_id"):
            within = records(one, (key, regular[at]["id"]), depth + 1)
            found += within
            regular[at]["workflow"] = text(one, "workflow_id") if within else None
    found += [("workflow_step", f"{key}/{one['id']}", one) for one in steps]
    ids = [one["id"] for one in steps]
    plan = {"steps": ids[: len(listed)], "callbacks": ids[len(listed) :]}
    return [*found, ("workflow_plan", key, plan), ("workflow", key, _whole(raw, key, kind, parent, steps))]


def _whole(raw: Body, key: str, kind: str, parent: tuple[str, str] | None, steps: list[Body]) -> Body:
    facts = inner(raw, "metadata")
    states = [one["state"] for one in steps]
    told: dict[str, Any] = {
        name: number(raw, f"steps_{name}") for name in ("total", "completed", "failed", "cancelled")
    }
    jobs = {name: number(facts, f"{name}_count") for name in ("completed", "failed", "cancelled")}
    return {
        "id": key,
        "type": kind,
        "name": text(raw, "name"),
        "state": text(raw, "state", "status") or "not told",
        "parent": None if parent is None else list(parent),
        "total": told["total"] or number(facts, "job_count") or len(steps),
        **{
            name: states.count(name) if value is None and jobs[name] is None else value or jobs[name] or 0
            for name, value in told.items()
            if name != "total"
        },
        "jobs_total": number(raw, "jobs_total") or number(facts, "job_count") or len(steps),
        "error": None,
        "created_at": instant(raw, "created_at") or instant(facts, "created_at") or 0,
        "started_at": instant(raw, "started_at") or instant(facts, "started_at"),
        "completed_at": instant(raw, "completed_at") or instant(facts, "completed_at"),
        "cancelled_at": instant(raw, "cancelled_at") or instant(facts, "cancelled_at"),
    }


def _step(raw: Body, index: int) -> Body:
    args = raw.get("args")
    error = raw.get("error")
    return {
        "id": text(raw, "id", "step_id") or str(index),
        "index": index,
        "type": text(raw, "type", "job_type") or "?",
        "name": text(raw, "name") or None,
        "body": {"args": args} if isinstance(args, list) else None,
        "workflow": None,
        "when": text(raw, "callback_type") or None,
        "undoes": text(raw, "undoes") or None,
        "dependents": [],
        "state": text(raw, "state", "status") or "waiting",
        "cause": None,
        "job_id": text(raw, "job_id") or None,
        "attempt": number(raw, "attempt") or 0,
        "result": raw.get("result"),
        "error": error if isinstance(error, dict) else None,
        "started_at": instant(raw, "started_at"),
        "ended_at": instant(raw, "completed_at"),
    }
