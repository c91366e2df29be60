"""The extensions under any sequence of requests: the same bytes again, on every store, and reading changes nothing."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Engine
from engine.clock import ManualClock
from engine.http.binding import Binding
from engine.http.message import EventStream, Request
from engine.job import Job
from engine.jsonschema import validate
from engine.memory import MemoryStore
from engine.schemacheck import problem
from engine.storage import Admit

START = 1_767_614_400_000
Step = tuple[str, str, Any]

SCHEMA = {"type": "array", "maxItems": 1, "items": {"type": "integer"}}
URI = "urn:ojs:schema:a.b:v1"
READS = (
    "/jobs /schemas /schemas/a.b /admin/jobs /admin/stats /admin/workers /history /metrics /webhooks/subscriptions "
    "/webhooks/deliveries /jobs/{0}/history /jobs/{0}/result /jobs/{0}/progress /jobs/{0}/checkpoint /jobs/{0}/lineage"
).split()


def _push(draw: st.DrawFn) -> Step:
    body: dict[str, Any] = {"type": draw(st.sampled_from(["a.b", "a.b@1", "c.d"])), "args": []}
    body["args"] = draw(st.lists(st.sampled_from([1, "x"]), max_size=2))
    body |= draw(
        st.sampled_from(
            [
                {},
                {"schema": URI},
                {"result_ttl": 5},
                {"ext_agent_temperature": 1, "ext_agent_output_schema": {"type": "integer"}},
                {"ext_agent_temperature": 9},
                {"ext_ml_gpu_count": 1},
                {"meta": {"tenant_id": "t"}},
                {"options": {"retry": {"max_attempts": 1}}},
            ]
        )
    )
    return "POST", "/jobs", body


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """One request; ``{0}`` stands for the id of a job made earlier."""
    if draw(st.booleans()):
        return _push(draw)
    return draw(
        st.sampled_from(
            [
                ("POST", "/workers/fetch", {"queues": ["default"], "worker_id": "w", "count": 2}),
                ("POST", "/workers/fetch", {"queues": ["default"], "capabilities": {"accelerator": "cpu"}}),
                ("POST", "/workers/ack", {"job_id": "{0}", "result": 1}),
                ("POST", "/workers/nack", {"job_id": "{0}", "error": {"code": "e", "message": "m"}}),
                ("PUT", "/jobs/{0}/progress", {"progress": 0.5, "checkpoint": {"n": 1}}),
                ("POST", "/jobs/{0}/checkpoint", {"state": [1, {"a": 2}]}),
                ("DELETE", "/jobs/{0}/checkpoint", None),
                ("DELETE", "/jobs/{0}", None),
                ("POST", "/jobs/{0}/retry", {}),
                ("POST", "/schemas", {"type": "a.b", "version": 1, "schema": SCHEMA, "mode": "strict"}),
                ("DELETE", "/schemas/a.b/1", None),
                ("POST", "/webhooks/subscriptions", {"url": "https://example.com", "events": ["job.*"]}),
                ("POST", "/agents/{0}/pause", {}),
                ("POST", "/agents/{0}/fork", {"at_turn": 0, "branch_name": "b"}),
                ("POST", "/admin/jobs/bulk/retry", {"confirm": True}),
                ("WAIT", "", 3_000),
            ]
        )
    )


class CopyingStore(MemoryStore):
    """Hands out and takes in copies, as a database does: what is not given back is lost."""

    def get(self, job_id: str) -> Job | None:
        """A copy."""
        return copy.deepcopy(super().get(job_id))

    def claim(self, queue: str, admit: Admit | None) -> Job | None:
        """A copy."""
        return copy.deepcopy(super().claim(queue, admit))

    def add(self, job: Job) -> None:
        """Keep a copy."""
        super().add(copy.deepcopy(job))

    def save(self, job: Job, was: str) -> None:
        """Take over every field."""
        mine = self._jobs[job.id]
        for name in Job.__slots__:
            setattr(mine, name, copy.deepcopy(getattr(job, name)))
        super().save(mine, was)

    def delete(self, job: Job) -> None:
        """Remove the one kept."""
        super().delete(self._jobs[job.id])

    def record(self, kind: str, key: str) -> dict[str, Any] | None:
        """A copy."""
        return copy.deepcopy(super().record(kind, key))

    def put_record(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Keep a copy."""
        super().put_record(kind, key, copy.deepcopy(value))


