"""Serves the application: waitress by default, Flask's development server with ``--debug``; drains before it stops.

Measured with ``bench/serving.py``: waitress was chosen among the servers that run everywhere, in the process
that owns the store, because its threads can be added while it runs. Each open stream brings its own, so that
however many read, requests find a thread.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from time import monotonic, sleep
from typing import Any, Final, Protocol

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask
from waitress.wasyncore import close_all
from werkzeug.serving import make_server

from engine.errors import InternalError, InvalidRequest, PayloadTooLarge
from playground.hosts.driver import Driver
from playground.hosts.front import Front, problem

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]
THREADS: Final = 8
"""For requests; the application answers one at a time, the rest read and write."""
WAITING: Final = 32
"""The same where requests wait, for one commit that they share or for an attached server: each waits in a thread."""
SPARE: Final = 1000
"""Connections beside those of streams."""
PENDING: Final = 1 << 20
"""Bytes that wait for a slow connection before its thread waits too."""
STUCK: Final = 60_000
"""Milliseconds after which a connection that takes nothing is dropped, where the system can."""


class Serving(Protocol):
    """A server that runs until it is stopped."""

    def run(self) -> None:
        """Answer requests until `stop`."""
        ...

    def stop(self) -> None:
        """Close every connection and let `run` return; from any thread."""
        ...


class _JsonError(ErrorTask):
    """What waitress refuses by itself, in the binding's form: no client is sent plain text."""

    def execute(self) -> None:
        """Answer."""
        error: Any = self.request.error  # type: ignore[attr-defined] # waitress's stubs lack it
        kind = (
            PayloadTooLarge
            if error.code in {413, 431}
            else InvalidRequest
            if error.code < 500
            else InternalError
        )
        response = problem(kind(f"{error.reason}: {str(error.body).strip():.200}"))
        body = response.body if isinstance(response.body, bytes) else b""
        self.status = f"{error.code} {error.reason}"
        self.response_headers = [*self.response_headers, *response.headers.items()]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    error_task_class = _JsonError


def _options() -> list[tuple[int, int, int]]:
    options = [(socket.SOL_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK))
    return options


class Waitress:
    """The production server.

    Args:
        front: The WSGI application that answers.
        driver: Tells how many streams are open.
        listener: A bound socket.
        largest: Largest request that is read at all, bytes.
        streams: Most open streams.
        threads: For requests, `THREADS` or `WAITING`.
    """

    def __init__(
        self,
        front: WSGI,
        driver: Driver,
        listener: socket.socket,
        *,
        largest: int,
        streams: int,
        threads: int = THREADS,
    ) -> None:
        make: Any = create_server  # its stubs lack what is set below
        self._server = make(
            front,
            sockets=[listener],
            threads=threads,
            ident="ojs-playground",
            max_request_body_size=largest,
            connection_limit=streams + SPARE,
            asyncore_use_poll=True,
            outbuf_high_watermark=PENDING,
        )
        self._server.adj.socket_options = _options()
        self._server.channel_class = _Channel
        driver.held = lambda streams: self._server.task_dispatcher.set_thread_count(threads + streams)

    def run(self) -> None:
        """Answer requests until `stop`."""
        self._server.run()

    def stop(self) -> None:
        """Close every connection; in the thread that owns them."""
        self._server.task_dispatcher.shutdown(timeout=1)
        self._server.trigger.pull_trigger(lambda: close_all(self._server._map))  # noqa: SLF001 - waitress has no verb


class Development:
    """Flask's development server: threads as they come, tracebacks in the log.

    Args:
        front: The WSGI application.
        listener: A bound socket.
    """

    def __init__(self, front: WSGI, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        listener.listen()
        self._server = make_server(host, port, front, threaded=True, fd=listener.fileno())

    def run(self) -> None:
        """Answer requests until `stop`."""
        self._server.serve_forever()

    def stop(self) -> None:
        """Let `run` return."""
        self._server.shutdown()


def run_until_told(server: Serving, front: Front, driver: Driver, drain: float) -> None:
    """Serve until SIGINT or SIGTERM, then drain: refuse what comes, end the streams, finish what is open, stop.

    Args:
        server: The server.
        front: Its application.
        driver: Its driver.
        drain: Seconds that open requests get.
    """
    told = threading.Event()
    with _signals(told):
        running = threading.Thread(target=server.run, name="server", daemon=True)
        running.start()
        while not told.wait(0.5) and running.is_alive():  # a wait without end hears no Ctrl+C on Windows
            pass
        front.draining = True
        driver.dismiss(drain, "shutdown")
        end = monotonic() + drain
        while (front.open or driver.readers) and monotonic() < end:
            sleep(0.01)
        server.stop()
        running.join(5)


@contextlib.contextmanager
def _signals(told: threading.Event) -> Iterator[None]:
    """Both signals ask to stop; the second time they end the process at once."""
    before: dict[signal.Signals, Any] = {}

    def hear(number: int, _frame: Any) -> None:
        if told.is_set():
            raise SystemExit(128 + number)
        told.set()

    handler: Callable[[int, Any], None] = hear
    for one in (signal.SIGINT, signal.SIGTERM):
        before[one] = signal.signal(one, handler)
    try:
        yield
    finally:
        for one, old in before.items():
            signal.signal(one, old)
