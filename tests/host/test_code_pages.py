"""The code pane and the index in this process: choices, hostile jobs, refusals, files."""

from __future__ import annotations

import html
import json
from urllib.parse import urlencode

import pytest

from engine.http.message import Request, Response
from playground.app import Application
from playground.code_pages import LARGEST, SHOWN
from playground.codegen.sdks import languages

FORM = {"content-type": "application/x-www-form-urlencoded"}
JOB = '{"type": "email.send", "args": ["<script>alert(1)</script>", "\\u202e", 1]}'


def ask(app: Application, *, htmx: bool = True, **fields: str) -> Response:
    headers = FORM | ({"hx-request": "true"} if htmx else {})
    return app.handle(Request("POST", "/ui/code", headers, urlencode(fields).encode()))


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


@pytest.mark.parametrize("language", list(languages()))
def test_the_fragment_is_escaped_and_names_the_job(app: Application, language: str) -> None:
    response = ask(app, body=JOB, language=language)
    assert response.status == 200
    assert "<script>" not in text(response)
    assert "\u202e" not in text(response)
    assert "email.send" in html.unescape(text(response))


def test_without_scripts_the_whole_workbench_comes_with_the_code(app: Application) -> None:
    page = text(ask(app, htmx=False, body=JOB, language="ruby", part="worker"))
    assert page.lstrip().startswith("<!doctype html>")
    assert "handle_email_send" in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "line 1, column 2"),
        ("", "type"),
        ('{"type": "Wrong", "args": []}', "type"),
        ('{"type": "a", "args": [], "retry": {"max_attempts": -1}}', "max_attempts"),
        ('{"type": "a", "args": [], "unique": {"keys": ["meta"]}}', "meta_keys"),
        ('{"type": "a", "args": [' + "[" * 100_000 + "]" * 100_000 + "]}", "nested"),
        ('{"type": "a", "args": [' + "[" * 600 + "]" * 600 + "]}", "a"),
        (json.dumps({"type": "a", "args": ["x" * LARGEST]}), "at most"),
    ],
)
def test_a_half_typed_or_bad_job_says_why(app: Application, body: str, said: str) -> None:
    response = ask(app, body=body, language="python")
    assert response.status == 200
    assert said in text(response)


def test_an_unknown_choice_is_refused_and_in_an_address_ignored(app: Application) -> None:
    assert ask(app, body=JOB, language="cobol").status == 400
    assert ask(app, body=JOB, part="third").status == 400
    response = app.handle(Request("GET", "/play?do=code&language=cobol&part=x", {}))
    assert response.status == 200
    assert "OJSClient" in text(response)


def test_long_code_is_cut_on_the_page_and_whole_in_the_file(app: Application) -> None:
    body = json.dumps({"type": "a", "args": [f"key{number}" for number in range(10_000)], "meta": {}})
    page = text(ask(app, body=body, language="go"))
    assert len(page) < 3 * SHOWN
    assert "the download has all of them" in page
    file = ask(app, body=body, language="go", **{"as": "file"})
    assert file.headers["Content-Disposition"] == 'attachment; filename="producer.go"'
    assert "key9999" in text(file)


def test_a_job_on_the_server_is_what_the_pane_begins_with(app: Application) -> None:
    job = app.session.engine.push({"type": "report.build", "args": [1], "queue": "mail"}).job.id
    page = text(app.handle(Request("GET", f"/play?do=code&language=java&from={job}", {})))
    assert "report.build" in page
    assert "data-from" in page


def test_the_index_has_every_kind_and_its_addresses_answer(app: Application) -> None:
    entries = json.loads(text(app.handle(Request("GET", "/spec/search.json", {}))))
    kinds = {kind for kind, *_ in entries}
    assert kinds >= {"Page", "Pane", "Reference", "Scenario", "Ruling", "Endpoint"}
    for to in {
        to.partition("#")[0] for kind, _, _, to in entries if to and kind not in {"Scenario", "Endpoint"}
    }:
        assert app.handle(Request("GET", to, {})).status == 200, to
