"""Text for people from the engine's numbers."""

from __future__ import annotations

import pytest

from playground.render import clock, pretty, short, span, ticks
from tests.conftest import START


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (1_250, "1.2 s"),
        (60_000, "1 min"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h"),
        (3_600_000 + 20 * 60_000, "1 h 20 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(ms: int, text: str) -> None:
    assert span(ms) == text


def test_times_ids_and_json_are_short_and_whole() -> None:
    assert clock(START + 7_250) == "12:00:07.250"
    assert short("01900000-0000-7000-8000-0000000abcde") == "…0abcde"
    assert pretty({"name": "Zoë"}) == '{\n  "name": "Zoë"\n}'


def test_words_in_ticks_are_code_and_everything_is_escaped() -> None:
    assert ticks("say `a<b` & <i>") == "say <code>a&lt;b</code> &amp; &lt;i&gt;"
