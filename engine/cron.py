"""Cron entries: jobs that are enqueued on a schedule (OJS Cron).

Each entry is one record and one timer. The timer goes on while an entry is disabled, because each occurrence that
enqueues nothing is an event too (OJS Cron 9.2). How expressions are read and when they fire is
`engine.cron_expression`'s business, what a registration may say is `engine.cron_definition`'s, how they are
shown is `engine.cron_view`'s.
"""

from __future__ import annotations

from typing import Any, Final

from engine import cron_definition, cron_expression, zones
from engine import lifecycle as life
from engine.cron_definition import OVERLAP
from engine.cron_view import Record, shown, upcoming
from engine.errors import Duplicate, NotFound, OJSError
from engine.job import Job
from engine.kernel import Kernel
from engine.maintenance import rests
from engine.operations import Operations
from engine.setting import Setting
from engine.times import format_time

_KIND: Final = "cron"
_UNDER_WAY: Final = frozenset({life.ACTIVE, life.RETRYABLE})
HISTORY: Final = 50
"""Latest occurrences kept of each entry."""


class Cron:
    """All cron entries over one kernel.

    Args:
        kernel: Store, time, events.
        operations: To enqueue and to cancel runs.

    Attributes:
        late: An occurrence done later than this after its time, milliseconds, was missed: the server stood still.
            None, for virtual time, lets each occurrence happen at its own instant however far the clock jumps.
    """

    late = Setting[int | None](None)

    def __init__(self, kernel: Kernel, operations: Operations) -> None:
        self.kernel = kernel
        self.operations = operations

    # registration

    def register(self, body: Any) -> tuple[Record, bool]:
        """Add an entry, or replace the one with this name (OJS Cron 8.1).

        Args:
            body: See `engine.cron_definition.read`.

        Returns:
            The entry as JSON values, and whether it is new. A replaced one keeps its counters.

        Raises:
            InvalidRequest: A field breaks its rule; nothing has changed.
        """
        with self.kernel.store.transaction():
            now = self.kernel.now()
            definition = cron_definition.read(body, now)
            name = definition["name"]
            old = self.kernel.store.record(_KIND, name)
            record = (old or _fresh(now)) | definition | {"updated_at": now, "catch_up": None}
            if old is None or (old["expression"], old["timezone"]) != (
                record["expression"],
                record["timezone"],
            ):
                # Only another schedule starts anew: an @every that is registered at each boot must not starve.
                record["anchor"] = now
                self._schedule(record, now)
            self.kernel.store.put_record(_KIND, name, record)
        return shown(record), old is None

    def remove(self, name: str) -> Record:
        """Remove an entry; its jobs stay (OJS Cron 8.4).

        Raises:
            NotFound: No such entry.
        """
        with self.kernel.store.transaction():
            record = self._known(name)
            self.kernel.store.delete_record(_KIND, name)
            self.kernel.store.set_timer(_KIND, name, None)
        return shown(record)

    def enable(self, name: str, enabled: bool, *, paused: bool = False) -> Record:
        """Let an entry fire, or stop it without removing it (OJS Cron 8.5).

        Args:
            name: The entry.
            enabled: Whether it fires from now on.
            paused: Whether a stopped one is shown as ``paused`` rather than ``disabled``.

        Raises:
            NotFound: No such entry.
        """
        with self.kernel.store.transaction():
            record = self._known(name)
            record["status"] = "active" if enabled else "paused" if paused else "disabled"
            record["updated_at"] = self.kernel.now()
            self.kernel.store.put_record(_KIND, name, record)
        return shown(record)

    # reading

    def get(self, name: str) -> Record:
        """One entry.

        Raises:
            NotFound: No such entry.
        """
        return shown(self._known(name))

    def entries(self, *, enabled: bool | None = None) -> list[Record]:
        """All entries in the order of registration; only the enabled or the disabled ones if asked (8.2)."""
        records = [record for _, record in self.kernel.store.records(_KIND)]
        return [shown(one) for one in records if enabled is None or (one["status"] == "active") == enabled]

    def history(self, name: str) -> list[dict[str, Any]]:
        """The latest occurrences of an entry, newest first: triggered or skipped, and why.

        Raises:
            NotFound: No such entry.
        """
        return [
            entry | {key: format_time(entry[key]) for key in ("scheduled_at", "at")}
            for entry in reversed(self._known(name)["history"])
        ]

    def next_runs(self, name: str, count: int = 10) -> list[int]:
        """The next instants at which an entry fires while it is enabled, milliseconds, oldest first.

        Raises:
            NotFound: No such entry.
        """
        record = self._known(name)
        if record["next"] is None:
            return []
        later = upcoming(record["expression"], record["timezone"], record["next"], count - 1, record["next"])
        return [record["next"], *later]

    def _known(self, name: str) -> Record:
        record = self.kernel.store.record(_KIND, name)
        if record is None:
            raise NotFound(
                f"There is no cron entry '{name:.60}' (OJS Cron 8.3).",
                details={"resource_type": "cron_job", "resource_id": name[:60]},
            )
        return record

    # firing

    def trigger(self, name: str) -> Job:
        """Enqueue one run now, by hand: whatever the overlap policy, also while it is disabled.

        Raises:
            NotFound: No such entry.
            OJSError: The job is refused, e.g. as a duplicate; nothing has changed.
        """
        with self.kernel.store.transaction():
            record = self._known(name)
            now = self.kernel.now()
            job = self._enqueue(record, now)
            self._triggered(name, job, now, now, manual=True)
        return job

    def due(self, name: str, instant: int) -> None:
        """The timer of an entry has come: its next occurrence, or the gap in the clock before it."""
        with self.kernel.store.transaction():
            record = self.kernel.store.record(_KIND, name)
            if record is None or record["next"] is None:
                return
            gap = record["gap"]
            if gap is not None and gap["at"] <= instant:
                record["gap"] = None
                more = {"local_time": gap["wall"]}
                self._skipped(record, gap["nominal"], instant, "dst_skip", more)
                self.kernel.store.put_record(_KIND, name, record)
                self.kernel.store.set_timer(_KIND, name, record["next"])
                return
            if self._missed(record, instant):
                self.kernel.store.put_record(_KIND, name, record)
                return
            scheduled = instant if record["catch_up"] is None else record["catch_up"]
            record["catch_up"] = None
            self.kernel.store.put_record(_KIND, name, record)
            self._occur(record, scheduled, instant)
            record = self._known(name)
            record["anchor"] = scheduled
            self._schedule(record, instant)
            self.kernel.store.put_record(_KIND, name, record)

    def _missed(self, record: Record, instant: int) -> bool:
        """Whether the server stood still over this occurrence; then its catch-up is set for the clock's time."""
        now = self.kernel.clock.now()
        policy = record["misfire_policy"]
        if self.late is None or policy == "fire_all" or now - instant <= self.late:
            return False
        if policy == "skip":
            self._skipped(record, record["next"], instant, "missed", {})
            record["anchor"] = instant
            self._schedule(record, now)
        else:
            # At most one run for all that was missed (OJS Cron 7.3), at the time at which the server is back.
            record["catch_up"] = record["next"]
            self.kernel.store.set_timer(_KIND, record["name"], now)
        return True

    def _occur(self, record: Record, scheduled: int, now: int) -> None:
        """One occurrence of an entry: enqueue its job, or say why not."""
        name = record["name"]
        if record["status"] != "active":
            self._skipped(record, scheduled, now, "disabled", {})
            return
        if rests(self.kernel.store):
            self._skipped(record, scheduled, now, "maintenance", {})
            return
        policy = OVERLAP[record["overlap_policy"]]
        if policy == "skip" and record["open"]:
            running = next(reversed(record["open"]))
            self._skipped(
                record, scheduled, now, "overlap_skip", {"active_job_id": running, "existing_job_id": running}
            )
            return
        if policy == "cancel_previous":
            for job_id in list(record["open"]):
                self.operations.cancel(
                    job_id, reason="superseded by the next run", cancelled_by=f"cron:{name}"
                )
        try:
            job = self._enqueue(record, scheduled)
        except OJSError as error:
            self._skipped(self._known(name), scheduled, now, "rejected", {"error": error.to_dict()})
            return
        self._triggered(name, job, scheduled, now)

    def _enqueue(self, record: Record, scheduled: int) -> Job:
        mark = {"cron_name": record["name"], "cron_triggered_at": format_time(self.kernel.now())}
        job, pending = self.operations.read(record["job"])
        job.cron_name = record["name"]
        # OJS Cron 6.3 says "metadata"; handlers read "meta". Both carry the entry's name.
        job.meta = {**(job.meta or {}), **mark, "cron_scheduled_at": format_time(scheduled)}
        job.extra = {**(job.extra or {}), "metadata": mark}
        pushed = self.operations.accept(job, pending=pending)
        if self.kernel.store.get(job.id) is None:
            raise Duplicate(
                f"A run of '{record['name']}' enqueued nothing: job '{pushed.job.id}' is there already "
                "(OJS Extension Interactions 13).",
                details={"existing_job_id": pushed.job.id},
            )
        return job

    def _schedule(self, record: Record, after: int) -> None:
        """Set the next occurrence strictly after an instant, and the timer."""
        name = record["name"]
        try:
            expression = cron_expression.parse(record["expression"])
            run = expression.next_run(after, zones.find(record["timezone"]), record["anchor"])
        except ValueError:  # the zone is gone: another time zone database than at registration
            run = None
        gap = None if run is None else run.gap
        record["next"] = None if run is None else run.at
        record["gap"] = None if gap is None else {"at": gap.at, "wall": gap.wall, "nominal": gap.nominal}
        self.kernel.store.set_timer(_KIND, name, record["next"] if gap is None else gap.at)

    # telling

    def _triggered(self, name: str, job: Job, scheduled: int, now: int, *, manual: bool = False) -> None:
        record = self._known(name)
        record["run_count"] += 1
        record["last_run_at"] = now
        record["last_job_id"] = job.id
        by_hand = {"manual": True} if manual else {}
        _remember(
            record, {"outcome": "triggered", "scheduled_at": scheduled, "at": now, "job_id": job.id} | by_hand
        )
        self.kernel.store.put_record(_KIND, name, record)
        data = _facts(record, scheduled) | {
            "job_id": job.id,
            "queue": job.queue,
            "run_count": record["run_count"],
            "actual_time": format_time(now),
            "queued_runs": len(record["open"]),
        }
        self.kernel.events.emit(now, "cron.triggered", name, data | by_hand)

    def _skipped(self, record: Record, scheduled: int, now: int, reason: str, more: dict[str, Any]) -> None:
        _remember(record, {"outcome": "skipped", "scheduled_at": scheduled, "at": now, "reason": reason})
        self.kernel.store.put_record(_KIND, record["name"], record)
        self.kernel.events.emit(
            now, "cron.skipped", record["name"], _facts(record, scheduled) | {"reason": reason} | more
        )

    # jobs

    def admit(self, job: Job) -> bool:
        """Whether a job may be claimed: with ``enqueue``, no two runs of an entry are under way (OJS Cron 6.1).

        A run that waits to be tried again is under way. The answer is the same for all waiting runs of one entry.
        """
        if job.cron_name is not None:
            record = self.kernel.store.record(_KIND, job.cron_name)
            if record is not None and record["busy"] and OVERLAP[record["overlap_policy"]] == "enqueue":
                return False
        return True

    def moved(self, job: Job, was: str) -> None:
        """Keep the lists of each entry's runs that have not ended, and of those that are under way."""
        if job.cron_name is None:
            return
        record = self.kernel.store.record(_KIND, job.cron_name)
        if record is None:
            return
        if job.state in life.TERMINAL:
            record["open"].pop(job.id, None)
        elif was not in life.NON_TERMINAL:
            record["open"][job.id] = job.created_at
        if job.state in _UNDER_WAY:
            record["busy"][job.id] = job.started_at
        else:
            record["busy"].pop(job.id, None)
        self.kernel.store.put_record(_KIND, job.cron_name, record)


def _fresh(now: int) -> Record:
    return {
        "created_at": now,
        "last_run_at": None,
        "last_job_id": None,
        "run_count": 0,
        "open": {},
        "busy": {},
        "history": [],
    }


def _remember(record: Record, entry: dict[str, Any]) -> None:
    record["history"] = [*record["history"][1 - HISTORY :], entry]


def _facts(record: Record, scheduled: int) -> dict[str, Any]:
    """What every cron event says, in both documents' names (OJS Cron 9, OJS Events 4.5)."""
    at = format_time(scheduled)
    return {
        "cron_name": record["name"],
        "cron_expression": record["expression"],
        "cron_expr": record["expression"],
        "timezone": record["timezone"],
        "job_type": record["job"]["type"],
        "scheduled_time": at,
        "scheduled_at": at,
    }
