"""The conformance pages, in this process."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from engine.conformance.result import CaseResult
from playground.app import Application
from playground.travel_pages import OPENED
from playground.trial import Hear
from tests.conftest import make_app
from tests.host.test_pages import get, post, text

CASE = {
    "test_id": "X-1",
    "level": 0,
    "category": "x",
    "name": "x",
    "description": "Health answers.",
    "spec_ref": "x",
    "tags": [],
    "steps": [
        {"id": "one", "action": "GET", "path": "/ojs/v1/health", "assertions": {"status": 200}},
        {"id": "two", "action": "POST", "path": "/ojs/v1/jobs", "body": {"type": "a", "args": []}},
    ],
}


def finish(app: Application) -> None:
    """Let the run go on to its end, as the host's timer would: only when something is due, and then at once."""
    end = time.monotonic() + 60
    while app.trial.running:
        assert time.monotonic() < end, "the run does not go on"
        due = app.next_due()
        assert due is not None
        if due <= app.clock.now():
            app.tick()


def upload(app: Application, body: bytes, name: str = "mine") -> Any:
    from engine.http.message import Request  # noqa: PLC0415 - beside its one use

    return app.handle(Request("POST", f"/ui/conformance/cases?name={name}", {"hx-request": "true"}, body))


@pytest.fixture(scope="module")
def run() -> Application:
    """An application in which every own case has run."""
    app = make_app()
    assert post(app, "/ui/conformance/run").status == 204
    finish(app)
    return app


def test_every_own_case_passes_on_the_page(run: Application) -> None:
    assert {row.verdict for row in run.trial.rows()} == {"passed"}
    html = get(run, "/conformance")[1]
    assert "Conformant up to" in html
    assert html.count('class="verdict v-passed"') > 150


def test_a_case_page_shows_requests_answers_and_expectations(run: Application) -> None:
    case = next(iter(run.trial.cases))
    status, html = get(run, f"/conformance/cases/{case}")
    assert status == 200
    for part in ("POST", "/ojs/v1/", "Headers and body", "openjobspec+json", "Open this moment", "v-passed"):
        assert part in html


def test_a_suite_alone_can_be_seen_and_an_unknown_one_is_404(run: Application) -> None:
    assert get(run, "/conformance?suite=level-4-unique")[0] == 200
    assert get(run, "/conformance?suite=nothing")[0] == 404
    assert get(run, "/conformance/cases/nothing")[0] == 404


@pytest.mark.parametrize(
    ("form", "part"),
    [("text", "{count} passed"), ("json", '"conformant": true'), ("junit", "<testsuite"), ("badge", "<svg")],
)
def test_the_results_can_be_had_as_a_file(run: Application, form: str, part: str) -> None:
    status, body = get(run, f"/ui/conformance/report/{form}")
    assert status == 200
    assert part.replace("{count}", str(len(run.trial.cases))) in body
    assert get(run, "/ui/conformance/report/pdf")[0] == 404


@pytest.mark.parametrize(
    "form",
    [{"level": "0"}, {"suite": "level-3-chain"}, {"case": "OWN-L0-LC-002"}],
    ids=lambda form: next(iter(form)),
)
def test_a_run_can_be_narrowed(form: dict[str, str]) -> None:
    app = make_app()
    assert post(app, "/ui/conformance/run", **form).status == 204
    finish(app)
    fits = {
        name
        for name, case in app.trial.cases.items()
        if all(
            str(getattr(case, field if field != "case" else "id")) == value for field, value in form.items()
        )
    }
    assert 0 < len(fits) < len(app.trial.cases)
    assert {row.name for row in app.trial.rows() if row.result} == fits


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"level": "9"}, 400),
        ({"level": "x"}, 400),
        ({"case": "nothing"}, 404),
        ({"url": "http://localhost:1"}, 400),
    ],
)
def test_a_run_of_nonsense_is_refused_and_starts_nothing(
    app: Application, form: dict[str, str], status: int
) -> None:
    assert post(app, "/ui/conformance/run", **form).status == status
    assert not app.trial.running


def test_a_run_goes_on_in_slices_and_can_be_stopped(app: Application) -> None:
    post(app, "/ui/conformance/run")
    assert app.trial.left == len(app.trial.cases)
    app.tick()
    assert 0 < app.trial.left < len(app.trial.cases)
    post(app, "/ui/conformance/stop")
    assert not app.trial.running
    done = len([row for row in app.trial.rows() if row.result])
    app.tick()
    assert len([row for row in app.trial.rows() if row.result]) == done


def test_a_folder_of_cases_replaces_the_own_ones_and_they_come_back(app: Application) -> None:
    files = {
        "mine/X-1.json": json.dumps(CASE),
        "mine/broken.json": '{"test_id": "B"',
        "mine/readme.json": "[]",
    }
    assert upload(app, json.dumps(files).encode()).status == 204
    post(app, "/ui/conformance/run")
    finish(app)
    assert [row.verdict for row in app.trial.rows()] == ["passed"]
    html = get(app, "/conformance")[1]
    assert "mine/broken.json" in html
    assert upload(app, b"").status == 204
    assert len(app.trial.cases) > 100


