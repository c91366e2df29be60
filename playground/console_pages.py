"""The HTTP console: a request as one types it, the real answer, and every exchange to open, send again or copy."""

from __future__ import annotations

import time
from typing import Any

from engine.errors import NotFound, OJSError
from engine.http.message import EventStream, Response
from playground import retelling, workbench
from playground.console import METHODS, Draft, DraftProblem, read
from playground.exchanges import MOST, Exchange
from playground.retelling import FORMS, Told
from playground.session import Session
from playground.showing import shown
from playground.travel.command import JSON_HEADERS, KEPT_HEADERS, WRITES
from playground.visit import Visit
from playground.workbench import Context

EXAMPLE = Draft(
    "POST", "/ojs/v1/jobs", "Content-Type: application/json", '{"type": "email.send", "args": []}'
)
"""What the console begins with."""


def _endpoints() -> list[dict[str, str]]:
    """The binding's own routes, for completion: method, path, summary and clause."""
    from engine.http.routes import ROUTES  # noqa: PLC0415 - the whole binding, once somebody opens the console

    return [
        {
            "method": route.method,
            "path": route.path if route.path.startswith("/ojs/") else "/ojs/v1" + route.path,
            "summary": route.summary,
            "clause": route.clause,
        }
        for route in ROUTES
    ]


def _base_url(visit: Visit) -> str:
    return visit.app.site.base_url


def _pane(draft: Draft, **more: Any) -> Context:
    return {"draft": draft, "methods": METHODS, "endpoints": _endpoints(), "forms": FORMS, **more}


def drafting(visit: Visit) -> Context:
    """The form, filled from ``method``, ``path``, ``headers`` and ``body``, or from ``exchange=NUMBER``; never sent."""
    asked = {name: values[-1] for name, values in visit.query.items()}
    if "exchange" in asked:
        try:
            return _opened(visit, _find(visit, asked["exchange"]), asked.get("as", ""))
        except NotFound as error:
            return _pane(EXAMPLE, problem=error)
    if not {"method", "path"} & set(asked):
        return _pane(EXAMPLE)
    method = asked.get("method", "GET").upper()
    usual = "Content-Type: application/json" if asked.get("body") else ""
    draft = Draft(method, asked.get("path", "/ojs/v1/"), asked.get("headers", usual), asked.get("body", ""))
    if method not in METHODS:
        problem = DraftProblem(
            f"'{method:.20}' is no method of the binding; there are {', '.join(METHODS)}.",
            details={"field": "method"},
        )
        return _pane(draft, problem=problem)
    return _pane(draft)


def _find(visit: Visit, number: str) -> Exchange:
    found = None
    if number.isascii() and number.isdecimal() and len(number) < 10:
        found = visit.app.session.exchanges.find(int(number))
    if found is None:
        raise NotFound(
            f"Exchange {number:.12} is not kept: the page keeps the last {MOST} of this branch.",
            details={"resource_type": "exchange"},
        )
    return found


def _draft(exchange: Exchange) -> Draft:
    request = exchange.request
    lines = [f"{name}: {value}" for name, value in retelling.headers(request).items()]
    return Draft(request.method, request.url, "\n".join(lines), request.body.decode("utf-8", "replace"))


def _opened(visit: Visit, exchange: Exchange, form: str = "") -> Context:
    more: dict[str, Any] = {"opened": exchange, "hidden": retelling.hidden(exchange.request)}
    if form in FORMS:
        more |= _retold(visit, exchange, form)
    return _pane(_draft(exchange), **more, **_answer(exchange.response))


def _answer(response: Response, took: float | None = None) -> dict[str, Any]:
    """What the page shows of an answer.

    Args:
        response: The answer.
        took: How long the server took, milliseconds.
    """
    body = None if isinstance(response.body, EventStream) else shown(response.body)
    return {"response": response, "content": body, "took": took}


def send(visit: Visit) -> Response:
    """Send the request in the form to the binding, as any client would; a draft that cannot be sent is kept."""
    form = visit.form()
    draft = Draft(
        form.get("method", ""),
        form.get("path", ""),
        form.get("headers", ""),
        form.get("body", "").replace("\r\n", "\n"),
    )
    session = visit.app.session
    try:
        request = read(draft, session.binding.has_route)
    except DraftProblem as error:
        return _told(visit, draft, status=422, problem=error)
    started = time.perf_counter()
    response = session.handle(request)
    took = (time.perf_counter() - started) * 1000
    unsent = (
        sorted(set(request.headers) - KEPT_HEADERS) if session.virtual and request.method in WRITES else []
    )
    more = {**_answer(response, took), "opened": _just(session, response), "unsent": unsent}
    return _told(visit, draft, status=200, **more)


def _just(session: Session, response: Response) -> Exchange | None:
    """The exchange that this answer belongs to; None for one that never reached the binding."""
    log = session.exchanges
    latest = log.last(5) + log.last(5, quiet=True)
    return next((one for one in latest if one.response is response), None)


def _told(visit: Visit, draft: Draft, *, status: int, **more: Any) -> Response:
    if visit.fragment:
        return visit.render("parts/console_answer.html", status=status, forms=FORMS, **more)
    visit.query = {**visit.query, "do": ["console"]}
    return workbench.page(visit, status=status, draft=draft, **more)


def exchange(visit: Visit) -> Response:
    """An exchange, opened in the console: its request in the form, its answer below."""
    return visit.render("parts/console.html", **_opened(visit, _find(visit, visit.params["number"])))


def _retold(visit: Visit, found: Exchange, form: str) -> dict[str, Any]:
    session = visit.app.session
    start = visit.app.travel.timeline.origin.start if session.virtual else found.at
    request = found.request._replace(headers=retelling.headers(found.request))
    if form == "step" and request.headers == {} and request.body:
        request = request._replace(headers=JSON_HEADERS)
    base = "" if form == "fetch" and visit.app.site.host == "tab" else _base_url(visit)
    label = FORMS[form][0]
    try:
        return {"retold": retelling.tell(form, Told(request, base, found.at - start)), "label": label}
    except OJSError as error:
        return {"retold": "", "label": label, "untold": error}


def retold(visit: Visit) -> Response:
    """An exchange's request in one of the forms that can be copied."""
    form = visit.params["form"]
    if form not in FORMS:
        raise NotFound(f"A request cannot be told as '{form:.20}'; there are {', '.join(FORMS)}.")
    return visit.render(
        "parts/console_retold.html", **_retold(visit, _find(visit, visit.params["number"]), form)
    )


def body(visit: Visit) -> Response:
    """The whole body of an exchange's answer, as a file."""
    content = _find(visit, visit.params["number"]).response.body
    if isinstance(content, EventStream):
        raise NotFound("The answer is a stream: it has no end that could be saved.")
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="exchange-{int(visit.params["number"])}.json"',
        "Cache-Control": "no-store",
    }
    return Response(200, headers, content)
