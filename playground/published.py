"""The published documents in the explorer: a checkout of the specification, read where it lies and kept by nobody else.

Its text is somebody else's and may be broken or hostile: raw HTML is shown as text, and what is wrong is reported by
file and line while the rest is rendered. Each keyword of RFC 2119 becomes a numbered requirement with its own link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

MAX_FILE: Final = 2 << 20
"""Largest document, bytes."""
MAX_FILES: Final = 400
KEYWORDS: Final = re.compile(
    r"\b(MUST NOT|MUST|SHALL NOT|SHALL|REQUIRED|SHOULD NOT|SHOULD|RECOMMENDED|MAY|OPTIONAL)\b"
)
BINDING: Final = frozenset({"MUST", "MUST NOT", "SHALL", "SHALL NOT", "REQUIRED"})
"""Keywords that bind without exception."""
_NUMBER: Final = re.compile(r"(?:Appendix )?((?:[0-9]+|[A-Z])(?:\.[0-9]+)*)[.:]?\s")
_REFERENCE: Final = re.compile(r"(ojs-[a-z-]+)(?:\.md)?[# ](?:section-)?([0-9A-Z][0-9.]*)")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX: Final = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*\Z")
_TAG: Final = re.compile(r"</?[a-zA-Z][a-zA-Z0-9-]*(?:\s[^<>]*)?/?>|<!--")
_CODE: Final = re.compile(r"(`+)[^`].*?\1")
_TARGET: Final = re.compile(r"\]\([^)]*\)")
_MARKS: Final = re.compile(r"[*`\[\]]|^[-*] ")
_REQUEST: Final = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)(?: HTTP/[\d.]+)?\s*\Z")


class Problem(NamedTuple):
    """Something wrong with a document: file, line from 1, and what."""

    file: str
    line: int
    text: str


class Clause(NamedTuple):
    """One keyword of a document.

    Args:
        id: E.g. ``P-retry-17``.
        keyword: The keyword.
        section: Id of the section that it stands in, e.g. ``section-4.2``.
        text: The sentence around it.
        line: Line of its paragraph, from 1.
    """

    id: str
    keyword: str
    section: str
    text: str
    line: int


class Section(NamedTuple):
    """A heading: id, text, depth from 1, line from 1."""

    id: str
    text: str
    depth: int
    line: int


class Line(NamedTuple):
    """A heading, or a sentence that binds, found without rendering.

    Args:
        section: Id of its section.
        text: Its words, without marks of markdown.
        heading: Whether it is a heading.
    """

    section: str
    text: str
    heading: bool


class Published:
    """One document, rendered when somebody first looks.

    Args:
        name: Its name in the address: the file's without ``.md``.
        file: Its path, for reports.
        text: Its markdown.
    """

    def __init__(self, name: str, file: str, text: str) -> None:
        self.name = name
        self.file = file
        self.text = text

    @cached_property
    def title(self) -> str:
        """Its first heading, or its name."""
        found = re.search(r"^# +(.+)$", self.text, re.MULTILINE)
        return found[1].strip() if found else self.name

    @cached_property
    def binding(self) -> int:
        """About how many MUST and MUST NOT it has: counted without rendering."""
        return sum(word in BINDING for word in KEYWORDS.findall(self.text))

    @cached_property
    def outline(self) -> list[Line]:
        """Its headings and the lines that bind, for the search: found without rendering, which takes a tab too long."""
        return list(_outline(self.text))

    @cached_property
    def rendered(self) -> Rendered:
        """The document as a page needs it."""
        return _render(self)


class Rendered(NamedTuple):
    """A rendered document.

    Args:
        html: Its HTML.
        sections: Its headings, in order.
        clauses: Its numbered keywords, in order.
        links: Internal links: line, document ('' for this one), anchor ('' for its top).
    """

    html: str
    sections: list[Section]
    clauses: list[Clause]
    links: list[tuple[int, str, str]]


class Shelf:
    """All documents of a checkout.

    Args:
        files: Path to bytes; only ``*.md`` is taken.
        name: Where they come from, in words.

    Raises:
        ValueError: None of them is a document of the specification.
    """

    def __init__(self, files: Iterable[tuple[str, bytes]], name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.documents: dict[str, Published] = {}
        for path, raw in files:
            if path.endswith(".md"):
                self._take(path, raw)
        if not self.documents:
            raise ValueError(
                "there is no ojs-*.md among these files, so this is no checkout of the specification"
            )

    def _take(self, path: str, raw: bytes) -> None:
        stem = PurePosixPath(path).stem
        if not re.fullmatch(r"ojs-[a-z0-9-]{1,60}", stem):
            return
        if len(raw) > MAX_FILE or len(self.documents) >= MAX_FILES:
            self.problems.append(Problem(path, 1, "left out: too large, or one of too many"))
            return
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            self.problems.append(Problem(path, line, f"left out: byte {error.start} is not UTF-8"))
            return
        self.documents[stem] = Published(stem, path, text)

    def check(self) -> list[Problem]:
        """What is wrong, by file and line; renders everything.

        Links that lead nowhere, code blocks without an end, raw HTML, documents left out.
        """
        found = list(self.problems)
        for document in self.documents.values():
            found += _odd(document)
        ids = {
            name: {one.id for one in document.rendered.sections} for name, document in self.documents.items()
        }
        for name, document in self.documents.items():
            for line, target, anchor in document.rendered.links:
                wanted = target or name
                if wanted not in ids:
                    found.append(
                        Problem(document.file, line, f"the link to {wanted} leads nowhere: no such document")
                    )
                elif anchor and anchor not in ids[wanted] and anchor not in _slugs(self.documents[wanted]):
                    found.append(Problem(document.file, line, f"the link to {wanted}#{anchor} leads nowhere"))
        return found

    def joined(
        self, references: Iterable[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], list[str]], list[str]]:
        """Cases by the sections that they cite.

        Args:
            references: Pairs of a case's name and its ``spec_ref``.

        Returns:
            Names of cases by (document, section id); and the names of those whose section does not exist.
        """
        by: dict[tuple[str, str], list[str]] = {}
        lost: list[str] = []
        for case, text in references:
            cited = [
                (document, f"section-{number.rstrip('.')}") for document, number in _REFERENCE.findall(text)
            ]
            there = [
                (name, section)
                for name, section in cited
                if name in self.documents
                and section in {one.id for one in self.documents[name].rendered.sections}
            ]
            for key in there:
                by.setdefault(key, []).append(case)
            if not there:
                lost.append(case)
        return by, lost


def _slugs(document: Published) -> set[str]:
    """The ids that other renderers give the headings of a document."""
    return {
        re.sub(r"[^a-z0-9 -]", "", one.text.lower()).replace(" ", "-") for one in document.rendered.sections
    }


def _render(document: Published) -> Rendered:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - fetched by a tab that wants it
    from markdown_it.token import Token  # noqa: PLC0415 - as above

    from playground import terms  # noqa: PLC0415 - as above

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(document.text)
    sections: list[Section] = []
    clauses: list[Clause] = []
    links: list[tuple[int, str, str]] = []
    short = document.name.removeprefix("ojs-")
    taken: set[str] = set()
    line, seen = 0, set[str]()
    for index, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else line
        if token.type == "heading_open":
            heading = tokens[index + 1].content
            key = _heading_id(heading, taken)
            token.attrSet("id", key)
            sections.append(Section(key, heading, int(token.tag[1]), line))
            seen = set()  # the first mention in each section is a link
        elif token.type == "inline":
            here = sections[-1].id if sections else ""
            links += [(line, *target) for target in _links(token.children or [], parser)]
            token.children = _numbered(token, short, here, line, clauses, Token)
            if tokens[index - 1].type != "heading_open":
                token.children = terms.mark(token.children, seen)
    renderer: Any = parser.renderer
    plain = renderer.rules["fence"]

    def fence(stream: Any, index: int, options: Any, env: Any) -> str:
        html = str(plain(stream, index, options, env))
        runnable = as_request(stream[index].info.strip(), stream[index].content)
        return html if runnable is None else html + _button(runnable)

    renderer.rules["fence"] = fence
    return Rendered(renderer.render(tokens, parser.options, {}), sections, clauses, links)


def _outline(text: str) -> Iterator[Line]:
    taken: set[str] = set()
    section, fenced = "", ""
    for line in text.splitlines():
        if fence := _FENCE.match(line):
            fenced = "" if fenced and fence[1].startswith(fenced) else fenced or fence[1]
        elif fenced:
            continue
        elif found := _ATX.match(line):
            section = _heading_id(found[1], taken)
            yield Line(section, _plain(found[1]), heading=True)
        elif BINDING.intersection(KEYWORDS.findall(line)):
            yield Line(section, _plain(line), heading=False)


def _odd(document: Published) -> Iterator[Problem]:
    """Markup that cannot be meant as it stands."""
    fenced, begun = "", 0
    for number, line in enumerate(document.text.splitlines(), 1):
        if fence := _FENCE.match(line):
            ends = fenced and fence[1].startswith(fenced)
            begun = begun if fenced else number
            fenced = "" if ends else fenced or fence[1]
        elif not fenced and (tag := _TAG.search(_CODE.sub("", line))):
            yield Problem(document.file, number, f"raw HTML is shown as text: {tag[0][:60]}")
    if fenced:
        yield Problem(document.file, begun, "the code block that begins here has no end")


def _plain(line: str) -> str:
    """A line of markdown as words."""
    return _MARKS.sub("", _TARGET.sub("]", line)).strip(" |-")[:300]


def _heading_id(heading: str, taken: set[str]) -> str:
    found = _NUMBER.match(heading + " ")
    key = (
        f"section-{found[1]}"
        if found
        else re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "section"
    )
    while key in taken:
        key += "-again"
    taken.add(key)
    return key


def _links(children: list[Any], parser: Any) -> Iterable[tuple[str, str]]:
    """The internal links of a paragraph as (document, anchor), and their addresses made ours."""
    del parser
    for child in children:
        if child.type != "link_open":
            continue
        target = str(child.attrGet("href") or "")
        file, _, anchor = target.partition("#")
        name = PurePosixPath(file).name.removesuffix(".md")
        if not file and anchor:
            yield "", anchor
        elif name.startswith("ojs-") and not file.startswith(("http:", "https:")):
            child.attrSet("href", f"/spec/published/{name}" + (f"#{anchor}" if anchor else ""))
            yield name, anchor


def _numbered(token: Any, short: str, section: str, line: int, clauses: list[Clause], kind: Any) -> list[Any]:
    """The inline tokens with each keyword as a numbered link."""
    found: list[Any] = []
    places = (one.start() for one in KEYWORDS.finditer(token.content))
    for child in token.children or []:
        if child.type != "text" or not KEYWORDS.search(child.content):
            for _ in KEYWORDS.findall(child.content):
                next(places, 0)  # one in code: no keyword, but it stands in the paragraph
            found.append(child)
            continue
        for piece in KEYWORDS.split(child.content):
            if not KEYWORDS.fullmatch(piece):
                found.append(kind("text", "", 0, content=piece))
                continue
            key = f"P-{short}-{len(clauses) + 1}"
            clauses.append(Clause(key, piece, section, _sentence(token.content, next(places, 0)), line))
            html = f'<a class="kw" id="{key}" href="#{key}" title="{key}">{piece}</a>'  # a name and a keyword: safe
            found.append(kind("html_inline", "", 0, content=html))
    return found


def _sentence(text: str, at: int) -> str:
    """The sentence of a paragraph that the keyword at a place stands in, cut where it is very long."""
    start = max(text.rfind(". ", 0, at) + 2, 0) if ". " in text[:at] else 0
    end = text.find(". ", at)
    return " ".join(text[start : end + 1 if end >= 0 else None].split())[:400]


# Examples


def as_request(kind: str, text: str) -> tuple[str, str, str] | None:
    """A fenced example as a request that can be sent: method, path, body; None when it is none."""
    if kind == "http":
        head, _, body = text.partition("\n\n")
        found = _REQUEST.match(head.splitlines()[0].strip()) if head.strip() else None
        return None if found is None else (found[1], found[2], body.strip())
    if kind == "json":
        try:
            value = json.loads(text)
        except ValueError:
            return None
        if (
            isinstance(value, Mapping)
            and isinstance(value.get("type"), str)
            and isinstance(value.get("args"), list)
        ):
            return "POST", "/ojs/v1/jobs", text.strip()
    return None


def _button(request: tuple[str, str, str]) -> str:
    from markupsafe import escape  # noqa: PLC0415 - beside its one use

    method, path, body = (escape(part) for part in request)
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{value}">'
        for name, value in (("method", method), ("path", path), ("body", body))
    )
    return (
        '<form class="try" method="post" action="/ui/published/run" hx-post="/ui/published/run" '
        f'hx-target="next .tried">{fields}<button class="small">Run {method} {path}</button></form>'
        '<div class="tried" aria-live="polite"></div>\n'
    )
