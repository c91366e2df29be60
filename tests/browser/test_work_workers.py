"""Demo workers that are told how to work, on the Workers pane."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.browser.test_work_handlers import push, wait


def test_a_visitor_sets_a_behaviour_and_sees_it_and_takes_it_back(site: Watched) -> None:
    page = site.open("/play?do=workers&see=jobs")
    form = page.locator("#behave")
    form.locator("[name=pattern]").fill("my.*")
    form.locator("[name=does]").select_option("fail-always")
    form.locator("[name=seconds]").fill("0.2")
    form.locator("[name=message]").fill("<b>no luck</b>")
    form.get_by_role("button", name="Set").click()
    expect(page.locator(".own")).to_contain_text("always fails after 0.2 s: “<b>no luck</b>”")
    expect(form.locator("[name=message]")).to_have_value(
        "<b>no luck</b>"
    )  # a live view never takes what was typed
    job = push(page, type="my.task", retry={"max_attempts": 1})
    assert "no luck" in str(wait(page, job, "discarded")["error"])
    page.get_by_role("button", name="Take back what my.* does").click()
    expect(page.locator(".own")).to_have_count(0)


def test_concurrency_speed_and_quiet(site: Watched) -> None:
    page = site.open("/play?do=workers&see=jobs")
    form = page.locator("#tune")
    form.locator("[name=concurrency]").fill("3")
    form.locator("[name=speed]").fill("0.5")
    form.get_by_role("button", name="Set").click()
    worker = page.locator("[id^=worker-demo-]").first
    expect(worker).to_contain_text("3 jobs at once, \u00d70.5 speed")
    worker.get_by_role("button", name="Quiet").click()
    expect(worker).to_contain_text("quiet: takes nothing")
    for _ in range(3):
        push(page, type="email.send")
    page.wait_for_timeout(1000)
    expect(worker.locator(".track:not(.idle)")).to_have_count(0)
    worker.get_by_role("button", name="Resume").click()
    expect(worker.locator(".track:not(.idle)")).to_have_count(3)
    form.locator("[name=queues]").fill("Not a queue!")
    form.get_by_role("button", name="Set").click()
    expect(page.locator("#toast")).to_contain_text("small letters")
    site.wrong[:] = [one for one in site.wrong if "409" not in one]
