"""Endpoints of agent operations (the suite ``agent``; no document describes them)."""

from __future__ import annotations

from typing import Final

from engine.http.route import Call, Feature, Reply, Route

FEATURES: Final = (
    Feature("ai-agents", "experimental", version="0.1.0-draft"),
    Feature("ml-resources", "experimental", version="0.3.0"),
    Feature("encryption"),
)


def get(call: Call) -> Reply:
    """An agent's state and branches."""
    return Reply(call.engine.extensions.agents.get(call.params["id"]))


def pause(call: Call) -> Reply:
    """Wait for a human."""
    return Reply(call.engine.extensions.agents.pause(call.params["id"], call.text("reason")))


def resume(call: Call) -> Reply:
    """Go on after a human's decision."""
    approved, comment = call.body.get("approved"), call.text("comment")
    return Reply(call.engine.extensions.agents.resume(call.params["id"], approved, comment))


def fork(call: Call) -> Reply:
    """Start a branch."""
    turn, name = call.body.get("at_turn", 0), call.body.get("branch_name")
    return Reply(call.engine.extensions.agents.fork(call.params["id"], turn, name))


def merge(call: Call) -> Reply:
    """Join two branches."""
    return Reply(call.engine.extensions.agents.merge(call.params["id"], call.body))


def tool_retry(call: Call) -> Reply:
    """Retry a tool call."""
    return Reply(call.engine.extensions.agents.tool_retry(call.params["id"], call.body))


_CLAUSE: Final = "suite agent"

ROUTES: Final = (
    Route("GET", "/agents/{id}", get, "AGENTS", -1, "An agent's state.", _CLAUSE),
    Route("POST", "/agents/{id}/pause", pause, "AGENTS", -1, "Pause for a human.", _CLAUSE),
    Route("POST", "/agents/{id}/resume", resume, "AGENTS", -1, "Resume after a decision.", _CLAUSE),
    Route("POST", "/agents/{id}/fork", fork, "AGENTS", -1, "Start a branch.", _CLAUSE),
    Route("POST", "/agents/{id}/merge", merge, "AGENTS", -1, "Join two branches.", _CLAUSE),
    Route("POST", "/agents/{id}/tool-retry", tool_retry, "AGENTS", -1, "Retry a tool call.", _CLAUSE),
)
