"""What tests share: the built site behind a static host, a real server, a real Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from engine.clock import ManualClock
from playground import resources
from playground.app import Application, Site
from playground.assets import Assets
from playground.packages import vendor
from playground.render import environment
from playground.session import Session
from playground.travel.sandbox import Sandbox
from tests.static_host import StaticHost

ROOT = Path(__file__).resolve().parent.parent
START = 1_767_268_800_000
"""Where manual clocks begin: 2026-01-01T12:00:00Z."""
CHROMIUM = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run ``ojs-playground`` with these words."""
    line = [sys.executable, "-m", "playground.cli", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=90)


class Server:
    """``ojs-playground serve`` as a process of its own, in memory unless the words name a database."""

    def __init__(self, *words: str, port: int | None = None) -> None:
        words = words if {"--db", "--attach"} & set(words) else ("--memory", *words)
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        line = [sys.executable, "-m", "playground.cli", "serve", "--port", str(self.port), *words]
        self.process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{self.url}/ojs/v1/health", timeout=5):
                    return
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.05)
        raise AssertionError("The server did not start within ten seconds.")

    def stop(self) -> None:
        """End the process, as Ctrl+C would."""
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server with one demo worker."""
    started = Server("--workers", "1")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static site, built once."""
    out = tmp_path_factory.mktemp("site") / "dist"
    done = command("build", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def static_host(dist: Path) -> Iterator[StaticHost]:
    """The static site behind a host that reads its _headers and _redirects."""
    host = StaticHost(dist)
    yield host
    host.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "Chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM))
        yield started
        started.close()


def make_app(session: Session | None = None) -> Application:
    """The application in this process, on a clock that stands still."""
    from jinja2 import FileSystemLoader  # noqa: PLC0415 - kept beside its one use

    vendor()
    session = session or Session(ManualClock(START), seed=7)
    env = environment(FileSystemLoader(resources.path("templates")))
    if isinstance(session, Sandbox):
        return Application(session, env, Site("tab", Assets.scan(resources.path("static")), boot={}))
    site = Site("server", Assets.scan(resources.path("static")))
    sandbox = Sandbox(ManualClock(START), lambda: 7, workers=1)
    return Application(session, env, site, beside=Application(sandbox, env, site))


@pytest.fixture
def app() -> Application:
    """A fresh application, as a server has it."""
    return make_app()


@pytest.fixture
def tab() -> Application:
    """A fresh application over a session in virtual time, as a tab has it."""
    return make_app(Sandbox(ManualClock(START), lambda: 7, workers=1))
