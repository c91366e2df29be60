"""The order of one queue in memory, and its lanes."""

from __future__ import annotations

from random import Random

from engine.ready import Entry, Find, ReadyQueue


def _drain(ready: ReadyQueue, alive: set[str], blocked: set[str] | None = None) -> list[str]:
    taken = []
    while True:
        found = ready.first(
            lambda entry: entry if entry[3] in alive else None,
            lambda entry: entry[3][0] not in (blocked or set()),
        )
        if found is None:
            return taken
        alive.discard(found[3])
        taken.append(found[3])


def _asked(ready: ReadyQueue, find: Find[Entry]) -> list[str]:
    asked: list[str] = []
    assert ready.first(find, lambda entry: asked.append(entry[3]) is not None) is None
    return asked


def test_jobs_come_out_in_order_whatever_lanes_they_are_in() -> None:
    random = Random(3)
    entries: list[tuple[str, Entry]] = []
    for seq in range(500):
        lane = random.choice("abc")
        entries.append((lane, (-random.randint(-3, 3), random.randint(0, 2), seq, f"{lane}{seq}")))
    random.shuffle(entries)
    ready = ReadyQueue()
    for lane, entry in entries:
        ready.push(lane, entry)
    want = [entry[3] for _, entry in sorted(entries, key=lambda item: item[1])]
    assert _drain(ready, set(want)) == want


def test_a_blocked_lane_keeps_its_place_and_holds_up_nobody_else() -> None:
    ready = ReadyQueue()
    for seq in range(6):
        lane = "ab"[seq % 2]
        ready.push(lane, (0, 0, seq, f"{lane}{seq}"))
    alive = {"a0", "b1", "a2", "b3", "a4", "b5"}
    assert _drain(ready, alive, {"a"}) == ["b1", "b3", "b5"]
    assert _drain(ready, alive) == ["a0", "a2", "a4"]


def test_ten_thousand_blocked_jobs_cost_one_question() -> None:
    ready = ReadyQueue()
    for seq in range(10_000):
        ready.push("a", (-1, 0, seq, f"a{seq}"))
    ready.push("b", (0, 0, 10_001, "b"))
    assert _asked(ready, lambda entry: entry) == ["a0", "b"]


def test_jobs_that_have_gone_are_passed_over() -> None:
    ready = ReadyQueue()
    for seq in range(100):
        ready.push("a", (0, 0, seq, f"a{seq}"))
    assert _drain(ready, {"a98", "a99"}) == ["a98", "a99"]
    assert _asked(ready, lambda _: None) == []


def test_rising_priorities_do_not_pile_up_stale_heads() -> None:
    ready = ReadyQueue()
    count = 2_000
    for seq in range(count):
        ready.push("a", (-seq, 0, seq, f"a{seq}"))
    alive = {f"a{seq}" for seq in range(count)}
    assert _drain(ready, alive) == [f"a{seq}" for seq in reversed(range(count))]
