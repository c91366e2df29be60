"""The rate limit policy: every spelling of it, brought to one form (OJS Rate Limiting 6). Pure values.

The normal form is plain JSON: ``{"concurrency", "rate": {"limit", "period"}, "throttle": {...}}``, periods in
milliseconds, parts that do not limit left out.
"""

from __future__ import annotations

import re
from typing import Any, Final

from engine.envelope import refuse
from engine.times import DAY, HOUR, MAX_DURATION, MINUTE, SECOND, parse_duration

KEY: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:-]*\Z", re.ASCII)
MAX_KEY: Final = 255
ACTIONS: Final = ("wait", "reschedule", "drop")
_UNITS: Final = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY}
_SHORT: Final = tuple((f"max_per_{unit}", ms) for unit, ms in _UNITS.items())
_CLAUSE: Final = "OJS Rate Limiting 6.1"

Policy = dict[str, Any]


def parse(raw: Any, field: str, default_key: str) -> tuple[str, Policy, str]:
    """A policy in its normal form.

    Args:
        raw: The ``rate_limit`` object.
        field: Its path, for errors.
        default_key: The key of a policy that names none.

    Returns:
        Key, policy, and the action when the limit is reached.

    Raises:
        InvalidRequest: A part breaks its rule.
    """
    if not isinstance(raw, dict):
        raise refuse(field, raw, "must be an object", _CLAUSE)
    key = raw.get("key", default_key)
    if not isinstance(key, str) or len(key) > MAX_KEY or not KEY.match(key):
        rule = f"must be letters, digits, '.', '_', ':' and '-', at most {MAX_KEY}, a letter or digit first"
        raise refuse(f"{field}.key", key, rule, "OJS Rate Limiting 6.2")
    action = raw.get("on_limit", "wait")
    if action not in ACTIONS:
        raise refuse(f"{field}.on_limit", action, f"must be one of {', '.join(ACTIONS)}", _CLAUSE)
    policy: Policy = {}
    for name in ("concurrency", "max_concurrency", "max_concurrent"):
        if raw.get(name) is not None:
            policy["concurrency"] = _count(raw[name], f"{field}.{name}")
            break
    rate = _rate(raw, field)
    if rate is not None:
        policy["rate"] = rate
    if raw.get("throttle") is not None:
        policy["throttle"] = _window(raw["throttle"], f"{field}.throttle")
        if not policy["throttle"]["limit"]:
            raise refuse(f"{field}.throttle.limit", 0, "must be at least 1", _CLAUSE)
    return key, policy, action


def _rate(raw: dict[str, Any], field: str) -> dict[str, int] | None:
    rate = raw.get("rate")
    if isinstance(rate, dict):
        return _window(rate, f"{field}.rate")
    if rate is not None:
        return {"limit": _count(rate, f"{field}.rate"), "period": _period(raw, field)}
    if raw.get("limit") is not None:
        return _window(raw, field)
    for name, period in _SHORT:
        if raw.get(name) is not None:
            return {"limit": _count(raw[name], f"{field}.{name}"), "period": period}
    return None


def _window(raw: Any, field: str) -> dict[str, int]:
    if not isinstance(raw, dict):
        raise refuse(field, raw, "must be an object with 'limit' and 'period'", _CLAUSE)
    return {"limit": _count(raw.get("limit"), f"{field}.limit"), "period": _period(raw, field)}


def _count(value: Any, field: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000_000:
        raise refuse(field, value, "must be an integer of at least 0", _CLAUSE)
    return value


def _period(raw: dict[str, Any], field: str) -> int:
    given = raw.get("period_ms")
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given <= MAX_DURATION:
        return given
    value = raw.get("period", "second" if given is None else given)
    if isinstance(value, str):
        if value in _UNITS:
            return _UNITS[value]
        try:
            ms = parse_duration(value)
        except ValueError as error:
            raise refuse(f"{field}.period", value, str(error), _CLAUSE) from None
        if ms > 0:
            return ms
    raise refuse(f"{field}.period", value, "must be an ISO 8601 duration above zero", _CLAUSE)
