"""Time travel as a visitor does it, in a tab and in the sandbox beside a server."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watched

FLAKY = json.dumps({"type": "flaky.charge", "args": [], "retry": {"max_attempts": 5, "jitter": False}})


def enter(site: Watched, path: str = "/") -> Page:
    """Open a page whose time can be moved, with nothing in its history yet."""
    page = site.open(path)
    if site.host == "server":
        page.get_by_role("button", name="Open the time-travel sandbox").click()
        expect(page.locator(".banner").last).to_contain_text("Sandbox")
        page.request.post(f"{site.base}/ui/reset")
        page.goto(site.base + path)
    expect(page.locator("#slider")).to_be_visible()
    return page


def jobs(page: Page) -> Locator:
    return page.locator(".jobs .badge")


def press(page: Page, label: str) -> None:
    page.locator(".timebar").get_by_role("button", name=label, exact=True).click()


def test_paused_time_stands_still_and_nothing_happens(site: Watched) -> None:
    page = enter(site)
    press(page, "Pause")
    expect(page.locator("#clock-day")).to_contain_text("paused")
    site.enqueue(FLAKY)
    expect(jobs(page).first).to_have_text("available")
    clock, log = page.inner_text("#clock-text"), page.inner_text("#view-log")
    page.wait_for_timeout(1500)
    assert page.inner_text("#clock-text") == clock
    assert page.inner_text("#view-log") == log
    expect(jobs(page).first).to_have_text("available")


def test_steps_events_and_minutes_move_it(site: Watched) -> None:
    page = enter(site)
    press(page, "Pause")
    site.enqueue(FLAKY)
    expect(jobs(page).first).to_have_text("available")
    press(page, "Run to the next event")
    expect(jobs(page).first).to_have_text("active")
    press(page, "Run to the next event")
    expect(jobs(page).first).to_have_text("retryable")
    press(page, "Back to the event before")
    expect(jobs(page).first).to_have_text("active")
    expect(page.locator(".log .ahead").first).to_contain_text("job.retrying")
    expect(page.locator(".log .cursor")).to_have_count(1)
    press(page, "+1 h")
    expect(jobs(page).first).to_have_text("completed")
    expect(page.locator(".log .ahead")).to_have_count(0)


def test_the_slider_moves_every_view_and_acting_in_the_past_begins_a_branch(site: Watched) -> None:
    page = enter(site)
    site.enqueue(FLAKY)
    press(page, "+1 min")
    expect(jobs(page).first).to_have_text("completed")
    page.locator("#slider").evaluate(
        "slider => { slider.value = 0; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    expect(jobs(page)).to_have_count(0)
    expect(page.locator(".state.s-completed.has")).to_have_count(0)
    expect(page.locator(".tick.ahead").first).to_be_attached()
    site.enqueue('{"type": "email.send", "args": []}')
    expect(page.locator(".branches .chip")).to_have_count(2)
    expect(page.locator(".branches [aria-current]")).to_have_text("Branch 2")
    expect(page.locator(".jobs .type")).to_have_text(["email.send"])
    page.get_by_role("button", name="Compare…").click()
    expect(page.locator("#branches tbody tr")).to_have_count(1)
    page.get_by_label("Name of branch 2").fill("Without the failures")
    page.locator(".branch-list li", has_text="Rename").nth(1).get_by_role("button", name="Rename").click()
    page.locator("#branches").get_by_role("button", name="Close").click()
    expect(page.locator(".branches [aria-current]")).to_have_text("Without the failures")
    page.locator(".branches .chip", has_text="Main").click()
    press(page, "To the present")
    expect(page.locator(".jobs .type")).to_have_text(["flaky.charge"])
    expect(jobs(page).first).to_have_text("completed")


def test_undo_redo_and_the_keys(site: Watched) -> None:
    page = enter(site)
    site.enqueue('{"type": "email.send", "args": []}')
    expect(jobs(page)).to_have_count(1)
    page.locator(".timebar").get_by_role("button", name="Undo").click()
    expect(jobs(page)).to_have_count(0)
    page.locator(".timebar").get_by_role("button", name="Redo").click()
    expect(jobs(page)).to_have_count(1)
    page.locator("h1").click()
    page.keyboard.press("]")
    expect(jobs(page).first).to_have_text("active")
    page.keyboard.press("[")
    expect(jobs(page).first).to_have_text("available")
    page.keyboard.press(" ")
    expect(jobs(page).first).to_have_text("completed")
    page.locator("#job-body").press("End")
    page.keyboard.type("[ ]")
    expect(page.locator("#job-body")).to_have_value(re.compile(r"\[ \]"))
    expect(page.locator("#clock-day")).not_to_contain_text("past")


def test_going_on_after_an_undo_leaves_out_what_was_undone(site: Watched) -> None:
    page = enter(site)
    site.enqueue('{"type": "email.send", "args": []}')
    expect(jobs(page)).to_have_count(1)
    page.locator(".timebar").get_by_role("button", name="Undo").click()
    expect(jobs(page)).to_have_count(0)
    press(page, "+1 min")
    expect(page.locator(".branches .chip")).to_have_count(2)
    expect(jobs(page)).to_have_count(0)


def test_a_job_is_run_until_it_settles(site: Watched) -> None:
    page = enter(site)
    press(page, "Pause")
    site.enqueue(FLAKY)
    page.locator(".jobs .id").first.click()
    page.get_by_role("button", name="Run until it settles").click()
    expect(page.locator("h1 .badge")).to_have_text("completed")
    expect(page.get_by_role("button", name="Run until it settles")).to_have_count(0)


def test_a_link_carries_the_moment_to_another_browser(site: Watched) -> None:
    page = enter(site)
    press(page, "Pause")
    site.enqueue(FLAKY)
    press(page, "Run to the next event")
    expect(jobs(page).first).to_have_text("active")
    page.get_by_role("button", name="Moment…").click()
    told = page.locator("#moment-hash").get_attribute("title")
    fragment = page.locator("[data-copy-link]").get_attribute("data-copy-link")
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context().new_page()
    other.goto(f"{site.base}/#{fragment}")
    expect(other.locator(".banner", has_text="A moment on branch Main")).to_be_visible()
    expect(other.locator(".jobs .badge").first).to_have_text("active")
    other.get_by_role("button", name="Moment…").click()
    expect(other.locator("#moment-hash")).to_have_attribute("title", told or "")
    assert "#s=" not in other.url
    other.context.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("s=1.abcd", "cut off"),
        ("s=9.abcd", "newer"),
        ("{", "not JSON, or was cut off"),
        ('{"format": "ojs-playground-scenario", "version": 1}', "not valid"),
        ("<img src=x onerror=alert(1)>", "no link"),
    ],
)
def test_what_cannot_be_opened_is_said_and_can_be_taken_away(site: Watched, text: str, says: str) -> None:
    page = enter(site)
    site.enqueue('{"type": "email.send", "args": []}')
    expect(jobs(page)).to_have_count(1)
    page.get_by_role("button", name="Moment…").click()
    page.fill("#moment-text", text)
    page.locator("#moment-open").get_by_role("button", name="Open").click()
    expect(page.locator("#moment-problem")).to_contain_text(says)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the text that was refused").click()
    assert download.value.path().read_text() == text
    page.locator("#moment").get_by_role("button", name="Close").click()
    expect(jobs(page)).to_have_count(1)
    site.wrong = [one for one in site.wrong if "400" not in one]  # Chromium notes every refused request


def test_a_moment_is_saved_as_a_file_and_opened_again(site: Watched) -> None:
    page = enter(site)
    press(page, "Pause")
    site.enqueue('{"type": "email.send", "args": []}')
    expect(jobs(page)).to_have_count(1)
    page.get_by_role("button", name="Moment…").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as file").click()
    file = download.value.path()
    assert json.loads(file.read_text())["format"] == "ojs-playground-scenario"
    page.locator("#moment").get_by_role("button", name="Close").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start over").click()
    expect(jobs(page)).to_have_count(0)
    page.get_by_role("button", name="Moment…").click()
    page.set_input_files("[data-scenario]", file)
    expect(jobs(page)).to_have_count(1)
    page.get_by_role("button", name="Back to your session").click()
    expect(jobs(page)).to_have_count(0)


def test_a_moment_becomes_a_test_case(site: Watched) -> None:
    page = enter(site)
    site.enqueue('{"type": "email.send", "args": []}')
    press(page, "+1 min")
    expect(jobs(page).first).to_have_text("completed")
    page.get_by_role("button", name="Moment…").click()
    page.get_by_role("button", name="Copy as test case").click()
    expect(page.locator("#moment-case")).to_contain_text("It passes against a fresh engine")
    expect(page.locator("#moment-case pre")).to_contain_text('"test_id"')


def test_a_reload_keeps_the_session_with_its_branches(site: Watched) -> None:
    page = enter(site)
    site.enqueue(FLAKY)
    press(page, "+1 min")
    expect(jobs(page).first).to_have_text("completed")
    page.locator(".timebar").get_by_role("button", name="Undo").click()
    expect(jobs(page)).to_have_count(0)
    site.enqueue('{"type": "email.send", "args": []}')
    expect(page.locator(".branches .chip")).to_have_count(2)
    page.wait_for_timeout(700)
    page.reload()
    expect(page.locator(".branches .chip")).to_have_count(2, timeout=60_000)
    expect(page.locator(".jobs .type")).to_have_text(["email.send"])


def test_after_a_new_start_no_trace_of_the_old_run_is_left(site: Watched) -> None:
    page = enter(site)
    site.enqueue(FLAKY)
    press(page, "+1 min")
    expect(jobs(page).first).to_have_text("completed")
    old = page.locator(".jobs .id").first.get_attribute("title") or "?"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start over").click()
    expect(jobs(page)).to_have_count(0)
    assert old not in page.content()
    page.wait_for_timeout(700)
    page.reload()
    expect(page.locator("#slider")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    page.wait_for_timeout(300)
    assert old not in page.content()
    assert old not in page.evaluate("JSON.stringify(sessionStorage)")


def test_a_fault_shows_the_clause_and_what_came_of_it(site: Watched) -> None:
    page = enter(site)
    site.enqueue('{"type": "slow.export", "args": []}')
    expect(jobs(page).first).to_have_text("active")
    page.locator("summary", has_text="Disturb").first.click()
    page.get_by_role("button", name="Freezes for a minute").first.click()
    expect(page.locator(".story")).to_contain_text("OJS Worker Protocol 10.4")
    page.click("#start-worker")
    press(page, "+1 min")
    press(page, "+1 min")
    expect(page.locator(".story")).to_contain_text("ack refused, 409")
    expect(jobs(page).first).to_have_text("completed")
    page.get_by_role("button", name="for 1 h").click()
    expect(page.locator(".story").first).to_contain_text("The machine slept")


def test_a_rate_is_chosen_on_the_logarithmic_control(site: Watched) -> None:
    page = enter(site)
    page.locator("input[name=speed]").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#speed-text")).to_have_text("100")
    expect(page.locator("#clock")).to_have_attribute("data-rate", "100.0")
    site.enqueue(FLAKY)
    expect(jobs(page).first).to_have_text("completed")


@pytest.mark.parametrize("host", ["server"], indirect=True)
def test_a_sandbox_is_beside_the_server_not_in_it(site: Watched) -> None:
    page = enter(site)
    site.enqueue('{"type": "in.sandbox", "args": []}')
    expect(page.locator(".jobs .type")).to_have_text(["in.sandbox"])
    page.get_by_role("button", name="Back to the server").click()
    expect(page.get_by_role("button", name="Open the time-travel sandbox")).to_be_visible()
    expect(jobs(page)).to_have_count(0)


@pytest.mark.parametrize("host", ["tab"], indirect=True)
def test_without_storage_the_page_says_so_and_works(site: Watched) -> None:
    site.page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage',"
        " {get() { throw new DOMException('blocked', 'SecurityError'); }})"
    )
    page = site.open()
    expect(page.locator("#unkept")).to_be_visible()
    site.enqueue('{"type": "email.send", "args": []}')
    expect(jobs(page)).to_have_count(1)


@pytest.mark.parametrize("host", ["tab"], indirect=True)
def test_a_damaged_session_is_set_aside_and_said(site: Watched) -> None:
    site.page.add_init_script("sessionStorage.setItem('ojs-session', '{\"format\": \"ojs-playg')")
    page = site.open()
    expect(page.locator("#moment-problem")).to_contain_text("could not be brought back")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the text that was refused").click()
    assert download.value.path().read_text() == '{"format": "ojs-playg'
