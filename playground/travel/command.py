"""What can be done to a world from outside, as data: the entries of a journal and the steps of a scenario.

Whatever else happens (timers, demo workers at work) follows from these, the seed and the start: it is not written down.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.errors import Conflict, InvalidRequest, NotFound
from engine.http.message import Request, Response
from engine.nesting import too_deep
from playground.demo import Crew
from playground.world import World

MAX_JUMP: Final = 10 * 365 * 86_400_000
"""Furthest that a clock may jump, milliseconds: ten years."""
LATEST: Final = 221_845_392_000_000
"""Where virtual time ends, milliseconds: the year 9000. A timer set then is still in a year of four digits."""
KEPT_HEADERS: Final = frozenset(
    (
        "content-type content-encoding ojs-version ojs-requires-extension ojs-block-timeout idempotency-key "
        "x-ojs-tenant x-ojs-tenant-id x-request-id"
    ).split()
)
"""Request headers on which what happens may depend; others, secrets among them, are not written down."""
MAX_COMPACT: Final = 1_000_000
"""Longer bodies are kept as they are, so that a limit on their size meets the same bytes again."""
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that may change something; what comes with another one is not written down."""
MAX_HEADER: Final = 1000
"""Longest value of a header that is written down, characters."""
_PATH: Final = re.compile(r"/[\x21-\x7e]{0,2000}\Z")
JSON_HEADERS: Final[Mapping[str, str]] = {"content-type": "application/json"}
"""What a request without further headers is sent with."""


class Command(NamedTuple):
    """One thing done from outside.

    Args:
        at: Instant, milliseconds.
        kind: ``request``, ``worker`` or ``jump``.
        request: The request of the first kind.
        verb: What happens to a worker, a key of `WORKER` or `TUNING`.
        worker: The worker's id; empty for ``start`` and for what concerns them all.
        by: How far the clock jumps, milliseconds.
        settings: For a key of `TUNING`: what is set.
    """

    at: int
    kind: str
    request: Request | None = None
    verb: str = ""
    worker: str = ""
    by: int = 0
    settings: Mapping[str, Any] | None = None


WORKER: Final[dict[str, Callable[[Crew, str, int], object]]] = {
    "start": lambda crew, _, now: crew.start(now),
    "stop": lambda crew, worker, _: crew.stop(worker),
    "kill": lambda crew, worker, _: crew.kill(worker),
    "slow": lambda crew, worker, now: crew.slow(worker, now),
    "mute": lambda crew, worker, _: crew.mute(worker),
    "stall": lambda crew, worker, now: crew.stall(worker, now),
    "lose-ack": lambda crew, worker, _: crew.garble(worker, 0),
    "repeat-ack": lambda crew, worker, _: crew.garble(worker, 2),
    "quiet": lambda crew, worker, now: crew.hush(worker, now, quiet=True),
    "resume": lambda crew, worker, now: crew.hush(worker, now, quiet=False),
}
"""What can happen to a demo worker."""

TUNING: Final[dict[str, Callable[[Crew, str, Mapping[str, Any], int], object]]] = {
    "set": lambda crew, worker, settings, now: crew.tune(worker, settings, now),
    "behave": lambda crew, _, settings, __: crew.behave(settings),
}
"""What can be set: how demo workers work, and what their handlers do."""


def perform(world: World, command: Command) -> Response | None:
    """Do it, now. A world in virtual time must be at the command's instant already.

    Returns:
        The answer to a request, None otherwise.

    Raises:
        Conflict, NotFound: The worker cannot be treated so, or time would end; nothing has changed.
    """
    if command.request is not None:
        return world.handle(command.request)
    if command.kind == "jump":
        if world.clock.now() + command.by > LATEST:
            raise Conflict("Virtual time ends with the year 8999, so the clock cannot jump as far.")
        world.clock.set(world.clock.now() + command.by)  # type: ignore[attr-defined]  # only virtual clocks jump
        world.engine.advance()
        return None
    if command.verb == "start" and world.conformance:
        raise Conflict(
            "This server was started for conformance: its cases fetch for themselves, so no worker may run."
        )
    try:
        if command.verb in TUNING:
            TUNING[command.verb](world.crew, command.worker, command.settings or {}, world.engine.now())
        else:
            WORKER[command.verb](world.crew, command.worker, world.engine.now())
    except KeyError:
        raise NotFound(
            f"There is no demo worker '{command.worker:.40}'.", details={"resource_type": "worker"}
        ) from None
    except ValueError as error:
        raise Conflict(str(error)) from None
    return None


