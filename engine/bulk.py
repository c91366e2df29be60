"""Bulk operations: many jobs in one request, each with its own answer, or all or nothing (OJS Bulk Operations).

What a request answered is kept for a day under its idempotency key, so that a repeated one does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from engine import lifecycle as life
from engine import selection
from engine.canonical import fingerprint
from engine.enqueue import MAX_BATCH, check_batch
from engine.envelope import refuse
from engine.errors import Conflict, InvalidRequest, OJSError
from engine.job import Job
from engine.kernel import Kernel
from engine.operations import Operations
from engine.times import DAY

TIMER: Final = "idempotency"
MODES: Final = ("partial", "atomic")
MAX_KEY: Final = 256
_CANCELLABLE: Final = (life.AVAILABLE, life.SCHEDULED)
_RETRIABLE: Final = (life.DISCARDED, life.RETRYABLE)

Answer = tuple[int, dict[str, Any]]
"""HTTP status and body."""


class Bulk:
    """The four bulk operations.

    Args:
        operations: What is done to each job.
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.kernel = operations.kernel

    # enqueue

    def enqueue(self, raw: dict[str, Any], key: str | None = None) -> Answer:
        """Enqueue many jobs (5).

        Args:
            raw: ``jobs``, ``atomicity``, ``idempotency_key``.
            key: Idempotency key of the request's header; goes before the body's.

        Returns:
            201 when all were created, 207 when some were, 422 when none was; and one item for each job.

        Raises:
            InvalidRequest: ``jobs`` is no array, or no such atomicity.
            BatchTooLarge: Too many jobs.
            Conflict: The idempotency key came before, with another request.
        """
        jobs = check_batch(raw.get("jobs"), MAX_BATCH, "jobs")
        atomic = _atomic(raw)
        return self._once("enqueue", raw, key, lambda: self._all(jobs) if atomic else self._each(jobs))

    def _each(self, bodies: Sequence[Any]) -> Answer:
        items: list[dict[str, Any]] = []
        for index, body in enumerate(bodies):
            try:
                pushed = self.operations.push(body)
            except OJSError as error:
                items.append({"index": index, "status": "failed", "error": error.to_dict()})
            else:
                status = "duplicate" if pushed.duplicate else "created"
                items.append({"index": index, "status": status, "job": _summary(pushed.job)})
        failed = sum(item["status"] == "failed" for item in items)
        status_code = 422 if failed == len(items) else 207 if failed else 201
        return status_code, self._enqueued(items, "partial")

    def _all(self, bodies: Sequence[Any]) -> Answer:
        try:
            pushed = self.operations.push_many(list(bodies))
        except OJSError as error:
            at = error.details.get("index")
            rolled_back = {"code": "rolled_back", "message": "Another job of the batch was refused."}
            items: list[dict[str, Any]] = [
                {
                    "index": index,
                    "status": "failed",
                    "error": error.to_dict() if index == at else rolled_back,
                }
                for index in range(len(bodies))
            ]
            return 422, self._enqueued(items, "atomic")
        items = [
            {"index": index, "status": "duplicate" if one.duplicate else "created", "job": _summary(one.job)}
            for index, one in enumerate(pushed)
        ]
        return 201, self._enqueued(items, "atomic")

    def _enqueued(self, items: list[dict[str, Any]], atomicity: str) -> dict[str, Any]:
        failed = sum(item["status"] == "failed" for item in items)
        facts = {"total": len(items), "succeeded": len(items) - failed, "failed": failed}
        self.kernel.emit("bulk.enqueue.completed", "bulk", {**facts, "atomicity": atomicity})
        return {**facts, "items": items}

    # cancel, retry, delete

    def cancel(self, raw: dict[str, Any], key: str | None = None) -> Answer:
        """Cancel jobs by id or filter (6). A filter means waiting jobs only; an id may also be an active one's.

        Returns:
            200, 207 or 422; ``total_matched``, ``cancelled``, ``skipped`` and one item for each job.

        Raises:
            InvalidRequest: Neither or both of ``job_ids`` and ``filter``, or no such atomicity.
            BatchTooLarge: Too many ids.
        """

        def act(job: Job) -> None:
            self.operations.call_off(job, reason="bulk cancel")

        return self._many("cancel", "cancelled", raw, key, _CANCELLABLE, life.CANCEL, act)

    def retry(self, raw: dict[str, Any], key: str | None = None) -> Answer:
        """Retry discarded or failed jobs by id or filter (7); see `cancel`."""
        return self._many("retry", "retried", raw, key, _RETRIABLE, life.RETRY, self.operations.revive)

    def delete(self, raw: dict[str, Any], key: str | None = None) -> Answer:
        """Delete jobs that have ended, by id or filter (8); see `cancel`."""
        ended = sorted(life.TERMINAL)
        return self._many("delete", "deleted", raw, key, ended, None, self.kernel.remove)

    def _many(
        self,
        name: str,
        done: str,
        raw: dict[str, Any],
        key: str | None,
        states: Sequence[str],
        operation: str | None,
        act: Callable[[Job], None],
    ) -> Answer:
        atomic = _atomic(raw)
        ids, wanted = raw.get("job_ids"), raw.get("filter")
        if (ids is None) == (wanted is None):
            raise InvalidRequest(
                "Give either 'job_ids' or 'filter' (OJS Bulk Operations 6).",
                details={"field": "job_ids", "rule": "exactly one of job_ids and filter"},
            )
        if ids is not None:
            check_batch(ids, MAX_BATCH, "job_ids")
        chosen = None if wanted is None else selection.parse(wanted, states=states)

        def run() -> Answer:
            with self.kernel.store.transaction():
                named = list(ids or ()) if chosen is None else self._select(chosen)
                reasons = _twice(named) if chosen is None else _active(self.kernel, named, operation)
                return self._run(name, done, named, reasons, operation, act, atomic=atomic)

        return self._once(name, raw, key, run)

    def _select(self, wanted: selection.Selection) -> list[str]:
        found = self.kernel.store.jobs(
            states=wanted.states, queue=wanted.queue, keep=wanted.matches, limit=MAX_BATCH, newest=False
        )
        return [job.id for job in found]

    def _run(
        self,
        name: str,
        done: str,
        ids: list[Any],
        reasons: list[str | None],
        operation: str | None,
        act: Callable[[Job], None],
        *,
        atomic: bool,
    ) -> Answer:
        reasons = [why or self._reason(job_id, operation) for why, job_id in zip(reasons, ids, strict=True)]
        rolled_back = atomic and any(reasons)
        items: list[dict[str, Any]] = []
        for index, (job_id, reason) in enumerate(zip(ids, reasons, strict=True)):
            item = {"index": index, "job_id": job_id, "status": done}
            if reason is not None or rolled_back:
                why = reason or "Another job of the request was refused."
                item |= {"status": "skipped", "reason": why}
            else:
                act(self.kernel.job(job_id))
            items.append(item)
        skipped = sum(item["status"] == "skipped" for item in items)
        facts = {"total": len(items), done: len(items) - skipped, "skipped": skipped}
        self.kernel.emit(f"bulk.{name}.completed", "bulk", facts)
        status = 422 if rolled_back or (items and skipped == len(items)) else 207 if skipped else 200
        return status, {"total_matched": len(items), **facts, "items": items}

    def _reason(self, job_id: Any, operation: str | None) -> str | None:
        """Why a job cannot be meant, or None."""
        job = self.kernel.store.get(job_id) if isinstance(job_id, str) else None
        if job is None:
            return f"There is no job '{job_id!s:.60}'."
        try:
            if operation is not None:
                life.require(job.state, operation)
            elif job.state not in life.TERMINAL:
                return f"Job is in {job.state} state; only jobs that have ended can be deleted."
        except Conflict as error:
            return error.message
        return None

    # idempotency

    def _once(self, name: str, raw: dict[str, Any], key: str | None, run: Callable[[], Answer]) -> Answer:
        """Run a request, or answer as it was answered before (10)."""
        if key is None:
            key = raw.get("idempotency_key")
        if key is None:
            return run()
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
            rule = f"must be a string of at most {MAX_KEY} characters"
            raise refuse("idempotency_key", key, rule, "OJS Bulk Operations 10.2")
        scoped = f"{name}:{key}"
        print_ = fingerprint({field: value for field, value in raw.items() if field != "idempotency_key"})
        kept = self.kernel.store.record(TIMER, scoped)
        if kept is None:
            status, body = run()
            with self.kernel.store.transaction():
                kept = {"request": print_, "status": status, "body": body}
                self.kernel.store.put_record(TIMER, scoped, kept)
                self.kernel.store.set_timer(TIMER, scoped, self.kernel.now() + DAY)
        elif kept["request"] != print_:
            raise Conflict(
                "This idempotency key came before with another request (OJS Bulk Operations 11.2).",
                details={"idempotency_key": key},
            )
        return kept["status"], kept["body"]

    def forget(self, key: str, _instant: int) -> None:
        """Drop an answer after its day."""
        with self.kernel.store.transaction():
            self.kernel.store.delete_record(TIMER, key)


def _atomic(raw: dict[str, Any]) -> bool:
    mode = raw.get("atomicity", "partial")
    if mode not in MODES:
        raise refuse("atomicity", mode, f"must be one of {', '.join(MODES)}", "OJS Bulk Operations 5.3")
    return bool(mode == "atomic")


def _twice(ids: list[Any]) -> list[str | None]:
    """A reason for each id that has been named before."""
    seen: set[str] = set()
    reasons: list[str | None] = []
    for job_id in ids:
        reasons.append("The job is named twice." if str(job_id) in seen else None)
        seen.add(str(job_id))
    return reasons


def _active(kernel: Kernel, ids: list[str], operation: str | None) -> list[str | None]:
    """A filter never cancels what a worker holds (6.1)."""
    held = operation == life.CANCEL
    return [
        "Job is in active state" if held and kernel.job(one).state == life.ACTIVE else None for one in ids
    ]


def _summary(job: Job) -> dict[str, Any]:
    return {"id": job.id, "type": job.type, "queue": job.queue, "state": job.state}
