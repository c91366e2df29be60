"""Operations on agent jobs: pause for a human, resume, fork, merge, retry a tool elsewhere.

The suite ``agent`` asks for them and no document describes them; what they do here is the least that its cases and
the names say. The agent's state is kept beside its job and never changes the job's own.
"""

from __future__ import annotations

import json
from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import refuse
from engine.errors import AgentToolUnknown, Conflict, InvalidRequest, NotFound
from engine.job import Job
from engine.kernel import Kernel
from engine.times import format_time

FIELD: Final = "ext_agent_v2"
STRATEGIES: Final = ("ours", "theirs", "union")
DEFAULT_RETRIES: Final = 3
_KIND: Final = "agent"
_CLAUSE: Final = "suite agent"


class Agents:
    """The agents' own states and branches.

    Args:
        kernel: Store, time, events, ids.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def get(self, job_id: str) -> dict[str, Any]:
        """An agent: state, reason, decision, branches.

        Raises:
            NotFound: No such job, or it is no agent's.
        """
        job = self._job(job_id)
        return _shown(job, self._record(job))

    def pause(self, job_id: str, reason: str | None) -> dict[str, Any]:
        """Wait for a human (PAUSE_HUMAN).

        Raises:
            NotFound: No such agent job.
            Conflict: It is paused already, or its job has ended.
        """
        return self._turn(job_id, "running", "paused", "agent.paused", {"reason": reason})

    def resume(self, job_id: str, approved: Any, comment: str | None) -> dict[str, Any]:
        """Go on after a human's decision (RESUME_HUMAN); one that was not approved stops.

        Raises:
            NotFound: No such agent job.
            Conflict: It is not paused, or its job has ended.
            InvalidRequest: ``approved`` is no boolean.
        """
        if approved is not None and not isinstance(approved, bool):
            raise refuse("approved", approved, "must be true or false", _CLAUSE)
        to = "stopped" if approved is False else "running"
        decision = {"approved": approved is not False, "comment": comment}
        return self._turn(job_id, "paused", to, "agent.resumed", {"decision": decision})

    def _turn(self, job_id: str, needed: str, to: str, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
        with self.kernel.store.transaction():
            job = self._alive(job_id)
            record = self._record(job)
            if record["state"] != needed:
                raise Conflict(
                    f"The agent of job '{job.id}' is {record['state']}; it must be {needed}.",
                    details={"job_id": job.id, "current_state": record["state"], "allowed_states": [needed]},
                )
            record = {**record, **facts, "state": to}
            self._write(job, record, kind, facts)
        return _shown(job, record)

    def fork(self, job_id: str, at_turn: Any, name: Any) -> dict[str, Any]:
        """Start a branch at a turn (FORK_AGENT).

        Args:
            job_id: The agent's job.
            at_turn: Turn that the branch starts from, at least 0.
            name: The branch's name, unique in this agent.

        Returns:
            ``{branch_id, content_id, branch_name, at_turn, job_id}``; the content id is a hash of what the branch
            starts from, so that equal starts have equal ids.

        Raises:
            NotFound: No such agent job.
            Conflict: The name is taken, or the job has ended.
            InvalidRequest: A value is malformed.
        """
        if not isinstance(at_turn, int) or isinstance(at_turn, bool) or at_turn < 0:
            raise refuse("at_turn", at_turn, "must be a whole number, at least 0", _CLAUSE)
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise refuse("branch_name", name, "must be a string of 1 to 100 characters", _CLAUSE)
        with self.kernel.store.transaction():
            job = self._alive(job_id)
            record, now = self._record(job), self.kernel.now()
            if any(branch["branch_name"] == name for branch in record["branches"]):
                raise Conflict(
                    f"The agent of job '{job.id}' has a branch '{name}' already.", details={"name": name}
                )
            branch = {
                "branch_id": "br_" + self.kernel.ids.uuid7(now),
                "content_id": _content_id({"args": job.args, "checkpoint": job.checkpoint, "turn": at_turn}),
                "branch_name": name,
                "at_turn": at_turn,
                "created_at": now,
            }
            record = {**record, "branches": [*record["branches"], branch]}
            self._write(job, record, "agent.forked", {"branch_id": branch["branch_id"]})
        return {"job_id": job.id, **branch, "created_at": format_time(now)}

    def merge(self, job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Join two branches (MERGE_AGENT).

        Args:
            job_id: The agent's job.
            body: ``{branch_a, branch_b, strategy}``.

        Returns:
            ``{merged_id, conflicts, …}``: branches from different starts conflict in them.

        Raises:
            NotFound: No such agent job or branch.
            Conflict: The job has ended.
            InvalidRequest: Both branches are the same, or the strategy is unknown.
        """
        strategy = body.get("strategy", STRATEGIES[0])
        if strategy not in STRATEGIES:
            raise refuse("strategy", strategy, f"must be one of {', '.join(STRATEGIES)}", _CLAUSE)
        with self.kernel.store.transaction():
            job = self._alive(job_id)
            record, now = self._record(job), self.kernel.now()
            one, other = (
                self._branch(job, record, body.get(name), name) for name in ("branch_a", "branch_b")
            )
            if one["branch_id"] == other["branch_id"]:
                raise InvalidRequest("'branch_a' and 'branch_b' are the same.", details={"field": "branch_b"})
            conflicts = [
                {"field": name, "ours": one[name], "theirs": other[name]}
                for name in ("at_turn", "content_id")
                if one[name] != other[name]
            ]
            merged = {
                "merged_id": "br_" + self.kernel.ids.uuid7(now),
                "content_id": _content_id([one["content_id"], other["content_id"], strategy]),
                "strategy": strategy,
                "branches": [one["branch_id"], other["branch_id"]],
                "conflicts": conflicts,
            }
            record = {**record, "merges": [*record["merges"], merged]}
            self._write(job, record, "agent.merged", {"merged_id": merged["merged_id"]})
        return {"job_id": job.id, **merged}

    def tool_retry(self, job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Retry a failed tool call, at the alternate provider if asked (TOOL_RETRY_ALTERNATE).

        Args:
            job_id: The agent's job.
            body: ``{tool_call_id, tool?, error?, use_alternate?}``.

        Returns:
            ``{retried, provider, attempt, max_attempts, …}``; not retried once its attempts are used up.

        Raises:
            NotFound: No such agent job.
            Conflict: The job has ended.
            InvalidRequest: The call's id is missing.
            AgentToolUnknown: The named tool is not declared by the job.
        """
        call = body.get("tool_call_id")
        if not isinstance(call, str) or not 1 <= len(call) <= 200:
            raise refuse("tool_call_id", call, "is required: the id of the failed call", _CLAUSE)
        with self.kernel.store.transaction():
            job = self._alive(job_id)
            _declared(job, body.get("tool"))
            record = self._record(job)
            raw = (job.extra or {}).get(FIELD)
            policy = raw.get("tool_retry") if isinstance(raw, dict) else None
            policy = policy if isinstance(policy, dict) else {}
            most = policy.get("max_attempts", DEFAULT_RETRIES)
            used = record["tool_calls"].get(call, 0)
            retried = used < most
            first = policy.get("provider") or (job.extra or {}).get("ext_agent_provider")
            provider = policy.get("alternate_provider") if body.get("use_alternate") else first
            if retried:
                calls = {**record["tool_calls"], call: used + 1}
                facts = {"tool_call_id": call, "provider": provider}
                self._write(job, {**record, "tool_calls": calls}, "agent.tool_retried", facts)
        return {
            "job_id": job.id,
            "tool_call_id": call,
            "retried": retried,
            "provider": provider,
            "attempt": used + retried,
            "max_attempts": most,
        }

    def _job(self, job_id: str) -> Job:
        job = self.kernel.job(job_id)
        if not any(name == FIELD or name.startswith("ext_agent_") for name in job.extra or ()):
            raise NotFound(
                f"Job '{job.id}' is no agent's: it has no '{FIELD}'.",
                details={"resource_type": "agent", "resource_id": job.id},
            )
        return job

    def _alive(self, job_id: str) -> Job:
        job = self._job(job_id)
        if job.state in life.TERMINAL:
            raise Conflict(
                f"Job '{job.id}' has ended: it is {job.state}.",
                details={"job_id": job.id, "current_state": job.state},
            )
        return job

    def _record(self, job: Job) -> dict[str, Any]:
        found = self.kernel.store.record(_KIND, job.id)
        if found is not None:
            return found
        raw = (job.extra or {}).get(FIELD)
        state = raw.get("state") if isinstance(raw, dict) else None
        start = state if isinstance(state, str) else "running"
        return {
            "state": start,
            "reason": None,
            "decision": None,
            "branches": [],
            "merges": [],
            "tool_calls": {},
        }

    @staticmethod
    def _branch(job: Job, record: dict[str, Any], branch_id: Any, field: str) -> dict[str, Any]:
        for branch in record["branches"]:
            if branch["branch_id"] == branch_id:
                return dict(branch)
        raise NotFound(
            f"The agent of job '{job.id}' has no branch '{branch_id!s:.80}'.",
            details={"resource_type": "branch", "resource_id": str(branch_id)[:80], "field": field},
        )

    def _write(self, job: Job, record: dict[str, Any], kind: str, facts: dict[str, Any]) -> None:
        self.kernel.store.put_record(_KIND, job.id, record)
        self.kernel.emit_job(kind, job, facts, self.kernel.now())


def _shown(job: Job, record: dict[str, Any]) -> dict[str, Any]:
    branches = [{**one, "created_at": format_time(one["created_at"])} for one in record["branches"]]
    return {"job_id": job.id, "id": job.id, **record, "branches": branches}


def _declared(job: Job, tool: Any) -> None:
    tools = (job.extra or {}).get("ext_agent_tools")
    if tool is None or not isinstance(tools, list):
        return
    names = [one.get("name") for one in tools if isinstance(one, dict)]
    if tool not in names:
        raise AgentToolUnknown(
            f"The tool '{tool!s:.64}' is not declared by job '{job.id}' (OJS AI Agents 3.4).",
            details={"field": "tool", "tools": names},
        )


def _content_id(content: Any) -> str:
    import hashlib  # noqa: PLC0415 - only forks and merges need it

    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
