"""A page whose server goes away says so, and comes back to life with it; nothing typed is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import watch
from tests.conftest import Server


@pytest.mark.noise  # a refused connection is an error in the console
def test_a_page_outlives_its_server(browser: Browser) -> None:
    server = Server()
    context = browser.new_context()
    site = watch(context.new_page(), server.url, "server")
    page = site.open()
    page.fill("#job-body", '{"type": "half.typed"')
    server.stop()
    expect(page.locator("#engine-text")).to_contain_text("server gone", timeout=30_000)
    expect(page.locator("html")).to_have_attribute("data-engine", "failed")
    again = Server(port=server.port)
    expect(page.locator("#engine-text")).to_contain_text("live server", timeout=30_000)
    expect(page.locator("#job-body")).to_have_value('{"type": "half.typed"')
    page.fill("#job-body", '{"type": "whole.again", "args": []}')
    page.click("#enqueue")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    context.close()
    again.stop()
