"""The schema registry over HTTP (OJS HTTP Binding 15, OJS Schema Registry, OJS Job Versioning 6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.ojs_client import Client

URI = "urn:ojs:schema:email.send:v1"
ARGS = {"type": "array", "prefixItems": [{"type": "string", "format": "email"}], "minItems": 1}
OBJECT = {
    "type": "object",
    "required": ["to"],
    "properties": {"to": {"type": "string"}, "n": {"type": "integer", "maximum": 9}},
}


@pytest.fixture
def client() -> Client:
    return Client()


def register(client: Client, **more: Any) -> Any:
    return client.post("/schemas", {"type": "email.send", "version": 1, "schema": ARGS, **more})


def test_a_schema_is_registered_found_by_its_encoded_uri_and_deleted(client: Client) -> None:
    register(client)
    assert client.status == 201
    assert client.headers["Location"] == "/ojs/v1/schemas/" + quote(URI, safe="")
    assert client.body["schema"]["uri"] == URI
    found = client.get("/schemas/" + quote(URI, safe=""))
    assert (client.status, found["schema"]["schema"]) == (200, ARGS)
    assert client.get("/schemas/" + URI)["schema"]["version"] == 1
    assert client.delete("/schemas/" + quote(URI, safe="")) == {
        "deleted": True,
        "uri": URI,
        "type": "email.send",
        "version": 1,
    }
    client.get("/schemas/" + quote(URI, safe=""))
    assert (client.status, client.code) == (404, "not_found")


def test_the_list_is_paged(client: Client) -> None:
    for version in (1, 2, 3):
        register(client, version=version)
    body = client.get("/schemas?limit=2")
    assert [one["version"] for one in body["schemas"]] == [3, 2]
    cursor = body["pagination"].pop("next_cursor")
    assert (body["pagination"]["total"], body["pagination"]["has_more"]) == (3, True)
    last = client.get(f"/schemas?limit=2&cursor={cursor}")
    assert ([one["version"] for one in last["schemas"]], last["pagination"]["has_more"]) == ([1], False)
    assert "next_cursor" not in last["pagination"]
    client.get("/schemas?cursor=5")
    assert (client.status, client.body["error"]["details"]["field"]) == (400, "cursor")
    assert "schema" not in body["schemas"][0]


def test_the_latest_version_is_the_highest_not_the_last_registered(client: Client) -> None:
    for version in ("1.10.0", "1.2.0", "1.9.0"):
        client.post("/schemas", {"job_type": "email.send", "version": version, "schema": ARGS})
        assert client.status == 201
    assert client.get("/schemas/email.send")["schema"]["version"] == "1.10.0"
    versions = client.get("/schemas/email.send/versions")["versions"]
    assert [(one["version"], one["is_latest"]) for one in versions] == [
        ("1.10.0", True),
        ("1.9.0", False),
        ("1.2.0", False),
    ]
    assert client.get("/schemas/email.send/1.9.0")["schema"]["version"] == "1.9.0"
    client.delete("/schemas/email.send/1.10.0")
    assert client.get("/schemas/email.send")["schema"]["version"] == "1.9.0"


def test_the_same_version_twice_is_a_conflict_and_changes_nothing(client: Client) -> None:
    register(client)
    register(client, schema={"type": "string"})
    assert (client.status, client.code) == (409, "conflict")
    assert client.get("/schemas/" + URI)["schema"]["schema"] == ARGS


def test_one_uri_cannot_stand_for_two_versions(client: Client) -> None:
    register(client)
    register(client, version=2, uri=URI)
    assert client.status == 409


def test_putting_a_version_replaces_it(client: Client) -> None:
    first = client.put("/admin/schemas/email.send/1", {"schema": ARGS})
    assert (client.status, first["type"], first["version"]) == (201, "email.send", 1)
    client.put("/admin/schemas/email.send/1", {"args_schema": {"type": "array"}})
    assert client.status == 200
    assert client.get("/admin/schemas/email.send")["schema"] == {"type": "array"}
    assert client.get("/admin/schemas/email.send/1")["version"] == 1
    assert len(client.get("/admin/schemas")["schemas"]) == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"schema": {}}, "schema"),
        ({"schema": {"type": "text"}}, "schema"),
        ({"schema": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "schema"),
        ({"type": "Email"}, "type"),
        ({"version": "two"}, "version"),
        ({"uri": "no uri"}, "uri"),
        ({"mode": "loud"}, "mode"),
    ],
)
def test_a_malformed_registration_is_refused_with_its_field(
    client: Client, more: dict[str, Any], field: str
) -> None:
    register(client, **more)
    assert (client.status, client.body["error"]["details"]["field"]) == (400, field)
    assert client.get("/schemas")["schemas"] == []


def test_a_minor_version_must_not_break_the_one_before(client: Client) -> None:
    client.post("/schemas", {"type": "a.b", "version": "1.0.0", "schema": OBJECT})
    broken = {**OBJECT, "required": ["to", "cc"]}
    client.post("/schemas", {"type": "a.b", "version": "1.1.0", "schema": broken})
    assert client.status == 422
    assert client.body["error"]["details"]["breaking_changes"] == ["Required field 'cc' was added"]
    client.post("/schemas", {"type": "a.b", "version": "2.0.0", "schema": broken})
    assert client.status == 201
    wider = {**OBJECT, "properties": {**OBJECT["properties"], "note": {"type": "string"}}}
    client.post("/schemas", {"type": "a.b", "version": "1.2.0", "schema": wider})
    assert client.status == 201


def test_a_job_that_names_a_schema_is_held_to_it(client: Client) -> None:
    register(client)
    body = client.post("/jobs", {"type": "email.send", "schema": URI, "args": ["nobody"]})
    assert (client.status, client.code) == (422, "schema_validation")
    details = body["error"]["details"]
    assert details["validation_errors"] == [
        {"path": "$.args[0]", "message": "item 0 does not match format 'email'", "keyword": "format"}
    ]
    assert client.get("/jobs")["jobs"] == []
    client.post("/jobs", {"type": "email.send", "schema": URI, "args": ["a@b.example"]})
    assert client.status == 201


def test_a_schema_that_is_not_registered_here_binds_nobody(client: Client) -> None:
    client.push(schema="urn:ojs:schema:email.send:v9")
    assert client.status == 201


def test_by_default_a_type_and_version_with_a_schema_only_warn(client: Client) -> None:
    register(client)
    body = client.post("/jobs", {"type": "email.send", "version": 1, "args": []})
    assert (client.status, len(body["warnings"])) == (201, 1)
    assert body["warnings"][0].startswith("Schema validation warning: ")
    assert "warnings" not in client.post("/jobs", {"type": "email.send", "version": 2, "args": []})


@pytest.mark.parametrize(
    ("mode", "status", "warns"), [("strict", 422, False), ("warn", 201, True), ("off", 201, False)]
)
def test_the_mode_says_how_a_schema_binds(client: Client, mode: str, status: int, warns: bool) -> None:
    register(client, validation={"mode": mode})
    body = client.post("/jobs", {"type": "email.send", "args": []})
    assert client.status == status
    assert ("warnings" in body) is warns


def test_a_schema_for_an_object_reads_the_single_argument(client: Client) -> None:
    client.post("/schemas", {"type": "a.b", "schema": OBJECT, "mode": "strict"})
    client.push("a.b", [{"to": "x", "n": 9}])
    client.post("/jobs", {"type": "a.b", "args": [{"to": "x", "n": 10}]})
    assert client.body["error"]["details"]["validation_errors"][0]["path"] == "$.args[0].n"


def test_encoded_arguments_are_not_checked(client: Client) -> None:
    """Nobody but the worker can read them (OJS Encryption)."""
    register(client, mode="strict")
    client.push(args=["Y2lwaGVy"], meta={"ojs_encoded": True})


def test_a_version_that_a_living_worker_declares_is_not_deleted(client: Client) -> None:
    client.post("/schemas", {"type": "a.b", "version": "1.0.0", "schema": OBJECT})
    handlers = [{"type": "a.b", "versions": ">=1.0 <2.0"}]
    client.post("/workers/heartbeat", {"worker_id": "w1", "handlers": handlers})
    client.delete("/schemas/a.b/1.0.0")
    assert client.status == 409
    client.wait(60_000)
    client.delete("/schemas/a.b/1.0.0")
    assert client.status == 200
