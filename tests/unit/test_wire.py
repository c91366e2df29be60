"""What every request and refusal shares on the wire: breaches by place, repeated keys, extensions asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.http.requires import CORE
from tests.unit.ojs_client import Client


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"type": "No Type", "args": []}, "$.type"),
        ({"args": []}, "$.type"),
        ({"type": "a.b"}, "$.args"),
        ({"type": "a.b", "args": [], "options": {"priority": 101}}, "$.options.priority"),
        ({"type": "a.b", "args": [], "meta": {"tenant_id": "-"}}, "$.meta.tenant_id"),
    ],
)
def test_a_breach_of_the_body_is_told_by_path_and_message(
    client: Client, body: dict[str, Any], path: str
) -> None:
    """OJS JSON Format 12.4."""
    (breach,) = client.post("/jobs", body)["error"]["details"]["validation_errors"]
    assert breach["path"] == path
    assert breach["message"]


def test_a_breach_beside_the_body_has_no_path_in_it(client: Client) -> None:
    """A query parameter, a header, a part of the path: none is a place in the document."""
    for method, path, headers, place in (
        ("GET", "/jobs?limit=x", {}, "query"),
        ("GET", "/jobs?state=asleep", {}, "query"),
        ("GET", "/queues/Up%20there/config", {}, "path"),
        ("POST", "/jobs", {"x-ojs-tenant": "-"}, "header"),
        ("POST", "/jobs", {"content-type": "text/plain"}, "header"),
    ):
        body = {"type": "a.b", "args": []} if method == "POST" else None
        details = client.send(method, path, body, headers)["error"]["details"]
        assert client.status == 400
        assert (details["in"], "validation_errors" in details) == (place, False)


def test_of_a_key_that_stands_twice_the_last_counts_and_the_answer_warns(client: Client) -> None:
    """OJS JSON Format 13.6."""
    raw = b'{"type": "a.b", "args": [{"n": 1, "n": 2}], "queue": "one", "queue": "two", "queue": "three"}'
    body = client.post("/jobs", raw)
    assert client.status == 201
    assert (body["job"]["queue"], body["job"]["args"]) == ("three", [{"n": 2}])
    assert [text.split("'")[1] for text in body["warnings"]] == ["n", "queue"]
    assert "warnings" not in client.post("/jobs", b'{"type": "a.b", "args": [{"n": 1}, {"n": 1}]}')


def test_repeated_keys_are_told_beside_other_warnings_and_never_without_end(client: Client) -> None:
    client.post("/schemas", {"type": "a.b", "version": "1.0.0", "schema": {"type": "array", "minItems": 1}})
    body = client.post("/jobs", b'{"type": "a.b", "args": [], "x": 1, "x": 2}')
    assert [text[:7] for text in body["warnings"]] == ["Schema ", "The key"]
    pairs = ",".join(f'"k{n}": 1, "k{n}": 2' for n in range(100))
    body = client.post("/jobs", f'{{"type": "c.d", "args": [], {pairs}}}'.encode())
    assert len(body["warnings"]) == 10
    many = ",".join('{"k": 1, "k": 2}' for _ in range(1000))
    body = client.post("/jobs", f'{{"type": "c.d", "args": [{many}]}}'.encode())
    assert len(body["warnings"]) == 1


def test_a_request_that_needs_what_is_not_here_is_refused_and_does_nothing(client: Client) -> None:
    """OJS Extension Lifecycle 8.3."""
    job = {"type": "a.b", "args": []}
    uri = "urn:ojs:ext:x:acme:gpu"
    error = client.post("/jobs", job, {"ojs-requires-extension": f"urn:ojs:ext:results, {uri}"})["error"]
    assert client.status == 422
    assert (error["code"], error["extension"]) == ("EXTENSION_NOT_SUPPORTED", uri)
    assert client.get("/jobs")["jobs"] == []


def test_a_request_may_need_whatever_the_manifest_has_and_the_core(client: Client) -> None:
    manifest = json.loads(json.dumps(client.get("/ojs/manifest")))
    entries = [one for tier in manifest["extension_details"].values() for one in tier]
    assert len(entries) > 20
    wanted = [one["uri"] for one in entries] + [f"urn:ojs:spec:{name}" for name in CORE]
    for uri in wanted:
        client.post("/jobs", {"type": "a.b", "args": []}, {"ojs-requires-extension": uri})
        assert client.status == 201, uri


def test_the_manifest_says_how_uniqueness_is_kept(client: Client) -> None:
    """OJS Unique Jobs 8.3."""
    manifest = client.get("/ojs/manifest")
    assert manifest["unique_jobs"]["strength"] == manifest["unique_job_strength"] == "strong"
    assert manifest["unique_jobs"]["mechanism"]
    assert manifest["capabilities"]["unique_jobs"] is True
