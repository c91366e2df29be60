"""The same scenario with one value changed: which values there are, and the scenario that has another one.

A place is named by step and path, e.g. ``2:options/priority``; ``*`` stands for all steps that enqueue a job.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from engine.errors import InvalidRequest
from playground.graphs.words import plain, preview
from playground.travel.scenario import Player, Scenario
from playground.travel.timeline import Timeline

WORKERS: Final = "workers"
"""The place of the number of demo workers."""
MOST: Final = 150
"""Places offered."""
SLICES: Final = 60
"""Longest run that is played while somebody waits for it, in slices of the player."""
USUAL: Final = (
    "options/priority",
    "options/retry/max_attempts",
    "options/retry/initial_interval",
    "options/retry/backoff_strategy",
    "options/retry/jitter",
)
"""What a job need not say, but one may want to change."""
SILENT: Final = frozenset({"args", "meta", "id"})
"""Parts of a body whose change would change nothing here."""


class Place(NamedTuple):
    """A value that can be changed: where it is, what it is called, what it is now as JSON (empty: not said)."""

    key: str
    label: str
    now: str


def places(scenario: Scenario) -> list[Place]:
    """The values of a scenario that can be changed, at most `MOST`."""
    found = [Place(WORKERS, "demo workers from the start", str(scenario.get("workers", 0)))]
    bodies = list(_bodies(scenario))
    jobs = [body for _, path, body in bodies if _enqueues(path)]
    shared = [
        path
        for path in dict.fromkeys([*USUAL, *(name for body in jobs for name, _ in _leaves(body))])
        if path in USUAL or sum(any(name == path for name, _ in _leaves(body)) for body in jobs) > 1
    ]
    if len(jobs) > 1:
        found += [Place(f"*:{path}", f"all {len(jobs)} jobs · {_said(path)}", "") for path in shared]
    for index, path, body in bodies:
        leaves = dict(_leaves(body))
        for name in [*leaves, *(one for one in USUAL if _enqueues(path) and one not in leaves)]:
            what = plain(body.get("type") or path.rpartition("/v1")[2], 24)
            now = preview(leaves[name], 24) if name in leaves else ""
            found.append(Place(f"{index}:{name}", f"step {index + 1} · {what} · {_said(name)}", now))
    return found[:MOST]


def _said(path: str) -> str:
    return plain(path.removeprefix("options/").replace("/", "."), 60)


def _enqueues(path: str) -> bool:
    return path.partition("?")[0].endswith("/jobs")


def _bodies(scenario: Scenario) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for index, step in enumerate(scenario["steps"][:500]):
        body = step.get("request", {}).get("body")
        if isinstance(body, dict):
            yield index, step["request"]["path"], body


def _leaves(body: Any, path: str = "", depth: int = 5) -> Iterator[tuple[str, Any]]:
    """The plain values of a body with their paths."""
    if not isinstance(body, dict) or depth == 0:
        if not isinstance(body, dict | list):
            yield path, body
        return
    for name, value in list(body.items())[:40]:
        if name not in SILENT and "/" not in name:
            yield from _leaves(value, f"{path}/{name}" if path else name, depth - 1)


def value_of(text: str) -> Any:
    """What somebody typed: JSON, or else a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def changed(scenario: Scenario, key: str, value: Any) -> dict[str, Any]:
    """The scenario with another value at a place.

    Raises:
        InvalidRequest: There is no such place, or it cannot have such a value.
    """
    twin = copy.deepcopy({name: part for name, part in scenario.items() if name not in {"expect", "cursor"}})
    if key == WORKERS:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 8:
            raise InvalidRequest("There can be 0 to 8 demo workers.", details={"field": "value"})
        twin["workers"] = value
        return twin
    which, _, path = key.partition(":")
    bodies = [
        body
        for index, where, body in _bodies(twin)
        if str(index) == which or (which == "*" and _enqueues(where))
    ]
    if not bodies or not path:
        raise InvalidRequest(f"Nothing is at '{key:.60}'.", details={"field": "what"})
    for body in bodies:
        _set(body, path.split("/"), value)
    return twin


def _set(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InvalidRequest(f"'{name:.40}' is no object.", details={"field": "what"})
        body = inner
    body[path[-1]] = value


def played(scenario: Scenario) -> Timeline:
    """The scenario's run.

    Raises:
        ScenarioError: It cannot be played.
        InvalidRequest: It is too long to be waited for.
    """
    player = Player(scenario)
    for count, _ in enumerate(player.run()):
        if count >= SLICES:
            raise InvalidRequest(
                "This run is too long to be played again while you wait: start a shorter session, or take a lesson."
            )
    return player.timeline
