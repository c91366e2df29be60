"""What the time bar's buttons do: moves through time, branches, the sandbox beside a server."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qs

from engine.errors import InvalidPayload, InvalidRequest, NotFound
from engine.http.message import Response
from engine.nesting import too_deep
from engine.times import format_time
from playground import workbench
from playground.travel.case import as_case, trouble
from playground.travel.digest import digest
from playground.travel.history import MAX_BRANCHES
from playground.travel.link import LONG, decode, encode
from playground.travel.moves import MOVES, number
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import FORMAT, VERSION, Scenario, read, record, write
from playground.visit import Visit

COOKIE: Final = "ojs-session"
"""Names the session of a server that a browser's pages are in: its value is ``sandbox``, or there is none."""


SHOWN: Final = 100
"""Most differences between branches that are listed."""


def _session(visit: Visit) -> Sandbox:
    session = visit.app.session
    if not isinstance(session, Sandbox):
        raise InvalidRequest(
            "This server lives in real time; open the sandbox beside it to move through time."
        )
    return session


def move(visit: Visit) -> Response:
    """Move through time."""
    name = visit.params["move"]
    if name not in MOVES:
        raise NotFound(f"There is no move '{name:.40}' through time; there are {', '.join(MOVES)}.")
    MOVES[name](_session(visit), visit.form())
    return visit.done()


def branch(visit: Visit) -> Response:
    """Return to a branch, or name it."""
    session, what = _session(visit), visit.params["what"]
    which = int(number(visit.params, "number"))
    if what == "switch":
        session.switch(which)
    elif what == "name":
        session.history.rename(which, visit.form().get("name", ""))
    else:
        raise NotFound(f"A branch cannot '{what:.40}'; there are switch and name.")
    return visit.done()


def sandbox(visit: Visit) -> Response:
    """Enter the sandbox beside a server, or leave it."""
    if visit.params["how"] not in {"enter", "leave"}:
        raise NotFound("A sandbox is entered or left: /ui/sandbox/enter, /ui/sandbox/leave.")
    inside = visit.params["how"] == "enter"
    travel = visit.app.travel
    if inside:
        travel.play()
    else:
        travel.pause()
    return through(visit, inside=inside)


OPENED: Final = "/play?do=workers&see=jobs"
"""Where something opened is seen: who works, and on what."""


def through(visit: Visit, *, inside: bool, to: str = "/") -> Response:
    """Answer so that the browser's pages are in the sandbox from now on, or back at the server, at a page."""
    life = "" if inside else "; Max-Age=0"
    headers = {"Set-Cookie": f"{COOKIE}=sandbox; Path=/; SameSite=Strict; HttpOnly{life}"}
    if "hx-request" in visit.request.headers:
        return Response(204, headers | {"HX-Redirect": to})
    return Response(303, headers | {"Location": to})


def opened(visit: Visit) -> Response:
    """Answer with the workbench, where what has just been opened in the session of `Application.travel` is seen."""
    if visit.app.session is not visit.app.travel:
        return through(visit, inside=True, to=OPENED)
    if "hx-request" not in visit.request.headers:
        return visit.back(OPENED)
    visit.query = parse_qs(OPENED.partition("?")[2])
    page = workbench.page(visit)
    return Response(page.status, {**page.headers, "HX-Push-Url": OPENED}, page.body)


def moment(visit: Visit) -> Response:
    """What one can do with this moment: copy it as a link, keep it as a file, make a case of it."""
    session = _session(visit)
    fragment = encode(_recorded(session))
    return visit.render(
        "parts/moment.html",
        hash=digest(session.world),
        fragment=fragment,
        long=len(fragment) > LONG,
        now=session.timeline.now,
        commands=session.timeline.done,
        ahead=len(session.timeline.commands) - session.timeline.done,
    )


def _recorded(session: Sandbox) -> Scenario:
    return record(
        session.timeline, title=session.title or f"A moment on branch {session.history.current.name}"
    )


def moment_file(visit: Visit) -> Response:
    """This moment as a scenario's file, or as a test case with word whether it passes elsewhere."""
    session, form = _session(visit), visit.params["form"]
    if form == "scenario":
        headers = {
            "Content-Type": "application/json",
            "Content-Disposition": 'attachment; filename="moment.ojs-scenario.json"',
            "Cache-Control": "no-store",
        }
        return Response(200, headers, write(_recorded(session)).encode("utf-8", "backslashreplace"))
    if form == "case":
        case = as_case(session.timeline)
        return visit.render("parts/moment_case.html", case=case, problem=trouble(case))
    raise NotFound(f"A moment is no '{form:.40}'; it can be had as scenario or case.")


def link(visit: Visit) -> Response:
    """A link that carries what lies in the editors (``desk``), and this moment too if ``moment`` says so; as JSON."""
    try:
        text = visit.request.body.decode()
        asked = None if too_deep(text) else json.loads(text)
    except ValueError as error:
        raise InvalidPayload(f"What the link is to carry is no JSON: {error}.") from None
    if not isinstance(asked, dict):
        raise InvalidPayload("What the link is to carry must be an object.")
    if asked.get("moment"):
        scenario = _recorded(_session(visit))
    else:
        start = format_time(visit.app.session.engine.now())
        scenario = {"format": FORMAT, "version": VERSION, "seed": 0, "start": start, "steps": []}
    fragment = encode(read(json.dumps({**scenario, "desk": asked.get("desk")})))
    told = json.dumps({"fragment": fragment, "long": len(fragment) > LONG})
    return Response(200, {"Content-Type": "application/json", "Cache-Control": "no-store"}, told.encode())


def _laid_out(visit: Visit, response: Response, desk: Any) -> Response:
    """The answer, and with it what the page is to show in its editors; without scripts there is nothing to show it."""
    if desk is None or not visit.fragment:
        return response
    headers = {**response.headers, "Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(200, headers, json.dumps({"desk": desk}).encode())


def open_text(visit: Visit) -> Response:
    """Open a scenario's text or a link in the session whose time can be moved.

    What it holds for the editors is answered, for the page to show; if it holds nothing else, no moment is opened.
    """
    kind = visit.request.headers.get("content-type", "")
    try:
        text = visit.form().get("text", "") if "urlencoded" in kind else visit.request.body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"This is no text: byte {error.start} is not UTF-8.", details={"field": "text"}
        ) from None
    scenario = decode(text)
    desk = scenario.pop("desk", None)
    if desk is not None and not scenario["steps"] and "end" not in scenario:
        return _laid_out(visit, visit.done("/play?do=handlers"), desk)
    travel = visit.app.travel
    travel.load(travel.opening(scenario))
    response = visit.done() if visit.app.session is travel else through(visit, inside=True)
    return _laid_out(visit, response, desk)


def branches(visit: Visit) -> Response:
    """The branches, and what differs between two of them."""
    session = _session(visit)
    history = session.history
    asked = {name: values[-1] for name, values in visit.query.items()}
    other = int(number(asked, "other")) if "other" in asked else history.current.number
    usual = history.current.parent if history.current.parent in history.branches else min(history.branches)
    one = int(number(asked, "one")) if "one" in asked else usual
    differences = history.compare(one, other)
    return visit.render(
        "parts/branches.html",
        branches=sorted(history.branches.values(), key=lambda branch: branch.number),
        current=history.current,
        dropped=history.dropped,
        most=MAX_BRANCHES,
        one=one,
        other=other,
        names=[history.branch(one).name, history.branch(other).name],
        differences=differences[:SHOWN],
        total=len(differences),
    )
