"""Which jobs a worker is given: versions, hardware, runtime, tenant."""

from __future__ import annotations

from typing import Any

import pytest

from engine import ml
from engine.job import Job
from tests.unit.ojs_client import Client


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_version_goes_only_to_workers_that_declare_it(client: Client) -> None:
    old = client.push("invoice.generate", version="1.0")
    new = client.push("invoice.generate@2.0")
    handlers = [{"type": "invoice.generate", "versions": ">=2.0"}]
    assert [job["id"] for job in client.fetch(handlers=handlers, count=5)] == [new]
    assert client.job(old)["state"] == "available"
    assert [job["id"] for job in client.fetch(worker="w2", count=5)] == [old]


def test_declarations_of_a_heartbeat_hold_for_later_fetches(client: Client) -> None:
    client.push("a.b", version=3)
    client.post("/workers/heartbeat", {"worker_id": "w1", "handlers": [{"type": "a.b", "versions": "2.0"}]})
    assert client.fetch() == []
    client.post("/workers/heartbeat", {"worker_id": "w1", "handlers": [{"type": "a.b", "versions": "3"}]})
    assert len(client.fetch()) == 1


def test_unversioned_jobs_and_undeclared_types_go_to_every_worker(client: Client) -> None:
    client.push("a.b")
    client.push("c.d", version="9.0")
    assert len(client.fetch(handlers=[{"type": "a.b", "versions": "2.0"}], count=5)) == 2


def test_the_version_field_goes_before_the_types(client: Client) -> None:
    job = client.job(client.push("a.b@2.0", version="3.0"))
    assert (job["type"], job["version"]) == ("a.b", "3.0")


def test_a_malformed_declaration_is_refused(client: Client) -> None:
    client.post("/workers/heartbeat", {"worker_id": "w1", "handlers": [{"type": "a.b", "versions": "^1"}]})
    assert (client.status, client.body["error"]["details"]["field"]) == (400, "handlers[0].versions")
    assert client.engine.workers.list() == []


def test_a_tenants_worker_gets_only_its_jobs(client: Client) -> None:
    client.push(meta={"tenant_id": "beta"})
    mine = client.push(meta={"tenant_id": "acme"})
    body = client.post("/workers/fetch", {"queues": ["default"], "count": 9}, {"x-ojs-tenant": "acme"})
    assert [job["id"] for job in body["jobs"]] == [mine]


def test_a_job_waits_for_a_runtime_with_its_tags(client: Client) -> None:
    client.push(meta={"ojs.ext_runtime": {"name": "wasi:ojs", "min": "0.2", "tags": ["gpu"]}})

    def fetch(**runtime: Any) -> int:
        return len(client.post("/jobs/fetch", {"queues": ["default"], "runtime": runtime})["jobs"])

    assert fetch(name="wasi:ojs", version="0.2.0", tags=["http"]) == 0
    assert fetch(name="wasi:ojs", version="0.1.0", tags=["gpu"]) == 0
    assert fetch(name="other", version="0.2.0", tags=["gpu"]) == 0
    assert fetch(name="wasi:ojs", version="0.2.0", tags=["gpu", "http"]) == 1


A100 = {
    "accelerator": "gpu",
    "gpu": {"type": "nvidia-a100", "count": 8, "memory_gb": 80, "compute_capability": "8.0"},
    "cpu_cores": 96,
    "memory_gb": 1024,
    "labels": {"zone": "a"},
    "models_loaded": [{"model_id": "m", "model_version": "1"}],
}


@pytest.mark.parametrize(
    ("needs", "fits"),
    [
        ({}, True),
        ({"accelerator": "gpu"}, True),
        ({"accelerator": "tpu"}, False),
        ({"accelerator": "cpu"}, True),
        ({"gpu_count": 8}, True),
        ({"gpu_count": 9}, False),
        ({"gpu_type": "nvidia-h100"}, False),
        ({"gpu_memory_gb": 80}, True),
        ({"gpu_memory_gb": 81}, False),
        ({"gpu_compute_capability": "7.5"}, True),
        ({"gpu_compute_capability": "9.0"}, False),
        ({"tpu_type": "v5e"}, False),
        ({"cpu_cores": 97}, False),
        ({"memory_gb": 2048}, False),
        ({"shm_size_gb": 1}, False),
        ({"node_selector": {"zone": "a"}}, True),
        ({"node_selector": {"zone": "b"}}, False),
        ({"model_id": "other"}, True),
        ({"model_id": "m", "model_version": "1"}, True),
        ({"model_id": "m", "model_version": "2"}, False),
    ],
)
def test_hard_constraints_are_met_or_the_job_stays(needs: dict[str, Any], fits: bool) -> None:
    job = Job("id", "a.b", [], extra={"ext_ml_" + name: value for name, value in needs.items()})
    assert ml.fits(job, A100) is fits


def test_a_gpu_job_passes_over_a_worker_without(client: Client) -> None:
    client.push(ext_ml_gpu_type="nvidia-a100")
    assert client.fetch(capabilities={"accelerator": "cpu", "cpu_cores": 4}) == []
    assert len(client.fetch(capabilities=A100)) == 1


def test_a_worker_that_declares_nothing_gets_everything(client: Client) -> None:
    client.push(ext_ml_gpu_type="nvidia-a100")
    assert len(client.fetch()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"ext_ml_gpu_count": 0, "ext_ml_gpu_type": "nvidia-a100"},
        {"ext_ml_accelerator": "abacus"},
        {"ext_ml_gpu_count": -1},
        {"ext_ml_memory_gb": "much"},
        {"ext_ml_gpu_interconnect": "string"},
    ],
)
def test_contradictory_resources_are_refused(client: Client, fields: dict[str, Any]) -> None:
    client.post("/jobs", {"type": "ml.train", "args": [], **fields})
    assert client.status == 422
    assert client.body["error"]["details"]["field"] in fields


def test_the_ml_timeout_is_the_jobs_timeout(client: Client) -> None:
    assert client.job(client.push(ext_ml_timeout_seconds=300, timeout=10))["timeout_ms"] == 300_000


def test_jobs_with_equal_needs_are_alike() -> None:
    def needs(**fields: Any) -> str:
        return Job("id", "a.b", [], **fields).needs

    assert needs() == needs(meta={"x": 1}, extra={"y": 1}) == ""
    assert needs(extra={"version": 1}) != needs(extra={"version": 2})
    assert needs(extra={"ext_ml_gpu_count": 1}) != ""
