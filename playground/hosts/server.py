"""The Flask host: pages and files over real HTTP. Flask only carries; `playground.hosts.front` stands before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import flask
from werkzeug.exceptions import HTTPException

from engine.errors import InternalError, InvalidRequest, MethodNotAllowed, OJSError
from engine.http.message import EventStream, Request, Response
from playground import packages
from playground.assets import TYPES, Assets
from playground.headers import (
    FOREVER,
    FRAMED,
    FRAMED_PAGE,
    SANDBOX,
    SANDBOX_PAGE,
    SECURITY,
    WIDGET,
    WIDGET_SCRIPT,
)
from playground.hosts import tab_site
from playground.hosts.driver import Driver
from playground.hosts.front import problem, read, target

METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MAX_CASES: Final = 64 << 20
"""Largest upload of conformance cases or of a scenario, bytes."""


def create_app(
    driver: Driver, static: Path, *, max_body: int = 1_048_576, python: packages.Python | None = None
) -> flask.Flask:
    """The Flask application.

    Args:
        driver: Answers the requests.
        static: Folder of the static files.
        python: The Python that runs the visitor's handlers in their browser, where there is one.
        max_body: Largest request body that is read, bytes; one byte more is handed on, so that the binding refuses it.
    """
    host = flask.Flask(__name__, static_folder=None)
    assets = driver.app.site.assets

    tab_site.add(host, tab_site.TabSite(), assets.url("style.css"))

    @host.route("/", defaults={"path": ""}, methods=METHODS, provide_automatic_options=False)
    @host.route("/<path:path>", methods=METHODS, provide_automatic_options=False)
    def every(path: str) -> flask.Response:
        del path
        incoming = flask.request
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        body = read(incoming.environ, _limit(incoming.path, max_body))
        method = "GET" if incoming.method == "HEAD" else incoming.method
        response = answer(Request(method, target(incoming.environ), headers, body))
        if incoming.path.rstrip("/") == FRAMED_PAGE and response.status_code == 200:
            response.headers.update(FRAMED)
        return response

    def answer(request: Request) -> flask.Response:
        return reply(driver.handle(request))

    def reply(response: Response) -> flask.Response:
        body = response.body
        if isinstance(body, EventStream):
            try:
                result = flask.Response(driver.open(body), response.status)
            except OJSError as error:
                return reply(problem(error))
        else:
            result = flask.Response(body, response.status)
        del result.headers["Content-Type"]  # Flask's own guess; a response without content has none
        result.headers.update({**response.headers, **SECURITY})
        return result

    _add_files(host, static, assets, python, answer)

    @host.errorhandler(HTTPException)
    def refused(error: HTTPException) -> flask.Response:
        text = f"{error.name}: {error.description}"
        code = error.code or 500
        kind = MethodNotAllowed if code == 405 else InvalidRequest if code < 500 else InternalError
        response = reply(problem(kind(text)))
        response.status_code = code
        return response

    return host


def _add_files(
    host: flask.Flask,
    static: Path,
    assets: Assets,
    python: packages.Python | None,
    answer: Callable[[Request], flask.Response],
) -> None:
    """The routes of files; one that is not there is answered as any unknown address."""

    @host.get("/static/<path:name>")
    def asset(name: str) -> flask.Response:
        plain = assets.plain(name)
        if plain is None:
            return answer(Request("GET", f"/static/{name}"))
        response = flask.send_from_directory(static, plain, mimetype=TYPES.get(Path(plain).suffix))
        response.headers["Cache-Control"] = FOREVER
        response.headers.update(SECURITY | SANDBOX if plain == SANDBOX_PAGE else SECURITY)
        return response

    @host.get(f"/{WIDGET_SCRIPT}")
    def widget() -> flask.Response:
        response = flask.send_from_directory(static, WIDGET_SCRIPT, mimetype=TYPES[".js"])
        response.headers.update(SECURITY | WIDGET)
        return response

    @host.get("/engine/<folder>/<name>")
    def python_file(folder: str, name: str) -> flask.Response:
        if python is None or folder != python.name or name not in python.files:
            return answer(Request("GET", f"/engine/{folder}/{name}"))
        response = flask.send_from_directory(python.folder, name, mimetype=TYPES.get(Path(name).suffix))
        response.headers["Cache-Control"] = FOREVER
        response.headers.update(SECURITY)
        return response


def _limit(path: str, max_body: int) -> int:
    """Most bytes that are read of a request's body; what is too large once read, the binding refuses."""
    if path in {"/ui/conformance/cases", "/ui/moment", "/ui/published"}:
        return MAX_CASES
    return (
        3 * max_body if path.startswith("/ui/") else max_body
    )  # a form's text grows up to threefold on its way
