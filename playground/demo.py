"""Demo workers: ordinary job workers inside the process, for a visitor who has none at hand yet.

They speak the HTTP binding like anybody else (fetch, heartbeat, ack, nack) and know nothing of the engine.
What they do with a job follows from its type: a handler that takes a while, then succeeds, fails or dies.
Time is given to them, so they act the same in real and in virtual time.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engine.http.message import Request, Response

POLL: Final = 400
"""Pause of an idle worker before it asks for work again, milliseconds."""
AGAIN: Final = 2_000
"""The same while work lies there that it is not given: a paused queue, a limit, a directive to be quiet."""
BEAT: Final = 5_000
"""Between heartbeats, milliseconds (OJS Worker Protocol 4)."""
MAX_WORKERS: Final = 8
REFUSALS: Final = 50
"""Refused answers that are remembered."""
STALL: Final = 60_000
"""How long a stalled handler hangs, milliseconds: well beyond the time after which a silent worker counts as dead."""


class Behaviour(NamedTuple):
    """What a demo handler does with jobs of some types.

    Args:
        pattern: How the job's type begins, then ``*``.
        text: One sentence for the page.
        duration: How long the handler runs, milliseconds.
        failures: Attempts that fail before one succeeds; None means all of them.
        dies: Whether the worker vanishes instead of answering.
    """

    pattern: str
    text: str
    duration: int
    failures: int | None = 0
    dies: bool = False


BEHAVIOURS: Final = (
    Behaviour("flaky.*", "fails twice, then succeeds", 900, failures=2),
    Behaviour("broken.*", "always fails", 900, failures=None),
    Behaviour("crash.*", "dies without an answer", 1_200, dies=True),
    Behaviour("slow.*", "takes ten seconds", 10_000),
    Behaviour("*", "succeeds after a second", 1_100),
)
"""The first pattern that fits decides."""


def behaviour_of(job_type: str) -> Behaviour:
    """What the demo handler of a job type does."""
    return next(one for one in BEHAVIOURS if job_type.startswith(one.pattern.removesuffix("*")))


class Run(NamedTuple):
    """One job in a worker's hands; instants in milliseconds."""

    job_id: str
    job_type: str
    attempt: int
    started: int
    ends: int
    behaviour: Behaviour


class Refusal(NamedTuple):
    """A demo worker heard no: what it did came too late, or twice.

    Args:
        time: Instant, milliseconds.
        worker: Its id.
        job_id: The job that it was about.
        what: What it tried, e.g. ``ack``.
        status: HTTP status of the answer.
        message: The answer's own words.
    """

    time: int
    worker: str
    job_id: str
    what: str
    status: int
    message: str


class Worker:
    """One demo worker.

    Args:
        id: Its worker id.
        poll_at: When it asks for work next, or None while nothing has arrived since it last found none.
        beat_at: When its next heartbeat is due; None once it sends none.

    Attributes:
        stopping: It finishes what it has and takes nothing more.
        copies: How often it will send its next acknowledgement: 1, or 0 or 2 after a fault.
    """

    __slots__ = ("beat_at", "copies", "done", "failed", "id", "poll_at", "run", "stopping")

    def __init__(self, id: str, poll_at: int | None, beat_at: int) -> None:  # noqa: A002 - as the standard calls it
        self.id = id
        self.poll_at = poll_at
        self.beat_at: int | None = beat_at
        self.run: Run | None = None
        self.stopping = False
        self.copies = 1
        self.done = 0
        self.failed = 0


