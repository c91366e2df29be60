"""Workers as the server sees them: heartbeats, directives, and what happens when one falls silent.

OJS Worker Protocol 3, 4, 6.6 and 10. A worker that only fetches is listed, but only one that has sent a
heartbeat can be declared dead.
"""

from __future__ import annotations

from typing import Any, Final

from engine import failure
from engine import lifecycle as life
from engine.envelope import refuse
from engine.errors import InvalidRequest, NotFound
from engine.job import DEFAULT_TIMEOUT, Job
from engine.kernel import Kernel
from engine.operations import Operations
from engine.setting import Setting
from engine.times import SECOND, format_time

HEARTBEAT_INTERVAL: Final = 5 * SECOND
HEARTBEAT_TIMEOUT: Final = 30 * SECOND
"""Silence after which a worker counts as dead (OJS Worker Protocol 10.1)."""
MAX_RECOVERED: Final = 100_000
"""Most jobs taken back from one dead worker at once; others come back when their reservations end."""
DIRECTIVES: Final = ("running", "quiet", "terminate")
"""The states of a worker, from the first to the last (OJS Worker Protocol 2.1)."""
_STATES: Final = dict(zip(DIRECTIVES, DIRECTIVES, strict=True)) | {"drain": "quiet", "draining": "quiet"}
"""What a worker may say of itself, and the state that it means (OJS Graceful Shutdown 5)."""
_FACTS: Final = (
    "hostname pid concurrency labels started_at pool version metadata capabilities handlers".split()
)
_KIND: Final = "worker"


