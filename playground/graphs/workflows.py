"""The workflows pane and a workflow's page: the list, and the graph with states and what is passed along its edges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from engine.errors import NotFound
from engine.http.message import Response
from engine.workflow_records import ENDED, KIND, Records
from playground.graphs.acting import send, told
from playground.graphs.framed import framed
from playground.graphs.layers import Node, arrange, edges, every
from playground.graphs.steps import COLOURS, living
from playground.graphs.words import plain
from playground.visit import Visit

if TYPE_CHECKING:
    from playground.app import Application

PAGE: Final = 15
"""Workflows on a page."""
MARGIN: Final = 12
RESULT: Final = 15
"""Characters of a result that fit between two columns."""

Context = dict[str, Any]


def drawn(nodes: Sequence[Node]) -> Context:
    """The geometry of a graph, and its steps as the rows of a table."""
    width, height = arrange(nodes, MARGIN, MARGIN)
    boxes = list(every(nodes))
    return {
        "nodes": boxes,
        "edges": list(edges(nodes)),
        "rows": _rows(nodes),
        "width": round(max(width + 2 * MARGIN, 320)),
        "height": round(height + 2 * MARGIN),
        "plain": plain,
        "fits": RESULT,
    }


def _rows(nodes: Sequence[Node], depth: int = 0) -> list[tuple[int, Node]]:
    """Each step with how deep it lies, in the order of the workflow."""
    found: list[tuple[int, Node]] = []
    for node in nodes:
        found += [(depth, node), *_rows(node.inner, depth + 1)]
    return found


def view(app: Application, argument: str) -> Context:
    """A page of the workflows, newest first; nested ones are inside theirs.

    Args:
        app: Whose session.
        argument: The page, from 1, or empty for the first.
    """
    page = int(argument) if argument.isascii() and argument.isdecimal() and len(argument) < 7 else 1
    page = max(1, page)
    outermost = (
        record for _, record in reversed(app.session.engine.store.records(KIND)) if record["parent"] is None
    )
    found = list(islice(outermost, (page - 1) * PAGE, page * PAGE + 1))
    return {
        "flows": found[:PAGE],
        "further": len(found) > PAGE,
        "page": page,
        "colours": COLOURS,
        "ended": ENDED,
        "plain": plain,
    }


def graph(app: Application, key: str) -> Context:
    """One workflow: its graph and its steps."""
    records = Records(app.session.engine.store)
    try:
        record = records.get(key)
    except NotFound:
        return {"flow": None, "key": plain(key, 60), "virtual": app.session.virtual}
    return {
        "flow": record,
        "key": key,
        "colours": COLOURS,
        "ended": ENDED,
        "virtual": app.session.virtual,
        "now": app.session.engine.now(),
        **drawn(living(records, record)),
    }


def pane(visit: Visit) -> Context:
    """The workbench's pane: the list and the builder."""
    return framed(visit, "workflows", shared(visit))


def shared(visit: Visit) -> Context:
    """What the pane and the page of all workflows show."""
    from playground.graphs.workflow_builder import STARTS, building  # noqa: PLC0415 - a graph alone needs none

    page = visit.query.get("page", [""])[0]
    start = visit.query.get("start", [""])[0]
    named = f"workflows:{page}" if page.isdecimal() and page != "1" else "workflows"
    text = STARTS.get(start, STARTS["chain"])
    return {"flows_view": named, **building(text, visit.app.session.engine.now())}


def page(visit: Visit) -> Response:
    """All workflows, and the builder."""
    visit.must_offer("workflows", "workflows")
    return visit.render("pages/workflows.html", **shared(visit))


def workflow_page(visit: Visit) -> Response:
    """One workflow."""
    visit.must_offer("workflows", "workflows")
    key = visit.params["id"]
    known = visit.app.session.engine.store.record(KIND, key) is not None
    return visit.render("pages/workflow.html", status=200 if known else 404, key=key)


def create(visit: Visit) -> Response:
    """Create the workflow that the builder's JSON says."""
    from playground.graphs.workflow_builder import building  # noqa: PLC0415 - as above

    text = visit.form().get("json", "")
    status, answer = send(visit, "POST", "/workflows", text.encode("utf-8", "replace"))
    if visit.fragment:
        code = 200 if status < 300 else 422
        return visit.render("parts/flow_created.html", status=code, answer=answer, plain=plain)
    if status < 300:
        return visit.back(f"/play/workflows/{quote(answer['workflow']['id'], safe='')}")
    facts = {**shared(visit), **building(text, visit.app.session.engine.now()), "answer": answer}
    return visit.render("pages/workflows.html", status=422, **facts)


def cancel(visit: Visit) -> Response:
    """Cancel a workflow."""
    where = quote(visit.params["id"], safe="")
    status, answer = send(visit, "DELETE", f"/workflows/{where}")
    return told(visit, status, answer, f"/play/workflows/{where}")