class Run:
    """An engine that the steps are sent to, and all that it answered."""

    def __init__(self, store: MemoryStore) -> None:
        self.clock = ManualClock(START)
        self.engine = Engine(self.clock, store)
        self.binding = Binding(self.engine)
        self.ids: list[str] = []
        self.answers: list[tuple[int, bytes]] = []

    def send(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        """One request; a failure of the server fails the test."""
        job_id = self.ids[-1] if self.ids else "none"
        raw = b"" if body is None else json.dumps(body).replace("{0}", job_id).encode()
        response = self.binding.handle(Request(method, "/ojs/v1" + path.replace("{0}", job_id), {}, raw))
        assert not isinstance(response.body, EventStream)
        assert response.status < 500, response.body
        return response.status, response.body

    def play(self, script: list[Step]) -> Run:
        """All steps in order."""
        for method, path, body in script:
            if method == "WAIT":
                self.clock.advance(body)
                continue
            answer = self.send(method, path, body)
            self.answers.append(answer)
            if (method, path) == ("POST", "/jobs") and answer[0] == 201:
                self.ids.append(json.loads(answer[1])["id"])
        return self

    def state(self) -> bytes:
        """Everything that the store holds."""
        store = self.engine.store
        assert isinstance(store, MemoryStore)
        jobs = [{name: getattr(job, name) for name in Job.__slots__} for job in store.jobs(limit=1000)]
        return pickle.dumps((json.dumps(jobs, default=str), vars(store)["_records"], vars(store)["_timers"]))


SCRIPTS = st.lists(steps(), max_size=14)


@given(SCRIPTS)
@settings(max_examples=60, deadline=None)
def test_the_same_requests_give_the_same_bytes_on_every_store(script: list[Step]) -> None:
    """Nothing of the extensions relies on an object that the store has handed out being the store's own."""
    first = Run(MemoryStore()).play(script)
    assert Run(MemoryStore()).play(script).answers == first.answers
    assert Run(CopyingStore()).play(script).answers == first.answers


@given(SCRIPTS)
@settings(max_examples=40, deadline=None)
def test_reading_changes_nothing(script: list[Step]) -> None:
    run = Run(MemoryStore()).play(script)
    run.engine.advance()
    run.engine.events.settle()  # what is counted only when somebody asks, as the digest of a moment does
    before, events = run.state(), run.engine.events.seq
    for path in READS:
        run.send("GET", path, None)
    assert (run.state(), run.engine.events.seq) == (before, events)


@given(
    SCRIPTS,
    st.sampled_from(["/jobs", "/workers/ack", "/jobs/{0}/checkpoint", "/schemas", "/webhooks/subscriptions"]),
)
@settings(max_examples=40, deadline=None)
def test_what_is_refused_changes_nothing(script: list[Step], path: str) -> None:
    run = Run(MemoryStore()).play(script)
    run.engine.advance()
    before, events = run.state(), run.engine.events.seq
    for body in (
        {"type": "A"},
        {"type": "a.b", "args": [], "ext_agent_temperature": 9},
        {"schema": 5},
        {"url": 1},
    ):
        status, _ = run.send("POST", path, body)
        assert status >= 400
    assert (run.state(), run.engine.events.seq) == (before, events)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "string", "array", "object"])


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Any:
    """A schema that the engine accepts."""
    inner = schemas(depth=depth - 1) if depth else st.booleans()
    found: dict[str, Any] = {}
    for name, strategy in (
        ("type", TYPES),
        ("enum", st.lists(VALUES, min_size=1, max_size=3)),
        ("maxLength", st.integers(0, 3)),
        ("minimum", st.integers(-5, 5)),
        ("required", st.lists(st.text("ab", max_size=2), max_size=2)),
        ("items", inner),
        ("properties", st.dictionaries(st.text("ab", max_size=2), inner, max_size=2)),
        ("not", inner),
        ("anyOf", st.lists(inner, min_size=1, max_size=2)),
    ):
        if draw(st.integers(0, 3)) == 0:
            found[name] = draw(strategy)
    return found


@given(schemas(), VALUES)
@settings(max_examples=150, deadline=None)
def test_a_schema_and_its_negation_never_agree(schema: Any, value: Any) -> None:
    assert problem(schema) is None
    assert bool(validate(schema, value)) is not bool(validate({"not": schema}, value))
    assert bool(validate({"allOf": [schema, schema]}, value)) is bool(validate(schema, value))
    assert validate({"anyOf": [schema, True]}, value) == []
