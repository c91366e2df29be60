"""Middleware: chains of named functions around enqueueing and around execution (OJS Middleware 3 to 5).

The engine runs the enqueue chain itself, before anything else sees a new job. The execution chain is for whoever
runs handlers on the engine's jobs; the engine runs none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from engine.errors import Rejected
from engine.job import Job
from engine.operations import Pushed

Enqueue = Callable[[Job], "Job | None"]
"""Gets a new job, may change it or raise; returns it, or None to drop it quietly."""
Next = Callable[[], Any]
Execute = Callable[[Job, Next], Any]
"""Gets the job and ``next``, which runs the rest; returns the result, may raise."""
Function = TypeVar("Function", Enqueue, Execute)


class Chain(Generic[Function]):
    """Named middleware in order; a name may stand more than once, and then means the first one."""

    def __init__(self) -> None:
        self._links: list[tuple[str, Function]] = []

    def names(self) -> list[str]:
        """What is in the chain, outermost first."""
        return [name for name, _ in self._links]

    def __iter__(self) -> Any:
        """The functions, outermost first."""
        return iter([function for _, function in self._links])

    def add(self, name: str, function: Function) -> None:
        """Put it last: it runs after all others, next to the handler."""
        self._links.append((name, function))

    def prepend(self, name: str, function: Function) -> None:
        """Put it first."""
        self._links.insert(0, (name, function))

    def insert_before(self, existing: str, name: str, function: Function) -> None:
        """Put it right before another.

        Raises:
            LookupError: There is no such name.
        """
        self._links.insert(self._place(existing), (name, function))

    def insert_after(self, existing: str, name: str, function: Function) -> None:
        """Put it right after another.

        Raises:
            LookupError: There is no such name.
        """
        self._links.insert(self._place(existing) + 1, (name, function))

    def remove(self, name: str) -> None:
        """Take it out.

        Raises:
            LookupError: There is no such name.
        """
        del self._links[self._place(name)]

    def _place(self, name: str) -> int:
        for index, (known, _) in enumerate(self._links):
            if known == name:
                return index
        raise LookupError(f"there is no middleware '{name}'; there are {', '.join(self.names()) or 'none'}")


class EnqueueChain(Chain[Enqueue]):
    """Enqueue middleware, in the order of insertion (OJS Middleware 3)."""

    def run(self, job: Job) -> Pushed | None:
        """Run the chain on a new job; a guard of `engine.operations.Operations`.

        Returns:
            None to go on, or the answer for a job that was dropped.

        Raises:
            OJSError: A middleware refuses the job; none after it runs.
            Rejected: A middleware has changed the job's id (OJS Middleware 3.3).
        """
        job_id = job.id
        for name, function in self._links:
            if function(job) is None:
                return Pushed(job, dropped=True)
            if job.id != job_id:
                raise Rejected(
                    f"The middleware '{name}' has changed the job's id (OJS Middleware 3.3).",
                    details={"middleware": name},
                )
        return None


class ExecutionChain(Chain[Execute]):
    """Execution middleware, nested: the first one added is the outermost (OJS Middleware 4)."""

    def run(self, job: Job, handler: Callable[[Job], Any]) -> Any:
        """Run a handler inside the chain and return its result; errors pass outwards."""

        def call(links: list[tuple[str, Execute]]) -> Any:
            if not links:
                return handler(job)
            (_, function), rest = links[0], links[1:]
            return function(job, lambda: call(rest))

        return call(self._links)


def refuse_empty_args(job: Job) -> Job:
    """Refuse a job that asks for validation and has no arguments; on a server started for conformance only.

    Raises:
        Rejected: ``meta.ojs_validate`` is true and ``args`` is empty.
    """
    if (job.meta or {}).get("ojs_validate") is True and not job.args:
        raise Rejected(
            "The validation middleware refused the job: 'args' is empty (OJS Middleware 7.1).",
            details={"field": "args", "rule": "must not be empty", "middleware": "validate"},
        )
    return job
