"""The cron pane and its page: entries in plain English with their next and last runs, and a builder of expressions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from engine import cron_expression, zones
from engine.cron_definition import OVERLAP
from engine.cron_view import preview, shown, upcoming
from engine.errors import InvalidRequest, NotFound, OJSError
from engine.http.message import Response
from playground.graphs.acting import send, told
from playground.graphs.framed import framed
from playground.graphs.words import plain
from playground.graphs.words import preview as small
from playground.visit import Visit

if TYPE_CHECKING:
    from playground.app import Application

PAGE: Final = 10
"""Entries on a page."""
RUNS: Final = 10
"""Runs to come that are listed."""
LAST: Final = 5
"""Runs of the past that are listed."""
PARTS: Final = ("minute", "hour", "day of month", "month", "day of week")
"""The fields of an expression, in their order; six of them begin with the second."""
HINTS: Final = ("0 to 59", "0 to 23", "1 to 31, L, W", "1 to 12, JAN to DEC", "0 to 7, SUN to SAT")
ZONES: Final = (
    "UTC",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Paris",
    "Europe/Berlin",
    "Africa/Lagos",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
"""Zones that are offered; any IANA name can be written."""
PRESETS: Final = (
    ("every 5 minutes", "*/5 * * * *"),
    ("hourly", "@hourly"),
    ("weekdays at 09:00", "0 9 * * MON-FRI"),
    ("the first of the month", "0 0 1 * *"),
    ("every 30 s", "*/30 * * * * *"),
    ("every 90 s from now", "@every 90s"),
)
USUAL: Final[Mapping[str, str]] = {
    "name": "nightly-report",
    "expression": "0 9 * * MON-FRI",
    "timezone": "UTC",
    "type": "report.build",
    "args": "[]",
    "overlap_policy": "skip",
}
"""What the builder begins with."""

Context = dict[str, Any]


class Part(NamedTuple):
    """One field of an expression in the builder: its name, its text, what may stand there, what is wrong with it."""

    name: str
    key: str
    text: str
    hint: str
    problem: str


def wall(instant: int, zone: str) -> str:
    """An instant on a zone's clock, e.g. ``Mon 2026-01-05 09:00:00 +0100``.

    Raises:
        ValueError: There is no such zone.
    """
    return format(zones.to_wall(instant, zones.find(zone)), "%a %Y-%m-%d %H:%M:%S %z")


@lru_cache(maxsize=256)
def _following(expression: str, zone: str, first: int) -> tuple[int, ...]:
    return (first, *upcoming(expression, zone, first, RUNS - 1, first))


# entries


def view(app: Application, argument: str) -> Context:
    """A page of the entries.

    Args:
        app: Whose session.
        argument: The zone in which runs are told, or empty for each entry's own; after a colon the page, from 1.
    """
    zone, _, number = argument.partition(":")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    records = app.session.engine.store.records("cron")
    page = max(1, min(page, -(-len(records) // PAGE)))
    entries = [
        _entry(record, zone or record["timezone"]) for _, record in records[(page - 1) * PAGE : page * PAGE]
    ]
    return {
        "entries": entries,
        "total": len(records),
        "page": page,
        "pages": -(-len(records) // PAGE),
        "zone": zone,
        "plain": plain,
        "small": small,
        "wall": wall,
        "now": app.session.engine.now(),
    }


def _entry(record: dict[str, Any], zone: str) -> Context:
    going = record["status"] == "active" and record["next"] is not None
    return {
        **shown(record),
        "zone": zone,
        "next": record["next"],
        "runs": _following(record["expression"], record["timezone"], record["next"]) if going else (),
        "last": list(reversed(record["history"][-LAST:])),
        "open": list(record["open"])[:LAST],
    }


def _checked(zone: str) -> tuple[str, str]:
    """A zone, and what is wrong with it; a wrong one counts as none."""
    if not zone:
        return "", ""
    try:
        zones.find(zone)
    except ValueError as error:
        return "", f"'{plain(zone, 60)}' {error}."
    return zone, ""


def pane(visit: Visit) -> Context:
    """The workbench's pane: entries and the builder."""
    return framed(visit, "cron", shared(visit, "/play"))


def shared(visit: Visit, here: str = "/play/cron") -> Context:
    """What the pane and the page show.

    Args:
        visit: Who looks.
        here: The address at which the form asks again.
    """
    zone, problem = _checked(visit.query.get("zone", [""])[0].strip())
    page = visit.query.get("page", ["1"])[0]
    asked = {name: values[-1] for name, values in visit.query.items() if name in USUAL}
    name = f"cron:{zone}:{page}" if page.isdecimal() and page != "1" else f"cron:{zone}" if zone else "cron"
    return {
        "here": here,
        "cron": name,
        "zone": zone,
        "zone_problem": problem,
        "zones": ZONES,
        **building({**USUAL, **asked}, visit),
    }


