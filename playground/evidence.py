"""Evidence: which conformance cases prove a requirement, and how they ended here, in the reader's own engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.errors import InvalidRequest, NotFound
from engine.http.message import Response
from playground.crosslinks import shown_in
from playground.requirements import Requirement
from playground.spec import Document

if TYPE_CHECKING:
    from playground.app import Application
    from playground.trial import Row, Trial
    from playground.visit import Visit

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
    if requirement.untestable:
        verdict = "untestable"
    elif not rows:
        verdict = "not run" if requirement.cases or requirement.restates else "no case"
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
    found = [evidence(app.trial, one) for one in document.requirements.values()]
    return {
        "document": document,
        "found": found,
        "counts": tally(found),
        "verdicts": VERDICTS,
        "running": app.trial.running,
    }


# pages


def _find(visit: Visit) -> tuple[Document, Requirement]:
    name, key = visit.params["document"], visit.params["id"]
    document = visit.app.documents.get(name)
    requirement = None if document is None else document.requirements.get(key)
    if document is None or requirement is None:
        raise NotFound(
            f"There is no requirement '{key:.60}' in '{name:.60}'.", details={"resource_type": "requirement"}
        )
    return document, requirement


def one_requirement(visit: Visit) -> Response:
    """A requirement with its cases, as a fragment or as a page."""
    document, requirement = _find(visit)
    template = "parts/evidence.html" if visit.fragment else "pages/requirement.html"
    return visit.render(
        template,
        document=document,
        one=evidence(visit.app.trial, requirement),
        lessons=shown_in(requirement),
    )


def run_evidence(visit: Visit) -> Response:
    """Run the cases of a whole document, or of one requirement of it (``id``)."""
    name, wanted = visit.params["document"], visit.form().get("id", "")
    document = visit.app.documents.get(name)
    if document is None:
        raise NotFound(f"There is no document '{name:.60}' in the reference.")
    if wanted and wanted not in document.requirements:
        raise InvalidRequest(f"There is no requirement '{wanted:.60}' in '{name}'.", details={"field": "id"})
    chosen = [document.requirements[wanted]] if wanted else list(document.requirements.values())
    trial = visit.app.trial
    rows = {row.name: row.case for one in chosen for row in rows_of(trial, one)}
    if not trial.start(list(rows.values())):
        raise NotFound("No case proves this, so there is nothing to run.", details={"resource_type": "case"})
    return visit.done(f"/spec/{name}#{wanted}" if wanted else f"/spec/{name}")


def coverage(visit: Visit) -> Response:
    """Totals: requirements by document and keyword, with and without cases, and how the cases ended here."""
    trial = visit.app.trial
    rows = []
    for document in visit.app.documents.values():
        found = [evidence(trial, one) for one in document.requirements.values()]
        if found:
            rows.append(
                (document, tally(found), Counter(one.requirement.keyword for one in found), len(found))
            )
    return visit.render("pages/coverage.html", rows=rows, verdicts=VERDICTS, size=len(trial.cases))
