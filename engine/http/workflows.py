"""Endpoints of workflows (OJS Workflows 11, OJS HTTP Binding 14, OJS Progress 9)."""

from __future__ import annotations

from typing import Any, Final

from engine import workflow_view
from engine.http.paging import paged
from engine.http.route import Call, Reply, Route
from engine.times import format_time
from engine.workflow_plan import GRAPH, TYPES
from engine.workflow_records import STATES, Record


def _shown(call: Call, record: Record) -> dict[str, Any]:
    """The workflow beside its own fields: one SDK reads the one, another the others."""
    body = workflow_view.whole(call.engine.workflows.records, record)
    return {"workflow": body, **body}


def create(call: Call) -> Reply:
    """Create and start a workflow."""
    record = call.engine.workflows.create(call.body)
    return Reply(_shown(call, record), 201, {"Location": f"/ojs/v1/workflows/{record['id']}"})


def get(call: Call) -> Reply:
    """A workflow with all its steps."""
    return Reply(_shown(call, call.engine.workflows.records.get(call.params["id"])))


def listing(call: Call) -> Reply:
    """A page of workflows without their steps, newest first."""
    wanted = {name: value for name in ("state", "type", "name") if (value := call.query.get(name))}
    for name, allowed in (("state", STATES), ("type", (*TYPES, GRAPH))):
        if wanted.get(name, allowed[0]) not in allowed:
            raise call.refuse(name, f"must be one of {', '.join(allowed)}", "OJS Workflows 8.1")
    found = call.engine.workflows.records.outermost(**wanted)
    limit, offset = call.page()
    body = paged("workflows", found, limit, offset)
    shown = [workflow_view.summary(one) for one in body["workflows"]]
    return Reply({**body, "workflows": shown, "items": shown, "count": len(shown), "total": len(found)})


def cancel(call: Call) -> Reply:
    """Stop a workflow and all its steps that have not ended."""
    record, stopped = call.engine.workflows.cancel(call.params["id"])
    body = _shown(call, record)
    facts = {
        "cancelled_at": format_time(record["cancelled_at"]),
        "steps_cancelled": stopped,
        "steps_already_completed": record["completed"],
    }
    body["workflow"] |= facts
    return Reply(body | facts)


def progress(call: Call) -> Reply:
    """How far a workflow and each of its steps are."""
    records = call.engine.workflows.records
    return Reply(workflow_view.progress(records, records.get(call.params["id"])))


ROUTES: Final = (
    Route("GET", "/workflows", listing, "WORKFLOW", -1, "List workflows.", "OJS Workflows 11"),
    Route(
        "POST", "/workflows", create, "WORKFLOW", 3, "Create and start a workflow.", "OJS HTTP Binding 14.1"
    ),
    Route("GET", "/workflows/{id}", get, "WORKFLOW", 3, "Read a workflow.", "OJS HTTP Binding 14.2"),
    Route("DELETE", "/workflows/{id}", cancel, "WORKFLOW", 3, "Cancel a workflow.", "OJS HTTP Binding 14.3"),
    Route(
        "POST", "/workflows/{id}/cancel", cancel, "WORKFLOW", -1, "Cancel a workflow.", "OJS Workflows 11.3"
    ),
    Route("GET", "/workflows/{id}/progress", progress, "WORKFLOW", -1, "How far it is.", "OJS Progress 9.2"),
)
