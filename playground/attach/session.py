"""The session of an attached server: a copy that the views read, filled by `reader`; what is done is passed on.

The copy is replaced whole by each look, and time does nothing to it: the attached server is the one that acts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from engine.clock import Clock
from engine.errors import Conflict, Unavailable
from engine.http.message import Request, Response
from engine.job import Job
from engine.kernel import Kernel
from engine.memory import MemoryStore
from playground.attach import shapes
from playground.attach.events import Happened
from playground.attach.reader import ALWAYS, Look, Reader
from playground.attach.remote import Remote, Trouble
from playground.http_target import Server
from playground.session import Session

T = TypeVar("T")
WANTED: Final = 12
"""Jobs that pages have opened lately, which every look reads whole."""
SHOWN: Final = frozenset(
    "queue setting cron worker workflow workflow_plan workflow_step workflow_needs".split()
)
"""Kinds of records that a look brings."""
MONITORS: Final = frozenset({"/health", "/ready", "/metrics"})


class Standing(NamedTuple):
    """How it stands with the attached server.

    Args:
        url: Its address.
        about: What it says of itself; empty before it has.
        read: When it was last read, milliseconds; None before it was.
        problem: Why it cannot be read now; empty while it can.
        partly: What is known only in part, a sentence each.
    """

    url: str
    about: str
    read: int | None
    problem: str
    partly: tuple[str, ...]


class Copy(MemoryStore):
    """What was last read of the server; counts are the server's own where it tells them.

    Args:
        probe: Raises while the server cannot be read.
    """

    name = "attached"

    def __init__(self, probe: Callable[[], None]) -> None:
        super().__init__()
        self.probe = probe
        self._told: Mapping[str, dict[str, int]] = {}
        self._total: dict[str, int] | None = None

    def attach(self, kernel: Kernel) -> None:
        """Nothing is kept beyond the process."""

    def take(self, look: Look) -> None:
        """Show this from now on."""
        kept = {kind: records for kind, records in self._records.items() if kind not in SHOWN}
        self.clear()
        self._records.update(kept)  # the figures, which are counted here
        self._told, self._total = look.counts, look.total
        for job in look.jobs:
            self.add(job)
        for kind, key, value in look.records:
            self.put_record(kind, key, value)

    def counts(self, queue: str | None = None) -> dict[str, int]:
        """Jobs by state: what the server tells, else those that were read."""
        told = self._total if queue is None else self._told.get(queue)
        return super().counts(queue) if told is None else dict(told)

    def next_due(self) -> int | None:
        """Nothing: a copy does not act."""
        return None

    def pop_due(self, now: int) -> None:
        """Nothing is ever due here."""
        del now


class Attached(Session):
    """The session that shows an attached server.

    Args:
        clock: The host's clock.
        remote: The server.
        seed: Of this process's own request ids.
        max_body: Largest request body, bytes.

    Attributes:
        apart: How the host lets something slow be done while others have their turns.
        stir: Asks whoever reads to look again soon.
    """

    def __init__(self, clock: Clock, remote: Remote, *, seed: int, max_body: int = 1_048_576) -> None:
        self.copy = Copy(self._probe)
        super().__init__(clock, seed=seed, max_body=max_body, store=self.copy)
        self.remote = remote
        self.reader = Reader(remote)
        self.apart: Callable[[Callable[[], Any]], Any] = lambda work: work()
        self.stir: Callable[[], None] = lambda: None
        self.wanted: deque[str] = deque(maxlen=WANTED)
        self._can = ALWAYS
        self._raw: dict[str, shapes.Body] = {}
        self._silent = False
        self._standing = Standing(remote.url, "", None, "It has not been read yet.", ())

    # how it stands

    @property
    def hires(self) -> bool:
        """No demo worker: it would take the other server's jobs."""
        return False

    @property
    def resets(self) -> bool:
        """Another server's jobs are not forgotten from here."""
        return False

    def target(self) -> Server:
        """Where a conformance run reaches it, its token with it."""
        return self.remote.server

    def offers(self, part: str) -> bool:
        """Whether the attached server has what a part of the views shows."""
        return part in self._can

    def standing(self) -> Standing:
        """How it stands with the attached server."""
        return self._standing

    def _probe(self) -> None:
        if self._standing.problem:
            raise Unavailable(
                f"The attached server cannot be read: {self._standing.problem}", details={"retry_after": 2}
            )

    def lost(self, trouble: Trouble) -> None:
        """The server cannot be read; what was last seen stays."""
        self._silent = trouble.silent
        problem = str(trouble)
        if problem != self._standing.problem:
            self._standing = self._standing._replace(problem=problem)
        self.touch()

    def take(self, look: Look, happened: list[Happened]) -> None:
        """Show what was read."""
        self._silent = False
        self.copy.take(look)
        self._can, self._raw = look.can, dict(look.raw)
        self._standing = Standing(self.remote.url, look.about, self.clock.now(), "", tuple(look.partly))
        log = self.engine.events
        for one in happened:
            note = one.note(log.seq + 1)
            if note is None:
                log.emit(one.time, one.type, one.subject, one.data)
            else:
                log.extend([note], log.seq + 1, log.counted)
        log.settle()
        self.touch()

    # what pages ask and do

    def seek(self, job_id: str) -> Job | None:
        """A job; one that is not in the copy is asked for."""
        if job_id in self.wanted:
            self.wanted.remove(job_id)
        self.wanted.append(job_id)
        found = self.copy.get(job_id)
        if found is None and not self._silent:
            try:
                raw = self.apart(lambda: self.reader.job(job_id))
            except Trouble as trouble:
                raise Unavailable(str(trouble), details={"retry_after": 2}) from None
            found = None if raw is None else shapes.job(raw)
            if found is not None and self.copy.get(job_id) is None:
                self._raw[job_id] = raw
                self.copy.add(found)
        return found or self.copy.get(job_id)

    def body(self, job: Job) -> dict[str, Any]:
        """A job as the server gave it."""
        return self._raw.get(job.id) or job.to_dict()

    def handle(self, request: Request) -> Response:
        """Pass a request on; probes of this process it answers itself."""
        path = request.url.partition("?")[0]
        if path in MONITORS:
            return super().handle(request)
        response = self._passed(request)
        for hear in self.world.heard:
            hear(self.clock.now(), request, response)
        if request.method != "GET":
            self.stir()
        return response

    def _passed(self, request: Request) -> Response:
        """The attached server's answer, or why there is none; while it is known to be silent, nobody waits for it."""
        problem = self._standing.problem
        if not self._silent:
            try:
                response: Response = self.apart(lambda: self.remote.send(request))
            except Trouble as trouble:
                problem = str(trouble)
            else:
                return response
        error = Unavailable(f"The attached server does not answer: {problem}", details={"retry_after": 2})
        return self.binding.refuse(error, request)

    def work(self, verb: str, worker: str = "", settings: Mapping[str, Any] | None = None) -> None:
        """No demo worker lives here.

        Raises:
            Conflict: Always.
        """
        del verb, worker, settings
        raise Conflict("Demo workers do not work for an attached server; connect a worker of your own to it.")

    def tick(self) -> None:
        """Nothing: the attached server acts by itself."""

    def next_due(self) -> int | None:
        """Nothing is due; whoever reads the server has a thread of its own."""
        return None

    def reset(self) -> None:
        """Nothing of the attached server is forgotten from here.

        Raises:
            Conflict: Always.
        """
        raise Conflict(
            "This playground shows another server, whose jobs it does not delete; start over there."
        )
