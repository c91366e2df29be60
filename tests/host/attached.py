"""Servers to attach to, over sockets: one of ours, and small ones of which every answer is written down."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine.http.message import Request, Response
from playground.app import Application
from playground.attach.remote import Remote
from playground.attach.session import Attached
from playground.clock import SystemClock
from playground.hosts.driver import Driver
from playground.hosts.watcher import Watcher
from playground.http_target import server_at
from playground.session import Session
from tests.conftest import make_app

Answer = Callable[[Request], Response]


class Peer:
    """An HTTP server in this process.

    Args:
        answer: What answers; may be exchanged while it runs.
        port: Its port; any free one for 0.

    Attributes:
        asked: The requests that came.
    """

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                peer.asked.append(request)
                response = peer.answer(request)
                content = response.body if isinstance(response.body, bytes) else b""
                self.send_response(response.status)
                for name, value in {**response.headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def ours(session: Session) -> Answer:
    """Answers as our own server does, one request at a time."""
    lock = threading.Lock()

    def answer(request: Request) -> Response:
        with lock:
            return session.handle(request)

    return answer


def written(routes: dict[str, Any]) -> Answer:
    """Answers by path: a JSON value, or a whole response; 404 for all else."""

    def answer(request: Request) -> Response:
        found = routes.get(request.url.partition("?")[0])
        if isinstance(found, Response):
            return found
        status = 405 if request.method != "GET" else 404 if found is None else 200
        return Response(status, {"Content-Type": "application/json"}, json.dumps(found).encode())

    return answer


class Shown:
    """An application that is attached to a server, with its driver and its watcher."""

    def __init__(self, url: str, token: str = "", timeout: float = 5.0) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        remote = Remote(server_at(url, headers, timeout=timeout))
        self.session = Attached(SystemClock(), remote, seed=1)
        self.app: Application = make_app(self.session)
        self.driver = Driver(self.app)
        self.watcher = Watcher(self.driver, self.session, pause=0.02, rest=0.1)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request as a client does; a text is a form's."""
        content = (
            body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
        )
        kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.driver.handle(Request(method, path, {"content-type": kind, **named}, content))

    def page(self, path: str) -> str:
        """A page that is answered with 200."""
        response = self.ask("GET", path)
        assert response.status == 200, (path, response)
        assert isinstance(response.body, bytes)
        return response.body.decode()

    def until(self, true: Callable[[], Any], seconds: float = 5.0) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.session.standing()
            time.sleep(0.01)

    def read(self) -> None:
        """Wait until it has been read anew."""
        before = self.session.standing().read
        self.until(lambda: not self.session.standing().problem and self.session.standing().read != before)


@contextmanager
def attached(url: str, token: str = "", timeout: float = 5.0) -> Iterator[Shown]:
    """An attached application, ended afterwards."""
    shown = Shown(url, token, timeout)
    try:
        yield shown
    finally:
        shown.watcher.close()
        shown.driver.close()


def call(session: Session, method: str, path: str, body: Any = None) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    response = session.handle(
        Request(method, "/ojs/v1" + path, {"content-type": "application/json"}, content)
    )
    assert response.status < 300, response
    assert isinstance(response.body, bytes)
    return json.loads(response.body)
