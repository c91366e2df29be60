"""The workbench's lists as a visitor uses them, in a tab and on a server."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.test_axe import AXE
from tests.browser.test_travel import enter

POST = """async ([path, body, method]) => {
    const headers = {'Content-Type': 'application/json'};
    const answer = await fetch('/ojs/v1' + path, {method, headers, body: body ? JSON.stringify(body) : undefined});
    return answer.json();
}"""


def ask(page: Page, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> dict[str, Any]:
    """Send a request to the binding from the page, as a visitor's own script would."""
    answer: dict[str, Any] = page.evaluate(POST, [path, body, method])
    return answer


def enqueue(page: Page, count: int, **fields: Any) -> None:
    jobs = [{"type": "email.send", "args": [{"user": number}], **fields} for number in range(count)]
    ask(page, "/jobs/bulk", {"jobs": jobs})


def start(site: Watched, path: str) -> Page:
    """A page whose time stands still, so that no demo worker takes a job, with nothing in its history."""
    page = enter(site, path)
    page.locator(".timebar").get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#clock-day")).to_contain_text("paused")
    return page


def search(page: Page, query: str) -> None:
    page.fill("#search-text", query)
    page.press("#search-text", "Enter")


def rows(page: Page) -> Any:
    return page.locator("#view-found tbody tr")


def test_a_search_is_in_the_address_and_back_works(site: Watched) -> None:
    page = start(site, "/play?see=jobs")
    expect(page.locator("#view-found .empty")).to_contain_text("No jobs yet")
    enqueue(page, 30)
    enqueue(page, 2, type="report.build")
    expect(rows(page)).to_have_count(25)
    search(page, "type:report.* state:available")
    expect(rows(page)).to_have_count(2)
    assert "q=type%3Areport.*+state%3Aavailable" in page.url
    enqueue(page, 1, type="report.other")
    expect(rows(page)).to_have_count(3)
    page.go_back()
    expect(rows(page)).to_have_count(25)
    expect(page.locator("#search-text")).to_have_value("")
    page.get_by_role("button", name="Older").click()
    expect(rows(page)).to_have_count(8)
    assert "page=2" in page.url
    page.wait_for_timeout(700)  # a tab writes its session down a moment later
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    expect(page.locator(".pager")).to_contain_text("Page 2 of 2")


def test_a_half_typed_query_breaks_nothing(site: Watched) -> None:
    page = start(site, "/play?see=jobs")
    enqueue(page, 3)
    search(page, "state:avalable type:email.*")
    expect(page.locator("#view-found mark")).to_have_text("state:avalable")
    expect(page.locator("#view-found .problem")).to_contain_text("Did you mean available?")
    expect(rows(page)).to_have_count(3)
    expect(page.locator("#search-text")).to_be_focused()
    search(page, "type:nothing")
    page.get_by_role("button", name="Show all jobs").click()
    expect(rows(page)).to_have_count(3)


def test_all_that_match_are_cancelled_after_a_preview_and_brought_back(site: Watched) -> None:
    page = start(site, "/play?see=jobs")
    enqueue(page, 30)
    enqueue(page, 3, type="keep.this")
    search(page, "type:email.*")
    expect(page.locator("#found-total")).to_contain_text("30 jobs match")
    page.get_by_label("All that match").check()
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("#bulk h2")).to_contain_text("Cancel 30 jobs that match type:email.*?")
    expect(page.locator("#bulk .brief li")).to_have_count(10)
    expect(page.locator("#bulk")).to_be_focused()
    page.get_by_role("button", name="Cancel 30 jobs").click()
    expect(page.locator("#bulk h2")).to_have_text("30 jobs cancelled")
    expect(rows(page).locator(".badge").first).to_have_text("cancelled")
    page.locator("#bulk").get_by_role("button", name="Undo").click()
    expect(rows(page).locator(".badge").first).to_have_text("available")
    expect(page.locator("#bulk h2")).to_have_count(0)


