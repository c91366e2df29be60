"""The front in this process: who may ask, what is refused, what pages of other origins may do, and draining."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from engine.http.message import EventStream
from playground import resources
from playground.clock import SystemClock
from playground.hosts import logs
from playground.hosts.driver import Driver
from playground.hosts.figures import Figures
from playground.hosts.front import Access, Front
from playground.hosts.reader import TOO_SLOW, Reader
from playground.hosts.server import create_app
from playground.hosts.signin import SignIn, inside
from playground.hosts.spans import Traced, tracer
from playground.session import Session
from playground.tokens import COOKIE, Tokens
from tests.conftest import make_app

READ, WRITE, ADMIN = "read-token-0123456789", "write-token-0123456789", "admin-token-0123456789"
JOB = b'{"type":"a.b","args":[]}'


class Client:
    """Calls a WSGI application as a server would."""

    def __init__(self, access: Access | None = None, streams: int = 1000) -> None:
        app = make_app(Session(SystemClock(), seed=7))
        app.beside = None  # its clock stands still
        self.driver = Driver(app, streams)
        pages = create_app(self.driver, resources.path("static"))
        signin = SignIn(app.env, access.tokens) if access and access.tokens else None
        self.front = Front(self.driver, pages, access=access, signin=signin, figures=Figures(self.driver))

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        url, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": url,
            "QUERY_STRING": query,
            "REQUEST_URI": path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "localhost",
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        got: list[Any] = []
        answer = self.front(environ, lambda status, sent, *_: got.extend((status, sent)))
        content = next(iter(answer), b"") if isinstance(answer, Reader) else b"".join(answer)
        if isinstance(answer, Reader):
            answer.close()
        return int(got[0][:3]), {name.lower(): value for name, value in got[1]}, content


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.driver.close()


@pytest.fixture
def guarded() -> Iterator[Client]:
    made = Client(
        Access(
            Tokens({"read": [READ], "write": [WRITE], "admin": [ADMIN]}),
            numeric=True,
            origins=("https://app.example",),
        )
    )
    yield made
    made.driver.close()


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/ojs/v1/jobs", "", 401),
        ("GET", "/ojs/v1/jobs", "wrong-token-0123456789", 401),
        ("GET", "/ojs/v1/jobs", READ, 200),
        ("POST", "/ojs/v1/jobs", READ, 403),
        ("POST", "/ojs/v1/jobs", WRITE, 201),
        ("POST", "/ojs/v1/admin/queues/default/pause", WRITE, 403),
        ("POST", "/ojs/v1/admin/queues/default/pause", ADMIN, 200),
        ("GET", "/ojs/v1/health", "", 200),
        ("GET", "/metrics", "", 401),
        ("GET", "/metrics", READ, 200),
        ("POST", "/ui/reset", WRITE, 403),
    ],
)
def test_a_token_opens_what_its_scope_may(
    guarded: Client, method: str, path: str, token: str, status: int
) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    got, sent, body = guarded.ask(method, path, JOB if method == "POST" else b"", **headers)
    assert got == status, body
    if status in {401, 403}:
        error = json.loads(body)["error"]
        assert error["code"] == ("unauthorized" if status == 401 else "forbidden")
        assert (status == 401) == ("www-authenticate" in sent)
        assert not token or token not in body.decode()


def test_a_part_of_a_page_whose_cookie_ran_out_leads_the_page_to_the_sign_in(guarded: Client) -> None:
    """And nowhere else, whatever page it says that it stands in."""
    for page, onward in (
        ("http://localhost/play?do=code&see=jobs", "/play%3Fdo%3Dcode%26see%3Djobs"),
        ("https://evil.example/\\\\x", "/%5C%5Cx"),
        ("http://[", "/"),
        ("", "/"),
    ):
        status, sent, body = guarded.ask(
            "POST", "/ui/jobs", b"body={}", hx_request="true", hx_current_url=page
        )
        assert (status, json.loads(body)["error"]["code"]) == (401, "unauthorized")
        assert sent["hx-redirect"] == f"/signin?next={onward}"
    assert "hx-redirect" not in guarded.ask("POST", "/ui/jobs", b"body={}")[1]
    assert "hx-redirect" not in guarded.ask("POST", "/ojs/v1/jobs", JOB, hx_request="true")[1]


def test_a_page_leads_to_the_sign_in_and_back(guarded: Client) -> None:
    status, sent, _ = guarded.ask("GET", "/play?do=compose", accept="text/html")
    assert (status, sent["location"]) == (303, "/signin?next=/play%3Fdo%3Dcompose")
    status, _, page = guarded.ask("GET", "/signin?next=/play%3Fdo%3Dcompose")
    assert status == 200
    assert b'name="next" value="/play?do=compose"' in page
    status, sent, page = guarded.ask("POST", "/signin", b"token=wrong-token-0123456789&next=/play")
    assert (status, "set-cookie" in sent) == (403, False)
    assert b"no such token" in page
    status, sent, _ = guarded.ask("POST", "/signin", f"token={WRITE}&next=/play".encode())
    assert (status, sent["location"]) == (303, "/play")
    cookie = sent["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert WRITE not in cookie
    carried = cookie.partition(";")[0]
    assert guarded.ask("GET", "/play", accept="text/html", cookie=carried)[0] == 200
    assert guarded.ask("POST", "/ojs/v1/jobs", JOB, cookie=carried)[0] == 201
    assert guarded.ask("POST", "/ojs/v1/jobs", JOB, cookie=carried, origin="http://evil.example")[0] == 403
    assert f"{COOKIE}=;" in guarded.ask("POST", "/signout", cookie=carried)[1]["set-cookie"]


@pytest.mark.parametrize(
    "url", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/a\r\nX: y", ""]
)
def test_the_sign_in_leads_nowhere_else(url: str) -> None:
    assert inside(url) == "/"
    assert inside("/play/jobs/1?x=2") == "/play/jobs/1?x=2"


def test_a_name_that_is_none_of_ours_is_refused_a_numeric_one_only_beyond_loopback(
    client: Client, guarded: Client
) -> None:
    assert client.ask("GET", "/ojs/v1/health", host="evil.example")[0] == 403
    assert client.ask("GET", "/ojs/v1/health", host="192.168.1.5:8080")[0] == 403
    assert guarded.ask("GET", "/ojs/v1/health", host="192.168.1.5:8080")[0] == 200
    assert guarded.ask("GET", "/ojs/v1/health", host="evil.example")[0] == 403


def test_pages_of_an_allowed_origin_may_use_the_binding_and_nothing_else(guarded: Client) -> None:
    asks = {"origin": "https://app.example", "access_control_request_method": "POST"}
    status, sent, _ = guarded.ask("OPTIONS", "/ojs/v1/jobs", **asks)
    assert status == 204
    assert sent["access-control-allow-origin"] == "https://app.example"
    assert "Authorization" in sent["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in sent, "a page of another origin brings its own token"
    auth = {"authorization": f"Bearer {WRITE}", "origin": "https://app.example"}
    status, sent, _ = guarded.ask("POST", "/ojs/v1/jobs", JOB, **auth)
    assert (status, sent["access-control-allow-origin"]) == (201, "https://app.example")
    assert "X-Request-Id" in sent["access-control-expose-headers"]
    assert guarded.ask("POST", "/ui/jobs", b"body={}", **auth)[0] == 403
    _, sent, _ = guarded.ask("GET", "/ojs/v1/health", origin="https://other.example")
    assert "access-control-allow-origin" not in sent
    assert sent["vary"] == "Origin"


def test_without_an_allow_list_nobody_is_allowed(client: Client) -> None:
    asks = {"origin": "https://app.example", "access_control_request_method": "POST"}
    status, sent, _ = client.ask("OPTIONS", "/ojs/v1/jobs", **asks)
    assert status == 405
    assert not any(name.startswith("access-control") for name in sent)


def test_a_server_that_drains_refuses_and_says_so(client: Client) -> None:
    assert client.ask("GET", "/ready")[0] == 200
    client.front.draining = True
    status, sent, body = client.ask("POST", "/ojs/v1/jobs", JOB)
    assert (status, sent["retry-after"]) == (503, "2")
    assert json.loads(body)["error"]["retryable"] is True
    assert client.ask("GET", "/ready")[0] == 503
    assert client.ask("GET", "/health")[0] == 200


def test_more_streams_than_allowed_are_refused_with_a_time_to_come_back() -> None:
    few = Client(streams=1)
    body = EventStream(lambda _send, _close: lambda: None)
    reader = few.driver.open(body)
    status, sent, answer = few.ask("GET", "/ojs/v1/events/stream")
    assert (status, sent["retry-after"]) == (503, "5")
    assert json.loads(answer)["error"]["retryable"] is True
    assert few.ask("GET", "/ui/stream?view=board")[0] == 503
    reader.close()
    assert few.ask("GET", "/ojs/v1/events/stream")[0] == 200
    few.driver.close()


def test_the_official_client_tells_the_engines_figures_and_the_servers(client: Client) -> None:
    client.ask("POST", "/ojs/v1/jobs", JOB)
    for path in ("/metrics", "/ojs/v1/metrics"):
        status, sent, body = client.ask("GET", path)
        lines = body.decode().splitlines()
        assert (status, sent["content-type"]) == (200, "text/plain")
        assert 'ojs_job_enqueued_total{queue="default",type="a.b"} 1.0' in lines
        assert 'ojs_http_requests_total{status="201"} 1.0' in lines
        assert any(line.startswith("process_cpu_seconds_total") for line in lines)
        assert len([line for line in lines if line == "# TYPE ojs_jobs gauge"]) == 1


# readers of streams


def reader(channel: str, limit: int = 3) -> Reader:
    return Reader(EventStream(lambda _send, _close: lambda: None, channel), lambda: 0, lambda _: None, limit)


def event(number: int) -> bytes:
    return f"id: evt_{number}\nevent: a\ndata: {{}}\n\n".encode()


def test_a_slow_reader_of_events_loses_the_oldest_and_hears_of_it() -> None:
    slow = reader("queue:default")
    for number in range(5):
        slow.send(event(number))
    told = next(iter(slow)).decode()
    assert told.startswith(":events-dropped 2\n\n")
    assert "evt_0" in told
    assert told.endswith(event(4).decode())


def test_one_that_takes_nothing_for_long_is_cut_off_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.hosts.reader.PATIENCE", -1.0)
    stuck = reader("all")
    for number in range(5):
        stuck.send(event(number))
    assert b"".join(stuck).endswith(TOO_SLOW)


def test_a_page_that_falls_behind_is_cut_off_and_comes_back_to_the_present() -> None:
    page = reader("")
    for _ in range(4):
        page.send(b"data: view\n\n")
    page.send(b"data: late\n\n")
    told = b"".join(page)
    assert told.endswith(TOO_SLOW)
    assert b"late" not in told


def test_what_waits_is_carried_before_the_end() -> None:
    ending = reader("all")
    ending.send(event(1))
    ending.end(b": bye\n\n")
    ending.end(b": again\n\n")
    assert b"".join(ending) == event(1) + b": bye\n\n"


# the log


def test_a_line_of_the_log_names_request_and_job_and_no_token(
    guarded: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ojs.server")
    asked = {"authorization": f"Bearer {WRITE}", "x_request_id": "my-request"}
    answer = json.loads(guarded.ask("POST", "/ojs/v1/jobs?token=hidden", JOB, **asked)[2])
    record = next(one for one in caplog.records if one.getMessage() == "POST /ojs/v1/jobs")
    told = json.loads(logs.Json().format(record))
    assert told["severity"] == "INFO"
    assert told["component"] == "server"
    assert told["ojs"]["job_id"] == answer["id"]
    assert (told["attributes"]["request_id"], told["attributes"]["status"]) == ("my-request", 201)
    assert f"job_id={answer['id']}" in logs.Text().format(record)
    guarded.ask("GET", f"/ojs/v1/jobs/{answer['id']}", authorization="Bearer unknown-0123456789")
    everything = "".join(logs.Json().format(one) for one in caplog.records)
    assert WRITE not in everything
    assert "unknown-0123456789" not in everything
    assert "hidden" not in everything
    assert caplog.records[-1].levelname == "WARNING"


def test_a_path_cannot_forge_a_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ojs.server")
    client.ask("GET", "/ojs/v1/jobs/\x1b[31m\rforged")
    assert "\x1b" not in logs.Text().format(caplog.records[-1])
    assert "\r" not in logs.Text().format(caplog.records[-1])


def test_a_request_is_a_span_that_continues_its_callers_trace(client: Client) -> None:
    memory = InMemorySpanExporter()
    untraced = client.front
    client.front = Traced(untraced, tracer(memory))  # type: ignore[assignment] # it answers alike
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = json.loads(
        client.ask(
            "POST", "/ojs/v1/jobs", JOB, traceparent=f"00-{trace}-00f067aa0ba902b7-01", x_request_id="r1"
        )[2]
    )
    client.ask("GET", f"/ojs/v1/jobs/{answer['id']}")
    made, read = memory.get_finished_spans()
    assert (made.name, read.name) == ("POST /ojs/v1/jobs", "GET /ojs/v1/jobs/{id}")
    assert f"{made.get_span_context().trace_id:032x}" == trace  # type: ignore[union-attr] # it has one
    assert dict(made.attributes or {}) == {
        "http.request.method": "POST",
        "url.path": "/ojs/v1/jobs",
        "http.response.status_code": 201,
        "ojs.request_id": "r1",
        "ojs.job.id": answer["id"],
    }
    assert (read.attributes or {})["ojs.job.id"] == answer["id"]


def test_what_an_operator_changes_is_written_down_under_the_tokens_scope(guarded: Client) -> None:
    """A client cannot say who it is: its own header goes no further."""
    asked = {"authorization": f"Bearer {ADMIN}", "x_ojs_actor": "somebody else"}
    assert guarded.ask("POST", "/ojs/v1/admin/queues/default/pause", **asked)[0] == 200
    assert guarded.ask("POST", "/admin/queues/default/pause", **asked)[0] == 200, "without the base path too"
    body = guarded.ask("GET", "/ojs/v1/admin/audit", authorization=f"Bearer {READ}")[2]
    assert [one["actor"] for one in json.loads(body)["items"]] == ["token:admin", "token:admin"]
    assert guarded.ask("POST", "/admin/queues/default/pause", authorization=f"Bearer {WRITE}")[0] == 403
