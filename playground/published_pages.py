"""The pages of the published documents, and how a checkout comes onto the shelf."""

from __future__ import annotations

import json
from typing import Final

from engine.errors import InvalidRequest, NotFound
from engine.http.message import Request, Response
from engine.nesting import too_deep
from playground import rulings
from playground.case_files import BadArchive, zipped
from playground.examples import Exchange
from playground.published import BINDING, Published, Shelf
from playground.visit import Visit

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def shelf(visit: Visit) -> Response:
    """The documents on the shelf, or how to put some there."""
    found = visit.app.shelf
    documents = sorted(found.documents.values(), key=lambda one: one.title) if found else []
    return visit.render(
        "pages/shelf.html", shelf=found, documents=documents, total=sum(d.binding for d in documents)
    )


def _document(visit: Visit) -> Published:
    name = visit.params["name"]
    found = visit.app.shelf.documents.get(name) if visit.app.shelf else None
    if found is None:
        raise NotFound(
            f"There is no published document '{name:.60}' on the shelf.",
            details={"resource_type": "document"},
        )
    return found


def document(visit: Visit) -> Response:
    """One published document, its keywords numbered, its examples runnable, its sections with their cases."""
    one, trial = _document(visit), visit.app.trial
    assert visit.app.shelf is not None  # noqa: S101 - the document came from it
    errata = rulings.load()
    cited, _ = visit.app.shelf.joined((row.name, row.case.spec_ref) for row in trial.rows())
    return visit.render(
        "pages/published.html",
        document=one,
        made=one.rendered,
        cases={
            section: [row for name in names if (row := trial.row(name))]
            for (doc, section), names in cited.items()
            if doc == one.name
        },
        errata={
            section.id: found
            for section in one.rendered.sections
            if (found := rulings.about(errata, f"{one.name}.md", section.id.removeprefix("section-")))
        },
        binding=sum(clause.keyword in BINDING for clause in one.rendered.clauses),
    )


def check(visit: Visit) -> Response:
    """What is wrong with the documents on the shelf, by file and line."""
    if visit.app.shelf is None:
        raise NotFound("No published documents are on the shelf.", details={"resource_type": "document"})
    problems = visit.app.shelf.check()
    _, lost = visit.app.shelf.joined((row.name, row.case.spec_ref) for row in visit.app.trial.rows())
    return visit.render(
        "parts/shelf_check.html",
        problems=problems,
        lost=[row.case for name in lost if (row := visit.app.trial.row(name))],
        size=len(visit.app.trial.cases),
    )


def put(visit: Visit) -> Response:
    """Put a checkout on the shelf: a zip, or JSON of path to text; an empty body clears it."""
    body = visit.request.body
    name = visit.query.get("name", ["the dropped files"])[0][:80]
    if not body:
        visit.app.shelf = None
        return visit.done("/spec/published")
    try:
        files = zipped(body, ".md") if body[:2] == b"PK" else _texts(body)
        visit.app.shelf = Shelf(files, name)
    except (ValueError, BadArchive) as error:
        raise InvalidRequest(
            f"These documents cannot be read: {error}.", details={"field": "documents"}
        ) from None
    return visit.done("/spec/published")


def _texts(body: bytes) -> list[tuple[str, bytes]]:
    text = body.decode()
    if too_deep(text):
        raise ValueError("the JSON is nested too deeply")
    files = json.loads(text)
    if not isinstance(files, dict):
        raise ValueError("the body must be a zip archive, or a JSON object of path to text")  # noqa: TRY004 - bad input
    return [(str(path), str(content).encode()) for path, content in files.items()]


def run(visit: Visit) -> Response:
    """Send an example's request to the visitor's session."""
    form = visit.form()
    method, path, body = form.get("method", ""), form.get("path", ""), form.get("body", "")
    if method not in METHODS or not path.startswith("/"):
        raise InvalidRequest(
            "An example is a method and a path, e.g. POST /ojs/v1/jobs.", details={"field": "path"}
        )
    target = path if path.startswith(("/ojs/", "/v1/")) else "/ojs/v1" + path
    response = visit.app.session.handle(
        Request(method, target, {"content-type": "application/json"}, body.encode())
    )
    received = json.loads(response.body) if isinstance(response.body, bytes) and response.body else {}
    made = Exchange(method, path, body, response.status, received)
    if not visit.fragment:
        return visit.back("/spec/published")
    return visit.render("parts/exchanges.html", exchanges=[made], live=True)
