"""The HTTP binding: one pure function from a request to a response over an engine (OJS HTTP Binding).

It checks what every request shares (version, media type, size, JSON), finds the route, and gives every reply,
also every error, the standard's headers. It knows no subject: those list their own routes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, NamedTuple

from engine.core import Engine
from engine.errors import (
    InvalidPayload,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    OJSError,
    PayloadTooLarge,
    Unsupported,
    UnsupportedCompression,
)
from engine.http.message import EventStream, Request, Response
from engine.http.metrics import Metrics
from engine.http.normalise import normalise
from engine.http.places import Places
from engine.http.quota import Quota
from engine.http.route import Call, Reply
from engine.ids import IdSource
from engine.nesting import MAX_DEPTH, too_deep

MEDIA_TYPE: Final = "application/openjobspec+json"
VERSION: Final = "1.0"
PREFIXES: Final = ("/ojs/v1", "/v1")
"""Base paths; the shorter one is what the standard's front page uses."""
_ACCEPTED: Final = frozenset({MEDIA_TYPE, "application/json"})
MAX_REQUEST_ID: Final = 200
MAX_REPEATED: Final = 10
"""Repeated keys of one body that are told."""
INFINITY: Final = float("inf")


class Settings(NamedTuple):
    """How the binding is configured.

    Args:
        max_body: Largest request body, bytes.
        conformance: Whether the test-only hooks are on (reset, directives, refusing middleware).
        backend: The store's name in health and manifest.
        started_at: When the server started, milliseconds.
        version: The server's own version, for the manifest.
        metrics: The figures that ``/metrics`` tells, or None.
        probe: Asks the store for a sign of life, and raises `engine.errors.Unavailable` when there is none.
    """

    max_body: int = 1_048_576
    conformance: bool = False
    backend: str = "memory"
    started_at: int = 0
    version: str = "0.1.0"
    metrics: Metrics | None = None
    probe: Callable[[], None] | None = None


