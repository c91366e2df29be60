"""Endpoints of webhook subscriptions and deliveries (OJS Webhooks 10)."""

from __future__ import annotations

from typing import Any, Final

from engine.http.paging import paged
from engine.http.route import Call, Feature, Reply, Route

FEATURES: Final = (Feature("webhooks", capability="webhooks"),)


def _one(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply({"subscription": body, **body}, status, headers or {})


def create(call: Call) -> Reply:
    """Subscribe; the only reply that shows the secret."""
    made = call.engine.extensions.webhooks.create(call.body, call.tenant)
    return _one(made, 201, {"Location": f"/ojs/v1/webhooks/subscriptions/{made['id']}"})


def listing(call: Call) -> Reply:
    """All subscriptions."""
    limit, offset = call.page()
    return Reply(paged("subscriptions", call.engine.extensions.webhooks.all(), limit, offset))


def get(call: Call) -> Reply:
    """One subscription."""
    return _one(call.engine.extensions.webhooks.get(call.params["id"]))


def update(call: Call) -> Reply:
    """Change a subscription."""
    return _one(call.engine.extensions.webhooks.update(call.params["id"], call.body))


def delete(call: Call) -> Reply:
    """Unsubscribe."""
    call.engine.extensions.webhooks.delete(call.params["id"])
    return Reply({"deleted": True, "id": call.params["id"]})


def rotate(call: Call) -> Reply:
    """Give a subscription a new secret."""
    return _one(call.engine.extensions.webhooks.rotate(call.params["id"]))


def test(call: Call) -> Reply:
    """Queue a test delivery; what came of it is read from the delivery once the host has sent it."""
    made = call.engine.extensions.webhooks.test(call.params["id"])
    body = {"queued": True, "success": None, "status_code": None, "response_time_ms": None}
    return Reply({**body, "delivery_id": made["id"], "delivery": made})


def deliveries(call: Call) -> Reply:
    """Recent deliveries, newest first."""
    limit, offset = call.page()
    found = call.engine.extensions.deliveries.recent(
        call.query.get("subscription_id") or None, call.query.get("status") or None
    )
    return Reply(paged("deliveries", found, limit, offset))


def delivery(call: Call) -> Reply:
    """One delivery with its attempts."""
    found = call.engine.extensions.deliveries.get(call.params["id"])
    return Reply({"delivery": found, **found})


def retry(call: Call) -> Reply:
    """Send a delivery again."""
    found = call.engine.extensions.deliveries.retry(call.params["id"])
    return Reply({"delivery": found, **found})


_CLAUSE: Final = "OJS Webhooks 10"
_SUBSCRIPTION: Final = "/webhooks/subscriptions/{id}"

ROUTES: Final = (
    Route("POST", "/webhooks/subscriptions", create, "WEBHOOKS", -1, "Subscribe.", _CLAUSE),
    Route("GET", "/webhooks/subscriptions", listing, "WEBHOOKS", -1, "List subscriptions.", _CLAUSE),
    Route("GET", _SUBSCRIPTION, get, "WEBHOOKS", -1, "A subscription.", _CLAUSE),
    Route("PATCH", _SUBSCRIPTION, update, "WEBHOOKS", -1, "Change a subscription.", _CLAUSE),
    Route("PUT", _SUBSCRIPTION, update, "WEBHOOKS", -1, "Change a subscription.", _CLAUSE),
    Route("DELETE", _SUBSCRIPTION, delete, "WEBHOOKS", -1, "Unsubscribe.", _CLAUSE),
    Route("POST", _SUBSCRIPTION + "/test", test, "WEBHOOKS", -1, "Send a test event.", _CLAUSE),
    Route("POST", _SUBSCRIPTION + "/rotate-secret", rotate, "WEBHOOKS", -1, "Rotate the secret.", _CLAUSE),
    Route("GET", "/webhooks/deliveries", deliveries, "WEBHOOKS", -1, "Recent deliveries.", _CLAUSE),
    Route("GET", "/webhooks/deliveries/{id}", delivery, "WEBHOOKS", -1, "A delivery.", _CLAUSE),
    Route(
        "POST", "/webhooks/deliveries/{id}/retry", retry, "WEBHOOKS", -1, "Send a delivery again.", _CLAUSE
    ),
)
