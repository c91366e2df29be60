"""Cron expressions against croniter, and against a slow search that follows the definition word by word.

Where the two agree by definition they must agree in fact: plain fields in UTC, and in zones on days without a change
of the clock. They differ on purpose. croniter writes the last Friday ``L5`` and not ``5L``, lets ranges run backwards
(and so reads ``0-0`` as all values) and has its own ideas of ``W``. It takes a list of all values for ``*``, which
decides whether day of month and day of week are alternatives; POSIX goes by the asterisk, and so do we. And it fires
twice or shifts at changes of the clock, where OJS Cron 5.2 demands once or never.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import zones
from engine.cron_expression import parse

ZONES = (
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "America/Santiago",
)
INSTANTS = st.integers(946_684_800, 2_208_988_800).map(lambda seconds: seconds * 1000)  # 2000 to 2040


def field(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    span = st.lists(value, min_size=2, max_size=2, unique=True).map(sorted)
    part = st.one_of(
        value.map(str),
        span.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(span, st.integers(1, 5)).map(lambda it: f"{it[0][0]}-{it[0][1]}/{it[1]}"),
        st.integers(1, min(12, high)).map(lambda step: f"*/{step}"),
    )
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


def spelled_out(expression: str) -> bool:
    """Whether a day field names all its values without an asterisk alone; see the differences above."""
    *_, day, month, weekday = expression.split()
    days = parse(f"0 0 {day} {month} {weekday}").days
    return (len(days.weekdays) == 7 and weekday != "*") or (len(days.days) == 31 and day != "*")


FIVE = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(" ".join)
SIX = st.tuples(field(0, 59), FIVE).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(expression=FIVE, start=INSTANTS)
def test_five_fields_fire_when_croniter_says(expression: str, start: int) -> None:
    assume(not spelled_out(expression))
    iterator = croniter(expression, datetime.fromtimestamp(start // 1000, UTC))
    parsed, at = parse(expression), start
    for _ in range(4):
        run = parsed.next_run(at)
        assert run is not None
        assert datetime.fromtimestamp(run.at / 1000, UTC) == iterator.get_next(datetime)
        at = run.at


@settings(max_examples=150, deadline=None)
@given(expression=SIX, start=INSTANTS)
def test_six_fields_fire_when_croniter_says(expression: str, start: int) -> None:
    assume(not spelled_out(expression))
    iterator = croniter(expression, datetime.fromtimestamp(start // 1000, UTC), second_at_beginning=True)
    run = parse(expression).next_run(start)
    assert run is not None
    assert datetime.fromtimestamp(run.at / 1000, UTC) == iterator.get_next(datetime)


@pytest.mark.parametrize(
    "expression", ["0 12 L * *", "0 12 * * 5#3", "30 6 * * 1#1,3#2", "0 0 * JAN,jul MON-FRI"]
)
@settings(max_examples=25, deadline=None)
@given(start=INSTANTS)
def test_last_days_nth_weekdays_and_names_fire_when_croniter_says(expression: str, start: int) -> None:
    iterator = croniter(expression, datetime.fromtimestamp(start // 1000, UTC))
    at = start
    for _ in range(3):
        run = parse(expression).next_run(at)
        assert run is not None
        assert datetime.fromtimestamp(run.at / 1000, UTC) == iterator.get_next(datetime)
        at = run.at


@settings(max_examples=300, deadline=None)
@given(expression=FIVE, start=INSTANTS, name=st.sampled_from(ZONES))
def test_zones_fire_when_croniter_says_while_the_clock_does_not_change(
    expression: str, start: int, name: str
) -> None:
    assume(not spelled_out(expression))
    zone = zones.find(name)
    run = parse(expression).next_run(start, zone)
    assert run is not None
    offsets = {zones.to_wall(start, zone).utcoffset()}
    day = 86_400_000
    offsets |= {zones.to_wall(at, zone).utcoffset() for at in range(start - day, run.at + 2 * day, day)}
    assume(len(offsets) == 1)
    begin = datetime.fromtimestamp(start // 1000, zone)
    assert datetime.fromtimestamp(run.at / 1000, UTC) == croniter(expression, begin).get_next(
        datetime
    ).astimezone(UTC)


def matches(expression: str, wall: datetime) -> bool:
    """Whether a minute matches, field by field, without any arithmetic."""
    parsed = parse(expression)
    return (
        wall.minute in parsed.minutes
        and wall.hour in parsed.hours
        and wall.month in parsed.months
        and wall.day in parsed.days.of(wall.year, wall.month)
    )


CHANGES = {
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "Europe/London": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": ("2026-10-03T15:30", "2026-04-04T15:00"),
    "America/St_Johns": ("2026-03-08T05:30", "2026-11-01T04:30"),
    "America/Santiago": ("2026-09-06T04:00", "2026-04-05T03:00"),
    "Africa/Casablanca": ("2026-03-22T02:00", "2026-02-15T02:00"),
}


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(CHANGES)),
    which=st.integers(0, 1),
    lead=st.integers(-180, 180),
    minute=field(0, 59),
    hour=field(0, 4),
)
def test_around_a_change_of_the_clock_each_wall_time_fires_once_and_a_missing_one_never(
    name: str, which: int, lead: int, minute: str, hour: str
) -> None:
    """The slow search walks instants minute by minute and fires on each wall time's first showing (OJS Cron 5.2)."""
    zone, expression = zones.find(name), f"{minute} {hour} * * *"
    start = datetime.fromisoformat(CHANGES[name][which]).replace(tzinfo=UTC) + timedelta(minutes=lead)
    begin = int(start.timestamp()) * 1000
    expected: list[int] = []
    for at in range(begin - 180 * 60_000, begin + 600 * 60_000, 60_000):
        wall = zones.to_wall(at, zone)
        if at > begin and not wall.fold and matches(expression, wall):
            expected.append(at)
    found: list[int] = []
    at = begin
    while (run := parse(expression).next_run(at, zone)) is not None and run.at < begin + 600 * 60_000:
        found.append(run.at)
        at = run.at
    assert found == expected


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="0123456789*/,-LW#@ MONJANevry.", max_size=30), start=INSTANTS)
def test_any_text_is_read_or_refused_with_a_reason_and_what_is_read_runs_forward(
    text: str, start: int
) -> None:
    try:
        parsed = parse(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - both outcomes are right; the refusal must say why
        return
    run = parsed.next_run(start, UTC, start)
    assert run is None or run.at > start
