r"""Regular expressions written for Go, run by Python.

The two dialects agree on nearly everything that a case uses. What differs is translated: ``$`` and ``\z``
(the very end, never before a last newline), ``\Q…\E`` (literal text) and named classes (``[[:alpha:]]``).
"""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|\Z)|\\(?P<escape>.)|\[:(?P<named>\w+):\]|(?P<other>.)", re.DOTALL
)


class PatternError(ValueError):
    """The pattern is no regular expression, in either dialect."""


def found(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text.

    Raises:
        PatternError: The pattern cannot be compiled.
    """
    return _compile(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_translate(pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(str(error)) from None


def _translate(pattern: str) -> str:
    inside = False  # a bracketed class
    lines = re.search(r"\(\?[a-zA-Z]*m", pattern) is not None  # $ keeps its meaning per line
    out: list[str] = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["literal"] is not None:
            text = re.escape(token["literal"])
        elif token["escape"] == "z" and not inside:
            text = r"\Z"
        elif token["named"] is not None:
            text = _CLASSES.get(token["named"], token[0]) if inside else token[0]
        elif text == "[" and inside:
            text = r"\["
        elif text in "[]":
            inside = text == "["
        elif text == "$" and not inside and not lines:
            text = r"\Z"
        out.append(text)
    return "".join(out)
