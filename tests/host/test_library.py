"""The pages of the scenario library, in this process."""

from __future__ import annotations

import json
import re

import pytest

from engine.http.message import Request
from playground.app import Application
from playground.library_pages import cited
from playground.travel import library
from playground.travel.digest import digest
from playground.travel.link import decode
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import Player
from playground.travel_pages import OPENED
from tests.host.test_pages import get, post, text


@pytest.mark.parametrize("host", ["app", "tab"])
def test_the_library_shows_every_lesson_with_a_way_to_open_it(
    host: str, request: pytest.FixtureRequest
) -> None:
    app: Application = request.getfixturevalue(host)
    status, html = get(app, "/scenarios")
    assert status == 200
    assert html.count("<h1") == 1
    for name in library.names():
        assert f'href="/scenarios/{name}"' in html
        assert f'hx-post="/ui/scenarios/{name}/open"' in html


@pytest.mark.parametrize("name", library.names())
def test_a_lessons_page_has_every_promise_kept_and_the_hash(app: Application, name: str) -> None:
    status, html = get(app, f"/scenarios/{name}")
    scenario = library.lesson(name)
    assert status == 200
    assert html.count('<li class="ok">') == len(scenario["expect"]) + sum(
        "assertions" in step for step in scenario["steps"]
    )
    assert '<li class="failed">' not in html
    assert f'data-hash="{digest(Player(scenario).finish().world)}"' in html
    assert "{{" not in html
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)


def test_a_broken_promise_is_told(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = json.loads(library.text("first-job"))
    scenario["title"] = "<b>bold</b>"
    scenario["expect"][0]["assertions"]["body"]["$.job.state"] = "<i>gone</i>"
    monkeypatch.setattr(library, "lesson", lambda _: scenario)
    _, html = get(app, "/scenarios/first-job")
    assert html.count('<li class="failed">') == 1
    assert "&lt;i&gt;gone" in html
    assert "<b>bold" not in html


def test_a_lessons_link_carries_it_whole(app: Application) -> None:
    _, html = get(app, "/scenarios/lost-ack")
    link = re.search(r'data-copy-link="([^"]+)"', html)
    assert link is not None
    assert decode(link[1]) == library.lesson("lost-ack")


def test_opening_in_a_tab_shows_the_lesson_at_its_cursor(tab: Application) -> None:
    response = post(tab, "/ui/scenarios/worker-crash/open")
    assert response.status == 200
    assert response.headers["HX-Push-Url"] == OPENED
    session = tab.session
    assert isinstance(session, Sandbox)
    scenario = library.lesson("worker-crash")
    assert session.title == scenario["title"]
    assert session.timeline.now - session.timeline.origin.start == scenario["cursor"]["at"]
    assert session.timeline.past
    assert not session.running
    assert "slow.resize" in text(response)
    assert "The worker is gone" in text(response)
    assert "FETCH reserves the job for ten seconds." in text(response)
    assert session.leave()
    assert session.notes == ""


def test_opening_without_scripts_leads_to_the_playground(tab: Application) -> None:
    response = post(tab, "/ui/scenarios/first-job/open", htmx=False)
    assert response.status == 303
    assert response.headers["Location"] == OPENED


def test_opening_on_a_server_enters_the_sandbox_and_leaves_the_server_alone(app: Application) -> None:
    before = app.session.engine.events.seq
    response = post(app, "/ui/scenarios/first-job/open")
    assert response.status == 204
    assert response.headers["HX-Redirect"] == OPENED
    assert "sandbox" in response.headers["Set-Cookie"]
    assert app.travel.title == "A first job"
    assert app.session.engine.events.seq == before


def test_a_lesson_is_a_file_that_plays(app: Application) -> None:
    response = app.handle(Request("GET", "/ui/scenarios/first-job/file"))
    assert response.headers["Content-Type"] == "application/json"
    assert 'filename="first-job.ojs-scenario.json"' in response.headers["Content-Disposition"]
    assert decode(text(response)) == library.lesson("first-job")


def test_the_schema_is_published(app: Application) -> None:
    response = app.handle(Request("GET", "/scenarios/schema.json"))
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/schema+json"
    assert json.loads(text(response))["title"] == "OJS Playground scenario"


@pytest.mark.parametrize("name", ["nothing", "schema", "index", "..%2Frulings", "%3Cb%3E", "x" * 5000])
def test_an_unknown_lesson_is_told_and_opens_nothing(app: Application, name: str) -> None:
    for status, html in (get(app, f"/scenarios/{name}"), get(app, f"/ui/scenarios/{name}/file")):
        assert status == 404
        assert "<b>" not in html
    assert post(app, f"/ui/scenarios/{name}/open").status == 404
    assert app.travel.title == ""


def test_clauses_are_cited_by_document() -> None:
    assert cited(["OJS Core 6.1", "OJS Retry 3.3", "OJS Core 7.4"]) == ["OJS Core 6.1, 7.4", "OJS Retry 3.3"]
