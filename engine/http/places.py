"""Where each endpoint lives: the modules that a path may mean, so that a request loads no more than these.

The modules list their routes themselves; `engine.http.routes` has them all together. A test holds this table
against those lists.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import ClassVar, Final

from engine.http.route import Route, Table

AREAS: Final[dict[str, str]] = {
    "/ojs/**": "system",
    "/manifest": "system",
    "/health": "system",
    "/ready": "system",
    "/metrics": "system",
    "/jobs": "jobs",
    "/jobs/*": "jobs",
    "/jobs/batch": "jobs bulk",
    "/jobs/bulk": "jobs bulk",
    "/jobs/fetch": "jobs workers",
    "/jobs/results": "jobs results",
    "/jobs/*/cancel": "jobs bulk",
    "/jobs/*/retry": "jobs bulk",
    "/jobs/*/delete": "bulk",
    "/jobs/*/activate": "jobs",
    "/jobs/*/ack": "workers",
    "/jobs/*/nack": "workers",
    "/jobs/*/events": "events",
    "/jobs/*/result": "results",
    "/jobs/*/result/stream": "results",
    "/jobs/*/progress": "progress",
    "/jobs/*/progress/stream": "progress",
    "/jobs/*/checkpoint": "progress",
    "/jobs/*/history": "history",
    "/jobs/*/lineage": "history",
    "/workers/*": "workers",
    "/workers/progress": "workers progress",
    "/queues": "queues",
    "/queues/**": "queues",
    "/queues/*/events": "events",
    "/dead-letter": "dead_letter",
    "/dead-letter/**": "dead_letter",
    "/rate-limits": "limits",
    "/rate-limits/**": "limits",
    "/cron": "cron",
    "/cron/**": "cron",
    "/workflows": "workflows",
    "/workflows/**": "workflows",
    "/events": "events",
    "/events/**": "events",
    "/schemas": "schemas",
    "/schemas/**": "schemas",
    "/checkpoints/**": "progress",
    "/history": "history",
    "/history/**": "history",
    "/debug/**": "history",
    "/webhooks/**": "webhooks",
    "/agents/**": "agents",
    "/admin/**": "system queues dead_letter limits scheduling tenants cron schemas admin admin_server audit",
}
"""Modules of `engine.http` by path: ``*`` for one part, ``**`` for any that follow; the most exact entry counts."""


def modules(path: str) -> tuple[str, ...]:
    """Names of the modules whose routes may fit a path, in the order of `engine.http.routes.MODULES`.

    Args:
        path: Below the base path, not decoded.
    """
    parts = path.split("/")
    second = "/".join([*parts[:2], "*", *parts[3:]]) if len(parts) > 2 else path
    return tuple(
        (AREAS.get(path) or AREAS.get(second) or AREAS.get("/".join(parts[:2]) + "/**") or "").split()
    )


class Places:
    """Finds the route of a request, and loads the modules that it takes."""

    _tables: ClassVar[dict[tuple[str, ...], Table[Route]]] = {}
    """One for all: a table never changes, and is no part of a server's snapshot."""

    def find(self, method: str, path: str, decode: Callable[[str], str]) -> tuple[Route, dict[str, str]]:
        """See `engine.http.route.Table.find`."""
        names = modules(path)
        table = self._tables.get(names)
        if table is None:
            loaded = [import_module(f"engine.http.{name}") for name in names]
            table = self._tables[names] = Table(route for module in loaded for route in module.ROUTES)
        return table.find(method, path, decode)
