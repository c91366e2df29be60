"""How much has happened lately, read from the event log: rates for dashboards and buckets over time.

The log keeps the latest events only, so that both are exact for as far back as it goes, and say so
(OJS Admin API 10, OJS Execution History 7.5).
"""

from __future__ import annotations

from typing import Any, Final

from engine.events import EventLog
from engine.times import DAY, HOUR, MINUTE, format_time

PERIODS: Final = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR, "1d": DAY}
MAX_BUCKETS: Final = 2000
_NAMES: Final = {"job.completed": "processed", "job.failed": "failed", "job.enqueued": "enqueued"}


def per_minute(log: EventLog, now: int, queue: str | None = None) -> dict[str, int]:
    """Within the last minute: ``processed_per_minute``, ``failed_per_minute`` and ``enqueued_per_minute``."""
    counts = dict.fromkeys(_NAMES.values(), 0)
    for event in log.latest():
        if event.time <= now - MINUTE:
            break
        if event.type in _NAMES and queue in {None, event.queue}:
            counts[_NAMES[event.type]] += 1
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
    log: EventLog, period: int, since: int, until: int, queue: str | None = None
) -> list[dict[str, Any]]:
    """Counts and latencies by time, oldest first; buckets in which nothing happened are left out.

    Args:
        log: The events.
        period: Length of a bucket, milliseconds.
        since: First instant, milliseconds, inclusive.
        until: Last instant, exclusive.
        queue: Only this queue.
    """
    found: dict[int, dict[str, Any]] = {}
    durations: dict[int, list[int]] = {}
    for event in log.latest():
        if event.time < since:
            break
        if event.time >= until or event.type not in _NAMES or queue not in {None, event.queue}:
            continue
        start = event.time // period * period
        bucket = found.setdefault(start, dict.fromkeys(_NAMES.values(), 0))
        bucket[_NAMES[event.type]] += 1
        if event.type == "job.completed":
            durations.setdefault(start, []).append(event.data.get("duration_ms", 0))
    return [
        {"timestamp": format_time(start), **found[start], **_latency(durations.get(start, []))}
        for start in sorted(found)[-MAX_BUCKETS:]
    ]


def _latency(durations: list[int]) -> dict[str, int]:
    return {f"latency_p{share}_ms": one for share, one in _percentiles(durations).items()}


def _percentiles(durations: list[int]) -> dict[int, int]:
    """The 50th, 95th and 99th; 0 where there is nothing."""
    ordered = sorted(durations)
    last = len(ordered) - 1
    return {share: ordered[min(last, last * share // 100)] if ordered else 0 for share in (50, 95, 99)}
