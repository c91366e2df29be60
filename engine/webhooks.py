"""Webhook subscriptions: who wants to be told of which events (OJS Webhooks 5, 6).

What is to be sent, and what came of it, is `engine.deliveries`' business.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from engine.deliveries import INDEX, SUBSCRIPTION, Deliveries
from engine.envelope import refuse
from engine.errors import Conflict, InvalidRequest, NotFound
from engine.events import Event
from engine.kernel import Kernel
from engine.times import HOUR, format_time

MAX_SUBSCRIPTIONS: Final = 100
ROTATION: Final = 24 * HOUR
"""How long both secrets sign after a rotation (OJS Webhooks 8.3)."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FIELDS: Final = ("url", "events", "active", "filter", "metadata")


class Webhooks:
    """The subscriptions.

    Args:
        kernel: Store, time, events, ids, randomness (for secrets).
        deliveries: Where what is to be sent is written down.
    """

    def __init__(self, kernel: Kernel, deliveries: Deliveries) -> None:
        self.kernel = kernel
        self.deliveries = deliveries

    def create(self, body: dict[str, Any], tenant: str | None = None) -> dict[str, Any]:
        """Register an endpoint (OJS Webhooks 6.1).

        Args:
            body: ``{url, events, active?, filter?, metadata?, secret?}``.
            tenant: Only events about this tenant's jobs.

        Returns:
            The subscription, with its secret: the only time that it is shown.

        Raises:
            InvalidRequest: A field is missing or malformed.
            Conflict: There are `MAX_SUBSCRIPTIONS` already.
        """
        for name in ("url", "events"):
            if body.get(name) is None:
                raise InvalidRequest(
                    f"'{name}' is required (OJS Webhooks 5.1).",
                    details={"field": name, "rule": "required", "clause": "OJS Webhooks 5.1"},
                )
        fields = _fields(body)
        secret = body.get("secret")
        if secret is not None and (not isinstance(secret, str) or not 1 <= len(secret) <= 256):
            raise refuse("secret", "…", "must be a string of 1 to 256 characters", "OJS Webhooks 5.1")
        with self.kernel.store.transaction():
            keys = self.deliveries.ids("subscriptions")
            if len(keys) >= MAX_SUBSCRIPTIONS:
                raise Conflict(
                    f"There are {MAX_SUBSCRIPTIONS} subscriptions already, the most this server keeps."
                )
            now = self.kernel.now()
            key = "sub_" + self.kernel.ids.uuid7(now)
            record = {
                "active": True,
                "filter": None,
                "metadata": None,
                **fields,
                "secret": secret or self._secret(),
                "old_secret": None,
                "old_until": 0,
                "tenant": tenant,
                "created_at": now,
            }
            self.kernel.store.put_record(SUBSCRIPTION, key, record)
            keys.append(key)
            self.kernel.store.put_record(INDEX, "subscriptions", {"ids": keys})
            self.kernel.events.listening = True
            self.kernel.events.emit(
                now, "webhook.subscription.created", key, {"subscription_id": key, "url": record["url"]}
            )
        return {**shown(key, record), "secret": record["secret"]}

    def get(self, key: str) -> dict[str, Any]:
        """One subscription, without its secret.

        Raises:
            NotFound: No such subscription.
        """
        return shown(key, self._known(key))

    def all(self) -> list[dict[str, Any]]:
        """All subscriptions, oldest first, without their secrets."""
        return [shown(key, record) for key, record in self.kernel.store.records(SUBSCRIPTION)]

    def update(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change some fields (OJS Webhooks 6.4).

        Raises:
            NotFound: No such subscription.
            InvalidRequest: A field is malformed.
        """
        fields = _fields(body)
        with self.kernel.store.transaction():
            record = {**self._known(key), **fields}
            self.kernel.store.put_record(SUBSCRIPTION, key, record)
        return shown(key, record)

    def delete(self, key: str) -> None:
        """Remove a subscription and cancel its pending deliveries (OJS Webhooks 6.5).

        Raises:
            NotFound: No such subscription.
        """
        with self.kernel.store.transaction():
            self._known(key)
            self.kernel.store.delete_record(SUBSCRIPTION, key)
            keys = [one for one in self.deliveries.ids("subscriptions") if one != key]
            self.kernel.store.put_record(INDEX, "subscriptions", {"ids": keys})
            self.deliveries.cancel(key)
            now = self.kernel.now()
            self.kernel.events.emit(now, "webhook.subscription.deleted", key, {"subscription_id": key})

    def rotate(self, key: str) -> dict[str, Any]:
        """Give a new secret; both sign for `ROTATION` (OJS Webhooks 8.3).

        Raises:
            NotFound: No such subscription.
        """
        with self.kernel.store.transaction():
            known, now = self._known(key), self.kernel.now()
            fresh = {"secret": self._secret(), "old_secret": known["secret"], "old_until": now + ROTATION}
            record = {**known, **fresh}
            self.kernel.store.put_record(SUBSCRIPTION, key, record)
        return {
            **shown(key, record),
            "secret": record["secret"],
            "old_secret_valid_until": format_time(record["old_until"]),
        }

    def test(self, key: str) -> dict[str, Any]:
        """Write down a ``webhook.test`` delivery (OJS Webhooks 6.6).

        Raises:
            NotFound: No such subscription.
        """
        with self.kernel.store.transaction():
            self._known(key)
            now = self.kernel.now()
            event = Event(0, now, "webhook.test", key, {"subscription_id": key, "message": "ping"}).to_dict()
            event["id"] = "evt_test_" + self.kernel.ids.uuid7(now)
            return self.deliveries.write(key, event, now)

    def _secret(self) -> str:
        return f"whsec_{self.kernel.random.getrandbits(256):064x}"

    def _known(self, key: str) -> dict[str, Any]:
        record = self.kernel.store.record(SUBSCRIPTION, key)
        if record is None:
            raise NotFound(
                f"There is no webhook subscription '{key:.80}'.",
                details={"resource_type": "subscription", "resource_id": key[:80]},
            )
        return record


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """The client's fields that are present, checked."""
    clause = "OJS Webhooks 5.1"
    found = {name: body[name] for name in _FIELDS if body.get(name) is not None}
    if "url" in found:
        _check_url(found["url"])
    if "events" in found:
        events = found["events"]
        strings = isinstance(events, list) and all(isinstance(e, str) and 1 <= len(e) <= 128 for e in events)
        if not strings or not events or len(events) > 100:
            raise refuse(
                "events", events, "must be 1 to 100 event types; 'job.*' and '*' are allowed", clause
            )
        found["events"] = list(dict.fromkeys(events))
    if "active" in found and not isinstance(found["active"], bool):
        raise refuse("active", found["active"], "must be true or false", clause)
    for name in ("filter", "metadata"):
        if name in found and not isinstance(found[name], dict):
            raise refuse(name, found[name], "must be an object", clause)
    for name in ("queues", "job_types"):
        values = found.get("filter", {}).get(name)
        if values is not None and not (isinstance(values, list) and all(isinstance(v, str) for v in values)):
            raise refuse(f"filter.{name}", values, "must be an array of names", "OJS Webhooks 5.2")
    return found


def _check_url(value: Any) -> None:
    rule = "must be an https URL; plain http only to this machine"
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host = parts.hostname
    except ValueError:
        raise refuse("url", value, rule, "OJS Webhooks 8.4") from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)
    if not host or not secure or len(value) > 2048 or any(ch.isspace() for ch in value):
        raise refuse("url", value, rule, "OJS Webhooks 8.4")


def shown(key: str, record: dict[str, Any]) -> dict[str, Any]:
    """A subscription as JSON values; never its secret."""
    body = {
        "id": key,
        "url": record["url"],
        "events": record["events"],
        "active": record["active"],
        "created_at": format_time(record["created_at"]),
    }
    return body | {name: record[name] for name in ("filter", "metadata") if record[name] is not None}
