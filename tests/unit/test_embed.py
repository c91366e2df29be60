"""Widgets: what authors may write, what the engine makes of it, and what they are told of what it cannot take."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from engine.errors import OJSError
from engine.http.message import Request
from playground.app import Application
from playground.embed.content import MAX_TEXT, written
from playground.embed.markdown import FenceError, fence, plugin, replaced
from playground.embed.pages import chosen
from playground.embed.playing import play
from playground.embed.rooms import MAX_ROOMS, VIEWS
from playground.embed.snippets import Choice, fenced
from playground.travel import library

ORIGIN = "https://playground.example"
FLAKY = '{"type": "flaky.charge", "args": [], "retry": {"max_attempts": 5, "jitter": false}}'
BY_HAND = """POST /jobs
{"type": "a.b", "args": []}
---
POST /workers/fetch
{"queues": ["default"], "worker_id": "w"}
---
POST /workers/ack
{"job_id": "{{1.job.id}}"}
---
GET /jobs/{{1.job.id}}"""


def ask(app: Application, move: str, room: str = "a" * 32, **asked: Any) -> tuple[int, dict[str, Any]]:
    answer = app.handle(Request("POST", f"/ui/embed/{room}/{move}", {}, json.dumps(asked).encode()))
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body)


def test_a_job_is_enqueued_and_played_until_it_has_ended() -> None:
    played = play(written(FLAKY))
    assert [row.status for row in played.rows] == [201]
    assert [event.type for event, _ in played.events].count("job.retrying") == 2
    assert played.events[-1][0].type == "job.completed"


def test_requests_use_earlier_answers_and_no_worker_takes_what_they_fetch() -> None:
    played = play(written(BY_HAND))
    assert [row.status for row in played.rows] == [201, 200, 200, 200]
    assert played.rows[3].answer["job"]["state"] == "completed"
    assert not played.timeline.world.crew.workers


def test_a_request_in_json_is_sent_as_it_is() -> None:
    played = play(
        written('{"method": "post", "path": "/jobs", "body": {"type": "a.b", "args": ["{{1.x}}"]}}')
    )
    assert played.rows[0].answer["job"]["args"] == ["{{1.x}}"]


def test_every_scenario_of_the_library_is_a_widget(app: Application) -> None:
    for name in library.names():
        played = chosen(app, {"scenario": name})
        assert played.rows, name
        assert not [row.says for row in played.rows if row.verdict == "failed"], name


def test_a_requirement_is_shown_by_its_first_case_and_all_are_run(app: Application) -> None:
    played = chosen(app, {"requirement": "R-retry-1"})
    count = re.match(r"(\d+) of (\d+) cases passed", played.says)
    assert count
    assert count[1] == count[2]
    assert all(row.verdict == "ok" for row in played.rows)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "nothing to run"),
        ({"text": "{"}, "neither JSON nor a request"),
        ({"text": "[1]"}, "no object"),
        ({"text": '{"a": 1}'}, 'no "type"'),
        ({"text": '{"path": "jobs"}'}, 'no "path"'),
        ({"text": '{"method": "POST", "path": "/jobs", "bdy": 1}'}, '"bdy"'),
        ({"text": '{"method": "BREW", "path": "/jobs"}'}, "cannot be sent"),
        ({"text": "POST /jobs\n{"}, "request 1 is no JSON"),
        ({"text": "GET /jobs\n---\nnonsense"}, "Request 2 begins with 'nonsense'"),
        ({"text": 'POST /jobs\n{"type": "{{2.x}}"}'}, "answer 2"),
        ({"text": "GET /jobs/{{1.job.id}}\n---\nGET /jobs"}, "answer 1"),
        ({"text": "GET /jobs\n---\nGET /jobs/{{1.none}}"}, "leads nowhere"),
        ({"text": "[" * 500}, "nested too deeply"),
        ({"text": " x" * MAX_TEXT}, "a widget takes"),
        ({"text": '{"format": "ojs-playground-scenario", "version": 9}'}, "version 9"),
        ({"text": FLAKY, "workers": 99}, "0 to 8 workers"),
        ({"text": FLAKY, "scenario": "first-job"}, "one thing"),
        ({"scenario": "<b>"}, "no scenario '<b>'"),
        ({"requirement": "R-none-1"}, "no requirement 'R-none-1'"),
    ],
)
def test_nonsense_is_refused_with_one_line(app: Application, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(OJSError) as refused:
        chosen(app, asked)
    assert said in refused.value.message
    assert "\n" not in refused.value.message
    assert ask(app, "load", **asked)[1]["problem"] == refused.value.message


def test_a_scenario_that_takes_too_long_is_left_to_the_playground(app: Application) -> None:
    year = {"format": "ojs-playground-scenario", "version": 1, "seed": 1, "start": "2026-01-01T12:00:00.000Z"}
    _, told = ask(app, "load", text=json.dumps({**year, "workers": 8, "steps": [], "end": 31_536_000_000}))
    assert "too much for a widget" in told["problem"]


def test_a_run_goes_event_by_event_and_to_any_of_them(app: Application) -> None:
    _, told = ask(app, "load", text=FLAKY, views=["log"])
    assert (told["done"], told["ended"], told["states"]) == (0, False, {})
    seen = []
    for _ in range(told["total"]):
        _, told = ask(app, "next", views=list(VIEWS))
        seen.append(told["event"]["type"])
    assert seen[-1] == "job.completed"
    assert told["ended"]
    assert told["html"].keys() == VIEWS.keys()
    assert "flaky.charge" in told["html"]["code"]
    _, told = ask(app, "go", seq=3)
    assert told["states"] == {"available": 1}
    _, told = ask(app, "rewind", link=True)
    assert told["done"] == 0
    assert told["fragment"].startswith("s=1.")
    assert ask(app, "go", seq=10_000)[0] == 404
    assert ask(app, "go", seq="x")[1]["problem"].startswith("Say the number")


def test_runs_are_apart_and_bounded_and_touch_no_session(app: Application) -> None:
    for number in range(MAX_ROOMS + 1):
        ask(app, "load", f"{number:032x}", text=FLAKY)
    status, told = ask(app, "next", f"{0:032x}")
    assert (status, told["problem"]) == (404, "This run is not kept any more; run it again.")
    assert ask(app, "finish", f"{1:032x}")[1]["ended"]
    assert ask(app, "show", f"{2:032x}")[1]["done"] == 0
    assert ask(app, "load", "guessable", text=FLAKY)[0] == 400
    assert app.session.engine.events.seq == 0


def test_what_anybody_wrote_is_shown_escaped(app: Application) -> None:
    text = '{"type": "a.b", "args": ["</script><img src=x onerror=alert(1)>"], "meta": {"x": "<b>"}}'
    ask(app, "load", text=text)
    _, told = ask(app, "finish", views=list(VIEWS))
    assert not [name for name, html in told["html"].items() if "<img" in html or "</script" in html]
    assert "<img" not in fence(text, "ojs", ORIGIN)


def test_a_block_marked_ojs_becomes_a_widget_with_its_recorded_result() -> None:
    blocks = (f"ojs Twice views=log,diagram height=300\n{FLAKY}", f"json ojs\n{FLAKY}", "json\n{}")
    document = "# T\n\n" + "".join(f"```{block}\n```\n\n" for block in blocks)
    html = MarkdownIt().use(plugin, origin=ORIGIN).render(document)
    assert html.count("<ojs-try ") == 2
    assert html.count(f'src="{ORIGIN}/embed.js"') == 1
    assert (
        'label="Twice" views="log diagram" height="300" style="display:block;box-sizing:border-box;height:300px;'
        in html
    )
    assert "11 events in" in html
    assert "<code>job.completed</code>" in html
    assert '<code class="language-json">{}' in html
    assert replaced(document, ORIGIN).count("<ojs-try ") == 2


def test_html_for_markdown_has_no_empty_line_and_keeps_those_of_the_text() -> None:
    html = fence('POST /jobs\n\n{"type": "a.b",\n\n"args": []}', "ojs", ORIGIN)
    assert "\n\n" not in html
    assert html.count("&#10;") == 2


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ("ojs scenario=none", "one thing"),
        ("ojs hight=3", "no 'hight'"),
        ("ojs height=3", "160 to 2000"),
        ("ojs height=tall", "whole number"),
        ("ojs views=x", "no view 'x'"),
        ("ojs theme=blue", "light or dark"),
        ("ojs 'x", "cannot be read"),
    ],
)
def test_a_block_that_cannot_become_one_fails_the_rendering_with_its_line(info: str, said: str) -> None:
    with pytest.raises(FenceError, match=said) as failed:
        replaced(f"# T\n\n```{info}\n{FLAKY}\n```\n", ORIGIN)
    assert str(failed.value).startswith("line 3: ")


def test_the_builders_block_says_what_was_chosen() -> None:
    fields = {"text": FLAKY, "label": "a=b c", "views": "log code", "height": "400", "theme": "dark"}
    choice = Choice.read(fields)
    block = fenced(choice)
    assert 'views="log code"' in replaced(block, ORIGIN)
    assert 'label="a=b c"' in replaced(block, ORIGIN)


def test_the_builder_shows_the_widget_and_four_ways_to_have_it(app: Application) -> None:
    answer = app.handle(Request("GET", "/embed?what=scenario&scenario=worker-crash&views=log&views=jobs"))
    assert isinstance(answer.body, bytes)
    html = answer.body.decode()
    for part in ('<ojs-try scenario="worker-crash" views="log jobs"', "&lt;iframe", "```ojs", "](https://"):
        assert part in html
    assert "style=" not in html.replace("style=&#34;", "")
    refused = app.handle(
        Request("POST", "/ui/embed", {"hx-request": "true"}, b"what=requirement&requirement=%3Cb%3E")
    )
    assert refused.status == 422
    assert isinstance(refused.body, bytes)
    assert b"<b>" not in refused.body
