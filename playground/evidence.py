"""Evidence: which conformance cases prove a requirement, and how they ended here, in the reader's own engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.errors import InvalidRequest, NotFound
from engine.http.message import Response
from playground.crosslinks import shown_in
from playground.learn.course import course
from playground.requirements import Requirement, summed
from playground.trial import HERE

if TYPE_CHECKING:
    from playground.app import Application
    from playground.spec import Document
    from playground.trial import Row, Trial
    from playground.visit import Visit

LEVELS: Final = {
    "0": "Level 0, core",
    "1": "Level 1, reliable",
    "2": "Level 2, scheduled",
    "3": "Level 3, orchestration",
    "4": "Level 4, advanced",
    "ext": "Extensions",
}
VERDICTS: Final = ("passed", "failed", "partly", "not run", "untestable", "no case")
"""What can be said of a requirement: all its cases passed, one failed, some were not run or are vacuous, …"""


class Evidence(NamedTuple):
    """A requirement with its cases.

    Args:
        requirement: The requirement.
        rows: Its cases with their results so far.
        verdict: One of `VERDICTS`.
    """

    requirement: Requirement
    rows: list[Row]
    verdict: str

    @property
    def words(self) -> str:
        """What its badge says."""
        if self.verdict in {"passed", "failed", "partly"}:
            wanted = "failed" if self.verdict == "failed" else "passed"
            return f"{sum(row.verdict == wanted for row in self.rows)} {wanted}"
        return self.verdict


@lru_cache(maxsize=4)
def _by_id(trial: Trial, names: tuple[str, ...]) -> dict[str, list[str]]:
    """Names of the cases by test id, and by ``restates:`` with the id of the standard's list that they prove."""
    found: dict[str, list[str]] = {}
    for name in names:
        case = trial.cases[name]
        for key in (case.id, *(f"restates:{one}" for one in case.requirements)):
            found.setdefault(key, []).append(name)
    return found


def rows_of(trial: Trial, requirement: Requirement) -> list[Row]:
    """The cases that prove a requirement."""
    index = _by_id(trial, tuple(trial.cases))
    keys = (*requirement.cases, *(f"restates:{one}" for one in requirement.restates))
    names = dict.fromkeys(name for key in keys for name in index.get(key, ()))
    return [row for name in names if (row := trial.row(name)) is not None]


def evidence(trial: Trial, requirement: Requirement) -> Evidence:
    """What is known of a requirement by now."""
    rows = rows_of(trial, requirement)
    verdicts = {row.verdict for row in rows}
    if not rows or requirement.untestable:
        verdict = requirement.at_rest
    elif "failed" in verdicts:
        verdict = "failed"
    elif verdicts == {"passed"}:
        verdict = "passed"
    elif "passed" in verdicts:
        verdict = "partly"
    else:
        verdict = "not run"
    return Evidence(requirement, rows, verdict)


def tally(found: Iterable[Evidence]) -> Counter[str]:
    """How many requirements have each verdict."""
    return Counter(one.verdict for one in found)


# views


def document_evidence(app: Application, name: str) -> dict[str, Any]:
    """The live view of a document's evidence: totals, and each badge's words for the page to put beside the text."""
    document = app.documents.get(name)
    if document is None:
        raise NotFound(f"There is no document '{name:.60}' in the reference.")
    if app.trial.untouched:  # reading all cases takes a tab a good part of a second
        found = [Evidence(one, [], one.at_rest) for one in document.requirements.values()]
    else:
        found = [evidence(app.trial, one) for one in document.requirements.values()]
    verdicts = {one.requirement.id: one.verdict for one in found}
    return {
        "document": document,
        "sections": [
            (section, *summed(verdicts[key] for key in keys)) for section, keys in document.sections.items()
        ],
        "found": found,
        "counts": tally(found),
        "verdicts": VERDICTS,
        "running": app.trial.running,
        "untouched": app.trial.untouched,
    }


