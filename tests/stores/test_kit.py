"""The store kit: whatever is asked of a store over a database, in any order, it answers as the one in memory does."""

from __future__ import annotations

import os
import pickle
from collections import Counter
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine import Job, MemoryStore
from engine import lifecycle as life
from engine.retry import DEFAULT, RetryPolicy
from playground.stores.store import DatabaseStore
from tests.stores.conftest import Open, check_sets

QUEUES = ["alpha", "beta", "\\0 \0 \ud800"]
STATES = list(life.STATES)
KINDS = ["queue", "limit", "worker"]
KEYS = ["a", "b", "Schlüssel \\ \0 \udfff", "long " * 300]
UNIQUE = [None, None, "u1", "u2"]
TYPES = ["some.type", "other \0 type"]
LANES = [None, None, "k1", "k2"]
DAY = 86_400_000
EXAMPLES = int(os.environ.get("OJS_STORE_EXAMPLES", "16"))
"""How many sequences are tried; more than CI has time for, by the environment."""

jobs = st.fixed_dictionaries(
    {
        "queue": st.sampled_from(QUEUES),
        "priority": st.integers(-2, 2),
        "boost": st.integers(0, 1),
        "turn": st.integers(0, 2),
        "unique_key": st.sampled_from(UNIQUE),
        "limit_key": st.sampled_from(LANES),
        "meta": st.sampled_from([None, {}, {"tenant_id": "acme", "x": [1, 2.5, "\0\ud800é", None, True]}]),
        "type": st.sampled_from(TYPES),
        "retry": st.sampled_from([DEFAULT, RetryPolicy(), RetryPolicy(non_retryable=("a", "b.*"))]),
    }
)


PHASES = (Phase.explicit, Phase.reuse, Phase.generate) + (
    (Phase.shrink,) if "OJS_STORE_EXAMPLES" in os.environ else ()
)
"""Shrinking over a database takes minutes; it is for whoever looks into a failure."""


