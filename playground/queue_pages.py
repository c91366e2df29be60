"""A queue's page, and its configuration as a form: JSON in which each field that the queue has of its own stands.

What is in the text is what holds afterwards; a field that is taken out falls back to what all queues have.
"""

from __future__ import annotations

import json
from typing import Any, Final

from engine.errors import InvalidPayload, NotFound
from engine.http.message import Response
from engine.nesting import too_deep
from engine.queue_config import layered
from playground.list_pages import Answer, ask, part
from playground.queue_views import is_queue
from playground.render import pretty
from playground.visit import Visit

PIECES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("At most 2 at once", "Two of its jobs are active at a time.", {"concurrency": 2}),
    ("5 starts a second", "FETCH hands out no more than that.", {"rate_limit": {"max_per_second": 5}}),
    ("Full at 100 jobs", "The job after that is refused.", {"max_size": 100}),
    (
        "Drop the oldest",
        "When it is full, a new job takes the place of the oldest.",
        {"overflow_policy": "drop_oldest"},
    ),
    ("Only email.*", "Jobs of other types are refused.", {"allowed_job_types": ["email.*"]}),
    (
        "5 attempts",
        "For jobs without a retry policy.",
        {"default_retry": {"max_attempts": 5, "initial_interval": "PT1S"}},
    ),
    ("Forget after an hour", "Completed jobs are deleted then.", {"retention": {"completed": "PT1H"}}),
)
"""Pieces to start from: what a button says, what it means, and what it puts into the text."""
_MERGED: Final = ("retention", "backpressure")
"""Fields whose own fields stay when they are not named (OJS Queue Configuration 7.2)."""


def queue_page(visit: Visit) -> Response:
    """One queue."""
    name = visit.params["name"]
    if not is_queue(visit.app.session.engine, name):
        return visit.render("pages/queue.html", name=name, status=404)
    if not visit.app.session.offers("config"):
        return visit.render("pages/queue.html", name=name)
    return visit.render("pages/queue.html", name=name, pieces=PIECES, config_text=pretty(_own(visit, name)))


def _own(visit: Visit, name: str) -> dict[str, Any]:
    record = visit.app.session.engine.store.record("queue", name)
    own: dict[str, Any] = (record or {}).get("config") or {}
    return own


def configure(visit: Visit) -> Response:
    """Set a queue's configuration (``config``), or put a piece into the text (``add``, its number from 0)."""
    name, fields = visit.params["name"], visit.form()
    if not is_queue(visit.app.session.engine, name):
        raise NotFound(f"There is no queue '{name:.60}'.", details={"resource_type": "queue"})
    text, add = fields.get("config", "").replace("\r\n", "\n"), fields.get("add", "")
    try:
        given = _read(text)
        if add:
            piece = PIECES[int(add) % len(PIECES)][2] if add.isdecimal() and len(add) < 4 else {}
            return _shown(visit, name, pretty(layered(given, piece)), said="Not set yet.")
    except InvalidPayload as error:
        return _shown(visit, name, text, problem={"message": error.message})
    answer = _set(visit, name, given)
    if "error" in answer:
        return _shown(visit, name, text, problem=answer["error"])
    if not visit.fragment:
        return visit.back(f"/play/queues/{part(name)}")
    return _shown(visit, name, pretty(_own(visit, name)), said="Set.")


def _read(text: str) -> dict[str, Any]:
    """The text as an object.

    Raises:
        InvalidPayload: It is none.
    """
    try:
        given = json.loads(text.strip() or "{}") if not too_deep(text) else None
    except ValueError as error:
        raise InvalidPayload(f"This is no JSON: {error}.") from None
    if not isinstance(given, dict):
        raise InvalidPayload("A configuration is a JSON object.")
    return given


def _set(visit: Visit, name: str, given: dict[str, Any]) -> Answer:
    """Send what makes the queue's own configuration the given one; refused, nothing has changed."""
    path, own = f"/queues/{part(name)}/config", _own(visit, name)
    gone: dict[str, Any] = {field: None for field in own if field not in given}
    thinner = [
        field
        for field in _MERGED
        if isinstance(own.get(field), dict)
        and isinstance(given.get(field), dict)
        and set(own[field]) - set(given[field])
    ]
    answer: Answer = {}
    for body in ({**given, **gone}, *({field: value} for field in thinner for value in (None, given[field]))):
        status, answer = ask(visit, "PUT", path, body)
        if status >= 400:
            return answer
    return answer


def _shown(visit: Visit, name: str, text: str, *, said: str = "", problem: Any = None) -> Response:
    """The form after a change: a part of the page, or without scripts the page."""
    template = "parts/queue_config.html" if visit.fragment else "pages/queue.html"
    return visit.render(
        template,
        status=422 if problem else 200,
        name=name,
        pieces=PIECES,
        config_text=text,
        config_said=said,
        config_problem=problem,
    )
