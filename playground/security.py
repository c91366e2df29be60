"""Who may talk to a server: by its own names only, and pages of its own or of origins that it was told.

A web page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding), or post forms to it. The first
is told by the Host header, the second by Origin. Such a page has no numeric address, so those are safe to answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from engine.errors import OJSError

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED: Final = (
    "Authorization, Content-Type, Content-Encoding, Last-Event-ID, OJS-Version, OJS-Requires-Extension, "
    "Traceparent, Tracestate, X-OJS-Tenant, X-OJS-Tenant-Id, X-Request-Id"
)
"""Request headers that pages of other origins may send."""
EXPOSED: Final = "Location, OJS-Version, Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining"
"""Reply headers that they may read."""


class Forbidden(OJSError):
    """The request comes from where none may come."""

    code, status, kind = "forbidden", 403, "forbidden"
    canonical = "FORBIDDEN"
    hint = "Open the server by http://localhost or http://127.0.0.1, from its own pages or from a program."


class Unauthorized(OJSError):
    """The request has no token, and this server wants one."""

    code, status, kind = "unauthorized", 401, "unauthorized"
    canonical = "UNAUTHORIZED"
    hint = "Send the header 'Authorization: Bearer TOKEN', or sign in at /signin."

    def headers(self) -> dict[str, str]:
        """What says how to authenticate."""
        return {"WWW-Authenticate": 'Bearer realm="ojs"'}


class ScopeTooSmall(OJSError):
    """The token may not do this."""

    code, status, kind = "forbidden", 403, "forbidden"
    canonical = "FORBIDDEN"
    hint = "Use a token of a higher scope: admin may do what write may, write what read may."


@lru_cache(maxsize=256)
def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in lower case; empty where it cannot be read."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _numeric(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def refusal(
    method: str,
    headers: Mapping[str, str],
    names: Collection[str] = LOCAL,
    *,
    numeric: bool = False,
    origins: Collection[str] = (),
) -> str | None:
    """Why a request must not be answered, or None.

    Args:
        method: HTTP method.
        headers: Header values by lower-case name.
        names: Names under which this server may be reached.
        numeric: Whether it may also be reached by any numeric address.
        origins: Origins besides its own whose pages may change something, ``*`` for all.
    """
    host = headers.get("host", "")
    name = host_name(host)
    if name not in names and not (numeric and _numeric(name)):
        return (
            f"The Host header '{host:.80}' is not a name of this server; use http://localhost, "
            "or start it with --allow-host."
        )
    origin = headers.get("origin")
    if method in SAFE or origin is None or allowed(origin, origins):
        return None
    if urlsplit(origin).netloc.lower() != host.lower():
        return f"Pages of '{origin:.80}' may not change anything on this server; --cors would let them."
    return None


def allowed(origin: str, origins: Collection[str]) -> bool:
    """Whether an origin is on the list."""
    return bool(origins) and ("*" in origins or origin.lower() in origins)


def cors(headers: Mapping[str, str], origins: Collection[str]) -> dict[str, str]:
    """The reply's headers that let a page of another origin read it; none where that may not."""
    origin = headers.get("origin")
    if not origins or origin is None or not allowed(origin, origins):
        return {"Vary": "Origin"} if origins else {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Access-Control-Expose-Headers": EXPOSED}


def preflight() -> dict[str, str]:
    """What a browser is told that asks before it sends a page's request."""
    return {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": ALLOWED,
        "Access-Control-Max-Age": "600",
    }
