"""The browser's build of the playground, below ``/tab/`` of a server: built when somebody first opens it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
from fnmatch import fnmatch
from html import escape
from pathlib import Path
from time import time
from typing import Final

import flask
from platformdirs import user_cache_path

import engine
import playground
from playground import resources
from playground.assets import TYPES
from playground.headers import MARK, ONLY_ENGINE, SECURITY, SHELL, rules

BASE: Final = "/tab"
OLD: Final = 7 * 86_400
"""Age at which a build of other sources is deleted, seconds."""
TIMEOUT: Final = 600
"""Longest that a build may take, seconds: the first fetches the browser packages."""
WAITING: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>OJS Playground</title>{refresh}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="{style}"></head>
<body><main><section class="panel"><h1>{title}</h1><p>{text}</p></section></main></body></html>
"""


def sources() -> str:
    """Twelve hexadecimal digits that stand for everything that a build is made of."""
    found = hashlib.sha256()
    folders = [Path(module.__file__ or "").parent for module in (engine, playground)]
    for folder in (*folders, *(resources.path(name) for name in ("static", "templates", "spec"))):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and "_data" not in path.parts:
                found.update(path.relative_to(folder).as_posix().encode())
                found.update(path.read_bytes())
    found.update(resources.path("package.json").read_bytes())
    return found.hexdigest()[:12]


class TabSite:
    """Builds the site for `BASE`, once for each state of the sources, and finds its files.

    Args:
        cache: Folder for builds.

    Attributes:
        wrong: Why the last build failed; empty otherwise.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache or user_cache_path("ojs-playground") / "tab"
        self._lock = threading.Lock()
        self._building: threading.Thread | None = None
        self._folder: Path | None = None
        self.wrong = ""

    def folder(self) -> Path | None:
        """The built site, or None while it is being built, which asking begins."""
        with self._lock:
            if self._folder is None and self._building is None and not self.wrong:
                wanted = self._cache / sources()
                if (wanted / SHELL).is_file():
                    self._folder = wanted
                else:
                    self._building = threading.Thread(target=self._build, args=(wanted,), daemon=True)
                    self._building.start()
            return self._folder

    def again(self) -> None:
        """Let the next who asks begin a build that has failed."""
        with self._lock:
            self.wrong = ""

    def _build(self, wanted: Path) -> None:
        # In a process of its own: it takes a processor for some seconds, and this one answers requests.
        beside = wanted.with_name(wanted.name + ".new")
        words = [sys.executable, "-m", "playground.cli", "build", "--base", f"{BASE}/", "--out", str(beside)]
        wrong = ""
        try:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(  # noqa: S603 - our own command
                words, capture_output=True, text=True, check=False, timeout=TIMEOUT
            )
            if done.returncode:
                wrong = (done.stderr.strip().splitlines() or ["The build failed."])[-1]
            else:
                beside.rename(wanted)
                self._tidy(wanted)
        except (OSError, subprocess.SubprocessError) as error:
            wrong = f"The build failed: {error}."
        with self._lock:
            self._building, self.wrong = None, wrong
            self._folder = None if wrong else wanted

    def _tidy(self, wanted: Path) -> None:
        """Delete builds of earlier sources that no server of lately can still be using."""
        for other in wanted.parent.iterdir():
            if other != wanted and (other / MARK).exists() and time() - other.stat().st_mtime > OLD:
                shutil.rmtree(other, ignore_errors=True)

    def find(self, folder: Path, path: str) -> tuple[int, Path]:
        """The status and the file for a path below the base."""
        file = (folder / path.strip("/")).resolve()
        if file.is_relative_to(folder.resolve()):
            for one in (file, file / "index.html"):
                if one.is_file():
                    return 200, one
        known = any(f"/{path}".startswith(f"{prefix}/") for prefix in ONLY_ENGINE)
        return 200 if known else 404, folder / SHELL


def add(host: flask.Flask, site: TabSite, style: str) -> None:
    """The routes; ``style`` is the address of a style sheet for the page that waits."""

    @host.get(f"{BASE}/", defaults={"path": ""})
    @host.get(f"{BASE}/<path:path>")
    def tab(path: str) -> flask.Response:
        if flask.request.args.get("again"):
            site.again()
        folder = site.folder()
        if folder is None:
            return _wait(site.wrong, style)
        status, file = site.find(folder, path)
        response = flask.send_file(file, mimetype=TYPES.get(file.suffix))
        response.status_code = status
        for pattern, headers in rules():
            if fnmatch(f"/{path}", pattern):
                response.headers.update(headers)
        return response


def _wait(wrong: str, style: str) -> flask.Response:
    if wrong:
        text = f'{escape(wrong)} <a href="{BASE}/?again=1">Try again</a>'
        page = WAITING.format(
            style=style, refresh="", title="The version for the browser could not be built", text=text
        )
    else:
        refresh = f'<meta http-equiv="refresh" content="2; url={BASE}/">'
        text = "The first time this takes about half a minute; this page then opens it by itself."
        page = WAITING.format(
            style=style, refresh=refresh, title="The version for the browser is being built", text=text
        )
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Retry-After": "2"}
    return flask.Response(page, 503, {**headers, **SECURITY})
