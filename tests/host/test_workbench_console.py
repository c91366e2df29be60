"""The compose and console panes in this process, in both kinds of session, with and without scripts."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import urlencode

import pytest

from engine.http.message import Request, Response
from playground.app import Application
from playground.compose import BY_NAME as TARGETS
from playground.topics import TOPICS, Topic

JOB = '{"type": "email.send", "args": []}'
HOSTILE = "</code><script>alert(1)</script>\u202e"


@pytest.fixture(params=["app", "tab"])
def either(request: pytest.FixtureRequest) -> Application:
    """An application in real time, and one in virtual time."""
    found: Application = request.getfixturevalue(request.param)
    return found


def get(app: Application, url: str, *, htmx: bool = False) -> tuple[int, str]:
    response = app.handle(Request("GET", url, {"hx-request": "true"} if htmx else {}))
    return response.status, text(response)


def post(app: Application, path: str, /, *, htmx: bool = True, **form: str) -> Response:
    headers = {"hx-request": "true"} if htmx else {}
    return app.handle(Request("POST", path, headers, urlencode(form).encode()))


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


def jobs(app: Application) -> int:
    return sum(app.session.engine.store.counts().values())


# compose


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_each_template_can_be_opened_without_scripts_and_run(either: Application, topic: Topic) -> None:
    _, html = get(either, f"/play?do=compose&template={topic.name}")
    shown = re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)
    assert shown is not None
    assert unescape(shown[1]) == topic.text
    response = post(either, "/ui/compose", target=topic.target, body=topic.text)
    assert response.status == 200, text(response)
    assert 'class="done"' in text(response)


def test_a_sample_of_the_home_page_opens_too(either: Application) -> None:
    assert "flaky.charge" in get(either, "/play?do=compose&sample=flaky")[1]


def test_what_is_refused_is_said_and_kept(either: Application) -> None:
    body = f'{{"type": "{HOSTILE}", "args": []}}'
    response = post(either, "/ui/compose", htmx=False, target="job", body=body)
    html = text(response)
    assert response.status == 422
    assert unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)[0]) == body
    assert "OJS Core 5.1" in html
    assert "<script>alert" not in html
    assert jobs(either) == 0


def test_a_target_that_is_none_is_refused(either: Application) -> None:
    assert post(either, "/ui/compose", target="cake", body="{}").status == 400
    assert post(either, "/ui/compose/check", target="cake", body="{}").status == 400


def test_a_job_that_nobody_asks_for_says_so(either: Application) -> None:
    job = '{"type": "email.send", "args": [], "options": {"queue": "mail"}}'
    hint = "no worker has asked for jobs of <code>mail</code>"
    assert hint in text(post(either, "/ui/compose", target="job", body=job))
    assert hint in text(post(either, "/ui/jobs", body=job))
    ask = Request("POST", "/ojs/v1/workers/fetch", {}, b'{"queues": ["mail"], "worker_id": "own-1"}')
    assert either.handle(ask).status == 200
    assert hint not in text(post(either, "/ui/compose", target="job", body=job))


def test_a_check_answers_places_and_changes_nothing(either: Application) -> None:
    response = post(either, "/ui/compose/check", target="job", body='{\n "type": "A",\n "args": []}')
    answer = json.loads(text(response))
    (problem,) = answer["problems"]
    assert (problem["pointer"], problem["line"], problem["column"]) == ("/type", 2, 10)
    assert problem["clause"] == "OJS Core 5.1"
    assert answer["bytes"] == 28
    assert answer["limit"] == 1_048_576
    assert jobs(either) == 0
    assert not any(one.request.url.endswith("/jobs") for one in either.session.exchanges.last(50))


def test_what_is_seen_is_what_is_sent_byte_by_byte(either: Application) -> None:
    body = '{ "type":"a",\n\t"args": [1.50, 12345678901234567890, "é\\u0000"] }'
    post(either, "/ui/compose", target="job", body=body)
    sent = either.session.exchanges.last(1)[0].request
    assert sent.url == TARGETS["job"].path
    assert json.loads(sent.body) == json.loads(body)
    if not either.session.virtual:  # a journal keeps JSON without its spaces
        assert sent.body == body.encode()


# console


def test_the_console_sends_and_shows_the_real_answer(either: Application) -> None:
    response = post(
        either, "/ui/console", method="POST", path="/ojs/v1/jobs", headers="OJS-Version: 1.0", body=JOB
    )
    html = text(response)
    assert response.status == 200
    assert '<span class="status ok">201</span>' in html
    assert "Location: /ojs/v1/jobs/" in html
    assert re.search(r"handled in \d+\.\d\d ms", html)
    assert jobs(either) == 1


def test_a_refusal_of_the_binding_is_an_answer_too(either: Application) -> None:
    html = text(post(either, "/ui/console", method="POST", path="/ojs/v1/jobs", headers="", body="{half"))
    assert '<span class="status bad">400</span>' in html
    assert "is not JSON" in html


def test_what_cannot_be_sent_is_said_precisely_and_kept_without_scripts(either: Application) -> None:
    response = post(
        either,
        "/ui/console",
        htmx=False,
        method="POST",
        path="/ojs/v1/jobs/{id}",
        headers="broken",
        body=HOSTILE,
    )
    html = text(response)
    assert response.status == 422
    assert "Put a value in the place of &#39;{id}&#39;" in html
    assert 'value="/ojs/v1/jobs/{id}"' in html
    assert unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)[1]) == HOSTILE
    assert "<script>alert" not in html


def test_a_link_fills_the_console_and_never_sends(either: Application) -> None:
    query = urlencode({"do": "console", "method": "delete", "path": "/ojs/v1/jobs/1", "body": JOB})
    status, html = get(either, f"/play?{query}")
    assert status == 200
    assert "<option selected>DELETE</option>" in html
    assert 'value="/ojs/v1/jobs/1"' in html
    assert 'class="status' not in html.split('id="console-answer"')[1].split("</ojs-console>")[0]
    assert either.session.exchanges.count == 0 or jobs(either) == 0


@pytest.mark.parametrize(
    "query", ["method=BREW", "exchange=99", "exchange=x", "exchange=1e9", "path=", "as=curl"]
)
def test_a_strange_link_is_answered_in_the_pane(either: Application, query: str) -> None:
    status, html = get(either, f"/play?do=console&{query}")
    assert status == 200
    assert 'id="console-form"' in html


def test_every_endpoint_of_the_binding_is_offered(either: Application) -> None:
    from engine.http.routes import ROUTES  # noqa: PLC0415 - the whole binding, for this test only

    _, html = get(either, "/play?do=console")
    assert html.count("<option value=") >= len(ROUTES)
    assert f"All {len(ROUTES)} endpoints" in html


def test_an_exchange_is_opened_copied_and_saved(either: Application) -> None:
    post(either, "/ui/compose", target="job", body=JOB)
    number = either.session.exchanges.last(1)[0].number
    status, html = get(either, f"/ui/exchanges/{number}", htmx=True)
    assert status == 200
    assert 'value="/ojs/v1/jobs"' in html
    for form, says in (
        ("curl", "curl -i"),
        ("fetch", "await fetch("),
        ("python", "urllib"),
        ("step", "request"),
    ):
        status, told = get(either, f"/ui/exchanges/{number}/as/{form}", htmx=True)
        assert status == 200
        assert says in unescape(told)
        assert says in unescape(get(either, f"/play?do=console&exchange={number}&as={form}")[1])
    file = either.handle(Request("GET", f"/ui/exchanges/{number}/body"))
    assert json.loads(text(file))["state"] == "available"
    assert file.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("tail", ["", "/as/curl", "/body"])
def test_an_exchange_that_is_not_kept_is_404(either: Application, tail: str) -> None:
    status, html = get(either, f"/ui/exchanges/12345{tail}", htmx=True)
    assert status == 404
    assert "is not kept" in html


def test_a_form_that_is_none_is_404(either: Application) -> None:
    post(either, "/ui/compose", target="job", body=JOB)
    number = either.session.exchanges.last(1)[0].number
    assert get(either, f"/ui/exchanges/{number}/as/cobol", htmx=True)[0] == 404


def test_a_stream_is_not_waited_for(either: Application) -> None:
    html = text(post(either, "/ui/console", method="GET", path="/ojs/v1/events/stream"))
    assert "A stream of events" in html


def test_the_list_shows_workers_too_escapes_paths_and_stays_short(either: Application) -> None:
    for index in range(100):
        either.handle(Request("GET", f"/ojs/v1/jobs/<b>{HOSTILE}{index}"))
    _, html = get(either, "/ui/views/exchanges")
    assert "<b>&lt;" not in html
    assert "<script>" not in html
    assert "\u202e" not in html
    assert html.count("<li") <= 80


def test_a_huge_answer_is_cut_and_can_be_saved_whole(either: Application) -> None:
    args = json.dumps(["x" * 400_000])
    html = text(
        post(
            either,
            "/ui/console",
            method="POST",
            path="/ojs/v1/jobs",
            headers="",
            body=f'{{"type": "a", "args": {args}}}',
        )
    )
    assert len(html) < 60_000
    assert "This is the beginning of" in html
    number = either.session.exchanges.last(1)[0].number
    assert len(text(either.handle(Request("GET", f"/ui/exchanges/{number}/body")))) > 400_000
    assert "too many to copy" in get(either, f"/ui/exchanges/{number}/as/curl", htmx=True)[1]


def test_in_virtual_time_the_pane_says_what_is_not_carried(tab: Application) -> None:
    told = {"method": "POST", "path": "/ojs/v1/jobs", "headers": "X-Trace: 7\nOJS-Version: 1.0", "body": JOB}
    assert "Not carried in virtual time" in text(post(tab, "/ui/console", **told))
    assert "x-trace" in text(post(tab, "/ui/console", **told))


def test_secrets_of_others_are_never_shown(app: Application) -> None:
    app.handle(Request("GET", "/ojs/v1/jobs", {"authorization": "Bearer hush", "x-request-id": "r1"}))
    number = app.session.exchanges.last(1)[0].number
    for tail in ("", "/as/curl", "/as/python", "/as/fetch"):
        html = get(app, f"/ui/exchanges/{number}{tail}", htmx=True)[1]
        assert "hush" not in html
        assert "r1" in html
    assert "Left out, since it is secret: authorization" in get(app, f"/ui/exchanges/{number}", htmx=True)[1]