class Binding:
    """Answers the binding's requests from an engine.

    Args:
        engine: The engine.
        max_body: Largest request body, bytes; a larger one is 413.
        conformance: Turn the test-only hooks on.
        backend: The store's name in health and manifest.
        quota: How many requests it takes.
        probe: Asks the store for a sign of life; see `Settings`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_body: int = 1_048_576,
        conformance: bool = False,
        backend: str = "memory",
        quota: Quota | None = None,
        probe: Callable[[], None] | None = None,
    ) -> None:
        self.engine = engine
        self.quota = Quota() if quota is None else quota
        self.settings = Settings(
            max_body,
            conformance,
            backend,
            engine.clock.now(),
            metrics=Metrics(engine),
            probe=probe,
        )
        if conformance:
            engine.extensions.start_conformance()
            engine.workers.obey_hints = True
        self._places = Places()
        # Request ids have a source of their own: reading must never change what the engine does next.
        self._request_ids = IdSource(Random(0))

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises for anything that a client can send.

        What is due by now happens first, so that no outcome depends on how often a timer ticks.
        """
        request_id = self._request_id(request.headers)
        try:
            self.quota.spend(self.engine.clock.now())
            self.engine.advance()
            reply = self._answer(request)
        except OJSError as error:
            reply = _refusal(error, request_id)
        except RecursionError:
            reply = _refusal(InvalidPayload("The body is nested too deeply."), request_id)
        if "/admin/" in request.url:
            self._audit(request, reply)
        return self._respond(reply, request, request_id)

    def _audit(self, request: Request, reply: Reply) -> None:
        from engine.http import audit  # noqa: PLC0415 - few requests are an operator's

        if audit.wanted(request):
            audit.note(self.engine, request, reply.status, reply.body)

    def has_route(self, path: str) -> bool:
        """Whether some method is possible on this path, with the base path or without it."""
        try:
            self._places.find("GET", below(path), _decode)
        except MethodNotAllowed:
            return True
        except NotFound:
            return False
        return True

    def refuse(self, error: OJSError, request: Request) -> Response:
        """The answer to a request that its host refuses, or fails to hand on: JSON like every error."""
        request_id = self._request_id(request.headers)
        return self._respond(_refusal(error, request_id), request, request_id)

    def _respond(self, reply: Reply, request: Request, request_id: str) -> Response:
        told = reply._replace(headers=self.quota.headers() | dict(reply.headers))
        return _response(told, request, request_id)

    def _request_id(self, headers: Mapping[str, str]) -> str:
        given = headers.get("x-request-id", "")
        if given and len(given) <= MAX_REQUEST_ID and given.isascii() and given.isprintable():
            return given
        return "req_" + self._request_ids.uuid7(self.engine.clock.now())

    def _answer(self, request: Request) -> Reply:
        path, _, query = request.url.partition("?")
        route, params = self._places.find(request.method, below(path), _decode)
        version = request.headers.get("ojs-version", "").strip()
        if version and version != "1" and not version.startswith("1."):
            raise Unsupported(
                f"OJS-Version '{version:.40}' is not supported; this server speaks {VERSION} (OJS HTTP Binding 3.2).",
                details={"requested": version[:40], "supported": [VERSION]},
            )
        if needed := request.headers.get("ojs-requires-extension"):
            from engine.http import requires  # noqa: PLC0415 - it takes every module, and few clients send it

            requires.check(needed)
        repeated: list[str] = []
        # A header that names the client's dialect changes the shape of some replies: see engine.http.queues.
        reply = route.handler(
            Call(
                self.engine,
                params,
                _query(query) if query else {},
                request.headers,
                normalise(route, request.headers, self._body(request, repeated)),
                self.settings,
                request.patient,
            )
        )
        return _warned(reply, repeated) if repeated else reply

    def _body(self, request: Request, repeated: list[str]) -> dict[str, Any]:
        raw = decompress(request.body, request.headers.get("content-encoding", ""), self.settings.max_body)
        if len(raw) > self.settings.max_body:
            raise PayloadTooLarge(
                f"The body has {len(raw)} bytes; the limit is {self.settings.max_body} (OJS Payload Limits).",
                details={
                    "field": "envelope",
                    "actual_bytes": len(raw),
                    "max_bytes": self.settings.max_body,
                    "size": len(raw),
                    "limit": self.settings.max_body,
                },
            )
        if request.method in {"GET", "HEAD", "OPTIONS"} or (request.method == "DELETE" and not raw):
            return {}
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if raw and media and media not in _ACCEPTED:
            raise InvalidRequest(
                f"Content-Type '{media:.60}' is not supported; send application/json or {MEDIA_TYPE} "
                "(OJS HTTP Binding 4.1).",
                details={"field": "Content-Type", "in": "header", "supported": sorted(_ACCEPTED)},
            )
        return decode(raw, repeated)


def _warned(reply: Reply, repeated: list[str]) -> Reply:
    """The reply with a warning for each key that stood twice in an object (OJS JSON Format 13.6)."""
    if not isinstance(reply.body, dict):
        return reply
    texts = [
        f"The key '{name:.60}' stands twice in one object; its last value counts (OJS JSON Format 13.6)."
        for name in list(dict.fromkeys(repeated))[:MAX_REPEATED]
    ]
    return reply._replace(body={**reply.body, "warnings": [*reply.body.get("warnings", ()), *texts]})


def _response(reply: Reply, request: Request, request_id: str) -> Response:
    headers = {
        "Content-Type": _media_type(request.headers),
        "OJS-Version": VERSION,
        "X-Request-Id": request_id,
        **reply.headers,
    }
    body = reply.body
    if isinstance(body, EventStream):
        return Response(reply.status, headers, body)
    return Response(
        reply.status, headers, body.encode() if isinstance(body, str) else encode(body), reply.hold
    )