def test_a_zip_of_cases_is_read(app: Application) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("suites/x/X-1.json", json.dumps(CASE))
    assert upload(app, packed.getvalue(), "cases.zip").status == 204
    assert list(app.trial.cases) == ["X-1"]
    assert app.trial.source == "cases.zip"


@pytest.mark.parametrize(
    "body", [b"PK\x03\x04garbage", b"{}", b"nonsense", b'["a"]', b'{"a.json": "{}"}', b"\xff\xfe"]
)
def test_what_holds_no_case_is_refused_and_the_cases_stay(app: Application, body: bytes) -> None:
    before = list(app.trial.cases)
    response = upload(app, body)
    assert response.status == 400
    assert "cannot be read" in text(response)
    assert list(app.trial.cases) == before


def test_a_moment_of_a_case_opens_in_a_tab_and_closes_again(tab: Application) -> None:
    upload(tab, json.dumps({"x/X-1.json": json.dumps(CASE)}).encode())
    own = tab.session.engine.push({"type": "own.job", "args": []}).job.id
    response = post(tab, "/ui/conformance/cases/X-1/open/2")
    assert response.status == 200
    assert response.headers["HX-Push-Url"] == OPENED
    assert "X-1 after step 2" in get(tab, "/")[1]
    assert [job.type for job in tab.session.engine.store.jobs()] == ["a"]
    assert post(tab, "/ui/time/undo").status == 204
    assert tab.session.engine.store.jobs() == []
    assert post(tab, "/ui/time/leave").status == 204
    assert tab.session.engine.info(own).state == "available"
    assert "after step" not in get(tab, "/ui/views/time")[1]


def test_a_moment_of_a_case_opens_in_the_sandbox_beside_a_server(app: Application) -> None:
    upload(app, json.dumps({"x/X-1.json": json.dumps(CASE)}).encode())
    own = app.session.engine.push({"type": "own.job", "args": []}).job.id
    response = post(app, "/ui/conformance/cases/X-1/open/2")
    assert response.headers["HX-Redirect"] == OPENED
    assert response.headers["Set-Cookie"].startswith("ojs-session=sandbox; ")
    assert app.session.engine.info(own).state == "available"
    assert app.beside is not None
    assert "X-1 after step 2" in get(app.beside, "/")[1]


@pytest.mark.parametrize("path", ["X-1/open/0", "X-1/open/3", "X-1/open/x", "nothing/open/1"])
def test_a_moment_that_is_not_there_is_404(app: Application, path: str) -> None:
    upload(app, json.dumps({"x/X-1.json": json.dumps(CASE)}).encode())
    assert post(app, f"/ui/conformance/cases/{path}").status == 404
    assert app.travel.title == ""


def test_another_server_is_run_by_the_host(app: Application) -> None:
    given: list[tuple[Iterator[CaseResult], Hear]] = []
    app.outside = lambda results, hear: given.append((results, hear))
    assert post(app, "/ui/conformance/run", url="http://127.0.0.1:9", case="OWN-L0-LC-002").status == 204
    (results, hear) = given[0]
    for result in results:
        assert hear(result)
    assert hear(None)
    row = app.trial.row("OWN-L0-LC-002")
    assert row is not None
    assert row.verdict == "failed"
    assert "refused" in (row.result.reason if row.result else "")
    assert not app.trial.running
    for url in ("ftp://x", "http://"):
        assert post(app, "/ui/conformance/run", url=url).status == 400


def test_a_level_is_claimed_only_when_each_of_its_cases_has_run(app: Application) -> None:
    post(app, "/ui/conformance/run", case="OWN-L0-LC-002")
    finish(app)
    assert app.trial.level is None
    assert "Conformant up to" not in get(app, "/conformance")[1]
    assert get(app, "/ui/conformance/report/badge")[0] == 409
    post(app, "/ui/conformance/run", level="0")
    finish(app)
    assert app.trial.level == 0


def test_a_session_waits_with_its_workers_while_a_moment_is_open(tab: Application) -> None:
    post(tab, "/ui/jobs", body='{"type": "slow.export", "args": []}')
    post(tab, "/ui/time/add", ms="1000")
    assert [worker.run is not None for worker in tab.session.crew.workers.values()] == [True]
    for _ in range(3):
        assert post(tab, "/ui/conformance/cases/OWN-L0-LC-002/open/1").status == 200
        assert tab.session.crew.workers == {}
        post(tab, "/ui/time/leave")
    assert [worker.run is not None for worker in tab.session.crew.workers.values()] == [True]
    heard: list[str] = []
    tab.session.listeners.append(lambda event: heard.append(event.type))
    tab.session.engine.push({"type": "a", "args": []})
    assert heard.count("job.enqueued") == 1
