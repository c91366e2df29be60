"""Every refusal has its documented code, status and canonical name (OJS HTTP Binding 16, OJS Errors 4, 5)."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine import errors
from engine.errors import OJSError
from tests.unit.ojs_client import Client

DOCUMENTS = Path(__file__).parents[3] / "shared" / "ojs"
CATALOG = DOCUMENTS / "ojs-error-catalog.md"


def classes() -> list[type[OJSError]]:
    return [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, OJSError)]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_is_complete(kind: type[OJSError]) -> None:
    body = kind("Something.", details=FACTS).to_dict("req_1")
    assert kind.__doc__
    assert 400 <= kind.status <= 599
    assert re.fullmatch(r"[a-z0-9_]+|[A-Z0-9_]+", body["code"])
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", body["canonical_code"])
    assert not body["canonical_code"].startswith("OJS_")  # reserved (OJS Errors 8.2)
    assert body["message"]
    assert body["hint"]
    assert body["request_id"] == "req_1"
    assert body["docs_url"] == body["doc_url"]


FACTS = dict.fromkeys(
    "max_batch_size queue depth bound strategy tenant_id limit current maximum extension".split(), 0
)
"""What some errors show beside their message."""


def catalogue() -> dict[str, int]:
    rows = re.findall(r"\| `OJS-\d{4}` +\| \w+ +\| (\d{3}) +\| `([A-Z_]+)`", CATALOG.read_text())
    return {name: int(status) for status, name in rows}


DEVIATIONS = {
    "INVALID_RETRY_POLICY": 422,  # the suite asserts it
    "UNSUPPORTED_COMPRESSION": 415,  # OJS Payload Limits 9.3, the more special text
    "BACKEND_ERROR": 500,
}


@pytest.mark.skipif(not CATALOG.exists(), reason="the standard's documents are not here")
def test_statuses_are_the_catalogues() -> None:
    listed = catalogue()
    assert len(listed) > 20
    for kind in classes():
        name = kind.canonical
        if name in listed and kind not in {errors.InvalidPolicy, errors.TypeNotAllowed}:
            assert kind.status == DEVIATIONS.get(name, listed[name]), kind.__name__


@pytest.mark.parametrize(
    ("body", "status", "code", "canonical"),
    [
        (b"{", 400, "invalid_payload", "INVALID_PAYLOAD"),
        ({"args": []}, 400, "invalid_request", "INVALID_JOB_TYPE"),
        ({"type": "A", "args": []}, 400, "invalid_request", "INVALID_JOB_TYPE"),
        ({"type": "a.b", "args": {}}, 400, "invalid_request", "INVALID_ARGS"),
        ({"type": "a.b", "args": [], "options": {"queue": "A"}}, 400, "invalid_request", "INVALID_QUEUE"),
        ({"type": "a.b", "args": [], "meta": []}, 400, "invalid_request", "INVALID_METADATA"),
        (
            {"type": "a.b", "args": [], "retry": {"max_attempts": -1}},
            422,
            "invalid_request",
            "INVALID_RETRY_POLICY",
        ),
        ({"type": "a" * 256, "args": []}, 400, "invalid_request", "INVALID_JOB_TYPE"),
        ({"type": "a.b", "args": [], "queue": "q" * 256}, 400, "invalid_request", "INVALID_QUEUE"),
        ({"type": "a.b", "args": [], "specversion": "2.0"}, 422, "unsupported", "UNSUPPORTED_FEATURE"),
        (
            {"type": "a.b", "args": [], "meta": {"x": "y" * 65_530}},
            413,
            "metadata_too_large",
            "METADATA_TOO_LARGE",
        ),
        ({"type": "a.b", "args": ["x" * 1_048_577]}, 413, "payload_too_large", "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_refused_job_says_why_in_both_vocabularies(
    body: Any, status: int, code: str, canonical: str
) -> None:
    client = Client()
    client.post("/jobs", body)
    assert (client.status, client.code, client.body["error"]["canonical_code"]) == (status, code, canonical)
    assert client.get("/jobs")["jobs"] == []


def test_conflicts_name_the_state_that_is_in_the_way() -> None:
    client = Client()
    job_id = client.start()
    client.ack(job_id)
    client.ack(job_id)
    assert (client.status, client.body["error"]["canonical_code"]) == (409, "JOB_ALREADY_COMPLETED")
    other = client.push()
    client.delete(f"/jobs/{other}")
    client.delete(f"/jobs/{other}")
    assert client.body["error"]["canonical_code"] == "JOB_ALREADY_CANCELLED"
    client.ack(client.push())
    assert client.body["error"]["canonical_code"] == "INVALID_STATE_TRANSITION"


def test_meta_may_have_64_kilobytes() -> None:
    client = Client()
    client.push(meta={"x": "y" * (65_536 - len('{"x":""}'))})
    assert client.status == 201


# compressed bodies


JOB = json.dumps({"type": "a.b", "args": ["x" * 1000]}).encode()


def test_gzip_is_read_and_limited_by_what_it_unfolds_to() -> None:
    client = Client(max_body=2000)
    client.post("/jobs", gzip.compress(JOB), {"content-encoding": "gzip"})
    assert client.status == 201
    client.post("/jobs", gzip.compress(b"x" * 1_000_000), {"content-encoding": "gzip"})
    assert (client.status, client.code) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "body", [JOB, gzip.compress(JOB, mtime=0)[:-12], b"\x1f\x8b"], ids=["none", "cut", "head"]
)
def test_a_broken_gzip_is_refused(body: bytes) -> None:
    client = Client()
    client.post("/jobs", body, {"content-encoding": "gzip"})
    assert (client.status, client.code) == (415, "unsupported_compression")


def test_another_encoding_is_refused() -> None:
    client = Client()
    client.post("/jobs", JOB, {"content-encoding": "zstd"})
    assert (client.status, client.body["error"]["details"]["supported"]) == (415, ["gzip"])
    client.post("/jobs", JOB, {"content-encoding": "identity"})
    assert client.status == 201
