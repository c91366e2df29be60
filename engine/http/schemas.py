"""Endpoints of the schema registry, in the words of all three documents that describe one.

OJS HTTP Binding 15 (by URI), OJS Schema Registry 10 (by type), OJS Job Versioning 11 (by type, below ``/admin``).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from engine.http.paging import paged
from engine.http.route import Call, Feature, Reply, Route

FEATURES: Final = (
    Feature("schema-registry", capability="schema_validation", facts={"schema_validation": True}),
    Feature("job-versioning", "experimental", version="0.1.0"),
)


def _shown(entry: dict[str, Any], *, whole: bool = True) -> dict[str, Any]:
    from engine.schemas import shown  # noqa: PLC0415 - only clients of the registry load it

    return shown(entry, whole=whole)


def _version(text: str) -> Any:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _find(call: Call) -> dict[str, Any]:
    """By URI where the reference is one, else the latest of a type."""
    reference, schemas = call.params["type"], call.engine.extensions.schemas
    return schemas.by_uri(reference) if ":" in reference else schemas.of_type(reference)[0]


def listing(call: Call) -> Reply:
    """All schemas, a page."""
    limit, offset = call.page()
    kind = call.query.get("type") or call.query.get("job_type")
    found = [one for one in call.engine.extensions.schemas.all() if kind in {None, one["type"]}]
    return Reply(paged("schemas", [_shown(one, whole=False) for one in found], limit, offset))


def register(call: Call) -> Reply:
    """Register a schema; a version that is there already is a conflict."""
    entry, _ = call.engine.extensions.schemas.register(call.body)
    shown = _shown(entry)
    flat = {name: shown[name] for name in ("uri", "type", "version")}
    return Reply(
        {"schema": shown, **flat}, 201, {"Location": "/ojs/v1/schemas/" + quote(entry["uri"], safe="")}
    )


def get(call: Call) -> Reply:
    """A schema by its URI, or the latest of a job type."""
    return Reply({"schema": _shown(_find(call))})


def versions(call: Call) -> Reply:
    """The versions of a job type, latest first."""
    found = call.engine.extensions.schemas.of_type(call.params["type"])
    return Reply(
        {
            "type": call.params["type"],
            "versions": [{**_shown(entry, whole=False), "is_latest": entry is found[0]} for entry in found],
        }
    )


def get_version(call: Call) -> Reply:
    """One version of a job type."""
    entry = call.engine.extensions.schemas.version(call.params["type"], _version(call.params["version"]))
    return Reply({"schema": _shown(entry)})


def _deleted(call: Call, entry: dict[str, Any]) -> Reply:
    call.engine.extensions.schemas.delete(entry)
    return Reply({"deleted": True, **{name: entry[name] for name in ("uri", "type", "version")}})


def delete(call: Call) -> Reply:
    """Remove a schema by its URI."""
    return _deleted(call, call.engine.extensions.schemas.by_uri(call.params["type"]))


def delete_version(call: Call) -> Reply:
    """Remove one version of a job type."""
    schemas = call.engine.extensions.schemas
    return _deleted(call, schemas.version(call.params["type"], _version(call.params["version"])))


def put(call: Call) -> Reply:
    """Register or replace the schema of a job type and version."""
    where = {"type": call.params["type"], "version": _version(call.params["version"])}
    body = {**call.body, **where}
    entry, new = call.engine.extensions.schemas.register(body, replace=True)
    return Reply(_shown(entry), 201 if new else 200)


def admin_get(call: Call) -> Reply:
    """The latest schema of a job type, with a list of its versions."""
    found = call.engine.extensions.schemas.of_type(call.params["type"])
    rest = [_shown(entry, whole=False) for entry in found]
    return Reply({**_shown(found[0]), "versions": rest, "schemas": rest})


def admin_get_version(call: Call) -> Reply:
    """One version of a job type."""
    entry = call.engine.extensions.schemas.version(call.params["type"], _version(call.params["version"]))
    return Reply(_shown(entry))


_HTTP: Final = "OJS HTTP Binding 15"
_REGISTRY: Final = "OJS Schema Registry 10"
_VERSIONING: Final = "OJS Job Versioning 11"

ROUTES: Final = (
    Route("GET", "/schemas", listing, "SCHEMAS", 0, "List schemas.", _HTTP),
    Route("POST", "/schemas", register, "SCHEMAS", 0, "Register a schema.", _HTTP),
    Route("GET", "/schemas/{type}", get, "SCHEMAS", 0, "A schema by URI, or the latest of a type.", _HTTP),
    Route("DELETE", "/schemas/{type}", delete, "SCHEMAS", 0, "Delete a schema by URI.", _HTTP),
    Route("GET", "/schemas/{type}/versions", versions, "SCHEMAS", -1, "Versions of a type.", _REGISTRY),
    Route("GET", "/schemas/{type}/{version}", get_version, "SCHEMAS", -1, "One version.", _REGISTRY),
    Route(
        "DELETE", "/schemas/{type}/{version}", delete_version, "SCHEMAS", -1, "Delete a version.", _REGISTRY
    ),
    Route("GET", "/admin/schemas", listing, "SCHEMAS", -1, "List schemas.", _VERSIONING),
    Route("PUT", "/admin/schemas/{type}/{version}", put, "SCHEMAS", -1, "Put a version.", _VERSIONING),
    Route("GET", "/admin/schemas/{type}", admin_get, "SCHEMAS", -1, "Latest and all versions.", _VERSIONING),
    Route("GET", "/admin/schemas/{type}/versions", versions, "SCHEMAS", -1, "Versions.", _VERSIONING),
    Route(
        "GET", "/admin/schemas/{type}/{version}", admin_get_version, "SCHEMAS", -1, "A version.", _VERSIONING
    ),
    Route(
        "DELETE",
        "/admin/schemas/{type}/{version}",
        delete_version,
        "SCHEMAS",
        -1,
        "Delete a version.",
        _VERSIONING,
    ),
)
