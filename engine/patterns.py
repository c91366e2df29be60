"""Regular expressions from outside, kept from hanging: a pattern that may take exponential time is refused.

JSON Schema's patterns are ECMA-262's. Those that Python reads the same way are accepted; what could backtrack
without bound is told by the parsed pattern, and how long a text may be by how often it can backtrack.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import ceil
from re import _parser as parser  # type: ignore[attr-defined]  # the only reader of a pattern's structure
from typing import Any, Final

MAX_PATTERN: Final = 512
MAX_TEXT: Final = (100_000, 100_000, 3_000, 300, 100, 50)
"""Longest text that is matched, characters, by how many repetitions may share it."""

_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_CATEGORIES: Final = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
Node = tuple[Any, Any]


class UnsafePattern(ValueError):
    """The pattern is not a regular expression, or could take too long."""


class Pattern:
    """A compiled pattern and the longest text it may be given.

    Args:
        text: The pattern as it came.

    Raises:
        UnsafePattern: See `UnsafePattern`.
    """

    __slots__ = ("_regex", "limit", "text")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise UnsafePattern(f"is longer than {MAX_PATTERN} characters")
        source = _ecma_end(text)
        try:
            tree = parser.parse(source, re.ASCII)
            self._regex = re.compile(source, re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            raise UnsafePattern(f"is not a regular expression ({error})") from None
        nodes = list(tree)
        searches = not (nodes and str(nodes[0][0]) == "AT")  # without an anchor every place is tried
        degree = ceil(_degree(nodes) + searches)
        if degree >= len(MAX_TEXT):
            raise UnsafePattern("repeats too many parts of variable length")
        self.text = text
        self.limit = MAX_TEXT[degree]

    def matches(self, text: str) -> bool:
        """Whether the pattern is found in a text of at most `limit` characters."""
        return self._regex.search(text) is not None


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """The pattern of this text; see `Pattern`."""
    return Pattern(text)


def _ecma_end(text: str) -> str:
    """``$`` means the very end in ECMA-262, while Python's also matches before a last newline."""
    out: list[str] = []
    escaped = in_class = False
    for ch in text:
        if escaped:
            escaped = False
        elif ch == "\\":
            escaped = True
        elif ch == "[":
            in_class = True
        elif ch == "]":
            in_class = False
        elif ch == "$" and not in_class:
            out.append(r"\Z")
            continue
        out.append(ch)
    return "".join(out)


def _degree(nodes: list[Node]) -> float:
    """How many repetitions of variable length can compete for the same text; nested ones are refused."""
    total = 0.0
    for kind, value in nodes:
        name = str(kind)
        if name in _REPEATS:
            total += _repeat(*value)
        elif name in {"GROUPREF", "GROUPREF_EXISTS"}:
            raise UnsafePattern("refers back to a group, which can take exponential time")
        else:
            total += sum(_degree(part) for part in _parts(name, value))
    return total


def _repeat(least: int, most: Any, body: Any) -> float:
    nodes = list(body)
    inner = _degree(nodes)
    variable = least != most
    if most > 1 and (inner or _branches(nodes)) and not _delimited(nodes):
        if not variable and most <= 8 and not _branches(nodes):
            return inner * int(most)
        raise UnsafePattern(
            "repeats a part that is itself of variable length, which can take exponential time"
        )
    return max(inner, _weight(least, most)) if variable else inner


def _weight(least: int, most: Any) -> float:
    """What one repetition adds: an optional part and a short one multiply the work by a small number only."""
    choices = most - least + 1
    return 0.3 if choices == 2 else 0.6 if choices <= 8 else 1.0


def _parts(name: str, value: Any) -> list[list[Node]]:
    """The sequences of nodes inside a node that is not a repetition."""
    if name == "SUBPATTERN":
        return [list(value[3])]
    if name == "ATOMIC_GROUP":
        return [list(value)]
    if name == "BRANCH":
        return [list(branch) for branch in value[1]]
    if name in {"ASSERT", "ASSERT_NOT"}:
        return [list(value[1])]
    return []


def _branches(nodes: list[Node]) -> bool:
    """Whether there are alternatives that one text could take in more than one way."""
    return any(
        (str(kind) == "BRANCH" and not _distinct(value[1]))
        or any(_branches(part) for part in _parts(str(kind), value))
        for kind, value in nodes
    )


def _distinct(branches: list[Any]) -> bool:
    firsts = [branch[0] if len(branch) else None for branch in branches]
    literals = {node[1] for node in firsts if node is not None and str(node[0]) == "LITERAL"}
    return len(literals) == len(branches)


def _delimited(nodes: list[Node]) -> bool:
    """Whether each round starts with one character that nothing of variable length inside can match."""
    while len(nodes) == 1 and str(nodes[0][0]) == "SUBPATTERN":
        nodes = list(nodes[0][1][3])
    if not nodes or str(nodes[0][0]) != "LITERAL" or _branches(nodes):
        return False
    return not any(_could_match(node, chr(nodes[0][1])) for node in nodes[1:])


def _could_match(node: Node, ch: str) -> bool:
    kind, value = str(node[0]), node[1]
    if kind == "LITERAL":
        return bool(chr(value) == ch)
    if kind == "NOT_LITERAL":
        return bool(chr(value) != ch)
    if kind == "IN":
        return _in_class(value, ch)
    if kind in _REPEATS:
        return any(_could_match(inner, ch) for inner in value[2])
    if kind == "SUBPATTERN":
        return any(_could_match(inner, ch) for inner in value[3])
    return kind != "AT"


def _in_class(members: list[Node], ch: str) -> bool:
    negated = found = False
    for kind, value in members:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found = found or chr(value) == ch
        elif name == "RANGE":
            found = found or value[0] <= ord(ch) <= value[1]
        elif name == "CATEGORY":
            label = str(value).removeprefix("CATEGORY_")
            positive = _CATEGORIES.get(label.removeprefix("NOT_"))
            if positive is None:
                return True
            hit = re.match(positive, ch, re.ASCII) is not None
            found = found or hit != label.startswith("NOT_")
    return found != negated
