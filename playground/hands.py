"""What the command palette and the search know: pages, panes, the reference, rulings, scenarios, endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import quote

from engine.http.message import Response
from engine.http.routes import ROUTES
from playground import rulings, workbench
from playground.samples import SAMPLES
from playground.travel import library
from playground.visit import Visit

PLACES: Final = (
    ("/", "Home", "OJS in 60 seconds"),
    ("/play", "Play", "the workbench"),
    ("/scenarios", "Scenarios", "the library"),
    ("/spec", "Spec", "the reference"),
    ("/spec/errata", "Errata", "where the documents disagree"),
    ("/connect", "Connect your SDK", "code with this server's address, and who has come"),
    ("/conformance", "Conformance", "the cases, and how they end"),
)


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
    for document in visit.app.documents.values():
        yield Entry("Reference", document.title, document.summary, f"/spec/{document.name}")
        for anchor, heading in document.contents:
            yield Entry("Reference", heading, document.title, f"/spec/{document.name}#{anchor}")
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


def index(visit: Visit) -> Response:
    """All of it as JSON: a list of [kind, label, hint, address]."""
    body = json.dumps([[*entry[:2], entry.hint[:160], entry.to] for entry in entries(visit)])
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(200, headers, body.encode())
