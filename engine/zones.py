"""IANA time zones: which names are accepted, and how wall-clock times and instants map onto each other.

OJS Cron 5. `zoneinfo` is imported at the first zone other than UTC, because boot time in a browser matters; it
reads the system's database, or the `tzdata` package where the system has none. Walls are naive datetimes of
whole seconds, instants are milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO: Final = timedelta(0)
_SECOND: Final = timedelta(seconds=1)
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*\Z", re.ASCII)
_OFFSET: Final = re.compile(r"(?:UTC|GMT|Z)?\s*[+-]?\s*\d{1,2}(?::?\d\d)?\Z", re.ASCII)
_NOT_PLACES: Final = frozenset(
    "EST MST HST CET MET EET WET EST5EDT CST6CDT MST7MDT PST8PDT PST CST EDT PDT CDT MDT BST IST CEST JST AEST".split()
)
_UTC: Final = frozenset({"UTC", "Etc/UTC"})


@lru_cache(maxsize=256)
def find(name: str) -> tzinfo:
    """The zone with this IANA name.

    Args:
        name: E.g. ``America/New_York`` or ``UTC``; upper and lower case matter.

    Raises:
        ValueError: An offset, an abbreviation, or a name that the time zone database does not have (OJS Cron 5.1).
    """
    if name in _UTC:
        return UTC
    if _OFFSET.match(name):
        raise ValueError(
            "must be an IANA name such as 'Europe/Paris'; a fixed offset knows no daylight saving"
        )
    if name in _NOT_PLACES:
        raise ValueError("must be an IANA name such as 'America/New_York'; an abbreviation is ambiguous")
    if not _NAME.match(name) or len(name) > 64:
        raise ValueError("must be an IANA time zone name such as 'Asia/Tokyo'")
    import zoneinfo  # noqa: PLC0415 - late on purpose: most schedules need none

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    try:
        zoneinfo.ZoneInfo("Europe/London")
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        raise ValueError(
            "cannot be looked up: this server has no time zone database (install 'tzdata')"
        ) from None
    raise ValueError("is not in the IANA time zone database")


def to_wall(instant: int, zone: tzinfo) -> datetime:
    """The wall clock at an instant, whole seconds, with its zone; ``fold`` is 1 in the second pass of an hour."""
    return (_EPOCH + timedelta(seconds=instant // 1000)).astimezone(zone)


def to_instant(wall: datetime, zone: tzinfo) -> int:
    """The first instant at which the clock shows this wall time; in a gap, where it would have been."""
    return _instant(wall.replace(tzinfo=zone, fold=0))


def _instant(moment: datetime) -> int:
    return (moment - _EPOCH) // _SECOND * 1000


def exists(wall: datetime, zone: tzinfo) -> bool:
    """Whether the clock ever shows this wall time: False inside a spring-forward gap."""
    return to_wall(to_instant(wall, zone), zone).replace(tzinfo=None, fold=0) == wall


def gap_end(wall: datetime, zone: tzinfo) -> int:
    """The instant at which the clock jumps over this missing wall time."""
    late = to_instant(wall, zone)
    early = _instant(wall.replace(tzinfo=zone, fold=1))
    after = to_wall(late, zone).utcoffset()
    return _first(early, late, lambda instant: to_wall(instant, zone).utcoffset() == after)


def second_pass_end(instant: int, zone: tzinfo) -> int | None:
    """When the repeated hour ends, if the instant lies in its second pass; else None."""
    now = to_wall(instant, zone)
    if not now.fold:
        return None
    first, second = now.replace(fold=0).utcoffset() or _ZERO, now.utcoffset() or _ZERO
    whole = instant // 1000 * 1000
    latest = whole + (first - second) // _SECOND * 1000
    return _first(whole, latest, lambda moment: not to_wall(moment, zone).fold)


def _first(early: int, late: int, holds: Callable[[int], bool]) -> int:
    """The first whole second in (early, late] at which something holds that then goes on holding."""
    while late - early > 1000:
        middle = early + (late - early) // 2000 * 1000
        if holds(middle):
            late = middle
        else:
            early = middle
    return late
