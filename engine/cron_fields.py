"""One field of a cron expression: what may stand in it, and the values that it matches (OJS Cron 3).

Pure parsing. Which fields an expression has, and when it fires, is `engine.cron_expression`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

_MONTHS: Final = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_DAYS: Final = "SUN MON TUE WED THU FRI SAT".split()
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold.

    Args:
        name: Its name in messages.
        low: Smallest value.
        high: Largest value; a weekday may also be 7, which is 0.
        names: Three-letter names and their values.
    """

    name: str
    low: int
    high: int
    names: dict[str, int]


SECOND: Final = Kind("second", 0, 59, {})
MINUTE: Final = Kind("minute", 0, 59, {})
HOUR: Final = Kind("hour", 0, 23, {})
DAY: Final = Kind("day of month", 1, 31, {})
MONTH: Final = Kind("month", 1, 12, {name: index + 1 for index, name in enumerate(_MONTHS)})
WEEKDAY: Final = Kind("day of week", 0, 6, {name: index for index, name in enumerate(_DAYS)})


def _bad(kind: Kind, text: str, why: str) -> ValueError:
    return ValueError(f"has a bad {kind.name} field '{text:.40}': {why}")


def _value(kind: Kind, text: str, field: str) -> int:
    named = kind.names.get(text.upper())
    if named is not None:
        return named
    if not text.isascii() or not text.isdecimal():
        allowed = (
            f" or {min(kind.names, key=kind.names.__getitem__)} to {list(kind.names)[-1]}"
            if kind.names
            else ""
        )
        raise _bad(kind, field, f"'{text:.20}' is not a number{allowed}")
    high = 7 if kind is WEEKDAY else kind.high
    if len(text) > 4 or not kind.low <= int(text) <= high:
        raise _bad(kind, field, f"{text:.20} is outside {kind.low} to {high}")
    return int(text)


def _part(kind: Kind, text: str, field: str) -> range:
    """One element of a list: ``*``, a value or a range, each with an optional step."""
    span, slash, step_text = text.partition("/")
    step = 1
    if slash:
        most = kind.high - kind.low + 1
        if not step_text.isascii() or not step_text.isdecimal() or len(step_text) > 4:
            raise _bad(kind, field, f"the step '{step_text:.20}' is not a number")
        step = int(step_text)
        if not 1 <= step <= most:
            raise _bad(kind, field, f"a step must be from 1 to {most}, not {step}")
    if span == "*":
        return range(kind.low, kind.high + 1, step)
    first, dash, last = span.partition("-")
    start = _value(kind, first, field)
    if not dash:
        return range(start, kind.high + 1, step) if slash else range(start, start + 1)
    end = _value(kind, last, field)
    if kind is WEEKDAY and end == 0 and start > 0:
        end = 7  # both 0 and 7 are Sunday: SAT-SUN is 6-7
    if end < start:
        raise _bad(kind, field, f"the range {span:.20} runs backwards")
    return range(start, end + 1, step)


def values(kind: Kind, field: str) -> tuple[int, ...]:
    """The values that a field matches, in ascending order.

    Raises:
        ValueError: Says which element is wrong, and why.
    """
    return tuple(sorted({value for part in field.split(",") for value in _part(kind, part, field)}))


@dataclass(frozen=True, slots=True)
class Days:
    """On which days of a month an expression fires (OJS Cron 3.3).

    Args:
        any_day: Whether the day-of-month field is ``*``.
        days: Days of the month.
        last: Whether the last day is one (``L``).
        nearest: Days whose nearest weekday is one (``15W``); 32 stands for the last day (``LW``).
        any_weekday: Whether the day-of-week field is ``*``.
        weekdays: Days of the week, Sunday is 0.
        last_weekdays: Days of the week whose last in the month is one (``5L``).
        nth_weekdays: Day of the week and which one in the month (``5#3``).
    """

    any_day: bool
    days: frozenset[int]
    last: bool
    nearest: tuple[int, ...]
    any_weekday: bool
    weekdays: frozenset[int]
    last_weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]

    def of(self, year: int, month: int) -> list[int]:
        """The days of a month on which it fires, in ascending order.

        Where both fields are restricted, either of them is enough, as POSIX has it.
        """
        length = month_length(year, month)
        if self.any_day and self.any_weekday:
            return list(range(1, length + 1))
        first = (date(year, month, 1).weekday() + 1) % 7
        found: set[int] = set()
        if not self.any_day:
            found.update(day for day in self.days if day <= length)
            if self.last:
                found.add(length)
            found.update(_nearest(day, length, first) for day in self.nearest if day <= length or day == 32)
        if not self.any_weekday:
            found.update(day for day in range(1, length + 1) if (first + day - 1) % 7 in self.weekdays)
            for weekday in self.last_weekdays:
                found.add(length - (first + length - 1 - weekday) % 7)
            for weekday, nth in self.nth_weekdays:
                day = 1 + (weekday - first) % 7 + 7 * (nth - 1)
                if day <= length:
                    found.add(day)
        return sorted(found)


def month_length(year: int, month: int) -> int:
    """Days in a month."""
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _LENGTHS[month - 1] + leap


def _nearest(day: int, length: int, first: int) -> int:
    """The weekday nearest to a day, never in another month; ``first`` is the day of the week of the 1st."""
    day = min(day, length)
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


def days(month_field: str, week_field: str) -> Days:
    """The days that a day-of-month and a day-of-week field mean together.

    Raises:
        ValueError: Says which element is wrong, and why.
    """
    plain: list[str] = []
    nearest: list[int] = []
    last = False
    for part in month_field.split(","):
        upper = part.upper()
        if upper == "L":
            last = True
        elif upper == "LW":
            nearest.append(32)
        elif upper.endswith("W"):
            nearest.append(_value(DAY, part[:-1], month_field))
        elif "L" in upper or "#" in upper:
            raise _bad(DAY, month_field, "L stands alone there (or LW), and # belongs to the day of week")
        else:
            plain.append(part)
    week: list[str] = []
    lasts: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for part in week_field.split(","):
        weekday, hash_, which = part.partition("#")
        if hash_:
            if which not in {"1", "2", "3", "4", "5"}:
                raise _bad(WEEKDAY, week_field, "# is followed by 1 to 5: which one in the month")
            nth.add((_value(WEEKDAY, weekday, week_field) % 7, int(which)))
        elif part.upper().endswith("L"):
            if len(part) == 1:
                raise _bad(WEEKDAY, week_field, "L needs a weekday before it, e.g. 5L for the last Friday")
            lasts.add(_value(WEEKDAY, part[:-1], week_field) % 7)
        else:
            week.append(part)
    return Days(
        any_day=month_field in {"*", "*/1"},
        days=frozenset(values(DAY, ",".join(plain))) if plain else frozenset(),
        last=last,
        nearest=tuple(nearest),
        any_weekday=week_field in {"*", "*/1"},
        weekdays=frozenset(day % 7 for day in values(WEEKDAY, ",".join(week))) if week else frozenset(),
        last_weekdays=frozenset(lasts),
        nth_weekdays=frozenset(nth),
    )
