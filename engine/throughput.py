"""How much has happened lately: rates, read from the event log, and buckets over time (OJS Admin API 10).

The log keeps the latest events only; the counts of buckets come from `engine.figures`, which go back for weeks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from engine.events import EventLog
from engine.figures import FIGURES, Figures
from engine.times import DAY, HOUR, MINUTE, format_time

PERIODS: Final = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR, "1d": DAY}
MAX_BUCKETS: Final = 2000
_NAMES: Final = {"job.completed": "processed", "job.failed": "failed", "job.enqueued": "enqueued"}


def per_minute(log: EventLog, figures: Figures, queues: Iterable[str], now: int) -> dict[str, int]:
    """``processed_per_minute``, ``failed_per_minute`` and ``enqueued_per_minute``.

    They are those of the last sixty seconds; where the log does not keep all of them, of the last whole minute.

    Args:
        log: The events.
        figures: The counts of whole minutes.
        queues: All queues.
        now: The instant, milliseconds.
    """
    counts = dict.fromkeys(_NAMES.values(), 0)
    for event in log.latest():
        if event.time <= now - MINUTE:
            break
        if event.type in _NAMES:
            counts[_NAMES[event.type]] += 1
    else:
        if log.oldest > 1:
            minute = now // MINUTE * MINUTE
            whole = buckets(log, figures, queues, MINUTE, minute - MINUTE, minute)
            counts = {name: sum(one[name] for one in whole) for name in counts}
    return {f"{name}_per_minute": count for name, count in counts.items()}


def latency(log: EventLog, now: int, queue: str) -> dict[str, int | None]:
    """How long the jobs of a queue ran that completed within the last hour: ``p50``, ``p95``, ``p99``, milliseconds."""
    found: list[int] = []
    for event in log.latest():
        if event.time <= now - HOUR:
            break
        if event.type == "job.completed" and event.queue == queue:
            found.append(event.data.get("duration_ms", 0))
    return {f"p{share}": one if found else None for share, one in _percentiles(found).items()}


def buckets(
    log: EventLog, figures: Figures, queues: Iterable[str], period: int, since: int, until: int
) -> list[dict[str, Any]]:
    """Counts and latencies by time, oldest first; buckets in which nothing happened are left out.

    The counts go back a day for periods below an hour and thirty days for others; percentiles, which need each
    duration, as far as the log does, and are null before that.

    Args:
        log: The events.
        figures: The counts.
        queues: The queues that are counted.
        period: Length of a bucket, milliseconds.
        since: First instant, milliseconds; its whole minute or hour is counted.
        until: Last instant, exclusive.
    """
    found: dict[int, Counter[str]] = {}
    wanted = set(queues)
    for queue in wanted:
        for start, slot in figures.span(f"queue:{queue}", since, until, hours=period >= HOUR):
            found.setdefault(start // period * period, Counter()).update(
                {name: slot[name] for name in FIGURES if name in slot}
            )
    durations, reach = _durations(log, wanted, period, min(found, default=until))
    return [
        {
            "timestamp": format_time(start),
            "processed": found[start]["completed"],
            "failed": found[start]["failed"],
            "enqueued": found[start]["enqueued"],
            "latency_avg_ms": found[start]["duration_ms"] // max(1, found[start]["completed"]),
            **_latency(durations.get(start, []) if start >= reach else None),
        }
        for start in sorted(found)[-MAX_BUCKETS:]
    ]


def _durations(log: EventLog, queues: set[str], period: int, since: int) -> tuple[dict[int, list[int]], int]:
    """How long jobs took, by bucket; and from which instant on the log has all of them."""
    found: dict[int, list[int]] = {}
    reach = since
    for event in log.latest():
        if event.time < since:
            return found, since
        reach = event.time + 1  # of its own instant the log may have lost some
        if event.type == "job.completed" and event.queue in queues:
            found.setdefault(event.time // period * period, []).append(event.data.get("duration_ms", 0))
    return found, since if log.oldest == 1 else reach


def _latency(durations: list[int] | None) -> dict[str, int | None]:
    known = _percentiles(durations or [])
    return {f"latency_p{share}_ms": None if durations is None else one for share, one in known.items()}


def _percentiles(durations: list[int]) -> dict[int, int]:
    """The 50th, 95th and 99th; 0 where there is nothing."""
    ordered = sorted(durations)
    last = len(ordered) - 1
    return {share: ordered[min(last, last * share // 100)] if ordered else 0 for share in (50, 95, 99)}
