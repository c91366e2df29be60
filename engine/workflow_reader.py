"""From a request to a workflow's plan, and all that is wrong with it.

OJS Workflows 3 to 6, 10 and 14 (typed and nested: chain, group, batch, saga), OJS HTTP Binding 14.1 (a graph of
steps with ``depends_on``). Nothing is stored here.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

from engine import envelope
from engine.errors import InvalidPayload, InvalidWorkflow, OJSError
from engine.job import Job
from engine.times import MAX_DURATION, SECOND
from engine.workflow_plan import (
    BATCH,
    CALLBACKS,
    CHAIN,
    COMPENSATION,
    FAILURE_POLICIES,
    GRAPH,
    GROUP,
    MAX_CHAIN,
    MAX_DEPTH,
    MAX_JOBS,
    SAGA,
    TYPES,
    Plan,
    Step,
)

MAX_PROBLEMS: Final = 20
"""Problems listed in one refusal."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}\Z", re.ASCII)
_NOT_OF_THE_JOB: Final = frozenset({"id", "name", "depends_on"})
_OF_THE_SAGA: Final = frozenset({"name", "job_type", "compensate_type", "compensate_args"})


def read(body: Any, now: int) -> Plan:
    """The plan of a request.

    Args:
        body: The parsed request body.
        now: The instant, milliseconds.

    Raises:
        InvalidPayload: Not an object, or empty.
        InvalidWorkflow: Whatever is wrong, each problem with its path.
    """
    if not isinstance(body, dict) or not body:
        raise InvalidPayload(
            "The body must be one workflow: 'type' with 'steps' or 'jobs' (OJS Workflows 11.1)."
        )
    reader = _Reader(now)
    plan = reader.workflow(body, "$", 1, {}, {})
    if reader.problems:
        first = reader.problems[0]
        raise InvalidWorkflow(
            f"The workflow is not valid: {first['path']} {first['message']} (OJS Workflows 11.1).",
            details={"field": first["path"], "validation_errors": reader.problems[:MAX_PROBLEMS]},
        )
    return plan


