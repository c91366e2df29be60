"""Templates: the one Jinja environment, and the filters that turn engine values into text.

Everything is escaped by default. A host with the template files compiles them on first use; the tab's bundle
carries them compiled already.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Final

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from engine.times import DAY, HOUR, MINUTE, SECOND, format_time

_TICKS: Final = re.compile(r"`([^`]+)`")
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
"""Characters that nobody sees, and that may turn the text around them the other way."""


def environment(loader: BaseLoader) -> Environment:
    """The environment over a loader of templates or of compiled templates."""
    env = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters |= {
        "clock": clock,
        "span": span,
        "ticks": ticks,
        "short": short,
        "plain": plain,
        "pretty": pretty,
        "iso": format_time,
    }
    return env


def clock(ms: int) -> str:
    """Time of day in UTC with milliseconds, e.g. ``12:00:07.250``."""
    return format_time(ms)[11:23]


def short(identifier: str) -> str:
    """The end of a UUIDv7, where two ids of the same moment differ."""
    return "…" + identifier[-6:]


@lru_cache(maxsize=512)
def span(ms: int) -> str:
    """A duration in the largest units that say enough, e.g. ``1.2 s`` or ``3 h 20 min``."""
    if ms < SECOND:
        return f"{ms} ms"
    for unit, name, part, small in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", SECOND, "s"),
    ):
        if ms >= unit:
            rest = ms % unit // part
            return f"{ms // unit} {name}" + (f" {rest} {small}" if rest else "")
    return f"{ms / SECOND:.1f}".removesuffix(".0") + " s"


def ticks(text: str) -> Markup:
    """Text with its `` `words` `` as code; everything else escaped."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


def pretty(value: Any) -> str:
    """JSON for people: indented, in the order given, characters as they are save control ones."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def plain(value: Any, most: int = 200) -> str:
    """What somebody else wrote, safe to look at: cut, and with what is invisible or turns text around spelled out.

    Args:
        value: The text.
        most: Characters shown; how many there are is said where that is more.
    """
    text = str(value)
    shown = text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
