"""The uniqueness policy: its rules, and the key that two equal jobs share (OJS Unique Jobs 2 to 4). Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine import lifecycle as life
from engine import versions
from engine.canonical import fingerprint
from engine.envelope import refuse
from engine.job import Job
from engine.times import MAX_DURATION, parse_duration

DIMENSIONS: Final = ("type", "queue", "args", "meta", "version")
CONFLICTS: Final = ("reject", "replace", "replace_except_schedule", "ignore")
_ALIASES: Final = {"use_existing": "ignore"}
"""What the OpenAPI description calls one of them."""


@dataclass(frozen=True, slots=True)
class UniquePolicy:
    """What makes a job a duplicate, and what is done then.

    Args:
        key: Fingerprint of the unique dimensions.
        states: Only jobs in these states count.
        period: Only jobs created within it count, milliseconds; None for all.
        on_conflict: One of `CONFLICTS`.
    """

    key: str
    states: frozenset[str]
    period: int | None
    on_conflict: str

    @property
    def replaces(self) -> bool:
        """Whether the new job takes the place of the old one."""
        return self.on_conflict.startswith("replace")

    def after(self, now: int) -> int | None:
        """Jobs created at this instant or before no longer count; None when all count."""
        return None if self.period is None else now - self.period


def parse(raw: dict[str, Any], job: Job) -> UniquePolicy:
    """A job's policy, checked.

    Args:
        raw: The ``unique`` object.
        job: The job; its type, queue, arguments and metadata make the key.

    Raises:
        InvalidRequest: A part breaks its rule (OJS Unique Jobs 2.2).
    """
    dimensions, fields = _keys(raw, job)
    args_keys = _names(raw, "args_keys")
    if args_keys and "args" not in dimensions and raw.get("keys", raw.get("key")) is None:
        dimensions.add("args")
    meta_keys = _names(raw, "meta_keys")
    if "meta" in dimensions and not meta_keys:
        raise refuse(
            "unique.meta_keys", meta_keys, "is required when 'keys' has 'meta'", "OJS Unique Jobs 2.2"
        )
    value: dict[str, Any] = {"type": job.type}
    version = versions.of(job)
    if "version" in dimensions and version is not None:
        value["version"] = str(versions.key(version) or version)
    if "queue" in dimensions:
        value["queue"] = job.queue
    if "args" in dimensions and not args_keys and not fields:
        value["args"] = job.args
    elif "args" in dimensions or fields:
        value["args"] = _arguments(job, [*(args_keys or []), *fields])
    if "meta" in dimensions:
        meta = job.meta or {}
        value["meta"] = {name: meta[name] for name in meta_keys or [] if name in meta}
    return UniquePolicy(fingerprint(value), _states(raw), _period(raw), _conflict(raw))


def _keys(raw: dict[str, Any], job: Job) -> tuple[set[str], list[str]]:
    """The dimensions, and argument fields that some clients list among them."""
    given = raw.get("keys", raw.get("key"))
    # A policy that names nothing tells versions apart; one that does says so itself (OJS Job Versioning 15.5).
    names = ["type", "version"] if given is None else [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise refuse("unique.keys", given, "must be an array of strings", "OJS Unique Jobs 2.1")
    fields = [name for name in names if name not in DIMENSIONS]
    known = _fields(job)
    for name in fields:
        if name not in known:
            rule = f"must list {', '.join(DIMENSIONS)}, or fields of 'args'; there is no '{name:.40}'"
            raise refuse("unique.keys", given, rule, "OJS Unique Jobs 2.2")
    return set(names) - set(fields), fields


def _fields(job: Job) -> Mapping[str, Any]:
    """The named arguments: the fields of the objects in ``args``, an earlier one's first."""
    named: dict[str, Any] = {}
    for argument in reversed(job.args):
        if isinstance(argument, dict):
            named |= argument
    return named


def _arguments(job: Job, names: list[str]) -> dict[str, Any]:
    known = _fields(job)
    for name in names:
        if name not in known:
            rule = f"names '{name:.40}', which 'args' does not have"
            raise refuse("unique.args_keys", names, rule, "OJS Unique Jobs 2.2")
    return {name: known[name] for name in names}


def _names(raw: dict[str, Any], field: str) -> list[str] | None:
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise refuse(f"unique.{field}", value, "must be an array of strings", "OJS Unique Jobs 2.1")
    return value


def _states(raw: dict[str, Any]) -> frozenset[str]:
    value = raw.get("states")
    if value is None:
        return life.NON_TERMINAL
    if not isinstance(value, list) or not all(isinstance(one, str) and one in life.STATES for one in value):
        rule = f"must be an array of states: {', '.join(life.STATES)}"
        raise refuse("unique.states", value, rule, "OJS Unique Jobs 6.2")
    return frozenset(value)


def _period(raw: dict[str, Any]) -> int | None:
    for field, factor in (("period_ms", 1), ("period", 1000), ("within_ms", 1), ("within", 1000)):
        value = raw.get(field)
        if value is None:
            continue
        if isinstance(value, str):
            try:
                ms = parse_duration(value)
            except ValueError as error:
                raise refuse(f"unique.{field}", value, str(error), "OJS Unique Jobs 7.2") from None
        elif isinstance(value, int) and not isinstance(value, bool):
            ms = value * factor
        else:
            raise refuse(f"unique.{field}", value, "must be an ISO 8601 duration", "OJS Unique Jobs 7.2")
        if not 0 < ms <= MAX_DURATION:
            raise refuse(f"unique.{field}", value, "must be above zero", "OJS Unique Jobs 7.2")
        return ms
    return None


def _conflict(raw: dict[str, Any]) -> str:
    value = raw.get("on_conflict")
    if value is None:
        return "reject"
    value = _ALIASES.get(value, value) if isinstance(value, str) else value
    if value not in CONFLICTS:
        raise refuse(
            "unique.on_conflict", value, f"must be one of {', '.join(CONFLICTS)}", "OJS Unique Jobs 5"
        )
    return str(value)
