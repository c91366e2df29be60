"""Cron expressions: what is accepted, what it matches, when it fires (OJS Cron 3 to 5)."""

from __future__ import annotations

import time

import pytest

from engine import zones
from engine.cron_expression import parse
from engine.cron_text import describe, warnings
from engine.times import format_time, parse_time

NEW_YORK = "America/New_York"


def runs(expression: str, start: str, count: int = 3, zone: str = "UTC") -> list[str]:
    at = anchor = parse_time(start)
    found: list[str] = []
    for _ in range(count):
        run = parse(expression).next_run(at, zones.find(zone), anchor)
        if run is None:
            break
        at = run.at
        found.append(format_time(at).removesuffix(":00.000Z"))
    return found


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        (
            "*/15 * * * *",
            "2026-01-01T00:05:00Z",
            ["2026-01-01T00:15", "2026-01-01T00:30", "2026-01-01T00:45"],
        ),
        (
            "1,15 0 * * *",
            "2026-01-01T00:00:00Z",
            ["2026-01-01T00:01", "2026-01-01T00:15", "2026-01-02T00:01"],
        ),
        (
            "5/20 3 * * *",
            "2026-01-01T00:00:00Z",
            ["2026-01-01T03:05", "2026-01-01T03:25", "2026-01-01T03:45"],
        ),
        (
            "0 9 * * MON-FRI",
            "2026-01-02T10:00:00Z",
            ["2026-01-05T09:00", "2026-01-06T09:00", "2026-01-07T09:00"],
        ),
        ("0 0 * * 7", "2026-01-01T00:00:00Z", ["2026-01-04T00:00", "2026-01-11T00:00", "2026-01-18T00:00"]),
        (
            "0 0 * * sat-sun",
            "2026-01-01T00:00:00Z",
            ["2026-01-03T00:00", "2026-01-04T00:00", "2026-01-10T00:00"],
        ),
        (
            "0 0 1 jan,JUL *",
            "2026-01-01T00:00:00Z",
            ["2026-07-01T00:00", "2027-01-01T00:00", "2027-07-01T00:00"],
        ),
        ("0 0 L * *", "2028-01-31T01:00:00Z", ["2028-02-29T00:00", "2028-03-31T00:00", "2028-04-30T00:00"]),
        ("0 0 15W * *", "2026-01-20T00:00:00Z", ["2026-02-16T00:00", "2026-03-16T00:00", "2026-04-15T00:00"]),
        ("0 0 1W * *", "2026-07-20T00:00:00Z", ["2026-08-03T00:00", "2026-09-01T00:00", "2026-10-01T00:00"]),
        ("0 0 31W * *", "2026-05-01T00:00:00Z", ["2026-05-29T00:00", "2026-07-31T00:00", "2026-08-31T00:00"]),
        ("0 0 LW * *", "2026-01-01T00:00:00Z", ["2026-01-30T00:00", "2026-02-27T00:00", "2026-03-31T00:00"]),
        ("0 0 * * 5L", "2026-01-01T00:00:00Z", ["2026-01-30T00:00", "2026-02-27T00:00", "2026-03-27T00:00"]),
        (
            "0 0 * * FRI#3",
            "2026-01-01T00:00:00Z",
            ["2026-01-16T00:00", "2026-02-20T00:00", "2026-03-20T00:00"],
        ),
        ("0 0 29 2 *", "2097-01-01T00:00:00Z", ["2104-02-29T00:00", "2108-02-29T00:00", "2112-02-29T00:00"]),
        ("@yearly", "2026-01-01T00:00:00Z", ["2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"]),
        ("@Daily", "2026-01-01T00:00:00Z", ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00"]),
        (
            "@every 1h30m",
            "2026-01-01T00:07:00Z",
            ["2026-01-01T01:37", "2026-01-01T03:07", "2026-01-01T04:37"],
        ),
    ],
)
def test_an_expression_fires_at_its_times(expression: str, start: str, expected: list[str]) -> None:
    assert runs(expression, start) == expected


