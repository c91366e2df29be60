"""Cron expressions: reading one, and computing when it fires next (OJS Cron 3 to 5).

The next run is computed by field arithmetic: month, day, then time of day; nothing walks minute by minute.
Daylight saving: a wall time inside a spring-forward gap does not fire, one in a repeated hour fires at its
first occurrence only.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from engine import cron_fields as fields
from engine import zones
from engine.times import MAX_DURATION, SECOND

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MAX_LENGTH: Final = 1000
_YEARS: Final = 50
"""How far ahead a run is looked for: a fifth Friday in February can be 40 years away."""
_MAX_GAPS: Final = 200
_GO_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|h|m|s)", re.ASCII)
_GO_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_ONE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """A wall time that an expression names and the clock never shows (OJS Cron 5.2).

    Args:
        at: The instant at which the clock jumps over it, milliseconds.
        wall: The missing wall time, e.g. ``2026-03-08T02:30:00``.
        nominal: The instant that it would have been without the jump, milliseconds.
    """

    at: int
    wall: str
    nominal: int


@dataclass(frozen=True, slots=True)
class Run:
    """The next run: its instant, milliseconds, and the first gap before it, if any."""

    at: int
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A cron expression as sets of values.

    Args:
        text: As it was written.
        seconds: Seconds at which it fires, ascending; likewise minutes, hours and months.
        days: On which days of a month.
        every: Interval of ``@every``, milliseconds; None for the others.
    """

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    days: fields.Days
    every: int | None = None

    @property
    def interval(self) -> int:
        """Milliseconds between runs of an ``@every``: nothing is evaluated more than once a second (7.3)."""
        return max(self.every or 0, SECOND)

    def next_run(self, after: int, zone: tzinfo = UTC, anchor: int = 0) -> Run | None:
        """The first run strictly after an instant.

        Args:
            after: The instant, milliseconds.
            zone: Where the wall clock hangs.
            anchor: What ``@every`` counts from: registration or the last run (OJS Cron 4.1), milliseconds.

        Returns:
            The run, or None if there is none within 50 years.
        """
        if self.every is not None:
            return Run(anchor + self.interval * ((after - anchor) // self.interval + 1))
        repeated_until = zones.second_pass_end(after, zone)
        if repeated_until is None:
            wall = zones.to_wall(after, zone).replace(tzinfo=None, fold=0)
        else:
            wall = zones.to_wall(repeated_until, zone).replace(tzinfo=None) - _ONE
        gap: Gap | None = None
        for _ in range(_MAX_GAPS):
            found = self.next_wall(wall)
            if found is None:
                return None
            nominal = zones.to_instant(found, zone)
            if zone is UTC or zones.exists(found, zone):
                return Run(nominal, gap)
            jump = zones.gap_end(found, zone)
            gap = gap or Gap(jump, found.isoformat(), nominal)
            wall = zones.to_wall(jump, zone).replace(tzinfo=None) - _ONE
        return None

    def next_wall(self, after: datetime) -> datetime | None:
        """The first matching wall time strictly after another, or None within 50 years."""
        if after.year >= MAXYEAR:
            return None
        start = after + _ONE
        today = self._time_from(start.hour, start.minute, start.second)
        first_day = start.day if today else start.day + 1
        earliest = time(self.hours[0], self.minutes[0], self.seconds[0])
        for year in range(start.year, min(start.year + _YEARS, MAXYEAR) + 1):
            for month in self.months:
                if year == start.year and month < start.month:
                    continue
                here = year == start.year and month == start.month
                for day in self.days.of(year, month):
                    if here and day < first_day:
                        continue
                    at = today if here and day == start.day and today else earliest
                    return datetime.combine(date(year, month, day), at)
        return None

    def _time_from(self, hour: int, minute: int, second: int) -> time | None:
        """The first matching time of day at or after another."""
        at_hour = bisect_left(self.hours, hour)
        if at_hour < len(self.hours) and self.hours[at_hour] == hour:
            at_minute = bisect_left(self.minutes, minute)
            if at_minute < len(self.minutes) and self.minutes[at_minute] == minute:
                at_second = bisect_left(self.seconds, second)
                if at_second < len(self.seconds):
                    return time(hour, minute, self.seconds[at_second])
                at_minute += 1
            if at_minute < len(self.minutes):
                return time(hour, self.minutes[at_minute], self.seconds[0])
            at_hour += 1
        return (
            time(self.hours[at_hour], self.minutes[0], self.seconds[0]) if at_hour < len(self.hours) else None
        )


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Read an expression: five or six fields, an alias such as ``@daily``, or ``@every 1h30m``.

    Raises:
        ValueError: Says which field or element is wrong, and why (OJS Cron 3.5).
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    stripped = text.strip()
    if stripped.startswith("@"):
        name, _, rest = stripped.partition(" ")
        if name.lower() == "@every":
            return _fields(text, "* * * * *".split(), _duration(rest.strip()))
        if stripped.lower() not in ALIASES:
            known = ", ".join(sorted(ALIASES))
            raise ValueError(f"is not one of {known} or '@every' and a duration")
        stripped = ALIASES[stripped.lower()]
    parts = stripped.split()
    if len(parts) not in {5, 6}:
        raise ValueError(
            f"must have 5 fields (minute hour day month weekday) or 6 (seconds first), not {len(parts)}"
        )
    return _fields(text, parts, None)


def _fields(text: str, parts: list[str], every: int | None) -> Expression:
    second, minute, hour, day, month, weekday = parts if len(parts) == 6 else ["0", *parts]
    return Expression(
        text,
        fields.values(fields.SECOND, second),
        fields.values(fields.MINUTE, minute),
        fields.values(fields.HOUR, hour),
        fields.values(fields.MONTH, month),
        fields.days(day, weekday),
        every,
    )


def _duration(text: str) -> int:
    """Milliseconds of a Go duration such as ``1h30m`` or ``500ms`` (OJS Cron 4.1)."""
    total, end = 0.0, 0
    for found in _GO_DURATION.finditer(text):
        if found.start() != end:
            break
        total, end = total + float(found[1]) * _GO_UNITS[found[2]], found.end()
    if not text or end != len(text):
        raise ValueError(
            f"has the interval '{text:.40}'; write hours, minutes and seconds such as 1h30m or 45s"
        )
    if not 1 <= total <= MAX_DURATION:
        raise ValueError("must have an interval from 1ms to a hundred years")
    return int(total)
