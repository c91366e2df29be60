"""The same link gives the same state in Firefox, in Chromium and in CPython."""

from __future__ import annotations

import json
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


HANDLER = """
(async () => {
  const until = async (find) => {
    for (let tries = 0; tries < 600; tries += 1) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { textContent: 'never: ' + find };
  };
  const ends = [];
  for (const language of ['javascript', 'python']) {
    const box = await until(() => document.querySelector(`#handler-${language}[data-bound]`));
    [...box.querySelectorAll('.chip')].find((chip) => chip.textContent.startsWith('Fails twice')).click();
    box.querySelector('[data-act=start]').click();
    await until(() => box.querySelector('.runs[data-state=idle]'));
    box.querySelector('[data-act=send]').click();
    ends.push((await until(() => box.querySelector('.output .good pre'))).textContent);
  }
  const rows = () => document.querySelectorAll('#view-found tbody .s-completed');
  await until(() => rows().length === 2);
  return JSON.stringify([...ends, rows().length]);
})()
"""
BOUND = "document.documentElement.dataset.engine === 'ready' && !!document.querySelector('#view-found')"


@pytest.mark.skipif(FIREFOX is None, reason="needs Firefox (Debian's firefox-esr)")
def test_handlers_of_both_languages_fail_and_succeed_in_firefox(static_host: StaticHost) -> None:
    url = f"{static_host.url}/play?do=handlers&see=jobs"
    script = Path(__file__).with_name("firefox.mjs")
    done = 'completed on attempt 3: "sent on attempt 3"'
    told = node(str(script), str(FIREFOX), url, BOUND, HANDLER, cwd=modules())
    assert json.loads(told) == [done, done, 2]
