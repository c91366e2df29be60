"""An enqueue request, read for code: type, arguments, and its options under one name each, whichever way it spelt them.

An interval is in milliseconds here, an instant as it was written (it may be relative), and a policy's members stand
under their path, e.g. ``retry.max_attempts``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine import envelope, unique_policy
from engine.http.binding import decode
from engine.job import Job

DURATIONS: Final = (
    "timeout_ms",
    "visibility_timeout_ms",
    "retry.initial_interval",
    "retry.max_interval",
    "unique.period",
)
"""Options that are intervals, in milliseconds."""
INSTANTS: Final = ("scheduled_at", "expires_at")
"""Options that are instants."""
_NO_OPTION: Final = frozenset({"type", "args", "specversion", "options"})
_ALIASES: Final = {
    "timeout": "timeout_ms",
    "visibility_timeout": "visibility_timeout_ms",
    "delay_until": "scheduled_at",
    "retry_policy": "retry",
}
_RETRY: Final = {
    "initial_interval_ms": "initial_interval",
    "max_interval_ms": "max_interval",
    "multiplier": "backoff_coefficient",
    "backoff_type": "backoff_strategy",
    "strategy": "backoff_strategy",
}
_UNIQUE: Final = {"key": "keys", "period_ms": "period", "within_ms": "period", "within": "period"}
_READ: Final[dict[str, Callable[[Job], Any]]] = {
    "queue": lambda job: job.queue,
    "priority": lambda job: job.priority,
    "timeout_ms": lambda job: job.timeout,
    "visibility_timeout_ms": lambda job: job.visibility_timeout,
    "retry.max_attempts": lambda job: job.retry.max_attempts,
    "retry.initial_interval": lambda job: job.retry.initial_interval,
    "retry.max_interval": lambda job: job.retry.max_interval,
    "retry.backoff_strategy": lambda job: job.retry.strategy,
}
"""Options as the engine understood them; any other is taken as it was written."""


class Envelope(NamedTuple):
    """One enqueue request.

    Args:
        type: The job's type.
        args: Its arguments.
        queue: The queue that it goes to.
        options: What else it says, by path.
        body: The request as it was composed.
    """

    type: str
    args: list[Any]
    queue: str
    options: Mapping[str, Any]
    body: Mapping[str, Any]


def read(raw: bytes, now: int) -> Envelope:
    """Read a request as the server would.

    Args:
        raw: Its body.
        now: The instant that relative times count from, milliseconds.

    Raises:
        OJSError: The server would refuse it.
    """
    body = decode(raw)
    job, _ = envelope.read(body, now, lambda _: "")
    options = {path: _READ[path](job) if path in _READ else value for path, value in _written(body).items()}
    if job.unique is not None:
        policy = unique_policy.parse(job.unique, job)
        if "unique.period" in options:
            options["unique.period"] = policy.period
        if isinstance(options.get("unique.keys"), str):
            options["unique.keys"] = [options["unique.keys"]]
    said = {path: value for path, value in options.items() if value is not None}
    if said.get("pending") is False:  # as if it were not there
        del said["pending"]
    return Envelope(body["type"], body["args"], job.queue, said, body)


def _written(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the request says, by path; what stands in ``options`` comes before the top level (OJS HTTP Binding 9.1)."""
    found: dict[str, Any] = {}
    attempts = None
    for source in (body.get("options") or {}, body):
        for name, value in source.items():
            path = _ALIASES.get(name, name)
            if value is None or (source is body and name in _NO_OPTION):
                continue
            if path == "max_attempts":
                attempts = value if attempts is None else attempts
            elif path in {"retry", "unique"}:
                aliases = _RETRY if path == "retry" else _UNIQUE
                if not any(known.startswith(path + ".") for known in found):
                    found |= {f"{path}.{aliases.get(part, part)}": one for part, one in value.items()}
                    if path == "unique" and not value:  # an empty policy is one
                        found["unique."] = True
            else:
                found.setdefault(path, value)
    if attempts is not None:
        found.setdefault("retry.max_attempts", attempts)
    return found
