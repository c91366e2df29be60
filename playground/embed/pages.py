"""The page that other sites frame, and what it asks of the engine. How a widget speaks with its page: docs/embed.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.errors import InvalidPayload, InvalidRequest, NotFound, OJSError
from engine.http.message import Response
from engine.nesting import too_deep
from playground.codegen import envelope
from playground.codegen.generate import generate
from playground.codegen.sdks import languages
from playground.embed.content import Content, written
from playground.embed.playing import Played, play, proven
from playground.embed.rooms import VIEWS, Room
from playground.travel import library

if TYPE_CHECKING:
    from playground.app import Application
    from playground.requirements import Requirement
    from playground.visit import Visit

Move = Callable[["Visit", Mapping[str, Any]], Room]

MAX_WORKERS: Final = 8
"""Most demo workers of a widget."""


def frame(visit: Visit) -> Response:
    """The page inside a widget's frame; the only one that other sites may frame."""
    return visit.render("embed/frame.html", views=VIEWS)


def move(visit: Visit) -> Response:
    """Load a widget's content, or move in its run.

    The body is JSON: ``views``, names of views to show; ``link``, whether to give a link to the moment; and what the
    move takes. The answer is JSON too: `Room.facts`, ``html`` by view, ``fragment``; or ``problem``, a sentence.
    """
    name = visit.params["move"]
    if name not in MOVES:
        raise NotFound(f"There is no move '{name:.40}'; there are {', '.join(MOVES)}.")
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    try:
        status, told = 200, _done(visit, MOVES[name])
    except OJSError as error:
        status, told = error.status, {"problem": error.message}
    return Response(status, headers, json.dumps(told).encode())


def _done(visit: Visit, act: Move) -> dict[str, Any]:
    asked = _asked(visit)
    wanted = asked.get("views", [])
    if not isinstance(wanted, list) or len(wanted) > len(VIEWS):
        raise InvalidRequest("Name the views as a list.", details={"field": "views"})
    room = act(visit, asked)
    told = room.facts()
    if asked.get("link") is True:
        told["fragment"] = room.link()
    told["html"] = {str(name): _view(room, str(name), str(asked.get("language", ""))) for name in wanted}
    return told


def _asked(visit: Visit) -> Mapping[str, Any]:
    try:
        text = visit.request.body.decode() or "{}"
        asked = None if too_deep(text) else json.loads(text)
    except ValueError as error:
        raise InvalidPayload(f"What the widget asks is no JSON: {error}.") from None
    if not isinstance(asked, dict):
        raise InvalidPayload("What a widget asks must be an object.")
    return asked


# moves


def _load(visit: Visit, asked: Mapping[str, Any]) -> Room:
    room = Room(visit.app, chosen(visit.app, asked))
    visit.app.rooms.put(visit.params["room"], room)
    return room


def _moved(act: Callable[[Room, Mapping[str, Any]], None]) -> Move:
    def moved(visit: Visit, asked: Mapping[str, Any]) -> Room:
        room = visit.app.rooms.get(visit.params["room"])
        act(room, asked)
        return room

    return moved


def _go(room: Room, asked: Mapping[str, Any]) -> None:
    seq = asked.get("seq")
    if not isinstance(seq, int):
        raise InvalidRequest("Say the number of an event: seq.", details={"field": "seq"})
    room.go(seq)


MOVES: Final[dict[str, Move]] = {
    "load": _load,
    "next": _moved(lambda room, _: room.next()),
    "rewind": _moved(lambda room, _: room.rewind()),
    "finish": _moved(lambda room, _: room.finish()),
    "go": _moved(_go),
    "show": _moved(lambda _, __: None),
}
"""What a widget can ask: to load something, to move in its run, or only to show it."""


# content


def chosen(app: Application, asked: Mapping[str, Any]) -> Played:
    """What a widget names, played.

    Args:
        app: Knows the reference and its cases.
        asked: ``text``, or the name of a ``scenario``, or the id of a ``requirement``; ``workers`` for a text.

    Raises:
        OJSError: It names nothing that there is, or what cannot be played; the message says what and why.
    """
    given = [name for name in ("text", "scenario", "requirement") if asked.get(name)]
    if len(given) > 1:
        raise InvalidRequest(f"A widget shows one thing, but this one names {' and '.join(given)}.")
    if asked.get("requirement"):
        return _requirement(app, str(asked["requirement"]))
    if asked.get("scenario"):
        name = str(asked["scenario"])
        scenario = library.lesson(name)
        return play(Content("scenario", scenario["title"], library.text(name), scenario, settles=False))
    workers = asked.get("workers")
    if workers is not None and not (isinstance(workers, int) and 0 <= workers <= MAX_WORKERS):
        raise InvalidRequest(f"A widget has 0 to {MAX_WORKERS} workers.", details={"field": "workers"})
    return play(written(str(asked.get("text", "")), workers))


