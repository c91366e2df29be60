"""A real server as a conformance target: requests over HTTP, waits in real time.

Whatever a server does (refuse, reset, hang, answer with a page), the outcome is an `Exchange` with a clear text.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from engine.conformance.target import Exchange, TransportError, missing_need
from engine.http.message import Request, Response

MAX_ANSWER: Final = 64 * 1024 * 1024
"""Largest answer read, bytes."""
STREAM_SECONDS: Final = 1.0
"""How long an event stream is listened to."""
RESET: Final = Request("POST", "/ojs/v1/admin/reset", {"content-type": "application/json"}, b"{}")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is and how to talk to it.

    Args:
        scheme: ``http`` or ``https``.
        host: Host name or address.
        port: TCP port.
        base: Path in front of every request's path, without a slash at its end.
        headers: Sent with every request; a step's own headers win.
        timeout: Seconds for a whole exchange.
        max_wait_ms: A case that declares more waiting than this is skipped, milliseconds.
    """

    scheme: str
    host: str
    port: int
    base: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0
    max_wait_ms: int = 180_000

    @property
    def name(self) -> str:
        """Host and port for messages."""
        return f"{self.host}:{self.port}"


def server_at(
    url: str, headers: Mapping[str, str] | None = None, timeout: float = 10.0, max_wait_ms: int = 180_000
) -> Server:
    """The server that a URL names.

    Raises:
        ValueError: Not an http(s) URL with a host; the text says what to write instead.
    """
    if not url.isprintable() or " " in url:
        raise ValueError(
            f"{url!r} has a space or a control character; give an address like http://localhost:8080"
        )
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no server: give its address like http://localhost:8080")
    if parts.username is not None:
        raise ValueError("put credentials into --header 'Authorization: …', not into the URL")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    base = parts.path.rstrip("/")
    return Server(parts.scheme, parts.hostname, port, base, headers or {}, timeout, max_wait_ms)


class HttpTarget:
    """One case's view of a real server.

    Args:
        server: Where it is.
        hooks: Whether it was started for conformance.
    """

    def __init__(self, server: Server, *, hooks: bool = False) -> None:
        self._server = server
        self._hooks = hooks

    def now(self) -> int:
        """This machine's time, milliseconds."""
        return time.time_ns() // 1_000_000

    def wait(self, ms: int) -> None:
        """Sleep."""
        time.sleep(ms / 1000)

    def send(self, requests: list[Request]) -> list[Exchange]:
        """Requests over a connection each, all at once."""
        if len(requests) == 1:
            return [self._send(requests[0])]
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(self._send, requests))

    def _send(self, request: Request) -> Exchange:
        start, watch = self.now(), time.perf_counter()
        response, error = None, ""
        try:
            response = exchange(self._server, request)
        except TransportError as trouble:
            error = str(trouble)
        elapsed = round((time.perf_counter() - watch) * 1000, 3)
        return Exchange(request, response, error, start, elapsed)

    def refuses(self, needs: tuple[str, ...], wait_ms: int) -> str:
        """A case that would wait too long, or that needs hooks which the server does not have."""
        if wait_ms > self._server.max_wait_ms:
            longest = self._server.max_wait_ms / 1000
            return f"it waits {wait_ms / 1000:g} s in real time, more than the {longest:g} s of --max-wait"
        return missing_need(needs, hooks=self._hooks)


