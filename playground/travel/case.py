"""A history as a conformance case: every request that was made, the demo workers' too, and what came of each job."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.conformance.case import read_all
from engine.conformance.runner import run_case
from engine.conformance.target import fresh_engine
from engine.errors import Conflict
from engine.http.message import Request, Response
from playground.travel.scenario import Player, Scenario, record
from playground.travel.timeline import Timeline

MAX_STEPS: Final = 200
"""Most requests of a case: nobody reads a longer one."""
MAX_JOBS: Final = 50
"""Most jobs whose end is asserted."""


class _Scribe:
    """Writes requests down as a case's steps; ids of jobs become references to the answers that first told them."""

    def __init__(self, start: int) -> None:
        self.steps: list[dict[str, Any]] = []
        self.known: dict[str, str] = {}
        self._last = start

    def hear(self, now: int, request: Request, response: Response) -> None:
        """Take down one exchange."""
        if len(self.steps) >= MAX_STEPS:
            raise Conflict(
                f"This history has more than {MAX_STEPS} requests; go to an earlier moment, and copy that."
            )
        name = f"s{len(self.steps) + 1}"
        step: dict[str, Any] = {"id": name, "action": request.method, "path": self._referring(request.url)}
        if now > self._last:
            step["delay_ms"] = now - self._last
        self._last = now
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            step["raw_body"] = request.body.decode(errors="replace")
        else:
            if body is not None:
                step["body"] = json.loads(self._referring(json.dumps(body)))
        step["assertions"] = {"status": response.status}
        self.steps.append(step)
        self._learn(name, response)

    def look(self, now: int, path: str, wanted: dict[str, Any]) -> None:
        """Add a step that reads, at an instant, and expects something."""
        step: dict[str, Any] = {"id": f"s{len(self.steps) + 1}", "action": "GET", "path": path}
        if now > self._last:
            step["delay_ms"] = now - self._last
        self._last = now
        self.steps.append({**step, "assertions": wanted})

    def _learn(self, name: str, response: Response) -> None:
        answer = json.loads(response.body) if isinstance(response.body, bytes) and response.body else {}
        found = {"job.id": answer.get("job")}
        found |= {f"jobs[{index}].id": job for index, job in enumerate(answer.get("jobs") or ())}
        for path, job in found.items():
            if isinstance(job, dict) and isinstance(job.get("id"), str):
                self.known.setdefault(job["id"], f"{{{{steps.{name}.response.body.{path}}}}}")

    def _referring(self, text: str) -> str:
        for job_id, reference in self.known.items():
            text = text.replace(job_id, reference)
        return text


def as_case(timeline: Timeline) -> dict[str, Any]:
    """The case, in the language of `engine.conformance.case`; it passes against this engine.

    Args:
        timeline: The history, up to its cursor.

    Raises:
        Conflict: It is too long, or holds what a case cannot say: a clock that jumps.
    """
    done = timeline.commands[: timeline.done]
    if any(command.kind == "jump" for command in done):
        raise Conflict("A case's clock cannot jump; undo the jump, or copy an earlier moment.")
    told: Scenario = record(timeline)
    until = timeline.now - timeline.origin.start
    player = Player({**told, "steps": told["steps"][: len(done)], "end": until, "cursor": {"at": until}})
    scribe = _Scribe(timeline.origin.start)
    player.timeline.world.heard.append(scribe.hear)
    world = player.finish().world
    for job in world.engine.store.jobs(limit=MAX_JOBS, newest=False):
        if job.id in scribe.known:
            path = f"/ojs/v1/jobs/{scribe.known[job.id]}"
            wanted = {"status": 200, "body": {"$.job.state": job.state, "$.job.attempt": job.attempt}}
            scribe.look(world.engine.now(), path, wanted)
    return {
        "test_id": "MY-CASE-001",
        "level": 0,
        "category": "playground",
        "name": "recorded-in-the-playground",
        "description": "What was done in the playground, and what came of it.",
        "steps": scribe.steps,
    }


def trouble(case: dict[str, Any]) -> str:
    """Why a case does not pass against a fresh engine, in the runner's words; empty when it passes."""
    (read,), _ = read_all([("moment/case.json", json.dumps(case).encode())])
    result = run_case(read, fresh_engine())
    return "" if result.verdict == "passed" else result.reason
