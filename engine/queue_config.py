"""A queue's configuration: how its layers add up, and what they mean (OJS Queue Configuration 6, 7).

Configuration is kept as the operator wrote it, checked by `engine.queue_rules`; nothing here touches a store or a job.
"""

from __future__ import annotations

from typing import Any, Final

from engine.times import parse_duration

DEFAULTS: Final[dict[str, Any]] = {
    "overflow_policy": "reject",
    "retention": {"completed": "P7D", "discarded": "P30D", "cancelled": "P7D"},
    "dead_letter": {"retention": {"max_age": "P180D", "max_count": 10_000}},
    "allowed_job_types": ["*"],
    "producers": ["*"],
}
"""What holds where neither the queue nor the default policy says anything."""

Config = dict[str, Any]


def layered(*layers: Config) -> Config:
    """The configuration that results; a later layer overrides an earlier one, objects field by field."""
    result: Config = {}
    for layer in layers:
        for name, value in layer.items():
            old = result.get(name)
            if value is None:
                result.pop(name, None)
            elif isinstance(value, dict) and isinstance(old, dict) and name in {"retention", "backpressure"}:
                result[name] = {**old, **value}
            else:
                result[name] = value
    return result


def allows(config: Config, job_type: str) -> bool:
    """Whether the queue takes this job type; ``*`` in an entry stands for anything."""
    patterns = config.get("allowed_job_types") or ["*"]
    if "*" in patterns:
        return True
    from fnmatch import fnmatchcase  # noqa: PLC0415 - few queues are choosy

    return any(fnmatchcase(job_type, pattern) for pattern in patterns)


def bounds(config: Config) -> tuple[int, int, str, float]:
    """Most jobs, most bytes (0: unbounded), strategy and warning threshold (OJS Backpressure 6.2)."""
    pressure = config.get("backpressure") or {}
    return (
        pressure.get("max_depth") or config.get("max_size") or 0,
        pressure.get("max_size_bytes") or config.get("max_size_bytes") or 0,
        pressure.get("strategy") or config.get("overflow_policy") or "reject",
        pressure.get("warning_threshold", 0.8),
    )


def dead_letter_limits(config: Config) -> tuple[int, int]:
    """Longest age, milliseconds, and largest number of the queue's dead letters (OJS Dead Letter 5)."""
    kept = DEFAULTS["dead_letter"]["retention"] | ((config.get("dead_letter") or {}).get("retention") or {})
    age = config.get("dead_letter_ttl") or kept["max_age"]
    count = config.get("dead_letter_max_size")
    return parse_duration(age), kept["max_count"] if count is None else count
