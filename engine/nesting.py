"""How deep JSON is nested, told before it is read: in a browser tab a parser that goes too deep ends all of Python."""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 100
"""Deepest JSON that is read."""
_NO_BRACKET: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[^\[\]{}"]+', re.DOTALL)
_EMPTY: Final = re.compile(r"\[\]|\{\}")


def too_deep(text: str, limit: int = MAX_DEPTH) -> bool:
    """Whether arrays and objects are nested deeper than a limit; text that is no JSON may count as too deep.

    Args:
        text: JSON, as it came.
        limit: Levels that are allowed.
    """
    if text.count("[") + text.count("{") <= limit:
        return False
    brackets = _NO_BRACKET.sub("", text)
    for _ in range(limit):
        brackets = _EMPTY.sub("", brackets)
    return brackets.count("[") + brackets.count("{") > limit or _EMPTY.search(brackets) is not None
