"""JSON values as the case language sees them: the missing value, type names, Go's text forms.

The language was defined by a Go program, and in two places its texts show through: ``contains:`` compares
``%v`` texts, and templates write numbers and objects Go's way.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands for a value that a path did not lead to.

    Args:
        why: What stopped the path, e.g. ``$.job has no "error"``.
    """

    why: str = ""


def absent(value: Any) -> bool:
    """Whether the language calls this nil: nothing there, or an explicit null."""
    return value is None or isinstance(value, Missing)


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether this is a JSON number; ``true`` is not, although Python's ``bool`` is an ``int``."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def json_type(value: Any) -> str:
    """One of ``string``, ``number``, ``boolean``, ``null``, ``array``, ``object``."""
    if absent(value):
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if is_number(value):
        return "number"
    return "array" if isinstance(value, list) else "object"


def go_number(number: float) -> str:
    """A number as Go's ``%v`` prints the float that its JSON decoder makes: ``1e+06``, ``42``, ``0.5``."""
    value = float(number)
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    mantissa, power = _shortest(value)
    if _PLAIN_FROM <= power < _PLAIN_TO:
        return repr(value).removesuffix(".0")  # Python's own threshold lies outside this window
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


_PLAIN_FROM, _PLAIN_TO = -4, 6  # Go's %g with the shortest digits turns to an exponent from 1e6 on


def _shortest(value: float) -> tuple[str, int]:
    """Mantissa and exponent with the fewest digits that still mean this float."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    mantissa = text[0] + ("." + text[1:] if text[1:] else "")
    return ("-" if sign else "") + mantissa, len(text) - 1 + int(exponent)


def go_text(value: Any) -> str:
    """A JSON value as Go's ``%v`` prints it: ``[1 2]``, ``map[a:1 b:x]``, ``<nil>``."""
    if absent(value):
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if is_number(value):
        return go_number(value)
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"


def go_json(value: Any) -> str:
    """A JSON value as Go's encoder writes it: compact, keys sorted, ``<``, ``>`` and ``&`` escaped."""
    text = json.dumps(_integral(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for sign, escape in _ESCAPES:
        text = text.replace(sign, escape)
    return text


_ESCAPES = (
    ("<", "\\u003c"),
    (">", "\\u003e"),
    ("&", "\\u0026"),
    ("\u2028", "\\u2028"),
    ("\u2029", "\\u2029"),
)


def _integral(value: Any) -> Any:
    """Whole floats as integers: Go's encoder writes ``2``, never ``2.0``."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, list):
        return [_integral(item) for item in value]
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    return value


MAX_DEPTH = 100
"""Deepest nesting of a case file or an answer: far beyond any use, and safe for every walk over it."""


def too_deep(value: Any) -> bool:
    """Whether a JSON value is nested more than `MAX_DEPTH` levels deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return False
        level = inner
    return True


def show(value: Any, limit: int = 200) -> str:
    """A value for a failure text: compact JSON, cut at ``limit`` characters."""
    if isinstance(value, Missing):
        return "nothing" + (f" ({value.why})" if value.why else "")
    text = json.dumps(value, separators=(", ", ": "), ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
