"""A site that does not begin at its host's root: everything stays below its base, and works there."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import USUAL, Watched, watch
from tests.conftest import Server, command

BASE = "/tab"


@pytest.fixture
def based(browser: Browser, server: Server) -> Iterator[Watched]:
    """A fresh page of the browser's build on a server; a request that leaves its folder fails the test."""
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(f"{server.url}{BASE}/")  # begins to build it
    context = browser.new_context(**USUAL)
    page = context.new_page()
    page.goto(f"{server.url}{BASE}/")
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=120_000)
    page.close()
    site = watch(context.new_page(), server.url + BASE, "tab")
    yield site
    context.close()
    assert site.wrong == []


def test_the_whole_site_works_below_its_base(based: Watched) -> None:
    """Pages by links and keys, jobs, their addresses and reloads, terms, handlers."""
    page = based.open("/")
    page.click("#enqueue")
    page.locator("#enqueued a").first.click()
    page.wait_for_url(f"{based.base}/play/jobs/*")
    expect(page.locator("main")).to_contain_text("email.send")
    page.wait_for_timeout(700)  # the session is kept a moment after it changed
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    expect(page.locator("main")).to_contain_text("email.send")
    page.locator(".bar nav a", has_text="Spec").click()
    page.wait_for_url(f"{based.base}/spec")
    expect(page.locator(".bar nav a[aria-current=page]")).to_have_text("Spec")
    page.keyboard.press("g")
    page.keyboard.press("x")
    page.wait_for_url(f"{based.base}/scenarios")
    page.goto(f"{based.base}/play?do=handlers&see=jobs")
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    for language in ("javascript", "python"):
        page.locator(f"#handler-{language}").get_by_role("button", name="Start").click()
    expect(page.locator("#handler-python .output li").nth(1)).to_be_visible(timeout=60_000)
    page.keyboard.press("/")
    page.keyboard.type("visibility timeout")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{based.base}/spec/**")
    expect(page.locator("html")).to_have_attribute("data-offline", "kept", timeout=60_000)


@pytest.mark.parametrize("wrong", ["https://a.example/", "/a b/", "/../x/", "no-slash", "/a?b"])
def test_a_base_that_is_no_path_is_refused(wrong: str, tmp_path: Path) -> None:
    done = command("build", "--base", wrong, "--out", str(tmp_path / "site"))
    assert done.returncode == 1
    assert "a base looks like /docs/try/" in done.stderr
    assert not (tmp_path / "site").exists()
