"""The extension subjects, each loaded when it is first needed.

A job that uses no extension meets a few cheap tests here and nothing else; a server whose clients use none never
imports them (start-up time in a browser).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from engine import lifecycle as life
from engine.enqueue import Pushed
from engine.job import Job
from engine.kernel import Kernel

if TYPE_CHECKING:
    from engine.agents import Agents
    from engine.deliveries import Deliveries
    from engine.durable import Checkpoints
    from engine.history import History
    from engine.matching import Matching
    from engine.middleware import EnqueueChain, ExecutionChain
    from engine.progress import Progress
    from engine.results import Results
    from engine.schemas import Schemas
    from engine.storage import Admit
    from engine.webhooks import Webhooks

# Each import below stands in the property that needs it, so that start-up does not pay for it.
# ruff: noqa: PLC0415

_DECLARED: Final = ("handlers", "capabilities", "runtime")
_KEPT: Final = frozenset({"kernel", "enqueue_chain", "execution_chain"})


class Extensions:
    """All extension subjects over one kernel; what a job asks of them is told by `engine.hooks`.

    Args:
        kernel: Store, time, randomness, events.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def __getstate__(self) -> dict[str, Any]:
        """The host's middleware; the subjects keep nothing and come back when needed."""
        return {name: value for name, value in vars(self).items() if name in _KEPT}

    # subjects

    @cached_property
    def results(self) -> Results:
        """Retention and retrieval of results."""
        from engine.results import Results

        return Results(self.kernel)

    @cached_property
    def progress(self) -> Progress:
        """What workers report of their progress."""
        from engine.progress import Progress

        return Progress(self.kernel)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """What the next attempt goes on from."""
        from engine.durable import Checkpoints

        return Checkpoints(self.kernel)

    @cached_property
    def history(self) -> History:
        """Paths and lineage of jobs."""
        from engine.history import History

        return History(self.kernel)

    @cached_property
    def matching(self) -> Matching:
        """Which jobs a worker can take at all."""
        from engine.matching import Matching

        return Matching(self.kernel)

    @cached_property
    def schemas(self) -> Schemas:
        """Registered schemas."""
        from engine.schemas import Schemas

        return Schemas(self.kernel)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Webhook deliveries that wait to be sent."""
        from engine.deliveries import Deliveries

        return Deliveries(self.kernel)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Webhook subscriptions."""
        from engine.webhooks import Webhooks

        return Webhooks(self.kernel, self.deliveries)

    @cached_property
    def agents(self) -> Agents:
        """Operations on agent jobs."""
        from engine.agents import Agents

        return Agents(self.kernel)

    @cached_property
    def enqueue_chain(self) -> EnqueueChain:
        """Enqueue middleware; runs before everything else that sees a new job."""
        from engine.middleware import EnqueueChain

        return EnqueueChain()

    @cached_property
    def execution_chain(self) -> ExecutionChain:
        """Execution middleware, for whoever runs handlers on the engine's jobs."""
        from engine.middleware import ExecutionChain

        return ExecutionChain()

    def start_conformance(self) -> None:
        """Turn on the test-only middleware that refuses ``meta.ojs_validate`` with empty arguments."""
        from engine.middleware import refuse_empty_args

        if "validate" not in self.enqueue_chain.names():
            self.enqueue_chain.add("validate", refuse_empty_args)

    def warnings(self, job: Job) -> list[str]:
        """What the client of a new job should know, though the job was accepted (OJS Schema Registry 7.3)."""
        if self.kernel.store.record("schema", job.type) is None and job.schema is None:
            return []
        return self.schemas.warnings(job)

    def wants(self, worker_id: str | None, body: dict[str, Any]) -> Admit | None:
        """The test for one FETCH of a worker that has declared what it can take; None for all others."""
        known = self.kernel.store.record("worker", worker_id) if worker_id else None
        if any(name in body or (known is not None and name in known) for name in _DECLARED):
            return self.matching.wants(worker_id, body)
        return None

    # hooks

    def guard(self, job: Job) -> Pushed | None:
        """Run the enqueue middleware on a new job, then hold it against what its own fields ask for."""
        if "enqueue_chain" in self.__dict__:
            answer = self.enqueue_chain.run(job)
            if answer is not None:
                return answer
        extra = job.extra
        if extra:
            if any(name.startswith("ext_agent_") and name != "ext_agent_v2" for name in extra):
                from engine import ai

                ai.check(job, self.kernel.store.get)
            if any(name.startswith("ext_ml_") for name in extra):
                from engine import ml

                ml.check(job)
        store = self.kernel.store
        if job.schema is not None or (
            "schema" in store.kinds and store.record("schema", job.type) is not None
        ):
            self.schemas.check(job)
        return None

    @staticmethod
    def stamp(job: Job) -> None:
        """Keep the id of the request that a client has named itself (OJS Middleware, suite EXT-MW-003)."""
        hints = job.hints
        if hints and "request_id" in hints and "request_id" not in (job.meta or {}):
            job.meta = {**(job.meta or {}), "request_id": hints["request_id"]}

    @staticmethod
    def check_output(job: Job, result: Any, has_result: bool) -> None:
        """Hold a result against the schema that its job names."""
        if job.extra and "ext_agent_output_schema" in job.extra:
            from engine.ai import check_output

            check_output(job, result, has_result)

    def moved(self, job: Job, was: str) -> None:
        """Note whose child a new job is, and when the result of one that has ended goes."""
        if not was and job.extra and ("parent_id" in job.extra or "ext_agent_parent_id" in job.extra):
            self.history.born(job)
        if job.result_ttl is not None and job.state in life.TERMINAL:
            self.results.ended(job, self.kernel.now())

    def removed(self, job: Job) -> None:
        """Forget what was kept beside a deleted job."""
        store = self.kernel.store
        store.set_timer("result", job.id, None)
        store.delete_record("agent", job.id)
        store.delete_record("children", job.id)
        store.delete_record("history_rebuilt", job.id)
