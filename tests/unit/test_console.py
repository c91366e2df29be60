"""The console: what can be sent, what is refused and how, and a request in other words."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.errors import PayloadTooLarge
from engine.http.message import Request
from playground.console import Draft, DraftProblem, read
from playground.packages import node
from playground.retelling import MAX_BODY, Told, headers, hidden, tell
from playground.showing import MAX_SHOWN, clip, shown, visible
from playground.travel.command import from_step
from tests.conftest import Server

NASTY = (
    '{"type": "email.send", "args": ["it\'s \\"<b>\\" \u202e é 𝄞 $(rm) `x` \\u0000", 12345678901234567890]}'
)


def known(path: str) -> bool:
    return path == "/health"


def test_what_is_typed_is_what_is_sent() -> None:
    request = read(
        Draft("POST", "/ojs/v1/jobs?x=1", "OJS-Version: 1.0\n\n X-Request-Id :  a b ", " {} "), known
    )
    assert request == Request(
        "POST", "/ojs/v1/jobs?x=1", {"ojs-version": "1.0", "x-request-id": "a b"}, b" {} "
    )


@pytest.mark.parametrize(
    ("draft", "field", "says"),
    [
        (Draft("BREW"), "method", "no method of the binding"),
        (Draft("GET", ""), "path", "begin with '/'"),
        (Draft("GET", "jobs"), "path", "begin with '/'"),
        (Draft("GET", "http://localhost/ojs/v1/jobs"), "path", "path only"),
        (Draft("GET", "/ojs/v1/jobs/{id}"), "path", "in the place of '{id}'"),
        (Draft("GET", "/ojs/v1/my jobs"), "path", "Character 11 of the path is a space"),
        (Draft("GET", "/ojs/v1/\u202e"), "path", "\\u202e"),
        (Draft("GET", "/ui/stream"), "path", "speaks to the OJS binding"),
        (Draft("GET", "/ojs/v1/" + "x" * 9000), "path", "9,008 characters"),
        (Draft("GET", "/health", "a: b\nno colon"), "headers", "Line 2 of the headers has no colon"),
        (Draft("GET", "/health", "a b: c"), "headers", "no header name"),
        (Draft("GET", "/health", "a: é"), "headers", "printable ASCII"),
        (Draft("GET", "/health", "a: 1\nA: 2"), "headers", "twice"),
        (Draft("GET", "/health", "\n".join(f"x{n}: 1" for n in range(60))), "headers", "60 headers"),
    ],
)
def test_what_cannot_be_sent_is_refused_precisely(draft: Draft, field: str, says: str) -> None:
    with pytest.raises(DraftProblem) as caught:
        read(draft, known)
    assert caught.value.details["field"] == field
    assert says in caught.value.message


# shown safely


def test_invisible_characters_become_visible() -> None:
    assert visible("a\u202eb\u200b\x00\tc\n") == "a\\u202eb\\u200b\\u0000\tc\n"


def test_json_is_indented_and_stays_the_same_json() -> None:
    content = shown(NASTY.encode())
    assert not content.cut
    assert json.loads(content.text) == json.loads(NASTY)


@pytest.mark.parametrize(
    "raw",
    [
        b"x" * 1_000_000,
        json.dumps({str(n): n for n in range(10_000)}).encode(),
        b"\xff\xfe" * 100_000,
        b"[" * 100_000,
    ],
)
def test_what_is_huge_is_cut(raw: bytes) -> None:
    content = shown(raw)
    assert content.cut
    assert content.size == len(raw)
    assert len(content.text) <= 6 * MAX_SHOWN


def test_a_clipped_text_says_that_there_is_more() -> None:
    assert clip("abc", 2) == "ab…"


# in other words


class _Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        told = {"method": self.command, "path": self.path, "version": self.headers.get("ojs-version")}
        answer = json.dumps({**told, "body": base64.b64encode(body).decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 - what the standard library calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """A server that answers with what it got."""
    host = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{host.server_port}"
    host.shutdown()


def told(request: Request, base_url: str = "http://localhost:8080") -> Told:
    return Told(request, base_url, 0)


def test_headers_that_a_client_sets_for_itself_and_secrets_are_left_out() -> None:
    request = Request(
        "GET", "/x", {"host": "h", "authorization": "s", "sec-fetch-mode": "x", "ojs-version": "1.0"}
    )
    assert headers(request) == {"ojs-version": "1.0"}
    assert hidden(request) == ["authorization"]


def test_a_step_gives_the_same_request_again() -> None:
    request = Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, NASTY.encode())
    again = from_step(json.loads(tell("step", told(request))), 0).request
    assert again is not None
    assert json.loads(again.body) == json.loads(NASTY)


def test_too_long_a_body_is_not_put_into_words() -> None:
    with pytest.raises(PayloadTooLarge, match="Download"):
        tell("curl", told(Request("POST", "/ojs/v1/jobs", {}, b"x" * (MAX_BODY + 1))))


BODIES = [
    NASTY.encode(),
    b"",
    b"not {json",
    "é\u2028".encode(),
    bytes(range(256)),
    b'{"n": 1e400}',
    b"[" * 30_000,
]


@pytest.mark.parametrize("form", ["curl", "fetch", "python"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_each_form_runs_and_sends_the_same(form: str, body: bytes, echo: str) -> None:
    """Run by a shell, Node and Python, against a server that tells what it got."""
    sent_with = {"content-type": "application/json", "ojs-version": "1.0"}
    request = Request("POST" if body else "GET", "/ojs/v1/jobs?a=1", sent_with, body)
    program = tell(form, told(request, echo))
    if form == "fetch":
        out = node("--input-type=module", "-e", program)
    else:
        line = ["bash", "-c", program + " -s"] if form == "curl" else [sys.executable, "-c", program]
        out = subprocess.run(line, capture_output=True, text=True, check=True, timeout=30).stdout
    got = json.loads(out[out.index("{") :])
    assert (got["method"], got["path"], got["version"]) == (request.method, request.url, "1.0")
    sent = base64.b64decode(got["body"])
    assert sent == body or (json.loads(sent) == json.loads(body) and b"e400" not in body)


def test_a_listed_server_is_real(server: Server) -> None:
    program = tell("python", told(Request("GET", "/ojs/v1/health"), server.url))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("200 ")
