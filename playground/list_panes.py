"""What the panes of lists need beside their live views: their filters, read from the page's address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from playground.arguments import page_number
from playground.list_views import examples
from playground.search import MAX_QUERY
from playground.visit import Visit

Context = dict[str, Any]


def found(visit: Visit) -> Context:
    """The search: ``q`` and ``page``."""
    query, page = visit.asked("q")[: MAX_QUERY + 1], page_number(visit.asked("page"))
    return {
        "found_at": urlencode({"page": page, "q": query}),
        "search_text": query,
        "search_examples": examples(),
    }


def queues(visit: Visit) -> Context:
    """Which page of the queues: ``page``."""
    return {"queues_at": urlencode({"page": page_number(visit.asked("page"))})}


def dead(visit: Visit) -> Context:
    """Which dead letters: ``type``, ``error`` and ``page``."""
    kind, error = visit.asked("type")[:300], visit.asked("error")[:300]
    page = page_number(visit.asked("page"))
    argument = urlencode({"type": kind, "error": error, "page": page})
    return {"dead_at": argument, "dead_type": kind, "dead_error": error}
