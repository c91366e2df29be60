"""The pages of terms: all of them, those of one kind with each use and case, and the reference as one page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from engine.errors import NotFound
from engine.http.message import Response
from playground import evidence, terms
from playground.spec import Document
from playground.terms import Term
from playground.visit import Visit

TITLES: Final = {
    "concepts": "Concepts",
    "attributes": "Attributes",
    "states": "States",
    "operations": "Operations and timers",
    "headers": "Headers",
    "errors": "Errors",
    "events": "Events",
}


class Use(NamedTuple):
    """Where a document speaks of a term: address and label of each place."""

    document: Document
    places: list[tuple[str, str]]


class Traces(NamedTuple):
    """What the reference has of a term.

    Args:
        uses: Where its documents speak of it.
        cases: Names of the conformance cases that prove the requirements among these.
    """

    uses: list[Use]
    cases: list[str]


def traces(visit: Visit, term: Term) -> Traces:
    """Where a term is used, and which cases are about it."""
    uses: list[Use] = []
    cases: dict[str, None] = {}
    for document in visit.app.documents.values():
        places = document.uses.get(term.href, ())
        if places:
            headings = {"": "introduction", **document.headings}
            named = [(f"/spec/{document.name}#{key}".rstrip("#"), headings.get(key, key)) for key in places]
            uses.append(Use(document, named))
        for key in places:
            if key in document.requirements:
                rows = evidence.rows_of(visit.app.trial, document.requirements[key])
                cases |= dict.fromkeys(row.name for row in rows)
    return Traces(uses, list(cases))


def index(visit: Visit) -> Response:
    """Every term with its meaning."""
    return visit.render("pages/terms.html", glossary=terms.glossary(), titles=TITLES)


def kind(visit: Visit) -> Response:
    """The terms of one kind, each with all its uses."""
    name = visit.params["kind"]
    if name not in terms.KINDS:
        raise NotFound(f"There is no kind of term '{name:.40}'; there are {', '.join(terms.KINDS)}.")
    found = [(term, traces(visit, term)) for term in terms.glossary()[name].values()]
    return visit.render("pages/term_kind.html", kind=name, title=TITLES[name], found=found)


# one page

_OWN: Final = re.compile(r' (id|for|form|href|hx-target)="(#?)(?!R-|g-)([^"/#]+)"')
_LINK: Final = re.compile(r'href="/spec/([a-z-]+)(?:#([^"]+))?"')


def whole(visit: Visit) -> Response:
    """The whole reference on one page, to print and to search in."""
    documents = visit.app.documents
    texts = [(one, _joined(one, documents)) for one in documents.values()]
    return visit.render("pages/whole.html", texts=texts)


def _joined(document: Document, documents: Mapping[str, Document]) -> str:
    """A document's HTML with ids that are its own, and with links that stay on the page."""

    def within(link: re.Match[str]) -> str:
        name, place = link[1], link[2]
        if name not in documents:
            return link[0]
        if place is None:
            return f'href="#{name}"'
        return f'href="#{place}"' if place.startswith("R-") else f'href="#{name}.{place}"'

    own = _OWN.sub(lambda found: f' {found[1]}="{found[2]}{document.name}.{found[3]}"', document.html)
    return _LINK.sub(within, own.replace("url(#", f"url(#{document.name}."))
