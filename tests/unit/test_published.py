"""Published documents: keywords numbered, links checked, examples found, and nothing of theirs executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.published import BINDING, MAX_FILE, Published, Shelf, as_request
from playground.shelves import read
from tests.conftest import ROOT

CHECKOUT = ROOT.parent / "shared" / "ojs" / "spec"
TEXT = """# A document

## 1. First

A server MUST do this. It MUST NOT do that, and it MAY rest. See [there](#2-second), [elsewhere](ojs-b.md#section-1)
and [nowhere](ojs-none.md) or [gone](#gone).

<script>alert(1)</script>

### 1.2 Examples

```json
{"type": "a.b", "args": [1]}
```

```http
POST /ojs/v1/jobs HTTP/1.1
Content-Type: application/json

{"type": "a.b", "args": ["<b>"]}
```

## 2. Second

| field | rule |
|---|---|
| x | REQUIRED |
"""


def shelf(**files: str) -> Shelf:
    return Shelf([(f"spec/ojs-{name}.md", text.encode()) for name, text in files.items()], "test")


def test_each_keyword_is_numbered_in_order_with_its_section_and_sentence() -> None:
    clauses = shelf(a=TEXT).documents["ojs-a"].rendered.clauses
    assert [(one.id, one.keyword, one.section) for one in clauses] == [
        ("P-a-1", "MUST", "section-1"),
        ("P-a-2", "MUST NOT", "section-1"),
        ("P-a-3", "MAY", "section-1"),
        ("P-a-4", "REQUIRED", "section-2"),
    ]
    assert clauses[1].text.startswith("It MUST NOT do that")
    assert clauses[0].line == 5


def test_links_that_lead_nowhere_are_reported_by_file_and_line() -> None:
    problems = shelf(a=TEXT, b="# B\n\n## 1. Only\n").check()
    assert [(one.file, one.line, one.text) for one in problems] == [
        ("spec/ojs-a.md", 8, "raw HTML is shown as text: <script>"),
        ("spec/ojs-a.md", 5, "the link to ojs-none leads nowhere: no such document"),
        ("spec/ojs-a.md", 5, "the link to ojs-a#gone leads nowhere"),
    ]


def test_raw_html_is_text_and_examples_are_escaped() -> None:
    html = shelf(a=TEXT).documents["ojs-a"].rendered.html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("/ui/published/run") == 4
    assert '["<b>"]' not in html


@pytest.mark.parametrize(
    ("kind", "text", "request_"),
    [
        ("json", '{"type": "a.b", "args": []}', ("POST", "/ojs/v1/jobs", '{"type": "a.b", "args": []}')),
        ("json", '{"type": "a.b"}', None),
        ("json", "{", None),
        ("http", "GET /ojs/v1/jobs/1 HTTP/1.1\nAccept: x", ("GET", "/ojs/v1/jobs/1", "")),
        ("http", "HTTP/1.1 200 OK", None),
        ("http", "", None),
        ("python", "POST /x", None),
    ],
)
def test_what_can_be_sent_is_a_request(kind: str, text: str, request_: tuple[str, str, str] | None) -> None:
    assert as_request(kind, text) == request_


def test_the_first_mention_of_a_term_in_each_section_leads_to_its_entry() -> None:
    first = "## 1. The `queue`\n\nA `queue` and a `queue`, [a `queue`](#x).\n\n"
    text = f"# A\n\n{first}## 2. B\n\nThe envelope has a `queue`.\n"
    html = shelf(a=text).documents["ojs-a"].rendered.html
    link = '<a class="term" href="/spec/terms/attributes#queue"><code>queue</code></a>'
    assert html.count(link) == 2
    assert '<h2 id="section-1">1. The <code>queue</code></h2>' in html
    assert 'href="/spec/terms/concepts#envelope">envelope</a>' in html


def test_cases_are_joined_by_the_sections_that_they_cite() -> None:
    cited, lost = shelf(a=TEXT).joined(
        [("A", "ojs-a#section-1.2"), ("B", "ojs-a 2, 9"), ("C", "ojs-a#section-7"), ("D", "")]
    )
    assert cited == {("ojs-a", "section-1.2"): ["A"], ("ojs-a", "section-2"): ["B"]}
    assert lost == ["C", "D"]


def test_what_cannot_be_read_is_left_out_and_said() -> None:
    files = [
        ("ojs-a.md", b"# A\n"),
        ("ojs-bad.md", b"# B\n\n\xff"),
        ("ojs-big.md", b"x" * (MAX_FILE + 1)),
        ("README.md", b""),
    ]
    found = Shelf(files, "test")
    assert list(found.documents) == ["ojs-a"]
    assert [(one.file, one.line) for one in found.problems] == [("ojs-bad.md", 3), ("ojs-big.md", 1)]


def test_a_folder_that_is_no_specification_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n")
    with pytest.raises(ValueError, match="no checkout of the specification"):
        read(tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        read(tmp_path / "none")


@pytest.mark.skipif(not CHECKOUT.exists(), reason="needs the published documents beside the checkout")
def test_the_published_documents_are_read_whole() -> None:
    found = read(CHECKOUT)
    binding = sum(c.keyword in BINDING for d in found.documents.values() for c in d.rendered.clauses)
    assert len(found.documents) > 50
    assert 2_500 < binding < 2_900
    assert len(found.check()) < 20


def test_the_search_finds_each_section_where_the_page_has_it() -> None:
    """The outline, made without rendering, has the ids that rendering gives."""
    fenced = "```\n## No heading, MUST not count\n```\n\n"
    text = f"# Title\n\n## 1. One\n\nIt MUST **do** `x`.\n\n{fenced}## 1. One ##\n\nIt MAY.\n"
    document = Published("ojs-a", "ojs-a.md", text)
    assert [line.section for line in document.outline if line.heading] == [
        one.id for one in document.rendered.sections
    ]
    assert [line.text for line in document.outline if not line.heading] == ["It MUST do x."]


def test_broken_markup_and_raw_html_are_reported_by_line_and_nothing_of_it_is_passed_on() -> None:
    text = "# A\n\nIt MUST <script>alert(1)</script> `<b>`.\n\n[x](javascript:alert(1))\n\n```json\n{\n<i>\n"
    shelf = Shelf([("s/ojs-a.md", text.encode())], "mine")
    assert [(one.file, one.line, one.text) for one in shelf.check()] == [
        ("s/ojs-a.md", 3, "raw HTML is shown as text: <script>"),
        ("s/ojs-a.md", 7, "the code block that begins here has no end"),
    ]
    html = shelf.documents["ojs-a"].rendered.html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert 'id="P-a-1"' in html


@pytest.mark.skipif(not CHECKOUT.exists(), reason="needs the published documents beside the checkout")
def test_the_outlines_of_the_published_documents_are_those_of_their_pages() -> None:
    for document in read(CHECKOUT).documents.values():
        headings = [line.section for line in document.outline if line.heading]
        assert headings == [one.id for one in document.rendered.sections], document.name
