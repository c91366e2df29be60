"""The engine over a database: the same invariants, whenever the process ends, and the same verdicts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from engine import Engine
from engine.clock import ManualClock
from engine.conformance.case import read_all
from engine.conformance.runner import run
from engine.conformance.target import START, VirtualTarget, fresh_engine, over
from engine.http.message import Request, Response
from playground.case_files import case_files, own_cases
from playground.stores.store import DatabaseStore
from tests.property.test_engine_machine import EngineMachine
from tests.stores.conftest import Open

PUBLISHED = Path(__file__).resolve().parents[2] / ".." / "shared" / "ojs" / "conformance" / "suites"
EXAMPLES = int(os.environ.get("OJS_STORE_EXAMPLES", "12"))


class StoredMachine(EngineMachine):
    """The engine's own machine, whose process may end at any time, and which commits after each step."""

    again: Open
    store: DatabaseStore
    restarts: int

    def start(self) -> Engine:
        """An engine over an empty database."""
        self.store = self.again()
        self.restarts = 0
        engine = self._engine()
        engine.reset()
        self.store.commit()
        return engine

    def _engine(self) -> Engine:
        self.restarts += 1
        engine = Engine(self.clock, self.store, seed=self.restarts)
        self.store.attach(engine.kernel)
        return engine

    @rule()
    def snapshot(self) -> None:
        """A process that is restarted goes on where the other one was: time, events, figures and all."""
        self.store.commit()
        engine = self.engine
        before = [event.to_dict() for event in engine.events]
        seq, figures = engine.events.seq, engine.figures.minutes("queue:alpha", 5)
        self.store.commit()
        self.store.close()
        self.store = self.again()
        self.engine = self._engine()
        assert [event.to_dict() for event in self.engine.events] == before
        assert self.engine.events.seq == seq
        assert self.engine.now() >= max((event.time for event in self.engine.events), default=0)
        assert self.engine.figures.minutes("queue:alpha", 5) == figures

    @invariant()
    def every_step_is_kept(self) -> None:
        """Commit; nothing of it has failed half way."""
        self.store.commit()

    def teardown(self) -> None:
        """Let go of the database."""
        self.store.close()


def test_the_engines_invariants_hold_over_a_database(reopen: Open, where: str) -> None:
    machine = type("Machine", (StoredMachine,), {"again": staticmethod(reopen)})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=EXAMPLES // 3 if where.startswith("postgresql") else EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _stored(store: DatabaseStore) -> VirtualTarget:
    """A server over an emptied database, which commits after each request."""
    clock = ManualClock(START)
    engine = Engine(clock, store, seed=1)
    store.attach(engine.kernel)
    engine.reset()  # the log of events too: jobs of the same ids come again
    store.commit()
    target = over(engine, clock)
    answer = target._transport

    def committed(request: Request) -> Response:
        response = answer(request)
        store.commit()
        return response

    target._transport = committed
    return target


@pytest.mark.timeout(300)
@pytest.mark.parametrize("suites", [own_cases(), PUBLISHED], ids=["own", "published"])
def test_every_case_ends_as_it_does_in_memory(reopen: Open, suites: Path) -> None:
    if not suites.is_dir():
        pytest.skip("the published suites are not beside the project")
    cases, _ = read_all(case_files(suites))
    store = reopen()
    there = [(one.case.id, one.verdict) for one in run(cases, lambda: _stored(store))]
    here = [(one.case.id, one.verdict) for one in run(cases, fresh_engine)]
    assert len(here) > 100
    assert there == here
