"""The executable reference: markdown documents in ``spec/``, rendered with their examples and tables.

A document starts with ``key: value`` lines (title, summary, source) up to a line ``---``. Fenced blocks with
these words become parts of the page: ``ojs NAME TITLE…`` a runnable example, ``req NAME KEYWORD`` a requirement (see
`playground.requirements`), ``diagram`` the state diagram, ``transitions`` and ``states`` tables from the engine's own
table.

Rendering is for hosts that have the markdown and the time. The tab's bundle carries the rendered documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

from jinja2 import Environment

from engine import lifecycle
from playground import requirements, resources
from playground.diagram import picture
from playground.examples import Example, Step, parse, record, written
from playground.requirements import Requirement

BUNDLED: Final = "rendered.json"
"""The rendered documents in the tab's bundle, beside their markdown."""
Uses: TypeAlias = dict[str, list[str]]
"""Places by the address of a term's entry."""
_HEADING: Final = re.compile(r"[^a-z0-9]+")
_EXAMPLE: Final = re.compile(r"^```ojs ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Badge: TypeAlias = Callable[[str, Sequence[Requirement]], str]
"""Renders the badge of a section, given its id and its requirements."""


class Document(NamedTuple):
    """One document.

    Args:
        name: Its name in the URL.
        title: Its title.
        summary: The shortest true explanation.
        source: The published documents and sections that it restates.
        order: Its place among the documents.
        examples: Its examples by name.
        requirements: Its requirements by id, in the order of the text.
        html: The rendered text.
        contents: Its sections as (id, heading).
        headings: Every heading's text by id, also of those below a section.
        sections: Ids of requirements by the heading that they stand under, itself or in a part of it.
        uses: Where it speaks of each term: the address of the term's entry to the ids of requirements and sections,
            '' for what stands above the first section.
    """

    name: str
    title: str
    summary: str
    source: str
    order: int
    examples: Mapping[str, Example]
    requirements: Mapping[str, Requirement]
    html: str
    contents: tuple[tuple[str, str], ...]
    headings: Mapping[str, str]
    sections: Mapping[str, tuple[str, ...]]
    uses: Mapping[str, tuple[str, ...]]


def documents(env: Environment) -> dict[str, Document]:
    """All documents by name, in the order of their titles: from the bundle, or rendered now."""
    bundled = resources.bundled(f"spec/{BUNDLED}")
    return load(bundled) if bundled is not None else render_all(env)


def render_all(env: Environment) -> dict[str, Document]:
    """Read and render every document.

    Raises:
        ValueError: A document's head or an example cannot be read; the message names it.
    """
    folder = resources.path("spec")
    lock = json.loads((folder / requirements.LOCK).read_text())
    found = [
        _render(path.stem, path.read_text(encoding="utf-8"), env, requirements.numbers(lock, path.stem))
        for path in folder.glob("*.md")
    ]
    return {document.name: document for document in sorted(found, key=lambda one: (one.order, one.title))}


def dump(library: Mapping[str, Document]) -> str:
    """Rendered documents as JSON, for `load`."""
    return json.dumps(
        [
            {
                **document._asdict(),
                "requirements": [one._asdict() for one in document.requirements.values()],
                "examples": {
                    name: {"title": one.title, "steps": [step._asdict() for step in one.steps]}
                    for name, one in document.examples.items()
                },
            }
            for document in library.values()
        ]
    )


def load(text: str) -> dict[str, Document]:
    """Documents from `dump`."""
    found: dict[str, Document] = {}
    for facts in json.loads(text):
        examples = {
            name: Example(name, one["title"], tuple(Step(**step) for step in one["steps"]))
            for name, one in facts.pop("examples").items()
        }
        required = {one["id"]: Requirement.of(one) for one in facts.pop("requirements")}
        contents = tuple((str(key), str(heading)) for key, heading in facts.pop("contents"))
        sections = {key: tuple(ids) for key, ids in facts.pop("sections").items()}
        uses = {href: tuple(ids) for href, ids in facts.pop("uses").items()}
        found[facts["name"]] = Document(
            **facts, examples=examples, requirements=required, contents=contents, sections=sections, uses=uses
        )
    return found


def slug(text: str) -> str:
    """A heading's id."""
    return _HEADING.sub("-", text.lower()).strip("-")


def _render(name: str, source: str, env: Environment, numbers: Mapping[str, int]) -> Document:
    head, _, text = source.partition("\n---\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    if missing := {"title", "summary", "source"} - facts.keys():
        raise ValueError(f"spec/{name}.md: its head lacks {', '.join(sorted(missing))}.")
    examples: dict[str, Example] = {}
    for words, body in _EXAMPLE.findall(text):
        key, _, title = words.partition(" ")
        examples[key] = parse(key, title, body)
    required = {
        head.strip(): requirements.parse(name, head, body, numbers)
        for head, body in requirements.FENCE.findall(text)
    }

    def badge(section: str, found: Sequence[Requirement]) -> str:
        verdict, words = requirements.summed(one.at_rest for one in found)
        return env.get_template("parts/section_badge.html").render(
            document=name, section=section, verdict=verdict, words=words
        )

    uses: Uses = {}
    made = _markdown(text, _blocks(name, examples, required, env, uses), required, badge, uses)
    return Document(
        name,
        facts["title"],
        facts["summary"],
        facts["source"],
        int(facts.get("order", 99)),
        examples,
        {one.id: one for one in required.values()},
        *made,
        uses={href: tuple(places) for href, places in uses.items()},
    )


def _blocks(
    name: str,
    examples: Mapping[str, Example],
    required: Mapping[str, Requirement],
    env: Environment,
    uses: Uses,
) -> dict[str, Callable[[str], str]]:
    """What renders each special fence, given the words after its name."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - see `_markdown`

    from playground import rulings  # noqa: PLC0415 - as above

    words_of = MarkdownIt("commonmark", {"html": False})
    errata = rulings.load()

    def requirement(words: str) -> str:
        one = required[words.strip()]
        tokens, seen = words_of.parse(one.text), set[str]()
        for token in tokens:
            _mark(token, one.id, seen, uses)
        return env.get_template("parts/requirement.html").render(
            document=name,
            one=one,
            text=words_of.renderer.render(tokens, words_of.options, {}),
            why=words_of.renderInline(one.why),
            rulings=[ruling for source in one.sources for ruling in rulings.about(errata, *source)],
        )

    def example(words: str) -> str:
        one = examples[words.partition(" ")[0]]
        return env.get_template("parts/example.html").render(
            document=name, example=one, exchanges=record(one), source=written(one)
        )

    def table(template: str) -> Callable[[str], str]:
        facts = {"states": lifecycle.STATES, "transitions": lifecycle.TRANSITIONS, **picture()}
        return lambda _words: env.get_template(f"parts/{template}.html").render(facts)

    return {
        "ojs": example,
        "req": requirement,
        "diagram": table("figure"),
        "states": table("states"),
        "transitions": table("transitions"),
    }


class _Made(NamedTuple):
    """What a `Document` has from its text, in the order of its fields; terms are noted beside it."""

    html: str
    contents: tuple[tuple[str, str], ...]
    headings: Mapping[str, str]
    sections: Mapping[str, tuple[str, ...]]


def _mark(token: Any, place: str, seen: set[str], uses: Uses) -> None:
    """Link the terms of a paragraph that are not in `seen`, and note that they stand at a place."""
    from playground import terms  # noqa: PLC0415 - see `_markdown`

    if token.type == "inline":
        before = set(seen)
        token.children = terms.mark(token.children or [], seen)
        for href in sorted(seen - before):
            uses.setdefault(href, []).append(place)


def _head(token: Any, inline: Any) -> str:
    """Give a heading its id, and make it a link to itself; the id."""
    key = slug(inline.content)
    token.attrSet("id", key)
    kind = type(token)
    link = kind("link_open", "a", 1, attrs={"class": "anchor", "href": f"#{key}"})
    inline.children = [link, *(inline.children or []), kind("link_close", "a", -1)]
    return key


def _markdown(
    text: str,
    blocks: Mapping[str, Callable[[str], str]],
    required: Mapping[str, Requirement],
    badge: Badge,
    uses: Uses,
) -> _Made:
    """Markdown as HTML, and its sections; raw HTML in the markdown is shown as text, not passed on."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - the tab's bundle has no renderer: it carries what this made

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    contents: list[tuple[str, str]] = []
    headings: dict[str, str] = {}
    sections: dict[str, list[Requirement]] = {}
    above: list[tuple[str, str]] = []
    place, seen = "", set[str]()
    tokens = parser.parse(text)
    for token, inline in pairwise([*tokens, *tokens[-1:]]):
        if token.type == "heading_open":
            key = _head(token, inline)
            headings[key] = inline.content
            above = [*(one for one in above if one[0] < token.tag), (token.tag, key)]
            if token.tag == "h2":
                contents.append((key, inline.content))
                place, seen = key, set()
            continue
        _mark(inline, place, seen, uses)
        if token.type == "fence" and token.info.startswith("req "):
            for _, key in above:
                sections.setdefault(key, []).append(required[token.info[4:].strip()])
    renderer: Any = parser.renderer  # the interface in its types leaves its rules out
    plain = renderer.rules["fence"]

    def fence(stream: Any, index: int, options: Any, env: Any) -> str:
        kind, _, words = stream[index].info.strip().partition(" ")
        return blocks[kind](words) if kind in blocks else str(plain(stream, index, options, env))

    def heading_close(stream: Any, index: int, options: Any, env: Any) -> str:
        key = slug(stream[index - 1].content)
        end = str(renderer.renderToken(stream, index, options, env))
        return badge(key, sections[key]) + end if key in sections else end

    renderer.rules |= {"fence": fence, "heading_close": heading_close}
    return _Made(
        renderer.render(tokens, parser.options, {}),
        tuple(contents),
        headings,
        {key: tuple(one.id for one in found) for key, found in sections.items()},
    )
