"""The builder of workflows: one JSON text, and the same as rows that can be changed, moved, nested and removed.

The text is all there is: each change of a row is made to it, so that the two can never differ. What the rows do not
show, e.g. a step's options, stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.errors import OJSError
from engine.http.message import Response
from engine.workflow_plan import BATCH, CALLBACKS, CHAIN, GROUP
from engine.workflow_reader import read
from playground.graphs.steps import written
from playground.graphs.words import plain
from playground.graphs.workflows import drawn
from playground.visit import Visit

KINDS: Final = (CHAIN, GROUP, BATCH)
"""What the rows can build; sagas and step graphs are written as JSON."""
MOST: Final = 36
"""Rows shown; a larger workflow is changed as JSON."""
DEPTH: Final = 6
"""Levels that the rows go down."""
MAX_TEXT: Final = 200_000
"""Longest text that is looked at while it is written, characters."""

Tree = dict[str, Any]
Context = dict[str, Any]

STARTS: Final[Mapping[str, str]] = {
    "chain": """{
  "type": "chain",
  "name": "order",
  "steps": [
    {"type": "card.charge", "args": [42]},
    {"type": "stock.reserve", "args": []},
    {"type": "email.send", "args": []}
  ]
}""",
    "group": """{
  "type": "group",
  "name": "thumbnails",
  "jobs": [
    {"type": "image.resize", "args": ["small"]},
    {"type": "image.resize", "args": ["large"]}
  ]
}""",
    "batch": """{
  "type": "batch",
  "name": "campaign",
  "jobs": [
    {"type": "email.send", "args": [1]},
    {"type": "flaky.send", "args": [2]}
  ],
  "callbacks": {
    "on_success": {"type": "report.build", "args": []},
    "on_failure": {"type": "alert.raise", "args": []}
  }
}""",
    "nested": """{
  "type": "chain",
  "name": "etl",
  "steps": [
    {"type": "data.fetch", "args": []},
    {"type": "group", "jobs": [
      {"type": "data.clean", "args": ["a"]},
      {"type": "data.clean", "args": ["b"]}
    ]},
    {"type": "data.merge", "args": []}
  ]
}""",
}
"""Texts to begin with."""


class Row(NamedTuple):
    """One line of the builder.

    Args:
        path: Its place: steps counted from 0 and callbacks by name, joined by ``.``; empty for the whole workflow.
        depth: How deep it lies.
        kind: ``chain``, ``group``, ``batch``, or ``job``.
        label: What it is called, e.g. ``step 2``.
        type: A job's type.
        args: A job's arguments as JSON.
        up: Whether it can be moved up.
        down: Whether it can be moved down.
        missing: Of a batch: callbacks that it does not have yet.
        deep: Whether nothing may be nested in it any more.
    """

    path: str
    depth: int
    kind: str
    label: str
    type: str = ""
    args: str = ""
    up: bool = False
    down: bool = False
    missing: tuple[str, ...] = ()
    deep: bool = False


# the tree


def steps_of(tree: Tree) -> list[Any]:
    """The list in which a workflow has its steps or jobs."""
    name = "steps" if "steps" in tree or (tree.get("type") == CHAIN and "jobs" not in tree) else "jobs"
    found = tree.setdefault(name, [])
    return found if isinstance(found, list) else []


def is_flow(tree: Any) -> bool:
    """Whether a node is a workflow that the rows can show, rather than a job."""
    return isinstance(tree, dict) and tree.get("type") in KINDS and ("steps" in tree or "jobs" in tree)


def find(tree: Tree, path: str) -> Any:
    """The node at a path.

    Raises:
        LookupError: There is none.
    """
    node: Any = tree
    for part in path.split(".") if path else ():
        if not isinstance(node, dict):
            raise LookupError(path)  # noqa: TRY004 - the path leads nowhere
        node = steps_of(node)[int(part)] if part.isdecimal() else node["callbacks"][part]
    return node


def rows(tree: Tree) -> list[Row]:
    """The lines of a workflow, at most one more than `MOST`."""
    found: list[Row] = []
    _add_rows(found, tree, "", 0, "the workflow", 0, 1)
    return found


def _add_rows(found: list[Row], node: Any, path: str, depth: int, label: str, index: int, count: int) -> None:
    if len(found) > MOST or not isinstance(node, dict):
        return
    up, down, deep = index > 0, index + 1 < count, depth >= DEPTH
    if not is_flow(node):
        kind = json.dumps(node.get("args", []), ensure_ascii=False)
        found.append(
            Row(path, depth, "job", label, str(node.get("type", "")), kind, up=up, down=down, deep=deep)
        )
        return
    callbacks = node.get("callbacks") if node["type"] == BATCH else None
    callbacks = callbacks if isinstance(callbacks, dict) else {}
    missing = tuple(name for name in CALLBACKS if name not in callbacks) if node["type"] == BATCH else ()
    found.append(Row(path, depth, node["type"], label, up=up, down=down, missing=missing, deep=deep))
    inner = steps_of(node)
    word = "step" if node["type"] == CHAIN else "job"
    for place, one in enumerate(inner):
        _add_rows(found, one, _join(path, str(place)), depth + 1, f"{word} {place + 1}", place, len(inner))
    for name in CALLBACKS:
        if name in callbacks:
            _add_rows(found, callbacks[name], _join(path, name), depth + 1, name, 0, 1)


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


# changes


def _fresh(kind: str) -> Tree:
    job = {"type": "email.send", "args": []}
    if kind == CHAIN:
        return {"type": CHAIN, "steps": [job]}
    if kind == GROUP:
        return {"type": GROUP, "jobs": [job]}
    if kind == BATCH:
        return {
            "type": BATCH,
            "jobs": [job],
            "callbacks": {"on_complete": {"type": "report.build", "args": []}},
        }
    return job


def _parent(tree: Tree, path: str) -> tuple[Tree, str]:
    before, _, last = path.rpartition(".")
    return find(tree, before), last


def _put(tree: Tree, path: str, node: Any) -> None:
    parent, last = _parent(tree, path)
    if last.isdecimal():
        steps_of(parent)[int(last)] = node
    else:
        parent["callbacks"][last] = node


def _remove(tree: Tree, path: str) -> None:
    parent, last = _parent(tree, path)
    if last.isdecimal():
        del steps_of(parent)[int(last)]
    else:
        del parent["callbacks"][last]


def _swap(tree: Tree, path: str, by: int) -> None:
    parent, last = _parent(tree, path)
    steps, place = steps_of(parent), int(last)
    if not 0 <= place + by < len(steps):
        raise LookupError(path)
    steps[place], steps[place + by] = steps[place + by], steps[place]


def _nest(tree: Tree, path: str) -> None:
    _put(tree, path, {"type": GROUP, "jobs": [find(tree, path)]})


def _flatten(tree: Tree, path: str) -> None:
    """Put the steps of a nested workflow in its place."""
    parent, last = _parent(tree, path)
    place, steps = int(last), steps_of(parent)
    steps[place : place + 1] = steps_of(steps[place])


def _call_back(tree: Tree, path: str, name: str) -> None:
    callbacks = find(tree, path).setdefault("callbacks", {})
    callbacks.setdefault(name, {"type": "report.build", "args": []})


CHANGES: Final[dict[str, Callable[[Tree, str], None]]] = {
    "add": lambda tree, path: steps_of(find(tree, path)).append(_fresh("job")),
    **{
        f"add-{kind}": lambda tree, path, kind=kind: steps_of(find(tree, path)).append(_fresh(kind))  # type: ignore[misc]
        for kind in KINDS
    },
    "remove": _remove,
    "up": lambda tree, path: _swap(tree, path, -1),
    "down": lambda tree, path: _swap(tree, path, 1),
    "nest": _nest,
    "flatten": _flatten,
    **{name: lambda tree, path, name=name: _call_back(tree, path, name) for name in CALLBACKS},  # type: ignore[misc]
}
"""What the rows' buttons do."""


