"""The application: one neutral ``handle(Request) -> Response`` behind every host.

It owns a session, answers its binding below ``/ojs`` and ``/v1``, and renders the pages and fragments from
it. It does not know whether a browser tab, Flask or a test calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from jinja2 import Environment

from engine.errors import Conflict, InternalError, NotFound, OJSError, Unavailable
from engine.http.message import Request, Response
from engine.http.route import Table
from playground import pages, spec, views
from playground.assets import Assets
from playground.clients import Clients
from playground.clock import SystemClock
from playground.live import Live, element_id
from playground.session import Session
from playground.visit import Visit

if TYPE_CHECKING:
    from playground.embed.rooms import Rooms
    from playground.published import Shelf
    from playground.travel.sandbox import Sandbox
    from playground.trial import Outside, Trial

BINDING: Final = ("/ojs/", "/v1/")
"""Paths that belong to the engine's HTTP binding."""
MONITORS: Final = frozenset({"/health", "/ready", "/metrics"})
"""Paths of the binding without its base path that programs ask, and no reader."""


def _query(text: str) -> Mapping[str, list[str]]:
    if not text:
        return {}
    from urllib.parse import parse_qs  # noqa: PLC0415 - a tab's start can do without

    return parse_qs(text, keep_blank_values=True)


def _decoded(part: str) -> str:
    if "%" not in part:
        return part
    from urllib.parse import unquote  # noqa: PLC0415 - a tab's start can do without

    return unquote(part)


class Site(NamedTuple):
    """What differs between hosts.

    Args:
        host: Whether the engine runs in the visitor's tab or in a server.
        assets: The static files.
        base_url: Where a client outside the page reaches an OJS server: this one, or a local one.
        release: The playground's version.
        boot: Where Python's files are: for the tab what starts the engine, see `playground.build`; for a server what
            runs the visitor's handlers in their browser, None where it has none.
        guarded: Whether clients need a token.
        base: Where the site begins on its host, without a slash at its end; see `playground.rebase`.
        playground: Where the whole playground is, for a build that has widgets only; empty where there is none.
    """

    host: Literal["tab", "server"]
    assets: Assets
    base_url: str = "http://localhost:8080"
    release: str = ""
    boot: Mapping[str, Any] | None = None
    guarded: bool = False
    base: str = ""
    playground: str = "/"