class StoreMachine(RuleBasedStateMachine):
    """Does the same to both stores."""

    again: Open

    def __init__(self) -> None:
        super().__init__()
        self.sql = self.again()
        with self.sql.transaction():
            self.sql.clear()
        self.sql.commit()
        self.model = MemoryStore()
        self.kept = pickle.dumps(self.model)
        self.time = 0
        self.made = 0
        self.moved: set[str] = set()
        """Jobs that have changed queues: the order of creation within a queue is only the database's to know."""

    @property
    def both(self) -> tuple[MemoryStore, DatabaseStore]:
        """The model, and what is tested."""
        return self.model, self.sql

    def some(self, index: int) -> tuple[Job, Job]:
        """The same job of both."""
        known = self.model.jobs(limit=1000, newest=False)
        job = known[index % len(known)]
        return job, cast("Job", self.sql.get(job.id))

    # jobs

    @rule(fields=jobs, state=st.sampled_from(STATES), due=st.integers(1, 5))
    def add(self, fields: dict[str, Any], state: str, due: int) -> None:
        """Insert a job in some state."""
        self.made += 1
        self.time += 1
        key = f"0190{self.made:08d}"
        assert self.model.next_seq() == self.sql.next_seq()
        for store in self.both:
            job = Job(key, args=[1, {"a": None}], created_at=self.time, seq=self.made, **fields)
            self._put(job, state, due)
            store.add(job)

    def _put(self, job: Job, state: str, due: int) -> None:
        job.state = state
        job.reserved_until = self.time + due if state == life.ACTIVE else None
        job.scheduled_at = self.time + due if state == life.SCHEDULED else None
        job.next_attempt_at = self.time + due if state == life.RETRYABLE else None
        job.prune_at = self.time + DAY if state in life.TERMINAL else None
        job.dead_letter = state == life.DISCARDED and due > 2
        job.error = {"type": f"E{due}", "message": "\0"} if state == life.DISCARDED else None
        job.discarded_at = self.time if state == life.DISCARDED else None
        job.path += self.time, "MOVE", state

    @precondition(lambda self: self.made)
    @rule(index=st.integers(0, 99), state=st.sampled_from(STATES), due=st.integers(1, 5))
    def save(self, index: int, state: str, due: int) -> None:
        """Change a job, its state perhaps."""
        if not self.model.jobs():
            return
        self.time += 1
        seq = self.model.next_seq()
        assert self.sql.next_seq() == seq
        for store, job in zip(self.both, self.some(index), strict=True):
            was = job.state
            if was != state:
                self._put(job, state, due)
                job.seq = seq
            else:
                job.progress = {"progress": due / 7}
            store.save(job, was)

    @precondition(lambda self: self.model.jobs())
    @rule(index=st.integers(0, 99), queue=st.sampled_from(QUEUES))
    def move_queue(self, index: int, queue: str) -> None:
        """Put a job elsewhere."""
        pair = self.some(index)
        self.moved.add(pair[0].id)
        for store, job in zip(self.both, pair, strict=True):
            store.move_queue(job, queue)

    @precondition(lambda self: self.model.jobs())
    @rule(index=st.integers(0, 99), priority=st.integers(-3, 3))
    def prioritise(self, index: int, priority: int) -> None:
        """Give a job another priority."""
        for store, job in zip(self.both, self.some(index), strict=True):
            store.prioritise(job, priority)

    @precondition(lambda self: self.model.jobs())
    @rule(index=st.integers(0, 99))
    def delete(self, index: int) -> None:
        """Remove a job."""
        for store, job in zip(self.both, self.some(index), strict=True):
            store.delete(job)

    @rule(queue=st.sampled_from(QUEUES))
    def delete_queue(self, queue: str) -> None:
        """Forget an empty queue."""
        if not any(self.model.counts(queue).values()):
            self.model.delete_queue(queue)
            self.sql.delete_queue(queue)

    @rule(queue=st.sampled_from(QUEUES), lane=st.sampled_from([None, "k1", "k2", "none"]))
    def claim(self, queue: str, lane: str | None) -> None:
        """The same job is next, also for those that take one lane only; then it is claimed."""
        admit = None if lane is None else (lambda job: job.limit_key == lane)
        pair = [store.claim(queue, admit) for store in self.both]
        assert same(*pair)
        self.time += 1
        for store, job in zip(self.both, pair, strict=True):
            if job is not None:
                self._put(job, life.ACTIVE, 3)
                store.save(job, life.AVAILABLE)

    # time and records

    @rule(
        kind=st.sampled_from(KINDS), key=st.sampled_from(KEYS), wait=st.one_of(st.none(), st.integers(0, 9))
    )
    def set_timer(self, kind: str, key: str, wait: int | None) -> None:
        """Set, move or remove a timer."""
        for store in self.both:
            store.set_timer(kind, key, None if wait is None else self.time + wait)

    @rule(wait=st.integers(0, 8))
    def pop_due(self, wait: int) -> None:
        """All that is due comes at the same instants; the order within one is the store's own."""
        self.time += wait
        popped: list[list[tuple[int, str, str]]] = []
        for store in self.both:
            mine: list[tuple[int, str, str]] = []
            while (due := store.pop_due(self.time)) is not None:
                mine.append(due)
            popped.append(list(dict.fromkeys(mine)))
        assert [at for at, *_ in popped[0]] == [at for at, *_ in popped[1]]
        assert sorted(popped[0]) == sorted(popped[1])
        for _, kind, key in sorted(popped[0]):
            if kind == "job":
                for store in self.both:
                    job = cast("Job", store.get(key))
                    was = job.state
                    self._put(job, life.CANCELLED if was != life.CANCELLED else life.COMPLETED, 1)
                    store.save(job, was)

    @rule(kind=st.sampled_from(KINDS), key=st.sampled_from(KEYS), value=st.integers())
    def put_record(self, kind: str, key: str, value: int) -> None:
        """Insert or replace a record."""
        for store in self.both:
            found = store.record(kind, key) or {"many": []}
            found["many"].append([value, "\ud800\0", 0.1])
            store.put_record(kind, key, found)

    @rule(kind=st.sampled_from(KINDS), key=st.sampled_from(KEYS))
    def delete_record(self, kind: str, key: str) -> None:
        """Remove a record."""
        assert self.model.delete_record(kind, key) == self.sql.delete_record(kind, key)

    # turns

    @rule()
    def commit(self) -> None:
        """End the turn."""
        self.sql.commit()
        self.kept = pickle.dumps(self.model)

    @rule()
    def restart(self) -> None:
        """Another process opens the database and goes on."""
        self.commit()
        self.sql.close()
        self.sql = self.again()

    @rule()
    def crash(self) -> None:
        """The process ends without a commit: what came after the last one has not happened."""
        self.sql.close()
        self.sql = self.again()
        self.model = pickle.loads(self.kept)  # noqa: S301 - its own bytes

    @rule()
    def undo(self) -> None:
        """The turn is taken back."""
        self.sql.undo()
        self.model = pickle.loads(self.kept)  # noqa: S301 - its own bytes

    # what must be the same

    @invariant()
    def counts_agree(self) -> None:
        """Every number."""
        model, sql = self.both
        assert sql.queues() == model.queues()
        assert sql.dead_tally() == model.dead_tally()
        for queue in (None, *QUEUES, "nowhere"):
            assert sql.counts(queue) == model.counts(queue)
            assert sql.dead_count(queue) == model.dead_count(queue)
        for queue in QUEUES:
            assert sql.priorities(queue) == model.priorities(queue)

    @rule(
        states=st.one_of(st.none(), st.lists(st.sampled_from(STATES), max_size=3, unique=True)),
        queue=st.sampled_from([None, *QUEUES]),
        kind=st.sampled_from([None, None, *TYPES]),
        odd=st.booleans(),
        offset=st.integers(0, 3),
        limit=st.integers(0, 5),
        newest=st.booleans(),
    )
    def lists_agree(
        self,
        states: list[str] | None,
        queue: str | None,
        kind: str | None,
        odd: bool,
        offset: int,
        limit: int,
        newest: bool,
    ) -> None:
        """Every page of jobs."""
        keep = (lambda job: int(job.id) % 2 == 1) if odd else None
        if queue is not None and self.moved and (states is None or len(states) != 1):
            offset, limit = 0, 1000
        pages = [
            store.jobs(
                states=states, queue=queue, type=kind, keep=keep, offset=offset, limit=limit, newest=newest
            )
            for store in self.both
        ]
        if limit == 1000:
            assert Counter(job.id for job in pages[0]) == Counter(job.id for job in pages[1])
        else:
            assert [job.id for job in pages[0]] == [job.id for job in pages[1]]
        for state in states or ():
            assert same(self.sql.oldest(QUEUES[0], state), self.model.oldest(QUEUES[0], state))
        for one in (queue, None):
            letters = [[job.id for job in store.dead_letters(one, newest=newest)] for store in self.both]
            assert letters[0] == letters[1]

    @rule(
        states=st.lists(st.sampled_from(STATES), max_size=4, unique=True),
        after=st.one_of(st.none(), st.integers(0, 50)),
    )
    def unique_keys_agree(self, states: list[str], after: int | None) -> None:
        """Who holds a unique key."""
        for key in UNIQUE[2:]:
            assert same(*(store.holder(key, states, after) for store in self.both))
        held = [{job.id for job in store.holders(1000)} for store in self.both]
        assert held[0] == held[1]
        assert len(self.sql.holders(1)) == min(1, len(held[0]))

    @rule()
    def everything_agrees(self) -> None:
        """Each job by its id, each record, and what is due next."""
        model, sql = self.both
        for job in model.jobs(limit=1000):
            assert same(sql.get(job.id), job)
        for kind in KINDS:
            assert sql.records(kind) == model.records(kind)
            assert {key: sql.record(kind, key) for key in KEYS} == {
                key: model.record(kind, key) for key in KEYS
            }
        assert sql.next_due() == model.next_due()
        assert sql.get("\0 nobody \ud800") is None

    def teardown(self) -> None:
        """Let go of the database."""
        try:
            self.everything_agrees()
            self.sql.commit()
            check_sets(self.sql)
        finally:
            self.sql.close()


def same(one: Job | None, other: Job | None) -> bool:
    """Whether two jobs say the same in everything, also in whether the policy is the default one."""
    if one is None or other is None:
        return one is other
    return all(getattr(one, name) == getattr(other, name) for name in Job.__slots__) and (
        (one.retry is DEFAULT) == (other.retry is DEFAULT)
    )


@pytest.mark.parametrize("room", [2, 10_000], ids=["crowded", "roomy"])
def test_the_store_answers_as_the_one_in_memory_does(
    reopen: Open, where: str, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where hardly anything stays in memory between turns, and everything is read in small pieces."""
    monkeypatch.setattr("playground.stores.jobs.JOBS", room)
    monkeypatch.setattr("playground.stores.records.RECORDS", room)
    for name in (
        "playground.stores.jobs.AHEAD",
        "playground.stores.jobs.PAGE",
        "playground.stores.store.PAGE",
    ):
        monkeypatch.setattr(name, min(room, 64))
    machine = type("Machine", (StoreMachine,), {"again": staticmethod(reopen)})
    examples = EXAMPLES // 4 if where.startswith("postgresql") else EXAMPLES
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
        ),
    )
