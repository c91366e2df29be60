"""Redis in every trouble: 503 in plain words, nothing half done, and the server goes on by itself."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from engine import Engine
from engine.clock import ManualClock
from engine.errors import Unavailable
from playground.clock import SystemClock
from playground.stores.opening import open_store
from playground.stores.over_redis import lease, scripts
from playground.stores.over_redis.database import RedisDatabase
from playground.stores.store import DatabaseStore
from tests.stores.conftest import Own, check_sets
from tests.stores.test_failures import Served
from tests.stores.test_processes import until


@pytest.fixture
def served(prefix: str) -> Iterator[Served]:
    """A server with one job."""
    server = Served(prefix)
    assert server.push() == 201
    yield server
    server.driver.close()


def link(store: DatabaseStore) -> Any:
    """The store's connection."""
    assert isinstance(store.database, RedisDatabase)
    return store.database.link


def engine_over(store: DatabaseStore, seed: int = 1) -> Engine:
    """An engine that keeps its jobs there."""
    engine = Engine(SystemClock(), store, seed=seed)
    store.attach(engine.kernel)
    return engine


# out of reach


def test_a_redis_that_ends_and_comes_back_is_waited_for(own_redis: Own) -> None:
    """With its log on the disk at each change, nothing that was acknowledged is lost, and nothing else is there."""
    own = own_redis("--appendonly", "yes", "--appendfsync", "always")
    server = Served(own.url)
    assert [server.push() for _ in range(3)] == [201] * 3
    own.stop()
    server.fails_and_recovers("The database cannot be reached.", own.start)
    assert server.count() == 4
    check_sets(server.store)
    server.driver.close()


def push_until_it_fails(engine: Engine, store: DatabaseStore, acknowledged: list[str]) -> set[str]:
    """The jobs that were not acknowledged: one, or none if the turn failed before."""
    while True:
        tried: set[str] = set()
        try:
            job_id = engine.push({"type": "a", "args": []}).job.id
            tried = {job_id}
            store.commit()
        except Unavailable:
            store.undo()
            return tried
        acknowledged.append(job_id)


def test_a_redis_that_is_killed_under_load_keeps_what_was_acknowledged(own_redis: Own) -> None:
    own = own_redis("--appendonly", "yes", "--appendfsync", "always")
    store = open_store(own.url)
    engine = engine_over(store)
    acknowledged: list[str] = []
    dice = random.Random(1)
    for _ in range(4):
        threading.Timer(dice.uniform(0.02, 0.1), own.process.send_signal, (signal.SIGKILL,)).start()
        tried = push_until_it_fails(engine, store, acknowledged)
        own.process.wait(10)
        own.start()
        there = {job.id for job in store.jobs(limit=1 << 30)}
        store.commit()
        assert set(acknowledged) <= there
        assert there - set(acknowledged) <= tried, "what failed may have happened whole, and nothing else"
        acknowledged = list(there)
        check_sets(store)
    assert len(acknowledged) > 4
    store.close()


def test_a_redis_that_has_lost_everything_is_not_taken_for_an_empty_one(served: Served) -> None:
    with _client(served.store) as other:
        held = dumped(other, link(served.store).prefix)
        other.delete(*held)

        def mend() -> None:
            put_back(other, link(served.store).prefix, held)

        served.fails_and_recovers(
            "The database is gone from Redis; restart the server to begin a new one.", mend
        )
    assert served.count() == 2


def test_an_older_state_that_was_restored_is_seen_for_what_it_is(served: Served) -> None:
    """Jobs and events that it does not have are forgotten; what is in memory never passes for what is kept."""
    with _client(served.store) as other:
        held = dumped(other, link(served.store).prefix)
        told: list[str] = []
        served.driver.app.session.engine.events.subscribe(lambda event: told.append(event.type))
        assert served.push() == 201
        assert served.count() == 2
        put_back(other, link(served.store).prefix, held)
    assert served.count() == 1
    assert served.store.kernel is not None
    assert len(served.store.kernel.events.last(100)) == 1
    assert told == ["job.enqueued"], "nobody hears again of what is past"
    assert served.push() == 201
    assert served.count() == 2
    check_sets(served.store)


def test_another_history_of_the_same_length_is_told_from_ones_own(prefix: str) -> None:
    """Redis lost a commit, and another server has made one since: as many commits, as many events, not the same."""
    (one, first), (other, second) = two(prefix)
    with _client(first) as client:
        held = dumped(client, link(first).prefix)
        lost = one.push({"type": "lost", "args": []}).job.id
        first.commit()
        put_back(client, link(first).prefix, held)
    kept = other.push({"type": "kept", "args": []}).job.id
    second.commit()
    assert one.store.get(lost) is None
    assert [job.id for job in one.store.jobs()] == [kept]
    assert [event.subject for event in one.events] == [kept]
    first.commit()
    check_sets(first)
    first.close()
    second.close()


