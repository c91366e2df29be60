"""The shelf of published documents, as its pages show it."""

from __future__ import annotations

import json

from engine.conformance.case import read
from engine.http.message import Request, Response
from playground import case_files
from playground.app import Application

DOCUMENT = '# Retry\n\n## 4. Backoff\n\nIt MUST wait.\n\n```json\n{"type": "a.b", "args": [1]}\n```\n'


def put(app: Application, files: dict[str, str]) -> Response:
    body = json.dumps(files).encode()
    return app.handle(Request("POST", "/ui/published?name=mine", {"hx-request": "true"}, body))


def get(app: Application, url: str) -> tuple[int, str]:
    response = app.handle(Request("GET", url, {"hx-request": "true"}))
    assert isinstance(response.body, bytes)
    return response.status, response.body.decode()


def test_a_checkout_is_put_on_the_shelf_and_read(tab: Application) -> None:
    assert "The shelf is empty" in get(tab, "/spec/published")[1]
    assert put(tab, {"spec/ojs-retry.md": DOCUMENT}).status == 204
    assert "/spec/published/ojs-retry" in get(tab, "/spec/published")[1]
    status, html = get(tab, "/spec/published/ojs-retry")
    assert status == 200
    assert 'id="P-retry-1"' in html
    assert 'id="section-4"' in html
    assert "Every internal link lands" in get(tab, "/ui/published/check")[1]
    assert tab.handle(Request("POST", "/ui/published", {"hx-request": "true"})).status == 204
    assert get(tab, "/spec/published/ojs-retry")[0] == 404


def test_a_case_that_cites_a_section_which_is_not_there_is_named_by_file_and_line(tab: Application) -> None:
    case = {
        "test_id": "X-1",
        "spec_ref": "ojs-retry.md#section-99",
        "steps": [{"id": "a", "action": "GET", "path": "/"}],
    }
    texts = {
        "suites/x.json": json.dumps(case, indent=1),
        "suites/y.json": json.dumps(case | {"test_id": "X-2", "spec_ref": ""}),
    }
    taken = tab.handle(
        Request("POST", "/ui/conformance/cases", {"hx-request": "true"}, json.dumps(texts).encode())
    )
    assert taken.status < 300
    put(tab, {"spec/ojs-retry.md": DOCUMENT})
    html = get(tab, "/ui/published/check")[1]
    assert "suites/x.json:3</code> cites ojs-retry.md#section-99" in html
    assert "suites/y.json:1</code> cites nothing" in html


def test_the_tabs_own_cases_keep_their_lines() -> None:
    own = {path: raw for path, raw in case_files.case_files(case_files.own_cases()) if b'"test_id"' in raw}
    small = json.loads(case_files.dump())
    assert len(own) > 100
    assert all(
        read(small[path].encode(), path).spec_line == read(raw, path).spec_line for path, raw in own.items()
    )
    assert all(read(raw, path).spec_line > 1 for path, raw in own.items() if b'"spec_ref"' in raw)


def test_an_example_runs_in_the_visitors_session(tab: Application) -> None:
    body = b"method=POST&path=/ojs/v1/jobs&body=%7B%22type%22%3A%22a.b%22%2C%22args%22%3A%5B%5D%7D"
    answer = tab.handle(Request("POST", "/ui/published/run", {"hx-request": "true"}, body))
    assert answer.status == 200
    assert [job.type for job in tab.session.engine.store.jobs()] == ["a.b"]
    refused = tab.handle(Request("POST", "/ui/published/run", {"hx-request": "true"}, b"method=BREW&path=/x"))
    assert refused.status == 400


def test_what_is_no_specification_is_refused_and_the_shelf_stays(tab: Application) -> None:
    put(tab, {"ojs-retry.md": DOCUMENT})
    for body in (b"{", b"[]", b"PK\x03\x04nothing", json.dumps({"notes.md": "x"}).encode(), b"[" * 200_000):
        answer = tab.handle(Request("POST", "/ui/published", {"hx-request": "true"}, body))
        assert answer.status == 400, body[:20]
        assert isinstance(answer.body, bytes)
        assert b"cannot be read" in answer.body
    assert get(tab, "/spec/published/ojs-retry")[0] == 200
