"""Real servers that misbehave, on loopback sockets: each is a failed step with a clear text, never a crash."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.conformance.case import read
from engine.conformance.runner import run_case
from engine.conformance.target import TransportError, fresh_engine
from engine.http.message import Request, Response
from playground.http_target import HttpTarget, HttpTargets, Server, exchange, server_at

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[Server]:
    """A server that takes each connection, reads the request and then does as told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with connection:
                connection.recv(65_536)
                try:
                    talk(connection)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield Server("http", "127.0.0.1", listener.getsockname()[1], timeout=0.3)
        listener.shutdown(socket.SHUT_RDWR)


def says(data: bytes) -> Talk:
    return lambda connection: connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def hang(_: socket.socket) -> None:
    time.sleep(1)


def drip_headers(connection: socket.socket) -> None:
    """Slow enough to outlast the timeout, quick enough that no single read does."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(40):
        connection.sendall(f"X-{number}: 1\r\n".encode())
        time.sleep(0.05)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
    for _ in range(40):
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_until_closed(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in range(40):
        connection.sendall(b" ")
        time.sleep(0.05)


MISBEHAVIOUR: list[tuple[Talk, str]] = [
    (hang, "within 0.3 s"),
    (drip_headers, "within 0.3 s"),
    (drip_body, "within 0.3 s"),
    (drip_until_closed, "within 0.3 s"),
    (reset, "closed the connection"),
    (says(b""), "closed the connection"),
    (says(b"SSH-2.0-OpenSSH_9.9\r\n"), "did not answer in HTTP"),
    (says(b"HTTP/1.1 banana\r\n\r\n"), "did not answer in HTTP"),
    (says(b"HTTP/9.9 200 OK\r\n\r\n"), "did not answer in HTTP 1.x"),
    (says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"), "broke off after 2 bytes"),
    (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "broke off"),
    (says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"), "not valid HTTP"),
    (says(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n"), "not valid HTTP"),
]
CASE = read(
    b'{"test_id": "T", "level": 0, "steps": [{"id": "s", "action": "GET", "path": "/ojs/v1/health",'
    b' "assertions": {"status": 200, "body": {"$.status": "ok"}}}]}',
    "f.json",
)


@pytest.mark.parametrize(("talk", "text"), MISBEHAVIOUR)
def test_a_misbehaving_server_is_a_failed_step_with_a_clear_text(talk: Talk, text: str) -> None:
    with listening(talk) as server:
        start = time.monotonic()
        result = run_case(CASE, HttpTarget(server))
        assert result.verdict == "failed"
        assert text in result.reason
        assert "\n" not in result.reason
        assert time.monotonic() - start < 0.9


def test_a_page_instead_of_json_is_a_failed_step() -> None:
    page = b"<html><body>502 Bad Gateway</body></html>"
    head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page)
    with listening(says(head + page)) as server:
        result = run_case(CASE, HttpTarget(server))
    troubles = result.steps[0].troubles()
    assert troubles[0] == "status: expected 200, got 502"
    assert "not JSON" in troubles[1]
    assert "<html>" in troubles[1]


def test_a_refused_connection_asks_whether_the_server_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = run_case(CASE, HttpTarget(Server("http", "127.0.0.1", port)))
    assert "refused the connection; is the server running?" in result.reason


def test_a_name_that_cannot_be_resolved_is_named() -> None:
    with pytest.raises(TransportError, match=r"nowhere\.invalid cannot be resolved"):
        exchange(Server("http", "nowhere.invalid", 80, timeout=5), Request("GET", "/"))


def test_https_to_a_plain_server_is_a_tls_failure() -> None:
    with listening(says(OK)) as server:
        secure = Server("https", server.host, server.port, timeout=1)
        with pytest.raises(TransportError, match="TLS"):
            exchange(secure, Request("GET", "/"))


@pytest.mark.parametrize("url", ["/a b", "/a\r\nHost: evil", "/ä"])
def test_a_request_that_cannot_be_sent_says_so(url: str) -> None:
    with listening(says(OK)) as server, pytest.raises(TransportError, match="cannot be sent"):
        exchange(server, Request("GET", url))


def test_an_event_stream_is_listened_to_for_a_while() -> None:
    def stream(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        time.sleep(0.05)
        connection.sendall(b"data: 2\n\n")
        time.sleep(2)

    with listening(stream) as server:
        response = exchange(server, Request("GET", "/"))
    assert response.body == b"data: 1\n\ndata: 2\n\n"


def test_repeated_headers_are_joined_and_own_headers_are_sent() -> None:
    seen: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                seen.append(connection.recv(65_536))
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        server = server_at(f"http://127.0.0.1:{port}/base/", {"Authorization": "Bearer x", "accept": "a"}, 2)
        response = exchange(server, Request("GET", "/ojs/manifest", {"accept": "b"}))
        thread.join()
    assert response.headers["Vary"] == "a, b"
    assert seen[0].startswith(b"GET /base/ojs/manifest HTTP/1.1\r\n")
    assert b"authorization: Bearer x\r\n" in seen[0]
    assert b"accept: b\r\n" in seen[0]


@contextmanager
def serving(handle: Callable[[Request], Response]) -> Iterator[str]:
    """A real HTTP server in front of a transport."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = handle(Request(self.command, self.path, headers, body))
            assert isinstance(response.body, bytes)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_engine_over_real_http_passes_and_is_reset_between_cases() -> None:
    virtual = fresh_engine()
    lock, resets = threading.Lock(), []

    def handle(request: Request) -> Response:
        with lock:
            resets.extend([1] if request.url.endswith("/admin/reset") else [])
            return virtual.send([request])[0].response or Response(500)

    with serving(handle) as url:
        make = HttpTargets(server_at(url, timeout=5))
        results = [run_case(CASE, make()) for _ in range(2)]
    assert [one.verdict for one in results] == ["passed", "passed"]
    assert len(resets) == 2


