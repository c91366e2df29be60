"""The tutorial in both hosts: solved from its stored solutions, by keyboard, on a phone, with a damaged store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from playground.learn.course import Step, course
from tests.browser.conftest import Watched
from tests.browser.test_axe import _violations
from tests.conftest import Server

STEPS = list(course().steps.values())
PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 800}, "has_touch": True}

ACT = """async (acts) => {
    const known = {};
    const htmx = {'HX-Request': 'true'};
    const form = (path, fields = {}) => fetch(path, {method: 'POST', headers: htmx, body: new URLSearchParams(fields)});
    const reference = /\\{\\{steps\\.([\\w-]+)\\.response\\.body\\.([^}]+)\\}\\}/g;
    const filled = (value) => JSON.parse(JSON.stringify(value).replace(reference, (_, id, path) =>
        path.split(/[.\\[\\]]+/).filter(Boolean).reduce((place, name) => place[name], known[id])));
    const arrived = async () => {
        for (;;) {
            const bar = await (await fetch('/ui/views/time', {headers: htmx})).text();
            if (!bar.includes('running')) return;
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    };
    await form('/ui/time/pause');
    for (const act of acts) {
        if (act.after) { await form('/ui/time/add', {ms: act.after}); await arrived(); }
        if (act.move) { await form(`/ui/time/${act.move}`, act.with ?? {}); await arrived(); }
        if (act.cases) await form('/ui/conformance/run', {level: act.cases.level});
        if (act.worker) {
            const {do: verb, id, with: settings} = act.worker;
            if (verb === 'behave') await form('/ui/demo/behaviours', {...settings, seconds: settings.ms / 1000});
            else await form(verb === 'start' ? '/ui/workers' : `/ui/workers/${id}/${verb}`);
        }
        if (act.request) {
            const {method, path, body} = filled(act.request);
            const sent = body === undefined ? undefined : JSON.stringify(body);
            const answer = await fetch(path, {method, body: sent, headers: {'Content-Type': 'application/json'}});
            if (act.id) known[act.id] = await answer.json();
        }
    }
}"""


@pytest.fixture
def conforming() -> Iterator[Server]:
    """A server of the visitor's own, which passes Level 0."""
    started = Server("--conformance")
    yield started
    started.stop()


def passed(page: Page, step: Step) -> None:
    expect(page.locator(f'[data-passed="{step.name}"]')).to_be_visible(timeout=30_000)


def begin(page: Page, site: Watched, path: str) -> None:
    page.goto(site.base + path)
    expect(page.locator("html")).to_have_attribute("data-engine", "ready", timeout=60_000)
    page.get_by_role("button", name="Start this step").click()
    expect(page.locator(".doing-seeing .seeing")).to_be_visible()


def send(base: str, request: Mapping[str, Any], fetched: str) -> Any:
    """Send a request to the real server from outside of the browser, as the step's solution does."""
    text = re.sub(r"\{\{.*?\}\}", fetched, json.dumps(request["body"]))
    connection = HTTPConnection(urlsplit(base).netloc)
    connection.request(request["method"], request["path"], text, request["headers"])
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def solve(page: Page, site: Watched, step: Step, own: str) -> None:
    """Take a step that is on the page, from its stored solution."""
    if step.server and site.host == "tab":
        page.get_by_role("button", name="I have done it elsewhere").click()
        return
    if step.predict is not None:
        page.locator(f'.ask input[value="{step.answer}"]').check()
        expect(page.locator(".missing")).not_to_contain_text("Say first")
    if any("cases" in act and "own" in act["cases"] for act in step.solution):
        page.fill("#own-url", own)
        page.get_by_role("button", name="Run Level 0").click()
    elif step.server:
        fetched = ""
        for act in step.solution:
            answer = send(site.base, act["request"], fetched)
            fetched = answer["jobs"][0]["id"] if answer.get("jobs") else fetched
    else:
        page.evaluate(ACT, list(step.solution))
    passed(page, step)


@pytest.mark.timeout(300)
@pytest.mark.noise  # what a step has refused, the browser calls an error
def test_the_whole_tutorial_is_solved_from_its_stored_solutions(site: Watched, conforming: Server) -> None:
    page = site.open("/learn")
    page.get_by_role("button", name="Start with the first job").click()
    for step in STEPS:
        expect(page.locator(f'main[data-step="{step.name}"]')).to_be_visible()
        expect(page.locator("h1")).to_have_text(step.title)
        if site.host == "server" or not step.server:
            expect(page.locator(".reached .open").first).to_be_visible()
        solve(page, site, step, conforming.url)
        if step is not STEPS[-1]:
            page.locator(".along .next").click()
    page.goto(site.base + "/learn")
    expect(page.locator("[data-chapter] [data-done]")).to_have_count(len(STEPS))
    assert "fast" not in page.url
    expect(page.locator("[data-chapter] [data-count]").first).to_have_text("5 of 5 done")


