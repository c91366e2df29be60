"""Nothing moves by itself: over the workbench's main flow the browser counts no layout shift at all.

Save one: where the newest stands first, a new row moves the older rows of the same list.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched

NOTE = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;  // what follows a click at once is what the click was for
    const places = entry.sources.map(({node}) => (node?.nodeType === 1 ? node : node?.parentElement));
    if (places.length && places.every((place) => place?.closest('.jobs tbody, .log, .exchange-rows'))) continue;
    const told = entry.sources.map(({node, previousRect: was, currentRect: is}) => {
      const element = node?.nodeType === 1 ? node : node?.parentElement;
      const name = `${element?.tagName}#${element?.id}.${element?.getAttribute('class')}`;
      return `${name} ${was.x},${was.y} to ${is.x},${is.y}`;
    });
    window.shifts.push([entry.value, ...told]);
  }
}).observe({type: 'layout-shift', buffered: true});
"""
PUSH = """async ([type, count]) => {
  for (let index = 0; index < count; index += 1) {
    const body = JSON.stringify({type, args: [index], priority: index, queue: 'default'});
    await fetch('/ojs/v1/jobs', {method: 'POST', body, headers: {'Content-Type': 'application/json'}});
  }
}"""
WIDTHS: tuple[dict[str, Any], ...] = (
    {"viewport": {"width": 1440, "height": 900}},
    {"viewport": {"width": 375, "height": 800}},
)


def shifts(page: Page) -> Any:
    page.wait_for_timeout(700)
    return page.evaluate("window.shifts.splice(0)")


@pytest.mark.parametrize(("host", "options"), [("tab", WIDTHS[0]), ("server", WIDTHS[1])], indirect=["host"])
def test_nothing_moves_by_itself_over_the_main_flow(site: Watched) -> None:
    site.page.add_init_script(NOTE)
    page = site.open("/")
    found = {"home": shifts(page)}
    page.get_by_text("Write a handler").click()
    box = page.locator("#handler-javascript")
    box.get_by_role("button", name="Fails twice, then succeeds").click()
    box.get_by_role("button", name="Start").click()
    expect(box.locator(".runs")).to_have_attribute("data-state", "idle")
    found["started"] = shifts(page)
    box.get_by_role("button", name="Send it a job").click()
    expect(box.locator(".output .good")).to_be_visible()
    found["done"] = shifts(page)
    for path in ("/play?do=compose&see=board", "/play?do=workers&see=jobs", "/play?do=console&see=events"):
        page.goto(site.base + path)
        expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
        page.evaluate(PUSH, ["email.send", 4])
        page.evaluate(PUSH, ["flaky.charge", 1])
        page.wait_for_timeout(3000)
        found[path] = shifts(page)
    page.goto(site.base + "/play?do=compose&see=jobs")
    expect(page.locator("#view-found .id").first).to_be_visible(timeout=60_000)
    page.locator("#view-found .id").first.click()
    expect(page.locator("#h-path")).to_be_visible()
    found["job"] = shifts(page)
    assert not any(found.values()), {step: moved for step, moved in found.items() if moved}
