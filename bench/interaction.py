"""What a click costs in the tab, with few jobs and with very many.

    python bench/interaction.py [--clicks 40] [--sizes 10,1000,100000]

The built site in Chromium, on the workbench's board: from the click on *Enqueue* to the swapped view, in the page's own
time (a mutation observer on the view's text). Jobs lie there beforehand, most of them waiting. The baseline of the same
run is the smallest size; the goals are 50 ms (95th percentile) with 1,000 jobs and 100 ms with 100,000.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, sync_playwright

from playground.build import build
from tests.conftest import CHROMIUM
from tests.static_host import StaticHost

FILL = """
async (count) => {
  for (let left = count; left > 0; left -= 1000) {
    const job = (_, index) => ({type: "bench.fill", args: [index], queue: "filled"});
    const jobs = Array.from({length: Math.min(left, 1000)}, job);
    const answer = await fetch("/ojs/v1/jobs/batch", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({jobs}),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
}
"""
CLICK = """
(view) => new Promise((resolve) => {
  const place = document.querySelector(view);
  const observer = new MutationObserver(() => { observer.disconnect(); resolve(performance.now() - began); });
  observer.observe(place, {childList: true, subtree: true, characterData: true});
  const began = performance.now();
  document.querySelector("#enqueue").click();
})
"""


def measure(page: Page, url: str, size: int, clicks: int) -> list[float]:
    """Milliseconds of each click, with so many jobs in a fresh engine."""
    page.goto(f"{url}/play?see=board")
    page.wait_for_selector("html[data-engine=ready]", timeout=60_000)
    page.locator(".timebar [data-key=' ']").click()  # paused: no worker moves anything meanwhile
    page.evaluate(FILL, size)
    page.wait_for_timeout(500)
    taken = []
    for _ in range(clicks):
        taken.append(float(page.evaluate(CLICK, "#view-board")))
        page.wait_for_timeout(150)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--sizes", default="10,1000,100000")
    options = parser.parse_args()
    print(f"{platform.platform()}, Chromium, {options.clicks} clicks a size; from click to swapped board, ms")
    baseline = 0.0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder) / "site"
        build(out)
        host = StaticHost(out)
        try:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
            for size in map(int, options.sizes.split(",")):
                page = browser.new_context().new_page()
                taken = sorted(measure(page, host.url, size, options.clicks))
                p95 = taken[int(len(taken) * 0.95) - 1]
                baseline = baseline or p95
                print(
                    f"{size:>9,} jobs  median {statistics.median(taken):6.1f}  p95 {p95:6.1f}  max {taken[-1]:6.1f}  "
                    f"ratio of p95 to the smallest {p95 / baseline:.2f}"
                )
                page.context.close()
            browser.close()
        finally:
            host.close()


if __name__ == "__main__":
    main()
