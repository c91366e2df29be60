"""The live views of the conformance pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.conformance.report import totals
from engine.conformance.result import VERDICTS
from playground.trial import HERE

if TYPE_CHECKING:
    from playground.app import Application

Context = dict[str, Any]


def trial(app: Application, _: str) -> Context:
    """A conformance run: progress, totals, the matrix of suites."""
    run = app.trial
    report = run.report()
    return {
        "trial": run,
        "counts": totals(report.results),
        "size": len(run.cases),
        "level": run.level,
        "matrix": run.matrix(),
        "verdicts": VERDICTS,
        "remote": run.outside is not None,
    }


def cases(app: Application, suite: str) -> Context:
    """The cases with their verdicts; of one suite, or all."""
    rows = [row for row in app.trial.rows() if not suite or row.case.suite == suite]
    return {"rows": rows, "suite": suite, "malformed": [] if suite else app.trial.malformed}


def case(app: Application, case_id: str) -> Context:
    """One case with its exchanges; ``row`` is None when there is none of this id."""
    return {"row": app.trial.row(case_id), "case_id": case_id, "target": app.trial.target, "here": HERE}