def test_a_selection_goes_over_pages_and_ends_with_the_search(site: Watched) -> None:
    page = start(site, "/play?see=jobs")
    enqueue(page, 30)
    expect(rows(page)).to_have_count(25)
    for row in (0, 1):
        rows(page).nth(row).get_by_role("checkbox").check()
    page.get_by_role("button", name="Older").click()
    expect(rows(page)).to_have_count(5)
    rows(page).first.get_by_role("checkbox").check()
    expect(page.locator("#picked-count")).to_have_text("3 selected, 2 of them on other pages")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("#bulk h2")).to_have_text("Cancel 3 jobs?")
    page.get_by_role("button", name="Newer").click()
    expect(rows(page).first.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel 3 jobs").click()
    expect(page.locator("#bulk h2")).to_have_text("3 jobs cancelled")
    expect(page.locator("#picked-count")).to_have_text("")
    assert rows(page).get_by_role("checkbox", checked=True).count() == 0
    rows(page).nth(4).get_by_role("checkbox").check()
    search(page, "state:available")
    expect(page.locator("#picked-count")).to_have_text("")
    rows(page).nth(4).get_by_role("checkbox").check()
    page.get_by_role("button", name="Select none").click()
    assert rows(page).get_by_role("checkbox", checked=True).count() == 0


def test_a_queue_is_configured_on_its_page(site: Watched) -> None:
    page = start(site, "/play?see=queues")
    enqueue(page, 2)
    page.get_by_role("link", name="Configure queue default").click()
    form = page.locator("#configure")
    form.get_by_role("button", name="At most 2 at once").click()
    expect(form.get_by_role("status")).to_have_text("Not set yet.")
    form.get_by_role("button", name="Set", exact=True).click()
    expect(form.get_by_role("status")).to_have_text("Set.")
    expect(page.locator("#view-queue")).to_contain_text("0 of 2 active")


@pytest.mark.noise
def test_a_configuration_that_is_refused_says_why_and_stays_in_the_form(site: Watched) -> None:
    page = start(site, "/play?see=queues")
    page.get_by_role("link", name="Configure queue default").click()
    form = page.locator("#configure")
    page.locator("#config-text").fill('{"concurrency": "two"}')
    form.get_by_role("button", name="Set", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("config.concurrency")
    expect(page.locator("#config-text")).to_have_value('{"concurrency": "two"}')
    expect(page.locator("#view-queue")).not_to_contain_text("of 2 active")


def test_a_selection_survives_live_updates_and_is_all_that_is_meant(site: Watched) -> None:
    page = start(site, "/play?see=jobs")
    enqueue(page, 3)
    expect(rows(page)).to_have_count(3)
    rows(page).nth(1).get_by_role("checkbox").check()
    enqueue(page, 2, type="later.one")
    expect(rows(page)).to_have_count(5)
    expect(page.locator("#view-found :checked")).to_have_count(1)
    expect(page.locator("#picked-count")).to_have_text("1 selected")
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel 1 job", exact=True).click()
    expect(page.locator("#bulk h2")).to_have_text("1 job cancelled")
    expect(page.locator("#view-found .s-cancelled")).to_have_count(1)
    expect(rows(page).nth(3).locator(".badge")).to_have_text("cancelled")


@pytest.mark.parametrize("host", ["server"], indirect=True)
def test_a_real_server_says_that_it_has_no_undo(site: Watched) -> None:
    page = site.open("/play?see=jobs")
    enqueue(page, 2, queue="elsewhere")
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Delete…").click()
    expect(page.locator("#bulk h2")).to_have_text("No job is selected")
    page.get_by_label("All that match").check()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel 2 jobs").click()
    expect(page.locator("#bulk")).to_contain_text("A real server has no undo")


def test_a_queue_is_paused_and_resumed_and_has_a_page(site: Watched) -> None:
    page = start(site, "/play?see=queues")
    enqueue(page, 4, queue="mail")
    mail = page.locator(".queue", has_text="mail")
    expect(mail).to_contain_text("4 available")
    mail.get_by_role("button", name="Pause").click()
    expect(mail.locator(".mark")).to_have_text("paused")
    mail.get_by_role("button", name="Resume").click()
    expect(mail.locator(".mark")).to_have_count(0)
    mail.get_by_role("link", name="mail", exact=True).click()
    expect(page.locator("h1")).to_have_text("mail")
    expect(page.locator("#view-queue tbody tr")).to_have_count(4)
    page.get_by_role("link", name="All of them").click()
    expect(rows(page)).to_have_count(4)
    expect(page.locator("#search-text")).to_have_value("queue:mail")


def dead(page: Page, count: int) -> None:
    policy = {"max_attempts": 1, "on_exhaustion": "dead_letter"}
    enqueue(page, count, type="import.orders", queue="imports", retry=policy)
    for number, job in enumerate(
        ask(page, "/workers/fetch", {"queues": ["imports"], "count": count})["jobs"]
    ):
        error = {"type": "Timeout" if number else "Refused", "message": f"Row {number} took {number} s"}
        ask(page, "/workers/nack", {"job_id": job["id"], "error": error})


def test_dead_letters_are_retried_filtered_and_purged(site: Watched) -> None:
    page = start(site, "/play?see=dead")
    expect(page.locator("#view-dead .empty")).to_contain_text("No dead letters")
    dead(page, 4)
    expect(page.locator(".letter")).to_have_count(4)
    expect(page.locator(".group")).to_have_count(2)
    page.locator(".letter").first.get_by_role("button", name="Retry").click()
    expect(page.locator(".letter")).to_have_count(3)
    page.get_by_label("Error type").fill("Timeout")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".letter")).to_have_count(2)
    assert "error=Timeout" in page.url
    page.get_by_role("button", name="Purge…").click()
    expect(page.locator("#bulk h2")).to_have_text("Delete for good 2 dead letters?")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#bulk h2")).to_have_text("2 jobs deleted for good")
    expect(page.locator("#view-dead .empty")).to_contain_text("No dead letter matches")
    page.locator("#bulk").get_by_role("button", name="Undo").click()
    expect(page.locator(".letter")).to_have_count(2)


