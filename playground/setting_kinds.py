"""How the text of a setting becomes its value: one reader for each kind, which says what is wrong with the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off", ""})


def number(least: int, most: int, what: str) -> Callable[[str], int]:
    """Reads an integer, e.g. ``a port from 1 to 65535``."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or len(text) > 12 or not least <= int(text) <= most:
            raise ValueError(f"'{text:.60}' is not {what} from {least} to {most}")
        return int(text)

    return read


def switch(text: str) -> bool:
    """Reads ``true`` or ``false``."""
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError(f"'{text:.60}' is neither true nor false")


def choice(*names: str) -> Callable[[str], str]:
    """Reads one of some names."""

    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"'{text:.60}' is not one of {', '.join(names)}")
        return text

    return read


def host(text: str) -> str:
    """Reads an address to listen on."""
    if not text or len(text) > 253 or not all(one.isalnum() or one in "-.:" for one in text):
        raise ValueError(f"'{text:.60}' is not the name or address of an interface of this machine")
    return text


def database(text: str) -> str:
    """Reads a path or a database's URL."""
    if not text:
        raise ValueError("it names no database")
    return text


def name(text: str) -> str:
    """Reads a host name without a port."""
    if ":" in text:
        raise ValueError(f"'{text:.60}' is not a host name; leave the port out")
    return host(text).lower()


def origin(text: str) -> str:
    """Reads an origin, e.g. ``https://app.example``, or ``*``."""
    parts = urlsplit(text)
    if text != "*" and (
        parts.scheme not in {"http", "https"}
        or not parts.netloc
        or text != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValueError(f"'{text:.60}' is not an origin; write e.g. https://app.example, without a path")
    return text.lower()
