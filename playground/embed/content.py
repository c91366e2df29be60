"""What a widget shows, as authors write it: a job, a request, some requests in a row, or a scenario.

Whatever it is, it becomes a scenario, the one form of everything that can be played.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from engine.errors import InvalidRequest
from engine.nesting import MAX_DEPTH, too_deep
from playground.travel.scenario import FORMAT, NESTED, VERSION, Scenario, read

Kind = Literal["job", "request", "scenario", "requirement"]

MAX_TEXT: Final = 100_000
"""Longest text of a widget, characters."""
START: Final = "2026-01-01T12:00:00.000Z"
"""When what an author wrote begins, so that every run tells the same."""
_LINE: Final = re.compile(r"(GET|POST|PUT|PATCH|DELETE)[ \t]+(/\S*)[ \t]*\Z")
_BREAK: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)
_REFERENCE: Final = re.compile(r"\{\{(\d+)\.([A-Za-z0-9_.]+)\}\}")


class Content(NamedTuple):
    """What a widget shows.

    Args:
        kind: What it is.
        title: Its heading; empty where its text says enough.
        text: What the reader sees and may change.
        scenario: The same, to be played.
        settles: Whether time goes on until every job has ended; a scenario says itself how long it lasts.
    """

    kind: Kind
    title: str
    text: str
    scenario: Scenario
    settles: bool


def written(text: str, workers: int | None = None) -> Content:
    """The content that a text holds. Nothing in it runs.

    Args:
        text: A job, a request or a scenario in JSON, or requests as ``METHOD /path`` with a body below, between
            lines of three hyphens.
        workers: Demo workers; without it one, or none where the text fetches jobs by itself. A scenario's own count.

    Raises:
        InvalidRequest: It is none of these; the message says why, and where.
    """
    text = text.strip()
    if not text:
        raise InvalidRequest("There is nothing to run: write a job, a request or a scenario.")
    if len(text) > MAX_TEXT:
        raise InvalidRequest(f"The text has {len(text):,} characters; a widget takes {MAX_TEXT:,}.")
    if _LINE.match(text.partition("\n")[0].strip()):
        return _content("request", text, _requests(text), workers)
    value = _json(text, "This is neither JSON nor a request such as POST /jobs")
    if not isinstance(value, dict):
        raise InvalidRequest("This is JSON, but no object: a job, a request or a scenario is one.")
    if "format" in value:
        scenario = read(text)
        return Content("scenario", str(scenario.get("title", "")), text, scenario, settles=False)
    if "method" in value or "path" in value:
        return _content("request", text, [_request(value)], workers)
    if "type" in value:
        step = {"method": "POST", "path": "/ojs/v1/jobs", "body": value, "literal": True}
        return _content("job", text, [step], workers)
    raise InvalidRequest(
        'This object is no job (it has no "type"), no request ("method" and "path") and no scenario ("format").'
    )


def _json(text: str, otherwise: str) -> Any:
    if too_deep(text, MAX_DEPTH + NESTED):
        raise InvalidRequest(f"This is nested too deeply: a body may have {MAX_DEPTH} levels.")
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"{otherwise}: {error}.") from None


def _content(
    kind: Literal["job", "request"], text: str, requests: list[dict[str, Any]], workers: int | None
) -> Content:
    fetches = any(one["path"].endswith("/workers/fetch") for one in requests)
    crew = int(not fetches) if workers is None else workers
    steps = [{"at": 0, "id": f"r{number}", "request": one} for number, one in enumerate(requests, 1)]
    scenario = {
        "format": FORMAT,
        "version": VERSION,
        "seed": 1,
        "start": START,
        "workers": crew,
        "steps": steps,
    }
    try:
        whole = read(json.dumps(scenario))
    except InvalidRequest as error:
        found = error.message.replace("The scenario is not valid at /", "This cannot be sent, see ")
        raise InvalidRequest(found) from None
    return Content(kind, "", text, whole, settles=crew > 0)


def _request(value: Mapping[str, Any]) -> dict[str, Any]:
    method, path = value.get("method", "GET"), value.get("path")
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidRequest('The request has no "path" such as "/jobs".')
    more = value.keys() - {"method", "path", "headers", "body"}
    if more:
        raise InvalidRequest(f'A request has method, path, headers and body; "{min(more)}" is none of them.')
    kept = {name: value[name] for name in ("headers", "body") if name in value}
    if "headers" in kept and "body" in kept and isinstance(kept["headers"], dict):
        kept["headers"] = {"content-type": "application/json", **_lower(kept["headers"])}
    return {"method": str(method).upper(), "path": _bound(path), **kept, "literal": True}


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}


def _bound(path: str) -> str:
    """A path below the binding's base path, unless it names that itself."""
    return path if path.startswith(("/ojs/", "/v1/")) else f"/ojs/v1{path}"


def _requests(text: str) -> list[dict[str, Any]]:
    """Requests between lines of three hyphens; ``{{1.job.id}}`` is a value of the first answer."""
    found: list[dict[str, Any]] = []
    for number, part in enumerate(_BREAK.split(text), 1):
        line, _, body = part.strip().partition("\n")
        matched = _LINE.match(line.strip())
        if matched is None:
            raise InvalidRequest(f"Request {number} begins with '{line:.60}', which is not METHOD /path.")
        one: dict[str, Any] = {"method": matched[1], "path": _referring(_bound(matched[2]), number)}
        if body.strip():
            one["body"] = _json(_referring(body, number), f"The body of request {number} is no JSON")
        found.append(one)
    return found


def _referring(text: str, number: int) -> str:
    """References to earlier answers as scenarios write them."""

    def reference(matched: re.Match[str]) -> str:
        if not 1 <= int(matched[1]) < number:
            raise InvalidRequest(
                f"Request {number} takes a value of answer {matched[1]}, which has not come by then."
            )
        return f"{{{{steps.r{matched[1]}.response.body.{matched[2]}}}}}"

    return _REFERENCE.sub(reference, text)