def below(path: str) -> str:
    """The path below the base path; one that is not below any stays whole, so that no route but its own fits."""
    for prefix in PREFIXES:
        while path.startswith(prefix + "/"):
            path = path[len(prefix) :]
    return path


def decode(raw: bytes, repeated: list[str] | None = None) -> dict[str, Any]:
    """The JSON object of a body; an empty body is an empty object.

    Args:
        raw: The body.
        repeated: Takes the keys that stand twice in one object; the last value counts.

    Raises:
        InvalidPayload: Not UTF-8, not JSON (position named), not an object, too deep, or a number out of range.
    """
    if not raw:
        return {}
    try:
        text = raw.decode("utf-8-sig")
        if too_deep(text):
            raise InvalidPayload(f"The body is nested too deeply: {MAX_DEPTH} levels are read.")
        body = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=None if repeated is None else _noting(repeated),
        )
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise InvalidPayload(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", details=where
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidPayload(
            f"The body is not UTF-8: byte {error.start} (OJS HTTP Binding 4.2).",
            details={"byte": error.start},
        ) from None
    except ValueError as error:
        raise InvalidPayload(f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise InvalidPayload(
            "The body must be one JSON object (OJS HTTP Binding 6.1).", details={"expected": "object"}
        )
    return body


def _noting(repeated: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and len(repeated) < MAX_REPEATED:
            names = Counter(name for name, _ in pairs)
            repeated.extend(name for name in names if names[name] > 1)
        return found

    return made


def decompress(raw: bytes, encoding: str, limit: int) -> bytes:
    """A body without its content encoding; the size limit is the decompressed body's (OJS Payload Limits 6.2).

    Raises:
        UnsupportedCompression: Another encoding than gzip, or a body that is none.
    """
    name = encoding.strip().lower()
    if not raw or name in {"", "identity"}:
        return raw
    if name not in {"gzip", "x-gzip"}:
        raise UnsupportedCompression(
            f"Content-Encoding '{encoding:.40}' is not supported; this server reads gzip (OJS Payload Limits 9.3).",
            details={"field": "Content-Encoding", "supported": ["gzip"]},
        )
    import zlib  # noqa: PLC0415 - few clients compress

    reader = zlib.decompressobj(31)
    try:
        body = reader.decompress(raw, limit + 1)
    except zlib.error as error:
        raise UnsupportedCompression(
            f"The body is not gzip: {error}.", details={"field": "Content-Encoding", "supported": ["gzip"]}
        ) from None
    if not reader.eof and len(body) <= limit:
        raise UnsupportedCompression(
            "The gzip body ends too early.", details={"field": "Content-Encoding", "supported": ["gzip"]}
        )
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in {INFINITY, -INFINITY}:
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8; a lone surrogate, which UTF-8 cannot carry, makes the whole text ASCII instead."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _decode(part: str) -> str:
    if "%" not in part:
        return part
    from urllib.parse import unquote  # noqa: PLC0415 - few names need it

    return unquote(part)


def _query(text: str) -> dict[str, str]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 - start-up does without it

    return dict(parse_qsl(text, keep_blank_values=True))


def _media_type(headers: Mapping[str, str]) -> str:
    # One SDK reads a reply only when the header contains "application/json"; a parameter satisfies it.
    if headers.get("user-agent", "").startswith("python-httpx"):
        return f'{MEDIA_TYPE}; profile="application/json"'
    return MEDIA_TYPE


def _refusal(error: OJSError, request_id: str) -> Reply:
    headers = error.headers()
    if error.retryable and error.status in {408, 429, 503}:  # OJS Errors ERR-006
        headers["Retry-After"] = str(error.details.get("retry_after", 1))
    if "allowed" in error.details:
        headers["Allow"] = ", ".join(error.details["allowed"])
    return Reply({"error": error.to_dict(request_id)}, error.status, headers)
