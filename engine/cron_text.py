"""A cron expression in plain English, and what its author may not have meant.

Text only: what an expression matches is `engine.cron_expression`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine import cron_fields as fields
from engine.cron_expression import Expression
from engine.times import HOUR, MINUTE, SECOND

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)
_WEEKDAYS: Final = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()
_NTH: Final = ("", "first", "second", "third", "fourth", "fifth")
_MAX_CLOCKS: Final = 6


def describe(expression: Expression, zone: str = "UTC") -> str:
    """One sentence, e.g. "At 09:00 on Monday to Friday (America/New_York)"."""
    if expression.every is not None:
        at_most = ", at most once a second" if expression.every < SECOND else ""
        length = _length(expression.every)
        length = length.removeprefix("1 ") if length.count(" ") == 1 else length
        return f"Every {length}, counted from registration{at_most}."
    parts = [_time(expression), *_days(expression.days)]
    if len(expression.months) < 12:
        parts.append("in " + _runs(expression.months, lambda month: _MONTHS[month - 1]))
    return f"{' '.join(parts)} ({zone})."


def warnings(expression: Expression) -> list[str]:
    """Days that some of the months do not have: no run there, which is allowed (OJS Cron 3.5)."""
    days = expression.days.days
    if expression.every is not None or expression.days.any_day or not days:
        return []
    short = [
        month for month in expression.months if month != 2 and max(days) > fields.month_length(2000, month)
    ]
    if 2 in expression.months and max(days) > 28:
        short.insert(0, 2)
    if not short:
        return []
    names = _join([_MONTHS[month - 1] for month in sorted(short)])
    return [f"Day {max(days)} does not exist in {names}; there is no run on it then."]


def _length(ms: int) -> str:
    words: list[str] = []
    for unit, name in ((HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"), (1, "millisecond")):
        count, ms = divmod(ms, unit)
        if count:
            words.append(f"{count} {name}{'s' * (count > 1)}")
    return _join(words)


def _join(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _runs(values: tuple[int, ...], name: Callable[[int], str]) -> str:
    """Values with consecutive ones drawn together: ``1 to 5, 7 and 9``."""
    words: list[str] = []
    start = 0
    for index, value in enumerate(values):
        if index + 1 < len(values) and values[index + 1] == value + 1:
            continue
        run = values[start : index + 1]
        start = index + 1
        words += [f"{name(run[0])} to {name(run[-1])}"] if len(run) > 2 else [name(one) for one in run]
    return _join(words)


def _step(kind: fields.Kind, values: tuple[int, ...]) -> int | None:
    """The step of values that begin at the lowest and go on evenly to the end, or None."""
    step = values[1] - values[0] if len(values) > 1 else 0
    even = step > 0 and values == tuple(range(kind.low, kind.high + 1, step))
    return step if even else None


def _each(kind: fields.Kind, values: tuple[int, ...]) -> str:
    step = _step(kind, values)
    if step == 1:
        return f"every {kind.name}"
    if step is not None and (kind.high + 1) % step == 0:
        return f"every {step} {kind.name}s"
    plural = "s" if len(values) > 1 else ""
    return f"{kind.name}{plural} {_runs(values, str)}"


def _time(expression: Expression) -> str:
    seconds, minutes, hours = expression.seconds, expression.minutes, expression.hours
    if seconds == (0,):
        if len(minutes) * len(hours) <= _MAX_CLOCKS:
            clocks = [f"{hour:02d}:{minute:02d}" for hour in hours for minute in minutes]
            return "At " + _join(clocks)
        if hours == tuple(range(24)):
            if minutes == (0,):
                return "Every hour on the hour"
            each = _each(fields.MINUTE, minutes)
            return each.capitalize() if each.startswith("every") else f"Every hour at {each}"
        if minutes == (0,):
            each = _each(fields.HOUR, hours)
            return each.capitalize() if each.startswith("every") else f"On the hour during {each}"
        return _at(_each(fields.MINUTE, minutes)) + f" during {_each(fields.HOUR, hours)}"
    if len(seconds) == len(minutes) == len(hours) == 1:
        return f"At {hours[0]:02d}:{minutes[0]:02d}:{seconds[0]:02d}"
    words = _at(_each(fields.SECOND, seconds))
    if len(minutes) < 60:
        words += f" of {_each(fields.MINUTE, minutes)}"
    return words if len(hours) == 24 else words + f" during {_each(fields.HOUR, hours)}"


def _at(each: str) -> str:
    return each.capitalize() if each.startswith("every") else "At " + each


def _days(days: fields.Days) -> list[str]:
    if days.any_day and days.any_weekday:
        return []
    words: list[str] = []
    if days.days and not days.any_day:
        words.append(f"day {_runs(tuple(sorted(days.days)), str)} of the month")
    if days.last:
        words.append("the last day of the month")
    words += [
        "the last weekday of the month" if day == 32 else f"the weekday nearest day {day}"
        for day in days.nearest
    ]
    if days.weekdays and not days.any_weekday:
        # The week is read from Monday on, so that SAT,SUN reads as one run.
        order = tuple(sorted((day - 1) % 7 for day in days.weekdays))
        words.append(_runs(order, lambda day: _WEEKDAYS[(day + 1) % 7]))
    words += [f"the last {_WEEKDAYS[day]} of the month" for day in sorted(days.last_weekdays)]
    words += [f"the {_NTH[nth]} {_WEEKDAYS[day]} of the month" for day, nth in sorted(days.nth_weekdays)]
    return ["on " + _join(words, "or")]
