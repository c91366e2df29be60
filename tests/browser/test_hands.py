"""Hands: the palette, the search, the help and the keys, by keyboard alone, in both hosts."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watched
from tests.browser.test_axe import AXE, _violations
from tests.browser.test_travel import enter

PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 800}, "has_touch": True}


def rows(page: Page) -> Locator:
    return page.locator("#palette-list [role=option]")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_the_palette_filters_and_goes_by_keyboard_alone(site: Watched) -> None:
    page = site.open("/play")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-text")).to_be_focused()
    expect(rows(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#palette-text")).to_have_attribute("aria-activedescendant", "found-1")
    page.keyboard.press("ArrowUp")
    page.keyboard.type("errata")
    expect(rows(page).first).to_contain_text("Errata")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Errata")
    expect(page.locator("#palette")).to_be_hidden()
    page.go_back()
    expect(page.locator("main.play")).to_be_visible()


def test_search_finds_headings_rulings_scenarios_and_endpoints(site: Watched) -> None:
    page = site.open("/conformance")
    for words, kind in (
        ("worker gone", "Scenario"),
        ("life cycle", "Reference"),
        ("shape of an error", "Ruling"),
        ("POST workers/fetch", "Endpoint"),
        ("retryable", "State"),
        ("invalid_payload", "Error"),
        ("visbility timeout", "Concept"),  # a letter is missing
        ("R-retry-12", "R-retry-12"),
        ("Retry-After", "Header"),
    ):
        page.keyboard.press("/")
        expect(page.locator("#palette-text")).to_be_focused()
        page.keyboard.type(words)
        expect(rows(page).first).to_contain_text(kind)
        page.keyboard.press("Escape")
        expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("nothing is called <b>this</b>")
    expect(page.locator("#palette-said")).to_have_text("Nothing is called that.")
    page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_visible()


def test_a_found_heading_is_gone_to(site: Watched) -> None:
    page = site.open("/")
    page.keyboard.press("/")
    page.keyboard.type("shape of an error")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.base}/spec/errata#R-error-body")


def test_help_lists_every_key_and_closes_with_escape(site: Watched) -> None:
    page = site.open("/")
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_be_visible()
    for label in (
        "Play or pause time",
        "New job",
        "Go to the reference",
        "Find a command",
        "Close what is open",
    ):
        expect(help_).to_contain_text(label)
    page.keyboard.press("n")  # not while a dialog is open
    assert focused(page) != "job-body"
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()


def test_sequences_go_and_n_focuses_the_editor(site: Watched) -> None:
    page = site.open("/")
    for keys, path in (
        ("gs", "/spec"),
        ("gc", "/conformance"),
        ("gl", "/learn"),
        ("gx", "/scenarios"),
        ("gp", "/play"),
    ):
        for key in keys:
            page.keyboard.press(key)
        expect(page).to_have_url(site.base + path)
    expect(page.locator("#rich .cm-content")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("#rich .cm-content")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#composed .done")).to_be_visible()


def test_no_key_is_taken_from_where_one_types(site: Watched) -> None:
    page = site.open("/")
    page.locator("#job-body").fill("")
    page.locator("#job-body").focus()
    page.keyboard.type("?/n gp.[]ut w")
    expect(page.locator("#job-body")).to_have_value("?/n gp.[]ut w")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#job-body")).to_be_focused()


def test_the_rich_editor_is_typed_into_like_any_field(site: Watched) -> None:
    page = site.open("/play")
    page.locator("#rich .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("?/n gp.w")
    expect(page.locator("#job-body")).to_have_value("?/n gp.w")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_time_is_moved_and_undone_by_keys(site: Watched) -> None:
    page = enter(site, "/")
    page.keyboard.press(" ")
    expect(page.locator("#clock-day")).to_contain_text("paused")
    site.enqueue(json.dumps({"type": "email.send", "args": []}))
    expect(page.locator(".jobs .badge").first).to_have_text("available")
    page.locator("h1").click()
    page.keyboard.press("]")
    expect(page.locator(".jobs .badge").first).to_have_text("active")
    page.keyboard.press("[")
    page.keyboard.press("u")
    expect(page.locator(".jobs .badge")).to_have_count(0)
    page.keyboard.press("U")
    expect(page.locator(".jobs .badge").first).to_have_text("available")


def test_a_live_update_steals_no_focus_and_is_said_at_most_every_two_seconds(site: Watched) -> None:
    page = site.open("/")
    page.evaluate(
        """() => {
            window.heard = [];
            const place = document.querySelector('#announce');
            const hear = () => window.heard.push([performance.now(), place.textContent]);
            new MutationObserver(hear).observe(place, {childList: true});
        }"""
    )
    page.locator("#job-body").focus()
    ask = """async (type) => (await fetch('/ojs/v1/jobs', {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({type, args: []})
    })).status"""
    for _ in range(12):
        assert page.evaluate(ask, "email.send") == 201
        page.wait_for_timeout(200)
    expect(page.locator(".jobs .s-completed").first).to_be_visible()
    page.wait_for_timeout(2500)
    assert focused(page) == "job-body"
    heard = page.evaluate("window.heard")
    times = [at for at, _ in heard]
    assert 1 <= len(heard) <= 5
    assert all(later - earlier >= 1900 for earlier, later in pairwise(times)), times
    assert "job." in heard[-1][1]
    page.locator("h1").click()
    page.keyboard.press("?")
    page.get_by_label("Say what happens").uncheck()
    page.keyboard.press("Escape")
    said = len(page.evaluate("window.heard"))
    assert page.evaluate(ask, "email.send") == 201
    page.wait_for_timeout(2500)
    assert len(page.evaluate("window.heard")) == said


@pytest.mark.parametrize("see", ["board", "timeline"])
def test_what_happens_is_said_whichever_pane_is_open(site: Watched, see: str) -> None:
    page = site.open(f"/play?do=handlers&see={see}")
    page.evaluate(
        """async () => fetch('/ojs/v1/jobs', {method: 'POST',
        headers: {'Content-Type': 'application/json'}, body: '{"type":"a.b","args":[]}'})"""
    )
    expect(page.locator("#announce")).to_contain_text("job.")
    expect(page.locator("#announce")).to_contain_text("job.completed")


@pytest.mark.parametrize("options", [PHONE])
def test_a_phone_reaches_everything_by_touch_and_nothing_overflows(site: Watched) -> None:
    page = site.open("/play")
    page.get_by_role("button", name="Search and commands").tap()
    expect(page.locator("#palette")).to_be_visible()
    page.locator("#palette-text").fill("all keys")
    rows(page).first.tap()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    sheet = page.locator("#help").bounding_box()
    assert sheet is not None
    assert sheet["x"] >= 0
    assert sheet["x"] + sheet["width"] <= 375


@pytest.mark.parametrize(("theme", "width"), [("light", 375), ("dark", 1440)])
def test_axe_objects_to_neither_palette_nor_help_nor_code(
    browser: Any, server: Any, theme: Any, width: int
) -> None:
    assert AXE.is_file()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{server.url}/play?do=code&language=python&part=program")
    expect(page.locator("html")).to_have_attribute("data-engine", "ready")
    code = _violations(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("e")
    expect(rows(page)).to_have_count(60)
    palette = _violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    help_ = _violations(page)
    context.close()
    found = {"code": code, "palette": palette, "help": help_}
    assert not any(found.values()), found
