"""Which jobs a worker can take at all: the versions it handles, its hardware, its runtime.

A worker that declares nothing takes everything, as one without these extensions does. What it cannot take keeps
its place in the queue (OJS Job Versioning 8, OJS ML Resources 11).
"""

from __future__ import annotations

from typing import Any, Final

from engine import ml, versions
from engine.envelope import refuse
from engine.job import RUNTIME, Job
from engine.kernel import Kernel
from engine.storage import Admit

MAX_HANDLERS: Final = 1000


def handlers(raw: Any) -> list[dict[str, str]]:
    """What a worker says that it handles, checked (OJS Job Versioning 8.1).

    Args:
        raw: A list of ``{type, versions}``, or of types alone.

    Returns:
        The list with ``versions`` filled in.

    Raises:
        InvalidRequest: Not such a list, or a malformed range.
    """
    clause = "OJS Job Versioning 8.1"
    if not isinstance(raw, list) or len(raw) > MAX_HANDLERS:
        raise refuse("handlers", raw, "must be an array of {type, versions}", clause)
    found: list[dict[str, str]] = []
    for index, one in enumerate(raw):
        entry = {"type": one} if isinstance(one, str) else one
        field = f"handlers[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            raise refuse(field, one, "must name a job type in 'type'", clause)
        text = entry.get("versions", "*")
        if not isinstance(text, str):
            raise refuse(f"{field}.versions", text, "must be a string such as '>=1.0 <3.0'", clause)
        try:
            versions.parse_range(text)
        except ValueError as error:
            raise refuse(f"{field}.versions", text, str(error), clause) from None
        found.append({"type": entry["type"], "versions": text})
    return found


class Matching:
    """Tells jobs that a worker can take from those that it cannot.

    Args:
        kernel: The workers' own records.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def wants(self, worker_id: str | None, body: dict[str, Any]) -> Admit | None:
        """The test for one FETCH, or None when this worker takes everything.

        Args:
            worker_id: Whose declarations of earlier heartbeats count.
            body: The FETCH itself: ``handlers``, ``capabilities``, ``runtime`` go before them.

        Raises:
            InvalidRequest: A declaration is malformed.
        """
        known = self.kernel.store.record("worker", worker_id) if worker_id else None
        known = known or {}
        tests: list[Admit] = []
        declared = handlers(body["handlers"]) if body.get("handlers") is not None else known.get("handlers")
        if declared:
            tests.append(_handled(declared))
        able = body.get("capabilities") if body.get("capabilities") is not None else known.get("capabilities")
        if isinstance(able, dict) and able:
            tests.append(lambda job: ml.fits(job, able))
        runtime = body.get("runtime")
        if isinstance(runtime, dict):
            tests.append(lambda job: _runs(job, runtime))
        if not tests:
            return None
        return lambda job: all(test(job) for test in tests)


def _handled(declared: list[dict[str, str]]) -> Admit:
    ranges: dict[str, list[str]] = {}
    for one in declared:
        ranges.setdefault(one["type"], []).append(one["versions"])

    def test(job: Job) -> bool:
        mine = ranges.get(job.type)
        return mine is None or any(versions.included(versions.of(job), text) for text in mine)

    return test


def _runs(job: Job, runtime: dict[str, Any]) -> bool:
    """Whether a runtime has the name, version and tags that a job asks for."""
    need = (job.meta or {}).get(RUNTIME)
    if not isinstance(need, dict):
        return True
    if need.get("name") not in {None, runtime.get("name")}:
        return False
    least, have = versions.key(need.get("min")), versions.key(runtime.get("version"))
    if least is not None and have is not None and have < least:
        return False
    tags, offered = need.get("tags"), runtime.get("tags")
    return set(tags if isinstance(tags, list) else ()) <= set(offered if isinstance(offered, list) else ())
