"""The workbench's pictures by their routes: what is shown, what is refused, and that hostile words stay words."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode

import pytest

from engine.http.message import Request, Response
from playground.app import Application
from playground.graphs.timeline import WINDOW
from playground.graphs.workflow_builder import STARTS
from tests.host.test_pages import get, post, text

PANES = ("timeline", "retries", "compare", "cron", "workflows")
HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "x" * 2000


def bind(app: Application, method: str, path: str, body: object = None) -> dict[str, object]:
    raw = b"" if body is None else json.dumps(body).encode()
    response = app.session.handle(
        Request(method, "/ojs/v1" + path, {"content-type": "application/json"}, raw)
    )
    assert isinstance(response.body, bytes)
    found: dict[str, object] = json.loads(response.body)
    return found


def run(app: Application, ms: int) -> None:
    app.travel.add(ms)
    while app.travel.goal:
        app.travel.tick()


@pytest.mark.parametrize("pane", PANES)
def test_each_pane_is_whole_in_both_kinds_of_session(app: Application, tab: Application, pane: str) -> None:
    for one in (app, tab):
        status, html = get(one, f"/play?see={pane}")
        assert status == 200
        assert html.count("<h1") == 1
        assert " style=" not in html


@pytest.mark.parametrize(
    "path",
    [
        "/play?see=timeline&before=5",
        "/play?see=retries&job=nothing",
        "/play?see=retries&max_attempts=x&jitter=on",
        "/play?see=cron&zone=Mars%2FBase&page=9",
        "/play?see=workflows&page=99",
        "/play?see=compare&base=nothing&what=9:x&value=1",
        "/play?see=compare&one=1&other=9",
        "/play/cron?expression=%3Cb%3E&zone=Europe%2FParis",
        "/play/workflows?start=batch",
    ],
)
def test_a_pane_bears_any_address(tab: Application, path: str) -> None:
    assert get(tab, path)[0] == 200


def test_a_window_that_ends_with_no_number_is_refused(tab: Application) -> None:
    assert get(tab, "/play?see=timeline&before=x")[0] == 400
    assert get(tab, "/ui/views/timeline:x")[0] == 400


def test_the_timeline_shows_one_window_and_leads_to_the_older_ones(tab: Application) -> None:
    for index in range(WINDOW + 5):
        bind(tab, "POST", "/jobs", {"type": "email.send", "args": [index]})
    run(tab, 120_000)
    _, html = get(tab, "/ui/views/timeline")
    assert html.count('class="bar-of"') == WINDOW
    before = html.partition("before=")[2].partition('"')[0]
    _, older = get(tab, f"/ui/views/timeline:{before}")
    assert older.count('class="bar-of"') == 5
    assert "Older attempts" not in older


def test_the_known_future_is_pale(tab: Application) -> None:
    bind(tab, "POST", "/jobs", {"type": "flaky.charge", "args": []})
    run(tab, 60_000)
    start = tab.travel.timeline.origin.start
    tab.travel.go_to(start + 800)
    _, html = get(tab, "/ui/views/timeline")
    assert html.count("ahead") >= 3
    assert 'class="part s-active"' in html
    assert "known future" in html


def test_strangers_words_are_shown_as_words_and_cut(tab: Application) -> None:
    bind(tab, "POST", "/jobs", {"type": "a.b", "args": [HOSTILE]})
    made = bind(
        tab,
        "POST",
        "/workflows",
        {
            "type": "chain",
            "name": HOSTILE,
            "steps": [{"type": "a.b", "args": [HOSTILE], "name": HOSTILE}] * 2,
        },
    )
    body = {"name": "c", "expression": "* * * * *", "description": HOSTILE}
    bind(tab, "POST", "/cron", {**body, "job_template": {"type": "a.b", "args": [HOSTILE, {"k": HOSTILE}]}})
    run(tab, 90_000)
    flow = made["workflow"]
    assert isinstance(flow, dict)
    for path in (*(f"/play?see={pane}" for pane in PANES), f"/play/workflows/{flow['id']}", "/play/cron"):
        _, html = get(tab, path)
        assert "<img" not in html, path
        assert "\u202e" not in html, path
        assert "x" * 300 not in html, path


# retries


def test_a_jobs_waits_are_those_that_it_had(tab: Application) -> None:
    retry = {"max_attempts": 3, "initial_interval": "PT2S", "jitter": False}
    bind(tab, "POST", "/jobs", {"type": "flaky.charge", "args": [], "options": {"retry": retry}})
    run(tab, 60_000)
    job = tab.session.engine.store.jobs(limit=1)[0]
    _, html = get(tab, f"/ui/views/retries:{job.id}")
    assert "waited 2 s" in html
    assert "waited 4 s" in html


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"max_attempts": "-1"}, "retry.max_attempts"),
        ({"backoff_coefficient": "0.5"}, "retry.backoff_coefficient"),
        ({"backoff_coefficient": "nan"}, "retry.backoff_coefficient"),
        ({"initial_interval": "soon"}, "retry.initial_interval"),
        ({"max_interval": "1"}, "retry.max_interval"),
        ({"backoff_strategy": "lucky"}, "retry.backoff_strategy"),
        ({"max_attempts": "1"}, "nothing is tried again"),
        ({"max_attempts": "1000000"}, "The first 24 waits are drawn"),
    ],
)
def test_a_policy_is_planned_or_told_what_is_wrong(
    app: Application, fields: dict[str, str], says: str
) -> None:
    status, html = get(app, "/ui/retries?" + urlencode(fields))
    assert status == 200
    assert says in html


# cron

ENTRY = {
    "name": "five",
    "expression": "*/5 * * * *",
    "timezone": "Europe/Berlin",
    "type": "report.build",
    "args": "[1]",
    "overlap_policy": "skip",
}


def test_an_entry_goes_through_the_binding_into_the_journal(tab: Application) -> None:
    commands = len(tab.travel.timeline.commands)
    assert post(tab, "/ui/cron", **ENTRY).status == 200
    assert len(tab.travel.timeline.commands) == commands + 1
    for how in ("pause", "resume", "trigger", "delete"):
        assert post(tab, f"/ui/cron/five/{how}").status == 204
    assert len(tab.travel.timeline.commands) == commands + 5
    assert tab.session.engine.store.records("cron") == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "Wrong Name", "name"),
        ("expression", "99 * * * *", "minute"),
        ("timezone", "Mars/Base", "time zone"),
        ("type", "Wrong", "type"),
        ("args", "[1", "not JSON"),
        ("args", "{}", "args"),
        ("overlap_policy", "never", "overlap_policy"),
    ],
)
def test_a_wrong_entry_is_refused_beside_the_builder(
    app: Application, field: str, value: str, says: str
) -> None:
    response = post(app, "/ui/cron", **{**ENTRY, field: value})
    assert response.status == 422
    assert says in text(response)
    assert app.session.engine.store.records("cron") == []


def test_the_builder_works_without_scripts(app: Application) -> None:
    assert post(app, "/ui/cron", htmx=False, **ENTRY).status == 303
    refused = post(app, "/ui/cron", htmx=False, **{**ENTRY, "expression": "nonsense"})
    assert refused.status == 422
    assert "</html>" in text(refused)
    assert 'value="nonsense"' in text(refused)
    preset = text(post(app, "/ui/cron/build", htmx=False, **{**ENTRY, "preset": "@hourly"}))
    assert "</html>" in preset
    assert "Every hour on the hour" in preset
    assert post(app, "/ui/cron/five/pause", htmx=False).headers["Location"] == "/play/cron"


def test_runs_are_told_on_the_clock_of_any_zone(app: Application) -> None:
    post(app, "/ui/cron", **{**ENTRY, "expression": "0 9 * * *"})
    assert "2026-01-02 09:00:00 +0100" in get(app, "/ui/views/cron")[1]
    assert "2026-01-02 17:00:00 +0900" in get(app, "/ui/views/cron:Asia%2FTokyo")[1]


def test_an_entry_that_is_not_there_and_a_deed_that_is_none_are_404(app: Application) -> None:
    assert post(app, "/ui/cron/nobody/pause").status == 404
    assert post(app, "/ui/cron/nobody/dance").status == 404


# workflows


@pytest.mark.parametrize("start", STARTS)
def test_a_workflow_is_created_drawn_and_cancelled(tab: Application, start: str) -> None:
    assert post(tab, "/ui/workflows", json=STARTS[start]).status == 200
    key = tab.session.engine.store.records("workflow")[-1][0]
    run(tab, 400)
    status, html = get(tab, f"/play/workflows/{key}")
    assert status == 200
    assert html.count('class="node') >= 2
    assert post(tab, f"/ui/workflows/{key}/cancel").status == 204
    assert "cancelled" in get(tab, f"/ui/views/workflow:{key}")[1]


def test_results_stand_at_the_edges_that_they_pass_along(tab: Application) -> None:
    post(tab, "/ui/workflows", json=STARTS["chain"])
    run(tab, 60_000)
    key = tab.session.engine.store.records("workflow")[-1][0]
    assert get(tab, f"/ui/views/workflow:{key}")[1].count('class="passed"') == 2


def test_the_builder_of_workflows_works_without_scripts(app: Application) -> None:
    html = text(post(app, "/ui/workflows/build", htmx=False, json=STARTS["chain"], op="up:1"))
    assert "</html>" in html
    assert html.index("stock.reserve") < html.index("card.charge")
    made = post(app, "/ui/workflows", htmx=False, json=STARTS["group"])
    assert made.status == 303
    assert made.headers["Location"].startswith("/play/workflows/")
    refused = post(app, "/ui/workflows", htmx=False, json='{"type": "chain"')
    assert refused.status == 422
    assert "</html>" in text(refused)


def test_a_workflow_that_is_not_there_is_404(app: Application) -> None:
    assert get(app, "/play/workflows/nothing")[0] == 404
    assert post(app, "/ui/workflows/nothing/cancel").status == 404


def test_a_large_workflow_is_drawn_in_part(app: Application) -> None:
    steps = [{"type": "a.b", "args": []}] * 900
    made = bind(app, "POST", "/workflows", {"type": "chain", "steps": steps})["workflow"]
    assert isinstance(made, dict)
    started = time.perf_counter()
    _, html = get(app, f"/ui/views/workflow:{made['id']}")
    assert time.perf_counter() - started < 1
    assert "884 more steps" in html


# comparisons


def test_a_changed_value_is_compared_and_opened(tab: Application) -> None:
    asked = {"base": "priority", "what": "4:options/priority", "value": "-50"}
    _, html = get(tab, "/ui/compare?" + urlencode(asked))
    assert "4 of 5 jobs fare differently" in html
    assert "4.5 s later" in html
    response: Response = post(tab, "/ui/compare/open", **asked)
    assert response.status == 200
    assert "with another priority" in tab.travel.title


def test_the_session_itself_is_the_baseline_and_is_left_alone(tab: Application) -> None:
    retry = {"max_attempts": 3, "jitter": False}
    bind(tab, "POST", "/jobs", {"type": "flaky.charge", "args": [], "options": {"retry": retry}})
    run(tab, 30_000)
    before = tab.travel.timeline.moment
    asked = {"base": "session", "what": "0:options/retry/max_attempts", "value": "1"}
    _, html = get(tab, "/ui/compare?" + urlencode(asked))
    assert "3 attempts in A, 1 in B" in html
    assert tab.travel.timeline.moment == before


def test_two_branches_are_compared(tab: Application) -> None:
    bind(tab, "POST", "/jobs", {"type": "flaky.charge", "args": []})
    run(tab, 30_000)
    tab.travel.undo()
    bind(tab, "POST", "/jobs", {"type": "email.send", "args": []})
    run(tab, 30_000)
    _, html = get(tab, "/ui/compare?one=1&other=2")
    assert "2 of 2 jobs fare differently" in html
    assert "not there" in html


@pytest.mark.parametrize(
    "asked",
    [
        {"base": "priority", "what": "workers", "value": "99"},
        {"base": "priority", "what": "workers", "value": "x"},
        {"one": "1", "other": "7"},
        {"one": "1", "other": "x"},
        {"base": "own-worker", "value": "2"},
    ],
)
def test_what_cannot_be_compared_is_said(tab: Application, asked: dict[str, str]) -> None:
    status, html = get(tab, "/ui/compare?" + urlencode(asked))
    assert status == 200
    assert 'class="problem"' in html


def test_in_real_time_the_sandbox_is_pointed_to(app: Application) -> None:
    assert "lives in real time" in get(app, "/play?see=compare")[1]