def test_day_of_month_and_day_of_week_are_alternatives_when_both_are_restricted() -> None:
    assert runs("0 0 13 * FRI", "2026-02-01T00:00:00Z", 3) == [
        "2026-02-06T00:00",
        "2026-02-13T00:00",
        "2026-02-20T00:00",
    ]
    assert runs("0 0 13 * *", "2026-02-01T00:00:00Z", 2) == ["2026-02-13T00:00", "2026-03-13T00:00"]
    assert runs("0 0 * * FRI", "2026-02-07T00:00:00Z", 2) == ["2026-02-13T00:00", "2026-02-20T00:00"]


def test_six_fields_begin_with_the_seconds_and_five_mean_second_zero() -> None:
    assert runs("30 0 0 * * *", "2026-01-01T00:00:00Z", 1) == ["2026-01-01T00:00:30.000Z"]
    assert runs("*/20 * * * * *", "2026-01-01T00:00:01Z", 2)[0] == "2026-01-01T00:00:20.000Z"


def test_every_is_evaluated_at_most_once_a_second() -> None:
    """OJS Cron 4.1 allows 500ms, 7.3 forbids two evaluations in a second: it runs each second."""
    assert parse("@every 500ms").next_run(1_000, anchor=0) == parse("@every 1s").next_run(1_000, anchor=0)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("60 * * * *", "60 is outside 0 to 59"),
        ("* 24 * * *", "24 is outside 0 to 23"),
        ("* * 32 * *", "32 is outside 1 to 31"),
        ("* * 0 * *", "0 is outside 1 to 31"),
        ("* * * 13 *", "13 is outside 1 to 12"),
        ("* * * * 8", "8 is outside 0 to 7"),
        ("*/0 * * * *", "a step must be from 1 to 60, not 0"),
        ("*/61 * * * *", "a step must be from 1 to 60, not 61"),
        ("*/x * * * *", "the step 'x' is not a number"),
        ("5-1 * * * *", "runs backwards"),
        ("1- * * * *", "'' is not a number"),
        ("1,,2 * * * *", "'' is not a number"),
        ("a * * * *", "'a' is not a number"),
        ("* * * FOO *", "JAN to DEC"),
        ("* * * * L", "L needs a weekday"),
        ("* * * * 5#6", "# is followed by 1 to 5"),
        ("* * 5#1 * *", "# belongs to the day of week"),
        ("* * * *", "must have 5 fields"),
        ("* * * * * * *", "must have 5 fields"),
        ("", "must have 5 fields"),
        ("@fortnightly", "is not one of"),
        ("@every", "has the interval ''"),
        ("@every 0s", "must have an interval from 1ms"),
        ("@every -5m", "has the interval '-5m'"),
        ("@every 5", "has the interval '5'"),
        ("@every 5d", "has the interval '5d'"),
        ("\u0661 * * * *", "is not a number"),
        ("1," * 600 + "1 * * * *", "is longer than 1000 characters"),
    ],
)
def test_a_malformed_expression_is_refused_and_the_message_says_where(expression: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse(expression)
    assert why in str(error.value)


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30W FEB *"])
def test_an_expression_that_can_never_fire_is_told_at_once(expression: str) -> None:
    begin = time.perf_counter()
    assert parse(expression).next_run(0) is None
    assert time.perf_counter() - begin < 2


def test_a_far_run_is_found_all_the_same() -> None:
    """A fifth Friday in February: 2072, 2080 is none, and so on; 2100 is no leap year."""
    assert runs("0 0 * 2 FRI#5", "2073-01-01T00:00:00Z", 2) == ["2092-02-29T00:00", "2104-02-29T00:00"]


def test_the_year_9999_ends_the_search() -> None:
    assert parse("0 0 1 1 *").next_run(parse_time("9999-06-01T00:00:00Z")) is None


def test_a_wall_time_in_the_spring_gap_does_not_fire_and_is_reported() -> None:
    run = parse("30 2 * * *").next_run(parse_time("2026-03-07T12:00:00Z"), zones.find(NEW_YORK))
    assert run is not None
    assert format_time(run.at) == "2026-03-09T06:30:00.000Z"
    assert run.gap is not None
    assert (run.gap.wall, format_time(run.gap.at)) == ("2026-03-08T02:30:00", "2026-03-08T07:00:00.000Z")


def test_a_wall_time_in_the_repeated_hour_fires_once_at_its_first_showing() -> None:
    assert runs("30 1 * * *", "2026-10-31T12:00:00Z", 2, NEW_YORK) == ["2026-11-01T05:30", "2026-11-02T06:30"]


def test_from_within_the_second_pass_nothing_of_the_repeated_hour_fires_again() -> None:
    assert runs("*/30 * * * *", "2026-11-01T06:10:00Z", 2, NEW_YORK) == [
        "2026-11-01T07:00",
        "2026-11-01T07:30",
    ]


def test_nine_in_new_york_is_another_instant_in_summer() -> None:
    assert runs("0 9 * * *", "2026-01-01T15:00:00Z", 1, NEW_YORK) == ["2026-01-02T14:00"]
    assert runs("0 9 * * *", "2026-07-01T15:00:00Z", 1, NEW_YORK) == ["2026-07-02T13:00"]


def test_a_day_that_a_country_skipped_does_not_fire() -> None:
    found = runs("0 0 * * *", "2011-12-29T00:00:00Z", 3, "Pacific/Apia")
    assert found == ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("+05:00", "a fixed offset"),
        ("-08:00", "a fixed offset"),
        ("UTC+5", "a fixed offset"),
        ("GMT-0", "a fixed offset"),
        ("EST", "an abbreviation is ambiguous"),
        ("PST", "an abbreviation is ambiguous"),
        ("CST", "an abbreviation is ambiguous"),
        ("Mars/Olympus", "is not in the IANA time zone database"),
        ("America", "is not in the IANA time zone database"),
        ("posix/UTC", "must be an IANA time zone name"),
        ("../etc/passwd", "must be an IANA time zone name"),
        ("", "must be an IANA time zone name"),
    ],
)
def test_only_iana_names_are_zones(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        zones.find(name)
    assert why in str(error.value)


def test_zones_are_found_where_only_the_tzdata_package_is_installed() -> None:
    import zoneinfo  # noqa: PLC0415 - its search path is what this test changes

    before = zoneinfo.TZPATH
    zones.find.cache_clear()
    zoneinfo.reset_tzpath(to=())
    try:
        assert str(zones.find("Europe/Vienna")) == "Europe/Vienna"
    finally:
        zoneinfo.reset_tzpath(to=before)
        zones.find.cache_clear()


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("* * * * *", "Every minute (UTC)."),
        ("*/5 * * * *", "Every 5 minutes (UTC)."),
        ("@hourly", "Every hour on the hour (UTC)."),
        ("7,22 * * * *", "Every hour at minutes 7 and 22 (UTC)."),
        ("0 9,17 * * MON-FRI", "At 09:00 and 17:00 on Monday to Friday (UTC)."),
        ("*/10 9-17 * * *", "Every 10 minutes during hours 9 to 17 (UTC)."),
        ("0 9-17 * * *", "On the hour during hours 9 to 17 (UTC)."),
        ("0 23 L * *", "At 23:00 on the last day of the month (UTC)."),
        ("0 0 15W * *", "At 00:00 on the weekday nearest day 15 (UTC)."),
        ("0 0 * * 5#3", "At 00:00 on the third Friday of the month (UTC)."),
        ("0 0 13 * FRI", "At 00:00 on day 13 of the month or Friday (UTC)."),
        ("0 0 1 1,7 *", "At 00:00 on day 1 of the month in January and July (UTC)."),
        ("*/10 * * * * *", "Every 10 seconds (UTC)."),
        ("15 30 8 * * *", "At 08:30:15 (UTC)."),
        ("@every 30m", "Every 30 minutes, counted from registration."),
        ("@every 1m", "Every minute, counted from registration."),
        ("@every 1h30m", "Every 1 hour and 30 minutes, counted from registration."),
        ("@every 500ms", "Every 500 milliseconds, counted from registration, at most once a second."),
    ],
)
def test_an_expression_reads_as_a_sentence(expression: str, sentence: str) -> None:
    assert describe(parse(expression)) == sentence


def test_a_day_that_some_months_lack_is_a_warning_and_no_refusal() -> None:
    assert warnings(parse("0 0 31 * *")) == [
        "Day 31 does not exist in February, April, June, September and November; there is no run on it then."
    ]
    assert warnings(parse("0 0 31 1 *")) == []
    assert warnings(parse("0 0 29 2 *")) == ["Day 29 does not exist in February; there is no run on it then."]
