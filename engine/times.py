"""Times and durations: RFC 3339 and ISO 8601 in and out, integer milliseconds inside.

Nothing here reads a clock. Instants are milliseconds since 1970-01-01T00:00:00Z; durations are milliseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
FOREVER: Final = 1 << 62
"""An instant that never comes, milliseconds; `sys.maxsize` is in 1970 where Python runs in a browser."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))\Z",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9}))?S)?)?\Z",
    re.ASCII,
)
_UNITS: Final = (365 * DAY, 30 * DAY, 7 * DAY, DAY, HOUR, MINUTE, SECOND)
MAX_DURATION: Final = 100 * 365 * DAY


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def format_time(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. ``2026-02-12T10:30:00.000Z`` (OJS HTTP Binding 6.3)."""
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


def parse_time(text: str) -> int:
    """Milliseconds of an RFC 3339 time with a zone; finer digits are rounded up, so that nothing runs early.

    Raises:
        ValueError: Not RFC 3339, no zone, or no such date.
    """
    found = _INSTANT.match(text)
    if not found:
        raise ValueError("must be an RFC 3339 time with a zone, e.g. 2026-03-01T09:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign = (found[7] or "").ljust(9, "0"), found[9]
    leap = second == 60  # RFC 3339 5.7 allows a leap second; it is the same instant as the next second
    offset = timedelta(hours=int(found[10] or 0), minutes=int(found[11] or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        whole = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=zone) - _EPOCH
    except (ValueError, OverflowError):  # their texts differ between versions of Python
        raise ValueError("is not a real date and time") from None
    nanos = int(fraction)
    return (whole // timedelta(seconds=1) + leap) * 1000 + -(-nanos // 1_000_000)


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> int:
    """Milliseconds of an ISO 8601 duration, e.g. ``PT1.5S``; a month counts 30 days, a year 365.

    Raises:
        ValueError: Not an ISO 8601 duration, or longer than a hundred years (OJS Retry 4.2).
    """
    found = _DURATION.match(text)
    if not found or not any(found.groups()):
        raise ValueError("must be an ISO 8601 duration, e.g. PT30S or PT5M")
    whole = sum(int(part) * unit for part, unit in zip(found.groups()[:7], _UNITS, strict=True) if part)
    total = whole + int((found[8] or "").ljust(9, "0")) // 1_000_000
    if total > MAX_DURATION:
        raise ValueError("is longer than a hundred years")
    return total


def format_duration(ms: int) -> str:
    """ISO 8601 with hours, minutes and seconds, e.g. ``PT1H30M`` or ``PT0.5S``."""
    hours, rest = divmod(ms, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "PT" + text + (f"{seconds}S" if rest or not text else "")


def parse_when(text: str, now: int) -> int:
    """An RFC 3339 time, or a duration from now (``PT5S``, ``+PT5S``).

    Raises:
        ValueError: Neither of the two.
    """
    if text[:1] in {"P", "+"}:
        return now + parse_duration(text.removeprefix("+"))
    return parse_time(text)
