"""What is due comes out in order, whatever happens to it meanwhile."""

from __future__ import annotations

from random import Random

from engine.agenda import Agenda, Due


def _drain(agenda: Agenda, gone: set[Due] | None = None) -> list[tuple[int, Due]]:
    found = []
    while (first := agenda.first(lambda _, due: due not in (gone or set()))) is not None:
        found.append(first)
        agenda.drop_first()
    return found


def test_entries_come_out_by_instant_and_then_by_arrival() -> None:
    random, agenda = Random(5), Agenda()
    added = [(random.randint(0, 20), f"job{number}") for number in range(200)]
    for at, due in added:
        agenda.add(at, due)
    assert _drain(agenda) == sorted(added, key=lambda entry: entry[0])
    assert agenda.size == 0


def test_what_is_added_while_its_instant_is_under_way_comes_last() -> None:
    agenda = Agenda()
    for due in "ab":
        agenda.add(7, due)
    assert agenda.first(lambda *_: True) == (7, "a")
    agenda.add(7, "c")
    agenda.add(6, ("cron", "early"))
    assert _drain(agenda) == [(6, ("cron", "early")), (7, "a"), (7, "b"), (7, "c")]


def test_stale_entries_are_dropped_as_they_surface_or_all_at_once() -> None:
    agenda = Agenda()
    for number in range(10):
        agenda.add(number // 2, f"job{number}")
    gone: set[Due] = {f"job{number}" for number in range(7)}
    assert agenda.first(lambda _, due: due not in gone) == (3, "job7")
    assert agenda.size == 3
    agenda.add(4, "job9")
    agenda.prune(lambda _, due: due == "job9")
    assert agenda.size == 1
    assert _drain(agenda) == [(4, "job9")]
