"""Who may talk to a local server: only this machine's own names, and pages of its own.

A web page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding), or post forms to it. The first
is told by the Host header, the second by Origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in lower case; empty where it cannot be read."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def refusal(method: str, headers: Mapping[str, str], names: Iterable[str] = LOCAL) -> str | None:
    """Why a request must not be answered, or None.

    Args:
        method: HTTP method.
        headers: Header values by lower-case name.
        names: Names under which this server may be reached.
    """
    host = headers.get("host", "")
    if host_name(host) not in names:
        return f"The Host header '{host:.80}' is not a name of this server; use http://localhost."
    origin = headers.get("origin")
    if method not in SAFE and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"Pages of '{origin:.80}' may not change anything on this server."
    return None
