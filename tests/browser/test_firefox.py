"""The same link gives the same state in Firefox, in Chromium and in CPython."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from playground.packages import modules, node
from playground.travel.digest import digest
from playground.travel.link import encode
from playground.travel.scenario import Player, read
from tests.conftest import ROOT
from tests.static_host import StaticHost

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
READY = "document.documentElement.dataset.engine === 'ready' && !!document.querySelector('.banner strong')"
HASH = """
new Promise((resolve) => {
  document.querySelector('[data-dialog=moment]').click();
  const look = () => {
    const place = document.querySelector('#moment-hash');
    if (place) resolve(place.title); else setTimeout(look, 50);
  };
  look();
})
"""


@pytest.mark.skipif(FIREFOX is None, reason="needs Firefox (Debian's firefox-esr)")
@pytest.mark.parametrize("name", ["retry-until-success", "stalled-worker", "cron-spring-gap"])
def test_a_link_gives_the_same_state_everywhere(name: str, static_host: StaticHost, browser: Browser) -> None:
    scenario = read((ROOT / "spec" / "scenarios" / f"{name}.json").read_text())
    told = digest(Player(scenario).finish().world)
    url = f"{static_host.url}/#{encode(scenario)}"
    page = browser.new_context().new_page()
    page.goto(url)
    expect(page.locator(".banner strong").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Moment…").click()
    expect(page.locator("#moment-hash")).to_have_attribute("title", told)
    page.context.close()
    script = Path(__file__).with_name("firefox.mjs")
    assert node(str(script), str(FIREFOX), url, READY, HASH, cwd=modules()).strip() == told
