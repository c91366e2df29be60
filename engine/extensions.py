"""The extension subjects, wired to the engine's hooks, each loaded when it is first needed.

A job that uses no extension meets a few cheap tests here and nothing else; a server whose clients use none never
imports them (start-up time in a browser).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine import lifecycle as life
from engine.durable import Checkpoints
from engine.history import History
from engine.job import Job
from engine.kernel import Kernel
from engine.matching import Matching
from engine.operations import Operations, Pushed
from engine.progress import Progress
from engine.results import TIMER, Results
from engine.workers import Workers

if TYPE_CHECKING:
    from engine.agents import Agents
    from engine.deliveries import Deliveries
    from engine.events import Event
    from engine.middleware import EnqueueChain, ExecutionChain
    from engine.schemas import Schemas
    from engine.webhooks import Webhooks

# Each import below stands in the property that needs it, so that start-up does not pay for it.
# ruff: noqa: PLC0415


_ON_DEMAND = frozenset({"schemas", "deliveries", "webhooks", "agents"})


class Extensions:
    """All extension subjects over one kernel.

    Args:
        kernel: Store, time, randomness, events.
        operations: Whose hooks they use.
        workers: Whose declarations they read.
        on_timer: Names who handles a kind of timer.

    Attributes:
        results: Retention and retrieval of results.
        progress: What workers report of their progress.
        checkpoints: What the next attempt goes on from.
        history: Paths and lineage of jobs.
        matching: Which jobs a worker can take at all.
    """

    def __init__(
        self,
        kernel: Kernel,
        operations: Operations,
        workers: Workers,
        on_timer: Callable[[str, Callable[[str, int], None]], None],
    ) -> None:
        self.kernel = kernel
        self.workers = workers
        self.results = Results(kernel)
        self.progress = Progress(kernel)
        self.checkpoints = Checkpoints(kernel)
        self.history = History(kernel)
        self.matching = Matching(kernel)
        # Before uniqueness: what is refused must not have replaced anything. The stamp comes last of all, so that
        # no fingerprint ever contains it.
        operations.guards[:0] = [self._enqueue, self._check]
        operations.settlers.append(self._stamp)
        operations.ack_guards.append(self._check_output)
        kernel.listeners.append(self._moved)
        kernel.removed.append(self._removed)
        kernel.events.listeners.append(self._hear)
        on_timer(TIMER, self.results.prune)
        on_timer("delivery", self._due)

    def __getstate__(self) -> dict[str, Any]:
        """All but the subjects that were loaded on demand: they keep nothing and come back when needed."""
        return {name: value for name, value in vars(self).items() if name not in _ON_DEMAND}

    # subjects

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

    # hooks

    def _enqueue(self, job: Job) -> Pushed | None:
        return self.enqueue_chain.run(job) if "enqueue_chain" in self.__dict__ else None

    def _check(self, job: Job) -> Pushed | None:
        """Hold a new job against what its own fields ask for."""
        extra = job.extra
        if extra:
            if any(name.startswith("ext_agent_") and name != "ext_agent_v2" for name in extra):
                from engine import ai

                ai.check(job, self.kernel.store.get)
            if any(name.startswith("ext_ml_") for name in extra):
                from engine import ml

                ml.check(job)
        if job.schema is not None or self.kernel.store.record("schema", job.type) is not None:
            self.schemas.check(job)
        return None

    @staticmethod
    def _stamp(job: Job) -> None:
        """Keep the id of the request that a client has named itself (OJS Middleware, suite EXT-MW-003)."""
        hints = job.hints
        if hints and "request_id" in hints and "request_id" not in (job.meta or {}):
            job.meta = {**(job.meta or {}), "request_id": hints["request_id"]}

    def _check_output(self, job: Job, result: Any, has_result: bool) -> None:
        if job.extra and "ext_agent_output_schema" in job.extra:
            from engine.ai import check_output

            check_output(job, result, has_result)

    def _moved(self, job: Job, was: str, _operation: str) -> None:
        if not was and job.extra and ("parent_id" in job.extra or "ext_agent_parent_id" in job.extra):
            self.history.born(job)
        if job.result_ttl is not None and job.state in life.TERMINAL:
            self.results.ended(job, self.kernel.now())

    def _removed(self, job: Job) -> None:
        self.kernel.store.set_timer(TIMER, job.id, None)
        self.kernel.store.delete_record("agent", job.id)
        self.history.gone(job)

    def _hear(self, event: Event) -> None:
        if self.kernel.store.record("webhook_index", "subscriptions") is not None:
            self.deliveries.hear(event)

    def _due(self, key: str, instant: int) -> None:
        self.deliveries.due(key, instant)
