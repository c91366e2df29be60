"""The library of scenarios in both hosts: read a lesson, open it, step through what happened, come back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from playground.travel import library
from playground.travel.digest import digest
from playground.travel.scenario import Player
from tests.browser.conftest import Watched


def test_a_lesson_is_opened_and_stepped_through(site: Watched) -> None:
    page = site.open("/scenarios")
    page.get_by_role("button", name="Open The worker is gone").click()
    expect(page.locator(".timebar .banner").first).to_contain_text("The worker is gone")
    expect(page).to_have_url(re.compile(r"/play\?do=workers&see=jobs$"))
    expect(page.locator("#clock-day")).to_contain_text("past")
    expect(page.locator(".jobs .badge").first).to_have_text("available")
    page.keyboard.press("]")
    expect(page.locator(".jobs .badge").first).to_have_text("active")
    page.get_by_role("button", name="Back to your session").click()
    expect(page.locator(".timebar .banner", has_text="The worker is gone")).to_have_count(0)
    expect(page.locator("#view-workers")).to_be_visible()


@pytest.mark.parametrize("name", ["dead-letter", "cron-autumn-fold"])
def test_a_lesson_played_here_has_the_same_hash_as_anywhere(site: Watched, name: str) -> None:
    page = site.open("/scenarios")
    page.locator(f'a[href="/scenarios/{name}"]').click()  # in a tab, the engine there plays it now
    title = library.lesson(name)["title"]
    expect(page.locator("h1")).to_have_text(str(title))
    expected = digest(Player(library.lesson(name)).finish().world)
    expect(page.locator("[data-hash]")).to_have_attribute("data-hash", expected)
    expect(page.locator(".plot .failed")).to_have_count(0)


def test_a_lesson_is_saved_and_opened_from_its_link(site: Watched, tmp_path: Path) -> None:
    page = site.open("/scenarios/first-job")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert saved.value.suggested_filename == "first-job.ojs-scenario.json"
    saved.value.save_as(tmp_path / "file.json")
    assert json.loads((tmp_path / "file.json").read_text()) == library.lesson("first-job")
    link = page.locator("[data-copy-link]").get_attribute("data-copy-link")
    page.goto(f"{site.base}/#{link}")
    expect(page.locator(".timebar .banner").first).to_contain_text("A first job", timeout=60_000)
