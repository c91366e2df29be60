"""Who changed what through the admin API: a bounded record, kept in the store beside what it tells of.

The standard names no audit endpoint; it demands that administrative actions can be audited (OJS Events 5). A record
holds no body: what was asked may be confidential, what came of it are numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.http.admin import page_of
from engine.http.route import Call, Reply, Route
from engine.times import format_time

if TYPE_CHECKING:
    from engine.core import Engine
    from engine.http.message import Request

KEPT: Final = 1000
"""Records that are kept, the latest."""
ACTOR: Final = "x-ojs-actor"
"""Header in which a host says who asks; it never hands on a client's own."""
_KIND: Final = "audit"
_HEAD: Final = "audit_head"
_TOLD: Final = (
    "matched",
    "succeeded",
    "failed",
    "purged_count",
    "deleted",
    "retried",
    "paused",
    "maintenance",
)


def wanted(request: Request) -> bool:
    """Whether a request is a change through the admin API; the reset of a conformance run is none."""
    return (
        request.method not in {"GET", "HEAD", "OPTIONS"}
        and "/admin/" in request.url
        and not request.url.endswith("/admin/reset")
    )


def note(engine: Engine, request: Request, status: int, body: Any) -> None:
    """Write down a change that was asked for.

    Args:
        engine: Where it happened.
        request: What was asked.
        status: HTTP status of the answer.
        body: The answer's, of which numbers are kept.
    """
    store = engine.store
    number = (store.record(_HEAD, _HEAD) or {"number": 0})["number"] + 1
    told = body if isinstance(body, dict) else {}
    record = {
        "at": engine.now(),
        "actor": request.headers.get(ACTOR, "unknown")[:100],
        "method": request.method,
        "path": request.url.partition("?")[0][:300],
        "status": status,
        "request_id": request.headers.get("x-request-id", "")[:200] or None,
        "error": told["error"]["code"]
        if isinstance(told.get("error"), dict) and "code" in told["error"]
        else None,
        "outcome": {name: told[name] for name in _TOLD if isinstance(told.get(name), bool | int)},
    }
    with store.transaction():
        store.put_record(_HEAD, _HEAD, {"number": number})
        store.put_record(_KIND, f"{number:012d}", record)
        store.delete_record(_KIND, f"{number - KEPT:012d}")


def listing(call: Call) -> Reply:
    """The latest changes, newest first; ``actor`` and ``status`` narrow them."""
    actor, status = call.query.get("actor"), call.query.get("status")
    rows = [
        {"id": f"audit_{key}", **record, "at": format_time(record["at"])}
        for key, record in reversed(call.engine.store.records(_KIND))
        if (not actor or record["actor"] == actor) and (not status or str(record["status"]) == status)
    ]
    return Reply(page_of(call, rows))


ROUTES: Final = (
    Route("GET", "/admin/audit", listing, "ADMIN", -1, "Changes made through this API.", "OJS Events 5"),
)
