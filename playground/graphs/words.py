"""Strangers' words in a picture: cut to what fits, with nothing in them that could turn the line around."""

from __future__ import annotations

import json
from typing import Any


def plain(text: object, limit: int = 40) -> str:
    """Text of at most ``limit`` characters; line breaks, controls and direction marks are shown as escapes."""
    found = str(text)[: limit + 1]
    if not found.isprintable():
        found = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in found)
    return found if len(found) <= limit else found[: limit - 1] + "…"


def preview(value: Any, limit: int = 40) -> str:
    """A JSON value in so many characters; of a large one only the beginning is looked at."""
    return plain(json.dumps(_small(value, limit), ensure_ascii=False), limit)


def _small(value: Any, limit: int, depth: int = 4) -> Any:
    """A value that begins alike, without what will not be seen: its size costs nothing."""
    if isinstance(value, str):
        return value[: limit + 1]
    if depth == 0:
        return "…"
    if isinstance(value, list):
        return [_small(one, limit, depth - 1) for one in value[:limit]]
    if isinstance(value, dict):
        few = list(value.items())[:limit]
        return {str(name)[: limit + 1]: _small(one, limit, depth - 1) for name, one in few}
    return value
