"""The browser host's Python side: runs inside Pyodide in the engine's worker, driven by ``static/worker.mjs``.

Only strings, numbers and bytes cross to JavaScript. JavaScript calls `pause` after each call to learn when to
call `tick`.
"""

from __future__ import annotations

import gc
import json
import random
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from jinja2 import Environment, ModuleLoader, Template, TemplateNotFound

from engine.errors import OJSError, Unavailable
from engine.http.message import EventStream, Request, Stop
from playground import resources
from playground.app import Application, Site
from playground.assets import Assets
from playground.clock import SystemClock
from playground.hosts.late import Get, Late, fetch
from playground.rebase import rebased, rebased_header
from playground.render import environment
from playground.travel.sandbox import Sandbox

TEMPLATES: Final = "/app.zip/templates"
"""The compiled templates inside the bundle that ``static/worker.mjs`` puts into Python's path."""

LEADING: Final = ("HX-Push-Url", "HX-Redirect", "Location")
"""Headers that name an address of the site."""

_streams: dict[int, Stop] = {}
_app: Application


class Templates(ModuleLoader):
    """Compiled templates; one that cannot be fetched now is missing in another way than one that does not exist."""

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's own word
    ) -> Template:
        """The template.

        Raises:
            TemplateNotFound: There is none of this name.
            ImportError: It cannot be fetched now.
        """
        try:
            return super().load(environment, name, globals)
        except TemplateNotFound as error:
            cause = error.__cause__
            if isinstance(cause, ImportError) and not isinstance(cause, ModuleNotFoundError):
                raise cause from None
            raise


def _draw() -> int:
    """A seed, fresh for each visit, so that no two visits share ids."""
    return random.SystemRandom().getrandbits(53)


def start(boot: str, kept: str = "", now: float = 0, get: Get | None = None) -> str:
    """Make the application.

    Args:
        boot: The page's own ``data-boot``: where the engine's files are, and the table of static files.
        kept: The session that this tab had before a reload, as `keep` gave it; empty when there was none.
        now: How far its time had gone when the page was left, milliseconds; 0 when nobody noted it.
        get: How to fetch what the start does without; None where all is here.

    Returns:
        Why the kept session could not be brought back; empty otherwise.
    """
    global _app  # noqa: PLW0603 - a worker runs one application
    facts = json.loads(boot)
    random.seed()  # a memory kept from another visit has that one's numbers
    if get is not None:
        sys.meta_path += [Late(get, facts[name], name) for name in ("more", "rest")]
        resources.fetch_texts_by(lambda place: _fetch_texts(get, facts["more"], place))
    session = Sandbox(SystemClock(), _draw, workers=1)
    if facts.get("embed"):
        session.pause()  # widgets have rooms of their own, and this one is not seen
    site = Site(
        "tab",
        Assets(facts["assets"]),
        release=facts.get("release", ""),
        boot=facts,
        base=facts.get("base", ""),
    )
    _app = Application(session, environment(Templates(TEMPLATES)), site)
    if not kept:
        return ""
    from playground.travel.keeping import restoring  # noqa: PLC0415 - a first visit does without

    try:
        session.load(restoring(session, kept, int(now) or None), stoppable=False)
    except OJSError as error:
        return error.message
    return ""


def _fetch_texts(get: Get, url: str, place: str) -> None:
    try:
        fetch(get, url, place)
    except OSError as error:
        raise Unavailable(f"What this page reads is not here yet: {error}.") from None


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
    gc.enable()  # a start makes next to nothing that can go again: see ``sitecustomize``
    gc.freeze()


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
    base = _app.site.base
    moved = {
        name: rebased_header(response.headers[name], base) for name in LEADING if name in response.headers
    }
    facts = json.dumps({**response.headers, **moved})
    if isinstance(response.body, EventStream):
        respond(response.status, facts, None)
        _streams[number] = response.body.start(lambda piece: chunk(rebased(piece, base)), end)
    else:
        html = response.headers.get("Content-Type", "").startswith("text/html")
        respond(response.status, facts, rebased(response.body, base) if html else response.body)


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