class Application:
    """The playground over one session.

    Args:
        session: The live OJS server that it shows.
        env: The templates.
        site: What differs between hosts.
        beside: The application over the sandbox that a real server has beside it.

    Attributes:
        outside: How the host runs conformance cases against another server; None where it cannot.
        shelf: The published documents of a checkout, where somebody has put them.
        clients: Which clients have come.
    """

    def __init__(
        self, session: Session, env: Environment, site: Site, beside: Application | None = None
    ) -> None:
        self.session = session
        self.beside = beside
        self.site = site
        self.env = env
        self.clock = SystemClock()
        self.outside: Outside | None = None
        self.shelf: Shelf | None = None
        self.clients = Clients()
        if beside is not None:  # a real server, which others can reach; its sandbox tells the same
            beside.clients = self.clients
            session.world.heard.append(self.clients.hear)
        self.table: Table[pages.Page] = Table(pages.PAGES)
        self.live = Live(self.view, self.clock.now)
        env.globals |= {
            "site": site,
            "asset": site.assets.url,
            "element_id": element_id,
            "release": site.release,
        }
        session.listeners.append(lambda _: self.live.touch())
        session.touch = self.live.touch

    @cached_property
    def trial(self) -> Trial:
        """The conformance cases and their run, made when somebody first looks."""
        from playground.trial import Trial  # noqa: PLC0415 - its imports cost a tab's start too much

        found = Trial(self.clock.now, self.live.touch)
        found.outside = self.outside
        return found

    @cached_property
    def rooms(self) -> Rooms:
        """The runs of widgets, see `playground.embed`."""
        from playground.embed.rooms import Rooms  # noqa: PLC0415 - most visits are to no widget

        return Rooms()

    @property
    def travel(self) -> Sandbox:
        """The session whose time can be moved: this one, or the one beside it.

        Raises:
            Conflict: There is none.
        """
        from playground.travel.sandbox import Sandbox  # noqa: PLC0415 - a real server may never need it

        session = self.session if self.beside is None else self.beside.session
        if not isinstance(session, Sandbox):
            raise Conflict("This server has no sandbox beside it, and its own time is the machine's.")
        return session

    @property
    def _trial(self) -> Trial | None:
        return self.__dict__.get("trial")

    @cached_property
    def documents(self) -> dict[str, spec.Document]:
        """The reference, read when it is first wanted."""
        return spec.documents(self.env)

    # requests

    def handle(self, request: Request) -> Response:
        """Answer one request: the binding, a page, a fragment or a stream; never raises for what a client sends."""
        path, _, query = request.url.partition("?")
        bound = path.startswith(BINDING)
        visit = Visit(self, request, path, {} if bound else _query(query))
        try:
            self.session.tick()
            if bound:
                answer = self.session.handle(request)
                # A refusal and a FETCH that finds nothing are no events, but exchanges, workers and goals show them.
                if request.method != "GET" or answer.status >= 400:
                    self.live.touch()
                return answer
            try:
                page, visit.params = self.table.find(request.method, path.rstrip("/") or "/", _decoded)
            except NotFound:
                if self.session.binding.has_route(
                    path
                ):  # /health, /metrics: the binding without its base path
                    return self.session.handle(request)
                raise
            response = page.handler(visit)
        except OJSError as error:
            response = self._refusal(visit, error)
        except ImportError as error:  # a tab fetches rarely used parts when they are first wanted
            response = self._refusal(visit, Unavailable(f"A part that this needs is not here yet: {error}."))
        except Exception:  # noqa: BLE001 - a defect of ours: told to the host's log, and answered like any error
            import traceback  # noqa: PLC0415 - as rare as a defect

            traceback.print_exc()
            response = self._refusal(
                visit, InternalError("The playground failed while it made this page; see the log.")
            )
        if request.method != "GET":
            self.live.touch()
        return response

    def refuse(self, request: Request, error: OJSError) -> Response:
        """The answer to a request whose turn could not be kept: a page, a fragment or JSON, as it would have been."""
        path, _, query = request.url.partition("?")
        return self._refusal(Visit(self, request, path, _query(query)), error)

    def _refusal(self, visit: Visit, error: OJSError) -> Response:
        if visit.path.startswith(BINDING) or (visit.path in MONITORS and not visit.fragment):
            return self.session.binding.refuse(error, visit.request)
        template = "parts/problem.html" if visit.fragment else "pages/problem.html"
        return visit.render(template, status=error.status, error=error, path=visit.path)

    def view(self, name: str) -> str:
        """The HTML of a live view, e.g. ``board`` or ``job:ID``.

        Raises:
            NotFound: There is no such view.
        """
        kind, _, argument = name.partition(":")
        if kind not in views.VIEWS:
            raise NotFound(f"There is no view '{kind:.40}'.", details={"resource_type": "view"})
        context = views.VIEWS[kind](self, argument)
        return self.env.get_template(f"views/{kind}.html").render(context)

    # time

    def next_due(self) -> int | None:
        """When `tick` has something to do next, real milliseconds, or None."""
        due = (self.session.next_due(), self.live.flush_at, self._trial.next_due() if self._trial else None)
        times = [at for at in due if at is not None]
        return min(times, default=None)

    def tick(self) -> None:
        """Do what is due: the session's timers and workers, a slice of a conformance run, then the streams."""
        self.session.tick()
        if self._trial is not None:
            self._trial.tick()
        flush_at = self.live.flush_at
        if flush_at is not None and flush_at <= self.clock.now():
            self.live.flush()
