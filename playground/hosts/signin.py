"""The sign-in page of a server that wants tokens: a token once, then a cookie that scripts cannot read."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment

from engine.http.message import Response
from playground.hosts.front import read
from playground.tokens import COOKIE, LASTS, Tokens

LARGEST: Final = 4096
"""Longest form that is read, bytes."""
_PAGE: Final = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
_GONE: Final = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"


class SignIn:
    """Answers ``/signin`` and ``/signout``.

    Args:
        env: The templates.
        tokens: The server's tokens.
    """

    def __init__(self, env: Environment, tokens: Tokens) -> None:
        self._env = env
        self._tokens = tokens

    def answer(
        self,
        method: str,
        path: str,
        environ: Mapping[str, Any],
        scope: str | None,
    ) -> Response:
        """The page, or what came of its form."""
        if method not in {"GET", "HEAD", "POST"}:
            return Response(405, {"Allow": "GET, POST", **_PAGE})
        if path == "/signout":
            gone = {"Set-Cookie": _GONE} if method == "POST" else {}
            return Response(303, {"Location": "/signin", "Cache-Control": "no-store", **gone})
        if method != "POST":
            query = parse_qs(str(environ.get("QUERY_STRING", "")))
            return self._page(200, scope, inside(query.get("next", ["/"])[-1]))
        fields = parse_qs(read(environ, LARGEST)[:LARGEST].decode("utf-8", "replace"))
        onward = inside(fields.get("next", ["/"])[-1])
        value = self._tokens.cookie(fields.get("token", [""])[-1].strip(), time())
        if value is None:
            return self._page(403, scope, onward, wrong=True)
        secure = "; Secure" if environ.get("wsgi.url_scheme") == "https" else ""
        cookie = f"{COOKIE}={value}; Path=/; Max-Age={LASTS}; HttpOnly; SameSite=Lax{secure}"
        return Response(303, {"Location": onward, "Set-Cookie": cookie, "Cache-Control": "no-store"})

    def _page(self, status: int, scope: str | None, onward: str, *, wrong: bool = False) -> Response:
        html = self._env.get_template("pages/signin.html").render(scope=scope, onward=onward, wrong=wrong)
        return Response(status, _PAGE, html.encode())


def inside(url: str) -> str:
    """An address within this site; the home page for any other, so that nobody is led away."""
    parts = urlsplit(url) if url.isprintable() and "\\" not in url else None
    safe = parts is not None and url.startswith("/") and not url.startswith("//") and not parts.netloc
    return url if safe else "/"
