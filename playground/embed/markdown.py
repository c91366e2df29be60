"""Widgets for documents: a fenced block marked ``ojs`` becomes a widget with its recorded result.

The result is recorded by the engine itself, when the document is rendered; a block that cannot be played fails the
rendering, as broken code would. `plugin` is for markdown-it-py; `replaced` is for generators that take HTML
within markdown; `fence` is for all others.

    from markdown_it import MarkdownIt
    from playground.embed.markdown import plugin

    MarkdownIt().use(plugin, origin="https://playground.example").render(text)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import FileSystemLoader

from engine.errors import OJSError
from playground import resources
from playground.app import Application, Site
from playground.assets import Assets
from playground.clock import SystemClock
from playground.embed.pages import chosen
from playground.embed.snippets import Choice, component
from playground.render import environment
from playground.travel.sandbox import Sandbox
from playground.version import release

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

FENCE: Final = re.compile(
    r"^(?P<mark>```+|~~~+)[ \t]*(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=mark)[ \t]*$", re.MULTILINE | re.DOTALL
)
"""A fenced block that begins and ends at the margin."""


class FenceError(ValueError):
    """A block marked ``ojs`` cannot become a widget; the message says why."""


@cache
def _application() -> Application:
    """Knows the reference, its cases and the templates."""
    env = environment(FileSystemLoader(resources.path("templates")))
    site = Site("server", Assets.scan(resources.path("static")), release=release())
    return Application(Sandbox(SystemClock(), lambda: 1), env, site)


def marked(info: str) -> bool:
    """Whether the words after a fence's mark ask for a widget: ``ojs …``, or ``json ojs …``."""
    return "ojs" in info.split()[:2]


def fence(text: str, info: str, origin: str) -> str:
    """A fenced block as a widget's HTML.

    Args:
        text: What stands in the block; empty where the words name a scenario or a requirement.
        info: The words after its mark: ``ojs``, a label, and any of ``views``, ``height``, ``theme``, ``workers``,
            ``scenario``, ``requirement`` as ``name=value``.
        origin: Where the playground is, e.g. ``https://playground.example``; it may have a path.

    Raises:
        FenceError: It cannot be played, or the words are not understood.
    """
    try:
        choice = _choice(text, info)
        return component(_application(), choice, chosen(_application(), choice.asked), origin)
    except OJSError as error:
        raise FenceError(f"The block '{info.strip():.80}' cannot be shown: {error.message}") from None


def _choice(text: str, info: str) -> Choice:
    try:
        words = shlex.split(info)
    except ValueError as error:
        raise FenceError(f"The words '{info.strip():.80}' cannot be read: {error}.") from None
    words = words[words.index("ojs") + 1 :]
    fields: dict[str, str] = {
        "text": text.strip(),
        "label": " ".join(word for word in words if "=" not in word),
    }
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            fields[name] = value
    return Choice.read(fields)


def replaced(markdown: str, origin: str) -> str:
    """Markdown with each block marked ``ojs`` as HTML, for generators that let HTML through.

    Raises:
        FenceError: As `fence`; the message begins with the line's number.
    """

    def widget(found: re.Match[str]) -> str:
        if not marked(found["info"]):
            return found[0]
        try:
            return fence(found["text"], found["info"], origin)
        except FenceError as error:
            raise FenceError(f"line {markdown.count(chr(10), 0, found.start()) + 1}: {error}") from None

    return FENCE.sub(widget, markdown)


def plugin(md: MarkdownIt, origin: str, *, script: bool = True) -> None:
    """Have a markdown-it-py parser make widgets.

    Args:
        md: The parser.
        origin: Where the playground is.
        script: Whether the first widget of each rendering brings the script; else the page does.

    Raises:
        FenceError: While rendering, as `fence`.
    """
    renderer: Any = md.renderer
    plain = renderer.rules["fence"]

    def rule(tokens: Any, index: int, options: Any, env: Mapping[str, Any]) -> str:
        token = tokens[index]
        if not marked(token.info):
            return str(plain(tokens, index, options, env))
        html = fence(token.content, token.info, origin)
        first = not any(one.type == "fence" and marked(one.info) for one in tokens[:index])
        return f"{_script(origin)}\n{html}" if script and first else html

    md.add_render_rule("fence", lambda _self, *words: rule(*words))


def _script(origin: str) -> str:
    return f'<script async src="{origin.rstrip("/")}/embed.js"></script>'
