"""All endpoints in one table: the binding, the endpoint reference and the tests read it."""

from __future__ import annotations

from typing import Final

from engine.http import bulk, dead_letter, events, jobs, limits, queues, scheduling, system, tenants, workers
from engine.http.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *system.ROUTES,
    *jobs.ROUTES,
    *bulk.ROUTES,
    *workers.ROUTES,
    *queues.ROUTES,
    *dead_letter.ROUTES,
    *limits.ROUTES,
    *scheduling.ROUTES,
    *tenants.ROUTES,
    *events.ROUTES,
)
