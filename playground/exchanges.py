"""What was said over the binding lately: a log to open, send again and copy from; bounded in number and bytes."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from engine.http.message import Request, Response

MOST: Final = 200
"""Exchanges kept, and as many quiet ones beside them."""
MAX_BYTES: Final = 8 << 20
"""Bodies kept of either, bytes; beyond, the oldest exchanges go."""
EMPTY_FETCH: Final = 120
"""The answer to a fetch that found nothing is no longer than this, bytes."""


class Exchange(NamedTuple):
    """A request and its answer.

    Args:
        number: From 1, in the order in which they were heard.
        at: The server's instant, milliseconds.
        step: The step of the timeline in which it was; 0 in real time.
        quiet: Whether it is a heartbeat, or a fetch that found nothing.
    """

    number: int
    at: int
    step: int
    request: Request
    response: Response
    quiet: bool

    @property
    def size(self) -> int:
        """Bytes of both bodies."""
        answer = self.response.body
        return len(self.request.body) + (len(answer) if isinstance(answer, bytes) else 0)


def is_quiet(request: Request, response: Response) -> bool:
    """Whether an exchange only says that a worker is there: a heartbeat, or a fetch that found nothing."""
    if request.method != "POST":
        return False
    if request.url.endswith("/workers/heartbeat"):
        return response.status < 300
    body = response.body
    return (
        request.url.endswith("/workers/fetch")
        and isinstance(body, bytes)
        and len(body) <= EMPTY_FETCH
        and b'"jobs":[]' in body
    )


class _Shelf:
    """The latest exchanges of one kind."""

    def __init__(self) -> None:
        self.kept: deque[Exchange] = deque()
        self.bytes = 0

    def put(self, exchange: Exchange) -> None:
        self.kept.append(exchange)
        self.bytes += exchange.size
        while len(self.kept) > MOST or (self.bytes > MAX_BYTES and len(self.kept) > 1):
            self.bytes -= self.kept.popleft().size


class ExchangeLog:
    """The latest exchanges; quiet ones never push out the others."""

    def __init__(self) -> None:
        self.count = 0
        self._shelves = (_Shelf(), _Shelf())

    def hear(self, at: int, request: Request, response: Response, step: int = 0) -> None:
        """Write one down."""
        self.count += 1
        quiet = is_quiet(request, response)
        self._shelves[quiet].put(Exchange(self.count, at, step, request, response, quiet))

    def last(self, limit: int, *, quiet: bool = False) -> list[Exchange]:
        """The latest ones, newest first.

        Args:
            limit: Most of them.
            quiet: Whether of the quiet ones, or of all others.
        """
        kept = self._shelves[quiet].kept
        return [kept[-1 - index] for index in range(min(limit, len(kept)))]

    def find(self, number: int) -> Exchange | None:
        """One by its number; None when it never was or is no longer kept."""
        return next((one for shelf in self._shelves for one in shelf.kept if one.number == number), None)

    def until(self, step: int) -> ExchangeLog:
        """Another log with those of the steps up to this one."""
        twin = ExchangeLog()
        twin.count = self.count
        for mine, other in zip(self._shelves, twin._shelves, strict=True):
            for one in mine.kept:
                if one.step <= step:
                    other.put(one)
        return twin

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._shelves = (_Shelf(), _Shelf())
