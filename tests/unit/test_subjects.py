"""Subjects come when they are needed, and are never missed in a snapshot."""

from __future__ import annotations

import pickle

import pytest

from engine import Engine
from engine.clock import ManualClock
from engine.subjects import ON_DEMAND, TIMERS
from tests.unit.harness import START, Server


def test_a_plain_job_wakes_no_subject() -> None:
    engine = Engine(ManualClock(START))
    job = engine.push({"type": "a.b", "args": []}).job
    engine.fetch(["default"])
    engine.ack(job.id)
    assert not ON_DEMAND & set(vars(engine))


@pytest.mark.parametrize("name", sorted(ON_DEMAND))
def test_a_subject_that_has_come_is_no_part_of_a_snapshot(name: str) -> None:
    engine = Engine(ManualClock(START))
    before = pickle.dumps(engine)
    assert getattr(engine, name) is getattr(engine, name)
    assert pickle.dumps(engine) == before


def test_what_a_host_has_chosen_survives_a_snapshot() -> None:
    engine = Engine(ManualClock(START))
    engine.cron.late = 5
    engine.tenants.required = True
    engine.limits.by_tenant = True
    twin = pickle.loads(pickle.dumps(engine))  # noqa: S301 - its own bytes
    assert (twin.cron.late, twin.tenants.required, twin.limits.by_tenant) == (5, True, True)
    assert (engine.workers.obey_hints, Engine(engine.clock).cron.late) == (False, None)


def test_a_required_tenant_is_asked_for_though_no_job_named_one() -> None:
    server = Server()
    server.engine.tenants.required = True
    assert server.push().tenant == "_default"


def test_every_kind_of_timer_has_somebody_who_handles_it() -> None:
    engine = Engine(ManualClock(START))
    for kind in TIMERS:
        assert callable(engine.timer(kind))


def test_figures_of_a_minute_that_is_come_back_to_are_added_up() -> None:
    """Things due are done at their own instants, so a late one may belong to a minute before."""
    server = Server()
    server.push()
    with server.engine.kernel.at(START + 60_000):
        server.push()
    with server.engine.kernel.at(START):
        server.push()
    server.wait(120_000)
    server.push()
    figures = server.engine.figures
    assert figures.minutes("queue:default", 1)["enqueued"] == 1
    assert figures.minutes("queue:default", 3)["enqueued"] == 4
    assert figures.day("queue:default")["enqueued"] == 4
    figures.forget_queue("default")
    assert not figures.minutes("queue:default", 3)
