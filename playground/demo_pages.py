"""The demo workers' settings: forms of the Workers pane, as commands of the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.http.message import Response
from playground.behaviours import DEEDS
from playground.manner import MAX_CONCURRENCY, MAX_SPEED, MIN_SPEED
from playground.visit import Visit

PAGE = "/play?do=workers"


def pane(visit: Visit) -> Mapping[str, Any]:
    """What the forms offer."""
    crew = visit.app.session.crew
    return {
        "ids": list(crew.workers),
        "manner": crew.manner,
        "deeds": DEEDS,
        "most": MAX_CONCURRENCY,
        "slowest": MIN_SPEED,
        "fastest": MAX_SPEED,
    }


def _number(text: str, scale: int = 1) -> object:
    """A number as one may type it; anything else as it is, for whoever checks it to refuse."""
    try:
        value = float(text.strip().replace(",", ".")) * scale
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def tune(visit: Visit) -> Response:
    """Change how one demo worker works, or all of them and those to come."""
    form = visit.form()
    settings: dict[str, Any] = {
        name: _number(form[name]) for name in ("concurrency", "speed") if form.get(name)
    }
    if form.get("queues", "").strip():
        settings["queues"] = form["queues"].replace(",", " ").split()
    visit.app.session.work("set", form.get("worker", ""), settings)
    return visit.done(PAGE)


def behave(visit: Visit) -> Response:
    """Change what demo handlers do with some job types; ``usual`` takes that back."""
    form = visit.form()
    settings: dict[str, Any] = {name: form[name] for name in ("pattern", "does") if name in form}
    if form.get("seconds"):
        settings["ms"] = _number(form["seconds"], 1000)
    if form.get("failures") and form.get("does") == "fail":
        settings["failures"] = _number(form["failures"])
    if form.get("message"):
        settings["message"] = form["message"]
    visit.app.session.work("behave", "", settings)
    return visit.done(PAGE)