def test_limits_locks_and_workers_are_told(site: Watched) -> None:
    page = start(site, "/play?see=limits")
    expect(page.locator("#view-limits .empty")).to_have_count(2)
    enqueue(page, 1, rate_limit={"key": "sms", "concurrency": 2})
    enqueue(page, 1, unique={"keys": ["type"], "period": "PT10M"})
    expect(page.locator(".limit")).to_have_count(2)
    expect(page.locator(".limit").first).to_contain_text("0 of 2 at once")
    page.get_by_role("link", name="Registry").click()
    ask(page, "/workers/heartbeat", {"worker_id": "mine", "active_jobs": [], "queues": ["mail"]})
    mine = page.locator("#view-registry .worker", has_text="mine")
    mine.get_by_role("button", name="Quiet").click()
    expect(mine.locator(".mark")).to_have_text("quiet")
    assert ask(page, "/workers/heartbeat", {"worker_id": "mine", "active_jobs": []})["state"] == "quiet"
    mine.get_by_role("button", name="Terminate").click()
    expect(mine.locator(".mark")).to_have_text("terminate")


def test_a_job_is_edited_and_run_again_and_its_path_leads_to_each_moment(site: Watched) -> None:
    page = start(site, "/play?see=jobs")
    enqueue(page, 1, type="flaky.charge", retry={"max_attempts": 3, "jitter": False})
    rows(page).locator(".id").first.click()
    page.get_by_role("button", name="Run until it settles").click()
    expect(page.locator("h1 .badge")).to_have_text("completed")
    expect(page.locator(".errors > li")).to_have_count(3)
    page.locator(".trail li", has_text="FETCH").first.get_by_title("Go to this moment").click()
    expect(page.locator("h1 .badge")).to_have_text("active")
    expect(page.locator("#clock-day")).to_contain_text("past")
    page.get_by_role("link", name="Edit and run again").click()
    expect(page.locator("#job-body")).to_have_value(re.compile(r'"flaky.charge"'))
    assert json.loads(page.input_value("#job-body"))["type"] == "flaky.charge"


@pytest.mark.parametrize(("theme", "width"), [("light", 375), ("dark", 1440)])
@pytest.mark.parametrize("host", ["server"], indirect=True)
def test_axe_finds_nothing_in_any_state_of_any_list(
    site: Watched, browser: Any, base: str, theme: str, width: int
) -> None:
    site.page.close()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True
    )
    page = context.new_page()
    page.request.post(f"{base}/ui/reset")
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        page.add_script_tag(path=str(AXE))
        page.wait_for_timeout(200)
        seen = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        found[name] = [f"{one['id']}: {node['html'][:120]}" for one in seen for node in one["nodes"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found[name] += [f"{wide} pixels wide"] if wide > width else []

    panes = ("jobs", "queues", "dead", "limits", "registry")
    for pane in panes:
        page.goto(f"{base}/play?see={pane}")
        look(f"{pane}, empty")
    dead(page, 3)
    enqueue(page, 30, queue="mail", tags=["<b>\u202e"], rate_limit={"key": "sms", "concurrency": 2})
    enqueue(page, 1, queue="mail", unique={"keys": ["type"], "period": "PT10M"})
    ask(page, "/queues/mail/pause")
    ask(page, "/queues/mail/config", {"concurrency": 3, "max_size": 99}, "PUT")
    ask(page, "/workers/heartbeat", {"worker_id": "mine", "active_jobs": []})
    for pane in panes:
        page.goto(f"{base}/play?see={pane}")
        look(f"{pane}, busy")
    page.goto(f"{base}/play?see=jobs&q={quote('state:avail -x stat:y')}")
    page.locator("#search-help summary").click()
    page.get_by_label("All that match").check()
    look("jobs, a wrong query")
    page.goto(f"{base}/play?see=jobs")
    page.get_by_label("All that match").check()
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("#bulk h2")).to_have_count(1)
    look("jobs, a preview")
    page.locator("#bulk .primary").click()
    expect(page.locator("#bulk h2")).to_contain_text("cancelled")
    look("jobs, a result")
    for path in ("/play/queues/mail", "/play/queues/nowhere"):
        page.goto(base + path)
        look(path)
    context.close()
    assert not any(found.values()), {name: what for name, what in found.items() if what}
