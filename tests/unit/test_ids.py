"""UUIDv7s that sort in the order in which they were made, and that a replay makes again (RFC 9562 5.7)."""

from __future__ import annotations

from random import Random

from engine.ids import UUID7, IdSource

NOW = 1_772_366_400_000


def test_ids_are_lower_case_uuid7s_of_their_instant() -> None:
    made = IdSource(Random(1)).uuid7(NOW)
    assert UUID7.match(made)
    assert int(made[:8] + made[9:13], 16) == NOW


def test_ids_of_one_millisecond_sort_in_the_order_in_which_they_were_made() -> None:
    source = IdSource(Random(1))
    made = [source.uuid7(NOW) for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_clock_that_goes_back_does_not_break_the_order() -> None:
    source = IdSource(Random(1))
    first = source.uuid7(NOW)
    assert source.uuid7(NOW - 60_000) > first


def test_the_same_seed_makes_the_same_ids() -> None:
    one, other = IdSource(Random(9)), IdSource(Random(9))
    assert [one.uuid7(NOW + n) for n in range(50)] == [other.uuid7(NOW + n) for n in range(50)]


def test_upper_case_and_other_versions_are_no_ids() -> None:
    made = IdSource(Random(1)).uuid7(NOW)
    assert not UUID7.match(made.upper())
    assert not UUID7.match(made[:14] + "4" + made[15:])
    assert not UUID7.match(made + "0")