class Crew:
    """The demo workers of one session.

    Args:
        call: Answers a request to the binding.
        waiting: Whether any job of a queue is available; where none is, an idle worker sleeps until one comes.
        queues: What they fetch from, the first one first.
    """

    def __init__(
        self,
        call: Callable[[Request], Response],
        waiting: Callable[[str], bool],
        queues: tuple[str, ...] = ("default",),
    ) -> None:
        self._call = call
        self._waiting = waiting
        self.queues = queues
        self.workers: dict[str, Worker] = {}
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS)
        self._numbers = 0

    def to_dict(self) -> dict[str, Any]:
        """Everything about the workers, as JSON values."""
        return {
            "numbers": self._numbers,
            "workers": [
                {name: getattr(worker, name) for name in Worker.__slots__} for worker in self.workers.values()
            ],
            "refusals": list(self.refusals),
        }

    def start(self, now: int) -> Worker:
        """Start one more worker.

        Raises:
            ValueError: `MAX_WORKERS` run already.
        """
        if len(self.workers) >= MAX_WORKERS:
            raise ValueError(f"{MAX_WORKERS} demo workers run already; stop one first.")
        self._numbers += 1
        worker = Worker(f"demo-{self._numbers}", now, now)
        self.workers[worker.id] = worker
        return worker

    def stop(self, worker_id: str) -> None:
        """Let a worker finish its job and leave.

        Raises:
            KeyError: No such worker.
        """
        worker = self.workers[worker_id]
        worker.stopping = True
        if worker.run is None:
            del self.workers[worker_id]

    def kill(self, worker_id: str) -> None:
        """End a worker at once, as a crash would: its job waits until the reservation runs out.

        Raises:
            KeyError: No such worker.
        """
        del self.workers[worker_id]

    def slow(self, worker_id: str, now: int) -> None:
        """Let the handler at work take ten times as long; heartbeats go on.

        Raises:
            KeyError: No such worker.
            ValueError: It has no job.
        """
        run = self._busy(worker_id)
        self.workers[worker_id].run = run._replace(ends=now + 10 * run.behaviour.duration)

    def mute(self, worker_id: str) -> None:
        """Let a worker send no heartbeat from now on; it goes on working.

        Raises:
            KeyError: No such worker.
        """
        self.workers[worker_id].beat_at = None

    def stall(self, worker_id: str, now: int) -> None:
        """Freeze a worker in the middle of its job for `STALL`: no heartbeat, then its answer, too late.

        Raises:
            KeyError: No such worker.
            ValueError: It has no job.
        """
        run, worker = self._busy(worker_id), self.workers[worker_id]
        worker.run = run._replace(ends=now + STALL)
        worker.beat_at = now + STALL

    def garble(self, worker_id: str, copies: int) -> None:
        """Have the network deliver a worker's next acknowledgement so many times: not at all, or twice.

        Raises:
            KeyError: No such worker.
        """
        self.workers[worker_id].copies = copies

    def _busy(self, worker_id: str) -> Run:
        run = self.workers[worker_id].run
        if run is None:
            raise ValueError(f"{worker_id} has no job now, so there is nothing to disturb.")
        return run

    def stir(self, now: int) -> None:
        """Something has become available: idle workers look at their next poll."""
        for worker in self.workers.values():
            if worker.poll_at is None or worker.poll_at > now + POLL:
                worker.poll_at = now + POLL

    def next_due(self) -> int | None:
        """When a worker has something to do next, milliseconds, or None."""
        times = [
            instant
            for worker in self.workers.values()
            for instant in (worker.beat_at, worker.run.ends if worker.run else self._poll(worker))
            if instant is not None
        ]
        return min(times, default=None)

    @staticmethod
    def _poll(worker: Worker) -> int | None:
        return None if worker.stopping else worker.poll_at

    def tick(self, now: int) -> None:
        """Do what the workers do by now."""
        for worker in list(self.workers.values()):
            if worker.run is not None and worker.run.ends <= now:
                self._finish(worker, worker.run, now)
            if worker.beat_at is not None and worker.beat_at <= now:
                self._beat(worker, now)
            poll = self._poll(worker)
            if worker.run is None and poll is not None and poll <= now:
                self._fetch(worker, now)

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {"content-type": "application/json"}
        response = self._call(Request("POST", f"/ojs/v1{path}", headers, json.dumps(body).encode()))
        assert isinstance(response.body, bytes)  # noqa: S101 - these routes never stream
        return response.status, json.loads(response.body)

    def _answer(self, worker: Worker, what: str, now: int, body: dict[str, Any]) -> None:
        """Send a worker's answer to its job, as often as the network delivers it."""
        for _ in range(worker.copies):
            status, answer = self._post(f"/workers/{what}", body)
            if status >= 400:
                message = answer["error"]["message"]
                self.refusals.append(Refusal(now, worker.id, body["job_id"], what, status, message))
        worker.copies = 1

    def _fetch(self, worker: Worker, now: int) -> None:
        _, answer = self._post("/workers/fetch", {"queues": list(self.queues), "worker_id": worker.id})
        jobs = answer.get("jobs") or []
        if not jobs:
            worker.poll_at = now + AGAIN if any(map(self._waiting, self.queues)) else None
            return
        job = jobs[0]
        behaviour = behaviour_of(job["type"])
        worker.run = Run(job["id"], job["type"], job["attempt"], now, now + behaviour.duration, behaviour)
        worker.poll_at = now

    def _beat(self, worker: Worker, now: int) -> None:
        worker.beat_at = now + BEAT
        held = [worker.run.job_id] if worker.run and not worker.run.behaviour.dies else []
        _, answer = self._post("/workers/heartbeat", {"worker_id": worker.id, "active_jobs": held})
        if answer.get("state") == "terminate":
            self.stop(worker.id)

    def _finish(self, worker: Worker, run: Run, now: int) -> None:
        worker.run = None
        worker.poll_at = now + POLL
        if run.behaviour.dies:
            del self.workers[worker.id]
            self.start(
                now
            )  # as a supervisor would: a new process with a new name, which knows nothing of the job
            return
        facts = {"job_id": run.job_id, "worker_id": worker.id}
        failures = run.behaviour.failures
        if failures is None or run.attempt <= failures:
            worker.failed += 1
            text = f"The demo handler for {run.behaviour.pattern} failed on attempt {run.attempt}."
            self._answer(worker, "nack", now, facts | {"error": {"code": "demo_failure", "message": text}})
        else:
            worker.done += 1
            result = {"handled_by": worker.id, "attempt": run.attempt, "took_ms": now - run.started}
            self._answer(worker, "ack", now, facts | {"result": result})
        if worker.stopping:
            self.workers.pop(worker.id, None)
