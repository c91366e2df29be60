"""The conformance pages: an overview, a case, and what their buttons do."""

from __future__ import annotations

import json
from typing import Final

from engine.conformance.badge import as_badge
from engine.conformance.junit import as_junit
from engine.conformance.report import as_text
from engine.conformance.selection import Selection
from engine.conformance.target import MakeTarget
from engine.errors import Conflict, InvalidRequest, NotFound
from engine.http.message import Response
from engine.nesting import too_deep
from playground.case_files import BadArchive, zipped
from playground.travel_pages import opened
from playground.visit import Visit


def overview(visit: Visit) -> Response:
    """The conformance cases and how they end."""
    suite = visit.query.get("suite", [""])[0]
    if suite and suite not in {case.suite for case in visit.app.trial.cases.values()}:
        raise NotFound(
            f"There is no suite '{suite:.60}' among the cases.", details={"resource_type": "suite"}
        )
    return visit.render("pages/conformance.html", suite=suite)


def case_page(visit: Visit) -> Response:
    """One conformance case."""
    known = visit.app.trial.row(visit.params["id"]) is not None
    return visit.render("pages/case.html", case_id=visit.params["id"], status=200 if known else 404)


def run_cases(visit: Visit) -> Response:
    """Run all cases, those up to a level, of a suite, or one."""
    form, trial = visit.form(), visit.app.trial
    level = form.get("level", "")
    if level not in {"", "0", "1", "2", "3", "4"}:
        raise InvalidRequest(f"'level' must be 0 to 4; got '{level:.40}'.", details={"field": "level"})
    suite, name = form.get("suite", ""), form.get("case", "")
    if name:
        chosen = [trial.cases[name]] if name in trial.cases else []
    else:
        chosen = Selection(int(level) if level else None, (suite,) if suite else ()).of(trial.cases.values())
    url = form.get("url", "").strip()
    if not url:
        count = trial.start(chosen)
    elif trial.outside is None:
        raise InvalidRequest(
            "A tab cannot reach other servers; run 'ojs-playground serve' for that.", details={"field": "url"}
        )
    else:
        count = trial.start(chosen, _targets(visit, url), url)
    if not count:
        raise NotFound("No case fits this level, suite or id.", details={"resource_type": "case"})
    return visit.done("/conformance")


def _targets(visit: Visit, url: str) -> MakeTarget:
    from playground.http_target import HttpTargets, server_at  # noqa: PLC0415 - sockets: never in a tab

    attached = visit.app.session.standing()
    if attached is not None and url == attached.url:
        return HttpTargets(visit.app.session.target())
    try:
        return HttpTargets(server_at(url))
    except ValueError as error:
        raise InvalidRequest(f"The server's address: {error}.", details={"field": "url"}) from None


def stop_cases(visit: Visit) -> Response:
    """End the conformance run; results so far stay."""
    visit.app.trial.stop()
    return visit.done("/conformance")


def load_cases(visit: Visit) -> Response:
    """Take a folder (JSON of path to text) or a zip of case files; an empty body brings back the project's own."""
    name = visit.query.get("name", ["the dropped files"])[0][:80]
    trial, body = visit.app.trial, visit.request.body
    try:
        if body:
            trial.load(zipped(body) if body[:2] == b"PK" else _folder(body), name)
        else:
            trial.load_own()
    except (ValueError, BadArchive) as error:
        raise InvalidRequest(f"These cases cannot be read: {error}", details={"field": "cases"}) from None
    return visit.done("/conformance")


def _folder(body: bytes) -> list[tuple[str, bytes]]:
    """The files of a folder, sent as a JSON object of path to text."""
    text = body.decode()
    if too_deep(text):
        raise ValueError("the JSON is nested too deeply.")
    files = json.loads(text)
    if not isinstance(files, dict):
        raise ValueError("the body must be a zip archive, or a JSON object of path to text.")  # noqa: TRY004 - bad input
    return [(str(path), str(text).encode()) for path, text in files.items()]


def open_moment(visit: Visit) -> Response:
    """Open the state after a step of a case in the playground."""
    case_id, step = visit.params["id"], visit.params["step"]
    found = visit.app.trial.moment(case_id, int(step) if step.isdecimal() and len(step) < 6 else 0)
    if found is None:
        raise NotFound(f"There is no step {step:.10} of a case '{case_id:.60}'.")
    visit.app.travel.open(found, f"{case_id} after step {step}")
    return opened(visit)


FORMATS: Final = {
    "text": ("text/plain; charset=utf-8", as_text),
    "json": ("application/json", lambda report: json.dumps(report.to_dict(), indent=1)),
    "junit": ("application/xml", as_junit),
    "badge": ("image/svg+xml", as_badge),
}
"""Forms of a conformance report, with their media types."""


def report(visit: Visit) -> Response:
    """The conformance results as a file."""
    form = visit.params["form"]
    if form not in FORMATS:
        raise NotFound(f"There is no report as '{form:.40}'; there are {', '.join(FORMATS)}.")
    kind, write = FORMATS[form]
    if form == "badge" and any(row.result is None for row in visit.app.trial.rows()):
        raise Conflict("A badge speaks of whole levels: run all cases first.")
    return Response(
        200, {"Content-Type": kind, "Cache-Control": "no-store"}, write(visit.app.trial.report()).encode()
    )