def change(tree: Tree, what: str) -> None:
    """Do what a button says, e.g. ``up:1.0``; a place that is not there any more is left alone."""
    name, _, path = what.partition(":")
    done = CHANGES.get(name)
    if done is None or (not path and name in {"remove", "up", "down", "nest", "flatten"}):
        return
    try:
        done(tree, path)
    except (LookupError, ValueError, TypeError, AttributeError):
        return


def _as(node: Tree, kind: str) -> None:
    """Make another kind of workflow of one, with the same steps."""
    steps = steps_of(node)
    rest = {name: value for name, value in node.items() if name not in {"type", "steps", "jobs", "callbacks"}}
    callbacks = node.get("callbacks") or {"on_complete": {"type": "report.build", "args": []}}
    node.clear()
    node |= {"type": kind, **rest, ("steps" if kind == CHAIN else "jobs"): steps}
    if kind == BATCH:
        node["callbacks"] = callbacks


def fill(tree: Tree, fields: Mapping[str, str]) -> dict[str, str]:
    """Take the rows' fields over into the workflow: ``type:PATH``, ``args:PATH``, ``kind:PATH``, ``name``.

    Returns:
        What is wrong with a field, by its name; such a field changes nothing.
    """
    problems: dict[str, str] = {}
    if fields.get("name", "").strip():
        tree["name"] = fields["name"].strip()
    elif "name" in fields:
        tree.pop("name", None)
    for name, text in fields.items():
        what, colon, path = name.partition(":")
        if not colon or what not in {"type", "args", "kind"}:
            continue
        try:
            _fill(find(tree, path), what, text)
        except (ValueError, RecursionError) as error:
            problems[name] = f"not JSON: {error}"
        except (LookupError, TypeError):
            continue
    return problems


