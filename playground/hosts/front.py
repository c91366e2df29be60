"""The front: the WSGI application that a server calls. It decides who may ask, and who answers.

Requests to the OJS binding go straight to it; pages and files go through Flask. For an enqueue Flask alone would cost
more than the engine, see ``bench/serving.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from http import HTTPStatus
from threading import get_ident
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from engine.errors import OJSError, Unavailable
from engine.http.audit import ACTOR
from engine.http.binding import MEDIA_TYPE, encode
from engine.http.message import EventStream, Request, Response
from playground import security, tokens
from playground.app import BINDING
from playground.headers import SECURITY
from playground.hosts import logs
from playground.hosts.driver import Driver

if TYPE_CHECKING:
    from playground.hosts.figures import Figures
    from playground.hosts.signin import SignIn

Start = Callable[[str, list[tuple[str, str]]], Any]
Answer = Iterable[bytes]
Pages = Callable[[dict[str, Any], Any], Answer]

STATUS: Final = {one.value: f"{one.value} {one.phrase}" for one in HTTPStatus}
_SECURITY: Final = tuple(SECURITY.items())
MONITORS: Final = frozenset({"/health", "/ready", "/metrics"})
_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
_IN_PATH: Final = re.compile(f"/({_ID})")
_IN_BODY: Final = re.compile(rf'"(?:job_)?id":"({_ID})"'.encode())


class Access(NamedTuple):
    """Who may ask for what.

    Args:
        tokens: The bearer tokens.
        names: Names under which this server may be reached.
        numeric: Whether by any numeric address too.
        origins: Origins whose pages may use the binding.
    """

    tokens: tokens.Tokens = tokens.Tokens()
    names: Collection[str] = security.LOCAL
    numeric: bool = False
    origins: Collection[str] = ()


class Front:
    """The WSGI application.

    Args:
        driver: Answers the requests to the binding.
        pages: The WSGI application of pages and files.
        access: Who may ask.
        signin: The sign-in page.
        figures: What ``/metrics`` tells.
        max_body: Largest request body to the binding, bytes; one more is read, so that the binding refuses it.

    Attributes:
        draining: Set when the server is about to stop: what still comes is refused.
    """

    def __init__(
        self,
        driver: Driver,
        pages: Pages,
        *,
        access: Access | None = None,
        signin: SignIn | None = None,
        figures: Figures | None = None,
        max_body: int = 1_048_576,
    ) -> None:
        self.driver = driver
        self.pages = pages
        self.access = access or Access()
        self.signin = signin
        self.figures = figures
        self.max_body = max_body
        self._busy: set[int] = set()  # threads: counting up and down would need a lock
        self.draining = False
        self._names: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start: Start) -> Answer:
        """Answer one request."""
        began = perf_counter()
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        headers = self._headers(environ)
        bound = path.startswith(BINDING)
        self._busy.add(get_ident())
        try:
            scope = self._check(method, path, headers, bound=bound)
            if ACTOR in headers or "/admin/" in path:  # nobody says so of himself
                actor = "anybody" if scope is None else f"token:{scope}"
                headers[ACTOR] = environ["HTTP_X_OJS_ACTOR"] = actor
            if not bound and path not in MONITORS:
                return self._page(environ, start, method, path, scope, began)
            response = self._binding(environ, method, path, headers, began)
            body = response.body
            answer: Answer = self.driver.open(body) if isinstance(body, EventStream) else [body]
        except OJSError as error:
            response = self._refused(error, method, target(environ), headers, bound=bound)
            answer = [response.body] if isinstance(response.body, bytes) else []
            scope = None
        finally:
            self._busy.discard(get_ident())
        sent = [*response.headers.items(), *_SECURITY]
        if bound and self.access.origins:
            sent += security.cors(headers, self.access.origins).items()
        if isinstance(response.body, bytes):
            sent.append(("Content-Length", str(len(response.body))))
            if method == "HEAD":
                answer = []
        start(STATUS.get(response.status) or f"{response.status} Unknown", sent)
        self._told(method, path, response, perf_counter() - began, scope)
        return answer

    @property
    def open(self) -> int:
        """How many requests are being answered, streams aside."""
        return len(self._busy)

    # who may

    def _check(self, method: str, path: str, headers: Mapping[str, str], *, bound: bool) -> str | None:
        """The scope of a request that may be answered.

        Raises:
            OJSError: It may not.
        """
        access = self.access
        reason = security.refusal(
            method, headers, access.names, numeric=access.numeric, origins=access.origins if bound else ()
        )
        if reason is not None:
            raise security.Forbidden(reason)
        if self.draining and path not in MONITORS:
            raise Unavailable("The server is stopping.", details={"retry_after": 2})
        if not access.tokens:
            return None
        scope = access.tokens.scope(headers, time())
        least = tokens.needed(method, path)
        if not tokens.suffices(scope, least) and not _preflight(
            method, headers, access.origins if bound else ()
        ):
            if scope is None:
                raise security.Unauthorized(
                    "This server wants a token, and the request has none that it knows."
                )
            raise security.ScopeTooSmall(f"This takes a token of the scope '{least}'; yours is '{scope}'.")
        return scope

    def _refused(
        self, error: OJSError, method: str, url: str, headers: Mapping[str, str], *, bound: bool
    ) -> Response:
        wants_page = not bound and method in {"GET", "HEAD"} and "text/html" in headers.get("accept", "")
        if error.status == 401 and self.signin is not None and wants_page and "hx-request" not in headers:
            return Response(
                303, {"Location": f"/signin?next={quote(url, safe='/')}", "Cache-Control": "no-store"}
            )
        if bound:
            return self.driver.app.session.binding.refuse(error, Request(method, url, headers))
        response = problem(error)
        if error.status == 401 and self.signin is not None and "hx-request" in headers:
            # A part of a page that stood open while its cookie ran out: the whole page signs in, and comes back.
            to = {
                "HX-Redirect": f"/signin?next={quote(_within(headers.get('hx-current-url', '')), safe='/')}"
            }
            return response._replace(headers={**response.headers, **to})
        return response

    # who answers

    def _headers(self, environ: Mapping[str, Any]) -> dict[str, str]:
        """The request's headers by lower-case name."""
        names, found = self._names, {}
        for key, value in environ.items():
            if key.startswith("HTTP_"):
                name = names.get(key)
                if name is None:
                    name = key[5:].replace("_", "-").lower()
                    if len(names) < 1000:
                        names[key] = name
                found[name] = value
        for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
            if environ.get(key):
                found[name] = environ[key]
        return found

    def _binding(
        self, environ: Mapping[str, Any], method: str, path: str, headers: dict[str, str], began: float
    ) -> Response:
        if _preflight(method, headers, self.access.origins):
            return Response(204, security.preflight())
        if path.endswith("/metrics") and self.figures is not None and method in {"GET", "HEAD"}:
            return self.figures.response()
        if self.draining and path.endswith("/ready"):
            raise Unavailable("The server is stopping.", details={"retry_after": 2})
        asked = "GET" if method == "HEAD" else method
        response = self.driver.handle(Request(asked, target(environ), headers, read(environ, self.max_body)))
        if self.figures is not None:
            self.figures.answered(response.status, perf_counter() - began)
        return response

    def _page(
        self,
        environ: dict[str, Any],
        start: Start,
        method: str,
        path: str,
        scope: str | None,
        began: float,
    ) -> Answer:
        if self.signin is not None and path in {"/signin", "/signout"}:
            response = self.signin.answer(method, path, environ, scope)
            start(STATUS[response.status], [*response.headers.items(), *_SECURITY])
            self._told(method, path, response, perf_counter() - began, scope)
            return [response.body] if isinstance(response.body, bytes) else []

        def told(status: str, sent: list[tuple[str, str]], *more: Any) -> Any:
            logs.request(method, path, int(status[:3]), perf_counter() - began, who=scope)
            return start(status, sent, *more)

        return self.pages(environ, told)

    def _told(self, method: str, path: str, response: Response, seconds: float, scope: str | None) -> None:
        if not logs.LOG.isEnabledFor(20) and response.status < 500 and response.status not in {401, 403, 429}:
            return
        match = _IN_PATH.search(path)
        job = match[1] if match else ""
        if not job and isinstance(response.body, bytes):
            found = _IN_BODY.search(response.body[:4096])
            job = found[1].decode() if found else ""
        logs.request(
            method,
            path,
            response.status,
            seconds,
            request_id=response.headers.get("X-Request-Id"),
            job_id=job,
            who=scope,
        )


