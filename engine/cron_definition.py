"""From a registration request to a cron entry's definition, in both of the standard's vocabularies (OJS Cron 2, 8.1).

``expression`` with ``job_template`` (OpenAPI), or ``cron`` with ``type``, ``args`` and ``options`` beside it
(OJS Cron). Checked here, so that nothing fails only when it fires.
"""

from __future__ import annotations

import re
from typing import Any, Final

from engine import cron_expression, envelope, zones
from engine.envelope import refuse
from engine.errors import InvalidPayload

MAX_NAME: Final = 255
NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\Z", re.ASCII)
OVERLAP: Final = {
    "skip": "skip",
    "allow": "allow",
    "cancel_previous": "cancel_previous",
    "enqueue": "enqueue",
    "cancel": "cancel_previous",
    "replace": "cancel_previous",
    "queue": "enqueue",
}
"""Overlap policies and their meanings; the last three are names in OpenAPI and in OJS Extension Interactions 13."""
MISFIRE: Final = ("fire_once", "skip", "fire_all")
"""What to do about occurrences that were missed while the server stood still; OJS Cron 7.3 demands the first."""
_OWN: Final = frozenset(
    "name cron expression timezone overlap_policy misfire_policy enabled status description job_template "
    "last_run_at next_run_at run_count created_at updated_at".split()
)

Definition = dict[str, Any]


def check_name(value: Any) -> str:
    """A cron entry's name (OJS Cron 2.2).

    Raises:
        InvalidRequest: Other characters than a-z, 0-9, '-' and '.', or longer than 255.
    """
    if not isinstance(value, str) or len(value) > MAX_NAME or not NAME.match(value):
        rule = "must be lower-case letters, digits, '-' and '.', starting with a letter or digit"
        raise refuse("name", value, f"{rule}, at most {MAX_NAME} characters", "OJS Cron 2.2")
    return value


def check_zone(value: Any) -> str:
    """A time zone's name; ``UTC`` when there is none (OJS Cron 5.1).

    Raises:
        InvalidRequest: Not an IANA name, or one that the database does not have.
    """
    if value is None:
        return "UTC"
    if not isinstance(value, str):
        raise refuse("timezone", value, "must be an IANA time zone name", "OJS Cron 5.1")
    try:
        zones.find(value)
    except ValueError as error:
        raise refuse("timezone", value, str(error), "OJS Cron 5.1") from None
    return value


def check_expression(value: Any, zone: str, now: int, field: str = "expression") -> str:
    """A cron expression that will fire (OJS Cron 3.5).

    Args:
        value: What came.
        zone: A checked zone.
        now: The instant, milliseconds.
        field: The field's name in messages.

    Raises:
        InvalidRequest: Malformed, or it can never fire.
    """
    if not isinstance(value, str) or not value.strip():
        raise refuse(
            field, value, "is required: a cron expression such as '0 9 * * *' or '@daily'", "OJS Cron 3.5"
        )
    try:
        run = cron_expression.parse(value).next_run(now, zones.find(zone), now)
    except ValueError as error:
        raise refuse(field, value, str(error), "OJS Cron 3.5") from None
    if run is None:
        raise refuse(
            field, value, "can never fire: no such day or time comes within 50 years", "OJS Cron 3.5"
        )
    return value


def _choice(body: dict[str, Any], field: str, allowed: Any, default: str) -> str:
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, str) or value not in allowed:
        raise refuse(field, value, f"must be one of {', '.join(allowed)}", "OJS Cron 6.1")
    return value


def _job(body: dict[str, Any], now: int) -> dict[str, Any]:
    """The enqueue request of each run."""
    template = body.get("job_template")
    if template is None:
        template = {name: value for name, value in body.items() if name not in _OWN}
    elif not isinstance(template, dict):
        raise refuse("job_template", template, "must be an object with 'type' and 'args'", "OJS Cron 2")
    job: dict[str, Any] = {**template, "args": template.get("args", [])}
    if job.get("id") is not None:
        raise refuse("id", job["id"], "must be left out: each run is a job of its own", "OJS Cron 2.2")
    options = job.get("options")
    if isinstance(options, dict) and isinstance(options.get("meta"), dict):
        # OJS Cron 2.2 puts meta into the options, the binding beside them.
        job["meta"] = options["meta"] | (job["meta"] if isinstance(job.get("meta"), dict) else {})
    envelope.read(job, now, lambda _: "")
    return job


def read(body: Any, now: int) -> Definition:
    """The definition of a registration request.

    Args:
        body: The parsed request body.
        now: The instant, milliseconds.

    Returns:
        ``name``, ``expression``, ``timezone``, ``job`` (an enqueue request), ``overlap_policy``, ``misfire_policy``,
        ``status`` (``active`` or ``disabled``) and ``description``.

    Raises:
        InvalidPayload: Not an object.
        InvalidRequest: A field breaks its rule.
    """
    if not isinstance(body, dict) or not body:
        raise InvalidPayload(
            "The body must be one cron entry: 'name', 'cron' and 'type' at least (OJS Cron 8.1)."
        )
    name = check_name(body.get("name"))
    zone = check_zone(body.get("timezone"))
    field = "cron" if body.get("expression") is None and "cron" in body else "expression"
    expression = check_expression(body.get(field), zone, now, field)
    enabled = body.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise refuse("enabled", enabled, "must be true or false", "OJS Cron 2.2")
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        raise refuse("description", description, "must be a string", "OJS Cron 2.2")
    return {
        "name": name,
        "expression": expression,
        "timezone": zone,
        "job": _job(body, now),
        "overlap_policy": _choice(body, "overlap_policy", OVERLAP, "skip"),
        "misfire_policy": _choice(body, "misfire_policy", MISFIRE, "fire_once"),
        "status": "disabled" if enabled is False else "active",
        "description": description,
    }
