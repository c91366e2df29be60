"""Links both ways between the reference's requirements and the library's lessons, by the clauses that both name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from playground.requirements import Requirement
from playground.spec import Document
from playground.travel import library

_FILES: Final = {
    "OJS Queue Configuration": "ojs-queue-config.md",
}
"""Names whose file is not simply the name in lower case."""
_SECTION: Final = r"(?:[0-9]+|[A-Z]\b)(?:\.[0-9]+)*"
_CLAUSE: Final = re.compile(rf"(OJS [A-Za-z -]+?) ({_SECTION}(?:, ?{_SECTION})*)")


def cited(text: str) -> set[tuple[str, str]]:
    """The (file, section) pairs that a clause in words names, e.g. ``OJS Worker Protocol 4.2, 10.1``."""
    found: set[tuple[str, str]] = set()
    for name, sections in _CLAUSE.findall(text):
        file = _FILES.get(name, name.lower().replace(" ", "-") + ".md")
        found |= {(file, one.strip()) for one in sections.split(",")}
    return found


@cache
def _lessons() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for name in library.names():
        for clause in library.lesson(name).get("clauses", ()):
            for key in cited(clause):
                found.setdefault(key, []).append(name)
    return found


def shown_in(requirement: Requirement) -> list[tuple[str, str]]:
    """The lessons that show a requirement's clause, as (name, title)."""
    names: dict[str, None] = {}
    for source in requirement.sources:
        for section in source.section.split(","):
            for name in _lessons().get((source.document, section.strip()), ()):
                names[name] = None
    return [(name, str(library.lesson(name)["title"])) for name in names]


def required_by(documents: Mapping[str, Document], clause: str) -> list[tuple[str, str]]:
    """The requirements behind a clause in words, as (document, id)."""
    wanted = cited(clause)
    return [
        (document.name, one.id)
        for document in documents.values()
        for one in document.requirements.values()
        if any(
            (source.document, part.strip()) in wanted
            for source in one.sources
            for part in source.section.split(",")
        )
    ]
