"""The attached server: one place that talks to it, with its token, and says in words what goes wrong."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.conformance.target import TransportError
from engine.http.message import Request, Response
from engine.nesting import too_deep
from playground.http_target import Server, exchange

MISSING: Final = frozenset({404, 405, 501})
"""What a server answers that does not have a route."""
KEPT: Final = frozenset(
    "accept content-type idempotency-key last-event-id ojs-version traceparent tracestate x-request-id".split()
)
"""Headers of a request that are passed on; a client's token and cookies are this server's own business."""
DROPPED: Final = frozenset(
    "connection content-length date keep-alive proxy-authenticate server set-cookie trailer transfer-encoding upgrade "
    "www-authenticate".split()
)
"""Headers of an answer that concern its own connection, or would reach beyond it."""


class Trouble(Exception):
    """The server cannot be read.

    Args:
        message: What happened, a sentence.
        silent: Whether it did not answer at all.
    """

    def __init__(self, message: str, *, silent: bool = False) -> None:
        super().__init__(message)
        self.silent = silent


class Remote:
    """The attached server.

    Args:
        server: Where it is, and what goes with every request (its token).

    Attributes:
        url: Its address for people; it holds no secret.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        port = "" if server.port == {"http": 80, "https": 443}[server.scheme] else f":{server.port}"
        host = f"[{server.host}]" if ":" in server.host else server.host
        self.url = f"{server.scheme}://{host}{port}{server.base}"

    def send(self, request: Request) -> Response:
        """Pass a request on; its answer as it came, without what belongs to the connection.

        Raises:
            Trouble: There was no complete answer.
        """
        headers = {name: value for name, value in request.headers.items() if name in KEPT}
        try:
            response = exchange(self.server, Request(request.method, request.url, headers, request.body))
        except TransportError as error:
            raise Trouble(_sentence(str(error)), silent=True) from None
        passed = {name: value for name, value in response.headers.items() if name.lower() not in DROPPED}
        return Response(response.status, passed, response.body)

    def ask(self, path: str, **headers: str) -> dict[str, Any] | None:
        """The JSON object at a path, or None where the server has no such route.

        Raises:
            Trouble: No answer, or one that is no JSON object.
        """
        response = self.fetch(path, **headers)
        return None if response is None else self._object(path, response)

    def fetch(self, path: str, **headers: str) -> Response | None:
        """The good answer to a path, or None where the server has no such route.

        Raises:
            Trouble: No answer, or a refusal.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.send(Request("GET", path, {"accept": "*/*", **named}))
        status, path = response.status, path.partition("?")[0]
        if status in MISSING:
            return None
        if status in {401, 403}:
            given = "authorization" in {name.lower() for name in self.server.headers}
            what = "refuses the token" if given else "wants a token"
            raise Trouble(f"{self.url} {what} ({status} for {path}): set OJS_ATTACH_TOKEN and start again.")
        if 300 <= status < 400:
            raise Trouble(
                f"{self.url} sends {path} elsewhere ({status}): attach the address that it leads to."
            )
        if not 200 <= status < 300:
            raise Trouble(f"{self.url} answers {path} with {status}.")
        return response

    def _object(self, path: str, response: Response) -> dict[str, Any]:
        body = response.body if isinstance(response.body, bytes) else b""
        kind = next((value for name, value in response.headers.items() if name.lower() == "content-type"), "")
        if "html" in kind or body.lstrip()[:1] == b"<":
            raise Trouble(
                f"{self.url} answers {path} with a web page, not with JSON: is an OJS server there?"
            )
        try:
            text = body.decode()
            if too_deep(text):
                raise Trouble(f"{self.url} answers {path} with JSON that is nested too deeply.")
            found = json.loads(text)
        except (UnicodeDecodeError, ValueError):
            raise Trouble(f"{self.url} answers {path} with something that is not JSON.") from None
        if not isinstance(found, dict):
            raise Trouble(f"{self.url} answers {path} with JSON that is no object.")
        return found


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else text + "."
