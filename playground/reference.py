"""The reference's tables: endpoints, errors and events, as the engine itself has them; the index of requirements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from engine import errors
from engine.errors import NotFound, OJSError
from engine.http.message import Response
from engine.http.route import Route
from playground import examples, resources
from playground.visit import Visit

TITLES: Final = {
    "system": "Server",
    "jobs": "Jobs",
    "bulk": "Many jobs at once",
    "workers": "Workers",
    "queues": "Queues",
    "dead_letter": "Dead letters",
    "limits": "Limits",
    "scheduling": "Fair shares and pools",
    "tenants": "Tenants",
    "cron": "Cron",
    "workflows": "Workflows",
    "events": "Events",
    "schemas": "Schemas",
    "results": "Results",
    "progress": "Progress and checkpoints",
    "history": "History",
    "admin": "Administration: jobs and queues",
    "admin_server": "Administration: server",
    "webhooks": "Webhooks",
    "agents": "Agents",
}
"""Headings of the endpoint reference, by the binding's modules."""


class Problem(NamedTuple):
    """One error of the catalogue.

    Args:
        code: Its code.
        status: HTTP status.
        kind: Its class, ``error.type``.
        retryable: Whether the same request may succeed later.
        text: When it happens.
        hint: What the caller can do.
        example: Requests of which the last is answered with it, or None.
    """

    code: str
    status: int
    kind: str
    retryable: bool
    text: str
    hint: str
    example: examples.Example | None


def endpoints(visit: Visit) -> Response:
    """Every endpoint of the binding, from its own route table."""
    from engine.http.routes import MODULES  # noqa: PLC0415 - all of the binding, for one page

    groups: list[tuple[str, str, list[Route]]] = []
    for module in MODULES:
        name = module.__name__.rpartition(".")[2]
        groups.append((name, TITLES.get(name, name.replace("_", " ")), list(module.ROUTES)))
    return visit.render("pages/endpoints.html", groups=groups, total=sum(len(rows) for _, _, rows in groups))


def _kinds(base: type[OJSError]) -> Iterator[type[OJSError]]:
    yield base
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from _kinds(kind)


@cache
def catalogue() -> dict[str, Problem]:
    """The errors by code, in the order of their status."""
    told = _data("errors.json")
    found: dict[str, Problem] = {}
    for kind in _kinds(OJSError):
        if kind.code not in found:
            facts = told[kind.code]
            example = examples.parse("make", kind.code, facts["make"]) if "make" in facts else None
            found[kind.code] = Problem(
                kind.code, kind.status, kind.kind, kind.retryable, facts["when"], kind.hint, example
            )
    return dict(sorted(found.items(), key=lambda row: (row[1].status, row[0])))


def _data(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.text(f"spec/{name}"))
    return found


def error_catalogue(visit: Visit) -> Response:
    """Every error that the server answers with."""
    from playground.term_pages import traces  # noqa: PLC0415 - it reads the catalogue above
    from playground.terms import glossary  # noqa: PLC0415 - as above

    known = glossary()["errors"]
    rows = [(one, traces(visit, known[code])) for code, one in catalogue().items()]
    return visit.render("pages/errors.html", rows=rows)


def make_error(visit: Visit) -> Response:
    """Make an error happen, in the visitor's session."""
    code = visit.params["code"]
    problem = catalogue().get(code)
    if problem is None or problem.example is None:
        raise NotFound(f"There is no recipe for an error '{code:.60}'.", details={"resource_type": "error"})
    exchanges = examples.run(problem.example, visit.app.session.handle)
    if not visit.fragment:
        return visit.back(f"/spec/error-codes#{code}")
    return visit.render("parts/exchanges.html", exchanges=exchanges, live=True)


def event_types(visit: Visit) -> Response:
    """Every event type that the engine emits."""
    from playground.term_pages import Traces, traces  # noqa: PLC0415 - it reads the catalogue above
    from playground.terms import Term, glossary  # noqa: PLC0415 - as above

    groups: dict[str, list[tuple[Term, Traces]]] = {}
    for term in glossary()["events"].values():
        groups.setdefault(term.name.partition(".")[0], []).append((term, traces(visit, term)))
    return visit.render("pages/events.html", groups=groups)


def index(visit: Visit) -> Response:
    """All requirements as JSON, for authors of other documents."""
    rows = [
        {
            "id": one.id,
            "keyword": one.keyword,
            "text": one.text,
            "sources": [source._asdict() for source in one.sources],
            "level": one.level,
            "restates": list(one.restates),
            "cases": list(one.cases),
            "why": one.why,
            "document": document.name,
            "page": f"/spec/{document.name}",
            "anchor": f"#{one.id}",
        }
        for document in visit.app.documents.values()
        for one in document.requirements.values()
    ]
    body = json.dumps({"requirements": rows}, ensure_ascii=False, indent=1).encode()
    return Response(200, {"Content-Type": "application/json", "Cache-Control": "no-store"}, body)