def coverage(app: Application, _: str) -> dict[str, Any]:
    """Totals: requirements by level and by document, with and without cases, and how the cases ended here."""
    by_document: dict[str, list[Evidence]] = {}
    by_level: dict[str, list[Evidence]] = {level: [] for level in LEVELS}
    for document in app.documents.values():
        for requirement in document.requirements.values():
            one = evidence(app.trial, requirement)
            by_document.setdefault(document.name, []).append(one)
            by_level[str(requirement.level)].append(one)
    everything = ("All", "", *_sums([one for all_ in by_document.values() for one in all_]))
    documents = [
        (app.documents[name].title, f"/spec/{name}", *_sums(all_)) for name, all_ in by_document.items()
    ]
    return {
        "documents": [*documents, everything],
        "levels": [*((LEVELS[level], "", *_sums(all_)) for level, all_ in by_level.items()), everything],
        "verdicts": VERDICTS,
        "running": app.trial.running,
        "left": app.trial.left,
        "size": len(app.trial.cases),
    }


def _sums(found: list[Evidence]) -> tuple[int, Counter[str], Counter[str]]:
    """How many requirements, by keyword (MUST, SHOULD, MAY), and by verdict."""
    words = Counter(one.requirement.keyword.removesuffix(" NOT") for one in found)
    return len(found), words, tally(found)


# pages


def _document(visit: Visit) -> Document:
    name = visit.params["document"]
    document = visit.app.documents.get(name)
    if document is None:
        raise NotFound(f"There is no document '{name:.60}' in the reference.")
    return document


def _shown(visit: Visit, document: Document, key: str) -> Response:
    """What the dialog shows: a requirement with its cases, or a section with its requirements."""
    trial = visit.app.trial
    if key in document.sections:
        found = [evidence(trial, document.requirements[one]) for one in document.sections[key]]
        verdict, words = summed(one.verdict for one in found)
        return visit.render(
            "parts/section_evidence.html",
            document=document,
            section=key,
            heading=document.headings[key],
            found=found,
            verdict=verdict,
            words=words,
            running=trial.running,
        )
    requirement = document.requirements[key]
    return visit.render(
        "parts/evidence.html" if visit.fragment else "pages/requirement.html",
        document=document,
        one=evidence(trial, requirement),
        lessons=shown_in(requirement),
        steps=course().teaching(requirement.id),
        target=trial.target,
        here=HERE,
    )


def one_requirement(visit: Visit) -> Response:
    """A requirement with its cases, as a fragment or as a page; as a fragment a section with its requirements too."""
    document, key = _document(visit), visit.params["id"]
    if key not in document.requirements and not (visit.fragment and key in document.sections):
        raise NotFound(
            f"There is no requirement '{key:.60}' in '{document.name}'.",
            details={"resource_type": "requirement"},
        )
    return _shown(visit, document, key)


def run_evidence(visit: Visit) -> Response:
    """Run the cases of a whole document, or of one requirement or section of it (``id``)."""
    document, wanted = _document(visit), visit.form().get("id", "")
    if wanted and wanted not in document.requirements and wanted not in document.sections:
        raise InvalidRequest(
            f"There is no requirement or section '{wanted:.60}' in '{document.name}'.",
            details={"field": "id"},
        )
    keys = document.sections.get(wanted) or ([wanted] if wanted else list(document.requirements))
    trial = visit.app.trial
    rows = {row.name: row.case for key in keys for row in rows_of(trial, document.requirements[key])}
    if not trial.start(list(rows.values())):
        raise NotFound("No case proves this, so there is nothing to run.", details={"resource_type": "case"})
    if wanted and visit.fragment:
        trial.hurry()
        return _shown(visit, document, wanted)
    return visit.done(f"/spec/{document.name}" + (f"#{wanted}" if wanted else ""))


def coverage_page(visit: Visit) -> Response:
    """The page of totals."""
    return visit.render("pages/coverage.html")
