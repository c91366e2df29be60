"""Webhook deliveries: what waits to be sent, and what came of it (OJS Webhooks 5.3, 7, 8).

The engine does no I/O. It writes down each delivery; a host takes what is due by `Deliveries.requests`, sends it, and
reports by `Deliveries.sent` what came of it; the engine then decides on another attempt.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import Conflict, NotFound
from engine.events import Event
from engine.kernel import Kernel
from engine.times import HOUR, MINUTE, SECOND, format_time

DELAYS: Final = (0, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR)
"""Delay before each attempt, milliseconds (OJS Webhooks 7.2)."""
TIMEOUT: Final = 30 * SECOND
"""Longest wait of the host for an answer (OJS Webhooks 7.3)."""
KEPT: Final = 1000
"""Deliveries kept; the oldest goes first."""
SUBSCRIPTION: Final = "webhook"
INDEX: Final = "webhook_index"
"""Record kinds; the index has two records, ``subscriptions`` and ``deliveries``: ``{ids}``, oldest first."""
TIMER: Final = "delivery"
_DELIVERY: Final = "delivery"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP POST that a host is to send.

    Args:
        delivery_id: To report by.
        url: Where.
        headers: All headers, signature included.
        body: JSON in UTF-8.
    """

    delivery_id: str
    url: str
    headers: dict[str, str]
    body: bytes


