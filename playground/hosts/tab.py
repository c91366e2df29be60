"""The browser host's Python side: runs inside Pyodide in the engine's worker, driven by ``static/worker.mjs``.

Only strings, numbers and bytes cross to JavaScript. JavaScript calls `pause` after each call to learn when to
call `tick`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from random import SystemRandom
from typing import Any, Final

from jinja2 import ModuleLoader

from engine.errors import OJSError
from engine.http.message import EventStream, Request, Stop
from playground.app import Application, Site
from playground.assets import Assets
from playground.clock import SystemClock
from playground.hosts.rest import Rest
from playground.render import environment
from playground.travel.sandbox import Sandbox

TEMPLATES: Final = "/app.zip/templates"
"""The compiled templates inside the bundle that ``static/worker.mjs`` puts into Python's path."""

_streams: dict[int, Stop] = {}
_app: Application


def _draw() -> int:
    """A seed, fresh for each visit, so that no two visits share ids."""
    return SystemRandom().getrandbits(53)


def start(boot: str, kept: str = "", now: float = 0) -> str:
    """Make the application.

    Args:
        boot: The page's own ``data-boot``: where the engine's files are, and the table of static files.
        kept: The session that this tab had before a reload, as `keep` gave it; empty when there was none.
        now: How far its time had gone when the page was left, milliseconds; 0 when nobody noted it.

    Returns:
        Why the kept session could not be brought back; empty otherwise.
    """
    global _app  # noqa: PLW0603 - a worker runs one application
    facts = json.loads(boot)
    if "rest" in facts:
        sys.meta_path.append(Rest(facts["rest"]))
    session = Sandbox(SystemClock(), _draw, workers=1)
    site = Site("tab", Assets(facts["assets"]), release=facts.get("release", ""), boot=facts)
    _app = Application(session, environment(ModuleLoader(TEMPLATES)), site)
    if not kept:
        return ""
    from playground.travel.keeping import restoring  # noqa: PLC0415 - a first visit does without

    try:
        session.load(restoring(session, kept, int(now) or None), stoppable=False)
    except OJSError as error:
        return error.message
    return ""


def keep() -> str | None:
    """The session as text; empty when it is too large; None while it is still being brought back."""
    from playground.travel.keeping import TooMuch, keep  # noqa: PLC0415 - as above

    session = _app.travel
    try:
        return None if session.loading else keep(session)
    except TooMuch:
        return ""


def warm() -> None:
    """Render the first fragment, so that the first click finds everything loaded."""
    _app.view("board")


def dispatch(
    number: int,
    method: str,
    url: str,
    headers: str,
    body: Any,
    respond: Callable[[int, str, Any], None],
    chunk: Callable[[bytes], None],
    end: Callable[[], None],
) -> None:
    """Answer one request.

    Args:
        number: The page's number for it, for `cancel`.
        method: HTTP method.
        url: Path and query.
        headers: JSON object, names in lower case.
        body: Bytes as a JavaScript typed array, or None.
        respond: Called once with status, headers as JSON, and the body or None for a stream.
        chunk: Called with each piece of a stream.
        end: Called when a stream ends by itself.
    """
    content = b"" if body is None else bytes(body.to_py() if hasattr(body, "to_py") else body)
    response = _app.handle(Request(method, url, json.loads(headers), content))
    facts = json.dumps(dict(response.headers))
    if isinstance(response.body, EventStream):
        respond(response.status, facts, None)
        _streams[number] = response.body.start(chunk, end)
    else:
        respond(response.status, facts, response.body)


def cancel(number: int) -> None:
    """Nobody reads this stream any more."""
    stop = _streams.pop(number, None)
    if stop is not None:
        stop()


def pause() -> int:
    """Milliseconds until `tick` has something to do, or -1 for never."""
    due = _app.next_due()
    return -1 if due is None else max(0, due - _app.clock.now())


def tick() -> None:
    """Do what is due."""
    _app.tick()
