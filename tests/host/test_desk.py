"""Links that carry the editors' code: it is answered as text, and nothing of it is done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.http.message import Request, Response
from playground.app import Application
from playground.travel.link import decode
from playground.travel.sandbox import Sandbox

DESK = {
    "python": {"code": "def handle(job):\n    return '</textarea><b>'", "queue": "python", "limit": "5"},
    "compose": {"target": "job", "text": '{"type":"half'},
}


def post(app: Application, path: str, body: Any, *, htmx: bool = True) -> Response:
    headers = {"hx-request": "true"} if htmx else {}
    text = body if isinstance(body, str) else json.dumps(body)
    return app.handle(Request("POST", path, headers, text.encode()))


def link(app: Application, body: Any) -> str:
    response = post(app, "/ui/moment/link", body)
    assert response.status == 200
    assert isinstance(response.body, bytes)
    fragment: str = json.loads(response.body)["fragment"]
    return fragment


def test_a_link_of_code_alone_opens_no_moment(app: Application, tab: Application) -> None:
    """Not even beside a real server: there is nothing to go to."""
    for host in (app, tab):
        response = post(host, "/ui/moment", "#" + link(host, {"desk": DESK}))
        assert response.status == 200
        assert json.loads(response.body or b"") == {"desk": DESK}  # type: ignore[arg-type] - never a stream
        assert "Set-Cookie" not in response.headers
        assert host.travel.title == ""
        assert host.session.engine.store.jobs() == []


def test_a_moment_takes_the_editors_along(tab: Application) -> None:
    session = tab.session
    assert isinstance(session, Sandbox)
    tab.handle(Request("POST", "/ojs/v1/jobs", {}, b'{"type":"a.b","args":[]}'))
    fragment = link(tab, {"desk": DESK, "moment": True})
    assert decode(fragment)["desk"] == DESK
    response = post(tab, "/ui/moment", fragment)
    assert json.loads(response.body or b"") == {"desk": DESK}  # type: ignore[arg-type] - never a stream
    assert session.title
    assert [job.type for job in session.engine.store.jobs()] == ["a.b"]


def test_a_moment_with_code_enters_the_sandbox_beside_a_server(app: Application, tab: Application) -> None:
    response = post(app, "/ui/moment", link(tab, {"desk": DESK, "moment": True}))
    assert response.headers["Set-Cookie"].startswith("ojs-session=sandbox")
    assert json.loads(response.body or b"") == {"desk": DESK}  # type: ignore[arg-type] - never a stream


def test_without_scripts_code_of_a_link_leads_to_the_page(tab: Application) -> None:
    response = post(tab, "/ui/moment", link(tab, {"desk": DESK}), htmx=False)
    assert (response.status, response.headers["Location"]) == (303, "/play?do=handlers")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no",
        "[]",
        "[" * 5000,
        {},
        {"desk": {"ruby": {"code": ""}}},
        {"desk": {"python": {"code": 5}}},
        {"desk": {"python": {"code": "x" * 100_001}}},
        {"desk": {"compose": {"target": "shell", "text": ""}}},
    ],
)
def test_what_no_editor_holds_makes_no_link(tab: Application, body: Any) -> None:
    assert post(tab, "/ui/moment/link", body).status == 400
