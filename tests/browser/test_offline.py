"""Without a network, after one visit, the site comes from what the browser keeps; a newer version is only told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import USUAL, watch
from tests.static_host import StaticHost

CRON = """fetch("/ojs/v1/cron", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ name: "a", cron: "30 2 * * *", timezone: "Europe/Berlin", type: "t", args: [] }),
}).then((answer) => answer.status)"""
"""Needs the data of time zones, which a start does not."""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who was never here."""
    context = browser.new_context(**USUAL)
    yield context
    context.close()


def visit(context: BrowserContext, base: str, path: str = "/") -> Page:
    """Open a page, and wait until the engine runs and the site is kept."""
    page = context.new_page()
    page.goto(base + path)
    root = page.locator("html")
    expect(root).to_have_attribute("data-engine", "ready", timeout=60_000)
    expect(root).to_have_attribute("data-offline", "kept", timeout=60_000)
    return page


def test_after_one_visit_everything_works_with_the_network_gone(context: BrowserContext, dist: Path) -> None:
    """Pages that were kept, pages that only the engine makes, time zones, the editor, the visitor's own Python."""
    host = StaticHost(dist)
    page = visit(context, host.url)
    host.close()
    page.close()
    site = watch(context.new_page(), host.url, "tab")
    page = site.page
    for path in ("/", "/spec/cron", "/play?do=compose&see=cron"):
        page.goto(host.url + path)
        expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
        expect(page.locator("main h1, main h2").first).to_be_visible()
    expect(page.locator("#rich .cm-content")).to_be_visible()
    assert page.evaluate(CRON) == 201
    page.goto(host.url + "/play?do=handlers&see=jobs")
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    python = page.locator("#handler-python")
    python.get_by_role("button", name="Start").click()
    python.get_by_role("button", name="Send it a job").click()
    expect(page.locator("#view-found")).to_contain_text("completed", timeout=60_000)
    assert [one for one in site.wrong if "ERR_CONNECTION_REFUSED" not in one] == []


def test_a_newer_version_is_told_and_never_forced(context: BrowserContext, dist: Path) -> None:
    host = StaticHost(dist)
    page = visit(context, host.url, "/play")
    program = (dist / "offline.js").read_text()
    newer = re.sub(r'"version": "\w+"', '"version": "newer"', program).encode()
    host.fault = lambda path: (200, "text/javascript", newer) if path == "/offline.js" else None
    page.locator("#rich .cm-content").fill('{"type": "kept.job", "args": []}')
    page.locator("#enqueue").click()
    expect(page.locator("#composed")).to_contain_text("kept.job")
    page.evaluate("navigator.serviceWorker.getRegistration().then((site) => site.update())")
    note = page.locator("#newer")
    expect(note).to_contain_text("A newer version", timeout=60_000)
    expect(page.locator("#composed")).to_contain_text("kept.job")
    with page.expect_navigation():
        note.get_by_role("button", name="Reload").click()
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    page.goto(host.url + "/play?do=compose&see=jobs")
    expect(page.locator("#view-found")).to_contain_text("kept.job", timeout=60_000)
    assert page.evaluate("caches.keys()") == ["ojs-offline-newer"]
    host.close()


def test_what_cannot_be_kept_is_left_and_the_page_works(context: BrowserContext, dist: Path) -> None:
    """A file that never comes, or is none: the earlier state stays, and nothing is said that is not so."""
    host = StaticHost(dist)
    host.fault = lambda path: (404, "text/html", b"gone") if "/rest." in path else None
    page = context.new_page()
    page.goto(host.url)
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    page.wait_for_function(
        "navigator.serviceWorker.getRegistration().then((site) => site && !site.installing)", timeout=60_000
    )
    assert page.locator("html").get_attribute("data-offline") is None
    page.click("#enqueue")
    expect(page.locator("#enqueued")).to_contain_text("went in as")
    host.close()
