"""The compose pane: what it begins with, what is wrong with what was written, and sending it."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.errors import InvalidRequest
from engine.http.message import Request, Response
from playground import workbench
from playground.answers import answered
from playground.compose import BY_NAME, TARGETS, Target, check
from playground.render import pretty
from playground.requests import enqueue_body
from playground.samples import BY_NAME as SAMPLES
from playground.topics import BY_NAME as TOPICS
from playground.topics import TOPICS as ALL_TOPICS
from playground.visit import Visit
from playground.workbench import Context

OFFERED: Final = {"job": "compose", "workflow": "workflows"}
"""The part of a server that a target needs, where it is not called the same."""


def composing(visit: Visit) -> Context:
    """The editor with a request to start from: ``?from=ID`` of a job, ``?template=NAME``, or a ``?sample=NAME``."""
    again = visit.app.session.engine.store.get(visit.query.get("from", [""])[0])
    topic = TOPICS.get(visit.query.get("template", [""])[0], ALL_TOPICS[0])
    sample = SAMPLES.get(visit.query.get("sample", [""])[0])
    groups: dict[str, list[object]] = {}
    for one in ALL_TOPICS:
        groups.setdefault(one.group, []).append(one)
    return {
        "topics": groups,
        "targets": [one for one in TARGETS if visit.app.session.offers(OFFERED.get(one.name, one.name))],
        "target": BY_NAME["job" if sample or again else topic.target],
        "text": pretty(enqueue_body(again)) if again else sample.text if sample else topic.text,
        "chosen": "" if sample or again else topic.name,
        "limit": visit.app.session.binding.settings.max_body,
    }


def _typed(visit: Visit) -> tuple[Target, str]:
    form = visit.form()
    name = form.get("target", "job")
    if name not in BY_NAME:
        raise InvalidRequest(
            f"'{name:.20}' cannot be composed; there are {', '.join(BY_NAME)}.", details={"field": "target"}
        )
    return BY_NAME[name], form.get("body", "").replace("\r\n", "\n")


def problems(visit: Visit) -> Response:
    """Every problem of ``body`` as a ``target``, with pointer, line, column and clause; nothing is enqueued."""
    target, text = _typed(visit)
    limit = visit.app.session.binding.settings.max_body
    found = check(text, target, visit.app.session.engine.now(), limit)
    told: dict[str, Any] = {
        "bytes": len(text.encode("utf-8", "replace")),
        "limit": limit,
        "problems": [one.to_dict() for one in found],
    }
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(200, headers, json.dumps(told).encode())


def run(visit: Visit) -> Response:
    """Send what was composed, exactly as it was written."""
    target, text = _typed(visit)
    body = text.encode("utf-8", "replace")
    response = visit.app.session.handle(
        Request("POST", target.path, {"content-type": "application/json"}, body)
    )
    answer, status = answered(response), 200 if response.status < 300 else 422
    if visit.fragment:
        return visit.render("parts/composed.html", answer=answer, target=target, status=status)
    visit.query = {**visit.query, "do": ["compose"]}
    return workbench.page(visit, status=status, text=text, target=target, chosen="", answer=answer)
