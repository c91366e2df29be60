"""AI agent jobs: the ``ext_agent_*`` fields, checked and completed at enqueue, and the output at ACK (OJS AI Agents).

The server calls no model and no tool. It keeps what is its own to keep (counters, depth) out of clients' hands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import refuse
from engine.errors import AgentInvalid, AgentOutput, AgentTooDeep
from engine.job import Job
from engine.jsonschema import validate
from engine.schemacheck import problem

PREFIX: Final = "ext_agent_"
DEFAULT_DEPTH: Final = 10
_TOOL: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)
_STRINGS: Final = "model provider parent_id role team_id".split()
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "tool_choice": ("auto", "required", "none"),
    "output_format": ("json", "text", "markdown"),
    "retrieval_strategy": ("similarity", "mmr", "hybrid"),
}
_SOURCES: Final = ("vector_db", "document_store", "api")
Find = Callable[[str], "Job | None"]


def check(job: Job, find: Find) -> None:
    """Check and complete the agent fields of a new job.

    Args:
        job: A job that has some; its ``extra`` is replaced.
        find: Looks up a job by id.

    Raises:
        AgentInvalid: A value is out of its range, a tool is malformed, or the parent is not active.
        AgentTooDeep: The delegation chain would be longer than allowed.
    """
    fields = {k.removeprefix(PREFIX): v for k, v in (job.extra or {}).items() if k.startswith(PREFIX)}
    for name in ("tokens_used", "model_used", "tool_results"):
        fields.pop(name, None)  # the server's own
    _values(fields)
    _tools(fields.get("tools"))
    _sources(fields.get("context_sources"))
    _output(fields.get("output_schema"))
    if fields.get("parent_id") is not None:
        _inherit(fields, find)
    _depth(fields)
    fields["tokens_used"] = 0
    others = {k: v for k, v in (job.extra or {}).items() if not k.startswith(PREFIX)}
    job.extra = {**others, **{PREFIX + name: value for name, value in fields.items()}}


def _refuse(name: str, value: Any, rule: str, clause: str) -> AgentInvalid:
    error = refuse(PREFIX + name, value, rule, clause)
    return AgentInvalid(error.message, details=error.details)


def _number(fields: dict[str, Any], name: str, least: float, most: float, *, whole: bool = False) -> None:
    value = fields.get(name)
    if value is None:
        return
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        limit = f"from {least:g} to {most:g}" if most < 2**31 else f"at least {least:g}"
        raise _refuse(name, value, f"must be {kind}, {limit}", "OJS AI Agents 2")


def _values(fields: dict[str, Any]) -> None:
    for name in _STRINGS:
        if fields.get(name) is not None and not isinstance(fields[name], str):
            raise _refuse(name, fields[name], "must be a string", "OJS AI Agents 2")
    for name, choices in _CHOICES.items():
        if fields.get(name) is not None and fields[name] not in choices:
            raise _refuse(name, fields[name], f"must be one of {', '.join(choices)}", "OJS AI Agents 2")
    _number(fields, "temperature", 0, 2)
    for name in ("max_tokens", "token_budget", "tool_timeout_ms", "context_window"):
        _number(fields, name, 1, 2**31, whole=True)
    for name in ("delegation_depth", "max_delegation_depth"):
        _number(fields, name, 0, 2**31, whole=True)
    _number(fields, "voting_threshold", 0, 1)
    if fields.get("voting_threshold") == 0:
        raise _refuse("voting_threshold", 0, "must be above 0", "OJS AI Agents 2.6")
    models = fields.get("fallback_models")
    if models is not None and not (isinstance(models, list) and all(isinstance(m, str) for m in models)):
        raise _refuse("fallback_models", models, "must be an array of model names", "OJS AI Agents 2.1")
    window, most = fields.get("context_window"), fields.get("max_tokens")
    if window is not None and most is not None and window > most:
        raise _refuse("context_window", window, "must not exceed ext_agent_max_tokens", "OJS AI Agents 2.5")


def _tools(tools: Any) -> None:
    if tools is None:
        return
    if not isinstance(tools, list):
        raise _refuse("tools", tools, "must be an array of tool definitions", "OJS AI Agents 4")
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        field = f"tools[{index}]"
        if not isinstance(tool, dict):
            raise _refuse(field, tool, "must be an object", "OJS AI Agents 4")
        name = tool.get("name")
        if not isinstance(name, str) or not _TOOL.match(name):
            rule = "must be lower-case letters, digits and '_', at most 64"
            raise _refuse(f"{field}.name", name, rule, "OJS AI Agents 4")
        if name in seen:
            raise _refuse(f"{field}.name", name, "must be unique among the tools", "OJS AI Agents 4")
        seen.add(name)
        if not isinstance(tool.get("description"), str):
            raise _refuse(
                f"{field}.description", tool.get("description"), "must be a string", "OJS AI Agents 4"
            )
        fault = problem(tool["parameters"]) if isinstance(tool.get("parameters"), dict) else "it is missing"
        if fault is not None:
            rule = f"must be a JSON Schema ({fault})"
            raise _refuse(f"{field}.parameters", tool.get("parameters"), rule, "OJS AI Agents 4")


def _sources(sources: Any) -> None:
    if sources is None:
        return
    if not isinstance(sources, list):
        raise _refuse("context_sources", sources, "must be an array", "OJS AI Agents 2.5")
    for index, source in enumerate(sources):
        field = f"context_sources[{index}]"
        if not isinstance(source, dict) or source.get("type") not in _SOURCES:
            rule = f"must be an object whose 'type' is one of {', '.join(_SOURCES)}"
            raise _refuse(field, source, rule, "OJS AI Agents 2.5")
        for name in ("name", "endpoint"):
            if not isinstance(source.get(name), str) or not source[name]:
                raise _refuse(f"{field}.{name}", source.get(name), "is required", "OJS AI Agents 2.5")


def _output(schema: Any) -> None:
    fault = None if schema is None else problem(schema)
    if fault is not None:
        raise _refuse("output_schema", schema, f"must be a JSON Schema ({fault})", "OJS AI Agents 2.4")


def _inherit(fields: dict[str, Any], find: Find) -> None:
    """Take over from an active parent what the child does not say, and count the depth (OJS AI Agents 3.3)."""
    parent = find(fields["parent_id"])
    if parent is None or parent.state != life.ACTIVE:
        rule = "must be the id of an active job"
        raise _refuse("parent_id", fields["parent_id"], rule, "OJS AI Agents 2.3")
    theirs = parent.extra or {}
    fields["delegation_depth"] = theirs.get(PREFIX + "delegation_depth", 0) + 1
    if "max_delegation_depth" not in fields and PREFIX + "max_delegation_depth" in theirs:
        fields["max_delegation_depth"] = theirs[PREFIX + "max_delegation_depth"]
    budget = theirs.get(PREFIX + "token_budget")
    if "token_budget" not in fields and budget is not None:
        fields["token_budget"] = max(1, budget - theirs.get(PREFIX + "tokens_used", 0))


def _depth(fields: dict[str, Any]) -> None:
    depth = fields.get("delegation_depth", 0)
    most = fields.get("max_delegation_depth", DEFAULT_DEPTH)
    if depth >= most:
        raise AgentTooDeep(
            f"Delegation depth {depth} reaches the limit of {most} (OJS AI Agents 3.3).",
            details={"field": PREFIX + "delegation_depth", "depth": depth, "max_depth": most},
        )


def check_output(job: Job, result: Any, has_result: bool) -> None:
    """Refuse an ACK whose result breaks the declared output schema (OJS AI Agents 2.4).

    Raises:
        AgentOutput: With the violations; the job stays active.
    """
    schema = (job.extra or {}).get(PREFIX + "output_schema")
    if schema is None:
        return
    violations = validate(schema, result if has_result else None)
    if violations:
        raise AgentOutput(
            f"The result does not match the agent's output schema: {violations[0].message} (OJS AI Agents 2.4).",
            details={
                "job_id": job.id,
                "field": "result",
                "validation_errors": [one.to_dict("result") for one in violations],
            },
        )
