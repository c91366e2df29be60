"""Trouble with an attached server: told precisely, in nobody's way, over by itself; its token stays secret."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from engine.http.message import Request, Response
from playground.session import Session
from tests.host.attached import Peer, attached, call, ours

TOKEN = "a-token-of-the-peer-1234"  # noqa: S105 - of this test


def html(_: Request) -> Response:
    return Response(200, {"Content-Type": "text/html"}, b"<!doctype html><p>A router's login page</p>")


def hang(_: Request) -> Response:
    time.sleep(2)
    return Response(200)


def always(status: int, body: bytes = b"{}", **headers: str) -> Callable[[Request], Response]:
    return lambda _: Response(status, headers, body)


TROUBLES: list[tuple[Callable[[Request], Response], str]] = [
    (html, "with a web page, not with JSON"),
    (hang, "no complete answer"),
    (always(200, b"hello"), "something that is not JSON"),
    (always(200, b"[1]"), "JSON that is no object"),
    (always(200, b"[" * 5000), "nested too deeply"),
    (always(500), "answers /ojs/v1/events with 500"),
    (always(401), "wants a token (401"),
    (always(302, Location="http://127.0.0.1:1/"), "sends /ojs/v1/events elsewhere (302)"),
    (always(404), "it is no OJS server"),
]


@pytest.mark.parametrize(("trouble", "text"), TROUBLES)
def test_trouble_is_told_precisely_and_ends_by_itself(
    session: Session, peer: Peer, trouble: Callable[[Request], Response], text: str
) -> None:
    good, peer.answer = peer.answer, trouble
    call(session, "POST", "/jobs", {"type": "a.b", "args": []})
    with attached(peer.url, timeout=1 if trouble is hang else 5) as shown:
        shown.until(lambda: text in shown.session.standing().problem)
        assert text in shown.app.view("time").replace("&#39;", "'")
        assert shown.ask("GET", "/ready").status == 503
        assert shown.ask("GET", "/play").status == 200
        peer.answer = good
        shown.read()
        assert shown.ask("GET", "/ready").status == 200
        assert shown.session.engine.store.counts()["available"] == 1


def test_nobody_waits_for_a_server_that_is_gone_and_what_was_seen_stays(session: Session) -> None:
    call(session, "POST", "/jobs", {"type": "a.b", "args": []})
    peer = Peer(ours(session))
    with attached(peer.url) as shown:
        shown.read()
        peer.close()
        shown.until(lambda: "refused the connection" in shown.session.standing().problem)
        assert "a.b" in shown.app.view("found")
        assert "What you see was read at" in shown.app.view("time")
        began = time.monotonic()
        answer = shown.ask("POST", "/ojs/v1/jobs", {"type": "c.d", "args": []})
        assert (answer.status, answer.headers.get("Retry-After") is not None) == (503, True)
        assert time.monotonic() - began < 0.2
        again = Peer(ours(session), peer.port)
        shown.read()
        assert shown.ask("POST", "/ojs/v1/jobs", {"type": "c.d", "args": []}).status == 201
        again.close()


def test_pages_are_answered_while_a_request_is_on_its_way(session: Session, peer: Peer) -> None:
    good, gate, came = ours(session), threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        if request.method == "POST":
            came.set()
            gate.wait(3)
        return good(request)

    with attached(peer.url) as shown:
        shown.read()
        peer.answer = slow
        answers: list[Response] = []
        sending = threading.Thread(
            target=lambda: answers.append(shown.ask("POST", "/ui/jobs", 'body={"type":"a.b","args":[]}'))
        )
        sending.start()
        assert came.wait(3)
        assert shown.ask("GET", "/play").status == 200
        assert not answers
        gate.set()
        sending.join(3)
        assert answers[0].status == 303


def test_a_connection_that_is_reset_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drop() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
                )
                connection.close()

        threading.Thread(target=drop, daemon=True).start()
        with attached(f"http://127.0.0.1:{listener.getsockname()[1]}") as shown:
            shown.until(lambda: "closed the connection" in shown.session.standing().problem)
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)


# secrets


def test_the_token_goes_to_the_server_and_nowhere_else(
    session: Session, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    good = ours(session)

    def guarded(request: Request) -> Response:
        right = request.headers.get("authorization") == f"Bearer {TOKEN}"
        return good(request) if right else Response(401, {}, b"{}")

    peer.answer = guarded
    with attached(peer.url, TOKEN) as shown:
        shown.read()
        headers = {"authorization": "Bearer mine", "cookie": "ojs=1", "x_request_id": "r-1"}
        answer = shown.ask("POST", "/ojs/v1/jobs", {"type": "a.b", "args": []}, **headers)
        assert answer.status == 201
        passed = [one for one in peer.asked if one.method == "POST"][-1]
        assert passed.headers["authorization"] == f"Bearer {TOKEN}"
        assert passed.headers["x-request-id"] == "r-1"
        assert "cookie" not in passed.headers
        seen = [shown.page(path) for path in ("/", "/play?do=console", "/conformance", "/connect")]
        assert not any(TOKEN in text for text in seen)
        assert b"Set-Cookie" not in json.dumps(dict(answer.headers)).encode()
    with attached(peer.url, "wrong-token") as shown:
        shown.until(lambda: "refuses the token (401" in shown.session.standing().problem)
        assert "wrong-token" not in shown.session.standing().problem
    assert TOKEN not in caplog.text
    assert "wrong-token" not in caplog.text
