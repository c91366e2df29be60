"""Which clients have talked to this server: told by what each sends of itself, as the official ones were seen to.

Nothing depends on it but the page that shows it: every client is answered alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from engine.http.message import Request, Response

MOST: Final = 500
"""Identities that are remembered; a client that invents new ones is then looked at each time."""


class Kind(NamedTuple):
    """A kind of client.

    Args:
        name: As in ``spec/sdks.json`` where it has a language.
        label: What it is called.
        sign: What tells it, in words.
        fits: Whether a request is its: the user agent, the ``OJS-Version`` header, the path.
    """

    name: str
    label: str
    sign: str
    fits: Callable[[str, str, str], bool]


def _agent(*beginnings: str) -> Callable[[str, str, str], bool]:
    return lambda agent, _version, _path: agent.startswith(beginnings)


KINDS: Final = (
    Kind(
        "javascript",
        "JavaScript",
        "a user agent of Node, Deno or Bun",
        _agent("node", "undici", "Deno/", "Bun/"),
    ),
    Kind(
        "go",
        "Go",
        "Go's user agent with the header OJS-Version",
        lambda agent, version, _: agent.startswith(("Go-http-client", "ojs-go")) and version != "",
    ),
    Kind("python", "Python", "httpx's user agent", _agent("python-httpx")),
    Kind(
        "cli",
        "Command line",
        "Go's user agent without the header OJS-Version",
        lambda agent, version, _: agent.startswith(("Go-http-client", "ojs-cli")) and version == "",
    ),
    Kind(
        "admin",
        "Admin UI",
        "a browser that asks below /admin/",
        lambda agent, _, path: agent.startswith("Mozilla/") and "/admin/" in path,
    ),
    Kind("java", "Java", "the user agent of Java's library", _agent("Java-http-client", "Java/")),
    Kind("rust", "Rust", "the user agent of a Rust library", _agent("reqwest", "ureq", "hyper")),
    Kind("ruby", "Ruby", "the user agent of Ruby's library", _agent("Ruby", "Faraday")),
    Kind("curl", "curl", "curl's user agent", _agent("curl/")),
)


class Seen(NamedTuple):
    """What is known of one kind of client.

    Args:
        first: When its first request came, milliseconds.
        last: When its latest came.
        requests: How many came.
        request: The latest, e.g. ``POST /ojs/v1/jobs``.
        status: HTTP status of its answer.
    """

    first: int
    last: int
    requests: int
    request: str
    status: int


class Clients:
    """Everything that has been heard of clients since the server started."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self._known: dict[tuple[str, bool, bool], str] = {}

    def hear(self, now: int, request: Request, response: Response) -> None:
        """Note one exchange; those without a user agent are the playground's own."""
        agent = request.headers.get("user-agent")
        if not agent:
            return
        name = self._name(agent, request)
        if name:
            path = request.url.partition("?")[0]
            before = self.seen.get(name)
            first, count = (before.first, before.requests + 1) if before else (now, 1)
            self.seen[name] = Seen(first, now, count, f"{request.method} {path[:80]}", response.status)

    def _name(self, agent: str, request: Request) -> str:
        version = request.headers.get("ojs-version", "")
        key = (agent[:200], bool(version), "/admin/" in request.url)
        name = self._known.get(key)
        if name is None:
            name = recognise(request.headers, request.url)
            if len(self._known) < MOST:
                self._known[key] = name
        return name


def recognise(headers: Mapping[str, str], url: str) -> str:
    """The kind of client that sent a request, or an empty string."""
    agent, version = headers.get("user-agent", ""), headers.get("ojs-version", "")
    return next((kind.name for kind in KINDS if kind.fits(agent, version, url)), "")
