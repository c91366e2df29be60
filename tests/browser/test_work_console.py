"""Composing and the console as a visitor uses them, in both hosts."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Watched
from tests.browser.test_travel import enter
from tests.conftest import Server

COMPOSE = "/play?do=compose&see=jobs"


def compose(site: Watched, query: str = "") -> Page:
    page = site.open(COMPOSE + query)
    expect(page.locator("#rich .cm-content")).to_be_visible()
    return page


def editor(page: Page) -> Locator:
    return page.locator("#rich .cm-content")


def said(page: Page) -> str:
    """The text that would be sent."""
    return page.locator("#job-body").input_value()


def replace(page: Page, text: str) -> None:
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def problems(page: Page) -> Locator:
    return page.locator("#problems li")


def test_a_job_is_written_in_the_editor_and_run_from_within_it(site: Watched) -> None:
    page = compose(site)
    expect(page.locator("#job-body")).to_be_hidden()
    expect(page.locator("#problem-count")).to_have_text("The server would take this.")
    replace(page, '{"type": "report.build", "args": [1]}')
    page.keyboard.press("Control+Enter")
    expect(page.locator("#composed .done")).to_contain_text("report.build")
    expect(page.locator(".jobs .type").first).to_have_text("report.build")


def test_problems_are_listed_and_marked_with_their_clause(site: Watched) -> None:
    page = compose(site)
    replace(page, '{\n  "type": "Email",\n  "args": [],\n  "options": {"priority": 999, "qeue": "a"}\n}')
    expect(page.locator("#problem-count")).to_have_text("2 problems, 1 note")
    expect(problems(page).nth(0)).to_contain_text("OJS Core 5.1")
    expect(problems(page).nth(1)).to_contain_text("4:27")
    expect(problems(page).nth(2)).to_contain_text("did you mean 'queue'?")
    expect(page.locator("#rich .cm-lintRange-error")).to_have_count(2)
    problems(page).nth(1).get_by_role("button").click()
    page.keyboard.insert_text("9")
    expect(page.locator("#problem-count")).to_have_text("1 problem, 1 note")
    assert json.loads(said(page))["options"]["priority"] == 9
    page.locator("#rich .cm-lintRange-error").hover()
    expect(page.locator("#rich .cm-tooltip")).to_contain_text("OJS Core 5.1")


def test_the_form_and_the_json_are_always_the_same(site: Watched) -> None:
    page = compose(site, "&template=retry")
    field = {
        name: page.locator(f"[data-field={name}]")
        for name in ("type", "queue", "attempts", "args", "delay", "priority")
    }
    expect(field["attempts"]).to_have_value("5")
    field["queue"].fill("mail")
    field["attempts"].fill("7")
    assert '"queue": "mail"' in said(page)
    assert '"backoff_coefficient": 2.0,' in said(page)  # the rest stays as it was written
    assert json.loads(said(page))["options"]["retry"]["max_attempts"] == 7
    field["args"].fill('[1, {"a"')
    expect(field["args"]).to_have_attribute("aria-invalid", "true")
    assert json.loads(said(page))["args"] == [42]
    field["args"].fill("[12345678901234567890]")
    assert '"args": [12345678901234567890]' in said(page)
    page.locator("[data-field=unique]").select_option('["type","args"]')
    assert json.loads(said(page))["options"]["unique"] == {"keys": ["type", "args"]}
    page.locator("[data-field=unique]").select_option("")
    field["queue"].fill("")
    assert set(json.loads(said(page))["options"]) == {"retry"}
    replace(page, '{"type": "a.b", "args": [], "priority": 3, "scheduled_at": "+PT1M"}')
    expect(field["type"]).to_have_value("a.b")
    expect(field["priority"]).to_have_value("3")
    expect(field["delay"]).to_have_value("+PT1M")
    field["priority"].fill("4")
    assert json.loads(said(page)) == {"type": "a.b", "args": [], "priority": 4, "scheduled_at": "+PT1M"}


def test_half_a_text_rests_the_form_and_breaks_nothing(site: Watched) -> None:
    page = compose(site)
    replace(page, '{"type": "a.b", "args": [')
    expect(page.locator("#job-form[disabled]")).to_be_attached()
    expect(page.locator("#form-note")).to_contain_text("when the JSON is whole")
    expect(page.locator("#problem-count")).to_have_text("1 problem")
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("]}")
    expect(page.locator("#job-form:not([disabled])")).to_be_attached()
    expect(page.locator("[data-field=type]")).to_have_value("a.b")


def test_a_form_edit_and_a_template_can_be_undone(site: Watched) -> None:
    page = compose(site)
    before = said(page)
    page.locator("[data-template]", has_text="Chain").click()
    expect(page.locator("#target")).to_have_value("workflow")
    expect(page.locator("#target-path")).to_have_text("POST /ojs/v1/workflows")
    page.get_by_role("button", name="Undo the last change of the text").click()
    assert said(page) == before
    editor(page).click()
    page.keyboard.press("Control+Shift+z")
    assert "order.ship" in said(page)


@pytest.mark.parametrize("label", ["Batch", "Chain", "With callbacks", "Cron", "Rate limit"])
def test_other_things_than_jobs_are_composed_and_run(site: Watched, label: str) -> None:
    page = compose(site)
    page.locator("[data-template]", has_text=re.compile(f"^{label}$")).click()
    expect(page.locator("#problem-count")).to_have_text("The server would take this.")
    page.locator("#enqueue").click()
    expect(page.locator("#composed .done")).to_be_visible()


def test_the_editor_completes_fields_and_tells_their_clause(site: Watched) -> None:
    page = compose(site)
    replace(page, '{"type": "a", "args": [], "options": {}}')
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type('"pri', delay=30)
    expect(page.locator("#rich .cm-tooltip-autocomplete")).to_contain_text("priority")
    page.wait_for_timeout(150)  # the editor takes no accidental Enter right after it has opened the list
    page.keyboard.press("Enter")
    assert json.loads(said(page))["options"] == {"priority": 10}
    page.locator("#rich .cm-line span", has_text='"priority"').first.hover()
    expect(page.locator("#rich .cm-tooltip-hover")).to_contain_text("OJS Core 5.2")


def test_another_view_leaves_the_text_and_its_history_alone(site: Watched) -> None:
    page = compose(site)
    replace(page, '{"type": "kept", "args": []}')
    page.locator(".seeing .tabs a", has_text="Board").click()
    expect(page.locator("#view-board")).to_be_visible()
    assert said(page) == '{"type": "kept", "args": []}'
    expect(editor(page)).to_contain_text("kept")
    editor(page).click()
    page.keyboard.press("Control+z")
    assert "email.send" in said(page)


def test_a_draft_outlives_another_pane_and_a_reload(site: Watched) -> None:
    page = compose(site)
    replace(page, '{"type": "kept", "args": []}')
    page.locator(".doing .tabs a", has_text="HTTP").click()
    expect(page.locator("#console-form")).to_be_visible()
    page.locator(".doing .tabs a", has_text="Compose").click()
    expect(editor(page)).to_contain_text("kept")
    page.reload()
    expect(editor(page)).to_contain_text("kept")
    assert said(page) == '{"type": "kept", "args": []}'


def test_what_is_typed_never_moves_time(site: Watched) -> None:
    page = enter(site, COMPOSE)
    page.locator(".timebar").get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#clock-day")).to_contain_text("paused")
    clock = page.inner_text("#clock-text")
    editor(page).click()
    page.keyboard.type(" ][. +")
    page.wait_for_timeout(300)
    assert page.inner_text("#clock-text") == clock
    expect(page.locator("#clock-day")).to_contain_text("paused")


@pytest.mark.noise  # the browser logs the blocked file
def test_without_the_editor_a_plain_text_area_does_it_all(site: Watched) -> None:
    site.page.route("**/editor.*.mjs", lambda route: route.abort())
    page = site.open(COMPOSE)
    expect(page.locator("#problem-count")).to_have_text("The server would take this.")
    area = page.locator("#job-body")
    area.fill('{"type": "A", "args": []}')
    expect(page.locator("#problem-count")).to_have_text("1 problem")
    page.locator("[data-field=type]").fill("plain.area")
    expect(area).to_have_value('{"type": "plain.area", "args": []}')
    page.get_by_role("button", name="Undo the last change of the text").click()
    area.press("Control+Enter")
    expect(page.locator("#composed")).not_to_be_empty()


def test_hostile_texts_leave_the_page_quick(site: Watched) -> None:
    page = compose(site)
    many = json.dumps(
        {
            "type": "a",
            "args": [],
            **{f"key{index}": "<img src=x onerror=alert(1)>" for index in range(10_000)},
        }
    )
    for text in (many, '{"type": "\u202eevil<b>", "args": ["' + "x" * 500_000 + '"]}'):
        replace(page, text)
        expect(page.locator("#problem-count")).to_contain_text(re.compile("note|problem"))
        replace(page, "{}")
        expect(page.locator("#problem-count")).to_have_text("2 problems")


# console


def console(site: Watched, query: str = "") -> Page:
    page = site.open("/play?do=console&see=jobs" + query)
    expect(page.locator("#console-form")).to_be_visible()
    return page


def exchanges(page: Page) -> Locator:
    return page.locator(".exchange-rows li:visible")


def test_a_request_is_sent_and_its_answer_shown(site: Watched) -> None:
    page = console(site)
    expect(page.locator("#console-endpoint")).to_contain_text("Enqueue one job.")
    page.locator("#console-body").fill('{"type": "from.console", "args": []}')
    page.locator("#console-body").press("Control+Enter")
    expect(page.locator(".answered .status")).to_have_text("201")
    expect(page.locator(".answered")).to_contain_text("handled in")
    expect(page.locator(".jobs .type").first).to_have_text("from.console")
    expect(page.locator(".exchange-rows", has_text="/jobs")).to_be_visible()


def test_a_workers_exchange_is_opened_changed_and_sent_again(site: Watched) -> None:
    page = console(site)
    if site.host == "server":
        page.request.post(f"{site.base}/ui/workers")
    page.locator("#console-send").click()
    row = page.locator(".exchange-rows li", has_text="/workers/ack").first
    row.get_by_role("link").click()
    expect(page.locator("#console-path")).to_have_value("/ojs/v1/workers/ack")
    expect(page.locator(".answered")).to_contain_text("exchange")
    page.locator("#console-path").fill("/ojs/v1/health")
    page.locator("#console-method").select_option("GET")
    page.locator("#console-send").click()
    expect(page.locator(".answered")).to_contain_text('"status": "ok"')
    for label, says in (
        ("curl", "curl -i"),
        ("fetch", "await fetch"),
        ("Python", "urllib"),
        ("Scenario step", '"request"'),
    ):
        page.locator(".answered .acts").get_by_text(label, exact=True).click()
        expect(page.locator("#console-retold")).to_contain_text(says)


@pytest.mark.noise  # the browser logs each 4xx
def test_what_cannot_be_sent_keeps_what_was_typed(site: Watched) -> None:
    page = console(site)
    page.locator("#console-path").fill("/ojs/v1/jobs/{id}")
    page.locator("#console-headers").fill("no colon")
    page.locator("#console-send").click()
    expect(page.locator("#console-answer .problem")).to_contain_text("Put a value in the place of '{id}'")
    page.locator("#console-path").fill("/ojs/v1/jobs/1")
    page.locator("#console-send").click()
    expect(page.locator("#console-answer .problem")).to_contain_text("Line 1 of the headers has no colon")
    expect(page.locator("#console-headers")).to_have_value("no colon")


def test_heartbeats_and_empty_fetches_are_shown_on_request(site: Watched) -> None:
    page = console(site)
    if site.host == "server":
        page.request.post(f"{site.base}/ui/workers")
    page.locator("#console-send").click()
    expect(page.locator(".exchange-rows li.quiet").first).to_be_attached()
    expect(page.locator(".exchange-rows li.quiet").first).to_be_hidden()
    page.get_by_label("Show heartbeats").check()
    expect(page.locator(".exchange-rows li.quiet").first).to_be_visible()


def test_a_link_fills_and_never_sends(site: Watched) -> None:
    page = console(site, "&method=DELETE&path=/ojs/v1/jobs/1")
    expect(page.locator("#console-method")).to_have_value("DELETE")
    expect(page.locator("#console-path")).to_have_value("/ojs/v1/jobs/1")
    page.wait_for_timeout(500)
    expect(page.locator("#console-answer")).to_be_empty()
    expect(page.locator(".exchange-rows", has_text="DELETE")).to_have_count(0)


def test_an_endpoint_of_the_list_fills_the_form(site: Watched) -> None:
    page = console(site)
    page.locator(".endpoints summary").click()
    page.locator("[data-endpoint='GET /ojs/v1/jobs/{id}']").click()
    expect(page.locator("#console-method")).to_have_value("GET")
    expect(page.locator("#console-endpoint")).to_contain_text("Read a job.")
    page.keyboard.type("1")
    expect(page.locator("#console-path")).to_have_value("/ojs/v1/jobs/1")


def test_exchanges_ahead_of_the_cursor_are_grey(site: Watched) -> None:
    page = enter(site, "/play?do=console&see=jobs")
    page.locator(".timebar").get_by_role("button", name="Pause", exact=True).click()
    page.locator("#console-send").click()
    expect(exchanges(page)).to_have_count(1)
    page.locator(".timebar").get_by_role("button", name="+1 min", exact=True).click()
    expect(page.locator(".exchange-rows", has_text="/workers/ack")).to_be_visible()
    page.locator(".timebar").get_by_role("button", name="Undo").click()
    expect(page.locator(".exchange-rows li.ahead").first).to_be_attached()
    expect(page.locator(".exchange-rows li:not(.ahead)", has_text="/jobs")).to_have_count(0)


# everywhere


@pytest.mark.parametrize("options", [{"viewport": {"width": 375, "height": 800}}])
@pytest.mark.parametrize("do", ["compose&template=retry", "console"])
def test_a_phone_shows_it_all_without_scrolling_sideways(site: Watched, do: str) -> None:
    page = site.open(f"/play?do={do}")
    if do == "console":
        page.locator("#console-send").click()
        page.get_by_text("Scenario step").click()
        expect(page.locator("#console-retold pre")).to_be_visible()
    else:
        expect(editor(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_without_scripts_both_panes_are_forms(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/play?do=compose&template=delayed")
    page.locator("#enqueue").click()
    expect(page.locator("#composed .done")).to_contain_text("report.build")
    page.fill("#job-body", "{")
    page.locator("#enqueue").click()
    expect(page.locator("#composed .problem")).to_contain_text("not JSON")
    expect(page.locator("#job-body")).to_have_value("{")
    expect(page.locator("#job-form")).to_be_hidden()
    page.goto(f"{server.url}/play?do=console")
    page.locator("#console-send").click()
    expect(page.locator(".answered .status")).to_have_text("201")
    page.locator(".answered .acts a", has_text="curl").click()
    expect(page.locator("#console-retold")).to_contain_text("curl -i")
    context.close()


def test_nothing_shifts_while_the_editor_comes(site: Watched) -> None:
    page = site.page
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => {"
        " for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;"
        "}).observe({type: 'layout-shift', buffered: true});"
    )
    compose(site, "&template=retry")
    page.wait_for_timeout(600)
    assert page.evaluate("window.shift") < 0.01
