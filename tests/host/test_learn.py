"""The tutorial's pages, in this process: the chapters, a step before and after it is begun, what goes wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.http.message import Request
from playground.app import Application
from playground.learn import course as courses
from playground.learn import pages, watching
from playground.learn.course import Course, course
from playground.learn.writing import read_course
from playground.spec import Document
from tests.host.test_pages import get, post, text
from tests.unit.test_learn import copied

STEPS = list(course().steps)


@pytest.mark.parametrize("host", ["app", "tab"])
def test_the_overview_leads_to_every_step(host: str, request: pytest.FixtureRequest) -> None:
    app: Application = request.getfixturevalue(host)
    status, html = get(app, "/learn")
    assert status == 200
    assert html.count("<h1") == 1
    for step in course().steps.values():
        assert f'href="{step.path}"' in html
    assert html.count("?track=fast") == sum(step.fast for step in course().steps.values())


@pytest.mark.parametrize("name", STEPS)
def test_a_step_reads_well_before_it_is_begun(tab: Application, name: str) -> None:
    """Text, goal, hints, the recorded run and the requirements are there without scripts and without an engine."""
    step = course().step(name)
    status, html = get(tab, step.path)
    assert status == 200
    assert html.count("<h1") == 1
    assert html.count('<details class="hint">') == 3
    assert ("Show the run" in html) == bool(step.recorded)
    assert html.count('<a href="/spec/') >= len(step.teaches)
    assert ("ojs-playground serve" in html) if step.server else (f'hx-post="/ui/learn/{name}/start"' in html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)


def begun(app: Application, name: str) -> str:
    headers = {"hx-request": "true", "hx-request-type": "full"}
    response = app.handle(Request("POST", f"/ui/learn/{name}/start", headers))
    assert response.status == 200
    assert response.headers["HX-Push-Url"] == course().step(name).path
    return text(response)


@pytest.mark.parametrize("name", [name for name in STEPS if not course().step(name).server])
def test_a_step_that_is_begun_shows_where_one_acts_and_what_is_missing(tab: Application, name: str) -> None:
    html = begun(tab, name)
    step = course().step(name)
    assert '<li class="open">' in html
    assert "<b>To do:</b>" in html
    assert 'aria-label="What you see"' in html
    assert ('aria-label="What you do"' in html) == bool(step.do)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)
    for pane in (*step.do, *step.see):
        assert get(tab, f"{step.path}?do={pane}&see={pane}")[0] == 200


def test_beside_a_server_a_step_is_begun_in_the_sandbox(app: Application) -> None:
    response = app.handle(Request("POST", "/ui/learn/enqueue/start", {}))
    assert response.status == 303
    assert response.headers["Location"] == "/learn/first-job/enqueue"
    assert "ojs-session=sandbox" in response.headers["Set-Cookie"]


def test_a_step_about_the_server_leads_out_of_the_sandbox_and_is_checked_there(app: Application) -> None:
    assert app.beside is not None
    response = app.beside.handle(Request("POST", "/ui/learn/curl/start", {}))
    assert response.headers["Location"] == "/learn/clients/curl"
    assert "Max-Age=0" in response.headers["Set-Cookie"]
    _, html = get(app, "/learn/clients/curl")
    assert '<li class="open">' in html
    agent = {"user-agent": "curl/8.14.1", "content-type": "application/json"}
    app.handle(Request("POST", "/ojs/v1/jobs", agent, b'{"type":"a.b","args":[]}'))
    assert 'data-passed="curl"' in get(app, "/learn/clients/curl")[1]


def test_a_prediction_is_asked_first_and_judged_by_the_run(tab: Application) -> None:
    begun(tab, "nobody-works")
    tab.handle(
        Request(
            "POST", "/ojs/v1/jobs", {"content-type": "application/json"}, b'{"type":"email.send","args":[]}'
        )
    )
    tab.travel.add(20_000)
    assert watching.FIRST_GUESS in tab.view("goal:nobody-works")
    assert "data-passed" not in tab.view("goal:nobody-works")
    post(tab, "/ui/learn/nobody-works/predict", choice="1")
    html = tab.view("goal:nobody-works")
    assert "data-passed" in html
    assert "what happened is “<code>available</code>" in html


def test_what_was_reached_stays_reached(tab: Application) -> None:
    begun(tab, "stop-time")
    tab.travel.next_event()
    assert "data-passed" in tab.view("goal:stop-time")
    tab.travel.add(60_000)
    assert "data-passed" in tab.view("goal:stop-time")
    begun(tab, "stop-time")
    assert "data-passed" not in tab.view("goal:stop-time")


@pytest.mark.parametrize("choice", ["", "9", "-1", "x", "٣"])
def test_an_answer_that_is_none_is_refused(tab: Application, choice: str) -> None:
    begun(tab, "nobody-works")
    response = post(tab, "/ui/learn/nobody-works/predict", choice=choice)
    assert response.status == 400
    assert "is no answer to the question" in text(response)


@pytest.mark.parametrize("path", ["/learn/first-job/nothing", "/learn/nothing", "/ui/views/goal:nothing"])
def test_what_is_not_there_is_said(app: Application, path: str) -> None:
    assert get(app, path)[0] == 404


def test_a_step_whose_scenario_no_longer_loads_keeps_text_and_says_why(
    tab: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: Course = read_course(copied(tmp_path, "enqueue", '{"workers": 1}', '{"seed": -1}'))
    for module in (courses, pages, watching):
        monkeypatch.setattr(module, "course", lambda: broken)
    status, html = get(tab, "/learn/first-job/enqueue")
    assert status == 200
    assert "This step cannot be begun" in html
    assert "<strong>job</strong>" in html
    assert "/ui/learn/nobody-works/start" in html
    assert "This step cannot be begun" in text(post(tab, "/ui/learn/enqueue/start"))


def test_a_requirement_says_where_it_is_taught(tab: Application) -> None:
    documents: dict[str, Document] = tab.documents
    step = course().step("worker-dies")
    document = next(name for name, one in documents.items() if step.teaches[0] in one.requirements)
    _, html = get(tab, f"/spec/{document}/{step.teaches[0]}")
    assert f'href="{step.path}"' in html
