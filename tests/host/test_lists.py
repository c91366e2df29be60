"""The workbench's lists in this process: what they show, what their buttons do, and how they meet bad input."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from engine.http.message import Request, Response
from playground.app import Application
from tests.conftest import make_app

HOSTILE = "<img src=x onerror=alert(1)>\u202edlrow"


def get(app: Application, url: str) -> tuple[int, str]:
    response = app.handle(Request("GET", url))
    assert isinstance(response.body, bytes)
    return response.status, response.body.decode()


def post(app: Application, path: str, /, *, htmx: bool = True, **form: Any) -> Response:
    headers = {"hx-request": "true"} if htmx else {}
    return app.handle(Request("POST", path, headers, urlencode(form, doseq=True).encode()))


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


def push(app: Application, **fields: object) -> str:
    body = json.dumps({"type": "email.send", "args": [], **fields}).encode()
    answer = app.session.handle(Request("POST", "/ojs/v1/jobs", {}, body))
    assert isinstance(answer.body, bytes)
    return str(json.loads(answer.body)["job"]["id"])


def fail(app: Application, **error: object) -> str:
    """A dead letter."""
    push(app, retry={"max_attempts": 1, "on_exhaustion": "dead_letter"})
    (job,) = app.session.engine.fetch(["default"])
    app.session.engine.fail(job.id, {"code": "boom", **error})
    return job.id


def view(app: Application, name: str) -> str:
    status, html = get(app, f"/ui/views/{quote(name, safe='')}")
    assert status == 200
    return html


def found(app: Application, query: str, page: int = 1) -> str:
    return view(app, "found:" + urlencode({"page": page, "q": query}))


# jobs


def test_the_search_is_in_the_address_and_in_the_stream(app: Application) -> None:
    push(app, tags=["a"])
    push(app, type="other.kind")
    _, html = get(app, "/play?" + urlencode({"see": "jobs", "q": 'type:email.* tag:a "x"'}))
    assert 'value="type:email.* tag:a &#34;x&#34;"' in html
    assert "view=found%3Apage%3D1%26q%3Dtype" in html
    _, html = get(app, "/play?see=jobs&q=type:email.*")
    assert html.count('name="id"') == 1


def test_pages_follow_the_search(app: Application) -> None:
    for _ in range(30):
        push(app)
    assert found(app, "").count('name="id"') == 25
    second = found(app, "type:email.*", 2)
    assert second.count('name="id"') == 5
    assert "Page 2 of 2" in second


def test_a_half_typed_query_keeps_the_pane_and_says_what_is_wrong(app: Application) -> None:
    push(app)
    html = found(app, "state:avail type:email.*")
    assert "<mark>state:avail</mark>" in html
    assert "Did you mean available?" in html
    assert html.count('name="id"') == 1


@pytest.mark.parametrize(
    "query",
    [
        HOSTILE,
        "x" * 5000,
        "\x00",
        '"',
        "state:" + HOSTILE,
        "state:,",
        "stat:a " + "x" * 600,
        "&amp;",
        "%",
        "+",
    ],
)
@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, ""])
def test_hostile_queries_and_pages_are_shown_safely(app: Application, query: str, page: str) -> None:
    push(app)
    status, html = get(app, "/play?" + urlencode({"see": "jobs", "q": query, "page": page}))
    assert status == 200
    assert "<img src=x" not in html
    assert "\u202e" not in re.sub(r'value="[^"]*"', "", html)


def test_a_bulk_operation_is_shown_first_then_done(app: Application) -> None:
    ids = [push(app) for _ in range(12)]
    app.session.engine.cancel(ids[0])
    html = text(post(app, "/ui/found/cancel", q="type:email.*", all="1"))
    assert "Cancel 11 jobs of 12" in html
    assert html.count("data-job=") == 10
    assert "CANCEL is not possible in state &#39;cancelled&#39;" in html
    assert app.session.engine.store.counts()["available"] == 11
    html = text(post(app, "/ui/found/cancel", q="type:email.*", all="1", confirm="1"))
    assert "11 jobs cancelled" in html
    assert app.session.engine.store.counts()["cancelled"] == 12
    assert "A real server has no undo" in html


def test_only_what_is_selected_is_meant(app: Application) -> None:
    ids = [push(app) for _ in range(3)]
    html = text(post(app, "/ui/found/cancel", q="", id=ids[:2]))
    assert html.count('name="id"') == 2
    assert "Cancel 2 jobs?" in html
    post(app, "/ui/found/cancel", q="", id=ids[:2], confirm="1")
    assert app.session.engine.store.counts()["available"] == 1


def test_nothing_selected_is_said_not_taken_for_everything(app: Application) -> None:
    push(app)
    html = text(post(app, "/ui/found/cancel", q="", confirm="1"))
    assert "No job is selected" in html
    assert "Take all that match" in html
    assert app.session.engine.store.counts()["available"] == 1


def test_retry_and_delete_of_all_that_match(app: Application) -> None:
    fail(app)
    assert "Delete 1 job" in text(post(app, "/ui/found/delete", q="state:discarded", all="1"))
    assert "1 job retried" in text(
        post(app, "/ui/found/retry", q="error:boom state:discarded", all="1", confirm="1")
    )
    assert "1 job cancelled" in text(post(app, "/ui/found/cancel", q="", all="1", confirm="1"))
    assert "1 job deleted" in text(post(app, "/ui/found/delete", q="", all="1", confirm="1"))
    assert sum(app.session.engine.store.counts().values()) == 0


def test_a_query_with_an_error_does_nothing_to_all_that_match(app: Application) -> None:
    push(app)
    response = post(app, "/ui/found/cancel", q="state:aktive", all="1", confirm="1")
    assert response.status == 400
    assert "Nothing was done" in text(response)
    assert app.session.engine.store.counts()["available"] == 1


def test_more_jobs_than_one_request_takes_are_sent_in_several(
    tab: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground import list_pages  # noqa: PLC0415 - one test of many wants it

    monkeypatch.setattr(list_pages, "MAX_BATCH", 2)
    tab.travel.pause()
    for _ in range(5):
        push(tab)
    html = text(post(tab, "/ui/found/cancel", q="", all="1", confirm="1"))
    assert "5 jobs cancelled" in html
    fields = dict(re.findall(r'name="(to|branch)" value="(\d+)"', html))
    assert post(tab, "/ui/time/undo", **fields).status == 204
    assert tab.session.engine.store.counts()["available"] == 5


def test_what_was_done_in_virtual_time_is_undone_and_in_the_journal(tab: Application) -> None:
    tab.travel.pause()
    push(tab)
    before = tab.travel.timeline.done
    html = text(post(tab, "/ui/found/cancel", q="", all="1", confirm="1"))
    assert tab.travel.timeline.done == before + 1
    assert tab.session.engine.store.counts()["cancelled"] == 1
    fields = dict(re.findall(r'name="(to|branch)" value="(\d+)"', html))
    post(tab, "/ui/time/undo", **fields)
    assert tab.session.engine.store.counts()["available"] == 1
    tab.travel.redo()
    assert tab.session.engine.store.counts()["cancelled"] == 1


def test_an_undo_of_another_branch_is_refused(tab: Application) -> None:
    push(tab)
    response = post(tab, "/ui/time/undo", to="0", branch="9")
    assert response.status == 409
    assert tab.session.engine.store.counts()["available"] == 1


def test_without_scripts_many_jobs_have_a_page_of_their_own(app: Application) -> None:
    push(app)
    html = text(post(app, "/ui/found/cancel", htmx=False, q="", all="1"))
    assert "</html>" in html
    assert "Cancel 1 job?" in html


# queues


def test_queues_show_depth_rate_and_pause(app: Application) -> None:
    push(app, queue="mail")
    (job,) = app.session.engine.fetch(["mail"])
    app.session.engine.ack(job.id)
    push(app, queue="mail")
    html = view(app, "queues")
    assert 'href="/play/queues/mail"' in html
    assert "<b>0.2</b> a minute" in html
    assert "1 completed, 0 failed" in html
    assert "oldest waits since" in html
    assert post(app, "/ui/queues/mail/pause").status == 204
    assert "paused" in view(app, "queues")
    assert app.session.engine.queues.paused("mail")
    assert post(app, "/ui/queues/mail/resume").status == 204
    assert not app.session.engine.queues.paused("mail")


def test_many_queues_are_paged(app: Application) -> None:
    for number in range(30):
        push(app, queue=f"queue-{number:02}")
    assert view(app, "queues").count('class="queue"') == 12
    last = view(app, "queues:page=3")
    assert "Page 3 of 3" in last
    assert "queue-29" in last


def test_a_queues_page_has_its_figures_configuration_and_jobs(app: Application) -> None:
    push(app, queue="mail", type="news.send")
    app.session.engine.queues.configure("mail", {"concurrency": 3, "max_size": 10})
    status, html = get(app, "/play/queues/mail")
    assert status == 200
    for part in ("news.send", "0 of 3 active", "1 of 10 not ended", "concurrency", "P30D", "Mean wait"):
        assert part in html


@pytest.mark.parametrize("name", ["nowhere", "..", "%3Cimg%20src%3Dx%3E", "_default", "a" * 500])
def test_an_unknown_queue_is_404_and_leads_on(app: Application, name: str) -> None:
    status, html = get(app, f"/play/queues/{name}")
    assert status == 404
    assert "All queues" in html
    assert "<img" not in html


# dead letters and failures


def test_dead_letters_are_listed_filtered_retried_deleted_and_purged(app: Application) -> None:
    first = fail(app, type="Timeout", message="after 30 s")
    second = fail(app, type="Refused", message=HOSTILE)
    html = view(app, "dead")
    assert first in html
    assert "<img src=x" not in html
    assert "\u202e" not in html
    assert first not in view(app, "dead:error=Refused")
    assert first in view(app, "dead:type=email.*&error=Timeout")
    assert post(app, f"/ui/dead-letter/{first}/retry").status == 204
    assert post(app, f"/ui/dead-letter/{second}/delete").status == 204
    assert app.session.engine.store.dead_count() == 0
    assert post(app, f"/ui/dead-letter/{second}/delete").status == 404


def test_a_purge_is_shown_first_then_done(app: Application) -> None:
    fail(app, type="Timeout")
    fail(app, type="Refused")
    html = text(post(app, "/ui/dead-letter/purge", error="Timeout"))
    assert "Delete for good 1 dead letter?" in html
    assert app.session.engine.store.dead_count() == 2
    html = text(post(app, "/ui/dead-letter/purge", error="Timeout", confirm="1"))
    assert "1 job deleted for good" in html
    assert app.session.engine.store.dead_count() == 1
    assert "1 job retried" in text(post(app, "/ui/dead-letter/retry", confirm="1"))
    assert app.session.engine.store.dead_count() == 0


def test_failures_stand_in_groups_with_examples(app: Application) -> None:
    for number in range(4):
        fail(app, type="Timeout", message=f"after {number} s")
    html = view(app, "failures")
    assert html.count('class="group"') == 1
    assert "after … s" in html
    assert "<b>4</b> jobs" in html
    assert html.count('class="id"') == 3


# limits, locks, workers


def test_limits_and_locks_say_who_holds_them_until_when(app: Application) -> None:
    push(app, rate_limit={"key": "mail", "concurrency": 2, "rate": {"limit": 5, "period": "PT1M"}})
    app.session.engine.fetch(["default"])
    holder = push(app, type="report.build", unique={"keys": ["type"], "period": "PT10M"})
    push(app, type="report.other", unique={"keys": ["type"]})
    app.session.engine.queues.configure("bounded", {"concurrency": 4})
    html = view(app, "limits")
    for part in ("mail", "1 of 2 at once", "1 of 5 starts", "0 of 4 at once", holder, "12:10:00.000"):
        assert part in html
    app.session.engine.cancel(holder)
    assert holder not in view(app, "limits")


def test_the_registry_tells_workers_and_what_they_will_hear(app: Application) -> None:
    engine = app.session.engine
    push(app)
    engine.workers.beat("mine", [], None, {"queues": ["default"], "hostname": HOSTILE})
    engine.fetch(["default"], worker_id="mine")
    engine.fetch(["default"], worker_id="a/b <c>")
    html = view(app, "registry")
    for part in ("mine", "1 in hand", "a/b &lt;c&gt;", "sends no heartbeat"):
        assert part in html
    assert "<img src=x" not in html
    for what, state in (("quiet", "quiet"), ("resume", "running"), ("terminate", "terminate")):
        assert post(app, f"/ui/registry/mine/{what}").status == 204
        assert engine.workers.get("mine")["directive"] == state
    assert post(app, "/ui/registry/mine/forget").status == 409
    assert post(app, "/ui/registry/nobody/quiet").status == 404
    assert post(app, "/ui/registry/a%2Fb%20%3Cc%3E/quiet").status == 204


def test_a_worker_with_a_huge_name_does_not_fill_the_page(app: Application) -> None:
    app.session.engine.workers.beat(
        "w" * 500_000, [], None, {"queues": ["q" * 100_000], "hostname": {"a": [1]}}
    )
    html = view(app, "registry")
    assert len(html) < 5_000
    assert "500,000 characters" in html


@pytest.mark.parametrize(
    "path",
    [
        "/ui/found/explode",
        "/ui/queues/default/explode",
        "/ui/dead-letter/explode",
        "/ui/dead-letter/x/explode",
        "/ui/registry/x/explode",
    ],
)
def test_a_button_for_what_is_not_there_is_404(app: Application, path: str) -> None:
    assert post(app, path).status == 404


@pytest.mark.parametrize("pane", ["jobs", "queues", "dead", "limits", "registry"])
def test_an_empty_pane_says_what_to_do_with_one_button(pane: str) -> None:
    app = make_app()
    status, html = get(app, f"/play?see={pane}")
    assert status == 200
    empty = re.findall(r'<div class="empty">.*?</div>', html.partition('class="panel seeing"')[2], re.DOTALL)
    assert empty
    assert all(len(re.findall(r"<button|<a class=\"button", one)) == 1 for one in empty)


# the job's page


def test_a_job_is_edited_and_run_again(app: Application) -> None:
    job = push(app, args=[{"user": 7}], queue="mail", priority=3)
    _, html = get(app, f"/play/jobs/{job}")
    assert f"/play?do=compose&amp;from={job}" in html
    _, html = get(app, f"/play?do=compose&from={job}")
    area = re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)
    assert area
    body = json.loads(area[1].replace("&#34;", '"'))
    assert body == {"type": "email.send", "args": [{"user": 7}], "options": {"queue": "mail", "priority": 3}}


def test_a_jobs_page_tells_waits_and_leads_to_each_moment(tab: Application) -> None:
    tab.travel.pause()
    job = push(tab, type="flaky.x", retry={"max_attempts": 3, "jitter": False})
    tab.travel.settle(job)
    while tab.travel.goal:
        tab.travel.tick()
    _, html = get(tab, f"/play/jobs/{job}")
    assert html.count("Attempt 3") == 1
    assert re.search(r"waited [\d.]+ m?s, ran 900 ms", html)
    moments = re.findall(r'hx-post="/ui/time/at" hx-vals=\'\{"ms":(\d+)\}', html)
    assert len(moments) >= 8
    assert post(tab, "/ui/time/at", ms=moments[1]).status == 204
    found_job = tab.session.engine.info(job)
    assert found_job.state == "active"
    assert post(tab, "/ui/time/at", ms="soon").status == 400


@pytest.mark.parametrize("size", [1_000_000])
def test_a_megabyte_is_cut_and_can_be_saved(app: Application, size: int) -> None:
    job = push(app, args=["x" * size])
    _, html = get(app, f"/play/jobs/{job}")
    assert len(html) < 200_000
    assert f'data-download="/ojs/v1/jobs/{job}"' in html


def configure(app: Application, given: str, **fields: str) -> tuple[int, str]:
    response = post(app, "/ui/queues/mail/config", config=given, **fields)
    return response.status, text(response)


def test_a_queues_configuration_is_what_its_text_says(app: Application) -> None:
    """Fields taken out of the text fall back, also those within an object whose fields would stay."""
    push(app, queue="mail")
    queues = app.session.engine.queues
    status, html = configure(
        app, '{"concurrency": 2, "max_size": 9, "retention": {"completed": "PT1H", "discarded": "PT2H"}}'
    )
    assert (status, "Set." in html) == (200, True)
    assert queues.config("mail")["concurrency"] == 2
    status, _ = configure(app, '{"max_size": 7, "retention": {"completed": "PT1H"}}')
    held = queues.config("mail")
    assert (status, held["max_size"], "concurrency" in held) == (200, 7, False)
    assert held["retention"] == {"completed": "PT1H", "discarded": "P30D", "cancelled": "P7D"}
    assert "max_size" in get(app, "/play/queues/mail")[1]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ('{"concurrency": "two"}', "config.concurrency"),
        ('{"retention": {"completed": "soon"}}', "retention.completed"),
        ('{"overflow_policy": "explode"}', "must be one of"),
        ('{"max_size": 5', "This is no JSON"),
        ("[]", "A configuration is a JSON object"),
        ("[" * 3000, "A configuration is a JSON object"),
    ],
)
def test_a_configuration_that_breaks_a_rule_is_refused_with_its_text_kept(
    app: Application, given: str, says: str
) -> None:
    push(app, queue="mail")
    configure(app, '{"concurrency": 3}')
    status, html = configure(app, given)
    assert status == 422
    assert says in html
    assert 'role="alert"' in html
    assert app.session.engine.queues.config("mail")["concurrency"] == 3


def test_a_piece_is_put_into_the_text_and_not_yet_set(app: Application) -> None:
    push(app, queue="mail")
    status, html = configure(app, '{"max_size": 4}', add="0")
    assert status == 200
    assert "Not set yet." in html
    assert "&#34;max_size&#34;: 4" in html
    assert "&#34;concurrency&#34;: 2" in html
    assert app.session.engine.queues.is_plain("mail")
    assert configure(app, "{}", add="x9")[0] == 200
    assert post(app, "/ui/queues/nowhere/config", config="{}").status == 404
