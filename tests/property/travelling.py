"""What can be done to a timeline, as Hypothesis draws it; shared by the tests of time travel."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, NamedTuple

from hypothesis import strategies as st

from engine.errors import OJSError
from engine.http.message import Request
from playground.travel.command import (
    JSON_HEADERS,
    MAX_JUMP,
    WORKER,
    WRITES,
    Command,
    recorded,
    worker_command,
)
from playground.travel.digest import digest
from playground.travel.timeline import Moment, Origin, Timeline

START = 1_772_366_400_000  # 2026-03-01T12:00:00Z
JOBS = "/ojs/v1/jobs"
CRON = ("* * * * *", "*/20 * * * * *", "@every 7s", "30 2 * * *")

optional: dict[str, Any] = {
    "retry": st.fixed_dictionaries(
        {
            "max_attempts": st.integers(1, 3),
            "initial_interval_ms": st.integers(1, 9_000),
            "jitter": st.booleans(),
            "on_exhaustion": st.sampled_from(["discard", "dead_letter"]),
        }
    ),
    "priority": st.integers(-2, 2),
    "scheduled_at": st.sampled_from(["+PT1S", "+PT10S", "+PT1H"]),
    "expires_at": st.sampled_from(["+PT1S", "+PT10M"]),
    "timeout_ms": st.integers(500, 20_000),
    "visibility_timeout_ms": st.integers(500, 20_000),
    "unique": st.fixed_dictionaries(
        {"keys": st.just(["type"]), "on_conflict": st.sampled_from(["reject", "ignore", "replace"])}
    ),
    "rate_limit": st.just({"key": "k", "concurrency": 1}),
}
kinds = st.sampled_from(["email.send", "flaky.charge", "broken.import", "crash.now", "slow.report"])
args = st.lists(
    st.one_of(
        st.integers(-5, 5),
        st.floats(allow_nan=False),
        st.text(max_size=4),
        st.just("{{steps.a.response.body.b}}"),
    ),
    max_size=2,
)
jobs = st.fixed_dictionaries({"type": kinds, "args": args}, optional=optional)
plain = st.fixed_dictionaries({"type": kinds, "args": args})
workflows = st.one_of(
    st.lists(plain, min_size=1, max_size=3).map(lambda steps: {"type": "chain", "steps": steps}),
    st.lists(plain, min_size=1, max_size=3).map(
        lambda jobs: {
            "type": "batch",
            "jobs": jobs,
            "callbacks": {"on_complete": {"type": "email.done", "args": []}},
        }
    ),
)
entries = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["one", "two"]),
        "type": kinds,
        "cron": st.sampled_from(CRON),
        "timezone": st.sampled_from(["UTC", "America/New_York"]),
        "overlap_policy": st.sampled_from(["skip", "allow", "cancel_previous", "enqueue"]),
    }
)


def dumped(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode("utf-8", "surrogatepass")


class Act(NamedTuple):
    """Something to do: a request whose path's ``{}`` stands for some job, a worker's fate, a jump, or a wait."""

    kind: str
    path: str = ""
    body: bytes = b""
    method: str = "POST"
    which: int = 0
    ms: int = 0
    steps: int = 1 << 62


requests = st.one_of(
    jobs.map(lambda body: Act("request", JOBS, dumped(body))),
    jobs.map(lambda body: Act("request", JOBS, dumped(body))),
    st.lists(jobs, max_size=3).map(lambda many: Act("request", f"{JOBS}/batch", dumped({"jobs": many}))),
    entries.map(lambda body: Act("request", "/ojs/v1/cron", dumped(body))),
    workflows.map(lambda body: Act("request", "/ojs/v1/workflows", dumped(body))),
    st.builds(
        Act,
        st.just("request"),
        st.just(f"{JOBS}/{{}}"),
        st.just(b""),
        st.sampled_from(["DELETE", "GET"]),
        st.integers(0, 20),
    ),
    st.builds(
        Act,
        st.just("request"),
        st.sampled_from(
            [f"{JOBS}/{{}}/retry", "/ojs/v1/dead-letter/{}/retry", "/ojs/v1/queues/default/pause"]
        ),
        st.just(b""),
        st.sampled_from(["POST", "HEAD", "PURGE"]),
        st.integers(0, 20),
    ),
    st.sampled_from(["/ojs/v1/queues/default/resume", "/ojs/v1/dead-letter/retry"]).map(
        lambda path: Act("request", path)
    ),
    st.just(
        Act("request", "/ojs/v1/workers/fetch", b'{"queues": ["default"], "worker_id": "mine", "count": 2}')
    ),
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"{", b'{"type": "a", "type": "b"}', b"[" * 3000, b'"\\ud800"', b"NaN"]),
    ).map(lambda raw: Act("request", JOBS, raw)),
)
fates = st.builds(Act, st.just("worker"), st.sampled_from(sorted(WORKER)), which=st.integers(0, 8))
waits = st.builds(Act, st.just("wait"), ms=st.one_of(st.integers(0, 3_000), st.integers(0, 90_000)))
halves = st.builds(Act, st.just("wait"), ms=st.integers(0, 20_000), steps=st.integers(0, 4))
jumps = st.builds(Act, st.just("jump"), ms=st.one_of(st.integers(1, 120_000), st.integers(1, MAX_JUMP // 10)))
acts = st.one_of(requests, requests, requests, fates, waits, waits, halves, jumps)


def request(timeline: Timeline, act: Act) -> Request:
    """The request, about one of the jobs that there are."""
    known = timeline.world.engine.store.jobs(limit=100, newest=False)
    path = act.path.format(known[act.which % len(known)].id if known else "none")
    return Request(act.method, path, JSON_HEADERS if act.body else {}, act.body)


def worker(timeline: Timeline, act: Act) -> Command:
    """The worker's fate; of a worker that there is, mostly."""
    ids = [*timeline.world.crew.workers, "demo-99"]
    return worker_command(0, act.path, "" if act.path == "start" else ids[act.which % len(ids)])


def command(timeline: Timeline, act: Act) -> Command:
    """What a timeline is to do."""
    if act.kind == "jump":
        return Command(0, "jump", by=act.ms)
    if act.kind == "worker":
        return worker(timeline, act)
    return Command(0, "request", recorded(request(timeline, act)))


def do(timeline: Timeline, act: Act) -> None:
    """Do it at the end of what is known."""
    if act.kind == "wait":
        timeline.advance(timeline.now + act.ms, act.steps)
    elif act.kind == "request" and act.method not in WRITES:
        timeline.world.handle(request(timeline, act))
    else:
        with suppress(OJSError):
            timeline.do(command(timeline, act))


def fresh() -> Timeline:
    return Timeline(Origin(5, START, workers=2))


def lived(script: list[Act], timeline: Timeline | None = None) -> tuple[Timeline, list[tuple[Moment, str]]]:
    """A timeline that has done all of it, and every moment where it stood, with the hash of what was there."""
    timeline = timeline or fresh()
    seen = [(timeline.moment, digest(timeline.world))]
    for act in script:
        do(timeline, act)
        seen.append((timeline.moment, digest(timeline.world)))
    return timeline, seen
