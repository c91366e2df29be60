"""The memory store keeps its promises: order, counts, due times, unique keys, records."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Job, MemoryStore
from engine import lifecycle as life


def _job(number: int, state: str = life.AVAILABLE, **fields: Any) -> Job:
    job = Job(f"id-{number:04d}", "t", [], seq=number, created_at=number, **fields)
    job.state = state
    return job


def _store(*jobs: Job) -> MemoryStore:
    store = MemoryStore()
    for job in jobs:
        store.add(job)
    return store


def _claim_all(store: MemoryStore, queue: str = "default") -> list[str]:
    taken = []
    while (job := store.claim(queue, None)) is not None:
        job.state = life.ACTIVE
        store.save(job, life.AVAILABLE)
        taken.append(job.id)
    return taken


def test_claims_go_by_priority_then_turn_then_arrival() -> None:
    jobs = [
        _job(1),
        _job(2, priority=5),
        _job(3, turn=-1),
        _job(4, boost=5),
        _job(5, priority=-5),
    ]
    assert _claim_all(_store(*jobs)) == ["id-0002", "id-0004", "id-0003", "id-0001", "id-0005"]


def test_a_claim_that_is_not_admitted_keeps_its_place() -> None:
    store = _store(_job(1, limit_key="a"), _job(2, limit_key="b"))
    found = store.claim("default", lambda job: job.limit_key == "b")
    assert found is not None
    assert found.id == "id-0002"
    assert _claim_all(store) == ["id-0001", "id-0002"]


def test_a_changed_priority_counts_at_once() -> None:
    low = _job(1)
    store = _store(low, _job(2, priority=1))
    store.prioritise(low, 9)
    assert _claim_all(store) == ["id-0001", "id-0002"]


def test_counts_follow_every_move() -> None:
    job = _job(1)
    store = _store(job, _job(2, queue="other"))
    job.state = life.ACTIVE
    store.save(job, life.AVAILABLE)
    assert store.counts("default")[life.ACTIVE] == 1
    assert store.counts()[life.AVAILABLE] == 1
    assert store.counts("nowhere") == dict.fromkeys(life.STATES, 0)
    store.delete(job)
    assert store.counts("default")[life.ACTIVE] == 0
    assert store.queues() == ["default", "other"]


def test_a_job_moved_to_another_queue_is_claimed_there() -> None:
    job = _job(1)
    store = _store(job, _job(2))
    store.move_queue(job, "other")
    assert _claim_all(store) == ["id-0002"]
    assert _claim_all(store, "other") == ["id-0001"]
    assert [one.id for one in store.jobs(queue="other")] == ["id-0001"]


def test_a_unique_key_finds_the_newest_holder_in_the_states_asked_for() -> None:
    old, new = _job(1, life.COMPLETED, unique_key="k"), _job(2, life.ACTIVE, unique_key="k")
    store = _store(old, new, _job(3, unique_key="other"))
    assert store.holder("k", life.NON_TERMINAL, None) is new
    assert store.holder("k", [life.COMPLETED, life.ACTIVE], None) is new
    assert store.holder("k", [life.COMPLETED], None) is old
    assert store.holder("k", [life.COMPLETED], 1) is None
    assert store.holder("k", [life.PENDING], None) is None
    store.delete(new)
    assert store.holder("k", life.STATES, None) is old


def test_the_oldest_of_a_state_is_the_one_that_entered_it_first() -> None:
    one, two = _job(1), _job(2)
    store = _store(one, two)
    for job in (two, one):
        job.state = life.ACTIVE
        store.save(job, life.AVAILABLE)
    assert store.oldest("default", life.ACTIVE) is two
    assert store.oldest("default", life.PENDING) is None


def test_dead_letters_are_kept_apart_and_counted_by_queue_and_error() -> None:
    kinds = [("a", "X"), ("b", "Y"), ("a", "Y")]
    jobs = [
        _job(n, life.DISCARDED, queue=queue, dead_letter=True, discarded_at=n, error={"type": kind})
        for n, (queue, kind) in enumerate(kinds)
    ]
    store = _store(*jobs, _job(9, life.DISCARDED, queue="a"))
    assert list(store.dead_letters()) == jobs[::-1]
    assert list(store.dead_letters("a", newest=False)) == [jobs[0], jobs[2]]
    assert (store.dead_count(), store.dead_count("a"), store.dead_count("none")) == (3, 2, 0)
    assert store.dead_tally() == {"a": {"X": 1, "Y": 1}, "b": {"Y": 1}}
    oldest = store.oldest("a", life.DISCARDED)
    assert oldest is not None
    assert oldest.id == "id-0009"
    jobs[0].state, jobs[0].dead_letter, jobs[0].error = life.AVAILABLE, False, None
    store.save(jobs[0], life.DISCARDED)
    assert store.dead_tally() == {"a": {"Y": 1}, "b": {"Y": 1}}


@pytest.mark.parametrize("newest", [True, False])
def test_a_page_is_a_slice_of_the_whole_list(newest: bool) -> None:
    store = _store(*(_job(n, queue="ab"[n % 2]) for n in range(10)))
    whole = [job.id for job in store.jobs(newest=newest)]
    assert whole == sorted(whole, reverse=newest)
    assert [job.id for job in store.jobs(newest=newest, limit=3, offset=4)] == whole[4:7]
    assert [job.id for job in store.jobs(newest=newest, queue="a")] == [
        one for one in whole if int(one[-1]) % 2 == 0
    ]
    assert [job.id for job in store.jobs(newest=newest, states=[life.AVAILABLE], type="t")] == whole
    assert store.jobs(type="other") == store.jobs(states=[]) == []


def test_due_things_come_out_in_order_and_moved_ones_only_once() -> None:
    job = _job(1, life.SCHEDULED, scheduled_at=50)
    store = _store(job)
    store.set_timer("x", "one", 30)
    store.set_timer("x", "two", 20)
    store.set_timer("x", "one", 60)
    store.set_timer("x", "two", None)
    assert store.next_due() == 50
    assert store.pop_due(49) is None
    assert store.pop_due(100) == (50, "job", "id-0001")
    job.state = life.AVAILABLE
    store.save(job, life.SCHEDULED)
    assert store.pop_due(100) == (60, "x", "one")
    assert store.pop_due(100) is None


def test_heartbeats_do_not_pile_up_stale_timers() -> None:
    store = MemoryStore()
    for at in range(10_000):
        store.set_timer("worker", "w", at)
    assert store._due.size < 200


def test_records_keep_their_order_and_can_be_replaced_and_deleted() -> None:
    store = MemoryStore()
    store.put_record("k", "b", {"n": 1})
    store.put_record("k", "a", {"n": 2})
    store.put_record("k", "b", {"n": 3})
    assert store.records("k") == [("b", {"n": 3}), ("a", {"n": 2})]
    assert store.delete_record("k", "b")
    assert not store.delete_record("k", "b")
    assert store.record("k", "b") is None


def test_clear_leaves_nothing() -> None:
    store = _store(_job(1))
    store.set_timer("x", "y", 1)
    store.put_record("k", "a", {})
    store.clear()
    assert (store.jobs(), store.next_due(), store.records("k"), store.queues()) == ([], None, [], [])


def test_a_transaction_holds_no_error_back() -> None:
    with pytest.raises(ValueError, match="out"), MemoryStore().transaction():
        raise ValueError("out {0}")
