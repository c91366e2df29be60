"""Each MUST of the published documents has its counterpart in our reference; one that has none is named.

`spec/counterparts.json` lists, by document and section, the places of a binding keyword in the order of the text:
eight digits of a hash of its sentence, so that an edit is noticed, and our requirements. None are listed where the word
is only named: how keywords are to be read, the reason of a MUST, the heading of a table.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest

from playground import requirements
from playground.published import BINDING, Published
from playground.requirements import Requirement
from tests.conftest import ROOT

STANDARD: Final = ROOT / ".." / "shared" / "ojs" / "spec"
TABLE: Final[dict[str, dict[str, list[str]]]] = json.loads((ROOT / "spec" / "counterparts.json").read_text())
DOCUMENTS: Final = frozenset(
    f"ojs-{name}.md"
    for name in "core http-binding retry cron unique-jobs workflows worker-protocol events".split()
)
NAMED: Final = 109
"""Places of a binding keyword that demand nothing; whoever adds one should have looked."""


class Place(NamedTuple):
    """A binding keyword of a document: where, its sentence, and what the table says of it."""

    where: str
    sentence: str
    row: tuple[str, ...]


def _ours() -> dict[str, Requirement]:
    lock = json.loads((ROOT / "spec" / requirements.LOCK).read_text())
    found = {}
    for path in (ROOT / "spec").glob("*.md"):
        known = requirements.numbers(lock, path.stem)
        for head, body in requirements.FENCE.findall(path.read_text(encoding="utf-8")):
            one = requirements.parse(path.stem, head, body, known)
            found[one.id] = one
    return found


OURS: Final = _ours()


def places(name: str) -> Iterator[Place]:
    document = Published(name.removesuffix(".md"), name, (STANDARD / name).read_text(encoding="utf-8"))
    ordinals: dict[str, int] = {}
    for clause in document.rendered.clauses:
        if clause.keyword in BINDING:
            section = clause.section.removeprefix("section-")
            number = ordinals[section] = ordinals.get(section, 0) + 1
            rows = TABLE[name].get(section, [])
            row = tuple(rows[number - 1].split()) if number <= len(rows) else ()
            yield Place(f"{name} {section}, {clause.keyword} {number}", clause.text, row)


def digest(sentence: str) -> str:
    return hashlib.sha256(sentence.encode()).hexdigest()[:8]


def test_the_table_has_the_documents_and_names_our_requirements() -> None:
    assert TABLE.keys() == DOCUMENTS
    rows = [row.split() for sections in TABLE.values() for rows in sections.values() for row in rows]
    assert all(re.fullmatch(r"[0-9a-f]{8}", row[0]) for row in rows)
    assert {key for row in rows for key in row[1:]} <= OURS.keys()
    assert sum(len(row) == 1 for row in rows) == NAMED


def test_a_must_has_a_counterpart_that_binds_as_much() -> None:
    for sections in TABLE.values():
        for section, rows in sections.items():
            for row in rows:
                keywords = {OURS[key].keyword for key in row.split()[1:]}
                assert not keywords or keywords & {"MUST", "MUST NOT"}, f"{section}: {row}"


@pytest.mark.skipif(
    not STANDARD.exists(), reason="../shared/ojs/spec: the published documents are not beside us"
)
@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_must_of_a_document_is_in_the_table(name: str) -> None:
    found = list(places(name))
    missing = [f"{one.where}: {one.sentence}" for one in found if not one.row]
    changed = [
        f"{one.where}: {one.sentence}" for one in found if one.row and one.row[0] != digest(one.sentence)
    ]
    assert not missing, "without a counterpart:\n" + "\n".join(missing)
    assert not changed, "reads differently now, so its counterpart wants a look:\n" + "\n".join(changed)
    assert len(found) == sum(map(len, TABLE[name].values())), (
        "the table has rows that the document has no more"
    )


@pytest.mark.skipif(
    not STANDARD.exists(), reason="../shared/ojs/spec: the published documents are not beside us"
)
def test_every_id_of_the_conformance_document_is_restated() -> None:
    listed = set(re.findall(r"\*\*(L[0-4]-[A-Z-]+-\d{3})\*\*", (STANDARD / "ojs-conformance.md").read_text()))
    restated = {key for one in OURS.values() for key in one.restates}
    assert len(listed) > 60
    assert listed - restated == set(), "ids that no requirement of ours restates"
    assert restated - listed == set(), "ids that the document does not have"
