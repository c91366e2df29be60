"""What a case runs against: something that answers requests and has a time of its own.

In process, `VirtualTarget` moves a clock; over HTTP a host's target waits for real.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from engine.clock import ManualClock
from engine.core import Engine
from engine.http.binding import Binding
from engine.http.message import EventStream, Request, Response, Transport

START: Final = 1_767_614_400_000
"""Where virtual time begins unless the caller says otherwise: 2026-01-05T12:00:00Z, a Monday."""
TEST_HOOKS: Final = "test-hooks"
"""The need of cases that rely on the hooks of a server started for conformance."""


class TransportError(Exception):
    """No HTTP answer came: refused, reset, timed out, or something that is not HTTP. The text says which."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with what came back.

    Args:
        request: As it was sent.
        response: The answer, its body complete; None when none came.
        error: Why none came; empty otherwise.
        started_at: When it was sent, milliseconds since the epoch.
        elapsed_ms: How long the answer took, milliseconds.
    """

    request: Request
    response: Response | None
    error: str
    started_at: int
    elapsed_ms: float


class Target(Protocol):
    """A server to be tested, and its time."""

    def now(self) -> int:
        """The instant, milliseconds since the epoch."""
        ...

    def wait(self, ms: int) -> None:
        """Let time pass; what falls due meanwhile happens."""
        ...

    def send(self, requests: list[Request]) -> list[Exchange]:
        """Send requests, all at once when there are several; one exchange for each, in order. Never raises."""
        ...

    def refuses(self, needs: tuple[str, ...], wait_ms: int) -> str:
        """Why a case with these needs and this much waiting cannot run here; empty when it can."""
        ...


MakeTarget: TypeAlias = Callable[[], Target]
"""Makes a fresh target for one case."""


def _never() -> int | None:
    return None


class VirtualTarget:
    """A server in this process, in virtual time: waits are moves of its clock.

    Args:
        transport: Answers the requests.
        clock: The clock that the transport's engine reads.
        advance: Called after each move of the clock, to let what is due happen.
        next_due: Tells when something happens next by itself, milliseconds, or None; a wait stops there on its
            way, as the time of a server that is never switched off would.
        hooks: Whether the server was started for conformance.
    """

    def __init__(
        self,
        transport: Transport,
        clock: ManualClock,
        advance: Callable[[], object],
        next_due: Callable[[], int | None] = _never,
        *,
        hooks: bool = True,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._advance = advance
        self._next_due = next_due
        self._hooks = hooks

    def now(self) -> int:
        """The clock's instant."""
        return self._clock.now()

    def wait(self, ms: int) -> None:
        """Move the clock, from one due thing to the next."""
        end = self._clock.now() + ms
        self._advance()
        while (due := self._next_due()) is not None and self._clock.now() < due < end:
            self._clock.set(due)
            self._advance()
        self._clock.set(end)
        self._advance()

    def send(self, requests: list[Request]) -> list[Exchange]:
        """Requests at the same instant, one after the other."""
        return [self._send(request) for request in requests]

    def _send(self, request: Request) -> Exchange:
        start = self._clock.now()
        try:
            response = complete(self._transport(request))
        except TransportError as error:
            return Exchange(request, None, str(error), start, self._clock.now() - start)
        except Exception as error:  # noqa: BLE001 - a server that breaks is a failed step, not a broken runner
            return Exchange(request, None, f"the server raised {type(error).__name__}: {error}", start, 0)
        return Exchange(request, response, "", start, self._clock.now() - start)

    def refuses(self, needs: tuple[str, ...], wait_ms: int) -> str:
        """Any wait is possible here."""
        del wait_ms
        return missing_need(needs, hooks=self._hooks)


def missing_need(needs: tuple[str, ...], *, hooks: bool) -> str:
    """The reason for skipping a case whose needs a server does not meet; empty when it meets them."""
    for need in needs:
        if need != TEST_HOOKS:
            return f"the case needs {need!r}, which this runner does not know"
        if not hooks:
            return "the case needs a server started for conformance (with its test hooks)"
    return ""


def complete(response: Response) -> Response:
    """The response with a stream's body replaced by what the stream sends at once."""
    if not isinstance(response.body, EventStream):
        return response
    sent: list[bytes] = []
    stop = response.body.start(sent.append, lambda: None)
    stop()
    return Response(response.status, response.headers, b"".join(sent))


def over(engine: Engine, clock: ManualClock) -> VirtualTarget:
    """An engine behind the binding, its test hooks on.

    Args:
        engine: The engine, over whatever store.
        clock: The clock that it reads.
    """
    handle = Binding(engine, conformance=True).handle
    return VirtualTarget(handle, clock, engine.advance, engine.next_due)


def fresh_engine(start: int = START, seed: int = 1) -> VirtualTarget:
    """A new engine with an empty memory store.

    Args:
        start: First instant, milliseconds.
        seed: Of all randomness.
    """
    clock = ManualClock(start)
    return over(Engine(clock, seed=seed), clock)