@pytest.mark.noise  # a refused job
def test_the_first_chapter_by_keyboard_alone(site: Watched) -> None:
    page = site.open("/learn")
    keys = page.keyboard

    def reach(selector: str, most: int = 60) -> None:
        for _ in range(most):
            if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
                return
            keys.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    def on(name: str) -> None:
        reach(".along .next")
        keys.press("Enter")
        expect(page.locator(f'main[data-step="{name}"]')).to_be_visible()
        expect(page.locator("h1")).to_be_focused()

    reach('[hx-post="/ui/learn/enqueue/start"] button')
    keys.press("Enter")
    expect(page.locator('main[data-step="enqueue"]')).to_be_visible()
    page.locator("h1").focus()  # beside a server the page was loaded anew
    reach("#job-body")
    keys.press("Control+Enter")
    passed(page, STEPS[0])
    page.locator("h1").focus()
    on("nobody-works")
    reach(".ask input")
    keys.press("Space")
    reach("#enqueue")
    keys.press("Enter")
    reach('.timebar button[value="60000"]')
    keys.press("Enter")
    passed(page, STEPS[1])
    page.locator("h1").focus()
    on("stop-time")
    keys.press("]")
    passed(page, STEPS[2])
    on("go-back")
    keys.press("u")
    expect(page.locator(".reached .held")).to_have_count(1)
    reach("#job-body")
    keys.press("Control+a")
    keys.type('{"type":"email.send","args":["ada@example.com"]}')
    keys.press("Control+Enter")
    passed(page, STEPS[3])
    page.locator("h1").focus()
    on("refused")
    reach("#job-body")
    keys.press("Control+Enter")
    expect(page.locator(".reached .held")).to_have_count(1)
    keys.press("Control+a")
    keys.type('{"type":"report.build","args":["weekly"]}')
    keys.press("Control+Enter")
    passed(page, STEPS[4])


def test_a_wrong_turn_is_told_and_undone(site: Watched) -> None:
    page = site.open("/learn")
    begin(page, site, "/learn/first-job/go-back")
    page.fill("#job-body", '{"type":"email.send","args":["ada@example.com"]}')
    page.click("#enqueue")
    expect(page.locator(".astray")).to_contain_text("Now both mails are on their way")
    for _ in range(2):
        page.locator(".redo button").first.click()
    expect(page.locator(".astray")).to_have_count(0)
    page.click("#enqueue")
    passed(page, course().step("go-back"))


def test_hints_come_one_after_the_other_and_the_solution_stays(site: Watched) -> None:
    page = site.open("/learn")
    begin(page, site, "/learn/failure/waits")
    hints = page.locator(".hint summary")
    expect(hints.nth(0)).to_be_visible()
    expect(hints.nth(1)).to_be_hidden()
    hints.nth(0).click()
    hints.nth(1).click()
    expect(hints.nth(2)).to_be_visible()
    page.locator(".solved summary").click()
    expect(page.locator(".diff .plus")).to_contain_text('"max_attempts": 3')
    expect(page.locator(".diff .minus")).to_contain_text('"max_attempts": 1')
    page.evaluate(ACT, list(course().step("waits").solution))
    passed(page, course().step("waits"))
    expect(page.locator(".diff .plus")).to_be_visible()


def test_progress_is_kept_forgotten_and_survives_a_damaged_store(site: Watched) -> None:
    page = site.open("/learn")
    kept = {"version": 1, "done": {"enqueue": "2026-01-01", "waits": "2026-01-01"}, "last": "stop-time"}
    page.evaluate("(text) => localStorage.setItem('ojs-learn', text)", json.dumps(kept))
    page.reload()
    counts = page.locator("[data-chapter] [data-count]")
    expect(counts.nth(0)).to_have_text("1 of 5 done")
    expect(page.locator("#go-on")).to_have_text("Go on: Stop time")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#failure [data-forget]").click()
    expect(counts.nth(2)).to_have_text("0 of 4 done")
    expect(counts.nth(0)).to_have_text("1 of 5 done")
    page.locator('.hero [data-forget=""]').click()
    expect(counts.nth(0)).to_have_text("0 of 5 done")
    for damaged in ("{not JSON", '{"version":99,"done":{},"last":""}', '{"version":1,"done":[7]}'):
        page.evaluate("(text) => localStorage.setItem('ojs-learn', text)", damaged)
        page.reload()
        expect(page.locator("#unlearnt")).to_contain_text("it is set aside")
        assert page.evaluate("localStorage.getItem('ojs-learn-damaged')") == damaged
        expect(counts.nth(0)).to_have_text("0 of 5 done")


def test_without_storage_it_says_so_and_works(site: Watched) -> None:
    page = site.page
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked'); }});"
    )
    site.open("/learn")
    expect(page.locator("#unlearnt")).to_contain_text("keeps nothing")
    begin(page, site, "/learn/first-job/stop-time")
    page.keyboard.press("]")
    passed(page, course().step("stop-time"))


@pytest.mark.parametrize("options", [PHONE])
@pytest.mark.parametrize("host", ["server"])
@pytest.mark.usefixtures("options")
def test_on_a_phone_nothing_is_wider_than_the_window(site: Watched) -> None:
    page = site.open("/learn")
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(wide)
    for name in ("enqueue", "be-the-worker", "worker-dies", "python", "level-zero"):
        step = course().step(name)
        begin(page, site, step.path)
        assert page.evaluate(wide), name
    begin(page, site, "/learn/first-job/enqueue")
    page.locator("#enqueue").tap()
    passed(page, STEPS[0])


@pytest.mark.parametrize("options", [{"viewport": {"width": 1440, "height": 1000}, "bypass_csp": True}])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("host", ["server"])
@pytest.mark.usefixtures("options")
def test_axe_finds_no_violation(site: Watched, theme: Any) -> None:
    page = site.open("/learn")
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    found = {"overview": _violations(page)}
    for name in ("enqueue", "worker-dies", "waits", "level-zero"):
        page.goto(site.base + course().step(name).path)
        found[f"{name}, not begun"] = _violations(page)
        begin(page, site, course().step(name).path)
        for summary in page.locator(".help summary:visible").all():
            summary.click()
        found[name] = _violations(page)
    assert {place: wrong for place, wrong in found.items() if wrong} == {}
