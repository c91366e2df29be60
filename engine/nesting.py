"""How deep JSON is nested, told before it is read: in a browser tab a parser that goes too deep ends all of Python."""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 100
"""Deepest JSON that is read."""
_NO_BRACKET: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[^\[\]{}"]+', re.DOTALL)


def too_deep(text: str, limit: int = MAX_DEPTH) -> bool:
    """Whether arrays and objects are nested deeper than a limit, as far as the text is JSON.

    Args:
        text: JSON, as it came.
        limit: Levels that are allowed.
    """
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    for bracket in _NO_BRACKET.sub("", text):
        depth += 1 if bracket in "[{" else -1
        if depth > limit:
            return True
    return False
