"""The live list of exchanges over the binding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.exchanges import Exchange
from playground.showing import clip

if TYPE_CHECKING:
    from playground.app import Application

ROWS: Final = 40
"""Exchanges in the list, and as many quiet ones, which the page can leave out."""


def exchanges(app: Application, _: str) -> dict[str, Any]:
    """The latest exchanges, newest first; those ahead of the cursor are marked."""
    session = app.session
    log = session.exchanges
    both = log.last(ROWS) + log.last(ROWS, quiet=True)
    both.sort(key=lambda one: (-one.at, -one.number))
    return {"rows": [(one, _path(one), session.to_come(one)) for one in both], "total": log.count}


def _path(exchange: Exchange) -> str:
    return clip(exchange.request.url.removeprefix("/ojs/v1"), 60)