def test_parallel_steps_are_really_sent_at_once() -> None:
    together = threading.Barrier(2, timeout=3)

    def handle(_: Request) -> Response:
        together.wait()
        return Response(200, {"Content-Type": "application/json"}, b"{}")

    step = {"action": "GET", "path": "/x", "parallel": "p", "assertions": {"status": 200}}
    text = json.dumps({"test_id": "T", "level": 0, "steps": [{"id": "a", **step}, {"id": "b", **step}]})
    with serving(handle) as url:
        result = run_case(read(text.encode(), "f.json"), HttpTarget(server_at(url, timeout=5)))
    assert result.verdict == "passed"


def test_a_server_without_reset_is_asked_once() -> None:
    asked: list[str] = []

    def handle(request: Request) -> Response:
        asked.append(request.url)
        return Response(404, {}, b"{}")

    with serving(handle) as url:
        make = HttpTargets(server_at(url, timeout=5))
        targets = [make(), make()]
    assert asked == ["/ojs/v1/admin/reset"]
    assert "test hooks" in targets[0].refuses(("test-hooks",), 0)


def test_a_long_wait_is_skipped_with_the_option_that_allows_it() -> None:
    patient = HttpTarget(Server("http", "127.0.0.1", 1, max_wait_ms=1000))
    assert patient.refuses((), 1000) == ""
    assert "--max-wait" in patient.refuses((), 1001)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://localhost:8080", ("http", "localhost", 8080, "")),
        ("localhost:8080/", ("http", "localhost", 8080, "")),
        ("https://a.example/base/", ("https", "a.example", 443, "/base")),
        ("http://[::1]:80", ("http", "::1", 80, "")),
    ],
)
def test_reads_a_url(url: str, told: tuple[str, str, int, str]) -> None:
    server = server_at(url)
    assert (server.scheme, server.host, server.port, server.base) == told


@pytest.mark.parametrize("url", ["", "ftp://a", "http://", "http://u:p@a", "http://a:99999", "file:///x"])
def test_refuses_what_is_no_server(url: str) -> None:
    with pytest.raises(ValueError, match=r"give its address|credentials|Port"):
        server_at(url)