def _fill(node: Tree, what: str, text: str) -> None:
    if what == "kind":
        if text in KINDS and is_flow(node) and node["type"] != text:
            _as(node, text)
    elif not is_flow(node):
        node[what] = text.strip() if what == "type" else json.loads(text.strip() or "[]")


# the builder


def text_of(tree: Tree) -> str:
    """The workflow as JSON for people."""
    return json.dumps(tree, indent=2, ensure_ascii=False)


def parse(text: str) -> tuple[Tree | None, str]:
    """The workflow that a text says, or None and what is wrong with the text."""
    if len(text) > MAX_TEXT:
        return (
            None,
            f"It has {len(text):,} characters: too long to be shown while it is written, though it can be created.",
        )
    try:
        tree = json.loads(text)
    except ValueError as error:
        return None, f"This is not JSON yet: {error}."
    except RecursionError:
        return None, "It is nested too deeply."
    return (tree, "") if isinstance(tree, dict) else (None, "A workflow is one JSON object.")


def building(text: str, now: int, problems: Mapping[str, str] | None = None) -> Context:
    """The builder over a text.

    Args:
        text: The JSON.
        now: The instant, milliseconds.
        problems: What is wrong with the rows' fields, by their names.
    """
    tree, problem = parse(text)
    facts: Context = {
        "text": text,
        "problem": problem,
        "problems": problems or {},
        "rows": [],
        "rows_off": "",
        "kinds": KINDS,
        "starts": list(STARTS),
        "plan": None,
        "flow_name": "",
        "plain": plain,
        "answer": None,
    }
    if tree is None:
        return facts
    facts["flow_name"] = str(tree.get("name", ""))[:200]
    if not is_flow(tree):
        facts["rows_off"] = "The rows build chains, groups and batches; this one is changed as JSON."
    else:
        found = rows(tree)
        if len(found) > MOST:
            facts["rows_off"] = f"With more than {MOST} rows it is changed as JSON."
        else:
            facts["rows"] = found
    try:
        facts["plan"] = {"key": "plan", **drawn(written(read(tree, now)))}
    except OJSError as error:
        facts["problem"] = error.message
    except RecursionError:
        facts["problem"] = "It is nested too deeply."
    return facts


def build(visit: Visit) -> Response:
    """The builder after a change: of the JSON, of a field, or by a button."""
    fields = visit.form()
    text, how = fields.get("json", ""), visit.query.get("from", ["op"])[0]
    if fields.get("start") in STARTS:
        text, how = STARTS[fields["start"]], "start"
    tree, _ = parse(text)
    problems: dict[str, str] = {}
    shape: list[tuple[str, str]] = []
    if tree is not None and how in {"fields", "op"} and is_flow(tree):
        shape = [(row.path, row.kind) for row in rows(tree)]
        problems = fill(tree, fields)
        change(tree, fields.get("op", ""))
        text = text_of(tree)
    facts = building(text, visit.app.session.engine.now(), problems)
    if not visit.fragment:
        from playground.graphs.workflows import shared  # noqa: PLC0415 - they need each other

        return visit.render("pages/workflows.html", **{**shared(visit), **facts})
    same = how == "fields" and shape == [(row.path, row.kind) for row in facts["rows"]]
    return visit.render("parts/flow_built.html", how="same" if same else how, **facts)