def dumped(other: redis.Redis, prefix: str) -> dict[bytes, Any]:
    """All that is kept, without a turn that is under way."""
    keys = [key for key in other.scan_iter(f"{prefix}:*") if not key.endswith(b":lock")]
    return {key: other.dump(key) for key in keys}


def put_back(other: redis.Redis, prefix: str, held: dict[bytes, Any]) -> None:
    """Make it all that is kept, at one go: the server's own threads look in at any time."""
    with other.pipeline(transaction=True) as together:
        for key in dumped(other, prefix).keys() - held.keys():
            together.delete(key)
        for key, value in held.items():
            together.restore(key, 0, value, replace=True)
        together.execute()


def _client(store: DatabaseStore) -> redis.Redis:
    assert isinstance(store.database, RedisDatabase)
    return redis.Redis.from_url(store.database.where.url)


def test_a_connection_that_was_cut_is_made_anew_unseen(served: Served) -> None:
    with _client(served.store) as other:
        other.execute_command("CLIENT", "KILL", "ID", link(served.store).client.split()[1])
    assert served.push() == 201
    assert served.count() == 2


def test_scripts_that_redis_has_forgotten_are_sent_again(served: Served) -> None:
    with _client(served.store) as other:
        other.script_flush()
    assert served.push() == 201


def test_a_commit_whose_answer_is_lost_happens_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again, Redis knows that it has happened."""
    the_link = link(served.store)
    run = the_link.run
    lost: list[str] = []

    def once(script: scripts.Script, *values: Any) -> Any:
        answer = run(script, *values)
        if script is scripts.COMMIT and not lost:
            lost.append(script.sha)
            raise redis.ConnectionError
        return answer

    monkeypatch.setattr(the_link, "run", once)
    assert served.push() == 201
    assert lost
    assert served.count() == 2
    check_sets(served.store)


# refused


def test_out_of_memory_refuses_what_cannot_be_held(own_redis: Own) -> None:
    """What is there can still be read."""
    own = own_redis()
    server = Served(own.url)
    assert server.push() == 201
    with own.client() as other:
        other.config_set("maxmemory", 1)
        assert server.push() == 503
        assert server.ready() == (503, "Redis has no memory left (maxmemory).")
        assert server.count() == 1
        other.config_set("maxmemory", 0)
    assert server.ready() == (200, "ready")
    assert server.push() == 201
    assert server.count() == 2
    server.driver.close()


def test_a_replica_is_said_and_its_promotion_noticed(own_redis: Own) -> None:
    own = own_redis()
    server = Served(own.url)
    assert server.push() == 201
    with own.client() as other:
        other.config_set("replica-serve-stale-data", "yes")
        other.replicaof("127.0.0.1", "1")
        server.fails_and_recovers(
            "This Redis is a replica, which cannot be written to.", lambda: other.replicaof("NO", "ONE")
        )
    server.driver.close()


def test_a_disk_that_redis_cannot_write_to_is_said(own_redis: Own, tmp_path: Path) -> None:
    own = own_redis("--save", "3600 1")
    server = Served(own.url)
    assert server.push() == 201
    with own.client() as other:
        (tmp_path / "dump.rdb").mkdir()
        with pytest.raises(redis.ResponseError):
            other.save()
        other.bgsave()
        assert until(lambda: other.info("persistence")["rdb_last_bgsave_status"] == "err")

        def mend() -> None:
            (tmp_path / "dump.rdb").rmdir()
            other.save()

        server.fails_and_recovers("Redis cannot write to its disk, and takes no changes (MISCONF).", mend)
    server.driver.close()


# one turn at a time


def two(where: str) -> tuple[tuple[Engine, DatabaseStore], tuple[Engine, DatabaseStore]]:
    """Two servers on one database."""
    stores = open_store(where), open_store(where)
    return (engine_over(stores[0], 1), stores[0]), (engine_over(stores[1], 2), stores[1])


def test_a_turn_that_outlives_its_lease_writes_nothing_once_somebody_else_has(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a process was asleep, with its mind made up."""
    monkeypatch.setattr(lease, "LEASE", 30)
    (one, first), (other, second) = two(prefix)
    one.push({"type": "late", "args": []})
    threading.Event().wait(0.06)
    kept = other.push({"type": "quick", "args": []}).job.id
    second.commit()
    with pytest.raises(Unavailable, match="outlived its lease"):
        first.commit()
    assert [job.id for job in first.jobs()] == [kept]
    first.commit()
    check_sets(first)
    one.push({"type": "late", "args": []})
    threading.Event().wait(0.06)
    first.commit()  # nobody has written meanwhile, and so nothing that it had read has changed
    assert len(second.jobs()) == 2
    second.commit()
    first.close()
    second.close()


