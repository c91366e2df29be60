"""Paths of the case language: ``$.jobs[0].id``, ``$.jobs[*].id``, ``$.jobs[?(@.state=='active')].id``.

A path that leads nowhere yields a ``Missing`` that says where it ended; only a path that is not of the
language raises. Quoted keys in brackets are not of the language, so a key with a dot in it cannot be reached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from engine.conformance.values import Missing, go_text


class PathError(ValueError):
    """The path is not written in the case language."""


@dataclass(frozen=True, slots=True)
class Key:
    """Step into an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """Step into an array, counted from 0."""

    position: int


@dataclass(frozen=True, slots=True)
class Each:
    """Every element of an array; what follows is collected from each."""


@dataclass(frozen=True, slots=True)
class First:
    """The first element whose field has this text."""

    field: str
    value: str


Segment: TypeAlias = Key | Index | Each | First

_KEY = re.compile(r"[^.\[\]]+")
_BRACKET = re.compile(
    r"\[(?:(?P<index>\d+)|(?P<each>\*)|\?\(@\.(?P<field>[^=]*?)\s*==\s*(?P<value>.*?)\)(?=\]))\]"
)


@lru_cache(maxsize=2048)
def parse(path: str) -> tuple[Segment, ...]:
    """Read a path; the leading ``$`` may be left out, as templates do.

    Raises:
        PathError: The path is not of the language; the message says at which character.
    """
    position = 1 if path.startswith("$") else 0
    segments: list[Segment] = []
    while position < len(path):
        if path[position] == "[":
            match = _BRACKET.match(path, position)
            if match is None:
                raise PathError(f"{path!r} at {position}: expected [0], [*] or [?(@.field=='value')]")
            segments.append(_bracket(match))
        else:
            start = position + (path[position] == ".")
            match = _KEY.match(path, start)
            if match is None:
                raise PathError(f"{path!r} at {start}: expected a field name")
            segments.append(Key(match[0]))
        position = match.end()
    return tuple(segments)


def _bracket(match: re.Match[str]) -> Segment:
    if match["index"] is not None:
        return Index(int(match["index"]))
    if match["each"] is not None:
        return Each()
    return First(match["field"], match["value"].strip("'\""))


def resolve(path: str, root: Any) -> Any:
    """The value at ``path``, or a ``Missing`` that tells where the path ended.

    Raises:
        PathError: The path is not of the language.
    """
    segments = parse(path)
    return root if isinstance(root, Missing) else _walk(segments, root, "$")


def _walk(segments: tuple[Segment, ...], value: Any, where: str) -> Any:
    for number, segment in enumerate(segments):
        if isinstance(segment, Each):
            if not isinstance(value, list):
                return Missing(f"{where} is not an array")
            return _collect(segments[number + 1 :], value, where)
        value, where = _step(segment, value, where)
        if isinstance(value, Missing):
            return value
    return value


def _collect(rest: tuple[Segment, ...], items: list[Any], where: str) -> list[Any]:
    """What ``rest`` finds in each element, flat; elements without it are left out."""
    found: list[Any] = []
    nested = any(isinstance(segment, Each) for segment in rest)
    for number, item in enumerate(items):
        value = _walk(rest, item, f"{where}[{number}]")
        if rest and (value is None or isinstance(value, Missing)):
            continue
        if nested:
            found.extend(value)
        else:
            found.append(value)
    return found


def _step(segment: Key | Index | First, value: Any, where: str) -> tuple[Any, str]:
    if isinstance(segment, Key):
        if not isinstance(value, dict):
            return Missing(f"{where} is not an object"), where
        if segment.name not in value:
            return Missing(f'{where} has no "{segment.name}"'), where
        return value[segment.name], f"{where}.{segment.name}"
    if not isinstance(value, list):
        return Missing(f"{where} is not an array"), where
    if isinstance(segment, Index):
        if segment.position >= len(value):
            return Missing(f"{where} has {len(value)} elements"), where
        return value[segment.position], f"{where}[{segment.position}]"
    for number, item in enumerate(value):
        found = _walk(parse(segment.field), item, where)
        if not isinstance(found, Missing) and go_text(found) == segment.value:
            return item, f"{where}[{number}]"
    return Missing(f"{where} has no element whose {segment.field} is {segment.value!r}"), where
