"""What a queue's configuration may say: each field and its rule (OJS Queue Configuration 6).

Loaded when the first configuration is written; what holds for a queue is `engine.queue_config`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine import limit_policy, retry, selection
from engine.envelope import check_queue, refuse
from engine.queue_config import Config
from engine.times import parse_duration

STRATEGIES: Final = ("reject", "block", "drop_oldest")
RETRY_PRIORITIES: Final = ("equal", "prefer_retry", "prefer_new")
_CLAUSE: Final = "OJS Queue Configuration 6"

Rule = Callable[[str, Any], None]


def _whole(least: int) -> Rule:
    def check(field: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise refuse(field, value, f"must be an integer of at least {least}", _CLAUSE)

    return check


def _duration(field: str, value: Any) -> None:
    if not isinstance(value, str):
        raise refuse(field, value, "must be an ISO 8601 duration", _CLAUSE)
    try:
        parse_duration(value)
    except ValueError as error:
        raise refuse(field, value, str(error), _CLAUSE) from None


def _strategy(field: str, value: Any) -> None:
    if value not in STRATEGIES:
        raise refuse(field, value, f"must be one of {', '.join(STRATEGIES)}", "OJS Backpressure 6.2")


def _retry_priority(field: str, value: Any) -> None:
    if value not in RETRY_PRIORITIES:
        rule = f"must be one of {', '.join(RETRY_PRIORITIES)}"
        raise refuse(field, value, rule, "OJS Extension Interactions 9.2")


def _fraction(field: str, value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise refuse(field, value, "must be a number from 0 to 1", "OJS Backpressure 6.2")


def _text(field: str, value: Any) -> None:
    if not isinstance(value, str):
        raise refuse(field, value, "must be a string", _CLAUSE)


def _names(field: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise refuse(field, value, "must be an array of strings", _CLAUSE)


def _queue(field: str, value: Any) -> None:
    check_queue(value, field)


def _retry(_field: str, value: Any) -> None:
    retry.parse(value)


def _limit(field: str, value: Any) -> None:
    limit_policy.parse(value, field, "queue")


def _fields(rules: dict[str, Rule]) -> Rule:
    def check(field: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise refuse(field, value, "must be an object", _CLAUSE)
        for name, rule in rules.items():
            if value.get(name) is not None:
                rule(f"{field}.{name}", value[name])

    return check


def _filter(_field: str, value: Any) -> None:
    selection.parse(value)


_RULE: Final = _fields({"name": _text, "delay": _duration, "max_replays": _whole(0), "filter": _filter})


def _rules(field: str, value: Any) -> None:
    if not isinstance(value, list):
        raise refuse(field, value, "must be an array of replay rules", "OJS Dead Letter 7.1")
    for index, rule in enumerate(value):
        _RULE(f"{field}[{index}]", rule)


_RULES: Final[dict[str, Rule]] = {
    "max_size": _whole(0),
    "max_size_bytes": _whole(0),
    "overflow_policy": _strategy,
    "concurrency": _whole(0),
    "rate_limit": _limit,
    "visibility_timeout": _whole(1),
    "default_timeout": _whole(1),
    "default_retry": _retry,
    "retention": _fields({"completed": _duration, "discarded": _duration, "cancelled": _duration}),
    "dead_letter_queue": _queue,
    "dead_letter_max_size": _whole(0),
    "dead_letter_ttl": _duration,
    "dead_letter": _fields({"retention": _fields({"max_age": _duration, "max_count": _whole(0)})}),
    "replay_rules": _rules,
    "allowed_job_types": _names,
    "producers": _names,
    "retry_priority": _retry_priority,
    "backpressure": _fields(
        {
            "max_depth": _whole(0),
            "max_size_bytes": _whole(0),
            "strategy": _strategy,
            "warning_threshold": _fraction,
        }
    ),
}


def check(raw: Any, field: str = "config") -> Config:
    """A configuration, checked; fields that are null say nothing, unknown ones are kept.

    Raises:
        InvalidRequest: A field breaks its rule.
        InvalidPolicy: The default retry policy breaks its rules.
    """
    _fields(_RULES)(field, raw)
    return dict(raw)