def _requirement(app: Application, key: str) -> Played:
    from playground.evidence import rows_of  # noqa: PLC0415 - few widgets show a requirement

    for document in app.documents.values():
        found: Requirement | None = document.requirements.get(key)
        if found is not None:
            return proven(found, [row.case for row in rows_of(app.trial, found)])
    raise NotFound(
        f"There is no requirement '{key:.60}' in the reference.", details={"resource_type": "requirement"}
    )


# views


def _view(room: Room, name: str, language: str) -> str:
    if name not in VIEWS:
        raise NotFound(f"A widget has no view '{name:.40}'; it has {', '.join(VIEWS)}.")
    if VIEWS[name]:
        return room.app.view(VIEWS[name])
    context = _code(room, language) if name == "code" else {"rows": room.rows(), "says": room.played.says}
    return room.app.env.get_template(f"embed/{name}.html").render(context)


def _code(room: Room, name: str) -> dict[str, Any]:
    """The first job that the run enqueues, as code."""
    known = languages()
    language = known.get(name) or next(iter(known.values()))
    job = next(
        (row.body for row in room.played.rows if row.verb == "POST" and row.path.endswith("/v1/jobs")), None
    )
    program, problem = None, "This run enqueues no single job, so there is no code for it."
    if job is not None:
        try:
            read = envelope.read(job.encode(), room.session.engine.now())
            program = generate(read, language, "producer", room.app.site.base_url)
        except OJSError as error:
            problem = error.message
    return {"languages": list(known.values()), "language": language, "program": program, "problem": problem}


# the builder


def builder(visit: Visit) -> Response:
    """Where authors choose a widget, see it and copy it."""
    fields = {name: " ".join(values) for name, values in visit.query.items()}
    return visit.render("pages/embed.html", **_made(visit, fields))


def made(visit: Visit) -> Response:
    """The widget that the builder's form asks for, and what to paste."""
    context = _made(visit, {name: " ".join(values) for name, values in visit.fields().items()})
    return visit.render("embed/made.html", status=422 if context["problem"] else 200, **context)


def _made(visit: Visit, fields: Mapping[str, str]) -> dict[str, Any]:
    """What the builder shows for its form's fields: the widget, and three ways to have it; or what is wrong."""
    from playground.embed import snippets  # noqa: PLC0415 - only authors need it

    what = fields.get("what", "text")
    form = {**BEGIN, **fields}
    told = {name: form[name] for name in ("label", "views", "height", "theme") if form.get(name)}
    told |= {what: form.get(what, "")} if what in {"text", "scenario", "requirement"} else {}
    context: dict[str, Any] = {
        "form": {**form, "what": what},
        "views": VIEWS,
        "names": [(name, library.lesson(name)["title"]) for name in library.names()],
        "place": PLACE,
        "problem": None,
        "ways": {},
        "preview": "",
    }
    try:
        choice = snippets.Choice.read(told)
        played = chosen(visit.app, choice.asked)
    except OJSError as error:
        return context | {"problem": error.message}
    script = f'<script async src="{PLACE}/embed.js"></script>\n'
    component = snippets.component(visit.app, choice, played, PLACE)
    ways = {
        "Component": (script + component, "The script once a page, at best in its head."),
        "Frame": (snippets.framed(visit.app, choice, played, PLACE), "For pages that allow no script."),
        "Link": (snippets.linked(choice, played, PLACE), "Markdown, for pages that allow neither."),
        "Markdown block": (
            snippets.fenced(choice),
            "For generators with the plugin, which records the result.",
        ),
    }
    preview = snippets.component(visit.app, choice, played, "", style=False)
    return context | {"ways": ways, "preview": preview}


PLACE: Final = "https://playground.example"
"""Stands for this playground's origin, which only the browser knows for sure; the page puts it in."""
BEGIN: Final[Mapping[str, str]] = {
    "text": """{
  "type": "flaky.charge",
  "args": [42],
  "retry": {"max_attempts": 5, "initial_interval": "PT2S", "jitter": false}
}""",
    "scenario": "worker-crash",
    "requirement": "R-retry-1",
    "label": "",
    "views": "",
    "height": "",
    "theme": "",
}
"""What the builder's form begins with."""
