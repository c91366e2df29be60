"""The schema registry: schemas of job arguments by type and version, and their check at enqueue.

OJS HTTP Binding 15, OJS Schema Registry, OJS Job Versioning 6. A job that names a schema by its URI is refused when
its arguments do not fit; one whose type and version have a schema is, by default, only warned about.
"""

from __future__ import annotations

from typing import Any, Final

from engine import versions
from engine.compatibility import breaking
from engine.envelope import check_type, refuse
from engine.errors import Conflict, InvalidRequest, NotFound, SchemaMismatch
from engine.job import Job
from engine.jsonschema import Violation, validate
from engine.kernel import Kernel
from engine.schemacheck import problem
from engine.times import format_time

MODES: Final = ("strict", "warn", "off")
DEFAULT_MODE: Final = "warn"
MAX_URI: Final = 500
_TYPE: Final = "schema"
_URI: Final = "schema_uri"
Entry = dict[str, Any]
"""One version: ``uri``, ``type``, ``version`` (as it came), ``schema``, ``mode``, ``created_at`` (ms)."""


class Schemas:
    """Registered schemas.

    Args:
        kernel: Store and time.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    # registration

    def register(self, body: dict[str, Any], *, replace: bool = False) -> tuple[Entry, bool]:
        """Store a schema for a type and version.

        Args:
            body: ``{type | job_type, version, schema | args_schema, uri?, mode?}``.
            replace: Whether a version that is there already is replaced; without, that is a conflict.

        Returns:
            The entry, and whether it is new.

        Raises:
            InvalidRequest: A field is missing or malformed, or the schema is no valid JSON Schema.
            SchemaMismatch: A minor version that breaks what the one before allowed.
            Conflict: The version, or the URI for another version, is registered already.
        """
        entry = self._read(body)
        with self.kernel.store.transaction():
            record = self.kernel.store.record(_TYPE, entry["type"]) or {"versions": []}
            same = [old for old in record["versions"] if _key(old) == _key(entry)]
            if same and not replace:
                raise Conflict(
                    f"{entry['type']}@{entry['version']} is registered already (OJS Schema Registry 4.1).",
                    details={"type": entry["type"], "version": entry["version"], "uri": same[0]["uri"]},
                )
            self._uri_free(entry, same)
            self._compatible(entry, [old for old in record["versions"] if old not in same])
            if same:
                self.kernel.store.delete_record(_URI, same[0]["uri"])
                entry["created_at"] = same[0]["created_at"]
            kept = [old for old in record["versions"] if old not in same]
            ordered = sorted([*kept, entry], key=_key, reverse=True)
            self.kernel.store.put_record(_TYPE, entry["type"], {"versions": ordered})
            where = {"type": entry["type"], "version": entry["version"]}
            self.kernel.store.put_record(_URI, entry["uri"], where)
        return entry, not same

    def _read(self, body: dict[str, Any]) -> Entry:
        field = "type" if body.get("type") is not None or body.get("job_type") is None else "job_type"
        kind = check_type(body.get(field), field)
        version = body.get("version", 1)
        if versions.key(version) is None:
            rule = "must be a whole number or a version such as '2.0' or '2.0.0'"
            raise refuse("version", version, rule, "OJS Schema Registry 6.1")
        name = "schema" if "schema" in body else "args_schema"
        if body.get(name) in (None, {}):
            raise InvalidRequest(
                "'schema' is required: a JSON Schema for the job's args (OJS HTTP Binding 15.2).",
                details={"field": "schema", "rule": "required", "clause": "OJS HTTP Binding 15.2"},
            )
        fault = problem(body[name])
        if fault is not None:
            raise InvalidRequest(
                f"'{name}' is not a valid JSON Schema (draft 2020-12): {fault} (OJS Schema Registry 5.1).",
                details={"field": name, "schema_error": fault, "clause": "OJS Schema Registry 5.1"},
            )
        uri = body.get("uri") or f"urn:ojs:schema:{kind}:v{version}"
        if (
            not isinstance(uri, str)
            or ":" not in uri
            or len(uri) > MAX_URI
            or any(ch.isspace() for ch in uri)
        ):
            raise refuse("uri", uri, "must be a URI such as 'urn:ojs:schema:email.send:v1'", "OJS Core 5.2")
        return {
            "uri": uri,
            "type": kind,
            "version": version,
            "schema": body[name],
            "mode": _mode(body),
            "created_at": self.kernel.now(),
        }

    def _uri_free(self, entry: Entry, same: list[Entry]) -> None:
        holder = self.kernel.store.record(_URI, entry["uri"])
        if holder is not None and not (same and same[0]["uri"] == entry["uri"]):
            raise Conflict(
                f"The URI '{entry['uri']}' belongs to {holder['type']}@{holder['version']} (OJS HTTP Binding 15.2).",
                details={"uri": entry["uri"], **holder},
            )

    @staticmethod
    def _compatible(entry: Entry, others: list[Entry]) -> None:
        """Within one major number, no version may break the one before it (OJS Schema Registry 8.4).

        Only versions that have a minor number make that promise; a bare ``2`` is a major version of its own.
        """
        mine = _key(entry)
        before = [old for old in others if _key(old) < mine and _key(old)[0] == mine[0]]
        if not before or "." not in str(entry["version"]):
            return
        last = max(before, key=_key)
        changes = breaking(last["schema"], entry["schema"])
        if changes:
            raise SchemaMismatch(
                f"Version {entry['version']} breaks {last['version']}: {changes[0]}. "
                f"Register it as {mine[0] + 1}.0.0 (OJS Schema Registry 8.4).",
                details={"field": "schema", "breaking_changes": changes},
            )

    # reading

    def by_uri(self, uri: str) -> Entry:
        """The schema of this URI.

        Raises:
            NotFound: None has it.
        """
        holder = self.kernel.store.record(_URI, uri)
        if holder is None:
            raise NotFound(
                f"There is no schema '{uri:.120}' (OJS HTTP Binding 15.3).",
                details={"resource_type": "schema", "resource_id": uri[:120]},
            )
        return self.version(holder["type"], holder["version"])

    def of_type(self, kind: str) -> list[Entry]:
        """All versions of a type, the latest first (OJS Schema Registry 4.3).

        Raises:
            NotFound: There is none.
        """
        record = self.kernel.store.record(_TYPE, kind)
        if record is None:
            raise NotFound(
                f"No schema is registered for '{kind:.120}' (OJS Schema Registry 4.2).",
                details={"resource_type": "schema", "resource_id": kind[:120]},
            )
        return list(record["versions"])

    def version(self, kind: str, version: Any) -> Entry:
        """One version of a type.

        Raises:
            NotFound: There is no such version.
        """
        wanted = versions.key(version)
        for entry in self.of_type(kind):
            if _key(entry) == wanted:
                return entry
        raise NotFound(
            f"There is no schema {kind:.120}@{version!s:.40} (OJS Schema Registry 4.4).",
            details={"resource_type": "schema", "resource_id": f"{kind[:120]}@{str(version)[:40]}"},
        )

    def all(self) -> list[Entry]:
        """Every schema: types in the order of their first registration, the latest version of each first."""
        return [entry for _, record in self.kernel.store.records(_TYPE) for entry in record["versions"]]

    def delete(self, entry: Entry) -> None:
        """Remove one version; jobs that are there already are not affected (OJS HTTP Binding 15.4).

        Raises:
            Conflict: A worker that is alive declares that it works with this version (OJS Schema Registry 4.4).
        """
        with self.kernel.store.transaction():
            for worker, record in self.kernel.store.records("worker"):
                ranges = [
                    one.get("versions") for one in record.get("handlers", []) if one["type"] == entry["type"]
                ]
                if any(text != "*" and versions.included(entry["version"], text) for text in ranges):
                    raise Conflict(
                        f"Worker '{worker}' works with {entry['type']}@{entry['version']} (OJS Schema Registry 4.4).",
                        details={"type": entry["type"], "version": entry["version"], "worker_id": worker},
                    )
            kept = [old for old in self.of_type(entry["type"]) if old["uri"] != entry["uri"]]
            self.kernel.store.delete_record(_URI, entry["uri"])
            if kept:
                self.kernel.store.put_record(_TYPE, entry["type"], {"versions": kept})
            else:
                self.kernel.store.delete_record(_TYPE, entry["type"])

    # the check at enqueue

    def check(self, job: Job) -> None:
        """Refuse a job whose arguments break its schema, where its schema is binding (OJS Core 7.1).

        Raises:
            SchemaMismatch: See `Violation` for what the details list.
        """
        entry, mode = self._applies(job)
        if entry is None or mode != "strict":
            return
        violations = violations_of(entry["schema"], job.args)
        if violations:
            raise SchemaMismatch(
                f"The args do not match the schema of {entry['type']}@{entry['version']}: "
                f"{violations[0].message} (OJS Schema Registry 7.3).",
                details={
                    "field": "args",
                    "schema": entry["uri"],
                    "validation_errors": [
                        one.to_dict(*_root(entry["schema"], job.args)) for one in violations
                    ],
                },
            )

    def warnings(self, job: Job) -> list[str]:
        """What a job that was accepted would have been refused for, were its schema binding."""
        entry, mode = self._applies(job)
        if entry is None or mode == "off":
            return []
        return [
            f"Schema validation warning: {one.message}" for one in violations_of(entry["schema"], job.args)
        ]

    def _applies(self, job: Job) -> tuple[Entry | None, str]:
        """The schema for a job, and how it binds: one named by its URI strictly, else as it was registered."""
        if (job.meta or {}).get(
            "ojs_encoded"
        ):  # OJS Encryption: nobody but the worker can read these arguments
            return None, "off"
        if job.schema is not None:
            holder = self.kernel.store.record(_URI, job.schema)
            if holder is None:
                return None, "off"
            entry = self.version(holder["type"], holder["version"])
            return entry, entry["mode"] or "strict"
        version, record = versions.of(job), self.kernel.store.record(_TYPE, job.type)
        if record is None:
            return None, "off"
        wanted = versions.key(version)
        fitting = [one for one in record["versions"] if wanted is None or _key(one) == wanted]
        return (fitting[0], fitting[0]["mode"] or DEFAULT_MODE) if fitting else (None, "off")


def violations_of(schema: Any, args: list[Any]) -> list[Violation]:
    """What of the arguments breaks a schema; one written for an object reads a single object argument."""
    return validate(schema, args[0] if _single(schema, args) else args)


def _single(schema: Any, args: list[Any]) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "object" and len(args) == 1


def _root(schema: Any, args: list[Any]) -> tuple[str | int, ...]:
    """Where in the job stands what the schema is about."""
    return ("args", 0) if _single(schema, args) else ("args",)


def shown(entry: Entry, *, whole: bool = True) -> dict[str, Any]:
    """An entry as JSON values, in the vocabularies of both documents."""
    body = {
        "uri": entry["uri"],
        "type": entry["type"],
        "job_type": entry["type"],
        "version": entry["version"],
        "mode": entry["mode"],
        "created_at": format_time(entry["created_at"]),
    }
    return {**body, "schema": entry["schema"]} if whole else body


def _key(entry: Entry) -> versions.Key:
    return versions.key(entry["version"]) or (0, 0, 0, 0, ())


def _mode(body: dict[str, Any]) -> str | None:
    nested = body.get("validation")
    mode = nested.get("mode") if isinstance(nested, dict) else body.get("mode", body.get("validation_mode"))
    if mode is not None and mode not in MODES:
        raise refuse("mode", mode, f"must be one of {', '.join(MODES)}", "OJS Schema Registry 7.2")
    return mode
