"""Arguments of live views that are query strings, so that a pane's filters are in its address and its stream alike."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

MAX_PAGE: Final = 1_000_000


def fields(argument: str) -> dict[str, str]:
    """The fields of a view's argument, a query string."""
    return {name: values[-1] for name, values in parse_qs(argument).items()}


def page_number(text: str) -> int:
    """The number of a page; 1 for whatever is none."""
    return max(1, min(int(text), MAX_PAGE)) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
