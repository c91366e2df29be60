"""Routes as data: method, path, handler, and what the endpoint reference says of each.

A subject's module (`engine.http.jobs`, …) lists its routes; `engine.http.binding` joins them into one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from engine.envelope import refuse
from engine.errors import InvalidRequest, MethodNotAllowed, NotFound
from engine.http.message import NO_HEADERS, EventStream, Hold
from engine.times import parse_time

if TYPE_CHECKING:
    from engine.core import Engine
    from engine.http.binding import Settings


class Reply(NamedTuple):
    """What a handler answers; the binding adds the standard headers.

    Args:
        body: A JSON object, or text or a stream with a ``Content-Type`` of its own.
        status: HTTP status.
        headers: Further headers.
        hold: What a patient host is to wait for, in place of an answer.
    """

    body: dict[str, Any] | str | EventStream
    status: int = 200
    headers: Mapping[str, str] = NO_HEADERS
    hold: Hold | None = None


class Call(NamedTuple):
    """One request as its handler sees it.

    Args:
        engine: The engine and all its subjects.
        params: Path parameters, percent-decoded.
        query: Query parameters; of a repeated one the last.
        headers: Header values by lower-case name.
        body: The parsed JSON object, empty when there was no body.
        settings: The binding's configuration.
        patient: Whether the host can hold the request.
    """

    engine: Engine
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]
    settings: Settings
    patient: bool = False

    def refuse(self, name: str, rule: str, clause: str) -> InvalidRequest:
        """The error for a query parameter that breaks its rule."""
        return refuse(name, self.query.get(name), rule, clause, "query")

    def number(self, name: str, default: int, most: int, least: int = 0) -> int:
        """An integer query parameter.

        Raises:
            InvalidRequest: Not an integer from ``least`` to ``most``.
        """
        text = self.query.get(name)
        if text is None or not text:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not least <= int(text) <= most:
            raise self.refuse(name, f"must be an integer from {least} to {most}", "OJS HTTP Binding 17.1")
        return int(text)

    def page(self) -> tuple[int, int]:
        """``limit`` and ``offset``, also given as ``per_page`` and ``page``, or as a ``cursor``."""
        limit = self.number("limit" if "limit" in self.query else "per_page", 50, 1000, 1)
        if self.query.get("cursor"):
            from engine.http.paging import offset_of  # noqa: PLC0415 - the first page has none

            return limit, offset_of(self.query["cursor"])
        if "page" in self.query:
            offset = (self.number("page", 1, 10_000_000, 1) - 1) * limit
            return limit, min(offset, 100_000_000)  # where integers are short, nothing can be counted further
        return limit, self.number("offset", 0, 100_000_000)

    def names(self, *keys: str) -> set[str]:
        """Names in comma-separated query parameters."""
        return {name for key in keys for name in self.query.get(key, "").split(",") if name}

    def instant(self, name: str) -> int | None:
        """A query parameter that is an RFC 3339 time, milliseconds.

        Raises:
            InvalidRequest: It is none.
        """
        text = self.query.get(name)
        if not text:
            return None
        try:
            return parse_time(text.replace(" ", "+"))  # an unescaped plus sign of the zone arrives as a space
        except ValueError as error:
            raise self.refuse(name, str(error), "OJS HTTP Binding 6.3") from None

    @property
    def tenant(self) -> str | None:
        """The tenant that the request names in its header (OJS Multi-Tenancy 5.3)."""
        return self.headers.get("x-ojs-tenant") or self.headers.get("x-ojs-tenant-id") or None

    def text(self, name: str) -> str | None:
        """An optional string of the body.

        Raises:
            InvalidRequest: Another type.
        """
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise refuse(name, value, "must be a string", "OJS HTTP Binding 10")
        return value


Handler = Callable[[Call], Reply]


class Route(NamedTuple):
    """One endpoint.

    Args:
        method: HTTP method.
        path: Below the base path, with ``{name}`` for a parameter; ``{name*}`` takes the rest, slashes too.
        handler: Answers it.
        operation: The logical operation, e.g. ``PUSH``.
        level: Conformance level, or -1 for an extension.
        summary: One sentence for the endpoint reference.
        clause: Where the standard defines it.
    """

    method: str
    path: str
    handler: Handler
    operation: str
    level: int
    summary: str
    clause: str


class Feature(NamedTuple):
    """One line of the manifest: an extension that the server has (OJS Extension Lifecycle 7, OJS Conformance 4.2.1).

    Args:
        name: E.g. ``admin-api``.
        tier: ``official`` or ``experimental``.
        capability: The flag of the manifest's ``capabilities`` that it turns on, if any.
        facts: Further top-level fields of the manifest, e.g. limits.
        version: Of the extension's document.
    """

    name: str
    tier: str = "official"
    capability: str | None = None
    facts: Mapping[str, Any] = {}
    version: str = "1.0.0-rc.1"

    @property
    def uri(self) -> str:
        """The extension's identifier."""
        return f"urn:ojs:ext:{'' if self.tier == 'official' else self.tier + ':'}{self.name}"