class _Reader:
    """Reads one request and collects what is wrong with it."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.problems: list[dict[str, str]] = []
        self.jobs = 0
        self.tenant: str | None = None

    def wrong(self, path: str, message: str) -> None:
        self.problems.append({"path": path, "message": message})

    def workflow(
        self, body: dict[str, Any], path: str, depth: int, defaults: dict[str, Any], meta: dict[str, Any]
    ) -> Plan:
        kind = body.get("type")
        if depth > MAX_DEPTH:
            self.wrong(path, f"is nested deeper than the {MAX_DEPTH} levels that this server supports")
            return Plan(GROUP, None, "", [], meta)
        if kind is None:
            kind = GRAPH
        elif kind not in TYPES:
            self.wrong(
                f"{path}.type", f"must be one of {', '.join(TYPES)}, or be left out for steps with depends_on"
            )
            return Plan(GROUP, None, "", [], meta)
        plan = Plan(
            kind,
            self._id(body.get("id"), f"{path}.id"),
            self._text(body.get("name"), f"{path}.name") or "",
            [],
            meta | self._object(body.get("meta"), f"{path}.meta"),
            self._timeout(body.get("workflow_timeout"), f"{path}.workflow_timeout"),
        )
        defaults = defaults | self._object(body.get("options"), f"{path}.options")
        name, items = self._items(body, kind, path)
        if kind == SAGA:
            self._saga(body, items, plan, path, defaults)
            self._unique(plan, path)
            return plan
        for index, item in enumerate(items):
            step = self._step(item, f"{path}.{name}[{index}]", index, depth, defaults, plan)
            if step is not None:
                plan.steps.append(step)
            if kind == CHAIN and index == 0 and step is not None:
                defaults = _inherit_priority(defaults, step.body)
        if kind == GRAPH:
            self._graph(items, plan, path)
        else:
            self._typed(body, plan, path, defaults)
        self._unique(plan, path)
        return plan

    def _items(self, body: dict[str, Any], kind: str, path: str) -> tuple[str, list[Any]]:
        name = "steps" if kind in {CHAIN, SAGA, GRAPH} else "jobs"
        other = "jobs" if name == "steps" else "steps"
        if name not in body and other in body and kind != GRAPH:
            name = other
        items = body.get(name)
        if not isinstance(items, list) or not items:
            self.wrong(f"{path}.{name}", f"must be an array of at least one {name[:-1]}")
            return name, []
        if kind in {CHAIN, SAGA} and len(items) > MAX_CHAIN:
            self.wrong(f"{path}.{name}", f"has {len(items)} steps; a {kind} has at most {MAX_CHAIN}")
            return name, []
        self.jobs += len(items)
        if self.jobs > MAX_JOBS:
            self.wrong(f"{path}.{name}", f"make more than {MAX_JOBS} jobs")
            return name, []
        return name, items

    def _step(
        self, item: Any, path: str, index: int, depth: int, defaults: dict[str, Any], plan: Plan
    ) -> Step | None:
        if not isinstance(item, dict):
            self.wrong(path, "must be an object: a job or a nested workflow")
            return None
        kind = item.get("type")
        if kind in TYPES and ("steps" in item or "jobs" in item):
            self.jobs -= 1
            inner = self.workflow(item, path, depth + 1, defaults, plan.meta)
            key = self._id(item.get("id"), f"{path}.id") if plan.type == GRAPH else None
            return Step(key or str(index), inner.type, None, inner, inner.name or None)
        key = self._id(item.get("id"), f"{path}.id")
        if plan.type == GRAPH and key is None:
            self.wrong(f"{path}.id", "is required: a name that depends_on can refer to")
        return self._job(item, path, key or str(index), defaults, plan)

    def _job(self, item: dict[str, Any], path: str, key: str, defaults: dict[str, Any], plan: Plan) -> Step:
        body = {name: value for name, value in item.items() if name not in _NOT_OF_THE_JOB}
        own = self._object(item.get("options"), f"{path}.options")
        inherited = {name: value for name, value in defaults.items() if item.get(name) is None}
        body["options"] = {
            name: value for name, value in (inherited | own).items() if name != "callback_type"
        }
        if plan.meta and isinstance(item.get("meta", {}), dict):
            body["meta"] = plan.meta | item.get("meta", {})
        try:
            self._one_tenant(envelope.read(body, self.now, lambda _: "")[0], path)
        except OJSError as error:
            at = error.details.get("field")
            self.wrong(f"{path}.{at}" if at else path, error.message)
        return Step(key, str(item.get("type")), body, None, self._text(item.get("name"), f"{path}.name"))

    def _one_tenant(self, job: Job, path: str) -> None:
        """All jobs of a workflow belong to one tenant, if to any (OJS Multi-Tenancy 15.2)."""
        tenant = (job.meta or {}).get("tenant_id")
        if isinstance(tenant, str):
            self.tenant = self.tenant or tenant
            if tenant != self.tenant:
                self.wrong(
                    f"{path}.meta.tenant_id", f"is '{tenant:.60}' in a workflow of tenant '{self.tenant:.60}'"
                )

    def _typed(self, body: dict[str, Any], plan: Plan, path: str, defaults: dict[str, Any]) -> None:
        """Dependencies of the three primitives: each on the one before, none, or callbacks on all."""
        if plan.type == CHAIN:
            for before, step in zip(plan.steps, plan.steps[1:], strict=False):
                step.needs = [before.id]
        callbacks = body.get("callbacks")
        if plan.type != BATCH:
            if callbacks:
                self.wrong(f"{path}.callbacks", "belong to a batch")
            return
        if not isinstance(callbacks, dict) or not callbacks:
            self.wrong(f"{path}.callbacks", f"must be an object with at least one of {', '.join(CALLBACKS)}")
            return
        jobs = [step.id for step in plan.steps]
        for name in callbacks:
            if name not in CALLBACKS:
                self.wrong(f"{path}.callbacks.{name:.40}", f"is none of {', '.join(CALLBACKS)}")
        for name in CALLBACKS:
            if (callback := callbacks.get(name)) is None:
                continue
            if not isinstance(callback, dict):
                self.wrong(f"{path}.callbacks.{name}", "must be an object: a job")
                continue
            step = self._job(callback, f"{path}.callbacks.{name}", name, defaults, plan)
            step.when, step.needs = name, jobs
            plan.steps.append(step)

    def _saga(
        self, body: dict[str, Any], items: list[Any], plan: Plan, path: str, defaults: dict[str, Any]
    ) -> None:
        """Steps one after another, and what undoes each of them (OJS Workflows 14.2)."""
        policy = body.get("failure_policy", "compensate")
        if policy not in FAILURE_POLICIES:
            self.wrong(f"{path}.failure_policy", f"must be one of {', '.join(FAILURE_POLICIES)}")
        # "Immediately on failure": with that policy a step is tried again only if it says so itself.
        once = {"retry": {"max_attempts": 1}} if policy == "compensate" else {}
        undoing: list[Step] = []
        for index, item in enumerate(items):
            at = f"{path}.steps[{index}]"
            if not isinstance(item, dict):
                self.wrong(at, "must be an object: a step with 'name', 'job_type' and 'args'")
                continue
            name = self._id(item.get("name"), f"{at}.name")
            if name is None:
                self.wrong(f"{at}.name", "is required: unique within the saga")
                continue
            job = {one: value for one, value in item.items() if one not in _OF_THE_SAGA}
            forward = self._job({**job, "type": item.get("job_type")}, at, name, once | defaults, plan)
            forward.lenient = policy == "skip"
            forward.needs = [plan.steps[-1].id] if plan.steps else []
            plan.steps.append(forward)
            if item.get("compensate_type") is not None:
                queue = {
                    key: value for key, value in (forward.body or {})["options"].items() if key == "queue"
                }
                args = item.get("compensate_args", [])
                job = {"type": item["compensate_type"], "args": args, "options": queue}
                undo = self._job(job, f"{at}.compensate", f"compensate:{name}", defaults, plan)
                undo.when, undo.undoes = COMPENSATION, name
                undoing.append(undo)
        plan.steps += undoing

    def _graph(self, items: list[Any], plan: Plan, path: str) -> None:
        """Dependencies of a step graph as they are given; callbacks told by their id or ``callback_type``."""
        for step, item in zip(plan.steps, items, strict=False):
            needs = item.get("depends_on")
            if needs is not None and (
                not isinstance(needs, list) or not all(isinstance(one, str) for one in needs)
            ):
                self.wrong(f"{path}.steps[{step.id}].depends_on", "must be an array of step ids")
                needs = None
            step.needs = list(dict.fromkeys(needs or []))
            step.when = self._callback(step.id, item, path)
        known = {step.id: step for step in plan.steps}
        regular = [step.id for step in plan.steps if step.when is None]
        if plan.steps and not regular:
            self.wrong(f"{path}.steps", "are callbacks only; they need steps to follow")
        for step in plan.steps:
            if step.when is not None and not step.needs:
                step.needs = regular
            for need in step.needs:
                if need not in known:
                    self.wrong(f"{path}.steps[{step.id}].depends_on", f"names '{need:.60}', which is no step")
        if not self.problems and (circle := _circle(plan.steps)):
            self.wrong(f"{path}.steps", f"depend on each other in a circle: {', '.join(circle)}")

    def _callback(self, step_id: str, item: dict[str, Any], path: str) -> str | None:
        options = item.get("options")
        given = options.get("callback_type") if isinstance(options, dict) else None
        if given is not None:
            name = "on_" + str(given).lower().replace("-", "_").removeprefix("on_")
            if name not in CALLBACKS:
                self.wrong(
                    f"{path}.steps[{step_id}].options.callback_type", f"is none of {', '.join(CALLBACKS)}"
                )
            return name
        name = step_id.lower().replace("-", "_")
        return name if name in CALLBACKS else None

    def _unique(self, plan: Plan, path: str) -> None:
        seen: set[str] = set()
        for step in plan.steps:
            if step.id in seen:
                self.wrong(path, f"has two steps with the id '{step.id}'")
            seen.add(step.id)

    def _id(self, value: Any, path: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not _ID.match(value):
            self.wrong(path, "must be letters, digits, '_', '-', '.' and ':', at most 255")
            return None
        return value

    def _text(self, value: Any, path: str) -> str | None:
        if value is not None and not isinstance(value, str):
            self.wrong(path, "must be a string")
            return None
        return value

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            self.wrong(path, "must be an object")
            return {}
        return value or {}

    def _timeout(self, value: Any, path: str) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_DURATION // SECOND:
            self.wrong(path, "must be a positive integer: seconds")
            return None
        return value * SECOND


def _inherit_priority(defaults: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    """Later steps of a chain go with the first one's priority unless they say otherwise (OJS Priority 9.2)."""
    if body is None:
        return defaults
    priority = body["options"].get("priority", body.get("priority"))
    return defaults if priority is None else defaults | {"priority": priority}


def _circle(steps: list[Step]) -> list[str]:
    """Ids of steps that wait for each other, in the order of the request; empty when there is no cycle."""
    waits = {step.id: len(step.needs) for step in steps}
    dependents: dict[str, list[str]] = {step.id: [] for step in steps}
    for step in steps:
        for need in step.needs:
            dependents[need].append(step.id)
    ready = deque(key for key, count in waits.items() if count == 0)
    while ready:
        for dependent in dependents[ready.popleft()]:
            waits[dependent] -= 1
            if waits[dependent] == 0:
                ready.append(dependent)
    return [key for key, count in waits.items() if count > 0][:10]