class Deliveries:
    """What is to be sent.

    Args:
        kernel: Store, time, events, ids.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def ids(self, of: str) -> list[str]:
        """Ids of all ``subscriptions`` or ``deliveries``, oldest first; to be changed and given back."""
        record = self.kernel.store.record(INDEX, of)
        return record["ids"] if record is not None else []

    def hear(self, event: Event) -> None:
        """Write down a delivery for each subscription that wants this event; one look-up when there is none."""
        if event.type.startswith("webhook."):
            return
        for key in self.ids("subscriptions"):
            record = self.kernel.store.record(SUBSCRIPTION, key)
            if record is not None and self._wants(record, event):
                self.write(key, event.to_dict(), event.time)

    def _wants(self, record: dict[str, Any], event: Event) -> bool:
        if not record["active"] or not any(_matches(pattern, event.type) for pattern in record["events"]):
            return False
        wanted = record["filter"] or {}
        if wanted.get("queues") and event.queue not in wanted["queues"]:
            return False
        if wanted.get("job_types") and event.job_type not in wanted["job_types"]:
            return False
        if record["tenant"] is None:
            return True
        job = self.kernel.store.get(event.job_id) if event.job_id else None
        return job is not None and (job.meta or {}).get("tenant_id") == record["tenant"]

    def write(self, key: str, event: dict[str, Any], now: int) -> dict[str, Any]:
        """Write down a delivery of an event (its envelope) to a subscription; it is pending at once."""
        delivery_id = "del_" + self.kernel.ids.uuid7(now)
        delivery = {
            "subscription_id": key,
            "event": event,
            "status": "pending",
            "attempts": [],
            "next_at": now,
            "created_at": now,
        }
        kept = self.ids("deliveries")
        while len(kept) >= KEPT:
            oldest = kept.pop(0)
            self.kernel.store.delete_record(_DELIVERY, oldest)
            self.kernel.store.set_timer(TIMER, oldest, None)
        kept.append(delivery_id)
        self.kernel.store.put_record(INDEX, "deliveries", {"ids": kept})
        self._put(delivery_id, delivery)
        return delivered(delivery_id, delivery)

    def _put(self, delivery_id: str, delivery: dict[str, Any]) -> None:
        self.kernel.store.put_record(_DELIVERY, delivery_id, delivery)
        waits = delivery["next_at"] if delivery["status"] == "waiting" else None
        self.kernel.store.set_timer(TIMER, delivery_id, waits)

    def due(self, delivery_id: str, _instant: int) -> None:
        """A delivery has waited out its delay: it is pending again."""
        with self.kernel.store.transaction():
            delivery = self.kernel.store.record(_DELIVERY, delivery_id)
            if delivery is not None and delivery["status"] == "waiting":
                self._put(delivery_id, {**delivery, "status": "pending"})

    def requests(self, limit: int = 20) -> list[Outgoing]:
        """What a host is to send now, oldest first, signed for this instant; nothing changes by asking."""
        now = self.kernel.now()
        found: list[Outgoing] = []
        for delivery_id in self.ids("deliveries"):
            delivery = self.kernel.store.record(_DELIVERY, delivery_id)
            if delivery is None or delivery["status"] != "pending":
                continue
            record = self.kernel.store.record(SUBSCRIPTION, delivery["subscription_id"])
            if record is not None:
                found.append(_outgoing(delivery_id, delivery, record, now))
            if len(found) >= limit:
                break
        return found

    def sent(
        self, delivery_id: str, status: int | None, retry_after: int | None = None, error: str | None = None
    ) -> None:
        """Report what came of an attempt (OJS Webhooks 7.1).

        Args:
            delivery_id: The delivery.
            status: HTTP status of the answer, or None when there was none within `TIMEOUT`.
            retry_after: Of a 429, seconds.
            error: What went wrong without an answer.

        Raises:
            NotFound: No such delivery.
        """
        with self.kernel.store.transaction():
            delivery, now = self._known(delivery_id), self.kernel.now()
            if not _open(delivery):
                return
            tries = [*delivery["attempts"], {"at": now, "status_code": status, "error": error}]
            delivery = {**delivery, "attempts": tries}
            facts = {
                "delivery_id": delivery_id,
                "subscription_id": delivery["subscription_id"],
                "event_type": delivery["event"]["type"],
                "status_code": status,
                "attempt": len(tries),
            }
            if status is not None and 200 <= status < 300:
                self._put(delivery_id, {**delivery, "status": "delivered", "next_at": None})
                kind = "webhook.delivered"
            elif len(tries) >= len(DELAYS) or (status is not None and 400 <= status < 500 and status != 429):
                self._put(delivery_id, {**delivery, "status": "dead", "next_at": None})
                kind = "webhook.dead"
            else:
                wait = max(DELAYS[len(tries)], (retry_after or 0) * SECOND)
                self._put(delivery_id, {**delivery, "status": "waiting", "next_at": now + wait})
                kind = "webhook.failed"
            self.kernel.events.emit(now, kind, delivery_id, facts)

    def retry(self, delivery_id: str) -> dict[str, Any]:
        """Send a delivery again, from its first attempt (OJS Webhooks 10).

        Raises:
            NotFound: No such delivery, or its subscription is gone.
            Conflict: It is still under way.
        """
        with self.kernel.store.transaction():
            delivery = self._known(delivery_id)
            self._subscribed(delivery)
            if delivery["status"] == "pending":
                raise Conflict(f"Delivery '{delivery_id}' waits to be sent already.")
            fresh = {**delivery, "status": "pending", "attempts": [], "next_at": self.kernel.now()}
            self._put(delivery_id, fresh)
        return delivered(delivery_id, fresh)

    def get(self, delivery_id: str) -> dict[str, Any]:
        """One delivery with its attempts.

        Raises:
            NotFound: No such delivery.
        """
        return delivered(delivery_id, self._known(delivery_id))

    def recent(self, subscription: str | None = None, status: str | None = None) -> list[dict[str, Any]]:
        """Recent deliveries, newest first."""
        found = [
            delivered(key, record)
            for key in reversed(self.ids("deliveries"))
            if (record := self.kernel.store.record(_DELIVERY, key)) is not None
        ]
        return [
            one
            for one in found
            if subscription in {None, one["subscription_id"]} and status in {None, one["status"]}
        ]

    def _known(self, delivery_id: str) -> dict[str, Any]:
        delivery = self.kernel.store.record(_DELIVERY, delivery_id)
        if delivery is None:
            raise NotFound(
                f"There is no webhook delivery '{delivery_id:.80}'.",
                details={"resource_type": "delivery", "resource_id": delivery_id[:80]},
            )
        return delivery

    def cancel(self, subscription: str) -> None:
        """Cancel what still waits for a subscription that goes (OJS Webhooks 6.5)."""
        for delivery_id in self.ids("deliveries"):
            delivery = self.kernel.store.record(_DELIVERY, delivery_id)
            if delivery is not None and delivery["subscription_id"] == subscription and _open(delivery):
                self._put(delivery_id, {**delivery, "status": "cancelled", "next_at": None})

    def _subscribed(self, delivery: dict[str, Any]) -> None:
        if self.kernel.store.record(SUBSCRIPTION, delivery["subscription_id"]) is None:
            raise NotFound(
                f"The subscription '{delivery['subscription_id']}' is gone.",
                details={"resource_type": "subscription", "resource_id": delivery["subscription_id"]},
            )


def _open(delivery: dict[str, Any]) -> bool:
    return delivery["status"] in {"pending", "waiting"}


def _matches(pattern: str, kind: str) -> bool:
    return pattern in {"*", kind} or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def _outgoing(delivery_id: str, delivery: dict[str, Any], record: dict[str, Any], now: int) -> Outgoing:
    body = json.dumps(delivery["event"], separators=(",", ":")).encode()
    stamp = str(now // 1000)
    secrets = [record["secret"]]
    if record["old_secret"] and now < record["old_until"]:
        secrets.append(record["old_secret"])
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "OJS-Webhook/1.0",
        "X-OJS-Event-Type": delivery["event"]["type"],
        "X-OJS-Delivery-ID": delivery_id,
        "X-OJS-Subscription-ID": delivery["subscription_id"],
        "X-OJS-Timestamp": stamp,
        "X-OJS-Signature": ",".join(sign(secret, stamp, body) for secret in secrets),
    }
    return Outgoing(delivery_id, record["url"], headers, body)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a delivery: ``sha256=`` and HMAC-SHA256 of time, dot and body (OJS Webhooks 8.1)."""
    import hmac  # noqa: PLC0415 - only a host that sends needs it

    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()


def delivered(delivery_id: str, delivery: dict[str, Any]) -> dict[str, Any]:
    """A delivery as JSON values."""
    next_at = delivery["next_at"]
    return {
        "id": delivery_id,
        "subscription_id": delivery["subscription_id"],
        "event_type": delivery["event"]["type"],
        "status": delivery["status"],
        "attempts": [{**one, "at": format_time(one["at"])} for one in delivery["attempts"]],
        "next_attempt_at": None if next_at is None else format_time(next_at),
        "created_at": format_time(delivery["created_at"]),
        "event": delivery["event"],
    }
