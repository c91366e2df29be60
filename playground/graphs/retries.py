"""The retry timeline: the waits that a policy plans, each with the range that jitter leaves it, and those that were.

How long a wait may be is said by `engine.retry` alone; here is only where it is drawn.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine import lifecycle as life
from engine.errors import NotFound, OJSError
from engine.http.message import Response
from engine.job import Job
from engine.retry import DEFAULT, STRATEGIES, RetryPolicy, parse
from engine.times import format_duration
from playground.graphs.framed import framed
from playground.graphs.timeline import history
from playground.graphs.words import plain
from playground.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.app import Application

MOST: Final = 24
"""Waits drawn; a policy may have a million."""
RECENT: Final = 8
"""Jobs offered that were lately to be tried again."""
LEFT: Final = 64
"""Room for the rows' names, units of the picture."""
ROAD: Final = 430
"""Width of the longest wait."""
RIGHT: Final = 160
"""Room for the rows' words."""
ROW: Final = 28
FIELDS: Final = (
    "max_attempts",
    "initial_interval",
    "backoff_strategy",
    "backoff_coefficient",
    "max_interval",
)
"""The form's text fields, in the standard's names."""

Context = dict[str, Any]


class Wait(NamedTuple):
    """One wait. Durations in milliseconds.

    Args:
        retry: Before which retry, from 1.
        low: Shortest that it may be, or None where the policy plans none.
        plan: What it is without jitter, or None.
        high: Longest that it may be, or None.
        first: From the first failure to the retry's earliest start, not counting the attempts, or None.
        last: The same for its latest start.
        was: How long it was, or None while it has not been.
        until: When a wait that has not ended will end, milliseconds, or None.
    """

    retry: int
    low: int | None
    plan: int | None
    high: int | None
    first: int | None
    last: int | None
    was: int | None
    until: int | None


def planned(policy: RetryPolicy) -> list[Wait]:
    """What a policy plans, the first `MOST` waits of it."""
    found: list[Wait] = []
    first = last = 0
    for retry in range(1, min(policy.max_attempts, MOST + 1)):
        low, high = policy.bounds(retry)
        first, last = first + low, last + high
        found.append(Wait(retry, low, policy.backoff(retry), high, first, last, None, None))
    return found


def happened(job: Job) -> list[Wait]:
    """The same with the waits that the job has had."""
    found = planned(job.retry)
    waits = 0
    trail = job.trail
    for index, (time, _, state) in enumerate(trail):
        if state != life.RETRYABLE:
            continue
        waits += 1
        if waits > MOST:
            break
        ended = trail[index + 1][0] - time if index + 1 < len(trail) else None
        until = job.next_attempt_at if ended is None else None
        if waits > len(found):
            found.append(Wait(waits, None, None, None, None, None, None, None))
        found[waits - 1] = found[waits - 1]._replace(was=ended, until=until)
    return found


def picture(waits: list[Wait]) -> Context:
    """The geometry of some waits."""
    longest = max([1, *(value for one in waits for value in (one.high, one.was) if value is not None)])
    share = ROAD / longest
    return {
        "waits": waits,
        "share": share,
        "left": LEFT,
        "road": ROAD,
        "row": ROW,
        "longest": longest,
        "width": LEFT + ROAD + RIGHT,
        "height": len(waits) * ROW + 24,
    }


def view(app: Application, job_id: str) -> Context:
    """A job's waits, planned and had; without a job those that were lately to be tried again."""
    facts: Context = {"job_id": job_id, "job": None, "recent": [], "plain": plain}
    if not job_id:
        events, count, _ = history(app.session, None)
        retried = {
            event.job_id: event.job_type for event in reversed(events[:count]) if event.type == "job.retrying"
        }
        return facts | {"recent": list(islice(retried.items(), RECENT))}
    try:
        job = app.session.engine.info(job_id)
    except NotFound:
        return facts
    return facts | {
        "job": job,
        "policy": job.retry,
        "now": app.session.engine.now(),
        **picture(happened(job)),
    }


def _value(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else text


def read(fields: Mapping[str, str]) -> RetryPolicy:
    """The policy that a form says; an interval is an ISO 8601 duration or milliseconds.

    Raises:
        InvalidPolicy: A field breaks its rule.
    """
    raw: dict[str, Any] = {
        name: _value(fields[name].strip()) for name in FIELDS if fields.get(name, "").strip()
    }
    with suppress(KeyError, ValueError):  # left out, or refused as what it is
        raw["backoff_coefficient"] = float(raw["backoff_coefficient"])
    return parse(raw | {"jitter": fields.get("jitter") == "on"})


def written(policy: RetryPolicy) -> dict[str, str]:
    """A policy as the form's fields."""
    return {
        "max_attempts": str(policy.max_attempts),
        "initial_interval": format_duration(policy.initial_interval),
        "backoff_strategy": policy.strategy,
        "backoff_coefficient": f"{policy.coefficient:g}",
        "max_interval": format_duration(policy.max_interval),
        "jitter": "on" if policy.jitter else "",
    }


def _planned(fields: Mapping[str, str]) -> Context:
    """The plan of a form's policy, or what is wrong with it."""
    try:
        policy = read(fields)
    except OJSError as error:
        return {"error": error, "policy": None}
    return {"error": None, "policy": policy, **picture(planned(policy))}


def _fields(visit: Visit) -> dict[str, str]:
    return {name: values[-1] for name, values in visit.query.items()}


def plan(visit: Visit) -> Response:
    """The waits that the policy in the address plans."""
    return visit.render("parts/retry_plan.html", **_planned(_fields(visit)))


def pane(visit: Visit) -> Context:
    """The workbench's pane: a job's waits, and the plan of any policy."""
    fields = _fields(visit)
    job_id = fields.get("job", "").strip()[:100]
    job = visit.app.session.engine.store.get(job_id) if job_id else None
    typed = any(name in fields for name in FIELDS)
    values = fields if typed else written(job.retry if job is not None else DEFAULT)
    facts: Context = {
        "retries": f"retries:{job_id}" if job_id else "retries",
        "job_id": job_id,
        "values": {name: values.get(name, "")[:60] for name in (*FIELDS, "jitter")},
        "strategies": STRATEGIES,
        **_planned(values),
    }
    return framed(visit, "retries", facts)
