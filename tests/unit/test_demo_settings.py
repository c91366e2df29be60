"""How demo workers are told to work, and that it is part of a session's history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from engine.clock import ManualClock
from engine.errors import Conflict, NotFound
from engine.http.message import Request, Response
from playground.app import Application
from playground.behaviours import DEEDS, MAX_TIME
from playground.demo import MAX_OWN
from playground.travel.digest import digest
from playground.travel.link import decode, encode
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import Player, read, record, write
from tests.conftest import START
from tests.unit.test_demo import push, run, session


def states(live: Any, *jobs: str) -> list[str]:
    return [live.engine.info(job).state for job in jobs]


def test_a_worker_does_as_many_jobs_at_once_as_it_is_told() -> None:
    live, clock = session()
    live.work("set", "demo-1", {"concurrency": 3})
    jobs = [push(live) for _ in range(4)]
    run(live, clock, 1_000)
    assert states(live, *jobs) == ["active"] * 3 + ["available"]
    run(live, clock, 5_000)
    assert states(live, *jobs) == ["completed"] * 4
    assert live.crew.workers["demo-1"].done == 4


def test_speed_divides_the_time_and_queues_are_served_as_told() -> None:
    live, clock = session(workers=2)
    live.work("set", "demo-2", {"queues": ["mail"], "speed": 10})
    mail, other = push(live, queue="mail"), push(live, queue="other")
    run(live, clock, 5_000)
    done = live.engine.info(mail)
    assert done.state == "completed"
    assert (done.completed_at or 0) - (done.started_at or 0) == 110
    assert states(live, other) == ["available"]
    live.work("set", "", {"queues": ["other"]})
    live.work("start")
    run(live, clock, 5_000)
    assert states(live, other) == ["completed"]
    assert {worker.manner.queues for worker in live.crew.workers.values()} == {("other",)}


def test_a_quiet_worker_keeps_its_job_and_takes_no_other_until_it_goes_on() -> None:
    live, clock = session()
    first = push(live)
    run(live, clock, 500)
    live.work("quiet", "demo-1")
    second = push(live)
    run(live, clock, 10_000)
    assert states(live, first, second) == ["completed", "available"]
    live.work("resume", "demo-1")
    run(live, clock, 5_000)
    assert states(live, second) == ["completed"]


@pytest.mark.parametrize(
    ("settings", "attempts", "state"),
    [
        ({"does": "succeed", "ms": 50}, 1, "completed"),
        ({"does": "report", "ms": 1000}, 1, "completed"),
        ({"does": "fail", "failures": 1}, 2, "completed"),
        ({"does": "fail-always", "message": "no luck"}, 3, "discarded"),
        ({"does": "crash", "ms": 100}, 3, "discarded"),
        ({"does": "hang"}, 1, "active"),
    ],
    ids=lambda one: one["does"] if isinstance(one, dict) else "",
)
def test_a_handler_does_what_it_is_told(settings: dict[str, Any], attempts: int, state: str) -> None:
    live, clock = session()
    live.work("behave", "", {"pattern": "email.send", **settings})
    retry = {"max_attempts": 3, "initial_interval": "PT1S", "jitter": False}
    job, other = push(live, visibility_timeout_ms=6_000, retry=retry), push(live, type="email.other")
    run(live, clock, 60_000)
    found = live.engine.info(job)
    assert (found.state, found.attempt) == (state, attempts)
    if "message" in settings:
        assert (found.errors or [])[0]["message"] == "no luck"
    if settings["does"] == "report":
        told = [one.data["progress"] for one in live.engine.events if one.type == "job.progress"]
        assert told[0] == 0.2
    assert states(live, other) == ["available" if settings["does"] == "hang" else "completed"]
    live.work("behave", "", {"pattern": "email.send", "does": "usual"})
    assert live.crew.own == {}


def test_a_crashed_worker_is_followed_by_one_that_works_alike() -> None:
    live, clock = session()
    live.work("set", "demo-1", {"concurrency": 2, "queues": ["a"]})
    push(live, type="crash.x", queue="a")
    run(live, clock, 2_000)
    (worker,) = live.crew.workers.values()
    assert worker.id == "demo-2"
    assert worker.manner == (("a",), 2, 1.0)


def test_a_stopped_worker_finishes_all_that_it_has() -> None:
    live, clock = session()
    live.work("set", "demo-1", {"concurrency": 2})
    jobs = [push(live), push(live, type="slow.x")]
    run(live, clock, 500)
    live.work("stop", "demo-1")
    run(live, clock, 3_000)
    assert list(live.crew.workers) == ["demo-1"]
    run(live, clock, 10_000)
    assert states(live, *jobs) == ["completed"] * 2
    assert list(live.crew.workers) == []


@pytest.mark.parametrize(
    ("verb", "settings"),
    [
        ("set", {"concurrency": 0}),
        ("set", {"concurrency": 1.5}),
        ("set", {"concurrency": True}),
        ("set", {"concurrency": "three"}),
        ("set", {"speed": 0}),
        ("set", {"speed": "fast"}),
        ("set", {"speed": float("nan")}),
        ("set", {"queues": []}),
        ("set", {"queues": ["Big"]}),
        ("set", {"queues": ["a\n"]}),
        ("set", {"queues": [f"q{number}" for number in range(11)]}),
        ("set", {"colour": "red"}),
        ("behave", {}),
        ("behave", {"pattern": "a.*", "does": "dance"}),
        ("behave", {"pattern": "a*b", "does": "hang"}),
        ("behave", {"pattern": "", "does": "hang"}),
        ("behave", {"pattern": "<b>", "does": "usual"}),
        ("behave", {"pattern": "a", "does": "succeed", "ms": MAX_TIME + 1}),
        ("behave", {"pattern": "a", "does": "succeed", "ms": 0.5}),
        ("behave", {"pattern": "a", "does": "fail", "failures": 0}),
        ("behave", {"pattern": "a", "does": "fail", "message": "x" * 501}),
    ],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(verb: str, settings: dict[str, Any]) -> None:
    live, _ = session(workers=2)
    before = str(live.crew.to_dict())
    with pytest.raises(Conflict):
        live.work(verb, "", settings)
    assert str(live.crew.to_dict()) == before


def test_there_is_an_end_to_behaviours_and_to_workers() -> None:
    live, _ = session()
    for number in range(MAX_OWN):
        live.work("behave", "", {"pattern": f"t{number}", "does": "hang"})
    live.work("behave", "", {"pattern": "t1", "does": "crash"})
    with pytest.raises(Conflict, match="take one back"):
        live.work("behave", "", {"pattern": "one.more", "does": "hang"})
    with pytest.raises(NotFound):
        live.work("set", "demo-9", {"speed": 2})
    live.reset()
    assert live.crew.own == {}


def test_settings_are_part_of_the_history_and_come_back_by_a_link() -> None:
    clock = ManualClock(START)
    live = Sandbox(clock, lambda: 7, workers=1)
    live.work("set", "", {"concurrency": 2, "queues": ["default", "mail"], "speed": 2.5})
    live.work(
        "behave", "", {"pattern": "email.*", "does": "fail", "ms": 300, "failures": 1, "message": "<b>"}
    )
    for queue in ("mail", "default"):
        body = b'{"type": "email.send", "args": [], "queue": "%s"}' % queue.encode()
        live.handle(Request("POST", "/ojs/v1/jobs", {"content-type": "application/json"}, body))
    live.work("quiet", "demo-1")
    live.work("resume", "demo-1")
    live.add(30_000)
    while live.goal is not None:
        live.tick()
    expected = digest(live.world)
    assert live.engine.store.counts()["completed"] == 2
    scenario = read(write(record(live.timeline)))
    assert scenario["steps"][0]["worker"]["with"]["speed"] == 2.5
    for one in (scenario, decode(encode(scenario))):
        assert digest(Player(one).finish().world) == expected
    live.undo()  # the resumption
    live.undo()
    assert not live.crew.workers["demo-1"].quiet
    for _ in range(4):
        live.undo()
    assert live.crew.own == {}
    assert live.crew.manner.concurrency == 1


def send(app: Application, path: str, **form: str) -> Response:
    return app.handle(Request("POST", path, {"hx-request": "true"}, urlencode(form).encode()))


def test_the_forms_set_both_and_say_what_is_wrong(app: Application) -> None:
    app.session.work("start")
    done = send(app, "/ui/demo/settings", worker="demo-1", queues="a, b a", concurrency="2", speed="1,5")
    assert done.status == 204
    assert app.session.crew.workers["demo-1"].manner == (("a", "b"), 2, 1.5)
    assert app.session.crew.manner.concurrency == 1
    for deed in DEEDS:
        form = {"pattern": "x.*", "does": deed, "seconds": "0.5", "failures": "3", "message": "<i>"}
        assert send(app, "/ui/demo/behaviours", **form).status == 204
    page = app.handle(Request("GET", "/play?do=workers")).body
    assert b"hangs, and goes on" in page  # type: ignore[operator]
    refused = send(app, "/ui/demo/settings", worker="", concurrency="many")
    assert refused.status == 409
    assert b"from 1 to 20 jobs at once" in refused.body  # type: ignore[operator]
    assert send(app, "/ui/demo/settings", worker="nobody", speed="2").status == 404
    assert send(app, "/ui/demo/behaviours", pattern="x.*", does="usual").status == 204
    assert app.session.crew.own == {}
