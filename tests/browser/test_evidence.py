"""Evidence beside the text, in both hosts: badges of requirements and sections, their cases, and the page of totals."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Watched


def test_a_section_is_proved_beside_its_heading(site: Watched) -> None:
    page = site.open("/spec/retry")
    badge = page.locator("#a-policy-is-checked-at-the-door > .evidence")
    expect(badge).to_be_hidden()
    page.get_by_role("button", name="Show evidence").click()
    expect(badge).to_have_text("not run")
    badge.click()
    dialog = page.locator("#evidence")
    dialog.get_by_role("button", name="Run its cases").click()
    expect(dialog.locator(".req-head .verdict")).to_contain_text("passed")
    dialog.get_by_role("link", name="R-retry-43").click()
    first = dialog.locator(".case-list details").first
    first.locator("summary").first.click()
    expect(first.locator(".request").first).to_contain_text("POST")
    expect(first.locator(".status").first).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(badge).to_contain_text("passed")
    expect(page.locator("#R-retry-43 .evidence")).to_contain_text("passed")


def test_the_totals_follow_a_run(site: Watched) -> None:
    if site.host == "server":
        site.page.request.post(f"{site.base}/ui/conformance/cases")  # forget what other tests have run
    page = site.open("/spec/coverage")
    total = page.locator("tfoot tr").first
    requirements, with_cases, passed = (total.locator("td").nth(column) for column in (0, 4, 6))
    expect(passed).to_have_text("·")
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_role("button", name="Run all")).to_be_enabled(timeout=60_000)
    expect(passed).not_to_have_text("·")
    assert 0 < int(passed.inner_text()) <= int(with_cases.inner_text()) <= int(requirements.inner_text())
    assert total.locator("td").nth(7).inner_text() == "·"


def test_the_address_of_a_requirement_lands_with_and_without_an_engine(site: Watched) -> None:
    page = site.page
    page.goto(f"{site.base}/spec/retry/R-retry-43")
    expect(page.locator("#R-retry-43, h1", has_text="R-retry-43").first).to_be_in_viewport()
