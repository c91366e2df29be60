"""The pane that shows a job as code, and the fragment that makes the code."""

from __future__ import annotations

from typing import Any, Final

from engine.errors import InvalidRequest, OJSError, PayloadTooLarge
from engine.http.message import Response
from playground.codegen import envelope
from playground.codegen.generate import generate
from playground.codegen.program import PARTS, Part, Program
from playground.codegen.sdks import Language, languages
from playground.render import pretty
from playground.requests import enqueue_body
from playground.samples import BY_NAME, SAMPLES
from playground.visit import Visit

LABELS: Final[dict[Part, str]] = {"producer": "Producer", "worker": "Worker", "program": "Full program"}
SHOWN: Final = 30_000
"""Most characters of code that a page shows; a file has all of it."""
LARGEST: Final = 1_000_000
"""Longest job that is made into code, characters."""


def pane(visit: Visit) -> dict[str, Any]:
    """What the workbench's pane shows: a job, the choices, and the code."""
    fields = visit.form() if visit.request.method == "POST" else {}
    query = {name: values[-1] for name, values in visit.query.items()}
    text = fields.get("body")
    return {
        "languages": list(languages().values()),
        "parts": LABELS,
        "came_from": query.get("from", ""),
        "known": visit.app.session.engine.store.get(query.get("from", "")) is not None,
        **_made(visit, _job(visit, query) if text is None else text, {**query, **fields}),
    }


def code(visit: Visit) -> Response:
    """The code alone, as a file, or, without scripts, the workbench with it."""
    fields = visit.form()
    if fields.get("as") == "file":
        return _file(visit, fields)
    if visit.fragment:
        return visit.render("parts/code.html", **_made(visit, fields.get("body", ""), fields))
    from playground.workbench import page  # noqa: PLC0415 - it imports this module for its pane

    visit.query = {"do": ["code"], "see": [fields.get("see", "")]}
    return page(visit)


def _file(visit: Visit, fields: dict[str, str]) -> Response:
    language, part = _choice(fields)
    program = _program(visit, fields.get("body", ""), language, part)
    name = f"{part}.{language.suffix}".replace("program.java", "Program.java")
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(200, headers, program.text.encode())


def _job(visit: Visit, query: dict[str, str]) -> str:
    """The job to begin with: that of an id, a sample, or the first sample."""
    job = visit.app.session.engine.store.get(query["from"]) if query.get("from") else None
    if job is not None:
        return pretty(enqueue_body(job))
    return BY_NAME.get(query.get("sample", ""), SAMPLES[0]).text


def _choice(fields: dict[str, str], *, strict: bool = True) -> tuple[Language, Part]:
    """Language and part that were chosen; the first ones where nothing was.

    Raises:
        InvalidRequest: There is no such language or part.
    """
    known = languages()
    name, part = fields.get("language") or next(iter(known)), fields.get("part") or PARTS[0]
    if name not in known or part not in PARTS:
        if strict:
            raise InvalidRequest(
                f"Choose a language of {', '.join(known)} and a part of {', '.join(PARTS)}.",
                details={"field": "part" if name in known else "language"},
            )
        name, part = name if name in known else next(iter(known)), part if part in PARTS else PARTS[0]
    return known[name], next(one for one in PARTS if one == part)


def _program(visit: Visit, text: str, language: Language, part: Part) -> Program:
    if len(text) > LARGEST:
        raise PayloadTooLarge(f"Code is made for jobs of at most {LARGEST:,} characters.")
    try:
        job = envelope.read(text.encode("utf-8", "replace"), visit.app.session.engine.now())
        return generate(job, language, part, visit.app.site.base_url)
    except RecursionError:
        raise InvalidRequest("The job is nested too deeply to be written as code.") from None


def _made(visit: Visit, text: str, fields: dict[str, str]) -> dict[str, Any]:
    language, part = _choice(fields, strict=visit.request.method == "POST")
    program, problem = None, None
    try:
        program = _program(visit, text, language, part)
    except OJSError as error:
        problem = error
    return {
        "text": text,
        "language": language,
        "part": part,
        "program": program,
        "problem": problem,
        "shown": SHOWN,
    }
