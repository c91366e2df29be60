"""Webhooks are really sent: signed, once for each event that is wanted, and tried again when the receiver fails."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from engine.deliveries import Outgoing
from playground.hosts.webhooks import post
from tests.conftest import Server
from tests.host.test_server import ask

Got = queue.Queue[tuple[dict[str, str], bytes]]


class Receiver:
    """Somebody's endpoint on loopback."""

    def __init__(self, status: int, **headers: str) -> None:
        self.got: Got = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that takes everything."""
    started = Receiver(200)
    yield started
    started.server.shutdown()


def test_a_subscriber_gets_the_event_signed_with_its_secret(server: Server, receiver: Receiver) -> None:
    body = json.dumps({"url": receiver.url, "events": ["job.enqueued"], "filter": {"queues": ["hooked"]}})
    status, _, content = ask(
        server, "POST", "/ojs/v1/webhooks/subscriptions", body, content_type="application/json"
    )
    assert status == 201
    made = json.loads(content)
    secret = (made.get("subscription") or made)["secret"]
    job = json.dumps({"type": "hook.me", "args": [], "queue": "hooked"})
    ask(server, "POST", "/ojs/v1/jobs", job, content_type="application/json")
    headers, sent = receiver.got.get(timeout=10)
    assert json.loads(sent)["type"] == "job.enqueued"
    stamp = headers["x-ojs-timestamp"]
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + sent, hashlib.sha256).hexdigest()
    assert headers["x-ojs-signature"].endswith(expected)


def outgoing(url: str) -> Outgoing:
    return Outgoing("del_1", url, {"Content-Type": "application/json"}, b"{}")


def test_what_the_receiver_answers_is_reported() -> None:
    busy = Receiver(429, Retry_After="7")
    assert (post(outgoing(busy.url)).status, post(outgoing(busy.url)).retry_after) == (429, 7)
    busy.server.shutdown()


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    elsewhere = Receiver(302, Location=receiver.url)
    assert post(outgoing(elsewhere.url)).status == 302
    assert receiver.got.empty()
    elsewhere.server.shutdown()


def test_nobody_there_is_reported_without_a_status() -> None:
    outcome = post(outgoing("http://127.0.0.1:9/hook"))
    assert outcome.status is None
    assert outcome.error
    assert "refused" in outcome.error
