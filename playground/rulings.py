"""The errata: where the standard's documents contradict each other, and what this server does about it.

They are data, ``spec/rulings.json``; this reads and checks them. Who shows them decides how.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from playground import resources

NAME: Final = "rulings.json"
_ID: Final = re.compile(r"R-[a-z0-9]+(?:-[a-z0-9]+)*\Z", re.ASCII)
_FIELDS: Final = frozenset({"id", "topic", "level", "extension", "clauses", "ruling", "why", "cases"})
_CLAUSE_FIELDS: Final = frozenset({"document", "section", "says"})


@dataclass(frozen=True, slots=True)
class Clause:
    """What one document says, in our words.

    Args:
        document: The file among the standard's, e.g. ``ojs-core.md``, ``openapi.yaml`` or ``conformance/suites``.
        section: Its number or heading; a schema or ``METHOD path`` of OpenAPI; the id of a published case.
        says: The rule.
    """

    document: str
    section: str
    says: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """One contradiction and its resolution.

    Args:
        id: Stable name, ``R-`` and lower-case words.
        topic: What it is about.
        clauses: At least two, from different places.
        ruling: What this server does.
        why: How that follows from the order of authority.
        level: The conformance level that it concerns, 0 to 4; None where it concerns an extension.
        extension: That extension's name, or None.
        cases: Ids of published and own cases that show it; may be empty.
    """

    id: str
    topic: str
    clauses: tuple[Clause, ...]
    ruling: str
    why: str
    level: int | None
    extension: str | None
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Errata:
    """All rulings.

    Args:
        order: The order of authority, the highest first.
        rulings: By id, in the order of the file.
    """

    order: tuple[str, ...]
    rulings: dict[str, Ruling]


def about(errata: Errata, document: str, section: str) -> list[Ruling]:
    """The rulings of which a section is one side.

    Args:
        errata: All rulings.
        document: A file, e.g. ``ojs-retry.md``.
        section: Its number or numbers, e.g. ``4.2`` or ``3.3, 9.1``.
    """
    wanted = {one.strip() for one in section.split(",")}
    return [
        ruling
        for ruling in errata.rulings.values()
        if any(
            clause.document == document and wanted & {one.strip() for one in clause.section.split(",")}
            for clause in ruling.clauses
        )
    ]


def load() -> Errata:
    """The project's errata: from the tab's bundle where there is one, else from the file.

    Raises:
        FileNotFoundError: The installation is incomplete.
        ValueError: The file breaks a rule, see `parse`.
    """
    bundled = resources.bundled(f"spec/{NAME}")
    return parse(bundled or (resources.path("spec") / NAME).read_text(encoding="utf-8"))


def parse(text: str) -> Errata:
    """Errata from the file's text.

    Args:
        text: A JSON object with ``order``, an array of strings, and ``rulings``, an array of entries.

    Raises:
        ValueError: It is no such JSON; the message names the entry and the field.
    """
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise ValueError(f"{NAME} must be an object with 'order' and 'rulings'.")  # noqa: TRY004 - one error for the file
    order = _texts(whole.get("order"), "order", least=2)
    entries = _array(whole.get("rulings"), "rulings")
    rulings: dict[str, Ruling] = {}
    for index, raw in enumerate(entries):
        ruling = _entry(raw, f"rulings[{index}]")
        if ruling.id in rulings:
            raise ValueError(f"{NAME}: {ruling.id}: 'id' stands twice.")
        rulings[ruling.id] = ruling
    return Errata(order, rulings)


def _entry(raw: Any, where: str) -> Ruling:
    entry = _object(raw, where, _FIELDS)
    name = _text(entry, "id", where)
    if not _ID.match(name):
        raise ValueError(f"{NAME}: {where}: 'id' must be 'R-' and lower-case words; got {name!r:.60}.")
    level, extension = entry.get("level"), entry.get("extension")
    if (level is None) == (extension is None):
        raise ValueError(f"{NAME}: {name}: it needs either 'level' or 'extension'.")
    if level is not None and (isinstance(level, bool) or level not in range(5)):
        raise ValueError(f"{NAME}: {name}: 'level' must be an integer from 0 to 4; got {level!r:.60}.")
    clauses = tuple(
        _clause(one, f"{name}: clauses[{index}]")
        for index, one in enumerate(_array(entry.get("clauses"), f"{name}: clauses"))
    )
    if len({(clause.document, clause.section) for clause in clauses}) < 2:
        raise ValueError(f"{NAME}: {name}: 'clauses' must be at least two, from different places.")
    return Ruling(
        name,
        _text(entry, "topic", name),
        clauses,
        _text(entry, "ruling", name),
        _text(entry, "why", name),
        level,
        None if extension is None else _text(entry, "extension", name),
        _texts(entry.get("cases"), f"{name}: cases"),
    )


def _clause(raw: Any, where: str) -> Clause:
    clause = _object(raw, where, _CLAUSE_FIELDS)
    return Clause(*(_text(clause, name, where) for name in ("document", "section", "says")))


def _object(raw: Any, where: str, fields: frozenset[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError(f"{NAME}: {where} must be an object.")  # noqa: TRY004 - one error for the file
    if unknown := raw.keys() - fields:
        raise ValueError(f"{NAME}: {where}: there is no field '{min(unknown)}'.")
    return raw


def _array(raw: Any, where: str) -> list[Any]:
    if not isinstance(raw, list):
        raise ValueError(f"{NAME}: {where} must be an array.")  # noqa: TRY004 - one error for the file
    return raw


def _text(entry: dict[str, Any], name: str, where: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{NAME}: {where}: '{name}' must be a text that is not empty.")
    return value


def _texts(raw: Any, where: str, least: int = 0) -> tuple[str, ...]:
    values = _array(raw, where)
    if len(values) < least or not all(isinstance(value, str) and value for value in values):
        raise ValueError(f"{NAME}: {where} must be an array of at least {least} texts.")
    return tuple(values)
