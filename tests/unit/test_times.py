"""RFC 3339 instants and ISO 8601 durations, in and out."""

from __future__ import annotations

import pytest

from engine import times


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00.000Z"),
        ("2026-03-01t09:00:00z", "2026-03-01T09:00:00.000Z"),
        ("2026-03-01T09:00:00+02:00", "2026-03-01T07:00:00.000Z"),
        ("2026-03-01T09:00:00-05:30", "2026-03-01T14:30:00.000Z"),
        ("2026-03-01T09:00:00.25Z", "2026-03-01T09:00:00.250Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_reads_and_writes_in_utc(text: str, same: str) -> None:
    assert times.format_time(times.parse_time(text)) == same


def test_digits_finer_than_a_millisecond_round_up_so_that_nothing_runs_early() -> None:
    assert times.parse_time("2026-03-01T09:00:00.000000001Z") % 1000 == 1
    assert times.parse_time("2026-03-01T09:00:00.999999999Z") % 1000 == 0


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:00:00",
        "2026-03-01",
        "2026-02-30T09:00:00Z",
        "2026-13-01T09:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T09:00:00+25:00",
        "2026-03-01T09:00:00.0000000001Z",
        "0000-01-01T00:00:00Z",
        "٢٠٢٦-03-01T09:00:00Z",
        "tomorrow",
        "",
    ],
)
def test_anything_else_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|date"):
        times.parse_time(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("PT0.5S", 500),
        ("PT0,5S", 500),
        ("PT1S", 1_000),
        ("PT5M", 300_000),
        ("PT1H30M", 5_400_000),
        ("P1D", 86_400_000),
        ("P1W", 604_800_000),
        ("P1M", 2_592_000_000),
        ("P1Y", 31_536_000_000),
        ("P1DT1S", 86_401_000),
        ("PT0S", 0),
    ],
)
def test_a_duration_is_read_in_milliseconds(text: str, ms: int) -> None:
    assert times.parse_duration(text) == ms


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "5 minutes", "PT5", "-PT5S", "PT1.5H", "P200Y", "pt5s", "PT5S "]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|hundred years"):
        times.parse_duration(text)


@pytest.mark.parametrize("ms", [0, 1, 500, 999, 1_000, 59_999, 60_000, 3_600_000, 90_061_001])
def test_a_written_duration_reads_back_the_same(ms: int) -> None:
    assert times.parse_duration(times.format_duration(ms)) == ms


@pytest.mark.parametrize("text", ["+PT2S", "PT2S"])
def test_a_relative_time_counts_from_now(text: str) -> None:
    assert times.parse_when(text, 5_000) == 7_000
