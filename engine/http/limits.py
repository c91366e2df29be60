"""Endpoints of rate limits: inspect, override, and a queue's own (OJS Rate Limiting 7.2, 10)."""

from __future__ import annotations

from typing import Final

from engine.http.paging import paged
from engine.http.queues import name_of
from engine.http.route import Call, Feature, Reply, Route


def listing(call: Call) -> Reply:
    """All keys and their state."""
    limit, offset = call.page()
    return Reply(paged("rate_limits", call.engine.limits.list(), limit, offset))


def show(call: Call) -> Reply:
    """The state of one key."""
    return Reply(call.engine.limits.show(call.params["key"]))


def override(call: Call) -> Reply:
    """Change a key's limits for a while."""
    return Reply(call.engine.limits.override(call.params["key"], call.body))


def lift(call: Call) -> Reply:
    """End an override, and a pause that a failed job asked for."""
    return Reply(call.engine.limits.lift(call.params["key"]))


def of_queue(call: Call) -> Reply:
    """What limits a queue as a whole, or null."""
    name = name_of(call)
    return Reply({"queue": name, "rate_limit": call.engine.queues.config(name).get("rate_limit")})


def limit_queue(call: Call) -> Reply:
    """Limit a queue as a whole; an empty body lifts the limit."""
    name = name_of(call)
    given = {key: value for key, value in call.body.items() if key != "queue"}
    config = call.engine.queues.configure(name, {"rate_limit": given or None})
    return Reply({"queue": name, "rate_limit": config.get("rate_limit"), "config": config})


_KEY: Final = "/rate-limits/{key}"
_QUEUE: Final = "/admin/queues/{name}/rate-limit"

FEATURES: Final = (Feature("rate-limiting"),)

ROUTES: Final = (
    Route("GET", "/rate-limits", listing, "LIMITS", -1, "List rate limits.", "OJS Rate Limiting 10.3"),
    Route("GET", _KEY, show, "LIMITS", -1, "Read a rate limit.", "OJS Rate Limiting 10.1"),
    Route("PUT", _KEY, override, "LIMITS", -1, "Override a rate limit.", "OJS Rate Limiting 10.2"),
    Route("DELETE", _KEY, lift, "LIMITS", -1, "End an override or a pause.", "OJS Rate Limiting 10.2"),
    Route("GET", _QUEUE, of_queue, "ADMIN", -1, "A queue's own limit.", "OJS Rate Limiting 7.2"),
    Route("PUT", _QUEUE, limit_queue, "ADMIN", -1, "Limit a queue.", "OJS Rate Limiting 7.2"),
)
