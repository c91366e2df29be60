"""Workflows: steps that wait for each other, results handed on, callbacks exactly once (OJS Workflows).

Chain, group, batch, saga and step graph run by one mechanism: each step counts the steps that it still waits for. A job
that ends touches its own step, the steps that depend on it, and the counters of its workflow and of those around it:
nothing is rescanned. A nested workflow is a workflow of its own that is also a step of another.

What a request may say is `engine.workflow_reader`'s business, what is stored `engine.workflow_records`'s, what is
shown `engine.workflow_view`'s.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Final

from engine import lifecycle as life
from engine import workflow_reader
from engine import workflow_saga as sagas
from engine.errors import Conflict, Duplicate, OJSError
from engine.job import Job
from engine.kernel import Kernel
from engine.operations import Operations
from engine.workflow_events import blame, emit, job_error, outcome, step_ended
from engine.workflow_inputs import hand_on_trace, inputs
from engine.workflow_plan import BATCH, CHAIN, COMPENSATION, GRAPH, GROUP, SAGA, ids
from engine.workflow_records import (
    CANCELLED,
    COMPENSATING,
    COMPLETED,
    ENDED,
    ENQUEUED,
    FAILED,
    KIND,
    PENDING,
    RUNNING,
    WAITING,
    Record,
    Records,
)

_OUTCOMES: Final = {life.COMPLETED: COMPLETED, life.DISCARDED: FAILED, life.CANCELLED: CANCELLED}

Ending = tuple[str, str, str, Any, "Record | None", "str | None"]
"""A step that ends: workflow, step, final state, result, error, and why it never ran (or None)."""


class Workflows:
    """All workflows over one kernel.

    Args:
        kernel: Store, time, events.
        operations: To enqueue and to cancel jobs.
    """

    def __init__(self, kernel: Kernel, operations: Operations) -> None:
        self.kernel = kernel
        self.store = kernel.store
        self.operations = operations
        self.records = Records(kernel.store)

    # creation

    def create(self, body: Any) -> Record:
        """Check, store and start a workflow (OJS Workflows 11.1).

        Args:
            body: See `engine.workflow_reader.read`.

        Returns:
            Its record.

        Raises:
            InvalidWorkflow: Its structure is wrong; nothing has changed.
            Duplicate: There is a workflow with its id.
        """
        with self.store.transaction():
            now = self.kernel.now()
            plan = workflow_reader.read(body, now)
            given = ids(plan)
            taken = [one for one in given if self.store.record(KIND, one) is not None]
            if taken or len(set(given)) < len(given):
                one = taken[0] if taken else Counter(given).most_common(1)[0][0]
                raise Duplicate(
                    f"There is a workflow with the id '{one}' already (OJS Workflows 3.1).",
                    details={"existing_workflow_id": one, "field": "id"},
                )
            record = self.records.keep(plan, None, now, lambda: self.kernel.ids.uuid7(now))
            facts = {"total_jobs": record["jobs_total"], "total_steps": record["total"]}
            emit(self.kernel, "workflow.created", record, facts)
            self._settle(self._start(record["id"], []))
        return self.records.get(record["id"])

    # running

    def _start(self, key: str, inherited: list[Any]) -> list[Ending]:
        """Start a workflow: enqueue each step that waits for nothing, in their order."""
        record = self.records.workflow(key)
        record["state"] = RUNNING
        record["inherited"] = inherited
        self.records.put(record)
        if record["timeout"] is not None:
            self.store.set_timer(KIND, key, self.kernel.now() + record["timeout"])
        ended: list[Ending] = []
        for step in self.records.steps(key):
            if step["waits"] == 0 and step["when"] != COMPENSATION:
                ended += self._run(key, step["id"])
        return ended

    def _run(self, key: str, step_id: str) -> list[Ending]:
        """Start one step; returns what ended by that: a job that is refused is a step that failed."""
        record, step = self.records.workflow(key), self.records.step(key, step_id)
        if step["state"] != WAITING or record["state"] not in {RUNNING, COMPENSATING}:
            return []
        handed = inputs(self.records, record, step)
        if step["workflow"] is not None:
            step["state"] = RUNNING
            self.records.put_step(key, step)
            return self._start(step["workflow"], handed)
        try:
            job, pending = self.operations.read(step["body"])
            job.workflow_id, job.step_id = key, step_id
            job.parent_results = handed
            hand_on_trace(self.records, record, step, job)
            pushed = self.operations.accept(job, pending=pending)
            if self.store.get(job.id) is None:
                raise Duplicate(
                    f"Step '{step_id}' enqueued nothing: job '{pushed.job.id}' is there already (OJS Unique Jobs 5).",
                    details={"existing_job_id": pushed.job.id},
                )
        except OJSError as error:
            told = {
                name: value for name, value in error.to_dict().items() if name in {"code", "type", "message"}
            }
            return [(key, step_id, FAILED, None, told, None)]
        step["state"], step["job_id"] = ENQUEUED, job.id
        self.records.put_step(key, step)
        if step["when"] is not None and step["when"] != COMPENSATION:
            fired = {
                "callback": step["when"],
                "callback_type": step["when"],
                "job_id": job.id,
                "job_type": job.type,
            }
            emit(self.kernel, "workflow.callback_fired", record, fired)
        return []

    def _settle(self, endings: list[Ending]) -> None:
        """Let steps end, and all that follows from it, until nothing more does."""
        agenda = deque(endings)
        while agenda:
            agenda.extend(self._end(*agenda.popleft()))

    def _end(
        self, key: str, step_id: str, state: str, result: Any, error: Record | None, cause: str | None
    ) -> list[Ending]:
        """One step ends: count it, release or stop the steps that depend on it, end the workflow after the last."""
        step = self.records.step(key, step_id)
        if step["state"] in ENDED:
            return []
        now = self.kernel.now()
        self._close(step, state, now, cause)
        step["result"], step["error"] = result, error
        self.records.put_step(key, step)
        record = self.records.count(key, step)
        if cause is None:
            if step["when"] is None or record["type"] == GRAPH:
                step_ended(self.kernel, record, step)
        elif step["workflow"] is not None:
            self._abandon(step["workflow"], now, cause)
        following: list[Ending] = []
        for dependent in step["dependents"]:
            following += self._release(key, dependent, state)
        if record["type"] == SAGA:
            ended, compensation = sagas.after(self.kernel, self.records, key)
            following += ended
            if compensation is not None:
                following += self._run(key, compensation)
        if self.records.workflow(key)["open"] == 0:
            following += self._finish(key)
        return following

    def _close(self, step: Record, state: str, now: int, cause: str | None) -> None:
        job = self.store.get(step["job_id"]) if step["job_id"] else None
        inner = self.records.workflow(step["workflow"]) if step["workflow"] else None
        step["state"], step["cause"], step["ended_at"] = state, cause, now
        if job is not None:
            step["started_at"], step["attempt"] = job.started_at, job.attempt
        elif inner is not None:
            step["started_at"] = inner["started_at"]

    def _release(self, key: str, step_id: str, state: str) -> list[Ending]:
        """A step that another waited for has ended: start it, stop it, or let it wait for the rest."""
        step = self.records.step(key, step_id)
        step["waits"] -= 1
        step["missed"] += state != COMPLETED
        self.records.put_step(key, step)
        if step["state"] != WAITING:
            return []
        if step["when"] is None:
            if step["missed"] and not step["lenient"]:
                return [(key, step_id, CANCELLED, None, None, "dependency")]
            return self._run(key, step_id) if step["waits"] == 0 else []
        if step["waits"]:
            return []
        wanted = {"on_complete": True, "on_success": not step["missed"], "on_failure": step["missed"] > 0}
        if wanted[step["when"]]:
            return self._run(key, step_id)
        return [(key, step_id, CANCELLED, None, None, "not fired")]

    def _finish(self, key: str) -> list[Ending]:
        """The last step has ended: the workflow has too, and so has the step that it is of another one."""
        record = self.records.workflow(key)
        if record["state"] not in {RUNNING, COMPENSATING}:
            return []
        now = self.kernel.now()
        record["state"] = FAILED if record["bad"] else COMPLETED
        if record["type"] == SAGA:
            record["state"] = sagas.outcome(self.records, record)
        record["completed_at"] = now
        culprit = self._culprit(key) if record["bad"] else None
        if culprit is not None:
            record["error"] = blame(culprit)
        self.records.put(record)
        self.store.set_timer(KIND, key, None)
        facts = {
            "total_steps": record["total"],
            "duration_ms": now - record["created_at"],
            "status": record["state"],
        }
        if record["error"] is None:
            emit(self.kernel, "workflow.completed", record, facts)
        else:
            emit(self.kernel, "workflow.failed", record, facts | record["error"])
        if record["parent"] is None:
            return []
        outer, step_id = record["parent"]
        if record["error"] is None:
            return [(outer, step_id, COMPLETED, self._result(record), None, None)]
        return [(outer, step_id, FAILED, None, record["error"]["error"], None)]

    def _culprit(self, key: str) -> Record | None:
        failed = [
            step for step in self.records.steps(key) if step["state"] != COMPLETED and step["cause"] is None
        ]
        unhandled = [step for step in failed if not step["handled"]]
        return min(unhandled, key=lambda step: (step["ended_at"], step["index"]), default=None)

    def _result(self, record: Record) -> Any:
        """What a nested workflow hands on: a chain its last result, the others all by index (OJS Workflows 7.3)."""
        steps = self.records.plan(record["id"])["steps"]
        if record["type"] == CHAIN:
            return self.records.step(record["id"], steps[-1])["result"]
        return {str(index): outcome(self.records.step(record["id"], one)) for index, one in enumerate(steps)}

    # stopping

    def cancel(self, key: str) -> tuple[Record, int]:
        """Stop a workflow: all its steps that have not ended are cancelled, no callback fires (OJS Workflows 11.3).

        Returns:
            Its record, and how many of its steps this cancelled.

        Raises:
            NotFound: No such workflow.
            Conflict: It has ended already.
        """
        with self.store.transaction():
            record = self.records.get(key)
            if record["state"] in ENDED:
                raise Conflict(
                    f"Workflow '{key}' is already in terminal state '{record['state']}' (OJS Workflows 11.3).",
                    details={"workflow_id": key, "current_state": record["state"]},
                )
            stopped = self._abandon(key, self.kernel.now(), "workflow")
            record = self.records.get(key)
            if record["parent"] is not None:
                outer, step_id = record["parent"]
                error = {
                    "code": "workflow_cancelled",
                    "message": f"The nested workflow '{key}' was cancelled.",
                }
                self._settle([(outer, step_id, CANCELLED, None, error, None)])
        return record, stopped

    def _abandon(self, key: str, now: int, cause: str, error: Record | None = None) -> int:
        """End a workflow now, as cancelled or (with an error) as failed; returns how many steps were stopped."""
        record = self.records.workflow(key)
        if record["state"] in ENDED:
            return 0
        ran = record["state"] != PENDING
        record["state"] = CANCELLED if error is None else FAILED
        record["completed_at"] = now
        record["cancelled_at"] = now if error is None else None
        record["error"] = error
        self.records.put(record)
        self.store.set_timer(KIND, key, None)
        stopped = 0
        for step in list(self.records.steps(key)):
            if step["state"] in ENDED:
                continue
            stopped += 1
            # The step ends first, so that its job's cancellation is no news to `moved`.
            self._close(step, CANCELLED, now, cause)
            self.records.put_step(key, step)
            self.records.count(key, step)
            if step["workflow"] is not None:
                self._abandon(step["workflow"], now, cause)
            job = self.store.get(step["job_id"]) if step["job_id"] else None
            if job is not None and job.state in life.NON_TERMINAL:
                self.operations.cancel(
                    job.id, reason="its workflow was stopped", cancelled_by=f"workflow:{key}"
                )
        if ran:
            facts = {"duration_ms": now - record["created_at"], "steps_cancelled": stopped}
            emit(
                self.kernel,
                "workflow.failed" if error else "workflow.cancelled",
                record,
                facts | (error or {}),
            )
        return stopped

    def due(self, key: str, _instant: int) -> None:
        """A workflow has lasted longer than its ``workflow_timeout``: it fails (OJS Timeouts 9.2)."""
        with self.store.transaction():
            record = self.store.record(KIND, key)
            if record is None or record["state"] in ENDED:
                return
            now = self.kernel.now()
            text = f"The workflow lasted longer than its timeout of {record['timeout'] // 1000} s."
            error = {"code": "workflow_timeout", "message": text}
            late = next(step for step in self.records.steps(key) if step["state"] not in ENDED)
            self._abandon(key, now, "workflow", blame({**late, "error": error}))
            if record["parent"] is not None:
                outer, step_id = record["parent"]
                self._settle([(outer, step_id, FAILED, None, error, None)])

    # jobs

    def moved(self, job: Job, was: str, operation: str) -> None:
        """Follow the jobs of workflows: the first that starts, each that ends, one that is retried by hand."""
        if job.workflow_id is None or job.step_id is None:
            return
        if operation == life.FETCH:
            self._begin(job.workflow_id)
        elif job.state in life.TERMINAL or operation == life.RETRY:
            step = self.records.step_of(job)
            if step is None:
                return
            if operation == life.RETRY:
                self._reopen(job.workflow_id, step)
            else:
                state = _OUTCOMES[job.state]
                error = None if state == COMPLETED else job_error(job, was)
                self._settle([(job.workflow_id, job.step_id, state, job.result, error, None)])

    def _begin(self, key: str) -> None:
        for record in self.records.around(key):
            if record["started_at"] is not None:
                return
            record["started_at"] = self.kernel.now()
            self.records.put(record)
            emit(self.kernel, "workflow.started", record, {"total_steps": record["total"]})

    def _reopen(self, key: str, step: Record) -> None:
        """An operator retries a failed job of a group that still runs: it counts again when it ends again."""
        record = self.records.workflow(key)
        if record["state"] != RUNNING or record["type"] not in {GROUP, BATCH} or step["state"] not in ENDED:
            return
        callbacks = [self.records.step(key, one) for one in step["dependents"]]
        if any(callback["state"] != WAITING for callback in callbacks):
            return
        for callback in callbacks:
            callback["waits"] += 1
            callback["missed"] -= 1
            self.records.put_step(key, callback)
        self.records.count(key, step, -1)
        step |= {"state": ENQUEUED, "error": None, "ended_at": None, "started_at": None}
        self.records.put_step(key, step)
