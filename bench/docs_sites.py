"""Builds the examples of docs/embed with their generators, and presses Run in Chromium on what comes of each.

    python bench/docs_sites.py

The generators, MkDocs and Sphinx, come from the registry into a folder that goes away afterwards. The plain page is
tried as it is. The playground they name is a server of this checkout, so widget, frame and messages are real.
Docusaurus and Astro Starlight are not built here.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.conftest import CHROMIUM, Server  # noqa: E402 - the checkout's own

PINS = ("mkdocs==1.6.1", "sphinx>=8,<9")
BUILDS = {
    "html": None,
    "mkdocs": ("mkdocs", "build", "--strict", "--site-dir"),
    "sphinx": ("sphinx", "-W", "-q", "."),
}
"""Of each example the module that builds it, with its words before the folder to build into."""


def prepare(work: Path, url: str) -> None:
    """Copy the examples, with the playground's address in place of its name."""
    shutil.copytree(ROOT / "docs" / "embed", work)
    for path in work.rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("PLAYGROUND", url))


def build(python: Path, source: Path, words: tuple[str, ...] | None) -> Path:
    """The folder with the site."""
    if words is None:
        return source
    out = source / "_site"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([str(python), "-m", *words, str(out)], cwd=source, env=env, check=True)
    return out


def main() -> None:
    """Build and try each."""
    server = Server("--workers", "1")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        venv.create(Path(folder) / "venv", with_pip=True, system_site_packages=False)
        python = Path(folder) / "venv" / "bin" / "python"
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PINS, str(ROOT)], check=True)
        work = Path(folder) / "examples"
        prepare(work, server.url)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        for name, words in BUILDS.items():
            site = build(python, work / name, words)
            handler = functools.partial(SimpleHTTPRequestHandler, directory=str(site))
            host = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=host.serve_forever, daemon=True).start()
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{host.server_address[1]}/")
            widget = page.locator("ojs-try")
            expect(widget).to_contain_text("Recorded:")
            widget.get_by_role("button", name="Run", exact=True).click()
            expect(widget).to_have_attribute("data-state", "ended", timeout=30_000)
            told = widget.locator("iframe").content_frame.locator("#where").inner_text()
            print(f"{name}: built, run: {told}")
            page.close()
            host.shutdown()
        browser.close()
    server.stop()


if __name__ == "__main__":
    main()
