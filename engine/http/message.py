"""What crosses the HTTP binding: a request, a response, and a body that is pushed over time.

These are values. Nothing here knows of sockets, Flask, a browser or the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

NO_HEADERS: Final[Mapping[str, str]] = {}
"""What a request or a reply without headers has; never changed."""

Send: TypeAlias = Callable[[bytes], None]
"""Takes one chunk of a streamed body."""

Stop: TypeAlias = Callable[[], None]
"""Ends a stream: called by the host when the reader has gone, any number of times."""


class EventStream(NamedTuple):
    """A body that is pushed, never pulled, so that the same handler streams over HTTP and into a tab.

    Args:
        start: Called once by the host as ``start(send, close)``. It may send at once and later, from the
            host's own thread; it calls ``close()`` if the stream ends by itself. It returns ``stop``.
        channel: What is streamed, for a notice to a reader that is too slow (`engine.http.outbox`); empty where no
            chunk may be left out.
    """

    start: Callable[[Send, Stop], Stop]
    channel: str = "all"


class Hold(NamedTuple):
    """What a request waits for.

    Args:
        seconds: How long its client would wait at most.
        ready: Whether the same request may end otherwise by now; asked when something has happened.
    """

    seconds: int
    ready: Callable[[], bool]


class Request(NamedTuple):
    """One HTTP request.

    Args:
        method: Upper-case method.
        url: Path with an optional query string, e.g. ``/ojs/v1/jobs?limit=5``; never with a host.
        headers: Header values by lower-case name.
        body: Raw bytes, empty when there is none.
        patient: Whether the host can hold it: keep it, and ask again later.
    """

    method: str
    url: str
    headers: Mapping[str, str] = NO_HEADERS
    body: bytes = b""
    patient: bool = False


class Response(NamedTuple):
    """One HTTP response; header names as they are to be sent.

    With a ``hold`` it is no answer yet: the host, which has said that it is patient, asks again once the hold is ready,
    and when its time is over asks a last time, without patience.
    """

    status: int
    headers: Mapping[str, str] = NO_HEADERS
    body: bytes | EventStream = b""
    hold: Hold | None = None


Transport: TypeAlias = Callable[[Request], Response]
"""Anything that answers a request: the binding over an engine, or a client of a real server."""
