"""A site that does not begin at its host's root: the addresses in its pages begin with where it does.

Handlers, templates and scripts know addresses as they are at the root (`/spec/cron`). What leaves for a page is rebased
here, at the edge; what a page asks for is turned back in ``static/tab.js``.
"""

from __future__ import annotations

import re
from typing import Final

_PLACES: Final = re.compile(
    rb'(\s(?:href|action|src|hx-get|data-(?:script|module|search|library|fields|editor|edit|copy-page))=")/(?!/)'
)
"""Attributes that lead to a page or to a file. Those that ask the engine only need not change."""
_FORM: Final = re.compile(r"/[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*")


def base(text: str) -> str:
    """Where a site begins, as it is put before an address: ``/docs/try`` for ``/docs/try/``, empty for ``/``.

    Raises:
        ValueError: It is no path on a host; the message says what one looks like.
    """
    bare = text.strip().rstrip("/")
    if bare and (not _FORM.fullmatch(bare) or {".", ".."} & set(bare.split("/"))):
        raise ValueError(f"'{text:.80}' is no path on a host; a base looks like /docs/try/.")
    return bare


def rebased(html: bytes, base: str) -> bytes:
    """A page, or a piece of one, whose links begin with the base."""
    return _PLACES.sub(rb"\1" + base.encode() + b"/", html) if base else html


def rebased_header(value: str, base: str) -> str:
    """The same for a header that names an address, e.g. ``HX-Push-Url``."""
    return base + value if base and value.startswith("/") else value
