"""The application in this process: every page and fragment, and every kind of bad input."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest

from engine.http.message import EventStream, Request, Response
from engine.lifecycle import STATES
from playground.app import Application
from playground.pages import MAX_VIEWS, PAGES
from playground.views import VIEWS
from playground.visit import MAX_FIELDS
from tests.conftest import ROOT, make_app

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def get(app: Application, url: str, **headers: str) -> tuple[int, str]:
    response = app.handle(Request("GET", url, headers))
    assert isinstance(response.body, bytes)
    return response.status, response.body.decode()


def post(app: Application, path: str, /, *, htmx: bool = True, **form: str) -> Response:
    headers = {"hx-request": "true"} if htmx else {}
    return app.handle(Request("POST", path, headers, urlencode(form).encode()))


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


def push(app: Application, **fields: object) -> str:
    return app.session.engine.push({"type": "email.send", "args": [], **fields}).job.id


def snapshot(app: Application) -> tuple[object, ...]:
    """All that a refused request must leave as it was."""
    store = app.session.engine.store
    return store.counts(), app.session.engine.events.seq, [job.to_dict() for job in store.jobs(limit=100)]


@pytest.mark.parametrize(
    "path", ["/", "/spec", "/spec/", "/spec/lifecycle", "/spec/lifecycle/", "/?sample=flaky"]
)
def test_a_page_is_whole_html_with_one_heading_and_a_title(app: Application, path: str) -> None:
    status, html = get(app, path)
    assert status == 200
    assert html.lstrip().startswith("<!doctype html>")
    assert html.count("<h1") == 1
    assert "<title>" in html
    assert "</html>" in html


def test_no_page_has_inline_script_style_or_handler(app: Application) -> None:
    """The content security policy allows none."""
    job = push(app)
    for path in ("/", "/spec", "/spec/lifecycle", f"/play/jobs/{job}", "/nowhere"):
        _, html = get(app, path)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html)), path


def test_every_route_is_described_and_documented() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text()
    for page in PAGES:
        assert page.summary.endswith(".")
        assert f"`{page.method} {page.path}`" in told, f"{page.method} {page.path} is not in CONTRIBUTING.md"


@pytest.mark.parametrize("view", [name for name in VIEWS if name not in {"job", "evidence", "goal"}])
def test_each_view_can_be_had_alone(app: Application, view: str) -> None:
    status, html = get(app, f"/ui/views/{view}")
    assert status == 200
    assert "<html" not in html


def test_the_board_shows_every_state_with_its_count(app: Application) -> None:
    push(app)
    push(app, pending=True)
    _, html = get(app, "/ui/views/board")
    for state in STATES:
        assert f"s-{state}" in html
    assert html.count('class="dot s-') == 2


def test_a_jobs_page_shows_all_that_is_known(app: Application) -> None:
    job = push(app, args=["<script>alert(1)</script>"], meta={"trace": "x"})
    app.session.engine.fetch(["default"], worker_id="w")
    app.session.engine.fail(job, {"code": "boom", "message": "<b>no</b>", "backtrace": ["a.py:1", "b.py:2"]})
    status, html = get(app, f"/play/jobs/{job}")
    assert status == 200
    assert "<script>alert" not in html
    assert "<b>no</b>" not in html
    for part in ("retryable", "FETCH", "boom", "a.py:1", "curl -X POST", job):
        assert part in html


def test_an_unknown_job_is_404_and_says_what_to_do(app: Application) -> None:
    status, html = get(app, f"/play/jobs/{UNKNOWN}")
    assert status == 404
    assert "There is no such job" in html
    assert "Enqueue one" in html


@pytest.mark.parametrize(
    "path", ["/nowhere", "/spec/nothing", "/ui/views/nothing", "/play/jobs/", "/%00", "/spec/..%2f.."]
)
def test_an_unknown_address_is_a_page_that_leads_on(app: Application, path: str) -> None:
    status, html = get(app, path)
    assert status == 404
    assert "not_found" in html


def test_another_method_is_refused(app: Application) -> None:
    assert app.handle(Request("DELETE", "/spec")).status == 405


# the editor


def test_enqueueing_by_the_editor_goes_through_the_binding(app: Application) -> None:
    response = post(app, "/ui/jobs", body='{"type": "email.send", "args": []}')
    assert response.status == 200
    assert "available" in text(response)
    assert app.session.engine.store.counts()["available"] == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "line 1, column 2"),
        ("[]", "one JSON object"),
        ('"text"', "one JSON object"),
        ("", "empty"),
        ('{"type": 5, "args": []}', "type"),
        ('{"type": "a"}', "args"),
        ('{"type": "a", "args": [], "priority": 1000}', "priority"),
        ('{"type": "a", "args": [], "scheduled_at": "tomorrow"}', "scheduled_at"),
        ('{"type": "a", "args": [], "id": "1"}', "id"),
        ('{"type": "a", "args": [1e999]}', "out of range"),
        ('{"type": "a", "args": [NaN]}', "NaN"),
        ("[" * 100_000, "nested"),
    ],
)
def test_a_bad_job_is_refused_beside_the_editor_and_changes_nothing(
    app: Application, body: str, said: str
) -> None:
    before = snapshot(app)
    response = post(app, "/ui/jobs", body=body)
    assert response.status == 422
    assert said in text(response).replace("&#39;", "'")
    assert snapshot(app) == before


def test_an_oversized_job_is_refused_with_the_limit(app: Application) -> None:
    response = post(app, "/ui/jobs", body=json.dumps({"type": "a", "args": ["x" * 1_048_576]}))
    assert response.status == 422
    assert "1048576" in text(response)


def test_without_scripts_the_editor_answers_with_the_whole_page_and_loses_nothing(app: Application) -> None:
    assert post(app, "/ui/jobs", htmx=False, body='{"type": "a", "args": []}').status == 303
    response = post(app, "/ui/jobs", htmx=False, body="{broken")
    assert response.status == 422
    assert "{broken" in text(response)
    assert "</html>" in text(response)


def test_a_form_that_is_not_utf8_is_refused(app: Application) -> None:
    response = app.handle(Request("POST", "/ui/jobs", {"hx-request": "true"}, b"body=\xff"))
    assert response.status in {400, 422}
    flood = b"&".join(b"a%d=1" % number for number in range(MAX_FIELDS + 1))
    assert app.handle(Request("POST", "/ui/jobs", {"hx-request": "true"}, flood)).status == 400


# the buttons


@pytest.mark.parametrize("operation", ["cancel", "activate", "retry"])
@pytest.mark.parametrize("state", ["available", "pending", "active", "completed", "cancelled", "discarded"])
def test_a_button_does_what_the_table_allows_and_says_what_it_refuses(operation: str, state: str) -> None:
    app = make_app()
    engine = app.session.engine
    job = push(app, pending=state == "pending", retry={"max_attempts": 1})
    if state in {"active", "completed", "discarded"}:
        engine.fetch(["default"])
    if state == "completed":
        engine.ack(job)
    if state == "discarded":
        engine.fail(job, {})
    if state == "cancelled":
        engine.cancel(job)
    allowed = {
        "cancel": {"available", "pending", "active"},
        "activate": {"pending"},
        "retry": {"discarded"},
    }[operation]
    before = snapshot(app)
    html = text(post(app, f"/ui/jobs/{job}/{operation}"))
    assert ("problem" in html) == (state not in allowed)
    assert (snapshot(app) == before) == (state not in allowed)


@pytest.mark.parametrize(
    "path",
    [
        f"/ui/jobs/{UNKNOWN}/explode",
        "/ui/workers/nobody/stop",
        "/ui/workers/nobody/kill",
        "/ui/workers/nobody/dance",
        "/ui/examples/lifecycle/nothing",
        "/ui/examples/nothing/first-job",
    ],
)
def test_a_button_for_what_is_not_there_is_404_and_changes_nothing(app: Application, path: str) -> None:
    before = snapshot(app)
    assert post(app, path).status == 404
    assert snapshot(app) == before


def test_cancelling_an_unknown_job_says_so(app: Application) -> None:
    assert "There is no job" in text(post(app, f"/ui/jobs/{UNKNOWN}/cancel"))


def test_workers_start_stop_and_die_by_buttons(app: Application) -> None:
    for _ in range(8):
        assert post(app, "/ui/workers").status == 204
    refused = post(app, "/ui/workers")
    assert refused.status == 409
    assert "stop one first" in text(refused)
    assert post(app, "/ui/workers/demo-1/stop").status == 204
    assert post(app, "/ui/workers/demo-2/kill").status == 204
    assert list(app.session.crew.workers) == [f"demo-{number}" for number in range(3, 9)]


def test_starting_over_forgets_jobs_and_events(app: Application) -> None:
    push(app)
    assert post(app, "/ui/reset").status == 200
    assert sum(app.session.engine.store.counts().values()) == 0
    assert list(app.session.engine.events) == []


def test_an_example_runs_in_the_session(app: Application) -> None:
    html = text(post(app, "/ui/examples/lifecycle/first-job"))
    assert "just now" in html
    assert app.session.engine.store.counts()["completed"] == 1
    assert post(app, "/ui/examples/lifecycle/first-job", htmx=False).status == 303


# streams


def test_a_stream_sends_every_view_then_what_changes(app: Application) -> None:
    response = app.handle(Request("GET", "/ui/stream?view=board&view=jobs"))
    assert response.headers["Content-Type"] == "text/event-stream"
    assert isinstance(response.body, EventStream)
    got: list[bytes] = []
    stop = response.body.start(got.append, lambda: None)
    assert b"view-board" in got[-1]
    push(app)
    assert app.next_due() is not None
    app.live.flush()
    assert b"email.send" in got[-1]
    stop()


@pytest.mark.parametrize(
    "query", ["", "?view=", "?view=nothing", "?" + "&".join(f"view=job:{n}" for n in range(MAX_VIEWS + 1))]
)
def test_a_stream_of_nonsense_is_refused(app: Application, query: str) -> None:
    response = app.handle(Request("GET", f"/ui/stream{query}"))
    assert response.status in {400, 404}
    assert isinstance(response.body, bytes)


def test_a_defect_of_ours_is_a_page_that_says_so(
    app: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    app.session.tick = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    status, html = get(app, "/")
    assert status == 500
    assert "ZeroDivisionError" not in html
    assert "ZeroDivisionError" in capsys.readouterr().err
    status, body = get(app, "/ojs/v1/health")
    assert status == 500
    assert json.loads(body)["error"]["code"]
