"""What strangers sent, made fit to be shown: invisible characters visible, long texts cut, JSON indented."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Final, NamedTuple

from engine.nesting import too_deep

MAX_PRETTY: Final = 200_000
"""Longest body that is read to be indented, bytes; a longer one is shown as it came."""
MAX_SHOWN: Final = 8_000
"""Characters of a body on a page."""
MAX_LINES: Final = 300
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Control characters but tab and line feed, and those that turn the direction of what follows, or have no width."""


class Shown(NamedTuple):
    """A text as a page shows it.

    Args:
        text: Its beginning.
        size: Bytes of the whole.
        cut: Whether there is more.
    """

    text: str
    size: int
    cut: bool


def visible(text: str) -> str:
    """The text with its invisible characters as JSON would escape them: a backslash, ``u`` and four digits."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def clip(text: str, most: int = MAX_SHOWN) -> str:
    """The beginning of a text, with invisible characters visible."""
    return visible(text[:most]) + ("…" if len(text) > most else "")


def shown(raw: bytes) -> Shown:
    """A body for people: JSON indented, anything else as text, its beginning where it is long."""
    size = len(raw)
    text = raw[: 4 * MAX_SHOWN if size > MAX_PRETTY else size].decode("utf-8", "replace")
    if size <= MAX_PRETTY and not too_deep(text):
        with contextlib.suppress(ValueError, RecursionError):  # no JSON: as it came
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    lines = text.split("\n", MAX_LINES)
    beginning = "\n".join(lines[:MAX_LINES])[:MAX_SHOWN]
    return Shown(visible(beginning), size, len(beginning) < len(text) or size > MAX_PRETTY)
