"""What the command palette and the search know: pages, panes, the reference, rulings, scenarios, endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import quote

from engine.http.message import Response
from engine.http.routes import ROUTES
from playground import rulings, terms, workbench
from playground.learn.course import course
from playground.published import Shelf
from playground.samples import SAMPLES
from playground.travel import library
from playground.visit import Visit

PLACES: Final = (
    ("/", "Home", "OJS in 60 seconds"),
    ("/play", "Play", "the workbench"),
    ("/learn", "Learn", "the tutorial"),
    ("/scenarios", "Scenarios", "the library"),
    ("/spec", "Spec", "the reference"),
    ("/spec/errata", "Errata", "where the documents disagree"),
    ("/connect", "Connect your SDK", "code with this server's address, and who has come"),
    ("/spec/terms", "Terms", "every word of the reference"),
    ("/spec/all", "The whole reference", "on one page"),
    ("/spec/coverage", "Coverage", "requirements with and without cases"),
    ("/spec/published", "Published documents", "a checkout of the specification"),
    ("/conformance", "Conformance", "the cases, and how they end"),
    ("/embed", "Embed a run", "a widget for your own documentation"),
)


TERMS: Final = {
    "concepts": "Concept",
    "attributes": "Attribute",
    "states": "State",
    "operations": "Operation",
    "headers": "Header",
    "errors": "Error",
    "events": "Event",
}
"""Groups of the terms, by their kinds."""


class Entry(NamedTuple):
    """One thing that can be found.

    Args:
        kind: Its group.
        label: What it is called.
        hint: What it is, in a few words.
        to: Its address.
    """

    kind: str
    label: str
    hint: str
    to: str


def entries(visit: Visit) -> Iterator[Entry]:
    """Everything that can be found, in the order in which equals are listed."""
    for to, label, hint in PLACES:
        yield Entry("Page", label, hint, to)
    for pane in workbench.DOING:
        yield Entry("Pane", pane.label, "what you do", f"/play?do={pane.name}")
    for pane in workbench.SEEING:
        yield Entry("Pane", pane.label, "what you see", f"/play?see={pane.name}")
    for sample in SAMPLES:
        yield Entry("Job to start from", sample.label, sample.hint, f"/play?do=compose&sample={sample.name}")
    yield from _reference(visit)
    for step in course().steps.values():
        yield Entry("Step", step.title, step.goal, step.path)
    for name in library.names():
        lesson = library.lesson(name)
        yield Entry("Scenario", lesson["title"], ", ".join(lesson.get("clauses", [])), f"/scenarios/{name}")
    for ruling in rulings.load().rulings.values():
        yield Entry("Ruling", ruling.topic, ruling.ruling, f"/spec/errata#{ruling.id}")
    console = any(pane.name == "console" for pane in workbench.DOING)
    for route in ROUTES:
        path = route.path if route.path.startswith("/ojs/") else f"/ojs/v1{route.path}"
        to = f"/play?do=console&method={route.method}&path={quote(path)}" if console else ""
        yield Entry("Endpoint", f"{route.method} {path}", f"{route.summary} {route.clause}", to)
    if visit.app.shelf:
        yield from _published(visit.app.shelf)


def _reference(visit: Visit) -> Iterator[Entry]:
    """Documents and their sections, terms, requirements."""
    documents = visit.app.documents.values()
    for document in documents:
        yield Entry("Reference", document.title, document.summary, f"/spec/{document.name}")
        for anchor, heading in document.contents:
            yield Entry("Reference", heading, document.title, f"/spec/{document.name}#{anchor}")
    for group in terms.glossary().values():
        for term in group.values():
            yield Entry(TERMS[term.kind], term.name, term.meanings[0].text, term.href)
    for document in documents:
        for one in document.requirements.values():
            hint = f"{one.id} {one.keyword} {document.title}"
            yield Entry("Requirement", one.text.replace("`", ""), hint, f"/spec/{document.name}#{one.id}")


def _published(shelf: Shelf) -> Iterator[Entry]:
    """The published documents on the shelf: sections, and the sentences that bind."""
    for document in shelf.documents.values():
        place = f"/spec/published/{document.name}"
        yield Entry("Published", document.title, document.file, place)
        for line in document.outline:
            kind = "Published" if line.heading else "Published rule"
            yield Entry(kind, line.text, document.title, f"{place}#{line.section}")


def index(visit: Visit) -> Response:
    """All of it as JSON: a list of [kind, label, hint, address]."""
    body = json.dumps([[*entry[:2], entry.hint[:160], entry.to] for entry in entries(visit)])
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(200, headers, body.encode())
