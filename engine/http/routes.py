"""All endpoints and all lines of the manifest: the binding, the endpoint reference and the tests read them.

Each subject's module lists its own routes, and its own features where it has some.
"""

from __future__ import annotations

from typing import Final

from engine.http import (
    admin,
    admin_server,
    agents,
    audit,
    bulk,
    cron,
    dead_letter,
    events,
    history,
    jobs,
    limits,
    progress,
    queues,
    results,
    scheduling,
    schemas,
    system,
    tenants,
    webhooks,
    workers,
    workflows,
)
from engine.http.route import Feature, Route

MODULES: Final = (
    system,
    jobs,
    bulk,
    workers,
    queues,
    dead_letter,
    limits,
    scheduling,
    tenants,
    cron,
    workflows,
    events,
    schemas,
    results,
    progress,
    history,
    admin,
    admin_server,
    audit,
    webhooks,
    agents,
)

ROUTES: Final[tuple[Route, ...]] = tuple(route for module in MODULES for route in module.ROUTES)
FEATURES: Final[tuple[Feature, ...]] = tuple(
    feature for module in MODULES for feature in getattr(module, "FEATURES", ())
)
