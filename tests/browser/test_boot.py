"""The engine's start in a tab: what is said while it lasts, when it stalls, and when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched, watch
from tests.static_host import Fault, StaticHost

STATE = "data-engine"


@pytest.fixture
def tab(browser: Browser, static_host: StaticHost) -> Iterator[Watched]:
    """A fresh profile on the static site."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield watch(context.new_page(), static_host.url, "tab")
    static_host.fault = None
    static_host.delay = 0.0
    context.close()


def on(ending: str, status: int, kind: str, body: bytes) -> Fault:
    """A host that answers like this for files of the engine with this ending."""
    return lambda path: (
        (status, kind, body) if path.startswith("/engine/") and path.endswith(ending) else None
    )


def text(page: Page) -> str:
    return page.locator("#boot-text").inner_text()


def test_while_it_starts_the_page_says_stage_bytes_and_time(tab: Watched, static_host: StaticHost) -> None:
    static_host.delay = 1.0
    tab.page.goto(tab.base)
    expect(tab.page.locator("html")).to_have_attribute(STATE, "booting")
    expect(tab.page.locator("#engine-text")).to_contain_text("download 1/4")
    expect(tab.page.locator("#boot-text")).to_contain_text("MB")
    expect(tab.page.locator("html")).to_have_attribute(STATE, "ready", timeout=60_000)
    assert tab.wrong == []


def test_a_click_during_the_start_waits_and_is_answered(tab: Watched, static_host: StaticHost) -> None:
    static_host.delay = 1.0
    tab.page.goto(tab.base)
    tab.page.click("#enqueue")
    assert tab.page.locator("html").get_attribute(STATE) == "booting"
    expect(tab.page.locator("#enqueued")).to_contain_text("available", timeout=60_000)
    expect(tab.page.locator(".jobs tbody tr")).to_have_count(1)


def test_a_script_learns_of_the_start_by_an_event(tab: Watched) -> None:
    tab.page.add_init_script(
        "document.addEventListener('ojs:ready', () => { window.heard = document.documentElement.dataset.engine })"
    )
    tab.open()
    assert tab.page.evaluate("window.heard") == "ready"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (on(".wasm", 404, "text/plain", b"gone"), "404"),
        (on(".wasm", 200, "text/html", b"<!doctype html>"), "web page in place of"),
        (on(".wasm", 200, "application/wasm", b"\0asm\1\0\0\0broken"), "did not start"),
        (on("app.zip", 200, "application/zip", b""), "did not start"),
        (on(".zip", 200, "text/html; charset=utf-8", b"<h1>login</h1>"), "web page in place of"),
        (on("pyodide.mjs", 404, "text/plain", b""), "did not start"),
    ],
    ids=["missing", "html-for-wasm", "truncated-wasm", "empty-app", "html-for-zip", "no-loader"],
)
def test_a_failure_is_said_and_retry_mends_it(
    tab: Watched, static_host: StaticHost, fault: Fault, said: str
) -> None:
    static_host.fault = lambda path: fault("/engine/app.zip" if path.startswith("/engine/app.") else path)
    tab.page.goto(tab.base)
    expect(tab.page.locator("html")).to_have_attribute(STATE, "failed", timeout=60_000)
    expect(tab.page.locator("#boot-text")).to_contain_text(said)
    tab.page.click("#enqueue")
    expect(tab.page.locator("#enqueued .problem")).to_be_visible()
    answer = tab.page.evaluate(
        "fetch('/ojs/v1/health').then(async r => [r.status, (await r.json()).error.code])"
    )
    assert answer == [503, "backend_error"]
    static_host.fault = None
    tab.page.click("#boot-retry")
    expect(tab.page.locator("html")).to_have_attribute(STATE, "ready", timeout=60_000)
    tab.page.click("#enqueue")
    expect(tab.page.locator(".jobs tbody tr")).to_have_count(1)


def test_a_stall_is_said_and_can_be_ended(tab: Watched, static_host: StaticHost) -> None:
    static_host.delay = 40.0
    tab.page.clock.install()
    tab.page.goto(tab.base)
    expect(tab.page.locator("html")).to_have_attribute(STATE, "booting")
    tab.page.clock.fast_forward(12_000)
    expect(tab.page.locator("#boot-text")).to_contain_text("No progress for")
    expect(tab.page.locator("#boot-retry")).to_be_visible()
    static_host.delay = 0.0
    tab.page.clock.resume()
    tab.page.click("#boot-retry")
    expect(tab.page.locator("html")).to_have_attribute(STATE, "ready", timeout=60_000)


def test_without_webassembly_the_page_says_so_and_reads_on(tab: Watched) -> None:
    tab.page.add_init_script("delete window.WebAssembly")
    tab.page.goto(tab.base + "/spec/lifecycle")
    expect(tab.page.locator("html")).to_have_attribute(STATE, "failed")
    expect(tab.page.locator("#boot-text")).to_contain_text("no WebAssembly")
    expect(tab.page.locator("#main")).to_contain_text("The eight states")