class Workers:
    """The registry of workers and the server's word to them.

    Args:
        kernel: Store, time, events.
        operations: To take jobs back from dead workers.

    Attributes:
        obey_hints: Whether a job's ``metadata.test_directive`` sets the directive of the heartbeat that lists
            it; only a server started for conformance does.
    """

    obey_hints = Setting(default=False)

    def __init__(self, kernel: Kernel, operations: Operations) -> None:
        self.kernel = kernel
        self.operations = operations

    def may_fetch(self, worker_id: str, queues: list[str]) -> bool:
        """Note a FETCH; a worker told to be quiet or to terminate gets nothing (OJS Worker Protocol 6.6)."""
        record = self.kernel.store.record(_KIND, worker_id)
        now = self.kernel.now()
        if record is None:
            record = self._meet(now)
        record["last_seen"] = now
        record["queues"] = queues
        self.kernel.store.put_record(_KIND, worker_id, record)
        return _desired(record) == "running"

    def _meet(self, now: int) -> dict[str, Any]:
        return {
            "first_seen": now,
            "last_seen": now,
            "beat": None,
            "queues": [],
            "directive": "running",
            "state": "running",
            "jobs": [],
        }

    def register(self, worker_id: str | None, facts: dict[str, Any]) -> dict[str, Any]:
        """Take a worker's registration, before its first FETCH (OJS Worker Protocol 3).

        Args:
            worker_id: Its id.
            facts: What it says of itself: ``hostname``, ``pid``, ``queues``, ``concurrency``, ``labels``, ``pool``.

        Returns:
            The reply: intervals, timeouts, the server's time.

        Raises:
            InvalidRequest: No worker id.
        """
        beat = self.beat(worker_id, [], None, facts)
        return {
            "ok": True,
            "worker_id": worker_id,
            "state": beat["state"],
            "server_time": beat["server_time"],
            "heartbeat_interval": beat["heartbeat_interval"],
            "heartbeat_timeout": beat["heartbeat_timeout"],
            "visibility_timeout_default": DEFAULT_TIMEOUT // SECOND,
        }

    def beat(
        self, worker_id: str | None, job_ids: list[str], extend: int | None, facts: dict[str, Any]
    ) -> dict[str, Any]:
        """Take a heartbeat: extend the named reservations, answer with the directive (OJS Core 7.5).

        Args:
            worker_id: Who sends it.
            job_ids: Jobs it is working on.
            extend: New length of their reservations from now, milliseconds; each job's own when None.
            facts: What else it says of itself (``hostname``, ``pid``, ``queues``, ``handlers``, ``capabilities``, …).

        Returns:
            The reply: directive, extended and lost jobs, the server's time.

        Raises:
            InvalidRequest: No worker id, or a malformed declaration of handlers.
        """
        if not worker_id:
            raise InvalidRequest(
                "'worker_id' is required: the id this worker fetches with (OJS Worker Protocol 4.2).",
                details={"field": "worker_id", "rule": "required"},
            )
        if facts.get("handlers") is not None:
            from engine import matching  # noqa: PLC0415 - few workers declare what they handle

            facts = {**facts, "handlers": matching.handlers(facts["handlers"])}
        with self.kernel.store.transaction():
            now = self.kernel.now()
            record = self.kernel.store.record(_KIND, worker_id)
            if record is None or record["beat"] is None:
                record = record or self._meet(now)
                started = {
                    "queues": facts.get("queues") or record["queues"],
                    "concurrency": facts.get("concurrency") or record.get("concurrency") or 1,
                }
                self._emit("worker.started", worker_id, now, started)
            record |= {"last_seen": now, "beat": now, "jobs": job_ids}
            record |= {name: facts[name] for name in _FACTS if facts.get(name) is not None}
            self._enter(worker_id, record, facts.get("state"))
            if isinstance(facts.get("queues"), list):
                record["queues"] = facts["queues"]
            extended, lost, hint = self._extend(worker_id, job_ids, extend, now)
            self.kernel.store.put_record(_KIND, worker_id, record)
            self.kernel.store.set_timer(_KIND, worker_id, now + HEARTBEAT_TIMEOUT)
            self._emit(
                "worker.heartbeat", worker_id, now, {"active_jobs": job_ids, "queues": record["queues"]}
            )
        directive = hint or _desired(record)
        return {
            "acknowledged": True,
            "state": directive,
            "directive": "" if directive == "running" else directive,  # openapi HeartbeatResponse
            "jobs_extended": extended,
            "jobs_lost": lost,
            "jobs_cancelled": [job_id for job_id in lost if self._is_cancelled(job_id)],
            "server_time": format_time(now),
            "heartbeat_interval": HEARTBEAT_INTERVAL // SECOND,
            "heartbeat_timeout": HEARTBEAT_TIMEOUT // SECOND,
        }

    def _enter(self, worker_id: str, record: dict[str, Any], said: Any) -> None:
        """Note the state that a worker says it is in; nobody comes back from ``terminate`` (2.3)."""
        state = _STATES.get(said) if isinstance(said, str) else None
        if state is None or record["state"] in {state, "terminate"}:
            return
        record["state"] = state
        if state == "quiet":
            self._emit("worker.quiet", worker_id, self.kernel.now(), {"active_jobs": record["jobs"]})

    def _is_cancelled(self, job_id: str) -> bool:
        job = self.kernel.store.get(job_id)
        return job is not None and job.state == life.CANCELLED

    def _extend(
        self, worker_id: str, job_ids: list[str], extend: int | None, now: int
    ) -> tuple[list[str], list[str], str | None]:
        extended: list[str] = []
        lost: list[str] = []
        hint: str | None = None
        for job_id in job_ids:
            job = self.kernel.store.get(job_id)
            if job is None or job.state != life.ACTIVE or job.worker_id not in {None, worker_id}:
                lost.append(job_id)
                continue
            # No heartbeat shortens a reservation: an early one must not take away what FETCH has granted.
            length = extend or job.reservation or 0
            job.reserved_until = max(job.reserved_until or 0, now + length)
            job.beat_at = now
            self.kernel.store.save(job, job.state)
            extended.append(job_id)
            data = {"worker_id": worker_id, "visible_until": format_time(job.reserved_until)}
            self.kernel.emit_job("job.heartbeat", job, data, now)
            wish = (job.hints or {}).get("test_directive")
            if self.obey_hints and wish in DIRECTIVES:
                hint = wish
        return extended, lost, hint

    def direct(self, worker_id: str, directive: str) -> dict[str, Any]:
        """Set what the worker hears at its next heartbeat.

        Args:
            worker_id: The worker.
            directive: One of `DIRECTIVES`.

        Raises:
            NotFound: No such worker.
            InvalidRequest: No such directive.
        """
        if directive not in DIRECTIVES:
            raise refuse(
                "state", directive, f"must be one of {', '.join(DIRECTIVES)}", "OJS Worker Protocol 4.4"
            )
        with self.kernel.store.transaction():
            record = self._known(worker_id)
            record["directive"] = directive
            self.kernel.store.put_record(_KIND, worker_id, record)
            if directive == "quiet":
                self._emit("worker.quiet", worker_id, self.kernel.now(), {"active_jobs": record["jobs"]})
        return self._shown(worker_id, record)

    def leave(self, worker_id: str) -> None:
        """Forget a worker that shuts down; jobs it still holds wait for their reservations to end.

        Raises:
            NotFound: No such worker.
        """
        with self.kernel.store.transaction():
            record = self._known(worker_id)
            self._forget(worker_id, record, "shutdown")

    def dead(self, worker_id: str, _instant: int) -> None:
        """A worker has been silent for too long: its jobs go back (OJS Worker Protocol 10.2)."""
        with self.kernel.store.transaction():
            record = self.kernel.store.record(_KIND, worker_id)
            if record is None:
                return
            self._forget(worker_id, record, "error", message="heartbeat timeout")
            text = f"Worker '{worker_id}' sent no heartbeat for {HEARTBEAT_TIMEOUT // SECOND} s."
            for job in self._held(worker_id, record["jobs"]):
                self.operations.take_back(job, failure.server_error("worker_death", text))

    def _held(self, worker_id: str, reported: list[str]) -> list[Job]:
        """The jobs that a worker has in hand: those that it last reported, then those that it has claimed since."""
        store = self.kernel.store
        found = [job for job_id in reported if (job := store.get(job_id)) is not None]
        told = [job for job in found if job.state == life.ACTIVE and job.worker_id in {None, worker_id}]
        known = {job.id for job in told}
        claimed = store.jobs(
            states=[life.ACTIVE],
            keep=lambda job: job.worker_id == worker_id and job.id not in known,
            limit=MAX_RECOVERED,
            newest=False,
        )
        return told + claimed

    def _forget(self, worker_id: str, record: dict[str, Any], reason: str, **more: str) -> None:
        now = self.kernel.now()
        self.kernel.store.delete_record(_KIND, worker_id)
        self.kernel.store.set_timer(_KIND, worker_id, None)
        uptime = now - record["first_seen"]
        self._emit("worker.stopped", worker_id, now, {"reason": reason, "uptime_ms": uptime, **more})

    def _known(self, worker_id: str) -> dict[str, Any]:
        record = self.kernel.store.record(_KIND, worker_id)
        if record is None:
            raise NotFound(
                f"There is no worker '{worker_id:.60}'.",
                details={"resource_type": "worker", "resource_id": worker_id[:60]},
            )
        return record

    def get(self, worker_id: str) -> dict[str, Any]:
        """One worker.

        Raises:
            NotFound: No such worker.
        """
        return self._shown(worker_id, self._known(worker_id))

    def list(self) -> list[dict[str, Any]]:
        """All workers known, in the order in which they were first seen."""
        return [self._shown(key, record) for key, record in self.kernel.store.records(_KIND)]

    def _shown(self, worker_id: str, record: dict[str, Any]) -> dict[str, Any]:
        beat = record["beat"]
        shown = {
            "id": worker_id,
            "worker_id": worker_id,
            "state": _desired(record),
            "directive": record["directive"],
            "queues": record["queues"],
            "active_jobs": len(record["jobs"]),
            "active_job_ids": record["jobs"],
            "first_seen_at": format_time(record["first_seen"]),
            "last_seen_at": format_time(record["last_seen"]),
            "last_heartbeat_at": None if beat is None else format_time(beat),
        }
        return shown | {name: record[name] for name in _FACTS if name in record}

    def _emit(self, kind: str, worker_id: str, now: int, data: dict[str, Any]) -> None:
        self.kernel.events.emit(now, kind, worker_id, {"worker_id": worker_id, **data})


def _desired(record: dict[str, Any]) -> str:
    """The state that a worker should be in: the later one of its own and the server's directive."""
    return DIRECTIVES[max(DIRECTIVES.index(record["state"]), DIRECTIVES.index(record["directive"]))]