def _within(url: str) -> str:
    """Path and query of a page's address; the sign-in page leads to none outside this site."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _preflight(method: str, headers: Mapping[str, str], origins: Collection[str]) -> bool:
    """Whether a browser asks if a page of another, allowed origin may send its request."""
    origin = headers.get("origin")
    asks = method == "OPTIONS" and origin is not None and "access-control-request-method" in headers
    return asks and security.allowed(str(origin), origins)


def problem(error: OJSError) -> Response:
    """An error that arises before the application is reached, in the binding's form."""
    headers = {"Content-Type": MEDIA_TYPE, "OJS-Version": "1.0", **error.headers()}
    if error.retryable:
        headers["Retry-After"] = str(error.details.get("retry_after", 1))
    return Response(error.status, headers, encode({"error": error.to_dict()}))


def target(environ: Mapping[str, Any]) -> str:
    """Path and query as the client sent them."""
    url = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if url.startswith("/"):
        return str(url)
    query = environ.get("QUERY_STRING")
    return quote(environ["PATH_INFO"].encode("latin-1")) + (f"?{query}" if query else "")


def read(environ: Mapping[str, Any], limit: int) -> bytes:
    """A request's body, at most one byte more than the limit."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        most = min(int(length), limit + 1) if length.isdecimal() else 0
    else:
        most = limit + 1 if environ.get("wsgi.input_terminated") else 0
    return environ["wsgi.input"].read(most) if most else b""
