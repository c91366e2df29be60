"""Endpoints of many jobs: the atomic batch and the four bulk operations (OJS HTTP Binding 9.2, OJS Bulk Operations)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.bulk import Answer
from engine.http.admission import owned, pressure_headers, when_there_is_room
from engine.http.route import Call, Feature, Reply, Route


def _owned(call: Call) -> dict[str, Any]:
    jobs = call.body.get("jobs")
    if call.tenant is None or not isinstance(jobs, list):
        return call.body
    return {**call.body, "jobs": [owned(call, job) for job in jobs]}


def batch(call: Call) -> Reply:
    """Enqueue a batch, all of it or nothing."""
    return when_there_is_room(call, _batch)


def _batch(call: Call) -> Reply:
    pushed = call.engine.push_many(_owned(call).get("jobs"))
    jobs = [one.job.to_dict() | ({"deduplicated": True} if one.duplicate else {}) for one in pushed]
    created = sum(not one.duplicate for one in pushed)
    headers = pressure_headers(call, pushed[-1].job) | {"X-OJS-Batch-Size": str(len(jobs))}
    return Reply({"jobs": jobs, "count": len(jobs), "created": created}, 201 if created else 200, headers)


def _reply(answer: Answer) -> Reply:
    status, body = answer
    return Reply(body, status, {"X-OJS-Batch-Size": str(body["total"])})


def _key(call: Call) -> str | None:
    return call.headers.get("idempotency-key")


def enqueue(call: Call) -> Reply:
    """Enqueue many jobs, each with its own answer."""
    return _reply(call.engine.bulk.enqueue(_owned(call), _key(call)))


def _act(choose: Callable[[Call], Callable[[dict[str, Any], str | None], Answer]]) -> Callable[[Call], Reply]:
    def handler(call: Call) -> Reply:
        return _reply(choose(call)(call.body, _key(call)))

    return handler


cancel: Final = _act(lambda call: call.engine.bulk.cancel)
retry: Final = _act(lambda call: call.engine.bulk.retry)
delete: Final = _act(lambda call: call.engine.bulk.delete)

_CLAUSE: Final = "OJS Bulk Operations 11.1"

FEATURES: Final = (Feature("bulk-operations"),)

ROUTES: Final = (
    Route("POST", "/jobs/batch", batch, "PUSH", 4, "Enqueue a batch.", "OJS HTTP Binding 9.2"),
    Route("POST", "/jobs/bulk", enqueue, "PUSH", -1, "Enqueue many jobs.", _CLAUSE),
    Route("POST", "/jobs/bulk/cancel", cancel, "CANCEL", -1, "Cancel many jobs.", _CLAUSE),
    Route("POST", "/jobs/bulk/retry", retry, "RETRY", -1, "Retry many jobs.", _CLAUSE),
    Route("POST", "/jobs/bulk/delete", delete, "DELETE", -1, "Delete many finished jobs.", _CLAUSE),
)
