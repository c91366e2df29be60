"""Manifest, metrics, and headers that concern jobs (OJS HTTP Binding 21, Observability, Multi-Tenancy 5)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.http.normalise import normalise
from engine.http.route import Feature, Route, Table
from engine.http.routes import FEATURES, MODULES, ROUTES
from tests.unit.ojs_client import Client

DOCUMENTS = Path(__file__).parents[3] / "shared" / "ojs" / "spec"


@pytest.fixture
def client() -> Client:
    return Client()


def test_each_subject_adds_its_own_line_to_the_manifest(client: Client) -> None:
    body = client.get("/ojs/manifest")
    names = [feature.name for feature in FEATURES]
    assert set(names) <= set(body["extensions"])
    assert len(names) == len(set(names))
    detail = body["extension_details"]
    assert {"name": "webhooks", "uri": "urn:ojs:ext:webhooks", "version": "1.0.0-rc.1"} in detail["official"]
    assert "urn:ojs:ext:experimental:job-versioning" in [one["uri"] for one in detail["experimental"]]
    assert (body["specversion"], body["ojs_version"], body["conformance_tier"]) == ("1.0", "1.0", "runtime")
    assert body["capabilities"]["schema_validation"] is True
    assert all(isinstance(flag, bool) for flag in body["capabilities"].values())
    assert all(isinstance(path, str) for path in body["endpoints"].values())
    assert body["payload_limits"]["max_meta_bytes"] == 65_536


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the standard's text is not beside the project")
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_an_extension_is_declared_as_its_document_says(feature: Feature) -> None:
    """OJS Extension Lifecycle 5.3, 7.2; a document of its own without a tier says so by its URI or its maturity."""
    head = (DOCUMENTS / f"ojs-{feature.name}.md").read_text()[:3000]
    facts = dict(re.findall(r"^\| \**(\w+)\** +\| *(.*?) *\|$", head, re.MULTILINE))
    assert feature.version == facts["Version"]
    if "Tier" in facts:
        assert feature.tier == facts["Tier"].partition(" ")[0].lower()
    if facts.get("URI", "").startswith("`urn:ojs:ext:"):
        assert feature.uri == facts["URI"].strip("`")


def test_every_route_is_described_and_stands_once() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.summary.endswith((".", ")."))
        assert route.clause
    assert all(module.__doc__ for module in MODULES)


def test_the_table_finds_every_route_by_its_own_path() -> None:
    table = Table(ROUTES)
    for route in ROUTES:
        path = re.sub(r"{\w+}", "x1", route.path)
        found, _ = table.find(route.method, path, str)
        assert found.path == route.path or "{" in route.path


def test_patterns_of_one_length_and_head_are_told_apart() -> None:
    def route(path: str) -> Route:
        return Route("GET", path, lambda _call: None, "X", 0, "S.", "c")  # type: ignore[arg-type,return-value]

    table = Table([route("/a/{id}/b"), route("/a/{id}/{c}"), route("/{any}/z"), route("/r/{rest*}")])
    assert table.find("GET", "/a/1/b", str)[0].path == "/a/{id}/b"
    assert table.find("GET", "/a/1/c", str)[1] == {"id": "1", "c": "c"}
    assert table.find("GET", "/q/z", str)[1] == {"any": "q"}
    assert table.find("GET", "/r/1/2", str)[1] == {"rest": "1/2"}


# metrics


def test_metrics_are_exactly_plain_text_and_well_formed(client: Client) -> None:
    client.ack(client.start())
    text = client.get("/metrics")
    assert client.headers["Content-Type"] == "text/plain"
    for line in text.strip().split("\n"):
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+', line), line


def test_metrics_count_what_jobs_do(client: Client) -> None:
    client.wait(1)
    done = client.push()
    client.wait(40)
    client.fetch()
    client.wait(700)
    client.ack(done)
    client.fail(client.start())
    client.fail(client.start(options={"retry": {"max_attempts": 1}}))
    client.delete(f"/jobs/{client.push()}")
    client.push(options={"expires_at": "2026-01-05T12:00:05Z"})
    client.wait(10_000)
    text = client.get("/metrics")
    label = 'queue="default",type="email.send"'
    for name, count in (
        ("enqueued", 5),
        ("completed", 1),
        ("failed", 1),
        ("cancelled", 1),
        ("expired", 1),
        ("retried", 1),
    ):
        assert f"ojs_job_{name}_total{{{label}}} {count}\n" in text
    assert f'ojs_job_duration_seconds_bucket{{{label},state="completed",le="0.5"}} 0\n' in text
    assert f'ojs_job_duration_seconds_bucket{{{label},state="completed",le="1"}} 1\n' in text
    assert f'ojs_job_duration_seconds_sum{{{label},state="completed"}} 0.7\n' in text
    assert f'ojs_job_queue_time_seconds_bucket{{{label},le="0.05"}} 3\n' in text
    assert f"ojs_job_queue_time_seconds_count{{{label}}} 3\n" in text
    assert 'ojs_jobs{queue="default",state="completed"} 1\n' in text


def test_labels_of_metrics_are_bounded(client: Client) -> None:
    for number in range(1010):
        client.engine.push({"type": f"t.n{number}", "args": []})
    assert 'ojs_job_enqueued_total{queue="_other",type="_other"} 10\n' in client.get("/metrics")


# headers


PUSH = next(route for route in ROUTES if (route.method, route.path) == ("POST", "/jobs"))
CRON = Route("POST", "/cron", PUSH.handler, "CRON", 2, "S.", "c")
WORKFLOW = Route("POST", "/workflows", PUSH.handler, "WORKFLOW", 3, "S.", "c")


def test_the_tenant_header_reaches_every_job(client: Client) -> None:
    headers = {"x-ojs-tenant": "acme"}
    job: dict[str, Any] = {"type": "a.b", "args": []}
    tagged = {"type": "a.b", "args": [], "meta": {"tenant_id": "acme"}}
    assert client.post("/jobs", job, headers)["job"]["meta"] == {"tenant_id": "acme"}
    batch = client.post("/jobs/batch", {"jobs": [job, job]}, headers)["jobs"]
    assert [one["meta"] for one in batch] == [{"tenant_id": "acme"}] * 2
    nested = {"type": "chain", "steps": [dict(job), {"type": "group", "jobs": [dict(job)]}]}
    assert normalise(WORKFLOW, headers, nested) == {
        "type": "chain",
        "steps": [tagged, {"type": "group", "jobs": [tagged]}],
    }
    callbacks = {"type": "batch", "jobs": [dict(job)], "callbacks": {"on_complete": dict(job)}}
    assert normalise(WORKFLOW, headers, callbacks)["callbacks"] == {"on_complete": tagged}
    cron = {"name": "n", "cron": "@daily", "job_template": dict(job)}
    assert normalise(CRON, headers, cron)["job_template"] == tagged


def test_a_header_that_contradicts_the_body_is_refused(client: Client) -> None:
    body = {"type": "a.b", "args": [], "meta": {"tenant_id": "beta"}}
    client.post("/jobs", body, {"x-ojs-tenant": "acme"})
    assert (client.status, client.body["error"]["details"]["field"]) == (400, "meta.tenant_id")
    client.post("/jobs", body, {"x-ojs-tenant": "beta"})
    assert client.status == 201
    client.post("/jobs", body, {"x-ojs-tenant": "no spaces"})
    assert (client.status, client.body["error"]["details"]["field"]) == (400, "X-OJS-Tenant")


def test_other_requests_are_left_alone() -> None:
    route = Route("POST", "/workers/ack", PUSH.handler, "ACK", 0, "S.", "c")
    assert normalise(route, {"x-ojs-tenant": "acme", "x-request-id": "r"}, {"type": "x"}) == {"type": "x"}


def test_extension_metadata_goes_through_unchanged(client: Client) -> None:
    """Codec, trace, serverless and federation data belong to the clients (OJS Encryption 5, OJS Observability 5)."""
    meta = {
        "ojs_encoded": True,
        "ojs.codec.encodings": ["zstd", "binary/encrypted"],
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "serverless": {"memory_mb": 256},
        "ojs.federation.region": "eu-west-1",
    }
    job_id = client.push(args=["Y2lwaGVy"], meta=meta, ext_new={"a": 1})
    job = client.fetch()[0]
    assert (job["meta"], job["args"], job["ext_new"]) == (meta, ["Y2lwaGVy"], {"a": 1})
    client.fail(job_id)
    assert client.job(job_id)["meta"] == meta


def test_heavy_modules_are_not_loaded_at_start() -> None:
    """Start-up time in a browser: what only one extension needs is loaded with it."""
    heavy = "hmac hashlib zlib email.utils engine.jsonschema engine.schemas engine.patterns engine.ai"
    lazy = "engine.webhooks engine.deliveries engine.agents engine.middleware"
    code = (
        "import sys; before = set(sys.modules)\n"
        "import engine.http.binding as b, engine\n"
        "from engine.clock import ManualClock\n"
        "b.Binding(engine.Engine(ManualClock(0)))\n"
        f"print(sorted((set(sys.modules) - before) & set('{heavy} {lazy}'.split())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(done.stdout)) <= {"hashlib", "zlib"}  # noqa: S307 - the standard library's own imports
