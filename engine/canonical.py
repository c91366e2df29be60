"""One text for each JSON value, whatever its key order or number spelling (RFC 8785), and its fingerprint.

Strings are brought to Unicode form NFC first, as OJS Unique Jobs 4.2 demands. Pure values.
"""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any
from unicodedata import normalize


def canonical(value: Any) -> str:
    """The canonical text of a JSON value: keys sorted at every level, no blanks, ECMAScript numbers."""
    if isinstance(value, str):
        return json.dumps(normalize("NFC", value), ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        members = sorted(((normalize("NFC", key), item) for key, item in value.items()), key=_code_units)
        return "{" + ",".join(f"{canonical(key)}:{canonical(item)}" for key, item in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    return json.dumps(value)  # null, true, false and integers, which stay exact whatever their size


def _code_units(member: tuple[str, Any]) -> bytes:
    """RFC 8785 3.2.3 sorts names as arrays of UTF-16 code units."""
    return member[0].encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """A double as ECMAScript writes it, so that 5.0 is 5 (RFC 8785 3.2.2.3)."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + int(exponent)
    if len(text) <= point <= 21:
        text += "0" * (point - len(text))
    elif 0 < point <= 21:
        text = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = f"{text[0]}{'.' if text[1:] else ''}{text[1:]}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return ("-" if sign else "") + text


def fingerprint(value: Any) -> str:
    """SHA-256 of the canonical text, lower-case hexadecimal (OJS Unique Jobs 4.1)."""
    return sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
