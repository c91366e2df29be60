"""The table of places knows where each endpoint lives, and start-up loads little."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from engine.errors import MethodNotAllowed, NotFound
from engine.http import places
from engine.http.places import AREAS, Places
from engine.http.route import Table
from engine.http.routes import MODULES, ROUTES

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


def outcome(table: Table | Places, method: str, path: str) -> object:
    try:
        return table.find(method, path, str)
    except (NotFound, MethodNotAllowed) as error:
        return type(error), error.details


def paths() -> list[str]:
    """Each route's path, with every word that stands at a parameter's place in another route, and with a free one."""
    words = {part for route in ROUTES for part in route.path.split("/") if "{" not in part}
    found: set[str] = set()
    for pattern in {route.path for route in ROUTES}:
        choices = [[*sorted(words), "x-1"] if "{" in part else [part] for part in pattern.split("/")]
        if sum(len(choice) > 1 for choice in choices) > 1:
            choices = [["x-1"] if len(choice) > 1 else choice for choice in choices]
        found |= {"/".join(parts) for parts in product(*choices)}
        found.add(pattern.replace("{", "").replace("}", "").replace("*", "") + "/and/more")
    return sorted(found)


@pytest.mark.parametrize("method", METHODS)
def test_a_route_found_by_its_place_is_the_one_that_all_routes_together_give(method: str) -> None:
    everything, lazy = Table(ROUTES), Places()
    assert {path: outcome(lazy, method, path) for path in paths()} == {
        path: outcome(everything, method, path) for path in paths()
    }


def test_modules_stand_in_the_order_of_the_routes() -> None:
    order = [module.__name__.rpartition(".")[2] for module in MODULES]
    for names in AREAS.values():
        assert names.split() == sorted(names.split(), key=order.index)


def test_a_path_of_no_module_loads_none() -> None:
    assert places.modules("/nowhere") == places.modules("") == places.modules("*") == ()


def test_start_up_loads_no_subject_that_nothing_has_asked_for() -> None:
    code = (
        "import sys; from engine import Engine; from engine.clock import ManualClock; "
        "from engine.http.binding import Binding; Binding(Engine(ManualClock(0))); print(*sorted(sys.modules))"
    )
    root = Path(__file__).resolve().parents[2]
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    ours = {name for name in loaded if name.startswith("engine")}
    late = "cron workflows tenants limits pools webhooks agents schemas history durable fairness bulk workers selection"
    assert not ours & {f"engine.{name}" for name in late.split()}
    assert not {"dataclasses", "inspect", "hashlib", "decimal", "statistics", "ipaddress", "base64"} & set(
        loaded
    )
    assert len(ours) <= 40
