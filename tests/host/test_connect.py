"""Connect your SDK: the snippets carry this server's address, and each client lights up when it comes."""

from __future__ import annotations

import pytest

from engine.http.message import Request, Response
from playground.app import Application
from playground.clients import KINDS, MOST, Clients, recognise
from playground.codegen.sdks import languages

JOB = b'{"type":"a.b","args":[]}'


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


def page(app: Application, query: str = "", **headers: str) -> str:
    response = app.handle(Request("GET", f"/connect{query}", headers))
    assert response.status == 200
    return text(response)


@pytest.mark.parametrize(
    ("agent", "version", "path", "name"),
    [
        ("node", "1.0", "/ojs/v1/jobs", "javascript"),
        ("undici", "1.0", "/ojs/v1/jobs", "javascript"),
        ("Go-http-client/1.1", "1.0.0-rc.1", "/ojs/v1/workers/fetch", "go"),
        ("Go-http-client/1.1", "", "/v1/jobs", "cli"),
        ("python-httpx/0.28.1", "1.0", "/ojs/v1/jobs", "python"),
        ("Mozilla/5.0 (X11)", "", "/ojs/v1/admin/queues", "admin"),
        ("Mozilla/5.0 (X11)", "", "/ojs/v1/jobs", ""),
        ("Java-http-client/21", "", "/ojs/v1/jobs", "java"),
        ("reqwest/0.12", "", "/ojs/v1/jobs", "rust"),
        ("Ruby", "", "/ojs/v1/jobs", "ruby"),
        ("curl/8.5.0", "", "/v1/jobs", "curl"),
        ("Wget/1.21", "", "/v1/jobs", ""),
    ],
)
def test_each_client_is_told_by_what_it_sends(agent: str, version: str, path: str, name: str) -> None:
    headers = {"user-agent": agent, **({"ojs-version": version} if version else {})}
    assert recognise(headers, path) == name


def test_every_language_of_the_page_is_a_kind_that_can_come() -> None:
    assert set(languages()) <= {kind.name for kind in KINDS}


def test_a_client_lights_up_with_its_first_request_and_no_other_does(app: Application) -> None:
    before = text(app.handle(Request("GET", "/ui/views/clients")))
    assert before.count('class="here"') == 0
    app.handle(Request("POST", "/v1/jobs", {"user-agent": "node", "ojs-version": "1.0"}, JOB))
    after = text(app.handle(Request("GET", "/ui/views/clients")))
    assert after.count('class="here"') == 1
    assert '<li class="here" data-client="javascript"' in after
    assert "POST /v1/jobs → 201" in after
    assert "1 request<" in after


def test_the_playgrounds_own_requests_light_nothing(app: Application) -> None:
    app.handle(Request("POST", "/v1/jobs", {}, JOB))
    app.session.work("start")
    app.session.tick()
    assert app.clients.seen == {}


def test_the_snippets_carry_the_address_by_which_the_page_was_asked_for(app: Application) -> None:
    for name in languages():
        assert "http://ojs.internal:9000" in page(app, f"?language={name}", host="ojs.internal:9000")
    assert "localhost:8080" in page(app)


@pytest.mark.parametrize(
    "host", ['"><script>', "a b", "x:99999999", "", "evil/path", "[::1", "a" * 5000 + "'"]
)
def test_a_host_that_is_none_is_not_repeated(app: Application, host: str) -> None:
    html = page(app, "?language=curl", host=host)
    assert "localhost:8080" in html
    assert "<script>" not in html.split("<main")[1].split("</main>")[0]


def test_an_unknown_language_is_the_first(app: Application) -> None:
    assert page(app, "?language=cobol") == page(app)


def test_the_tab_says_that_nobody_outside_can_reach_it_and_how_to_serve(tab: Application) -> None:
    html = page(tab)
    assert "no program outside can reach a tab" in html
    assert "ojs-playground serve" in html
    tab.handle(Request("POST", "/v1/jobs", {"user-agent": "node"}, JOB))
    assert tab.clients.seen == {}


def test_ever_new_identities_do_not_fill_the_memory() -> None:
    clients = Clients()
    for number in range(MOST + 50):
        clients.hear(0, Request("GET", "/ojs/v1/health", {"user-agent": f"node/{number}"}), Response(200))
    assert len(clients._known) == MOST
    assert clients.seen["javascript"].requests == MOST + 50