def page(visit: Visit) -> Response:
    """The page of all entries and the builder."""
    visit.must_offer("cron", "cron entries")
    return visit.render("pages/cron.html", **shared(visit))


WAYS: Final = {
    "pause": ("POST", "/pause"),
    "resume": ("POST", "/resume"),
    "trigger": ("POST", "/trigger"),
    "delete": ("DELETE", ""),
}
"""What the buttons of an entry do, as requests to the binding."""


def treat(visit: Visit) -> Response:
    """Pause, resume, trigger or delete an entry."""
    how = visit.params["how"]
    if how not in WAYS:
        raise NotFound(f"An entry cannot '{how:.40}'; there are {', '.join(WAYS)}.")
    method, tail = WAYS[how]
    status, answer = send(visit, method, f"/cron/{quote(visit.params['name'], safe='')}{tail}")
    return told(visit, status, answer, "/play/cron")


# the builder


def building(values: Mapping[str, str], visit: Visit) -> Context:
    """The builder with these values: the expression's fields, what it means, when it would run, what is wrong."""
    expression, zone = values["expression"], values["timezone"].strip() or "UTC"
    facts: Context = {
        "values": values,
        "parts": parts(expression),
        "presets": PRESETS,
        "zones": ZONES,
        "policies": list(OVERLAP)[:4],
        "meaning": None,
        "problem": None,
        "plain": plain,
        "answer": None,
    }
    try:
        facts["meaning"] = preview(
            {"expression": expression, "timezone": zone, "count": RUNS}, visit.app.session.engine.now()
        )
    except OJSError as error:
        return facts | {"problem": error}
    now = visit.app.session.engine.now()
    runs = upcoming(expression, zone, now, RUNS, now)
    return facts | {"runs": [wall(at, zone) for at in runs], "zone_named": zone}


def parts(expression: str) -> list[Part]:
    """An expression's fields, each with what is wrong with it alone; none where there are not five or six."""
    text = cron_expression.ALIASES.get(expression.strip().lower(), expression)[: cron_expression.MAX_LENGTH]
    texts = text.split()
    if len(texts) not in {5, 6}:
        return []
    names = PARTS if len(texts) == 5 else ("second", *PARTS)
    hints = HINTS if len(texts) == 5 else ("0 to 59", *HINTS)
    found: list[Part] = []
    for index, (name, hint) in enumerate(zip(names, hints, strict=True)):
        alone = ["*"] * len(texts)
        alone[index] = texts[index]
        try:
            cron_expression.parse(" ".join(alone))
            problem = ""
        except ValueError as error:
            problem = str(error)
        found.append(Part(name, name.replace(" ", "_"), texts[index], hint, problem))
    return found


def joined(fields: Mapping[str, str]) -> str:
    """The expression that the builder's fields say; an empty one says "any"."""
    names = [name.replace(" ", "_") for name in PARTS]
    if "second" in fields:
        names.insert(0, "second")
    return " ".join("".join(fields.get(name, "").split()) or "*" for name in names)


def build(visit: Visit) -> Response:
    """The builder after a change."""
    fields = visit.form()
    values = {name: fields.get(name, usual) for name, usual in USUAL.items()}
    how = visit.query.get("from", ["expression"])[0]
    if fields.get("preset"):
        how, values["expression"] = "preset", fields["preset"]
    elif how == "fields":
        values["expression"] = joined(fields)
    facts = building(values, visit)
    if not visit.fragment:
        return visit.render("pages/cron.html", **{**shared(visit), **facts})
    return visit.render("parts/cron_built.html", how=how, **facts)


def create(visit: Visit) -> Response:
    """Create or replace an entry, as the builder says."""
    fields = visit.form()
    values = {name: fields.get(name, "") for name in USUAL}
    status, answer = _register(visit, values)
    if visit.fragment:
        return visit.render("parts/cron_created.html", status=200 if status < 300 else 422, answer=answer)
    if status < 300:
        return visit.back("/play/cron")
    facts = {**shared(visit), **building(values, visit), "answer": answer}
    return visit.render("pages/cron.html", status=422, **facts)


def _register(visit: Visit, values: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    try:
        args = json.loads(values["args"].strip() or "[]")
    except (ValueError, RecursionError) as error:
        refused = InvalidRequest(f"The arguments are not JSON: {error}.", details={"field": "args"})
        return refused.status, {"error": refused.to_dict()}
    body = {
        "name": values["name"].strip(),
        "expression": values["expression"].strip(),
        "timezone": values["timezone"].strip() or "UTC",
        "overlap_policy": values["overlap_policy"],
        "job_template": {"type": values["type"].strip(), "args": args},
    }
    return send(visit, "POST", "/cron", json.dumps(body).encode())
