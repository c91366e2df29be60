"""Accessibility: axe finds nothing to object to, on any page, in either theme, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from playground.packages import modules
from tests.browser.conftest import watch
from tests.conftest import Server

AXE: Path = modules() / "axe-core" / "axe.min.js"
LOOKS: tuple[Any, ...] = (("light", 375), ("dark", 1440))


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_axe_finds_no_violation(browser: Browser, server: Server, theme: Any, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True
    )
    site = watch(context.new_page(), server.url, "server")
    page = site.open()
    empty = _violations(page)
    for text in (
        '{"type":"a.b","args":[],"pending":true}',
        '{"type":"broken.x","args":[],"retry":{"max_attempts":1}}',
    ):
        site.enqueue(text)
    expect(page.locator(".jobs .badge").first).to_have_text("discarded")
    busy = _violations(page)
    page.locator(".jobs .id").first.click()
    expect(page.locator(".errors li")).to_have_count(1)
    job = _violations(page)
    page.goto(server.url + "/spec/lifecycle")
    page.locator("#example-first-job").get_by_role("button", name="Run").click()
    expect(page.locator("#run-first-job")).to_contain_text("just now")
    spec = _violations(page)
    page.goto(server.url + "/scenarios")
    library = _violations(page)
    page.goto(server.url + "/scenarios/worker-crash")
    lesson = _violations(page)
    page.goto(server.url + "/play?do=compose")
    expect(page.locator("#rich .cm-content")).to_be_visible()
    page.locator("[data-field=priority]").fill("999")
    expect(page.locator("#problem-count")).to_have_text("1 problem")
    compose = _violations(page)
    page.goto(server.url + "/play?do=console")
    page.locator("#console-send").click()
    page.locator(".endpoints summary").click()
    page.locator(".answered .acts").get_by_text("Python", exact=True).click()
    expect(page.locator("#console-retold pre")).to_be_visible()
    console = _violations(page)
    page.goto(server.url + "/play?do=handlers")
    page.locator("#handler-javascript summary").click()
    page.locator("#handler-javascript").get_by_role("button", name="Start").click()
    expect(page.locator("#handler-javascript .output li")).to_have_count(3)
    handlers = _violations(page)
    page.goto(server.url + "/play?do=workers")
    page.locator("#behave").get_by_role("button", name="Set").click()
    expect(page.locator(".own")).to_have_count(1)
    workers = _violations(page)
    context.close()
    work = {"compose": compose, "console": console, "handlers": handlers, "workers": workers}
    found = {
        **work,
        "empty": empty,
        "busy": busy,
        "job": job,
        "spec": spec,
        "library": library,
        "lesson": lesson,
    }
    assert not any(found.values()), found


def _violations(page: Any) -> list[str]:
    page.add_script_tag(path=str(AXE))
    page.wait_for_timeout(300)  # colours move for a moment after a swap
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for one in found
        for node in one["nodes"]
    ]
