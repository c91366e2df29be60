"""The conformance page in both hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.conftest import ROOT
from tests.host.test_trial import CASE

PUBLISHED = ROOT.parent / "shared" / "ojs" / "conformance" / "suites"


def test_all_own_cases_run_and_pass_in_front_of_the_visitor(site: Watched) -> None:
    page = site.open("/conformance")
    page.click("#trial-run")
    expect(page.locator(".level")).to_contain_text("level 4", timeout=60_000)
    expect(page.locator(".totals .v-failed b")).to_have_text("0")
    assert (
        page.locator("table.cases .verdict.v-passed").count() == page.locator("table.cases tbody tr").count()
    )


def test_a_case_opens_runs_and_opens_its_moment(site: Watched) -> None:
    page = site.open("/conformance")
    page.get_by_role("link", name="OWN-L0-LC-002").click()
    expect(page.locator("h1")).to_contain_text("OWN-L0-LC-002")
    page.click("#case-run")
    expect(page.locator("h1 .verdict")).to_have_text("✓passed")
    page.get_by_role("button", name="Open this moment").first.click()
    expect(page.locator(".banner", has_text="OWN-L0-LC-002 after step 1")).to_be_visible()
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Back to your session").click()
    expect(page.locator(".banner", has_text="OWN-L0-LC-002")).to_have_count(0)


def test_a_folder_of_cases_is_brought_in_and_a_broken_one_is_refused(site: Watched, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "X-1.json").write_text(json.dumps(CASE))
    page = site.open("/conformance")
    page.locator("#drop summary").click()
    page.locator("input[webkitdirectory]").set_input_files(folder)
    expect(page.locator(".run-bar")).to_contain_text("from mine")
    page.click("#trial-run")
    expect(page.locator("table.cases .verdict")).to_have_text(["✓passed"])
    page.get_by_role("button", name="The playground's own").click()
    expect(page.locator(".run-bar")).to_contain_text("own cases")


def test_a_report_is_saved_as_a_file(site: Watched) -> None:
    page = site.open("/conformance")
    with page.expect_download() as saved:
        page.get_by_role("button", name="JUnit").click()
    assert saved.value.suggested_filename == "conformance.xml"
    assert "<testsuite" in Path(saved.value.path()).read_text()


@pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="the published conformance cases are not beside the project"
)
@pytest.mark.parametrize("host", ["tab"])
def test_the_published_cases_run_in_the_tab_as_they_do_here(site: Watched) -> None:
    page = site.open("/conformance")
    files = {path.relative_to(PUBLISHED).as_posix(): path.read_text() for path in PUBLISHED.rglob("*.json")}
    status = page.evaluate(
        "files => fetch('/ui/conformance/cases?name=published', {method: 'POST', body: JSON.stringify(files),"
        " headers: {'HX-Request': 'true'}}).then(answer => answer.status)",
        files,
    )
    assert status == 204
    page.click("#trial-run")
    expect(page.locator(".run-bar")).to_contain_text(f"{len(files)} of {len(files)}", timeout=60_000)
    expect(page.locator(".totals .v-failed b")).to_have_text("0")
