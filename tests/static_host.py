"""A static host on loopback that does what the build's ``_headers`` and ``_redirects`` ask, and can misbehave."""

from __future__ import annotations

import fnmatch
import gzip
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playground.assets import TYPES

Fault = Callable[[str], "tuple[int, str, bytes] | None"]
"""Given a path, answers in the host's place: status, media type, body; or None."""


class StaticHost:
    """Serves a folder.

    Args:
        folder: The built site.
        packed: Whether what it sends is compressed.
        base: Below which path the folder is; nothing else is there.

    Attributes:
        fault: Asked before each answer; tests set it.
        delay: Seconds before each answer below /engine/.
        paths: Every path asked for.
    """

    def __init__(self, folder: Path, *, packed: bool = False, base: str = "") -> None:
        self.folder = folder
        self.base = base
        self.pack = lru_cache(maxsize=None)(lambda body: gzip.compress(body, 6)) if packed else None
        self.fault: Fault | None = None
        self.delay = 0.0
        self.paths: list[str] = []
        self.rules = _rules((folder / "_headers").read_text())
        self.fallbacks = [line.split() for line in (folder / "_redirects").read_text().splitlines() if line]
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://localhost:{self.port}{base}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def find(self, path: str) -> tuple[int, Path]:
        """The file for a path, as Netlify finds it."""
        if path != self.base and not path.startswith(f"{self.base}/"):
            return 404, self.folder / "robots.txt"
        file = self.folder / path.removeprefix(self.base).strip("/")
        for candidate in (file, file / "index.html"):
            if candidate.is_file():
                return 200, candidate
        for pattern, target, status in self.fallbacks:
            if fnmatch.fnmatch(path, pattern):
                return int(status), self.folder / target.removeprefix(self.base).strip("/")
        return 404, self.folder / "404.html"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        self.paths.append(path)
        if path.startswith("/engine/"):
            time.sleep(self.delay)
        wrong = self.fault(path) if self.fault else None
        if wrong is not None:
            status, kind, body = wrong
        else:
            status, file = self.find(path)
            kind, body = TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes()
        try:
            request.send_response(status)
            headers = {"Content-Type": kind}
            if self.pack is not None:
                body = self.pack(body)
                headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
            for pattern, extra in self.rules:
                if fnmatch.fnmatch(path, pattern) and wrong is None:
                    headers |= extra
            for name, value in headers.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass  # the browser has gone: a test reloaded or closed the page

    def close(self) -> None:
        self.server.shutdown()


def _rules(text: str) -> list[tuple[str, dict[str, str]]]:
    rules: list[tuple[str, dict[str, str]]] = []
    for line in text.splitlines():
        if line.startswith(" "):
            name, _, value = line.strip().partition(": ")
            rules[-1][1][name] = value
        elif line:
            rules.append((line, {}))
    return rules
