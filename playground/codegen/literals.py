r"""JSON values as literals of each language, and JSON text inside a language's string.

Characters that cannot be seen (controls, bidirectional marks, line separators, unpaired surrogates) are always written
as escapes, so that what is read is what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from playground.codegen.layout import Group, Node, layout

EXACT: Final = 2**53
"""JavaScript reads and writes every integer up to here as it is."""
LARGEST: Final = 2**63 - 1
"""Largest integer of Go's ``int``."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z", re.ASCII)
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}


def _units(character: str) -> str:
    r"""A character as JSON and JavaScript escape it: ``\uXXXX``, two of them beyond the first plane."""
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _points(character: str) -> str:
    r"""A character as Python and Go escape it: ``\uXXXX`` or ``\UXXXXXXXX``."""
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _quoted(text: str, escape: Callable[[str], str]) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_SHORT.get(c) or (c if c.isprintable() else escape(c)) for c in text) + '"'


def json_string(text: str) -> str:
    """A string of JSON, which is one of JavaScript too."""
    return _quoted(text, _units)


def python_string(text: str) -> str:
    """A string of Python; also one of Go, where it holds no unpaired surrogate."""
    return _quoted(text, _points)


def _javascript_key(key: str) -> str:
    if key == "__proto__":  # written plainly it would set the prototype
        return '["__proto__"]: '
    return (key if _IDENTIFIER.match(key) else json_string(key)) + ": "


def _go_number(value: float) -> str:
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return f'json.Number("{value}")'
    return repr(value)


class Style(NamedTuple):
    """How a language writes values.

    Args:
        string: A string.
        key: The key of a member, with what follows it.
        words: True, false and null.
        array: What opens and closes an array.
        map: What opens and closes an object.
        pad: Stands inside the brackets of an object on one line.
        comma: Stands behind the last member of a broken group.
        number: A number.
    """

    string: Callable[[str], str]
    key: Callable[[str], str]
    words: tuple[str, str, str] = ("true", "false", "null")
    array: tuple[str, str] = ("[", "]")
    map: tuple[str, str] = ("{", "}")
    pad: str = ""
    comma: str = ","
    number: Callable[[float], str] = repr

    def node(self, value: Any) -> Node:
        """A JSON value."""
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, dict):
            members = [(self.key(key), self.node(one)) for key, one in value.items()]
            return Group(self.map[0], members, self.map[1], self.pad, self.comma)
        if isinstance(value, list):
            return Group(
                self.array[0], [("", self.node(one)) for one in value], self.array[1], "", self.comma
            )
        if value is None or isinstance(value, bool):
            return self.words[2 if value is None else 0 if value else 1]
        return self.number(value)


JSON: Final = Style(json_string, lambda key: json_string(key) + ": ", comma="")
JAVASCRIPT: Final = Style(json_string, _javascript_key, pad=" ")
PYTHON: Final = Style(python_string, lambda key: python_string(key) + ": ", words=("True", "False", "None"))
GO: Final = Style(
    python_string,
    lambda key: python_string(key) + ": ",
    words=("true", "false", "nil"),
    array=("[]any{", "}"),
    map=("map[string]any{", "}"),
    number=_go_number,
)


def json_text(value: Any) -> str:
    """JSON in as many lines as it needs, every character of it visible."""
    return layout(JSON.node(value), "  ")


def ascii_json(value: Any) -> str:
    """As `json_text`, in ASCII, for compilers that may read a file in another encoding."""
    return "".join(c if c.isascii() else _units(c) for c in json_text(value))


def go_raw(text: str) -> str:
    """JSON text as a raw string of Go; a backtick, which none can hold, as JSON's escape."""
    return "`" + text.replace("`", r"\u0060") + "`"


def javascript_raw(text: str) -> str:
    """JSON text as ``String.raw``; a backtick and ``${`` as JSON's escapes."""
    return "String.raw`" + text.replace("`", r"\u0060").replace("${", r"\u0024{") + "`"


def python_raw(text: str) -> str:
    """JSON text as a raw string of Python; three apostrophes, which would end it, as JSON's escapes."""
    return "r'''" + text.replace("'''", r"\u0027\u0027\u0027") + "'''"


def rust_raw(text: str) -> str:
    """JSON text as a raw string of Rust, between enough ``#``."""
    longest = max((len(run) for run in re.findall(r'"(#*)', text)), default=0)
    fence = "#" * (longest + 1)
    return f'r{fence}"{text}"{fence}'


def java_block(text: str, margin: str) -> str:
    """ASCII JSON text as a text block of Java."""
    lines = text.replace("\\", "\\\\").replace('"""', '\\"""').split("\n")
    return '"""\n' + "\n".join(margin + line for line in lines) + '"""'


def strings(value: Any) -> Iterator[str]:
    """Every string within a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def has_unpaired(value: Any) -> bool:
    """Whether a string within holds half a surrogate pair, which UTF-8 cannot carry but as JSON's escape."""
    return any("\ud800" <= character <= "\udfff" for text in strings(value) for character in text)


def integers(value: Any) -> Iterator[int]:
    """Every integer within a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from integers(one)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def is_inexact(value: Any) -> bool:
    """Whether an integer within is one that JavaScript rounds, be it only when it writes it down."""
    return any(abs(number) > EXACT for number in integers(value))
