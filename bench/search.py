"""What a keystroke in the search costs, over the reference and over the published documents beside it.

    python bench/search.py [DIR]

A real server and Chromium: each text is typed letter by letter; a keystroke is measured in the page's own time, from
the key to the first frame that can show the new rows. DIR is a checkout of the specification; without it the reference
alone is searched. The goal is 50 ms for each keystroke.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM, Server

TEXTS = (
    "retry",
    "R-retry-12",
    "max_attempts",
    "visibility timeout",
    "visbility",
    "dead letter",
    "job.completed",
    "POST workers/fetch",
    "must not be",
    "the server",
    "exponential backoff",
)
WATCH = """
() => {
  window.taken = [];
  const field = document.querySelector("#palette-text");
  field.addEventListener("keydown", () => {
    const began = performance.now();
    field.addEventListener("input", () => requestAnimationFrame(() => setTimeout(() => {
      window.taken.push(performance.now() - began);
    })), {once: true});
  });
}
"""


def measure(page: Page, url: str) -> tuple[float, list[float]]:
    """Milliseconds until the index is made, and those of each keystroke."""
    page.goto(f"{url}/spec/retry")
    page.wait_for_selector("html[data-engine=ready]")
    page.keyboard.press("/")
    began = page.evaluate("performance.now()")
    page.locator("#palette-list li", has_text="Reference").first.wait_for()
    made = float(page.evaluate("performance.now()")) - float(began)
    page.evaluate(WATCH)
    for text in TEXTS:
        page.locator("#palette-text").fill("")
        page.wait_for_timeout(100)
        for letter in text:
            page.keyboard.press("Space" if letter == " " else letter)
            page.wait_for_timeout(60)
    return made, page.evaluate("window.taken")


def main() -> None:
    """Measure and print."""
    print(f"{platform.platform()}, Chromium; from the key to the rows, ms")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        server = Server()
        for name, folder in [
            ("the reference", ""),
            *(("with published documents", one) for one in sys.argv[1:2]),
        ]:
            page = browser.new_page()
            files = (
                {path.name: path.read_text("utf-8") for path in Path(folder).glob("*.md")} if folder else {}
            )
            headers = {"HX-Request": "true"}
            page.request.post(
                f"{server.url}/ui/published", data=json.dumps(files) if files else "", headers=headers
            )
            made, taken = measure(page, server.url)
            taken.sort()
            print(
                f"{name:<26} index {made:5.0f}  {len(taken)} keystrokes: median {statistics.median(taken):5.1f}  "
                f"p95 {taken[int(len(taken) * 0.95) - 1]:5.1f}  max {taken[-1]:5.1f}"
            )
            page.close()
        server.stop()
        browser.close()


if __name__ == "__main__":
    main()
