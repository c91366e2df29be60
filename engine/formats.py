"""The string formats of JSON Schema that the engine checks; any other name is an annotation and fits always."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

from engine.times import parse_duration, parse_time

MAX_LENGTH: Final = 2048
_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z", re.ASCII)
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")


def _parses(read: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except (ValueError, AddressValueError):
            return False
        return True

    return check


def _hostname(text: str) -> bool:
    return len(text) <= 253 and all(_LABEL.match(label) for label in text.split("."))


def _email(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at) and _LOCAL.match(local) is not None and _hostname(domain)


def _uri(text: str) -> bool:
    if any(ch.isspace() or ch in '<>"{}|\\^`' for ch in text):
        return False
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "date-time": _parses(parse_time),
    "date": _parses(lambda text: parse_time(text + "T00:00:00Z")),
    "time": _parses(lambda text: parse_time("2000-01-01T" + text)),
    "duration": _parses(parse_duration),
    "email": _email,
    "hostname": _hostname,
    "ipv4": _parses(IPv4Address),
    "ipv6": _parses(IPv6Address),
    "uri": _uri,
    "uuid": lambda text: _UUID.match(text) is not None,
}


def fits(name: str, text: str) -> bool:
    """Whether a text has this format; always true of a format that is not checked."""
    check = _FORMATS.get(name)
    return check is None or (len(text) <= MAX_LENGTH and check(text))
