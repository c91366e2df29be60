"""The engine's invariants under any sequence of commands, workers, lost acknowledgements and clock jumps.

One state at a time, legal moves only, exclusive claims, attempts that only rise, nothing lost, unique keys and
limits that hold, priority then arrival.
"""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine import Engine, Job
from engine import lifecycle as life
from engine.clock import ManualClock
from engine.errors import Conflict, Duplicate, OJSError

START = 1_772_366_400_000
QUEUES = ["alpha", "beta"]
WORKERS = ["w1", "w2", "w3", None]
TENANTS = [None, "acme", "globex"]
LIMIT = 2

policies = st.fixed_dictionaries(
    {
        "max_attempts": st.integers(0, 3),
        "initial_interval_ms": st.integers(1, 60_000),
        "jitter": st.booleans(),
        "on_exhaustion": st.sampled_from(["discard", "dead_letter"]),
    }
)
optional: dict[str, Any] = {
    "retry": policies,
    "priority": st.integers(-2, 2),
    "scheduled_at": st.sampled_from(["+PT1S", "+PT1M", "+PT1H"]),
    "expires_at": st.sampled_from(["+PT1S", "+PT10M"]),
    "timeout_ms": st.integers(1, 100_000),
    "heartbeat_timeout_ms": st.integers(1, 100_000),
    "enqueue_ttl_ms": st.integers(1, 1_000_000),
    "pending": st.booleans(),
    "visibility_timeout_ms": st.integers(1, 100_000),
    "unique": st.fixed_dictionaries(
        {
            "keys": st.just(["type"]),
            "on_conflict": st.sampled_from(["reject", "ignore", "replace", "replace_except_schedule"]),
        }
    ),
    "rate_limit": st.fixed_dictionaries(
        {
            "key": st.sampled_from(["k1", "k2"]),
            "concurrency": st.just(LIMIT),
            "on_limit": st.sampled_from(["wait", "drop", "reschedule"]),
        }
    ),
}
bodies = st.fixed_dictionaries(
    {"type": st.sampled_from(["a", "b"]), "args": st.just([]), "queue": st.sampled_from(QUEUES)},
    optional=optional,
)