class Located(Protocol):
    """Anything that has a place in a table of routes."""

    @property
    def method(self) -> str:
        """HTTP method."""
        ...

    @property
    def path(self) -> str:
        """Path with ``{name}`` for a parameter; ``{name*}`` takes the rest, slashes too."""
        ...


R = TypeVar("R", bound=Located)


class Table(Generic[R]):
    """Finds the route of a request.

    Args:
        routes: All routes; an earlier one wins over a later one that matches too.
    """

    def __init__(self, routes: Iterable[R]) -> None:
        self.routes = tuple(routes)
        self._exact: dict[str, dict[str, R]] = {}
        # Patterns by their number of parts and their first part, so that few are tried for a path.
        self._patterns: dict[tuple[int, str], list[tuple[tuple[str, ...], R]]] = {}
        self._others: list[tuple[tuple[str, ...], R]] = []
        for route in self.routes:
            if "{" in route.path:
                pattern = tuple(route.path.split("/"))
                if len(pattern) < 2 or pattern[-1].endswith("*}") or "{" in pattern[1]:
                    self._others.append((pattern, route))
                else:
                    self._patterns.setdefault((len(pattern), pattern[1]), []).append((pattern, route))
            else:
                self._exact.setdefault(route.path, {}).setdefault(route.method, route)

    def find(self, method: str, path: str, decode: Callable[[str], str]) -> tuple[R, dict[str, str]]:
        """The route for a method and a path below the base path, and its decoded parameters.

        Raises:
            NotFound: No route has this path.
            MethodNotAllowed: One has, with other methods.
        """
        exact = self._exact.get(path, {})
        if method in exact:
            return exact[method], {}
        allowed = set(exact)
        parts = path.split("/")
        near = self._patterns.get((len(parts), parts[1] if len(parts) > 1 else ""), [])
        for pattern, route in (*near, *self._others):
            params = _match(pattern, parts)
            if params is None:
                continue
            if route.method == method:
                return route, {name: decode(value) for name, value in params.items()}
            allowed.add(route.method)
        if allowed:
            raise MethodNotAllowed(
                f"{method} is not possible on {path:.80}; it takes {', '.join(sorted(allowed))}.",
                details={"allowed": sorted(allowed)},
            )
        raise NotFound(f"There is no route {method} {path:.80}.", details={"resource_type": "route"})


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    rest = pattern[-1].endswith("*}")
    if len(parts) < len(pattern) if rest else len(parts) != len(pattern):
        return None
    params: dict[str, str] = {}
    for index, want in enumerate(pattern):
        if not want.startswith("{"):
            if want != parts[index]:
                return None
        elif want.endswith("*}"):
            params[want[1:-2]] = "/".join(parts[index:])
        elif parts[index]:
            params[want[1:-1]] = parts[index]
        else:
            return None
    return params
