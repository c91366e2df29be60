"""Webhooks: subscriptions, what is to be delivered, and what comes of it (OJS Webhooks)."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
from typing import Any

import pytest

from tests.unit.ojs_client import Client

URL = "https://example.com/hook"
GIVEN = "s3cret"


@pytest.fixture
def client() -> Client:
    return Client()


def subscribe(client: Client, **more: Any) -> Any:
    return client.post("/webhooks/subscriptions", {"url": URL, "events": ["job.completed"], **more})


def pending(client: Client) -> list[Any]:
    return list(client.engine.extensions.deliveries.requests())


def test_the_secret_is_shown_once(client: Client) -> None:
    made = subscribe(client, secret=GIVEN, metadata={"owner": "me"})
    assert (client.status, made["secret"], made["subscription"]["active"]) == (201, GIVEN, True)
    key = made["id"]
    assert key.startswith("sub_")
    found = client.get(f"/webhooks/subscriptions/{key}")
    assert found["subscription"]["url"] == URL
    listed = client.get("/webhooks/subscriptions")["subscriptions"]
    changed = client.send("PATCH", f"/webhooks/subscriptions/{key}", {"events": ["job.*"], "active": False})
    assert (changed["subscription"]["events"], changed["active"]) == (["job.*"], False)
    for body in (found, listed, changed):
        assert GIVEN not in json.dumps(body)


def test_a_secret_is_made_when_none_is_given(client: Client) -> None:
    one, other = subscribe(client)["secret"], subscribe(client)["secret"]
    assert one.startswith("whsec_")
    assert one != other


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"url": None}, "url"),
        ({"url": "http://example.com"}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "https://"}, "url"),
        ({"events": []}, "events"),
        ({"events": "job.completed"}, "events"),
        ({"filter": {"queues": "a"}}, "filter.queues"),
        ({"metadata": "x"}, "metadata"),
        ({"active": "yes"}, "active"),
    ],
)
def test_a_malformed_subscription_is_refused_with_its_field(
    client: Client, more: dict[str, Any], field: str
) -> None:
    body = subscribe(client, **more)
    assert (client.status, body["error"]["details"]["field"]) == (400, field)
    assert client.get("/webhooks/subscriptions")["subscriptions"] == []


def test_plain_http_is_for_this_machine_only(client: Client) -> None:
    subscribe(client, url="http://localhost:9000/hook")
    assert client.status == 201


def test_an_unknown_subscription_is_not_found(client: Client) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        client.send(method, "/webhooks/subscriptions/sub_x", {"active": True} if method == "PATCH" else None)
        assert client.status == 404


@pytest.mark.parametrize(
    ("events", "wanted", "count"),
    [
        (["job.completed"], {}, 1),
        (["job.*"], {}, 3),
        (["*"], {}, 3),
        (["workflow.*"], {}, 0),
        (["job.*"], {"queues": ["default"], "job_types": ["email.send"]}, 3),
        (["job.*"], {"queues": ["other"]}, 0),
        (["job.*"], {"job_types": ["a.b"]}, 0),
    ],
)
def test_only_events_that_match_type_and_filter_are_delivered(
    client: Client, events: list[str], wanted: dict[str, Any], count: int
) -> None:
    subscribe(client, events=events, filter=wanted)
    client.ack(client.start())
    assert len(pending(client)) == count


def test_nothing_is_delivered_to_an_inactive_subscription(client: Client) -> None:
    subscribe(client, active=False)
    client.ack(client.start())
    assert pending(client) == []


def test_a_tenants_subscription_hears_of_its_own_jobs_only(client: Client) -> None:
    body = {"url": URL, "events": ["job.enqueued"]}
    client.post("/webhooks/subscriptions", body, {"x-ojs-tenant": "acme"})
    client.push(meta={"tenant_id": "beta"})
    client.push()
    assert pending(client) == []
    client.push(meta={"tenant_id": "acme"})
    assert len(pending(client)) == 1


def test_a_delivery_is_the_signed_event(client: Client) -> None:
    made = subscribe(client, secret=GIVEN)
    job_id = client.start()
    client.ack(job_id, result=1)
    out = pending(client)[0]
    assert (out.url, out.headers["X-OJS-Event-Type"]) == (URL, "job.completed")
    assert out.headers["X-OJS-Subscription-ID"] == made["id"]
    assert out.headers["Content-Type"] == "application/json"
    stamp = out.headers["X-OJS-Timestamp"]
    assert stamp == str(client.clock.now() // 1000)
    expected = hmac.new(GIVEN.encode(), stamp.encode() + b"." + out.body, hashlib.sha256).hexdigest()
    assert out.headers["X-OJS-Signature"] == "sha256=" + expected
    event = json.loads(out.body)
    assert (event["type"], event["subject"], event["data"]["result"]) == ("job.completed", job_id, 1)


def test_after_a_rotation_both_secrets_sign_for_a_day(client: Client) -> None:
    made = subscribe(client, secret=GIVEN)
    fresh = client.post(f"/webhooks/subscriptions/{made['id']}/rotate-secret")["secret"]
    assert fresh != GIVEN
    client.ack(client.start())
    assert pending(client)[0].headers["X-OJS-Signature"].count("sha256=") == 2
    client.wait(86_400_000)
    assert pending(client)[0].headers["X-OJS-Signature"].count("sha256=") == 1


def deliver(client: Client, status: int | None, **more: Any) -> Any:
    out = pending(client)[0]
    client.engine.extensions.deliveries.sent(out.delivery_id, status, **more)
    return client.get(f"/webhooks/deliveries/{out.delivery_id}")


def test_success_ends_a_delivery(client: Client) -> None:
    subscribe(client)
    client.ack(client.start())
    assert deliver(client, 204)["status"] == "delivered"
    assert pending(client) == []
    assert client.get("/events")["events"][-1]["type"] == "webhook.delivered"


@pytest.mark.parametrize("status", [None, 500, 429, 302])
def test_failures_of_the_other_side_are_tried_eight_times_with_growing_delays(
    client: Client, status: int | None
) -> None:
    subscribe(client)
    client.ack(client.start())
    delivery_id = pending(client)[0].delivery_id
    for delay in (30, 120, 600, 3600, 14_400, 43_200, 86_400):
        assert deliver(client, status)["status"] == "waiting"
        client.wait(delay * 1000 - 1)
        client.get("/health")
        assert pending(client) == []
        client.wait(1)
        client.get("/health")
        assert pending(client)[0].delivery_id == delivery_id
    assert deliver(client, status)["status"] == "dead"


def test_a_client_error_is_not_tried_again(client: Client) -> None:
    subscribe(client)
    client.ack(client.start())
    dead = deliver(client, 404)
    assert (dead["status"], dead["attempts"][0]["status_code"]) == ("dead", 404)
    assert client.post(f"/webhooks/deliveries/{dead['id']}/retry")["status"] == "pending"
    assert len(pending(client)) == 1
    client.post(f"/webhooks/deliveries/{dead['id']}/retry")
    assert client.status == 409


def test_a_rate_limit_that_names_its_end_is_waited_for(client: Client) -> None:
    subscribe(client)
    client.ack(client.start())
    assert deliver(client, 429, retry_after=300)["next_attempt_at"] == "2026-01-05T12:05:00.000Z"


def test_deleting_a_subscription_cancels_what_waits(client: Client) -> None:
    made = subscribe(client)
    client.ack(client.start())
    client.delete(f"/webhooks/subscriptions/{made['id']}")
    assert pending(client) == []
    assert client.get("/webhooks/deliveries?status=cancelled")["pagination"]["total"] == 1


def test_a_test_event_is_queued_and_signed(client: Client) -> None:
    made = subscribe(client, active=False)
    body = client.post(f"/webhooks/subscriptions/{made['id']}/test")
    assert (client.status, body["queued"]) == (200, True)
    assert pending(client)[0].headers["X-OJS-Event-Type"] == "webhook.test"


def test_old_deliveries_make_room(client: Client) -> None:
    subscribe(client, events=["job.enqueued"])
    for _ in range(1005):
        client.engine.push({"type": "a.b", "args": []})
    assert client.get("/webhooks/deliveries?limit=1")["pagination"]["total"] == 1000


def test_without_subscriptions_the_subject_is_never_loaded(client: Client) -> None:
    client.ack(client.start())
    assert not {"webhooks", "deliveries", "schemas", "agents"} & set(vars(client.engine.extensions))


def test_a_snapshot_goes_on_delivering(client: Client) -> None:
    subscribe(client)
    job_id = client.start()
    engine = pickle.loads(pickle.dumps(client.engine))  # noqa: S301 - its own bytes
    engine.ack(job_id)
    assert len(engine.extensions.deliveries.requests()) == 1
    assert pending(client) == []
