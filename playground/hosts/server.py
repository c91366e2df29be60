"""The Flask host: real HTTP, real server-sent events, a thread that wakes the application.

Flask only carries. The application is single-threaded by nature, so one lock guards it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import flask
from werkzeug.exceptions import HTTPException

from engine.conformance.result import CaseResult
from engine.errors import InternalError, InvalidRequest, MethodNotAllowed, NotFound, OJSError
from engine.http.binding import MEDIA_TYPE, encode
from engine.http.message import EventStream, Request, Response
from playground import packages, security
from playground.app import Application
from playground.assets import TYPES
from playground.headers import FOREVER, SANDBOX, SANDBOX_PAGE, SECURITY
from playground.hosts.holding import Holds
from playground.travel_pages import COOKIE
from playground.trial import Hear

METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MAX_CASES: Final = 64 << 20
"""Largest upload of conformance cases or of a scenario, bytes."""
QUIET: Final = 15.0
"""Seconds after which a silent stream sends a comment, so that a reader that has gone is noticed."""
BUFFER: Final = 1000
"""Messages that a slow reader may be behind before it is cut off; it reconnects and sees the present."""


class Driver:
    """Answers requests from many threads, one at a time, and wakes the application when something is due.

    Args:
        app: The application; requests of pages that are in the sandbox go to the one beside it.
    """

    def __init__(self, app: Application) -> None:
        self.app = app
        self._apps = [app] if app.beside is None else [app, app.beside]
        app.outside = self.outside
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._holds = Holds(lock)
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()
        threading.Thread(target=self._deliver, name="webhooks", daemon=True).start()

    def _deliver(self) -> None:
        """Send webhook deliveries as they are written down, outside the lock, one after the other."""
        from playground.hosts.webhooks import post  # noqa: PLC0415 - urllib only where something is sent

        while not self._ended:
            with self._changed:
                deliveries = self.app.session.engine.extensions.deliveries
                waiting = deliveries.requests()
                if not waiting:
                    self._changed.wait(1)
                    continue
            for outgoing in waiting:
                outcome = post(outgoing)
                with self._changed, contextlib.suppress(NotFound):  # forgotten meanwhile
                    deliveries.sent(outgoing.delivery_id, outcome.status, outcome.retry_after, outcome.error)
                    self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while not self._ended:
                due = min((at for one in self._apps if (at := one.next_due()) is not None), default=None)
                if due is None:
                    self._changed.wait()
                elif (left := due - self.app.clock.now()) > 0:
                    self._changed.wait(left / 1000)
                else:
                    self._tick()

    def _tick(self) -> None:
        try:
            for app in self._apps:
                app.tick()
            self._holds.stir()
        except Exception:  # noqa: BLE001 - a defect must not silence every timer to come
            traceback.print_exc()
            self._changed.wait(1)

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        with self._changed:
            meant = self._meant(request)
            # Only real time can be waited for.
            response = (
                self._holds.answer(meant.handle, request) if meant is self.app else meant.handle(request)
            )
            self._holds.stir()
            self._changed.notify_all()
            return response

    def _meant(self, request: Request) -> Application:
        """The application that a request is for: a cookie tells who is in the sandbox, and clients send none."""
        inside = f"{COOKIE}=sandbox" in request.headers.get("cookie", "").replace(" ", "").split(";")
        return self.app.beside if inside and self.app.beside is not None else self.app

    def stream(self, body: EventStream) -> Iterator[bytes]:
        """Start a stream and give its chunks as they come, until the reader goes or falls behind."""
        chunks: queue.Queue[bytes | None] = queue.Queue(BUFFER)

        def send(chunk: bytes) -> None:
            try:
                chunks.put_nowait(chunk)
            except queue.Full:
                close()

        def close() -> None:
            while True:
                try:
                    chunks.put_nowait(None)
                except queue.Full:
                    chunks.get_nowait()
                else:
                    return

        with self._changed:
            stop = body.start(send, close)
        try:
            while True:
                try:
                    chunk = chunks.get(timeout=QUIET)
                except queue.Empty:
                    chunk = b": still here\n\n"
                if chunk is None:
                    return
                yield chunk
        finally:
            with self._changed:
                stop()

    def outside(self, results: Iterator[CaseResult], hear: Hear) -> None:
        """Run conformance cases against another server in a thread, each result told in the application's turn."""

        def run() -> None:
            for result in results:
                if not self._tell(hear, result):
                    return
            self._tell(hear, None)

        threading.Thread(target=run, name="conformance", daemon=True).start()

    def _tell(self, hear: Hear, result: CaseResult | None) -> bool:
        with self._changed:
            goes_on = hear(result)
            self._changed.notify_all()
        return goes_on

    def close(self) -> None:
        """End the timers' thread."""
        with self._changed:
            self._ended = True
            self._holds.close()
            self._changed.notify_all()
        self._thread.join()


