"""Reading tools: a term's panel, pins, the last target, the whole reference, and what works without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Watched, watch
from tests.browser.test_axe import _violations
from tests.conftest import Server
from tests.static_host import StaticHost

PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 800}, "has_touch": True}


def test_a_terms_panel_opens_by_keyboard_and_leads_to_its_uses(site: Watched) -> None:
    page = site.open("/spec/retry")
    term = page.locator("#R-retry-7 a.term")
    term.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="max_attempts")
    expect(panel).to_contain_text("set by the client")
    expect(panel.get_by_role("link", name="R-retry-6", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(term).to_be_focused()
    page.keyboard.press("Enter")
    panel.get_by_role("link", name="Among its kind").click()
    expect(page).to_have_url(f"{site.base}/spec/terms/attributes#max_attempts")
    expect(page.locator("#max_attempts")).to_be_in_viewport()


@pytest.mark.parametrize("options", [PHONE])
def test_a_terms_panel_opens_by_touch_and_fits_a_phone(site: Watched) -> None:
    page = site.open("/spec/lifecycle")
    term = page.locator('#main a.term[href*="/states#"]').first
    term.evaluate(
        "one => one.scrollIntoView({block: 'center'})"
    )  # from under the time bar, as a finger would
    term.tap()
    panel = page.locator("#term")
    expect(panel.locator(".moves-of")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    panel.get_by_role("button", name="Close").tap()
    expect(panel).to_be_hidden()


def test_an_errors_panel_makes_it_happen(site: Watched) -> None:
    page = site.open("/spec/terms")
    page.locator('a.term[href="/spec/error-codes#invalid_payload"]').click()
    panel = page.locator("#term")
    panel.get_by_role("button", name="Make this happen").click()
    expect(panel).to_contain_text("400")


def test_pins_are_set_listed_kept_and_taken_away(site: Watched) -> None:
    page = site.open("/spec/retry#R-retry-7")
    page.keyboard.press("p")
    expect(page.locator("#R-retry-7 .pin")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Pin R-retry-6", exact=True).click()
    expect(page.locator("#pins-count")).to_have_text("(2)")
    page.goto(f"{site.base}/spec/cron")
    page.keyboard.press("P")
    pins = page.get_by_role("dialog", name="Pins")
    expect(pins.locator("li")).to_have_count(2)
    expect(pins).to_contain_text("Kept in this browser")
    pins.get_by_role("link").first.click()
    expect(page).to_have_url(f"{site.base}/spec/retry#R-retry-7")
    expect(page.locator("#R-retry-7")).to_be_in_viewport()
    page.keyboard.press("P")
    pins.get_by_role("button", name="Unpin").first.click()
    pins.get_by_role("button", name="Unpin").first.click()
    expect(pins).to_contain_text("Nothing is pinned yet")
    page.keyboard.press("Escape")
    expect(page.locator(".pin[aria-pressed=true]")).to_have_count(0)


def test_pins_work_where_storage_is_blocked(site: Watched) -> None:
    site.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    page = site.open("/spec/retry")
    page.get_by_role("button", name="Pin R-retry-6", exact=True).click()
    page.keyboard.press("P")
    expect(page.get_by_role("dialog", name="Pins")).to_contain_text("as long as this page")


def test_b_goes_back_to_the_last_target_and_to_the_one_before(site: Watched) -> None:
    page = site.open("/spec/retry")
    page.locator('.contents a[href="#jitter"]').click()
    page.locator('.contents a[href="#durations"]').click()
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("b")
    expect(page.locator("#durations")).to_be_in_viewport()
    page.keyboard.press("b")
    expect(page.locator("#jitter")).to_be_in_viewport()


@pytest.mark.parametrize("host", ["tab"])
def test_the_whole_reference_has_its_tools_too(site: Watched) -> None:
    page = site.open("/spec/all#R-cron-1")
    expect(page.locator("#R-cron-1")).to_be_in_viewport()
    page.keyboard.press("p")
    expect(page.locator("#R-cron-1 .pin")).to_have_attribute("aria-pressed", "true")
    page.locator("#R-retry-7 a.term").first.click()
    expect(page.locator("#term .entry")).to_be_visible()


def test_without_scripts_terms_are_links_and_every_page_reads(browser: Browser, base: str, host: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    site = watch(context.new_page(), base, host)
    page = site.page
    page.goto(f"{base}/spec/retry#R-retry-7")
    expect(page.locator("#R-retry-7")).to_be_in_viewport()
    expect(page.locator(".pin").first).to_be_hidden()
    expect(page.locator("#pin-here")).to_be_hidden()
    page.locator("#R-retry-7 a.term").click()
    expect(page.locator("#max_attempts")).to_be_in_viewport()
    page.locator("#max_attempts .cases summary").click()
    expect(page.locator("#max_attempts .cases a").first).to_be_visible()
    page.goto(f"{base}/spec/all#cron.time-zones")
    expect(page.locator("h1")).to_have_text("The whole reference")
    context.close()
    assert site.wrong == []


def test_what_is_sent_before_the_scripts_are_there_waits_and_is_answered(
    browser: Browser, static_host: StaticHost
) -> None:
    page = browser.new_page()
    late: list[Route] = []
    page.route("**/vendor/htmx.*.js", lambda route: late.append(route))  # noqa: PLW0108 - Playwright looks at what it is given
    page.goto(f"{static_host.url}/spec/core", wait_until="domcontentloaded")
    page.locator("#example-smallest-job").get_by_role("button", name="Run").click()
    expect(page.locator("#run-smallest-job .recorded")).to_contain_text("Recorded from a fresh engine")
    page.wait_for_timeout(300)
    late[0].continue_()
    expect(page.locator("#run-smallest-job .status")).to_have_text("201", timeout=60_000)
    expect(page.locator("#run-smallest-job .recorded")).not_to_contain_text("fresh engine", timeout=60_000)
    expect(page).to_have_url(f"{static_host.url}/spec/core")
    page.close()


def test_the_second_sheet_comes_with_the_page_that_wants_it_and_stays(site: Watched) -> None:
    page = site.open("/spec/core")
    sheet = page.locator('head link[rel="stylesheet"][href*="/work."]')
    expect(sheet).to_have_count(0)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Play").click()
    expect(page.locator("main.play")).to_have_css("display", "grid")
    expect(page.locator("main.play")).to_be_visible()
    expect(sheet).to_have_count(1)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Learn").click()
    expect(page.locator("main.library, main.learn")).to_be_visible()
    expect(sheet).to_have_count(1)


def test_print_shows_text_and_no_tools(site: Watched) -> None:
    page = site.open("/spec/retry")
    page.emulate_media(media="print")
    for gone in (".pin >> nth=0", ".tools", ".bar", "aside.side", ".timebar", "#pin-here"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator("#R-retry-7 .req-text")).to_be_visible()
    assert (
        page.locator("#R-retry-7 a.term").evaluate("one => getComputedStyle(one).textDecorationLine")
        == "none"
    )


@pytest.mark.parametrize(("theme", "width"), [("light", 375), ("dark", 1440)])
def test_axe_objects_to_none_of_it(browser: Browser, server: Server, theme: Any, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True
    )
    page = context.new_page()
    found = {path: _axe(page, server.url + path) for path in PAGES}
    page.goto(f"{server.url}/spec/retry")
    page.locator("#R-retry-7 a.term").click()
    expect(page.locator("#term .entry")).to_be_visible()
    found["panel"] = _violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.keyboard.press("P")
    found["pins"] = _violations(page)
    context.close()
    assert not any(found.values()), found


PAGES = (
    "/spec",
    "/spec/terms",
    "/spec/terms/attributes",
    "/spec/terms/states",
    "/spec/error-codes",
    "/spec/event-types",
    "/spec/coverage",
)


def _axe(page: Page, url: str) -> list[str]:
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("data-engine", "ready")
    return _violations(page)