class HttpTargets:
    """Makes the target of each case: resets the server in between if it can be reset.

    Args:
        server: Where it is.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._resets = True

    def __call__(self) -> HttpTarget:
        """A target whose server has been reset, where it lets itself be."""
        if self._resets:
            try:
                self._resets = exchange(self._server, RESET).status == 200
            except TransportError:
                self._resets = False
        return HttpTarget(self._server, hooks=self._resets)


def exchange(server: Server, request: Request) -> Response:
    """Send one request and read the whole answer.

    Raises:
        TransportError: No complete HTTP answer came in time; the text says what happened.
    """
    kind = http.client.HTTPSConnection if server.scheme == "https" else http.client.HTTPConnection
    connection = kind(server.host, server.port, timeout=server.timeout)
    alarm = _Alarm(server.timeout)
    try:
        with alarm:
            connection.connect()
            alarm.sock = connection.sock
            connection.request(
                request.method, server.base + request.url, request.body, _headers(server, request)
            )
            response = _answer(connection, connection.sock, server.timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransportError(_reason(TimeoutError() if alarm.rang else error, server)) from None
    finally:
        connection.close()
    if alarm.rang:  # a cut connection can look like the end of an answer
        raise TransportError(_reason(TimeoutError(), server))
    return response


def _headers(server: Server, request: Request) -> dict[str, str]:
    common = {name.lower(): value for name, value in server.headers.items()}
    return {"accept": "*/*", "user-agent": "ojs-conformance", **common, **request.headers}


def _answer(connection: http.client.HTTPConnection, sock: socket.socket, timeout: float) -> Response:
    response = connection.getresponse()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if response.headers.get_content_type() == "text/event-stream":
        return Response(response.status, headers, _stream(sock, response, min(timeout / 2, STREAM_SECONDS)))
    body = response.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise TransportError(f"the answer is larger than {MAX_ANSWER // 1024 // 1024} MiB")
    if response.length:  # a bounded read does not complain of a short body
        raise http.client.IncompleteRead(body)
    return Response(response.status, headers, body)


def _stream(sock: socket.socket, response: http.client.HTTPResponse, seconds: float) -> bytes:
    """What an event stream sends within a while; it need not end."""
    end = time.monotonic() + seconds
    found = b""
    while len(found) < MAX_ANSWER and (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            chunk = response.read1(65_536)
        except TimeoutError:
            break
        if not chunk:
            break
        found += chunk
    return found


class _Alarm:
    """Cuts a connection when the whole exchange takes too long: a socket's timeout only bounds each read.

    Args:
        seconds: When it rings.

    Attributes:
        rang: Whether it has.
        sock: What it cuts; the connection itself forgets its socket while an answer is read.
    """

    def __init__(self, seconds: float) -> None:
        self.rang = False
        self.sock: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _ring(self) -> None:
        self.rang = True
        if self.sock is not None:
            with contextlib.suppress(OSError):  # it may be closed by now
                self.sock.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception, server: Server) -> str:
    """What happened, in words that name the server."""
    for kind, text in _REASONS:
        if isinstance(error, kind):
            partial = len(error.partial) if isinstance(error, http.client.IncompleteRead) else 0
            shown = " ".join(str(error).split())
            return text.format(
                at=server.name, host=server.host, seconds=server.timeout, bytes=partial, error=shown
            )
    return f"the exchange with {server.name} failed: {error!s:.120}"


_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    # From the particular to the general: many of these are kinds of others.
    (TimeoutError, "no complete answer from {at} within {seconds:g} s"),
    (ConnectionRefusedError, "{at} refused the connection; is the server running?"),
    (ConnectionError, "{at} closed the connection without a complete answer"),
    (http.client.IncompleteRead, "the answer of {at} broke off after {bytes} bytes"),
    (http.client.BadStatusLine, "{at} did not answer in HTTP: {error:.80}"),
    (http.client.UnknownProtocol, "{at} did not answer in HTTP 1.x: {error:.80}"),
    (http.client.InvalidURL, "the request cannot be sent: {error:.120}"),
    (http.client.HTTPException, "the answer of {at} is not valid HTTP: {error:.80}"),
    (UnicodeError, "the request cannot be sent: {error:.120}"),
    (ssl.SSLError, "TLS with {at} failed: {error:.120}"),
    (socket.gaierror, "the host name {host} cannot be resolved"),
    (OSError, "{at} cannot be reached: {error:.120}"),
)
