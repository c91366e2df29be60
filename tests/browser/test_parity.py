"""Parity: what the tab's engine answers for a route is what the server answers, but for what must differ."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from playground.pages import PAGES
from tests.browser.conftest import watch
from tests.conftest import Server
from tests.static_host import StaticHost

JOB = "01900000-0000-7000-8000-00000000000a"
FILLED = {
    "{document}": "lifecycle",
    "{id}": JOB,
    "{view}": "board",
    "{operation}": "cancel",
    "{how}": "stop",
    "{example}": "illegal",
    "{step}": "1",
    "{form}": "text",
    "{name}": "cron-spring-gap",
    "{chapter}": "first-job",
}
BINDING = (
    ("GET", "/ojs/manifest", ""),
    ("GET", "/ojs/v1/health", ""),
    ("GET", f"/ojs/v1/jobs/{JOB}", ""),
    ("POST", "/ojs/v1/jobs", "{nonsense"),
    ("POST", "/ojs/v1/jobs", '{"type":"Wrong","args":[]}'),
    ("PATCH", "/ojs/v1/jobs", "{}"),
    ("GET", "/ojs/v1/nowhere", ""),
    ("POST", "/ojs/v1/workers/fetch", "{}"),
)

ASK = """async ([method, url, body]) => {
    const headers = {'HX-Request': 'true', 'X-Request-Id': 'parity'};
    const form = url.startsWith('/ui/');
    if (body) headers['Content-Type'] = form ? 'application/x-www-form-urlencoded' : 'application/json';
    const response = await fetch(url, {method, headers, body: body || undefined});
    if (url.startsWith('/ui/stream')) return [response.status, response.headers.get('Content-Type'), ''];
    return [response.status, response.headers.get('Content-Type'), await response.text()];
}"""


def requests() -> list[tuple[str, str, str]]:
    """One request to each route of the application, and some to the binding."""
    made: list[tuple[str, str, str]] = []
    for page in PAGES:
        path = page.path
        # Where a lesson opens differs by nature: in the tab's own session, or in the sandbox beside a server.
        filled = {**FILLED, "{name}": "nothing"} if page.method == "POST" else FILLED
        for placeholder, value in filled.items():
            path = path.replace(placeholder, value)
        query = "?view=board" if path == "/ui/stream" else ""
        made.append((page.method, path + query, "body=%7B%7D" if path == "/ui/jobs" else ""))
    made.append(("GET", "/learn/first-job/enqueue", ""))
    return made + list(BINDING)


def neutral(text: str) -> str:
    """Without what differs by nature: ids, times, addresses, the host's own words and script."""
    main = re.search(r'<div id="page".*?<footer', text, re.DOTALL)
    text = main[0] if main else text
    for pattern, name in (
        (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r"…[0-9a-f]{6}", "ID"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
        (r'"uptime_seconds":\d+', "UPTIME"),
        (r"http://localhost:\d+", "URL"),
        (r"(event|news)-\d+", "EVENT"),
        (r"demo-\d+", "DEMO"),
        (r"/static/([\w-]+)\.[0-9a-f]{12}\.", r"/static/\1."),  # the site's scripts are made smaller
        (r"attempt \d+", "ATTEMPT"),
        (r"[0-9a-f]{64}|[0-9a-f]{16}…", "HASH"),
        (r'data-copy-link="[^"]*"', "LINK"),
        (r"The link has \d+ characters", "LENGTH"),
    ):
        text = re.sub(pattern, name, text)
    return text


HOST_WORDS = re.compile(
    "|".join(
        (
            r"running (in this tab|on this machine)\.",
            r"This page is a real OJS server: .*?</p>",
            r"This is a real OJS server: .*?</p>",
            r'<div class="door" id="connect">.*?</section>',
            r'<p class="lead">(The server of this page|Point any OJS client).*?</p>',
            r"<h2>Run the server</h2>.*?(?=<h2)",
            r'<section class="view" id="view-clients".*?</section>',  # tests before this one are clients too
            r'<p class="of">(Nobody can:|Each lights up).*?</p>',
            r"Nothing of it leaves this (tab|machine)\.",
            r", or run <code>ojs-playground spec add DIR</code>",
            r"It may have been deleted.*?</p>",
            r'<details class="panel drop".*?</details>',
            r", \d+ ms|, [\d.]+ s| in [\d.]+ s",
            r'<form method="post" action="/ui/workers.*',
            r' data-(host|boot|playground)="[^"]*"',
        )
    ),
    re.DOTALL,
)
"""What each host says of itself."""


@pytest.mark.parametrize(("method", "url", "body"), requests())
def test_both_hosts_answer_a_route_alike(
    browser: Browser, server: Server, static_host: StaticHost, method: str, url: str, body: str
) -> None:
    answers = []
    for base, host in ((server.url, "server"), (static_host.url, "tab")):
        context = _page(browser, base, host)  # type: ignore[arg-type]
        context.evaluate(ASK, ["POST", "/ui/reset", ""])
        status, kind, text = context.evaluate(ASK, [method, url, body])
        answers.append((status, kind, HOST_WORDS.sub("", neutral(text)).split()))
    assert answers[0] == answers[1]


_pages: dict[str, object] = {}


def _page(browser: Browser, base: str, host: str) -> object:
    if base not in _pages:
        site = watch(browser.new_context().new_page(), base, host)  # type: ignore[arg-type]
        site.open("/spec")
        if host == "server":  # its sandbox, whose time can be moved as a tab's can
            site.page.context.add_cookies([{"name": "ojs-session", "value": "sandbox", "url": base}])
        expect(site.page.locator("h1")).to_have_text("Reference")
        _pages[base] = site.page
    return _pages[base]
