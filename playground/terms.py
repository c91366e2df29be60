"""The reference's words: what each means, who sets it, and where the text of a document speaks of it.

States and operations come from the transition table, attributes from the editor's table of fields and the engine's own
list, errors and events from their catalogues. ``spec/terms.json`` adds what no table says: concepts, headers, what the
server writes. Errors and events have their entries in the catalogues' own pages, all others in ``/spec/terms/KIND``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from engine import lifecycle
from engine.lifecycle import Transition
from playground import reference, resources

KINDS: Final = ("concepts", "attributes", "states", "operations", "headers")
"""Kinds of terms that have a page of their own, ``/spec/terms/KIND``."""
_PAGES: Final = {"errors": "/spec/error-codes", "events": "/spec/event-types"}
_ROLES: Final = {
    "client": "the client",
    "worker": "the worker",
    "server": "the server",
    "operator": "an operator",
    "both": "client and server",
}
_PLACES: Final = {
    "job": "the job itself",
    "options": "the job's options",
    "retry": "the retry policy",
    "unique": "the uniqueness policy",
    "rate_limit": "the rate limit",
    "window": "a rate limit's window",
    "batch": "a batch request",
    "workflow": "a workflow",
    "step": "a workflow's step",
    "callbacks": "a batch's callbacks",
    "cron": "a cron entry",
}
"""Where the fields of ``static/envelope.json`` stand, by its own names."""


class Meaning(NamedTuple):
    """What a term means, in one place.

    Args:
        text: A sentence or two; `` `words` `` are code.
        clause: Where the standard says so; may be empty.
        place: Where a field of this name stands, in words; empty where there is one place only.
        type: An attribute's type; empty for others.
    """

    text: str
    clause: str
    place: str = ""
    type: str = ""


class Term(NamedTuple):
    """One word of the reference.

    Args:
        name: The word.
        kind: One of `KINDS`, or ``errors`` or ``events``.
        meanings: What it means; an attribute may stand in several places.
        by: Who sets it, sends it or does it, in words; may be empty.
        words: What stands for it in running text, lower case; may be empty.
        moves: The transitions that an operation makes, or that begin or end in a state.
    """

    name: str
    kind: str
    meanings: tuple[Meaning, ...]
    by: str = ""
    words: tuple[str, ...] = ()
    moves: tuple[Transition, ...] = ()

    @property
    def anchor(self) -> str:
        """Its id on its page."""
        return self.name.replace(" ", "-")

    @property
    def href(self) -> str:
        """The address of its entry."""
        return f"{_PAGES.get(self.kind) or f'/spec/terms/{self.kind}'}#{quote(self.anchor)}"


@cache
def glossary() -> dict[str, dict[str, Term]]:
    """Every term, by kind and name."""
    told = json.loads(resources.text("spec/terms.json"))
    events = json.loads(resources.text("spec/events.json"))
    groups = {
        "concepts": _told("concepts", told["concepts"]),
        "attributes": _attributes(told["attributes"]),
        "states": [
            Term(
                state.name,
                "states",
                (Meaning(state.summary, "OJS Core 6.1"),),
                moves=tuple(
                    move for move in lifecycle.TRANSITIONS if state.name in {move.source, move.target}
                ),
            )
            for state in lifecycle.STATES.values()
        ],
        "operations": [
            one._replace(moves=tuple(move for move in lifecycle.TRANSITIONS if move.operation == one.name))
            for one in _told("operations", told["operations"])
        ],
        "headers": _told("headers", told["headers"]),
        "errors": [
            Term(one.code, "errors", (Meaning(one.text, ""),)) for one in reference.catalogue().values()
        ],
        "events": [
            Term(name, "events", (Meaning(one["when"], one["clause"]),)) for name, one in events.items()
        ],
    }
    ordered = {"states", "operations", "errors"}  # as their tables have them; the others by name
    return {
        kind: {term.name: term for term in (terms if kind in ordered else sorted(terms, key=_by_name))}
        for kind, terms in groups.items()
    }


def _by_name(term: Term) -> str:
    return term.name.lower()


def _told(kind: str, rows: Mapping[str, Any]) -> list[Term]:
    return [
        Term(
            name,
            kind,
            (Meaning(row["text"], row.get("clause", "")),),
            by=_ROLES.get(row.get("by", ""), ""),
            words=tuple(word.lower() for word in row.get("words", ())),
        )
        for name, row in rows.items()
    ]


def _attributes(told: Mapping[str, Any]) -> list[Term]:
    """The attributes that clients write, from the editor's table, and those that the server writes."""
    found: dict[str, list[Meaning]] = {}
    for place, table in json.loads(resources.text("static/envelope.json")).items():
        for field in table["fields"]:
            meaning = Meaning(field["text"], field["clause"], _PLACES[place], field["type"])
            found.setdefault(field["name"], []).append(meaning)
    terms = {name: Term(name, "attributes", tuple(rows), _ROLES["client"]) for name, rows in found.items()}
    for name, row in told.items():
        meaning = Meaning(row["text"], row["clause"], "", row["type"])
        known = terms.get(name)
        terms[name] = (
            Term(name, "attributes", (meaning,), _ROLES["server"])
            if known is None
            else known._replace(meanings=(*known.meanings, meaning), by=_ROLES["both"])
        )
    return list(terms.values())


# links


class _Names(NamedTuple):
    """What `mark` looks for: code by its text, and words by a pattern."""

    code: Mapping[str, Term]
    words: Mapping[str, Term]
    pattern: re.Pattern[str]


@cache
def _names() -> _Names:
    found = glossary()
    code: dict[str, Term] = {}
    for kind in ("states", "errors", "events", "headers", "operations", "attributes", "concepts"):
        for name, term in found[kind].items():
            code.setdefault(name, term)
    for name, term in found["errors"].items():
        code.setdefault(name.upper(), term)
    words = {word: term for term in found["concepts"].values() for word in term.words}
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(re.escape(word) for word in longest)})\b", re.IGNORECASE)
    return _Names(code, words, pattern)


def mark(children: list[Any], seen: set[str]) -> list[Any]:
    """The tokens of a paragraph, with a link to its entry on the first mention of each term.

    Args:
        children: Inline tokens of markdown-it.
        seen: Addresses of the entries linked already; the new ones are added.
    """
    names = _names()
    found: list[Any] = []
    inside = 0
    for token in children:
        inside += token.nesting if token.type in {"link_open", "link_close"} else 0
        if inside or token.type not in {"code_inline", "text"}:
            found.append(token)
        elif token.type == "text":
            found += _words(token, names, seen)
        else:
            term = names.code.get(token.content)
            found += [token] if term is None or not _first(term, seen) else _linked(token, term)
    return found


def _first(term: Term, seen: set[str]) -> bool:
    if term.href in seen:
        return False
    seen.add(term.href)
    return True


def _linked(token: Any, term: Term) -> list[Any]:
    kind = type(token)
    opening = kind("link_open", "a", 1, attrs={"class": "term", "href": term.href})
    return [opening, token, kind("link_close", "a", -1)]


def _words(token: Any, names: _Names, seen: set[str]) -> Iterator[Any]:
    """A text token, cut where a word of the glossary is met for the first time."""
    text, at = token.content, 0
    kind = type(token)
    for hit in names.pattern.finditer(text):
        term = names.words[hit[1].lower()]
        if not _first(term, seen):
            continue
        if hit.start() > at:
            yield kind("text", "", 0, content=text[at : hit.start()])
        yield from _linked(kind("text", "", 0, content=hit[1]), term)
        at = hit.end()
    if at < len(text):
        yield kind("text", "", 0, content=text[at:])