def test_a_pushed_address_opens_after_a_reload(tab: Watched) -> None:
    page = tab.open()
    page.click("#enqueue")
    page.locator(".jobs .id").first.click()
    expect(page.locator("h1")).to_contain_text("email.send")
    page.wait_for_timeout(700)  # the session is kept a moment after each change
    page.reload()
    expect(page.locator("h1")).to_contain_text("email.send", timeout=60_000)
    page.goto(f"{tab.base}/play/jobs/01900000-0000-7000-8000-00000000000a")
    expect(page.locator("h1")).to_have_text("There is no such job", timeout=60_000)


def test_a_host_that_compresses_nothing_sends_the_packed_files(tab: Watched, static_host: StaticHost) -> None:
    """On another name than localhost the .gz files are taken and unpacked in the worker."""
    static_host.paths.clear()
    tab.page.route("**/static/worker*", _elsewhere)
    tab.page.goto(tab.base)
    expect(tab.page.locator("html")).to_have_attribute(STATE, "ready", timeout=60_000)
    packed = [path for path in static_host.paths if path.endswith(".gz")]
    assert {path.rpartition("/")[2].partition(".")[0] for path in packed} >= {"app", "stdlib", "pyodide"}


def _elsewhere(route: object) -> None:
    response = route.fetch()  # type: ignore[attr-defined]
    body = response.text().replace("localhost|", "")
    route.fulfill(response=response, body=body)  # type: ignore[attr-defined]


def test_nothing_of_the_engine_is_fetched_twice(tab: Watched, static_host: StaticHost) -> None:
    static_host.paths.clear()
    tab.open()
    engine = [path for path in static_host.paths if path.startswith("/engine/")]
    assert sorted(engine) == sorted(set(engine))


# The memory that an earlier visit left.

MEMORY = "data-memory"
FOLDER = "(await navigator.storage.getDirectory()).getDirectoryHandle('ojs-playground', {create: true})"
DAMAGE = f"""(async change => {{ for await (const file of (await {FOLDER}).values()) {{
    const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
    const words = new Uint32Array(bytes.buffer);
    if (change === 'flip') bytes[9_000_000] ^= 1;
    if (change === 'cut') words[0] -= 4096;
    if (change === 'garbage') {{ // sound by its checksum, and nonsense
        words.fill(0x41414141, 4 + 20_000);
        words[1] = words.subarray(4).reduce((sum, word) => (Math.imul(sum, 31) + word) | 0, 0);
    }}
    const out = await file.createWritable();
    await out.write(bytes);
    await out.close();
}} }})"""


@pytest.fixture
def second(tab: Watched) -> Watched:
    """A page in whose browser the first visit has left the engine's memory."""
    tab.open()
    expect(tab.page.locator("html")).to_have_attribute(MEMORY, "kept", timeout=30_000)
    return tab


def test_the_second_visit_starts_from_the_memory_of_the_first(second: Watched) -> None:
    page = second.open()
    expect(page.locator("html")).to_have_attribute(MEMORY, "restored")
    page.click("#enqueue")
    first = page.locator(".jobs .id").first.inner_text()
    page.locator("nav[aria-label=Site]").get_by_text("Spec").click()
    expect(page.locator("h1")).to_contain_text("Reference")
    page.evaluate("sessionStorage.clear()")
    second.open()
    page.click("#enqueue")
    assert page.locator(".jobs .id").first.inner_text() != first  # each visit draws its own ids
    assert second.wrong == []


@pytest.mark.parametrize("change", ["flip", "cut", "garbage"])
def test_a_damaged_memory_is_noticed_and_the_start_is_a_plain_one(second: Watched, change: str) -> None:
    second.page.goto(second.base + "/robots.txt")  # nothing of the engine is at the file there
    second.page.evaluate(f"{DAMAGE}('{change}')")
    page = second.open()
    expect(page.locator("html")).not_to_have_attribute(MEMORY, "restored")
    page.click("#enqueue")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)


def test_without_storage_the_engine_starts_all_the_same(tab: Watched) -> None:
    tab.page.route(
        "**/static/snapshot*",
        lambda route: route.fulfill(
            response=(found := route.fetch()),
            body=found.text().replace(
                "navigator.storage.getDirectory()", "Promise.reject(new Error('blocked'))"
            ),
        ),
    )
    for _ in range(2):
        tab.open()
        tab.page.wait_for_timeout(3_000)
        expect(tab.page.locator("html")).not_to_have_attribute(MEMORY, re.compile("."))
    assert tab.wrong == []


# What comes after the start.


@pytest.mark.noise  # the file's answer is an error in the console
def test_what_pages_read_comes_later_and_its_absence_is_said(tab: Watched, static_host: StaticHost) -> None:
    static_host.fault = lambda path: (503, "text/plain", b"later") if "/engine/more." in path else None
    page = tab.open()
    page.click("#enqueue")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    page.locator("nav[aria-label=Site]").get_by_text("Spec").click()
    expect(page.locator("#main")).to_contain_text("not here yet: the server answered 503")
    static_host.fault = None
    page.locator("nav[aria-label=Site]").get_by_text("Spec").click()
    expect(page.locator("h1")).to_contain_text("Reference")