def worker_command(
    at: int, verb: str, worker: str = "", settings: Mapping[str, Any] | None = None
) -> Command:
    """A command about a demo worker.

    Raises:
        NotFound: There is no such verb.
    """
    if verb not in WORKER and verb not in TUNING:
        raise NotFound(f"A worker cannot '{verb:.40}'; there are {', '.join((*WORKER, *TUNING))}.")
    return Command(at, "worker", verb=verb, worker=worker, settings=settings if verb in TUNING else None)


def recorded(request: Request) -> Request:
    """A request as it is both performed and written down: no header on which nothing depends, its JSON compact.

    Raises:
        InvalidRequest: A scenario cannot carry it: its address or a header is too long, or not printable.
    """
    headers = {name: value for name, value in request.headers.items() if name in KEPT_HEADERS}
    if not _PATH.match(request.url):
        raise InvalidRequest(
            "In virtual time an address has at most 2000 characters, all of them printable ASCII."
        )
    for name, value in headers.items():
        if len(value) > MAX_HEADER or not value.isprintable():
            raise InvalidRequest(
                f"In virtual time the header '{name}' has at most {MAX_HEADER} characters, all of them printable."
            )
    return request._replace(headers=headers, body=_compact(request.body))


def _compact(raw: bytes) -> bytes:
    """The same JSON without white space; what is no JSON, or would not come back the same, stays as it is."""
    if len(raw) > MAX_COMPACT:
        return raw
    try:
        text = raw.decode()
        if too_deep(text):
            return raw
        value = json.loads(text, object_pairs_hook=_once)
        compact = dumped(value)
        return compact if json.loads(compact) == value else raw
    except (ValueError, RecursionError):
        return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


# JSON


def to_step(command: Command, start: int) -> dict[str, Any]:
    """A command as a scenario's step; ``at`` counts milliseconds from the start."""
    step: dict[str, Any] = {"at": command.at - start}
    if command.request is not None:
        step["request"] = _request_step(command.request)
    elif command.kind == "jump":
        step["jump"] = command.by
    else:
        step["worker"] = {"do": command.verb, **({"id": command.worker} if command.worker else {})}
        if command.settings is not None:
            step["worker"]["with"] = dict(command.settings)
    return step


def _request_step(request: Request) -> dict[str, Any]:
    told: dict[str, Any] = {"method": request.method, "path": request.url}
    headers = dict(request.headers)
    if headers != JSON_HEADERS and not (not headers and not request.body):
        told["headers"] = headers
    if request.body:
        told |= _body(request.body)
    if b"{{" in request.body or any("{{" in text for text in (request.url, *headers.values())):
        told["literal"] = True
    return told


def _body(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}
    try:
        value = None if too_deep(text) else json.loads(text)
        if dumped(value) == raw:
            return {"body": value}
    except (ValueError, RecursionError):
        pass
    return {"text": text}


def dumped(value: Any) -> bytes:
    """JSON as a scenario's ``body`` is sent: compact, in the order given.

    Raises:
        ValueError: It has a number that JSON has not, or half a character, which UTF-8 cannot carry.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def from_step(step: Mapping[str, Any], start: int) -> Command:
    """The command of a step that fits the scenario's schema.

    Raises:
        InvalidRequest: What the schema cannot say: base64 that is none, text that UTF-8 cannot carry.
    """
    at = start + step["at"]
    if "jump" in step:
        return Command(at, "jump", by=step["jump"])
    if "worker" in step:
        told = step["worker"]
        return worker_command(at, told["do"], told.get("id", ""), told.get("with"))
    told = step["request"]
    try:
        if "body" in told:
            raw = dumped(told["body"])
        elif "base64" in told:
            raw = base64.b64decode(told["base64"], validate=True)
        else:
            raw = told.get("text", "").encode()
    except ValueError as error:
        raise InvalidRequest(f"The body of the request at {step['at']} ms cannot be sent: {error}.") from None
    headers = told.get("headers", JSON_HEADERS if raw else {})
    return Command(at, "request", Request(told["method"], told["path"], headers, raw))
