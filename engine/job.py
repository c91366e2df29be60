"""The job: one record with every attribute of the envelope, and its JSON form (OJS Core 5).

A job is plain state. Which moves are legal is `engine.lifecycle`'s business, and only `engine.kernel` makes them.
"""

from __future__ import annotations

from typing import Any, Final

from engine import lifecycle as life
from engine.retry import DEFAULT, RetryPolicy
from engine.times import format_time

DEFAULT_TIMEOUT: Final = 1_800_000
"""Execution timeout and reservation of a job that names none, milliseconds (OJS Core 5.2: 1800 seconds)."""

DEFAULT_RESULT_TTL: Final = 604_800
"""Seconds for which a result is kept at least when the job does not say (OJS Results 6.1)."""

RUNTIME: Final = "ojs.ext_runtime"
"""In a job's meta: what runtime it needs, ``{name, min, tags}``."""

PRUNE: Final = "PRUNE"
"""What is due of a job that has ended: no move of the table, but its removal."""

Move = tuple[int, str, str]
"""One entry of a job's path: instant (ms), operation, state reached."""


class Job:
    """A job and all that the server knows of it; instants and durations in integer milliseconds.

    Args:
        id: UUIDv7.
        type: Dot-separated job type.
        args: Positional arguments, JSON values.
        queue: Queue name.
        priority: Higher goes first.
        meta: The client's metadata, kept as it is.
        tags: Labels for filtering.
        retry: Retry policy.
        timeout: Longest execution, or None for the server's default.
        visibility_timeout: Reservation that the job asks for, or None.
        scheduled_at: Earliest start, or None.
        expires_at: Must have started by then, or None.
        unique: Uniqueness policy as it came, or None.
        unique_key: Fingerprint of the unique dimensions, or None.
        replaces: Id of the job whose place it takes by its uniqueness policy, or None.
        schema: URI of the schema of ``args``, or None.
        extra: Unknown top-level fields of the request, sent back as they came (OJS Core 5.5).
        hints: ``options.metadata``: for the server, not for the handler.
        echo: Fields that go back exactly as the client wrote them, e.g. ``expires_at``.
    """

    __slots__ = (
        "id type args queue priority meta tags retry timeout visibility_timeout scheduled_at expires_at "
        "unique unique_key replaces schema extra echo hints state attempt created_at enqueued_at started_at "
        "completed_at cancelled_at discarded_at activated_at next_attempt_at retry_delay reserved_until "
        "reservation worker_id result has_result error errors dead_letter progress checkpoint result_ttl "
        "result_limit result_size result_pruned parent_results workflow_id step_id cron_name handed_back seq "
        "turn boost "
        "rate_limit limit_key on_limit pool total_timeout enqueue_ttl grace_period heartbeat_timeout beat_at "
        "prune_at size path holders held_due"
    ).split()

    def __init__(self, id: str, type: str, args: list[Any], **fields: Any) -> None:  # noqa: A002, PLR0915 - the record itself
        self.id = id
        self.type = type
        self.args = args
        self.queue: str = "default"
        self.priority: int = 0
        self.meta: dict[str, Any] | None = None
        self.tags: list[str] | None = None
        self.retry: RetryPolicy = DEFAULT
        self.timeout: int | None = None
        self.visibility_timeout: int | None = None
        self.scheduled_at: int | None = None
        self.expires_at: int | None = None
        self.unique: dict[str, Any] | None = None
        self.unique_key: str | None = None
        self.replaces: str | None = None
        self.schema: str | None = None
        self.extra: dict[str, Any] | None = None
        self.echo: dict[str, str] | None = None
        self.hints: dict[str, Any] | None = None
        # What follows is the server's alone (OJS Core 5.3).
        self.state: str = ""
        self.attempt: int = 0
        self.created_at: int = 0
        self.enqueued_at: int | None = None
        self.started_at: int | None = None
        self.completed_at: int | None = None
        self.cancelled_at: int | None = None
        self.discarded_at: int | None = None
        self.activated_at: int | None = None
        self.next_attempt_at: int | None = None
        self.retry_delay: int | None = None
        self.reserved_until: int | None = None
        self.reservation: int | None = None
        """Length of the reservation in force, milliseconds: a heartbeat that names none extends by it."""
        self.worker_id: str | None = None
        self.result: Any = None
        self.has_result: bool = False
        self.error: dict[str, Any] | None = None
        self.errors: list[dict[str, Any]] | None = None
        self.dead_letter: bool = False
        self.progress: dict[str, Any] | None = None
        """What the worker last reported of this attempt: ``progress``, ``data``, ``message``, ``updated_at`` (ms)."""
        self.checkpoint: dict[str, Any] | None = None
        """State to go on from after a failure: ``state``, ``sequence``, ``created_at`` (ms)."""
        self.result_ttl: int | None = None
        """Seconds for which the result is kept, -1 for ever, or None for the server's default."""
        self.result_limit: int | None = None
        """Largest result, bytes, or None for the server's limit."""
        self.result_size: int | None = None
        """Size of the stored result as JSON, bytes."""
        self.result_pruned: bool = False
        self.parent_results: list[Any] | None = None
        self.workflow_id: str | None = None
        self.step_id: str | None = None
        self.cron_name: str | None = None
        self.handed_back: int = 0
        """Attempts that ended with the job handed back; they do not count against the policy's bound."""
        self.seq: int = 0
        """Place in the queue: the order in which jobs became available."""
        self.turn: int = 0
        """Goes before `seq` within one priority: fair shares give each tenant its turn (OJS Fair Scheduling 9)."""
        self.boost: int = 0
        """Added to the priority by the tenant's configuration (OJS Multi-Tenancy 8.1)."""
        self.rate_limit: dict[str, Any] | None = None
        """Rate limit policy as it came, or None (OJS Rate Limiting 6)."""
        self.limit_key: str | None = None
        """The partition whose counters this job uses, or None."""
        self.on_limit: str = "wait"
        self.pool: str | None = None
        """The worker pool that holds it."""
        self.total_timeout: int | None = None
        """Longest life from creation to the end, milliseconds (OJS Timeouts 5.2)."""
        self.enqueue_ttl: int | None = None
        """Longest wait before the first start, milliseconds (OJS Timeouts 5.3)."""
        self.grace_period: int | None = None
        """Added to the timeout before the server acts, milliseconds (OJS Timeouts 5.4)."""
        self.heartbeat_timeout: int | None = None
        """Longest silence while active, milliseconds (OJS Timeouts 5.5)."""
        self.beat_at: int | None = None
        """The latest heartbeat that named it, or its start."""
        self.prune_at: int | None = None
        """When it is removed after its end, or None for never."""
        self.size: int = 0
        """Bytes that count against a queue bounded by size (OJS Backpressure 6.1)."""
        self.held_due: int | None = None
        """The `scheduled_at` that came during a maintenance and waits for its end (OJS Admin API 12.1)."""
        self.holders: list[str | None] | None = None
        """Who has fetched it, one name for each FETCH of its path."""
        self.path: list[Any] = []
        """`trail` laid end to end: tuples, three to a job, would be most of what the garbage collector has to walk."""
        for name, value in fields.items():
            setattr(self, name, value)

    @property
    def trail(self) -> list[Move]:
        """The moves it has made, oldest first."""
        each = iter(self.path)
        return list(zip(each, each, each, strict=True))

    @trail.setter
    def trail(self, moves: list[Move]) -> None:
        self.path = [part for move in moves for part in move]

    @property
    def max_attempts(self) -> int:
        """Executions in all that the policy allows."""
        return self.retry.max_attempts

    @property
    def tries(self) -> int:
        """Attempts that count against `max_attempts`: all but those after which it was handed back."""
        return self.attempt - self.handed_back

    @property
    def urgency(self) -> int:
        """The priority by which it is ordered: its own and what its tenant adds."""
        return self.priority + self.boost

    @property
    def tenant(self) -> str | None:
        """The tenant it belongs to, ``meta.tenant_id`` (OJS Multi-Tenancy 5.1), or None."""
        if self.meta is None:
            return None
        named = self.meta.get("tenant_id")
        return named if isinstance(named, str) and named else None

    @property
    def lane(self) -> str:
        """What limits tell apart: jobs of one lane in one queue are admitted or refused together."""
        if self.limit_key is None and self.meta is None and self.extra is None and self.cron_name is None:
            return ""
        cron = self.cron_name or ""
        return f"{self.on_limit} {self.limit_key or ''} {self.tenant or ''} {cron} {self.needs}"

    @property
    def needs(self) -> str:
        """What a worker must have to be given it, "" for most jobs; those with equal needs are taken or left alike."""
        extra, meta = self.extra, self.meta
        found: list[Any] = []
        if extra:
            found += [self.type, extra["version"]] if "version" in extra else []
            found += sorted((name, str(value)) for name, value in extra.items() if name.startswith("ext_ml_"))
        if meta and RUNTIME in meta:
            found.append(str(meta[RUNTIME]))
        return str(found) if found else ""

    @property
    def timeout_at(self) -> int | None:
        """When the execution under way is over time, or None if the job is not active or names no timeout."""
        if self.state != life.ACTIVE or self.timeout is None or self.started_at is None:
            return None
        return self.started_at + self.timeout + (self.grace_period or 0)

    def due(self) -> tuple[int, str] | None:
        """When the server has to act on this job by itself, and by which operation of the table; or None."""
        found = self.deadline()
        return None if found is None else found[:2]

    def deadline(self) -> tuple[int, str, str] | None:
        """`due`, and which of the job's limits is meant: the earliest, or the strictest of those at one instant.

        Returns:
            (instant, operation, kind); kind is ``execution``, ``stalled``, ``total``, ``reservation``,
            ``enqueue_ttl``, ``expired``, ``due``, or ``retention``.
        """
        state = self.state
        if state in life.TERMINAL:
            return None if self.prune_at is None else (self.prune_at, PRUNE, "retention")
        if self.total_timeout is None and self.expires_at is None and self.heartbeat_timeout is None:
            # Most jobs name no limit; then what the state alone says is all.
            if state == life.ACTIVE and self.timeout is None:
                return (
                    None
                    if self.reserved_until is None
                    else (self.reserved_until, life.RESERVATION, "reservation")
                )
            if state == life.AVAILABLE and self.enqueue_ttl is None:
                return None
        found: tuple[int, str, str] | None = None
        for instant, operation, kind in self._active() if state == life.ACTIVE else self._waiting():
            if instant is not None and (found is None or instant < found[0]):
                found = (instant, operation, kind)
        return found

    def _active(self) -> tuple[tuple[int | None, str, str], ...]:
        total = None if self.total_timeout is None else self.created_at + self.total_timeout
        silence = self.heartbeat_timeout
        stalled = None if silence is None or self.beat_at is None else self.beat_at + silence
        return (
            (total, life.TIMEOUT, "total"),
            (self.timeout_at, life.TIMEOUT, "execution"),
            (stalled, life.TIMEOUT, "stalled"),
            (self.reserved_until, life.RESERVATION, "reservation"),
        )

    def _waiting(self) -> tuple[tuple[int | None, str, str], ...]:
        total = None if self.total_timeout is None else self.created_at + self.total_timeout
        ttl = None if self.enqueue_ttl is None or self.attempt else self.created_at + self.enqueue_ttl
        due: int | None = None
        if self.state == life.SCHEDULED and self.scheduled_at != self.held_due:
            due = self.scheduled_at
        elif self.state == life.RETRYABLE:
            due = self.next_attempt_at
        return (
            (self.expires_at, life.EXPIRE, "expired"),
            (total, life.EXPIRE, "total"),
            (ttl, life.EXPIRE, "enqueue_ttl"),
            (due, life.DUE, "due"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The envelope as JSON values: absent attributes are left out, times are RFC 3339 in UTC."""
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "type": self.type,
            "queue": self.queue,
            "state": self.state,
            "args": self.args,
            "meta": self.meta or {},
            "priority": self.priority,
            "attempt": self.attempt,
            "max_attempts": self.retry.max_attempts,
            "tags": self.tags or [],
        }
        for name, value in (
            ("timeout_ms", self.timeout),
            ("visibility_timeout_ms", self.visibility_timeout),
            ("unique", self.unique),
            ("unique_key", self.unique_key),
            ("rate_limit", self.rate_limit),
            ("schema", self.schema),
            ("worker_id", self.worker_id),
            ("retry_delay_ms", self.retry_delay),
            ("error", self.error),
            ("progress", self.progress and self.progress["progress"]),
            ("result_ttl", self.result_ttl),
            ("result_size_limit", self.result_limit),
            ("result_size_bytes", self.result_size),
            ("parent_results", self.parent_results),
            ("workflow_id", self.workflow_id),
            ("workflow_step_id", self.step_id),
            ("cron_name", self.cron_name),
        ):
            if value is not None:
                body[name] = value
        self._limits(body)
        self._instants(body)
        if self.retry is not DEFAULT:
            body["retry"] = self.retry.to_dict()
        if self.errors:
            body["errors"] = self.errors
        if self.has_result:
            body["result"] = self.result
        if self.progress or self.checkpoint or self.result_size is not None:
            self._extended(body)
        if self.echo:
            body.update(self.echo)
        if self.extra:
            body.update({name: value for name, value in self.extra.items() if name not in body})
        return body

    def _limits(self, body: dict[str, Any]) -> None:
        """The timeouts of OJS Timeouts 6, in seconds as the standard has them and in milliseconds."""
        for name, limit in (
            ("total_timeout", self.total_timeout),
            ("enqueue_ttl", self.enqueue_ttl),
            ("grace_period", self.grace_period),
            ("heartbeat_timeout", self.heartbeat_timeout),
        ):
            if limit is not None:
                body[name + "_ms"] = limit
                body[name] = limit // 1000 if limit % 1000 == 0 else limit / 1000

    def _instants(self, body: dict[str, Any]) -> None:
        """What happened when, as RFC 3339."""
        for name, instant in (
            ("created_at", self.created_at),
            ("enqueued_at", self.enqueued_at),
            ("scheduled_at", self.scheduled_at),
            ("expires_at", self.expires_at),
            ("activated_at", self.activated_at),
            ("started_at", self.started_at),
            ("completed_at", self.completed_at),
            ("cancelled_at", self.cancelled_at),
            ("discarded_at", self.discarded_at),
            ("next_attempt_at", self.next_attempt_at),
            ("next_retry_at", self.next_attempt_at),
            ("reserved_until", self.reserved_until),
        ):
            if instant is not None:
                body[name] = format_time(instant)

    def _extended(self, body: dict[str, Any]) -> None:
        """What progress, checkpoints and results add to the envelope."""
        if self.progress:
            body["progress_data"] = self.progress["data"]
            body["progress_updated_at"] = format_time(self.progress["updated_at"])
        if self.checkpoint:
            saved = self.checkpoint
            body["checkpoint"] = {
                "state": saved["state"],
                "sequence": saved["sequence"],
                "created_at": format_time(saved["created_at"]),
            }
            body["last_checkpoint"] = saved["state"]
        if self.result_size is not None:
            stored = self.completed_at or self.discarded_at or 0
            body["result_stored_at"] = format_time(stored)
            ttl = DEFAULT_RESULT_TTL if self.result_ttl is None else self.result_ttl
            if ttl >= 0:
                body["result_expires_at"] = format_time(stored + ttl * 1000)
