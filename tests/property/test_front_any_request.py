"""Every route behind the server's front, from its own description: whatever is sent, an answer comes, and no 5xx."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader

from engine.http.routes import ROUTES
from playground.app import Application, Site
from playground.assets import Assets
from playground.clock import SystemClock
from playground.hosts.driver import Driver
from playground.hosts.figures import Figures
from playground.hosts.front import Access, Front
from playground.hosts.reader import Reader
from playground.render import environment
from playground.session import Session

HEADERS = {
    "CONTENT_TYPE": [
        "application/json",
        "application/openjobspec+json; charset=utf-8",
        "text/plain",
        "a/b;;",
        "\xff",
    ],
    "HTTP_CONTENT_ENCODING": ["gzip", "br", "identity", ""],
    "HTTP_OJS_VERSION": ["1.0", "1.0.0-rc.1", "9", "\x00"],
    "HTTP_OJS_REQUIRES_EXTENSION": ["retry", "nothing", ",,"],
    "HTTP_LAST_EVENT_ID": ["evt_000000000001", "evt_000000000001.5", "-1", "9" * 40],
    "HTTP_X_REQUEST_ID": ["mine", "\r\nX: y", "x" * 5000],
    "HTTP_USER_AGENT": ["python-httpx/0", "node", "Go-http-client/1.1", ""],
    "HTTP_X_OJS_TENANT": ["acme", "", "x" * 300],
    "HTTP_AUTHORIZATION": ["Bearer x", "Basic", ""],
    "HTTP_COOKIE": ["ojs-session=sandbox", "ojs-signed-in=admin.9.x", ";;=", ""],
    "HTTP_ORIGIN": ["https://app.example", "null", ""],
    "HTTP_PREFER": ["wait=0", "wait=x"],
}
hostile = st.one_of(
    st.sampled_from(
        ["default", "%", "%00", "..", "%2e%2e%2f", "a" * 300, "é", "%ff", "{}", "'", "\U0001f4a9", "0"]
    ),
    st.text(max_size=12),
)
headers = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(texts) for name, texts in HEADERS.items()}
)
words = st.sampled_from(
    "limit offset page cursor queue type state since wait timeout after channel types sort".split()
)
queries = st.dictionaries(words, st.one_of(hostile, st.integers(-5, 10**12).map(str)), max_size=3)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=6), st.floats()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
raw = st.one_of(
    st.binary(max_size=40), values.map(lambda one: json.dumps(one).encode()), st.just(b'{"a":' * 5000)
)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    app = Application(Session(SystemClock(), seed=1), environment(DictLoader({})), Site("server", Assets({})))
    driver = Driver(app)
    yield Front(
        driver, app_of_pages, access=Access(origins=("https://app.example",)), figures=Figures(driver)
    )
    driver.close()


def app_of_pages(_environ: dict[str, Any], _start: Any) -> list[bytes]:
    raise AssertionError("the binding's routes do not go to the pages")


def ask(front: Front, method: str, url: str, body: bytes, sent: dict[str, str]) -> tuple[int, bytes]:
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_URI": url,
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **sent,
    }
    got: list[Any] = []
    answer = front(environ, lambda status, head, *_: got.extend((status, head)))
    if isinstance(answer, Reader):
        first = next(iter(answer))
        answer.close()
        return int(got[0][:3]), first
    for name, value in got[1]:
        assert "\n" not in name + value
        value.encode("latin-1")
    return int(got[0][:3]), b"".join(answer)


@pytest.mark.timeout(60)
@settings(max_examples=400, deadline=2000, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_request_to_any_route_fails_or_hangs(front: Front, data: st.DataObject) -> None:
    route = data.draw(st.sampled_from(ROUTES))
    path = "/".join(data.draw(hostile) if part.startswith("{") else part for part in route.path.split("/"))
    base = data.draw(st.sampled_from(["/ojs/v1", "/v1"]))
    url = path if path.startswith("/ojs/") else base + path
    asked = "&".join(f"{name}={value}" for name, value in data.draw(queries).items())
    method = data.draw(
        st.sampled_from([route.method] * 5 + ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"])
    )
    status, body = ask(front, method, f"{url}?{asked}" if asked else url, data.draw(raw), data.draw(headers))
    assert 200 <= status < 500, (status, body)
    if status >= 400 and method != "HEAD":
        error = json.loads(body)["error"]
        assert error["code"]
        assert error["message"]
