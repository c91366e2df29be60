"""Tenants that are there from the start (OJS Multi-Tenancy 15.1).

They stand as ``[tenants.NAME]`` in the settings' file, or in ``OJS_TENANTS``, a JSON object that has for each what
``PUT /admin/tenants/{id}`` takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from engine import Engine
from engine.clock import ManualClock
from engine.errors import OJSError

VARIABLE: Final = "OJS_TENANTS"
Told = Mapping[str, Mapping[str, Any]]
"""The configuration of each tenant by its id: ``limits``, ``fairness_weight``, ``priority_boost``."""


def read(environment: Mapping[str, str], table: Mapping[str, Any], path: str) -> Told:
    """The tenants of the environment, or else of the file.

    Raises:
        ValueError: Says where, and what cannot be used.
    """
    where, found = f"{path}: [tenants]", table.get("tenants", {})
    if environment.get(VARIABLE):
        try:
            where, found = VARIABLE, json.loads(environment[VARIABLE])
        except ValueError as error:
            raise ValueError(f"{VARIABLE}: is not JSON: {error}.") from None
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ValueError(
            f"{where}: takes a table for each tenant, e.g. limits = {{ max_queue_depth = 1000 }}."
        )
    trial = Engine(ManualClock(0))
    for name, facts in found.items():
        if unknown := sorted(facts.keys() - {"limits", "fairness_weight", "priority_boost"}):
            raise ValueError(
                f"{where}: {name:.60}: '{unknown[0]:.60}' is none of limits, fairness_weight, priority_boost."
            )
        try:
            trial.tenants.configure(name, facts)
        except OJSError as error:
            raise ValueError(f"{where}: {name:.60}: {error.message}") from None
    return found


def apply(engine: Engine, tenants: Told, *, required: bool) -> None:
    """Configure an engine before it takes its first request.

    Args:
        engine: The engine.
        tenants: What `read` has found.
        required: Whether each job must belong to a tenant; one that names none is ``_default``'s, and each tenant has
            limits of its own under every key (OJS Extension Interactions 6.2).
    """
    if required:
        # By their keys, so that neither subject need be loaded.
        engine.kernel.settings |= {"Tenants.required": True, "Limits.by_tenant": True}
    for name, facts in tenants.items():
        engine.tenants.configure(name, dict(facts))
