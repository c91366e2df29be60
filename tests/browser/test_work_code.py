"""The code pane: the composed job as code, chosen by radio buttons, copied and saved, in both hosts."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched

ARGS = ['quote " \\ `${x}` #{x}', "\u202ehidden", 42, None, {"a": [1.5, True]}]


def write(page: Page, text: str) -> None:
    page.locator("#rich .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    expect(page.locator("#job-body")).to_have_value(text)


def test_the_job_in_the_editor_becomes_code_in_every_language(site: Watched) -> None:
    page = site.open("/play")
    write(page, json.dumps({"type": "report.build", "args": ARGS, "queue": "mail"}))
    page.get_by_role("link", name="Code", exact=True).click()
    out = page.locator("#code-out pre")
    expect(out).to_contain_text("report.build")
    expect(out).to_contain_text("new OJSClient")
    for label, word in (
        ("Go", "net/http"),
        ("Python", "ojs.Client"),
        ("Java", "HttpClient"),
        ("Rust", "TcpStream"),
        ("Ruby", "Net::HTTP"),
        ("curl", "curl -sS"),
    ):
        page.locator(".choice").get_by_text(label, exact=True).click()
        expect(out).to_contain_text(word)
        expect(out).to_contain_text("report.build")
        expect(out).to_contain_text("\\u202ehidden")
    assert "language=curl" in page.url
    page.reload()
    expect(out).to_contain_text("curl -sS", timeout=60_000)
    expect(page.get_by_role("radio", name="curl")).to_be_checked()


def test_the_choice_is_made_by_keyboard(site: Watched) -> None:
    page = site.open("/play?do=code")
    page.get_by_role("radio", name="JavaScript").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#code-out pre")).to_contain_text("package main")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Worker")).to_be_checked()
    expect(page.locator("#code-out pre")).to_contain_text("ojs.NewWorker")


def test_a_job_becomes_code_and_a_bad_one_says_why(site: Watched) -> None:
    page = site.open("/play")
    write(page, json.dumps({"type": "report.build", "args": ["weekly"]}))
    page.click("#enqueue")
    job = page.locator("#composed .id").get_attribute("title")
    page.evaluate(
        "url => htmx.ajax('GET', url, {target: '#page', select: '#page', swap: 'outerHTML'})",
        f"/play?do=code&language=python&from={job}",
    )
    out = page.locator("#code-out pre")
    expect(out).to_contain_text('"report.build"')
    page.locator(".source summary").click()
    page.fill("#code-body", '{"type": "Wrong", "args": []}')
    expect(page.locator("#code-out .problem")).to_contain_text("type")
    page.fill("#code-body", '{"type": "right", "args": [7]}')
    expect(out).to_contain_text("[7]")


def test_the_code_is_copied_and_saved_whole(site: Watched, tmp_path: Path) -> None:
    page = site.open("/play?do=code&language=python")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    args: list[Any] = ["x" * 40_000, *ARGS]
    page.locator("#code-out .copy").click()
    expect(page.locator("#code-out .copy")).to_have_attribute("data-done", "")
    assert "await client.enqueue" in page.evaluate("navigator.clipboard.readText()")
    page.locator(".source summary").click()
    page.fill("#code-body", json.dumps({"type": "a.b", "args": args}))
    expect(page.locator("#code-out")).to_contain_text("the download has all of them")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "producer.py"
    download.value.save_as(tmp_path / "producer.py")
    lists = [
        one
        for one in ast.walk(ast.parse((tmp_path / "producer.py").read_text()))
        if isinstance(one, ast.List)
    ]
    assert ast.literal_eval(lists[0]) == args


@pytest.mark.parametrize("options", [{"viewport": {"width": 375, "height": 800}}])
def test_it_fits_a_phone(site: Watched) -> None:
    page = site.open("/play?do=code&language=go&part=program")
    expect(page.locator("#code-out pre")).to_contain_text("package main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("options", [{"java_script_enabled": False}])
def test_without_scripts_a_button_shows_the_code(site: Watched) -> None:
    if site.host == "tab":
        pytest.skip("a tab's engine is a script")
    page = site.page
    page.goto(f"{site.base}/play?do=code")
    page.locator(".choice .chip", has_text="Ruby").click()
    page.get_by_role("button", name="Show the code").click()
    expect(page.locator("#code-out pre")).to_contain_text("Net::HTTP")
