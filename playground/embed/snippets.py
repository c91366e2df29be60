"""What an author pastes into a page: the component with its recorded result, a frame, or a link."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from engine.errors import InvalidRequest
from playground.embed.playing import Played, line
from playground.embed.rooms import VIEWS
from playground.render import span
from playground.travel.link import LONG, encode
from playground.travel.scenario import record

if TYPE_CHECKING:
    from playground.app import Application

HEIGHTS: Final = (160, 2000)
"""Least and greatest height of a widget, pixels."""
USUAL: Final = (320, 560)
"""The same where nobody says: as much as its text wants."""
LINES: Final = 12
"""Most events of a recorded result that are told; more are counted."""
THEMES: Final = ("", "light", "dark")
_FIELDS: Final = ("text", "scenario", "requirement", "label", "views", "height", "theme", "workers")


class Choice(NamedTuple):
    """What an author has chosen for a widget.

    Args:
        asked: What it shows, as `playground.embed.pages.chosen` takes it.
        label: Its heading; may be empty.
        views: Its views; all where it is empty.
        height: Pixels; 0 for as much as its text wants.
        theme: ``light`` or ``dark``; empty to follow the page.
    """

    asked: Mapping[str, Any]
    label: str = ""
    views: tuple[str, ...] = ()
    height: int = 0
    theme: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Choice:
        """A choice from its fields as text.

        Raises:
            InvalidRequest: A field is unknown, or has a value that it cannot have.
        """
        for name in fields:
            if name not in _FIELDS:
                raise InvalidRequest(f"A widget has no '{name:.40}'; it has {', '.join(_FIELDS)}.")
        asked: dict[str, Any] = {
            name: fields[name] for name in ("text", "scenario", "requirement") if fields.get(name)
        }
        if fields.get("workers"):
            asked["workers"] = _number("workers", fields["workers"])
        views = tuple(fields.get("views", "").replace(",", " ").split())
        unknown = [view for view in views if view not in VIEWS]
        if unknown:
            raise InvalidRequest(f"A widget has no view '{unknown[0]:.40}'; it has {', '.join(VIEWS)}.")
        height = _number("height", fields["height"]) if fields.get("height") else 0
        if height and not HEIGHTS[0] <= height <= HEIGHTS[1]:
            raise InvalidRequest(f"A widget is {HEIGHTS[0]} to {HEIGHTS[1]} pixels high.")
        theme = fields.get("theme", "")
        if theme not in THEMES:
            raise InvalidRequest("A widget's theme is light or dark; without one it follows the page.")
        return cls(asked, fields.get("label", ""), views, height, theme)


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise InvalidRequest(f"A widget's {name} is a whole number, not '{text:.40}'.")
    return int(text)


class Recorded(NamedTuple):
    """A recorded result.

    Args:
        lines: The first events, as (time of day, type, the rest in words).
        more: How many there are besides.
        sum: What came of it, a sentence.
    """

    lines: list[tuple[str, str, str]]
    more: int
    sum: str


def recorded(played: Played) -> Recorded:
    """What a run came to, for those who do not run it."""
    told = [line(event) for event, _ in played.events if not event.type.startswith("worker.")]
    counts = played.timeline.world.engine.store.counts()
    jobs = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no job"
    took = span(played.timeline.end.now - played.timeline.origin.start)
    refused = sum(row.status >= 400 for row in played.rows)
    failed = f", {refused} refused" if refused else ""
    summed = f"{len(told)} events in {took}{failed}; at the end {jobs}. {played.says}".strip()
    return Recorded(
        [(one.time[11:23], one.type, one.says) for one in told[:LINES]], max(0, len(told) - LINES), summed
    )


def _height(choice: Choice, played: Played) -> int:
    if choice.height:
        return choice.height
    code = 0 if "scenario" in choice.asked else played.content.text.count("\n") + 2
    lines = code + min(LINES, len(played.events)) + 4
    return min(max(22 * lines, USUAL[0]), USUAL[1])


def address(choice: Choice, played: Played, origin: str) -> str:
    """Where the playground shows the same."""
    home = origin.rstrip("/")
    if "scenario" in choice.asked:
        return f"{home}/scenarios/{choice.asked['scenario']}"
    if "requirement" in choice.asked:
        key = str(choice.asked["requirement"])
        return f"{home}/spec/{key.removeprefix('R-').rpartition('-')[0]}#{key}"
    fragment = encode(record(played.timeline, title=choice.label or "From a page"))
    return f"{home}/play?do=workers&see=jobs#{fragment}" if len(fragment) <= LONG else f"{home}/play"


def component(app: Application, choice: Choice, played: Played, origin: str, *, style: bool = True) -> str:
    """The component: the text, its recorded result and a link, all there before any script.

    Args:
        app: Has the templates.
        choice: What its author wants.
        played: The same, played.
        origin: Where the playground is.
        style: Whether the room is reserved by a style attribute; without it the page's style sheet must.
    """
    html = app.env.get_template("embed/widget.html").render(
        choice=choice,
        height=_height(choice, played),
        style=style,
        text=played.content.text,
        scenario=played.content.scenario,
        result=recorded(played),
        address=address(choice, played, origin),
        named=[name for name in ("scenario", "requirement") if name in choice.asked],
    )
    return html.strip().replace(
        "\n\n", "\n&#10;"
    )  # an empty line would end the HTML within a markdown document


def framed(app: Application, choice: Choice, played: Played, origin: str) -> str:
    """A frame, for pages that allow no script."""
    fields = {**choice.asked, "views": " ".join(choice.views), "theme": choice.theme}
    fragment = urlencode({name: value for name, value in fields.items() if value != ""}, quote_via=quote)
    return (
        app.env.get_template("embed/framed.html")
        .render(
            source=f"{origin.rstrip('/')}/embed/frame/#{fragment}",
            label=choice.label or "Open Job Spec",
            height=_height(choice, played),
            address=address(choice, played, origin),
        )
        .strip()
    )


def linked(choice: Choice, played: Played, origin: str) -> str:
    """A link in markdown, for pages that allow nothing else."""
    label = (choice.label or "Run this in the OJS Playground").replace("[", "(").replace("]", ")")
    return f"[{label}]({address(choice, played, origin)})"


def fenced(choice: Choice) -> str:
    """A fenced block for `playground.embed.markdown`."""
    told = {
        name: choice.asked[name] for name in ("scenario", "requirement", "workers") if name in choice.asked
    }
    told |= {"views": " ".join(choice.views), "height": choice.height or "", "theme": choice.theme}
    label = f"label={choice.label}" if "=" in choice.label else choice.label
    words = [label, *(f"{name}={value}" for name, value in told.items() if value != "")]
    info = " ".join(shlex.quote(word) for word in words if word)
    return f"```ojs {info}".rstrip() + f"\n{choice.asked.get('text', '')}".rstrip() + "\n```"
