"""Boot time in the tab against stock Pyodide, in one run.

Ours: from navigation until the engine has rendered its first fragment (``ojs:ready``). The baseline: from navigation
until stock ``loadPyodide()`` of the npm package alone has returned, in a module worker too. Cold is a fresh profile;
warm the same profile after two visits that lasted `STAY` beyond that, as visits do: Chromium keeps what it compiled of
a program only once the compiler has been quiet for two seconds, and we keep the engine's memory after two. How many
warm starts took that up is printed. Runs alternate, so that a busy moment of the machine
falls on both.

    python bench/boot.py [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import BrowserContext, Playwright, sync_playwright  # noqa: E402 - the path comes first

from playground.build import build  # noqa: E402
from playground.packages import modules  # noqa: E402
from tests.conftest import CHROMIUM  # noqa: E402
from tests.static_host import StaticHost  # noqa: E402

STOCK_PAGE = '<!doctype html><title>stock</title><script src="/stock/page.js"></script>'
STOCK_JS = """const w = new Worker('/stock/worker.mjs', {type: 'module'});
w.onmessage = () => { document.documentElement.dataset.took = performance.now(); };"""
STOCK_WORKER = """import { loadPyodide } from '/stock/pyodide/pyodide.mjs';
await loadPyodide({ indexURL: '/stock/pyodide/' }); postMessage('ready');"""
STAY = 8_000
"""How long each visit before the warm one goes on once it is ready, ours and the baseline's; milliseconds."""
OURS = "document.addEventListener('ojs:ready', () => { document.documentElement.dataset.took = performance.now(); })"


def lay_stock(out: Path) -> None:
    """Put the baseline beside the site: the npm package as it is."""
    stock = out / "stock"
    (stock / "pyodide").mkdir(parents=True)
    for name in (
        "pyodide.mjs",
        "pyodide.asm.mjs",
        "pyodide.asm.wasm",
        "python_stdlib.zip",
        "pyodide-lock.json",
    ):
        shutil.copy(modules() / "pyodide" / name, stock / "pyodide" / name)
    (stock / "index.html").write_text(STOCK_PAGE)
    (stock / "page.js").write_text(STOCK_JS)
    (stock / "worker.mjs").write_text(STOCK_WORKER)


class Visit(NamedTuple):
    """One visit.

    Args:
        took: Milliseconds from navigation until the page says that it is ready.
        restored: Whether the engine started from the memory of an earlier visit.
    """

    took: float
    restored: bool


def visit(context: BrowserContext, url: str, stay: int = 0) -> Visit:
    """Visit a page, until it says that it is ready and for `stay` more milliseconds."""
    page = context.new_page()
    page.add_init_script(OURS)
    page.goto(url)
    took = float(page.wait_for_selector("html[data-took]", timeout=120_000).get_attribute("data-took") or 0)
    restored = page.get_attribute("html", "data-memory") == "restored"
    page.wait_for_timeout(stay)
    page.close()
    return Visit(took, restored)


def profile(playwright: Playwright, folder: str) -> BrowserContext:
    """Chromium with a profile of its own."""
    return playwright.chromium.launch_persistent_context(
        folder, executable_path=shutil.which("chromium"), args=list(CHROMIUM)
    )


def measure(playwright: Playwright, url: str) -> tuple[Visit, Visit]:
    """One cold and one warm visit."""
    with tempfile.TemporaryDirectory() as folder:
        context = profile(playwright, folder)
        cold = visit(context, url, STAY)
        visit(context, url, STAY)
        context.close()
        context = profile(playwright, folder)
        warm = visit(context, url)
        context.close()
    return cold, warm


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Boot time against stock Pyodide.")
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder) / "dist"
        build(out)
        lay_stock(out)
        host = StaticHost(out)
        rows: dict[str, list[tuple[Visit, Visit]]] = {"stock": [], "ours": []}
        for _ in range(runs):
            rows["stock"].append(measure(playwright, host.url + "/stock/"))
            rows["ours"].append(measure(playwright, host.url + "/"))
        host.close()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Chromium, {runs} runs, medians in ms (min-max)")
    for place, name, goal in ((0, "cold", 0.5), (1, "warm", 0.4)):
        stock = [row[place].took for row in rows["stock"]]
        ours = [row[place].took for row in rows["ours"]]
        ratio = statistics.median(ours) / statistics.median(stock)
        told = [f"{statistics.median(few):6.0f} ({min(few):.0f}-{max(few):.0f})" for few in (ours, stock)]
        print(f"{name}  ours {told[0]}  stock loadPyodide {told[1]}  ratio {ratio:.2f} (goal {goal})")
    restored = sum(warm.restored for _, warm in rows["ours"])
    print(f"{restored} of {runs} warm starts of ours took up the memory of an earlier visit")


if __name__ == "__main__":
    main()
