"""Demo workers: ordinary job workers inside the process, for a visitor who has none at hand yet.

They speak the HTTP binding like anybody else (fetch, heartbeat, ack, nack) and know nothing of the engine.
What they do with a job follows from its type (`playground.behaviours`).
Time is given to them, so they act the same in real and in virtual time.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.http.message import Request, Response
from playground.behaviours import Behaviour, behaviour_of, made, pattern_of
from playground.manner import USUAL, Manner

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


MAX_OWN: Final = 20
"""Most behaviours that a visitor adds."""


class Run(NamedTuple):
    """One job in a worker's hands; instants in milliseconds, ``told`` counts its reports of progress."""

    job_id: str
    job_type: str
    attempt: int
    started: int
    ends: int
    behaviour: Behaviour
    told: int = 0

    @property
    def reports_at(self) -> int | None:
        """When it tells next how far it is."""
        of = self.behaviour.reports
        if self.told >= of:
            return None
        return self.started + (self.ends - self.started) * (self.told + 1) // (of + 1)

    @property
    def next(self) -> int:
        """When it does something next."""
        reports_at = self.reports_at
        return self.ends if reports_at is None else min(self.ends, reports_at)


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
        manner: How it works.

    Attributes:
        runs: The jobs in its hands, oldest first.
        quiet: It takes nothing more until it is told to go on.
        stopping: It finishes what it has, takes nothing more and leaves.
        copies: How often it will send its next acknowledgement: 1, or 0 or 2 after a fault.
    """

    __slots__ = (
        "beat_at",
        "copies",
        "done",
        "failed",
        "id",
        "manner",
        "poll_at",
        "quiet",
        "runs",
        "stopping",
    )

    def __init__(self, id: str, poll_at: int | None, beat_at: int, manner: Manner) -> None:  # noqa: A002 - as the standard calls it
        self.id = id
        self.poll_at = poll_at
        self.beat_at: int | None = beat_at
        self.manner = manner
        self.runs: list[Run] = []
        self.quiet = False
        self.stopping = False
        self.copies = 1
        self.done = 0
        self.failed = 0

    @property
    def run(self) -> Run | None:
        """The oldest job in its hands."""
        return self.runs[0] if self.runs else None

    @property
    def next_poll(self) -> int | None:
        """When it asks for work next; None where it will not."""
        full = len(self.runs) >= self.manner.concurrency
        return None if self.stopping or self.quiet or full else self.poll_at


class Crew:
    """The demo workers of one session.

    Args:
        call: Answers a request to the binding.
        waiting: Whether any job of a queue is available; where none is, an idle worker sleeps until one comes.
        queues: What they fetch from, the first one first.

    Attributes:
        manner: How a worker works that is started from now on.
        own: The visitor's behaviours by pattern, the latest first.
    """

    def __init__(
        self,
        call: Callable[[Request], Response],
        waiting: Callable[[str], bool],
        queues: tuple[str, ...] = ("default",),
    ) -> None:
        self._call = call
        self._waiting = waiting
        self.manner = Manner(queues)
        self.own: dict[str, Behaviour] = {}
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
            "manner": self.manner,
            "own": list(self.own.values()),
        }

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that some worker serves, or the next one would."""
        served = (name for worker in self.workers.values() for name in worker.manner.queues)
        return tuple(dict.fromkeys((*served, *self.manner.queues)))

    def reset(self) -> None:
        """Let every worker go, and forget how they were told to work."""
        self.workers.clear()
        self.own.clear()
        self.manner = USUAL

    def start(self, now: int) -> Worker:
        """Start one more worker.

        Raises:
            ValueError: `MAX_WORKERS` run already.
        """
        if len(self.workers) >= MAX_WORKERS:
            raise ValueError(f"{MAX_WORKERS} demo workers run already; stop one first.")
        self._numbers += 1
        worker = Worker(f"demo-{self._numbers}", now, now, self.manner)
        self.workers[worker.id] = worker
        return worker

    def stop(self, worker_id: str) -> None:
        """Let a worker finish its job and leave.

        Raises:
            KeyError: No such worker.
        """
        worker = self.workers[worker_id]
        worker.stopping = True
        if not worker.runs:
            del self.workers[worker_id]

    def kill(self, worker_id: str) -> None:
        """End a worker at once, as a crash would: its job waits until the reservation runs out.

        Raises:
            KeyError: No such worker.
        """
        del self.workers[worker_id]

    def hush(self, worker_id: str, now: int, *, quiet: bool) -> None:
        """Let a worker take nothing more, or go on; it keeps what it has.

        Raises:
            KeyError: No such worker.
        """
        worker = self.workers[worker_id]
        worker.quiet = quiet
        worker.poll_at = now

    def tune(self, worker_id: str, settings: Mapping[str, Any], now: int) -> None:
        """Change how a worker works; with an empty id how all of them do, and those to come.

        Args:
            worker_id: Its id, or empty.
            settings: See `Manner.changed`.
            now: The instant, milliseconds.

        Raises:
            KeyError: No such worker.
            ValueError: A setting is wrong; nothing has changed.
        """
        changing = [self.workers[worker_id]] if worker_id else list(self.workers.values())
        manners = [worker.manner.changed(settings) for worker in changing]
        if not worker_id:
            self.manner = self.manner.changed(settings)
        for worker, manner in zip(changing, manners, strict=True):
            worker.manner = manner
            worker.poll_at = now

    def behave(self, settings: Mapping[str, Any]) -> None:
        """Have the handlers of some job types do something else from their next job on.

        Args:
            settings: See `behaviours.made`; ``{pattern, does: "usual"}`` takes the pattern's back.

        Raises:
            ValueError: A setting is wrong, or there are `MAX_OWN` already.
        """
        if settings.get("does") == "usual":
            self.own.pop(pattern_of(settings), None)
            return
        new = made(settings)
        others = {pattern: one for pattern, one in self.own.items() if pattern != new.pattern}
        if len(others) >= MAX_OWN:
            raise ValueError(f"There are {MAX_OWN} behaviours of your own already; take one back first.")
        self.own = {new.pattern: new, **others}

    def slow(self, worker_id: str, now: int) -> None:
        """Let the handler at work take ten times as long; heartbeats go on.

        Raises:
            KeyError: No such worker.
            ValueError: It has no job.
        """
        run, worker = self._busy(worker_id), self.workers[worker_id]
        worker.runs[0] = run._replace(ends=now + 10 * run.behaviour.duration)

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
        self._busy(worker_id)
        worker = self.workers[worker_id]
        worker.runs = [one._replace(ends=now + STALL) for one in worker.runs]
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
            for instant in (worker.beat_at, worker.next_poll, *(run.next for run in worker.runs))
            if instant is not None
        ]
        return min(times, default=None)

    def tick(self, now: int) -> None:
        """Do what the workers do by now."""
        for worker in list(self.workers.values()):
            for run in list(worker.runs):
                if run.next <= now and self.workers.get(worker.id) is worker:
                    self._go_on(worker, run, now)
            if self.workers.get(worker.id) is not worker:
                continue
            if worker.beat_at is not None and worker.beat_at <= now:
                self._beat(worker, now)
            poll = worker.next_poll
            if poll is not None and poll <= now:
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
        manner = worker.manner
        _, answer = self._post("/workers/fetch", {"queues": list(manner.queues), "worker_id": worker.id})
        jobs = answer.get("jobs") or []
        if not jobs:
            worker.poll_at = now + AGAIN if any(map(self._waiting, manner.queues)) else None
            return
        job = jobs[0]
        behaviour = behaviour_of(job["type"], self.own.values())
        ends = now + round(behaviour.duration / manner.speed)
        worker.runs.append(Run(job["id"], job["type"], job["attempt"], now, ends, behaviour))
        worker.poll_at = now

    def _beat(self, worker: Worker, now: int) -> None:
        worker.beat_at = now + BEAT
        held = [run.job_id for run in worker.runs if not run.behaviour.dies]
        _, answer = self._post("/workers/heartbeat", {"worker_id": worker.id, "active_jobs": held})
        if answer.get("state") == "terminate":
            self.stop(worker.id)

    def _go_on(self, worker: Worker, run: Run, now: int) -> None:
        """Report progress, or answer."""
        if run.ends <= now:
            self._finish(worker, run, now)
            return
        worker.runs[worker.runs.index(run)] = run._replace(told=run.told + 1)
        share = round((run.told + 1) / (run.behaviour.reports + 1), 3)
        facts = {"job_id": run.job_id, "worker_id": worker.id, "progress": share}
        self._post("/workers/progress", facts)

    def _finish(self, worker: Worker, run: Run, now: int) -> None:
        worker.runs.remove(run)
        worker.poll_at = now + POLL
        if run.behaviour.dies:
            del self.workers[worker.id]
            # As a supervisor would: a new process with a new name, which knows nothing of the jobs.
            self.start(now).manner = worker.manner
            return
        facts = {"job_id": run.job_id, "worker_id": worker.id}
        failures = run.behaviour.failures
        if failures is None or run.attempt <= failures:
            worker.failed += 1
            usual = f"The demo handler for {run.behaviour.pattern} failed on attempt {run.attempt}."
            text = run.behaviour.message or usual
            self._answer(worker, "nack", now, facts | {"error": {"code": "demo_failure", "message": text}})
        else:
            worker.done += 1
            result = {"handled_by": worker.id, "attempt": run.attempt, "took_ms": now - run.started}
            self._answer(worker, "ack", now, facts | {"result": result})
        if worker.stopping and not worker.runs:
            self.workers.pop(worker.id, None)
