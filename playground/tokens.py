"""Bearer tokens with scopes, and the cookie that a browser gets for one (OJS Admin API 13, OJS Security).

``read`` may look, ``write`` may also enqueue and work, ``admin`` may do everything. A token stands in the header
``Authorization: Bearer …`` and nowhere else: never in a URL, a log or a page. A browser signs in once and
carries a cookie that holds no token: scope, end, and a code over both made with the token's hash, so that any
process with the same tokens knows it, and none does when the token is gone.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

SCOPES: Final = ("read", "write", "admin")
"""Each may do what those before it may."""
LEAST: Final = 16
"""Shortest token, characters."""
COOKIE: Final = "ojs-signed-in"
LASTS: Final = 12 * 3600
"""How long a browser stays signed in, seconds."""

OPEN: Final = frozenset(
    {"/signin", "/health", "/ready", "/ojs/v1/health", "/v1/health", "/ojs/v1/ready", "/v1/ready"}
)
"""Paths that need no token: the way in, and what tells whether the server lives."""
OPEN_BELOW: Final = ("/static/", "/engine/", "/embed.js")
"""Files that are in every copy of the playground."""
_ADMIN_PAGES: Final = (
    "/ui/console",  # it can send any request
    "/ui/published",
    "/ui/conformance",
    "/ui/reset",
    "/ui/found",
    "/ui/queues",
    "/ui/dead-letter",
    "/ui/registry",
    "/ui/demo",
    "/ui/workers",
)
"""Below these a page may change more than jobs."""


def checked(given: Any) -> tuple[str, ...]:
    """Tokens that can be used.

    Raises:
        ValueError: One cannot; the message does not repeat it.
    """
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ValueError("must be a token or a list of tokens")
    for one in given:
        if len(one) < LEAST or not one.isascii() or not one.isprintable() or " " in one:
            raise ValueError(f"a token has at least {LEAST} printable ASCII characters and no space")
    return tuple(given)


def needed(method: str, path: str) -> str | None:
    """The least scope for a request, or None where everybody may.

    Args:
        method: Upper-case method.
        path: Path without a query.
    """
    if path in OPEN or path.startswith(OPEN_BELOW):
        return None
    if method in {"GET", "HEAD", "OPTIONS"}:
        return "read"
    if "/admin/" in path or path.startswith(_ADMIN_PAGES):
        return "admin"
    return "write"


def suffices(scope: str | None, least: str | None) -> bool:
    """Whether a scope may do what takes at least another one."""
    if least is None:
        return True
    return scope is not None and SCOPES.index(scope) >= SCOPES.index(least)


class Tokens:
    """The tokens of a server; none means that everybody may do everything.

    Args:
        given: Tokens by scope.
    """

    def __init__(self, given: Mapping[str, Iterable[str]] | None = None) -> None:
        self._keys = [
            (scope, sha256(one.encode()).digest())
            for scope in reversed(SCOPES)
            for one in (given or {}).get(scope, ())
        ]

    def __bool__(self) -> bool:
        return bool(self._keys)

    def scope_of(self, token: str) -> str | None:
        """The scope of a token, the highest where it stands for several; every one is compared, in constant time."""
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        found = None
        for scope, key in self._keys:
            if hmac.compare_digest(digest, key) and found is None:
                found = scope
        return found

    def scope(self, headers: Mapping[str, str], now: float) -> str | None:
        """The scope of a request's header or cookie, or None.

        Args:
            headers: Header values by lower-case name.
            now: Unix time, seconds.
        """
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.scope_of(token.strip())
        return self._signed_in(headers.get("cookie", ""), now)

    def _signed_in(self, cookies: str, now: float) -> str | None:
        for part in cookies.split(";"):
            key, _, value = part.strip().partition("=")
            if key == COOKIE:
                scope, _, rest = value.partition(".")
                until, _, _ = rest.partition(".")
                known = any(
                    hmac.compare_digest(
                        _cookie(mine, until, secret).encode(), value.encode("utf-8", "replace")
                    )
                    for mine, secret in self._keys
                )
                if known and until.isdecimal() and int(until) > now:
                    return scope
        return None

    def cookie(self, token: str, now: float) -> str | None:
        """The cookie's value for a token, or None when there is no such token."""
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        scope = self.scope_of(token)
        return None if scope is None else _cookie(scope, str(int(now) + LASTS), digest)


def _cookie(scope: str, until: str, key: bytes) -> str:
    code = hmac.new(key, f"{scope}.{until}".encode("utf-8", "replace"), sha256).hexdigest()
    return f"{scope}.{until}.{code}"
