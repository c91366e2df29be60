"""Where in a JSON text a value stands: from a path to a line and a column, at the speed of the JSON reader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]  # undocumented, and in every Python since 2.6
from typing import Final, NamedTuple, TypeAlias

Path: TypeAlias = Sequence[str | int]
"""Names of members and numbers of elements, from the outermost."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_READER: Final = json.JSONDecoder()
_TOKEN: Final = re.compile(r"[^.\[\]]+")


class Place(NamedTuple):
    """A stretch of a text.

    Args:
        line: From 1.
        column: From 1, in characters.
        start: Where it begins, in UTF-16 units, as JavaScript counts.
        end: Behind its last character, in UTF-16 units.
    """

    line: int
    column: int
    start: int
    end: int


def pointer(path: Path) -> str:
    """A path as a JSON Pointer (RFC 6901), e.g. ``/options/retry/max_attempts``; the whole text is the empty one."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def dotted(field: str) -> list[str | int]:
    """The path that the engine's errors write as ``options.tags[2]`` or ``$.steps[0].type``."""
    parts = _TOKEN.findall(field.removeprefix("$"))
    return [int(part) if part.isdecimal() else part for part in parts]


def at(text: str, start: int, end: int) -> Place:
    """The place of a stretch.

    Args:
        text: The whole text.
        start: Index of its first character.
        end: Index behind its last.
    """
    line_start = text.rfind("\n", 0, start) + 1
    before = len(text[:start].encode("utf-16-le")) // 2
    return Place(
        text.count("\n", 0, start) + 1,
        start - line_start + 1,
        before,
        before + len(text[start:end].encode("utf-16-le")) // 2,
    )


def find(text: str, path: Path) -> Place:
    """Where the value of a path stands, or the beginning of the innermost one around it that is there.

    Args:
        text: Valid JSON.
        path: The path; of a member that is there twice the last is meant, as readers of JSON do.
    """
    start = _skip(text, 0)
    for part in path:
        inner = _element(text, start, part) if isinstance(part, int) else _member(text, start, part)
        if inner is None:
            return at(text, start, start + 1)
        start = inner
    return at(text, start, _READER.raw_decode(text, start)[1])


def _skip(text: str, index: int) -> int:
    found = _SPACE.match(text, index)
    assert found is not None  # noqa: S101 - it matches nothing at all, too
    return found.end()


def _member(text: str, index: int, name: str) -> int | None:
    if text[index] != "{":
        return None
    found = None
    index = _skip(text, index + 1)
    while text[index] == '"':
        key, index = scanstring(text, index + 1, True)
        index = _skip(text, _skip(text, index) + 1)
        if key == name:
            found = index
        index = _skip(text, _READER.raw_decode(text, index)[1])
        if text[index] == ",":
            index = _skip(text, index + 1)
    return found


def _element(text: str, index: int, number: int) -> int | None:
    if text[index] != "[":
        return None
    index = _skip(text, index + 1)
    for _ in range(number):
        if text[index] == "]":
            return None
        index = _skip(text, _READER.raw_decode(text, index)[1])
        if text[index] == ",":
            index = _skip(text, index + 1)
    return None if text[index] == "]" else index
