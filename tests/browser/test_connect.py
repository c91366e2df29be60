"""Connect your SDK in a real browser: a client lights up while one looks, and the pages of it are accessible."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Watched, watch
from tests.browser.test_axe import _violations
from tests.conftest import Server


def test_a_client_lights_up_live(site: Watched, server: Server) -> None:
    page = site.open("/connect?language=go")
    if site.host == "tab":
        expect(page.locator(".lead")).to_contain_text("no program outside can reach a tab")
        return
    expect(page.locator(".copyable").nth(1)).to_contain_text(server.url)
    ruby = page.locator("[data-client=ruby]")
    expect(ruby).to_contain_text("not seen yet")
    asked = urllib.request.Request(f"{server.url}/ojs/v1/health", headers={"User-Agent": "Ruby"})
    with urllib.request.urlopen(asked):
        expect(ruby).to_contain_text("connected · 1 request")
    expect(ruby).to_have_class("here")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 375)])
def test_its_pages_have_no_violation(browser: Browser, server: Server, theme: Any, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True
    )
    site = watch(context.new_page(), server.url, "server")
    page = site.open("/connect")
    assert _violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert site.wrong == []


def test_a_guarded_server_is_entered_by_the_keyboard(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "an-admin-token-of-the-test"  # noqa: S105 - it guards this test's server only
    monkeypatch.setenv("OJS_TOKEN_ADMIN", token)
    guarded = Server()
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{guarded.url}/play?do=console")
    assert _violations(page) == []
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{guarded.url}/play?do=console")
    expect(page.locator("html")).to_have_attribute("data-engine", "ready")
    assert page.evaluate("document.cookie") == "", "scripts cannot read it"
    status = page.evaluate("fetch('/ojs/v1/queues').then(answer => answer.status)")
    assert status == 200
    context.close()
    guarded.stop()
