# ruff: noqa: E501 - pages and scripts of another site read better as one line
"""Widgets on somebody else's page: another site, third-party storage blocked, and everything that can be wrong there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from playground import resources
from playground.embed.markdown import fence
from tests.browser.test_axe import AXE
from tests.conftest import CHROMIUM, Server, command
from tests.static_host import StaticHost

JOB = '{"type": "email.send", "args": []}'
RECORD = """
window.told = [];
for (const name of ["ready", "run", "event", "state", "resize"])
  addEventListener("ojs:" + name, (event) => told.push([name, event.target.id, event.detail]));
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => (shift += entry.value))).observe({ type: "layout-shift", buffered: true });
"""


class Docs:
    """A site of somebody's: pages by path, at an address that is another site than the playground's."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str, dict[str, str]]] = {}
        docs = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, text, headers = docs.pages.get(self.path, ("text/html", "Not here", {}))
                self.send_response(200 if self.path in docs.pages else 404)
                for name, value in {"Content-Type": f"{kind}; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, path: str, body: str, *origins: str, dark: bool = False, **headers: str) -> str:
        """Lay out a page that loads the script of these origins; its address."""
        scripts = "".join(f'<script async src="{origin}/embed.js"></script>' for origin in origins)
        paint = "background:#111;color:#eee;color-scheme:dark" if dark else "background:#fff;color:#111"
        head = f'<title>Docs</title><link rel="icon" href="data:,"><meta name="viewport" content="width=device-width"><script>{RECORD}</script>{scripts}'
        html = f'<!doctype html><html lang="en"><head>{head}</head><body style="font:16px sans-serif;{paint}"><main><h1>Docs</h1>{body}</main></body></html>'
        self.pages[path] = (
            "text/html",
            html,
            {name.replace("_", "-"): value for name, value in headers.items()},
        )
        return self.url + path


@pytest.fixture(scope="module")
def docs() -> Iterator[Docs]:
    """Somebody's documentation."""
    site = Docs()
    yield site
    site.server.shutdown()


@pytest.fixture
def blocked(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A visitor whose browser gives third parties no storage."""
    (tmp_path / "Default").mkdir()
    kept = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(kept))
    kind = browser.browser_type
    context = kind.launch_persistent_context(
        str(tmp_path), executable_path="/usr/bin/chromium", args=list(CHROMIUM), viewport={"width": 1200, "height": 900}
    )  # fmt: skip
    yield context
    context.close()


def press(widget: Locator, name: str = "Run") -> Locator:
    widget.get_by_role("button", name=name, exact=True).click()
    return widget


def state(widget: Locator, wanted: str, timeout: float = 60_000) -> None:
    expect(widget).to_have_attribute("data-state", wanted, timeout=timeout)


def test_ten_widgets_of_another_site_share_one_engine_without_storage(
    blocked: BrowserContext, static_host: StaticHost, docs: Docs
) -> None:
    widgets = "".join(fence(JOB, f"ojs 'Job {number}' height=360", static_host.url) for number in range(10))
    page = blocked.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    static_host.paths.clear()
    page.goto(docs.page("/ten", widgets, static_host.url))
    first, second = page.locator("ojs-try").nth(0), page.locator("ojs-try").nth(1)
    expect(first.get_by_role("button", name="Run", exact=True)).to_be_visible()
    expect(first).to_contain_text("3 events in 1.5 s; at the end 1 completed.")
    assert static_host.paths == ["/embed.js"]

    state(press(first), "ended")
    frame = first.locator("iframe").element_handle().content_frame()  # type: ignore[union-attr]
    assert frame
    refused = "() => { try { localStorage.length; return navigator.cookieEnabled ? 'given' : 'no cookie'; } catch { return 'refused'; } }"
    assert frame.evaluate(refused) in {"refused", "no cookie"}
    assert not frame.evaluate("crossOriginIsolated")
    names = page.evaluate("told.map(([name]) => name)")
    assert [name for name in dict.fromkeys(names) if name != "resize"] == ["state", "run", "ready", "event"]
    events = page.evaluate("told.filter(([name]) => name === 'event').map(([, , detail]) => detail.type)")
    assert events[-3:] == ["job.enqueued", "job.started", "job.completed"]

    for widget in page.locator("ojs-try").all()[1:]:
        press(widget)
    for widget in page.locator("ojs-try").all():
        state(widget, "ended")
    assert len(page.workers) == 1
    assert sum(path.endswith("pyodide.asm.wasm") for path in static_host.paths) == 1
    assert page.evaluate("shift") == 0

    page.evaluate("document.querySelector('ojs-try').remove()")  # the widget that had the engine
    state(press(second), "starting")
    state(second, "ended")
    assert wrong == []


def test_what_a_reader_edits_runs_and_what_is_wrong_is_said_in_place(
    browser: Browser, static_host: StaticHost, docs: Docs
) -> None:
    """And a page's own code block is taken, wherever it stands."""
    context = browser.new_context()
    page = context.new_page()
    body = f'<pre id="block">{JOB}</pre><ojs-try for="#block" views="log jobs" height="320"></ojs-try>'
    page.goto(docs.page("/edit", body, static_host.url))
    widget = page.locator("ojs-try")
    state(press(widget, "Edit"), "editing")
    inside = widget.locator("iframe").content_frame
    editor = inside.get_by_label("A job, a request or a scenario")
    expect(editor).to_have_value(JOB)
    editor.fill('{"type": "flaky.x", ')
    editor.press("Control+Enter")
    expect(inside.get_by_role("status")).to_contain_text("This is neither JSON nor a request")
    expect(editor).to_be_visible()
    editor.fill('{"type": "flaky.x", "args": []}')
    press(widget)
    state(widget, "ended")
    expect(inside.get_by_role("tabpanel")).to_contain_text("attempt 3")
    inside.get_by_role("tab", name="Log").press("ArrowRight")
    expect(inside.get_by_role("tabpanel")).to_contain_text("flaky.x")
    press(widget, "Reset")
    expect(editor).to_have_value(JOB)
    inside.get_by_role("link", name="Open in the playground")
    with context.expect_page() as opened:
        inside.get_by_role("link", name="playground").click()
    assert opened.value.url.startswith(f"{static_host.url}/play?do=workers&see=jobs#s=1.")
    assert opened.value.evaluate("window.opener") is None
    context.close()


def test_whatever_is_wrong_the_text_stays_with_one_clear_line(
    browser: Browser, static_host: StaticHost, docs: Docs
) -> None:
    context = browser.new_context()
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    kept = "<pre>{nonsense</pre><p>Recorded: it stays.</p>"
    body = f'<ojs-try>{kept}</ojs-try><ojs-try scenario="none">{kept}</ojs-try><ojs-try></ojs-try>'
    page.goto(docs.page("/wrong", body, static_host.url, static_host.url.replace("localhost", "127.0.0.1")))
    lines = (
        "This is neither JSON nor a request such as POST /jobs",
        "There is no scenario 'none' in the library.",
        "This widget names no scenario and no requirement, and has no code block.",
    )
    for number, line in enumerate(lines):
        widget = page.locator("ojs-try").nth(number)
        state(press(widget), "failed")
        expect(widget.get_by_role("status")).to_contain_text(line)
        expect(widget.get_by_role("button", name="Retry")).to_be_enabled()
        if number < 2:
            expect(widget.get_by_text("Recorded: it stays.")).to_be_visible()
    assert len([line for line in told if "two versions of embed.js" in line]) == 1

    page.goto(
        docs.page(
            "/policy",
            f"<ojs-try>{kept}</ojs-try>",
            static_host.url,
            Content_Security_Policy="frame-src 'none'",
        )
    )
    widget = page.locator("ojs-try")
    state(press(widget), "failed")
    expect(widget.get_by_role("status")).to_contain_text("lets no frame of")
    expect(widget.get_by_text("Recorded: it stays.")).to_be_visible()

    script = (resources.path("static") / "embed.js").read_text()
    docs.pages["/embed.js"] = ("text/javascript", script, {})
    page.goto(
        docs.page("/alone", f"<ojs-try>{kept}</ojs-try>", docs.url)
    )  # there is a script, but no playground
    state(press(widget), "failed")
    expect(widget.get_by_role("status")).to_contain_text("cannot be reached, or may not be framed here")
    expect(widget.get_by_text("Recorded: it stays.")).to_be_visible()
    context.close()


def test_messages_of_others_are_not_heard(browser: Browser, server: Server, docs: Docs) -> None:
    context = browser.new_context()
    page = context.new_page()
    mine = f'<ojs-try height="320"><pre>{JOB}</pre></ojs-try>'
    page.goto(docs.page("/mine", mine, server.url))
    widget = page.locator("ojs-try")
    state(press(widget), "ended")
    page.evaluate("postMessage({ ojs: 1, type: 'state', state: 'failed', reason: 'forged' }, '*')")
    page.evaluate("document.body.append(Object.assign(document.createElement('iframe'), { srcdoc: `<script>parent.postMessage({ ojs: 1, type: 'state', state: 'failed', reason: 'forged' }, '*')</scr` + `ipt>` }))")  # fmt: skip
    page.wait_for_timeout(300)
    state(widget, "ended", 100)
    assert "forged" not in json.dumps(page.evaluate("told"))

    theirs = (
        f'<iframe id="theirs" title="x" src="{server.url}/embed/frame/#host=https://docs.example"></iframe>'
    )
    page.goto(docs.page("/theirs", theirs))
    page.evaluate("addEventListener('message', (event) => told.push(['heard', '', event.data]))")
    frame = page.locator("#theirs").element_handle().content_frame()  # type: ignore[union-attr]
    assert frame
    page.evaluate("document.getElementById('theirs').contentWindow.postMessage({ ojs: 1, type: 'run' }, '*')")
    page.wait_for_timeout(300)
    assert frame.evaluate("document.documentElement.dataset.state") is None
    assert page.evaluate("told") == []

    old = f'<iframe id="old" title="x" src="{server.url}/embed/frame/#host={docs.url}"></iframe>'
    page.goto(docs.page("/old", old))
    page.evaluate("addEventListener('message', (event) => told.push(['heard', '', event.data]))")
    page.evaluate("document.getElementById('old').contentWindow.postMessage({ ojs: 9, type: 'run' }, '*')")
    page.wait_for_function("told.length > 0 && told.at(-1)[2].type === 'state'")
    assert "speaks version 9" in page.evaluate("told.at(-1)[2].reason")
    context.close()


def _violations(page: Page, frame: Any) -> list[str]:
    found: list[str] = []
    for place in (page.main_frame, frame):
        place.add_script_tag(content=AXE.read_text())
        found += place.evaluate(
            "axe.run(document, { iframes: false }).then((done) => done.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' ').slice(0, 300)))"
        )
    return found


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_and_the_theme_follows_the_page(
    browser: Browser, server: Server, docs: Docs, *, dark: bool
) -> None:
    """On a phone, whose own theme is the other one; with the frame alone beside it, for pages without scripts."""
    scheme: Any = "light" if dark else "dark"
    context = browser.new_context(
        viewport={"width": 375, "height": 800}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
    )
    page = context.new_page()
    alone = f'<iframe id="alone" title="A run" width="100%" height="400" src="{server.url}/embed/frame/#scenario=worker-crash&theme={"dark" if dark else "light"}"></iframe>'
    page.goto(docs.page("/axe", fence(JOB, "ojs", server.url) + alone, server.url, dark=dark))
    widget = page.locator("ojs-try")
    state(press(widget), "ended")
    frame = widget.locator("iframe").element_handle().content_frame()  # type: ignore[union-attr]
    assert frame
    assert frame.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    found = _violations(page, frame)
    by_itself = page.locator("#alone").content_frame
    by_itself.get_by_role("button", name="Run").click()
    expect(by_itself.locator("#where")).to_contain_text("8 of 8 events")
    frame = page.locator("#alone").element_handle().content_frame()  # type: ignore[union-attr]
    for view in ("Diagram", "Jobs", "Timeline", "Log", "Code"):
        by_itself.get_by_role("tab", name=view).click()
        expect(by_itself.get_by_role("tab", name=view)).to_have_attribute("aria-selected", "true")
        page.wait_for_timeout(150)
        found += _violations(page, frame)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()
    assert not found, found


def test_a_widget_runs_from_a_folder_of_ones_own(browser: Browser, tmp_path: Path) -> None:
    """``build --embed``, anywhere on a host that knows nothing of it; nothing outside the folder is asked for."""
    folder = tmp_path / "help" / "ojs"
    done = command("build", "--embed", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: object = "", size: object = "") -> None:
            del size
            asked.append(f"{int(code)} {self.path}")  # type: ignore[call-overload]

        def log_error(self, *_: object) -> None:
            pass

    page = f'<!doctype html><title>Help</title><script async src="ojs/embed.js"></script>{fence(JOB, "ojs height=360", "")}'
    (tmp_path / "help" / "page.html").write_text(page)
    host = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    threading.Thread(target=host.serve_forever, daemon=True).start()
    reader = browser.new_page()
    reader.goto(f"http://127.0.0.1:{host.server_address[1]}/help/page.html")
    widget = reader.locator("ojs-try")
    state(press(widget), "ended")
    inside = widget.locator("iframe").content_frame
    for name in ("Diagram", "Timeline", "Code"):
        inside.get_by_role("tab", name=name).click()
        expect(inside.locator("#view")).not_to_be_empty()
    expect(inside.locator("#open")).to_be_hidden()  # there is no playground to open it in
    reader.close()
    host.shutdown()
    wrong = [one for one in asked if not one.startswith("200 ") and "favicon" not in one]
    assert wrong == []
    assert [one for one in asked if "/help/" not in one and "favicon" not in one] == []
