"""What visitors do, in both hosts: the same tests, the same pages."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.conftest import ROOT

EMAIL = '{"type": "email.send", "args": ["user@example.com", "welcome"]}'


def job(**fields: object) -> str:
    return json.dumps({"type": "email.send", "args": [], **fields})


def test_an_enqueued_job_is_processed_and_every_view_follows(site: Watched) -> None:
    page = site.open()
    page.click("#enqueue")
    expect(page.locator("#enqueued")).to_contain_text("available")
    expect(page.locator(".jobs .badge").first).to_have_text("completed")
    expect(page.locator(".log")).to_contain_text("job.completed")
    expect(page.locator("circle.dot.s-completed")).to_have_count(1)
    expect(page.locator(".state.s-completed .count")).to_have_text("1")


def test_a_failing_job_waits_and_is_tried_again(site: Watched) -> None:
    page = site.open()
    site.enqueue(job(type="flaky.charge", retry={"initial_interval": "PT0.3S", "max_attempts": 5}))
    expect(page.locator(".jobs .badge").first).to_have_text("retryable")
    expect(page.locator(".jobs .badge").first).to_have_text("completed")
    expect(page.locator(".jobs td.num").first).to_have_text("3/5")
    expect(page.locator(".log li", has_text="job.retrying")).to_have_count(2)


def test_a_job_that_always_fails_is_discarded(site: Watched) -> None:
    page = site.open()
    site.enqueue(job(type="broken.import", retry={"max_attempts": 1}))
    expect(page.locator(".jobs .badge").first).to_have_text("discarded")


def test_a_jobs_page_tells_its_path_and_can_cancel_it(site: Watched) -> None:
    page = site.open()
    site.enqueue(job(type="order.ship", pending=True, args=["<b>&"]))
    page.locator(".jobs .id").first.click()
    expect(page.locator("h1")).to_contain_text("order.ship")
    expect(page).to_have_url(re.compile(r"/play/jobs/[0-9a-f-]{36}$"))
    expect(page.locator(".trail li")).to_have_count(1)
    expect(page.locator(".trail")).to_contain_text("OJS Core 6.3")
    expect(page.get_by_label("the command")).to_contain_text("curl -X POST")
    expect(page.get_by_label("the job", exact=True)).to_contain_text('"<b>&"')
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h1 .badge")).to_have_text("cancelled")
    expect(page.locator(".trail li")).to_have_count(2)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_staged_job_is_activated_from_its_page_and_processed(site: Watched) -> None:
    page = site.open()
    site.enqueue(job(pending=True))
    page.locator(".jobs .id").first.click()
    page.get_by_role("button", name="Activate").click()
    expect(page.locator("h1 .badge")).to_have_text("completed")
    expect(page.locator(".edge.taken")).to_have_count(3)


def test_back_returns_to_the_same_session(site: Watched) -> None:
    page = site.open()
    page.click("#enqueue")
    page.locator(".jobs .id").first.click()
    expect(page.locator("h1")).to_contain_text("email.send")
    page.go_back()
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("data-engine", "ready")


def test_a_spec_example_runs_in_the_session_and_lights_its_job_up(site: Watched) -> None:
    page = site.open("/spec/lifecycle")
    page.locator("#example-first-job").get_by_role("button", name="Run").click()
    expect(page.locator("#run-first-job")).to_contain_text("From your engine, just now.")
    expect(page.locator("#run-first-job .badge").last).to_have_text("completed")
    expect(page.locator(".side tr[data-lit]")).to_have_count(1)
    expect(page.locator(".side tr[data-lit] .badge")).to_have_text("completed")


def test_the_spec_and_the_playground_share_one_session(site: Watched) -> None:
    page = site.open("/spec/lifecycle")
    page.locator("#example-pending").get_by_role("button", name="Run").click()
    expect(page.locator("#run-pending")).to_contain_text("just now")
    page.locator("nav[aria-label=Site]").get_by_text("Play").click()
    page.locator(".seeing").get_by_role("link", name="Jobs", exact=True).click()
    expect(page.locator(".seeing")).to_contain_text("order.ship")


def test_a_reservation_that_runs_out_is_seen_without_a_reload(site: Watched) -> None:
    page = site.open("/spec/lifecycle")
    page.locator("#example-reservation").get_by_role("button", name="Run").click()
    expect(page.locator(".side .jobs .badge").first).to_have_text("active")
    expect(page.locator(".side .jobs .badge").first).to_have_text("available")


def test_the_binding_answers_the_pages_own_fetch(site: Watched) -> None:
    page = site.open()
    answer = page.evaluate(
        """async (body) => {
            const headers = {'Content-Type': 'application/json'};
            const made = await fetch('/ojs/v1/jobs', {method: 'POST', body, headers});
            const got = await fetch(made.headers.get('Location'));
            return {status: made.status, type: made.headers.get('Content-Type'), job: await got.json()};
        }""",
        EMAIL,
    )
    assert answer["status"] == 201
    assert answer["type"] == "application/openjobspec+json"
    assert answer["job"]["id"]
    expect(page.locator(".jobs tbody tr")).to_have_count(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type": "email.send", "args": [}', "line 1, column 33"),
        ('{"args": []}', "'type' is required"),
        ('{"type": "Email", "args": []}', "lower-case"),
        ('{"type": "a", "args": {}}', "'args' must be an array"),
        ('{"type": "a", "args": [], "priority": "soon"}', "'priority'"),
        ('{"type": "a", "args": [], "retry": {"max_attempts": -1}}', "retry.max_attempts"),
        ("", "empty"),
    ],
)
@pytest.mark.noise  # the browser logs each 4xx; htmx says so too
def test_what_is_wrong_with_a_job_is_said_beside_it_and_changes_nothing(
    site: Watched, text: str, said: str
) -> None:
    page = site.open()
    site.enqueue(text)
    expect(page.locator("#enqueued .problem")).to_contain_text(said)
    expect(page.locator("#job-body")).to_have_value(text)
    expect(page.locator(".jobs tbody tr")).to_have_count(0)


def test_hostile_text_is_shown_as_text(site: Watched) -> None:
    page = site.open()
    script = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    site.enqueue(
        json.dumps({"type": "order.ship", "args": [script], "pending": True, "meta": {script: script}})
    )
    page.locator(".jobs .id").first.click()
    expect(page.get_by_label("the job", exact=True)).to_contain_text("<script>")
    assert page.title().startswith("Job")


def test_control_enter_enqueues(site: Watched) -> None:
    page = site.open()
    page.focus("#job-body")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)


def test_a_sample_fills_the_editor_and_can_be_undone(site: Watched) -> None:
    page = site.open()
    before = page.input_value("#job-body")
    page.get_by_role("link", name="Fails twice").click()
    expect(page.locator("#job-body")).to_have_value(re.compile("flaky.charge"))
    page.focus("#job-body")
    page.keyboard.press("Control+z")
    expect(page.locator("#job-body")).to_have_value(before)


def test_workers_are_started_stopped_and_killed(site: Watched) -> None:
    page = site.open()
    expect(page.locator(".worker")).to_have_count(1)
    page.click("#start-worker")
    expect(page.locator(".worker")).to_have_count(2)
    page.locator(".worker").last.get_by_role("button", name="Stop").click()
    expect(page.locator(".worker")).to_have_count(1)
    site.enqueue(job(type="slow.export", visibility_timeout_ms=2000))
    expect(page.locator(".worker.busy")).to_have_count(1)
    page.locator(".worker").get_by_role("button", name="Kill").click()
    expect(page.locator(".jobs .badge").first).to_have_text("available")
    expect(page.locator(".crew")).to_contain_text("1 job waits for a worker")


def test_starting_over_forgets_everything(site: Watched) -> None:
    page = site.open()
    page.click("#enqueue")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".below .empty").first).to_contain_text("No jobs yet")


def test_a_live_swap_keeps_focus_and_selection(site: Watched) -> None:
    page = site.open()
    site.enqueue(job(pending=True))
    page.locator(".jobs .id").first.focus()
    link = page.evaluate("document.activeElement.getAttribute('href')")
    page.evaluate(
        "body => fetch('/ojs/v1/jobs', {method: 'POST', body, headers: {'Content-Type': 'application/json'}})",
        EMAIL,
    )
    expect(page.locator(".jobs tbody tr")).to_have_count(2)
    assert page.evaluate("document.activeElement.getAttribute('href')") == link


@pytest.mark.noise  # 404 is what it is
def test_an_unknown_job_and_an_unknown_page_say_so(site: Watched) -> None:
    page = site.open("/play/jobs/01900000-0000-7000-8000-000000000000")
    expect(page.locator("h1")).to_have_text("There is no such job")
    page.goto(site.base + "/nowhere")
    if site.host == "server":
        expect(page.locator("h1")).to_have_text("There is no such page")


@pytest.mark.parametrize("options", [{"viewport": {"width": 375, "height": 740}, "has_touch": True}])
def test_a_phone_shows_everything_without_sideways_scrolling(site: Watched) -> None:
    page = site.open()
    page.click("#enqueue")
    expect(page.locator(".state-list .s-completed b")).to_have_text("1")
    for path in ("/", "/spec/lifecycle"):
        page.goto(site.base + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_button_goes_through_the_themes_and_remembers(site: Watched) -> None:
    page = site.open()
    page.click("#theme")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.click("#theme")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("options", [{"java_script_enabled": False}])
def test_without_scripts_every_page_reads(site: Watched) -> None:
    for path, text in (
        ("/", "Open Job Spec"),
        ("/spec", "Reference"),
        ("/spec/lifecycle", "The eight states"),
    ):
        site.page.goto(site.base + path)
        expect(site.page.locator("#main")).to_contain_text(text)


@pytest.mark.parametrize("options", [{"java_script_enabled": False}])
@pytest.mark.parametrize("host", ["server"])
def test_without_scripts_the_servers_forms_work_too(site: Watched) -> None:
    site.page.request.post(f"{site.base}/ui/reset")
    site.page.goto(site.base)
    site.page.click("#enqueue")
    expect(site.page.locator(".jobs tbody tr")).to_have_count(1)


def test_a_sample_can_be_linked(site: Watched) -> None:
    page = site.open("/?sample=flaky")
    expect(page.locator("#job-body")).to_have_value(re.compile("flaky.charge"))
    page.goto(site.base + "/conformance?suite=level-3-chain")
    count = len(list((ROOT / "spec" / "cases" / "level-3-chain").glob("*.json")))
    expect(page.locator("table.cases tbody tr")).to_have_count(count)


@pytest.mark.noise  # 409 is what it is
def test_no_more_workers_than_the_limit_are_offered(site: Watched) -> None:
    page = site.open()
    while page.locator(".worker").count() < 8:
        before = page.locator(".worker").count()
        page.click("#start-worker")
        expect(page.locator(".worker")).to_have_count(before + 1)
    expect(page.locator("#start-worker")).to_be_disabled()


@pytest.mark.parametrize("host", ["tab"])
@pytest.mark.noise  # what the network refuses is an error in the console
def test_after_the_start_everything_works_with_the_network_gone(site: Watched) -> None:
    page = site.open()
    page.context.set_offline(True)
    page.click("#enqueue")
    expect(page.locator(".jobs .badge").first).to_have_text("completed")
    page.locator(".jobs .id").first.click()
    expect(page.locator("h1")).to_contain_text("email.send")
    for name, heading in (("Spec", "Reference"), ("Conformance", "Conformance"), ("Play", "Workbench")):
        page.locator("nav[aria-label=Site]").get_by_text(name).click()
        expect(page.locator("h1")).to_contain_text(heading)
