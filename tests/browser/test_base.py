"""A site that does not begin at its host's root: everything stays below its base, and works there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import USUAL, Watched, watch
from tests.conftest import command
from tests.static_host import StaticHost

BASE = "/docs/try"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticHost]:
    """The site in a folder of somebody else's."""
    out = tmp_path_factory.mktemp("based") / "site"
    done = command("build", "--base", f"{BASE}/", "--out", str(out))
    assert done.returncode == 0, done.stderr
    host = StaticHost(out, base=BASE)
    yield host
    host.close()


@pytest.fixture
def based(browser: Browser, host: StaticHost) -> Iterator[Watched]:
    """A fresh page; a request that leaves the folder fails the test."""
    context = browser.new_context(**USUAL)
    site = watch(context.new_page(), host.url, "tab")
    yield site
    context.close()
    assert site.wrong == []
    assert [path for path in host.paths if not path.startswith(BASE)] == []


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
