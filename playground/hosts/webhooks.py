"""Webhooks: sends the deliveries that the engine has written down, and reports what came of each.

The engine decides what is sent, when it is tried again and how it is signed (OJS Webhooks 5 to 7); this only posts.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from engine.deliveries import TIMEOUT, Outgoing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt.

    Args:
        status: HTTP status, or None when no answer came.
        retry_after: Seconds that the receiver asked for, or None.
        error: Why there was no answer, or None.
    """

    status: int | None
    retry_after: int | None = None
    error: str | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed request goes where it was addressed and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Take the redirect as the answer."""


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def post(outgoing: Outgoing) -> Outcome:
    """Send one delivery; never raises for what the network or the receiver does."""
    request = urllib.request.Request(outgoing.url, outgoing.body, outgoing.headers, method="POST")  # noqa: S310 - checked at subscription
    try:
        with _OPENER.open(request, timeout=TIMEOUT / 1000) as answer:
            return Outcome(answer.status)
    except urllib.error.HTTPError as error:
        wish = error.headers.get("Retry-After", "")
        return Outcome(
            error.code, int(wish) if wish.isascii() and wish.isdecimal() and len(wish) < 7 else None
        )
    except (OSError, ValueError) as error:
        return Outcome(None, error=f"{type(error).__name__}: {getattr(error, 'reason', error)}")
