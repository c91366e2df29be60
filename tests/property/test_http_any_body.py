"""Whatever a client sends, it gets an answer in JSON, and what is refused has changed nothing."""

from __future__ import annotations

import json
import pickle
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import Engine
from engine.clock import ManualClock
from engine.http.binding import Binding
from engine.http.message import Request
from engine.http.routes import ROUTES

START = 1_772_366_400_000
WORDS = (
    "type args queue id jobs job_ids filter state states atomicity idempotency_key name config concurrency rate "
    "rate_limit limit period key on_limit throttle expires_at strategy target_queue queues weights weight isolated "
    "starvation_prevention min_dispatch_ratio rotation_interval tenant_fairness enabled default_weight limits "
    "max_concurrency max_enqueue_rate max_queue_depth fairness_weight priority_boost priority override meta retry "
    "confirm error_type since until older_than backpressure max_depth max_size warning_threshold retention completed "
    "dead_letter max_age max_count replay_rules delay max_replays allowed_job_types default_retry max_attempts unique "
    "keys args_keys meta_keys on_conflict worker_id active_jobs active_job_ids visibility_timeout_ms count error code "
    "message details requeue result options scheduled_at timeout total_timeout enqueue_ttl heartbeat_timeout pool"
).split()
VALUES = [
    "default",
    "email.send",
    "PT1S",
    "2026-03-01T13:00:00Z",
    "available",
    "replace",
    "weighted",
    "move",
    "k",
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(VALUES),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=8,
)
GOOD: list[dict[str, Any]] = [
    {
        "type": "email.send",
        "args": [{"user_id": 1}],
        "unique": {"keys": ["args"], "args_keys": ["user_id"], "period": "PT1H"},
    },
    {
        "type": "a",
        "args": [],
        "rate_limit": {"key": "k", "concurrency": 1, "rate": {"limit": 1, "period": "PT1M"}},
    },
    {
        "type": "a",
        "args": [],
        "options": {"retry": {"max_attempts": 2}, "timeout_ms": 5, "expires_at": "+PT1S"},
    },
    {
        "type": "a",
        "args": [],
        "total_timeout": 60,
        "enqueue_ttl": 5,
        "grace_period": 1,
        "heartbeat_timeout": 9,
    },
    {"jobs": [{"type": "a", "args": []}, {"type": "b", "args": [], "queue": "q"}], "atomicity": "atomic"},
    {
        "filter": {
            "state": ["available"],
            "queue": "default",
            "meta": {},
            "enqueued_before": "2027-01-01T00:00:00Z",
        }
    },
    {"job_ids": ["x"], "idempotency_key": "k", "atomicity": "partial"},
    {"queues": ["default", "q"], "count": 2, "worker_id": "w", "strategy": "weighted", "weights": {"q": 2}},
    {"queues": {"default": {"weight": 2}}, "strategy": "weighted", "concurrency": 1, "isolated": True},
    {
        "queues": ["q"],
        "starvation_prevention": {"enabled": True, "min_dispatch_ratio": 0.5},
        "strategy": "strict",
    },
    {"tenant_fairness": {"enabled": True, "weights": {"a": 2}, "default_weight": 1}},
    {
        "limits": {"max_concurrency": 1, "max_enqueue_rate": {"limit": 1, "period": "PT1M"}},
        "fairness_weight": 2,
    },
    {
        "backpressure": {"max_depth": 1, "strategy": "drop_oldest", "warning_threshold": 0.5},
        "max_size_bytes": 9,
    },
    {"retention": {"completed": "PT1S"}, "default_retry": {"max_attempts": 1}, "dead_letter_queue": "q"},
    {"replay_rules": [{"name": "r", "delay": "PT1S", "filter": {"type": "a"}}], "allowed_job_types": ["*"]},
    {"strategy": "move", "target_queue": "other", "name": "fresh", "config": {"concurrency": 1}},
    {"override": {"queue": "q", "args": [], "meta": {"a": 1}, "priority": 1}, "confirm": True},
    {"states": ["completed"], "older_than": "2027-01-01T00:00:00Z", "confirm": True},
    {"concurrency": 0, "rate": {"limit": 1, "period": "PT1S"}, "expires_at": "2027-01-01T00:00:00Z"},
    {"worker_id": "w", "active_jobs": 1, "active_job_ids": ["x"], "state": "quiet", "pool": "pool"},
    {"error": {"code": "boom", "message": "x", "rate_limit_until": "2027-01-01T00:00:00Z"}, "priority": 5},
]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A sensible body in which one value, at whatever depth, may be another."""
    body: Any = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    node = body
    while draw(st.booleans()):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and draw(st.booleans()):
            node = node[key]
        else:
            node[key] = draw(values)
            break
    return dict(body)


bodies = st.one_of(mutated(), mutated(), st.dictionaries(st.sampled_from(WORDS), values, max_size=6))
changing = [route for route in ROUTES if route.method in {"POST", "PUT", "PATCH", "DELETE"}]
reading = [
    route for route in ROUTES if route.method == "GET" and not route.path.endswith(("/events", "/stream"))
]
CHUNK = 12
"""Requests of one session."""


def _server() -> tuple[Engine, Binding, list[str]]:
    engine = Engine(ManualClock(START))
    ids = [engine.push({"type": "email.send", "args": [{"user_id": 1}]}).job.id for _ in range(3)]
    engine.fetch(["default"], 1, "w")
    dead = engine.push({"type": "a", "args": [], "queue": "q", "retry": {"max_attempts": 1}}).job
    engine.fetch(["q"])
    engine.fail(dead.id, {"code": "boom"})
    engine.pools.put("pool", {"queues": ["default"]})
    return engine, Binding(engine), [*ids, dead.id]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    session=st.lists(
        st.tuples(st.sampled_from(changing), bodies, st.integers(0, 3), st.integers(0, 60_000)),
        min_size=1,
        max_size=CHUNK,
    )
)
def test_any_body_gets_an_answer_and_a_refusal_changes_no_job(
    session: list[tuple[Any, Any, int, int]],
) -> None:
    engine, binding, ids = _server()
    for route, body, index, wait in session:
        url = route.path.replace("{id}", ids[index]).replace("{name}", "pool").replace("{key}", "k")
        engine.clock.advance(wait)
        engine.advance()
        before = [job.to_dict() for job in engine.store.jobs(limit=1000)]
        raw = json.dumps(body).encode()
        reply = binding.handle(
            Request(route.method, "/ojs/v1" + url, {"content-type": "application/json"}, raw)
        )
        assert reply.status < 500, (route.method, url, body, reply.body)
        assert isinstance(reply.body, bytes)
        answer = json.loads(reply.body or b"{}")
        if reply.status >= 400 and "items" not in answer:
            assert answer["error"]["code"]
            assert answer["error"]["message"]
            after = [job.to_dict() for job in engine.store.jobs(limit=1000)]
            assert after == before, (route.method, url, body, answer)
    pickle.dumps(engine)
    engine.clock.advance(400 * 86_400_000)
    engine.advance()


@settings(max_examples=100, deadline=None)
@given(
    route=st.sampled_from(reading),
    query=st.dictionaries(
        st.sampled_from(
            ["limit", "offset", "page", "per_page", "cursor", "queue", "type", "state", "since", "args"]
        ),
        st.text(alphabet=st.characters(codec="ascii", exclude_characters="&#?"), max_size=6),
        max_size=3,
    ),
)
def test_any_query_gets_an_answer(route: Any, query: dict[str, str]) -> None:
    _, binding, ids = _server()
    url = route.path.replace("{id}", ids[0]).replace("{name}", "default").replace("{key}", "k")
    url += "?" + "&".join(f"{name}={value}" for name, value in query.items())
    reply = binding.handle(Request("GET", "/ojs/v1" + url))
    assert reply.status < 500
