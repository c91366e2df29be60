"""Terms: each is told once, from the project's own tables, and the text leads to it where it speaks of it."""

from __future__ import annotations

import json
import re

from engine import lifecycle
from engine.envelope import SYSTEM
from engine.http.message import Request
from playground import terms
from playground.app import Application
from tests.conftest import ROOT
from tests.unit.test_spec import LIBRARY

GLOSSARY = terms.glossary()
TERMS = [term for group in GLOSSARY.values() for term in group.values()]
TOLD = json.loads((ROOT / "spec" / "terms.json").read_text())


def get(app: Application, path: str) -> tuple[int, str]:
    response = app.handle(Request("GET", path))
    assert isinstance(response.body, bytes)
    return response.status, response.body.decode()


def test_every_attribute_that_only_the_server_writes_is_told() -> None:
    assert TOLD["attributes"].keys() == SYSTEM


def test_every_operation_of_the_transition_table_is_told() -> None:
    assert TOLD["operations"].keys() == {move.operation for move in lifecycle.TRANSITIONS}


def test_every_header_that_the_engine_writes_is_told() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "engine").rglob("*.py"))
    written = set(re.findall(r'"((?:X-|OJS-|Retry-|Last-|Content-)[A-Z][A-Za-z-]+)"', code))
    assert written <= TOLD["headers"].keys()
    assert {"X-OJS-Signature", "Retry-After"} <= written


def test_every_term_says_what_it_means_in_whole_sentences() -> None:
    for term in TERMS:
        assert term.meanings, term
        for meaning in term.meanings:
            assert meaning.text.endswith("."), meaning
            assert meaning.text[0].isupper(), meaning


def test_every_link_to_a_term_lands_on_its_entry(app: Application) -> None:
    """Every address that the text uses is an entry's, and every entry is on its page."""
    addresses = {term.href for term in TERMS}
    assert {href for document in LIBRARY.values() for href in document.uses} <= addresses
    pages = {path: get(app, path) for path in {href.partition("#")[0] for href in addresses}}
    for term in TERMS:
        status, html = pages[term.href.partition("#")[0]]
        assert status == 200
        assert f'id="{term.anchor}"' in html, term.href


def test_a_document_links_the_first_mention_in_each_requirement_and_section() -> None:
    retry = LIBRARY["retry"]
    places = retry.uses["/spec/terms/attributes#max_attempts"]
    assert "R-retry-6" in places
    assert "the-policy" in places
    assert len(places) == len(set(places))
    text = re.search(r'id="R-retry-7".*?</div>\s*<p class="why"', retry.html, re.DOTALL)
    assert text
    assert (
        '<a class="term" href="/spec/terms/attributes#max_attempts"><code>max_attempts</code></a>' in text[0]
    )


def test_words_are_linked_once_and_never_inside_a_link_or_another_word() -> None:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - the renderer of the documents

    parser = MarkdownIt("commonmark", {"html": False})
    tokens = parser.parse(
        "A retry policy, [a heartbeat](/x), *Jitter* and jittery; a *heartbeat* and `FETCH`, `FETCH`."
    )
    seen: set[str] = set()
    tokens[1].children = terms.mark(tokens[1].children or [], seen)
    html = parser.renderer.render(tokens, parser.options, {})
    assert html.count('class="term"') == 4
    assert seen == {
        "/spec/terms/concepts#retry-policy",
        "/spec/terms/concepts#jitter",
        "/spec/terms/concepts#heartbeat",
        "/spec/terms/operations#FETCH",
    }
    assert "and jittery" in html


def test_an_entry_has_uses_cases_who_sets_it_and_transitions(app: Application) -> None:
    attributes = get(app, "/spec/terms/attributes")[1]
    entry = attributes[attributes.index('id="max_attempts"') :]
    entry = entry[: entry.index("</article>")]
    assert "set by the client" in entry
    assert 'href="/spec/retry#R-retry-6"' in entry
    assert "/conformance/cases/" in entry
    assert "set by the server" in attributes[attributes.index('id="reserved_until"') :]
    states = get(app, "/spec/terms/states")[1]
    assert states.count("<code>FETCH</code>") == 2
    assert get(app, "/spec/terms/nonsense")[0] == 404


def test_the_whole_reference_is_one_page_whose_links_stay_there(app: Application) -> None:
    html = get(app, "/spec/all")[1]
    main = html[html.index("<main") : html.index("</main>")]
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert len(re.findall(r'id="R-[a-z-]+-\d+"', main)) == sum(
        len(one.requirements) for one in LIBRARY.values()
    )
    for target in re.findall(r'href="#([^"]+)"', main):
        assert target in ids, target
    assert all(target[0] in "#/" for target in re.findall(r'href="([^"]+)"', main))
    assert all(f'id="{target}"' in main for target in re.findall(r"url\(#([^)]+)\)", main))
    for name in LIBRARY:
        assert f'href="/spec/{name}#' not in main