class EngineMachine(RuleBasedStateMachine):
    """Drives an engine, and remembers what it has been told."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(START)
        self.engine = self.start()
        self.known: dict[str, int] = {}
        """Moves already seen of each job."""
        self.seen: set[str] = set()
        self.attempts: dict[str, int] = {}
        self.held: dict[str, str | None] = {}
        """Who fetched each job that has been active since."""
        self.revived: set[str] = set()
        """Unique keys of jobs that were retried by hand, which is not checked again."""

    def start(self) -> Engine:
        """The engine; over a store that outlives it, what this machine does must look the same."""
        return Engine(self.clock, seed=5)

    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        return self.engine.store.jobs(limit=10_000, newest=False)

    def pick(self, index: int) -> Job:
        """Some job."""
        jobs = self.jobs()
        return jobs[index % len(jobs)]

    # commands

    @rule(body=bodies, tenant=st.sampled_from(TENANTS))
    def push(self, body: dict[str, Any], tenant: str | None) -> None:
        """Enqueue a job; a duplicate adds none."""
        if tenant is not None:
            body = {**body, "meta": {"tenant_id": tenant}}
        before = len(self.jobs())
        try:
            pushed = self.engine.push(body)
        except Duplicate:
            assert len(self.jobs()) == before
            return
        assert len(self.jobs()) == before + (not pushed.duplicate)

    @rule(raw=st.lists(bodies, min_size=1, max_size=5), broken=st.booleans())
    def push_batch(self, raw: list[dict[str, Any]], broken: bool) -> None:
        """Enqueue a batch: all of it or nothing."""
        before = self.engine.store.counts()
        try:
            answers = self.engine.push_many([*raw, {"type": "BAD"}] if broken else raw)
        except OJSError:
            assert self.engine.store.counts() == before
            return
        assert not broken
        assert len(answers) == len(raw)

    @rule(
        queues=st.permutations(QUEUES),
        worker=st.sampled_from(WORKERS),
        count=st.integers(1, 4),
        strategy=st.sampled_from(["strict", "round-robin"]),
        tenant=st.sampled_from(TENANTS),
    )
    def fetch(
        self, queues: list[str], worker: str | None, count: int, strategy: str, tenant: str | None
    ) -> None:
        """Claim jobs: nobody else's, and in the right order."""
        self.engine.advance()
        active = {job.id for job in self.jobs() if job.state == life.ACTIVE}
        waiting = [job for job in self.jobs() if job.state == life.AVAILABLE]
        places = {job.id: (-job.priority, job.seq) for job in waiting}
        got = self.engine.fetch(queues, count, worker, tenant=tenant, wish={"strategy": strategy})
        for job in got:
            assert job.id not in active, "a claimed job was handed out again"
            assert tenant in {None, job.tenant}
            ahead = [
                one
                for one in waiting
                if one.queue == job.queue
                and one.state == life.AVAILABLE
                and one.limit_key is None
                and tenant in {None, one.tenant}
                and places[one.id] < places[job.id]
            ]
            assert not ahead, "a job overtook one of higher priority, or an older one"
            self.held[job.id] = worker
        assert len({job.id for job in got}) == len(got) <= count

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 50), twice=st.booleans(), stranger=st.booleans())
    def ack(self, index: int, twice: bool, stranger: bool) -> None:
        """Complete a job, perhaps twice (the first reply was lost), perhaps as somebody who does not hold it."""
        job_id = list(self.held)[index % len(self.held)]
        worker = "stranger" if stranger else self.held[job_id]
        job = self.engine.info(job_id)
        holds = job.state == life.ACTIVE and (None in {worker, job.worker_id} or worker == job.worker_id)
        for again in (False, True) if twice else (False,):  # the second one: the reply to the first was lost
            try:
                self.engine.ack(job_id, {"ok": True}, worker)
                assert holds
                assert not again
            except Conflict:
                assert again or not holds

    @precondition(lambda self: self.held)
    @rule(
        index=st.integers(0, 50),
        code=st.sampled_from(["boom", "RETRY", "DISCARD", "DEAD_LETTER", "FAIL"]),
        requeue=st.booleans(),
    )
    def fail(self, index: int, code: str, requeue: bool) -> None:
        """Report a failure, or hand the job back."""
        job_id = list(self.held)[index % len(self.held)]
        holds = self.engine.info(job_id).state == life.ACTIVE
        try:
            self.engine.fail(job_id, {"code": code, "message": "x"}, requeue=requeue)
            assert holds
        except Conflict:
            assert not holds

    @precondition(lambda self: self.seen)
    @rule(index=st.integers(0, 200), operation=st.sampled_from(["cancel", "activate", "retry"]))
    def operate(self, index: int, operation: str) -> None:
        """What anybody may ask for at any time; a refusal changes nothing."""
        job = self.pick(index)
        before = job.state
        try:
            getattr(self.engine, operation)(job.id)
        except Conflict:
            assert job.state == before
        else:
            if operation == "retry" and job.unique_key is not None:
                self.revived.add(job.unique_key)

    @rule(worker=st.sampled_from(WORKERS[:3]), state=st.sampled_from(["running", "running", "quiet"]))
    def beat(self, worker: str, state: str) -> None:
        """A heartbeat that names all that the worker believes it holds."""
        mine = [job_id for job_id, holder in self.held.items() if holder == worker]
        answer = self.engine.workers.beat(worker, mine, None, {"state": state})
        assert set(answer["jobs_extended"]) | set(answer["jobs_lost"]) == set(mine)

    @rule(queue=st.sampled_from(QUEUES), pause=st.booleans())
    def pause(self, queue: str, pause: bool) -> None:
        """Pause or resume a queue; a paused one hands out nothing."""
        (self.engine.queues.pause if pause else self.engine.queues.resume)(queue)
        assert not pause or self.engine.fetch([queue]) == []

    @rule(ms=st.one_of(st.integers(-5_000, 5_000), st.integers(0, 7_200_000)))
    def time_passes(self, ms: int) -> None:
        """Let time pass, or the clock be set back a little."""
        self.clock.advance(ms)
        self.engine.advance()

    @rule()
    def snapshot(self) -> None:
        """A loaded snapshot goes on exactly as the original would."""
        twin = pickle.loads(pickle.dumps(self.engine))  # noqa: S301 - its own bytes
        body = {"type": "twin", "args": [], "queue": "twin"}
        assert twin.push(body).job.to_dict() == self.engine.push(body).job.to_dict()
        self.engine.cancel(self.engine.fetch(["twin"])[0].id)

    # invariants

    @invariant()
    def only_legal_moves_are_made(self) -> None:
        """Every new step of every path is a row of the table; attempts rise but for a retry by hand."""
        for job in self.jobs():
            source = job.trail[self.known[job.id] - 1][2] if self.known.get(job.id) else None
            for _, operation, target in job.trail[self.known.get(job.id, 0) :]:
                assert life.legal(source, operation, target), (source, operation, target)
                if operation == life.RETRY and source == life.DISCARDED:
                    self.attempts[job.id] = 0
                source = target
            assert job.state == source
            self.known[job.id] = len(job.trail)
            assert job.attempt >= self.attempts.get(job.id, 0)
            self.attempts[job.id] = job.attempt

    @invariant()
    def nothing_is_lost_and_counted_once(self) -> None:
        """Every job ever seen is there, in one state."""
        jobs = {job.id: job for job in self.jobs()}
        assert self.seen <= jobs.keys()
        self.seen |= jobs.keys()
        counts = Counter(job.state for job in jobs.values())
        assert self.engine.store.counts() == {state: counts[state] for state in life.STATES}

    @invariant()
    def a_claim_is_held_by_whoever_made_it(self) -> None:
        """An active job has the one holder that fetched it, and a reservation."""
        for job in self.jobs():
            if job.state == life.ACTIVE:
                assert job.worker_id == self.held.get(job.id)
                assert job.reserved_until is not None
            else:
                self.held.pop(job.id, None)
                assert job.reserved_until is None

    @invariant()
    def attempts_stay_within_the_policy(self) -> None:
        """A job that waits for its retry has attempts left."""
        for job in self.jobs():
            if job.state == life.RETRYABLE:
                assert job.attempt < job.max_attempts
                assert job.next_attempt_at is not None

    @invariant()
    def unique_keys_are_held_once(self) -> None:
        """No two jobs that have not ended share a unique key."""
        holders = Counter(
            job.unique_key
            for job in self.jobs()
            if job.unique_key is not None and job.state in life.NON_TERMINAL
        )
        assert all(count == 1 for key, count in holders.items() if key not in self.revived)

    @invariant()
    def limits_hold_and_their_counters_are_true(self) -> None:
        """No key has more active jobs than it may, and its counters do not drift."""
        for key in ("k1", "k2"):
            record = self.engine.store.record("limit", key)
            mine = Counter(job.state for job in self.jobs() if job.limit_key == key)
            assert mine[life.ACTIVE] <= LIMIT
            if record is not None:
                assert (record["active"], record["waiting"]) == (mine[life.ACTIVE], mine[life.AVAILABLE])

    @invariant()
    def every_other_count_is_true(self) -> None:
        """What is counted as it happens equals what a count of all jobs finds."""
        for tenant in TENANTS[1:]:
            mine = Counter(job.state for job in self.jobs() if job.tenant == tenant)
            assert self.engine.tenants.counts(str(tenant)) == {state: mine[state] for state in life.STATES}
        for queue in QUEUES:
            ready = Counter(
                str(job.priority) for job in self.jobs() if job.queue == queue and job.state == life.AVAILABLE
            )
            assert self.engine.priorities.counts(queue) == dict(ready)
        dead = [job for job in self.jobs() if job.dead_letter]
        assert self.engine.store.dead_count() == len(dead)
        assert all(job.state == life.DISCARDED for job in dead)

    @invariant()
    def nothing_that_is_due_is_left_undone(self) -> None:
        """After an advance nothing due remains."""
        self.engine.advance()
        due = self.engine.next_due()
        assert due is None or due > self.clock.now()


EngineMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestEngine = EngineMachine.TestCase
