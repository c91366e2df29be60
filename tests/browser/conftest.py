"""Pages in both hosts, watched: an error in the console or a request off the origin fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import Server
from tests.static_host import StaticHost

expect.set_options(timeout=15_000)
USUAL: Final = {"viewport": {"width": 1440, "height": 1000}}
UNKEPT: Final[dict[str, Any]] = {"service_workers": "block"}
"""Nothing is kept for use without a network: that takes a while for each visitor, and has tests of its own."""
BLOCKED: Final = "Service Worker registration blocked by Playwright"


@dataclass
class Watched:
    """A page, and what went wrong on it."""

    page: Page
    base: str
    host: Literal["tab", "server"]
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """Go to a page and wait for the engine; on the server everything earlier is forgotten first."""
        if self.host == "server":
            self.page.request.post(f"{self.base}/ui/reset")
        self.page.goto(self.base + path)
        expect(self.page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
        return self.page

    def enqueue(self, body: str) -> None:
        """Enqueue a job by the editor."""
        self.page.fill("#job-body", body)
        self.page.click("#enqueue")


def watch(page: Page, base: str, host: Literal["tab", "server"]) -> Watched:
    """Note every error and every request that leaves the origin."""
    site = Watched(page, base, host)
    page.on(
        "console",
        lambda message: (
            site.wrong.append(message.text)
            if message.type in {"error", "warning"} and message.text != BLOCKED
            else None
        ),
    )
    page.on("pageerror", lambda error: site.wrong.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((base, "data:", "blob:"))
            else site.wrong.append(f"off the origin: {request.url}")
        ),
    )
    return site


@pytest.fixture(params=["server", "tab"])
def host(request: pytest.FixtureRequest) -> Literal["tab", "server"]:
    """Which host: each test that uses it runs in both."""
    kind: Literal["tab", "server"] = request.param
    return kind


@pytest.fixture
def base(host: str, request: pytest.FixtureRequest) -> str:
    """Where the host is."""
    if host == "server":
        server: Server = request.getfixturevalue("server")
        return server.url
    static: StaticHost = request.getfixturevalue("static_host")
    return static.url


@pytest.fixture
def options() -> dict[str, Any]:
    """How the browser's context is made; tests override it by parameters."""
    return dict(USUAL)


@pytest.fixture(scope="session")
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """One visitor who comes back for each test: the browser has compiled Python, and its memory is kept."""
    context = browser.new_context(**USUAL, **UNKEPT)
    yield context
    context.close()


def forget(context: BrowserContext, base: str) -> None:
    """Leave nothing of a test to the next one but what a start has kept."""
    context.unroute_all()
    context.set_offline(False)
    context.clear_cookies()
    for page in context.pages:
        page.close()
    page = context.new_page()
    page.goto(f"{base}/robots.txt")
    page.evaluate("localStorage.clear()")
    page.close()


@pytest.fixture
def site(
    browser: Browser,
    base: str,
    host: Literal["tab", "server"],
    options: dict[str, Any],
    request: pytest.FixtureRequest,
) -> Iterator[Watched]:
    """A fresh page on the host."""
    again = host == "tab" and options == USUAL
    context = request.getfixturevalue("visitor") if again else browser.new_context(**{**UNKEPT, **options})
    watched = watch(context.new_page(), base, host)
    yield watched
    if again:
        forget(context, base)
    else:
        context.close()
    if "noise" not in request.keywords:
        assert watched.wrong == []