def test_a_long_turn_that_asks_now_and_then_keeps_its_lease(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE", 120)
    (one, first), (other, second) = two(prefix)
    one.push({"type": "a", "args": []})
    done = threading.Event()

    def wait_for_it() -> None:
        other.push({"type": "b", "args": []})
        second.commit()
        done.set()

    threading.Thread(target=wait_for_it).start()
    for number in range(8):
        assert not done.wait(0.04), "another process had its turn meanwhile"
        assert first.get(f"nobody {number}") is None
    first.commit()
    assert done.wait(5)
    assert [job.type for job in first.jobs()] == ["b", "a"]
    first.close()
    second.close()


def test_whoever_does_not_get_its_turn_in_time_says_so(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "PATIENCE", 0.05)
    (one, first), (other, second) = two(prefix)
    one.push({"type": "a", "args": []})
    with pytest.raises(Unavailable, match="does not let go"):
        other.push({"type": "b", "args": []})
    second.undo()
    first.commit()
    other.push({"type": "b", "args": []})
    second.commit()
    first.close()
    second.close()


def test_turns_come_in_the_order_of_asking(prefix: str) -> None:
    """A busy process, whose next turn begins as soon as one has ended, starves nobody."""
    (one, first), (other, second) = two(prefix)
    got: list[int] = []
    ended = threading.Event()

    def work(engine: Engine, store: DatabaseStore, number: int) -> None:
        while not ended.is_set():
            engine.push({"type": "a", "args": []})
            store.commit()
            got.append(number)

    threads = [
        threading.Thread(target=work, args=(engine, store, number))
        for number, (engine, store) in enumerate([(one, first), (other, second)])
    ]
    for thread in threads:
        thread.start()
    ended.wait(0.5)
    ended.set()
    for thread in threads:
        thread.join()
    assert min(got.count(0), got.count(1)) > len(got) / 4, got
    check_sets(first)
    first.close()
    second.close()


def test_whoever_is_first_in_line_goes_first_for_as_long_as_he_asks(served: Served) -> None:
    """A process that ended while it waited holds nobody up for long."""
    name = link(served.store).prefix
    with _client(served.store) as other:
        other.set(f"{name}:waits:somebody", "1", px=500)
        other.rpush(f"{name}:waiting", "somebody")
        began = time.monotonic()
        assert served.push() == 201
        assert 0.2 < time.monotonic() - began < 5
        assert other.llen(f"{name}:waiting") == 0


def test_prefixes_are_databases_of_their_own(prefix: str) -> None:
    here, there = open_store(prefix), open_store(prefix + "_b:c")
    engine_over(here).push({"type": "a", "args": []})
    here.commit()
    assert there.jobs() == []
    with there.transaction():
        there.clear()
    there.commit()
    assert len(here.jobs()) == 1
    with _client(there) as other:
        assert isinstance(there.database, RedisDatabase)
        for key in other.scan_iter(there.database.where.prefix + ":*"):
            other.delete(key)
    here.close()
    there.close()


def test_a_restart_resumes_timers_reservations_cron_and_workflows(prefix: str) -> None:
    clock = ManualClock(1_772_366_400_000)

    def opened(seed: int) -> tuple[Engine, DatabaseStore]:
        store = open_store(prefix)
        engine = Engine(clock, store, seed=seed)
        store.attach(engine.kernel)
        return engine, store

    engine, store = opened(1)
    later = engine.push({"type": "later", "args": [], "scheduled_at": "+PT10S"}).job.id
    held = engine.push({"type": "held", "args": []}).job.id
    (claimed,) = engine.fetch(["default"], visibility_timeout=30_000)
    assert claimed.id == held
    entry = {"name": "each-minute", "cron": "* * * * *", "type": "tick", "args": [], "queue": "ticks"}
    engine.cron.register(entry)
    steps = [{"type": "one", "args": [], "queue": "w"}, {"type": "two", "args": [], "queue": "w"}]
    engine.workflows.create({"type": "chain", "name": "both", "steps": steps})
    store.commit()
    store.database.drop()  # as a process that is killed: without a word
    clock.advance(120_000)
    engine, store = opened(2)
    engine.advance()
    store.commit()
    states = {job_id: engine.info(job_id).state for job_id in (later, held)}
    assert states == {later: "available", held: "available"}
    assert store.counts("ticks")["available"] >= 1
    (one,) = engine.fetch(["w"])
    engine.ack(one.id)
    (second,) = engine.fetch(["w"])
    assert second.type == "two"
    store.commit()
    check_sets(store)
    store.close()
