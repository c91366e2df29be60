"""All endpoints in one table: the binding, the endpoint reference and the tests read it."""

from __future__ import annotations

from typing import Final

from engine.http import cron, events, jobs, system, workers, workflows
from engine.http.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *system.ROUTES,
    *jobs.ROUTES,
    *workers.ROUTES,
    *events.ROUTES,
    *cron.ROUTES,
    *workflows.ROUTES,
)
