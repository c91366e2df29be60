"""The workbench's pictures as a visitor uses them, in a tab and in the sandbox beside a server."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.test_axe import AXE
from tests.browser.test_travel import enter, press

FLAKY = json.dumps({"type": "flaky.charge", "args": [], "retry": {"max_attempts": 4, "jitter": False}})


def see(site: Watched, pane: str, more: str = "") -> Page:
    """Enter a pane whose time can be moved, paused, with nothing in its history yet."""
    page = enter(site, f"/play?see={pane}{more}")
    press(page, "Pause")
    expect(page.locator("#clock-day")).to_contain_text("paused")
    return page


def push(page: Page) -> None:
    """Enqueue a job that fails twice, as any script of the page would."""
    status = page.evaluate(
        """body => fetch('/ojs/v1/jobs', {method: 'POST', body, headers: {'Content-Type': 'application/json'}})
            .then((answer) => answer.status)""",
        FLAKY,
    )
    assert status == 201


def test_the_timeline_follows_the_jobs_and_the_cursor(site: Watched) -> None:
    page = see(site, "timeline")
    expect(page.locator("#view-timeline")).to_contain_text("No attempt yet")
    push(page)
    expect(page.locator(".lane-names")).to_contain_text("not started")
    press(page, "+1 min")
    expect(page.locator(".part.s-retryable")).to_have_count(2)
    expect(page.locator(".part.s-completed")).to_have_count(1)
    expect(page.locator(".joint")).to_have_count(2)
    page.locator("#slider").evaluate(
        "slider => { slider.value = 250; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    expect(page.locator(".part.ahead").first).to_be_attached()
    page.locator("#timeline-table summary").click()
    expect(page.locator("#timeline-table tbody tr")).to_have_count(3)
    press(page, "To the present")
    expect(page.locator(".part.ahead")).to_have_count(0)
    expect(page.locator("#timeline-table tbody tr").first).to_be_visible()


SEEN = """() => {
  const [line, window] = ['.cursor-line', '.to-end'].map((one) => document.querySelector(one).getBoundingClientRect());
  return line.left >= window.left - 2 && line.left <= window.right + 2;
}"""


def test_the_timeline_scrolls_to_the_moment_that_one_goes_to(site: Watched) -> None:
    """Not where its end is: thirty attempts are wider than the pane."""
    page = see(site, "timeline")
    for _ in range(10):
        push(page)
    press(page, "+1 min")
    expect(page.locator(".part.s-completed").first).to_be_attached()
    for place in (150, 400):
        page.locator("#slider").evaluate(
            "(slider, place) => { slider.value = place; slider.dispatchEvent(new Event('input', {bubbles: true})); }",
            place,
        )
        expect(page.locator(".part.ahead").first).to_be_attached()
        page.wait_for_timeout(500)
        assert page.evaluate(SEEN)
    press(page, "To the present")
    expect(page.locator(".part.ahead")).to_have_count(0)
    page.wait_for_timeout(300)
    assert page.evaluate(SEEN)


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_bar_leads_to_its_job(site: Watched, by: str) -> None:
    page = see(site, "timeline")
    push(page)
    press(page, "+1 min")
    expect(page.locator(".part.s-completed")).to_have_count(1)
    if by == "mouse":
        page.locator(".bar-of").last.locator(".part").first.click()
    else:
        page.locator(".bar-of").first.focus()
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/play/jobs/"))
    expect(page.locator("h1")).to_contain_text("flaky.charge")


def test_a_policy_is_planned_while_it_is_typed_and_a_job_tells_its_waits(site: Watched) -> None:
    page = see(site, "retries")
    page.locator(".seeing [name=max_attempts]").fill("6")
    expect(page.locator("#retry-plan .waits > g")).to_have_count(5)
    page.locator(".seeing [name=max_attempts]").fill("six")
    expect(page.locator("#retry-plan .problem")).to_contain_text("retry.max_attempts")
    expect(page.locator(".seeing [name=max_attempts]")).to_be_focused()
    page.locator(".seeing [name=max_attempts]").fill("3")
    expect(page.locator("#retry-plan .waits > g")).to_have_count(2)
    push(page)
    press(page, "+1 min")
    page.locator("#view-retries .chip").first.click()
    expect(page.locator("#view-retries .was").first).to_be_attached()
    expect(page.locator("#view-retries .waits")).to_contain_text("waited 1 s")


def test_two_runs_are_compared_and_the_changed_one_is_opened(site: Watched) -> None:
    page = see(site, "compare")
    page.get_by_label("Run A, the baseline").select_option("priority")
    expect(
        page.get_by_label("Run B: the same, but").locator("option", has_text="mail.alert").first
    ).to_be_attached()
    page.get_by_label("Run B: the same, but").select_option("4:options/priority")
    page.get_by_label("is", exact=True).fill("-50")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compared [role=status]")).to_contain_text("4 of 5 jobs fare differently")
    expect(page.locator("#compared tr.differs")).to_have_count(4)
    page.get_by_role("button", name="Open run B").click()
    expect(page.locator(".banner", has_text="with another priority")).to_be_visible()


def test_cron_is_built_run_paused_and_deleted(site: Watched) -> None:
    page = see(site, "cron")
    page.locator("#cron-parts input[name=minute]").fill("*/15")
    expect(page.locator("#cron-expression")).to_have_value("*/15 9 * * MON-FRI")
    expect(page.locator("#cron-meaning")).to_contain_text(
        "At 09:00, 09:15, 09:30 and 09:45 on Monday to Friday"
    )
    expect(page.locator("#cron-parts input[name=minute]")).to_be_focused()
    page.locator("#cron-expression").fill("0 25 * * *")
    expect(page.locator("#cron-meaning mark")).to_have_text("25")
    expect(page.locator("#cron-parts input[name=hour]")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="every 5 minutes").click()
    expect(page.locator("#cron-expression")).to_have_value("*/5 * * * *")
    page.get_by_label("Zone", exact=True).fill("Asia/Tokyo")
    expect(page.locator("#cron-next time").first).to_contain_text("+0900")
    page.get_by_label("Name").fill("five")
    page.get_by_role("button", name="Create or replace").click()
    expect(page.locator("#cron-answer")).to_contain_text("five is on its schedule")
    expect(page.locator("#cron-five")).to_contain_text("Every 5 minutes (Asia/Tokyo).")
    page.get_by_role("button", name="Run now: five").click()
    expect(page.locator("#cron-five")).to_contain_text("1 run")
    page.locator("#cron-five summary").click()
    expect(page.locator("#cron-five .plain-list").last.locator("a")).to_have_count(1)
    page.get_by_role("button", name="Pause: five").click()
    expect(page.locator("#cron-five")).to_contain_text("paused")
    page.get_by_role("button", name="Resume: five").click()
    expect(page.locator("#cron-five .badge")).to_have_count(0)
    page.get_by_role("button", name="Delete five").click()
    expect(page.locator("#view-cron")).to_contain_text("Nothing is on a schedule")
    page.locator(".timebar").get_by_role("button", name="Undo").click()
    expect(page.locator("#cron-five")).to_be_visible()


def test_a_workflow_is_built_by_rows_and_as_json_and_watched(site: Watched) -> None:
    page = see(site, "workflows")
    expect(page.locator("#flow-check .node")).to_have_count(3)
    page.get_by_label("Job type of step 1").fill("data.load")
    expect(page.locator("#flow-json")).to_have_value(re.compile(r'"data\.load"'))
    expect(page.get_by_label("Job type of step 1")).to_be_focused()
    page.get_by_role("button", name="Move step 3 up").click()
    expect(page.get_by_label("Job type of step 2")).to_have_value("email.send")
    page.get_by_role("button", name="Nest step 2 in a group of its own").click()
    page.get_by_role("button", name="Add a job to step 2").click()
    expect(page.locator("#flow-check .frame")).to_have_count(1)
    expect(page.locator("#flow-check .node")).to_have_count(5)
    page.locator("#flow-json").fill('{"type": "chain", ')
    expect(page.locator("#flow-check .problem")).to_contain_text("not JSON yet")
    page.get_by_role("button", name="nested").click()
    expect(page.locator("#flow-json")).to_have_value(re.compile("data.fetch"))
    page.get_by_role("button", name="Create and start").click()
    page.locator("#flow-answer a").click()
    expect(page.locator("h1")).to_contain_text("running")
    press(page, "+1 min")
    expect(page.locator("h1")).to_contain_text("completed")
    expect(page.locator(".flow .passed").first).to_contain_text("{")
    expect(page.locator(".flow a.node")).to_have_count(5)
    page.locator(".flow a.node", has_text="data.merge").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("data.merge")


def test_a_workflow_is_cancelled(site: Watched) -> None:
    page = see(site, "workflows")
    page.get_by_role("button", name="Create and start").click()
    page.get_by_role("button", name="Cancel order").click()
    expect(page.locator("#view-workflows")).to_contain_text("cancelled")


@pytest.mark.parametrize("options", [{"viewport": {"width": 1440, "height": 800}, "bypass_csp": True}])
@pytest.mark.parametrize("host", ["server"])
def test_on_a_phone_only_pictures_scroll_and_axe_has_no_objection(site: Watched) -> None:
    page = see(site, "timeline")
    push(page)
    press(page, "Run to the next event")
    expect(page.locator(".part").first).to_be_attached()
    page.set_viewport_size({"width": 375, "height": 800})
    for path in ("timeline", "retries", "compare&base=priority&value=2", "cron", "workflows"):
        page.goto(f"{site.base}/play?see={path}")
        expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
        expect(page.locator(".seeing .tabs [aria-current]")).to_have_text(path.partition("&")[0].capitalize())
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert not found, (
            path,
            [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found],
        )


def test_in_real_time_the_comparison_asks_for_the_sandbox(site: Watched) -> None:
    if site.host == "tab":
        pytest.skip("A tab's time can be moved.")
    page = site.open("/play?see=compare")
    expect(page.locator("#compared")).to_contain_text("lives in real time")
    page.locator("#compared").get_by_role("button").click()
    expect(page.locator(".banner").last).to_contain_text("Sandbox")
    page.get_by_role("button", name="Back to the server").click()