def problem(error: OJSError) -> Response:
    """An error that arises before the application is reached, in the binding's form."""
    body = encode({"error": error.to_dict()})
    return Response(error.status, {"Content-Type": MEDIA_TYPE, "OJS-Version": "1.0"}, body)


class Forbidden(OJSError):
    """The request comes from where none may come."""

    code, status, kind = "forbidden", 403, "forbidden"
    hint = "Open the server by http://localhost or http://127.0.0.1, from its own pages or from a program."


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

    @host.get("/static/<path:name>")
    def asset(name: str) -> flask.Response:
        plain = assets.plain(name)
        if plain is None:
            return answer(Request("GET", f"/static/{name}"))
        response = flask.send_from_directory(static, plain, mimetype=TYPES.get(Path(plain).suffix))
        response.headers["Cache-Control"] = FOREVER
        response.headers.update(SECURITY | SANDBOX if plain == SANDBOX_PAGE else SECURITY)
        return response

    @host.get("/engine/<folder>/<name>")
    def python_file(folder: str, name: str) -> flask.Response:
        if python is None or folder != python.name or name not in python.files:
            return answer(Request("GET", f"/engine/{folder}/{name}"))
        response = flask.send_from_directory(python.folder, name, mimetype=TYPES.get(Path(name).suffix))
        response.headers["Cache-Control"] = FOREVER
        response.headers.update(SECURITY)
        return response

    @host.route("/", defaults={"path": ""}, methods=METHODS, provide_automatic_options=False)
    @host.route("/<path:path>", methods=METHODS, provide_automatic_options=False)
    def every(path: str) -> flask.Response:
        del path
        incoming = flask.request
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        reason = security.refusal(incoming.method, headers)
        if reason is not None:
            return reply(problem(Forbidden(reason)))
        body = incoming.stream.read(_limit(incoming.path, max_body) + 1)
        query = incoming.query_string.decode("latin-1")
        url = incoming.environ.get("RAW_URI") or incoming.environ["REQUEST_URI"]
        target = url if url.startswith("/") else incoming.path + (f"?{query}" if query else "")
        method = "GET" if incoming.method == "HEAD" else incoming.method
        return answer(Request(method, target, headers, body))

    def answer(request: Request) -> flask.Response:
        return reply(driver.handle(request))

    def reply(response: Response) -> flask.Response:
        body = driver.stream(response.body) if isinstance(response.body, EventStream) else response.body
        result = flask.Response(body, response.status)
        del result.headers["Content-Type"]  # Flask's own guess; a response without content has none
        result.headers.update({**response.headers, **SECURITY})
        return result

    @host.errorhandler(HTTPException)
    def refused(error: HTTPException) -> flask.Response:
        text = f"{error.name}: {error.description}"
        code = error.code or 500
        kind = MethodNotAllowed if code == 405 else InvalidRequest if code < 500 else InternalError
        response = reply(problem(kind(text)))
        response.status_code = code
        return response

    return host


def _limit(path: str, max_body: int) -> int:
    """Most bytes that are read of a request's body; what is too large once read, the binding refuses."""
    if path in {"/ui/conformance/cases", "/ui/moment", "/ui/published"}:
        return MAX_CASES
    return (
        3 * max_body if path.startswith("/ui/") else max_body
    )  # a form's text grows up to threefold on its way
