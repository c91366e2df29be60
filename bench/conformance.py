"""Conformance cases in virtual time, in CPython and in the tab, against the real time that they declare, in one run.

The baseline is the sum of the waits that the cases themselves declare: what they would take at the very least against
a server in real time. Without ``--suites`` the project's own cases run.

    python bench/conformance.py [--suites DIR] [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402 - the path comes first

from engine.conformance.case import read_all  # noqa: E402
from engine.conformance.runner import run  # noqa: E402
from engine.conformance.target import fresh_engine  # noqa: E402
from playground.build import build  # noqa: E402
from playground.case_files import case_files, own_cases  # noqa: E402
from tests.conftest import CHROMIUM  # noqa: E402
from tests.static_host import StaticHost  # noqa: E402

BRING = """files => fetch('/ui/conformance/cases?name=bench', {method: 'POST', body: JSON.stringify(files),
  headers: {'HX-Request': 'true'}}).then(answer => answer.status)"""


def in_cpython(files: list[tuple[str, bytes]], runs: int) -> list[float]:
    """Seconds for each whole run, reading the files included."""
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        failed = [one.case.id for one in run(read_all(files)[0], fresh_engine) if one.verdict == "failed"]
        took.append(time.perf_counter() - start)
        if failed:
            raise SystemExit(f"These cases fail: {', '.join(failed)}")
    return took


def in_the_tab(files: list[tuple[str, bytes]], runs: int) -> list[float]:
    """Seconds from the click on Run to the last verdict on the page."""
    took = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        build(Path(folder) / "dist")
        host = StaticHost(Path(folder) / "dist")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        page = browser.new_page()
        page.goto(host.url + "/conformance")
        page.wait_for_selector("html[data-engine=ready]", timeout=60_000)
        page.evaluate(BRING, {path: content.decode() for path, content in files})
        for _ in range(runs):
            start = time.perf_counter()
            page.click("#trial-run")
            page.wait_for_selector("#trial-stop", timeout=10_000)
            page.wait_for_selector("#trial-run", timeout=120_000)
            took.append(time.perf_counter() - start)
        browser.close()
        host.close()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Conformance cases in virtual time.")
    parser.add_argument("--suites", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    files = list(case_files(options.suites or own_cases()))
    cases = read_all(files)[0]
    real = sum(case.wait_ms for case in cases) / 1000
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, {len(cases)} cases, which declare {real:.0f} s of waiting"
    )
    for name, took in (
        ("CPython", in_cpython(files, options.runs)),
        ("the tab", in_the_tab(files, options.runs)),
    ):
        middle = statistics.median(took)
        spread = f"({min(took):.2f}-{max(took):.2f})"
        print(f"{name:8} {middle:6.2f} s {spread}  {real / middle:7.0f} times faster than real time")


if __name__ == "__main__":
    main()
