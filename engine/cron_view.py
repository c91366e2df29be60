"""What is shown of cron entries and of expressions: JSON values, nothing is kept or changed here (OJS Cron 2 and 8)."""

from __future__ import annotations

from typing import Any, Final

from engine import cron_definition, cron_expression, zones
from engine.cron_definition import OVERLAP
from engine.cron_text import describe, warnings
from engine.envelope import refuse
from engine.times import format_time

QUEUED_WARNING: Final = 2
"""Waiting runs of one entry above which a warning is shown (OJS Cron 6.1, enqueue)."""
MAX_RUNS: Final = 1000

Record = dict[str, Any]


def upcoming(expression: str, zone: str, after: int, count: int, anchor: int) -> list[int]:
    """The next runs of an expression, milliseconds, oldest first.

    Args:
        expression: A checked expression.
        zone: A checked zone.
        after: They come strictly after this instant, milliseconds.
        count: How many.
        anchor: What ``@every`` counts from, milliseconds.
    """
    parsed, where = cron_expression.parse(expression), zones.find(zone)
    found: list[int] = []
    while len(found) < count:
        run = parsed.next_run(after, where, anchor)
        if run is None:
            break
        found.append(run.at)
        after = run.at
    return found


def preview(body: dict[str, Any], now: int) -> dict[str, Any]:
    """What an expression means, without registering it: its sentence, warnings and next runs.

    Args:
        body: ``expression`` (or ``cron``), ``timezone`` and ``count``.
        now: The instant, milliseconds.

    Raises:
        InvalidRequest: A field breaks its rule.
    """
    zone = cron_definition.check_zone(body.get("timezone"))
    field = "cron" if body.get("expression") is None and "cron" in body else "expression"
    expression = cron_definition.check_expression(body.get(field), zone, now, field)
    count = body.get("count", 10)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_RUNS:
        raise refuse("count", count, f"must be an integer from 1 to {MAX_RUNS}", "OJS Cron 2.2")
    parsed = cron_expression.parse(expression)
    return {
        "expression": expression,
        "cron": expression,
        "timezone": zone,
        "summary": describe(parsed, zone),
        "warnings": warnings(parsed),
        "next_runs": [format_time(at) for at in upcoming(expression, zone, now, count, now)],
    }


def shown(record: Record) -> dict[str, Any]:
    """An entry as JSON values, in both vocabularies (OJS Cron 2, OpenAPI CronJob)."""
    job = record["job"]
    parsed = cron_expression.parse(record["expression"])
    enabled = record["status"] == "active"
    waiting = len(record["open"])
    hints = warnings(parsed)
    if OVERLAP[record["overlap_policy"]] == "enqueue" and waiting > QUEUED_WARNING:
        hints.append(f"{waiting} runs have not ended; they go one after another.")
    return {
        "name": record["name"],
        "cron": record["expression"],
        "expression": record["expression"],
        "timezone": record["timezone"],
        "type": job["type"],
        "args": job["args"],
        "meta": job.get("meta") or {},
        "options": job.get("options") or {},
        "job_template": job,
        "overlap_policy": record["overlap_policy"],
        "misfire_policy": record["misfire_policy"],
        "enabled": enabled,
        "status": record["status"],
        "description": record["description"],
        "summary": describe(parsed, record["timezone"]),
        "warnings": hints,
        "last_run_at": _time(record["last_run_at"]),
        "next_run_at": _time(record["next"]) if enabled else None,
        "run_count": record["run_count"],
        "open_runs": waiting,
        "last_job_id": record["last_job_id"],
        "created_at": format_time(record["created_at"]),
        "updated_at": format_time(record["updated_at"]),
    }


def _time(instant: int | None) -> str | None:
    return None if instant is None else format_time(instant)
