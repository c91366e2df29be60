"""Requests to start from in the workbench, by topic: each shows one thing that the standard can say."""

from __future__ import annotations

from typing import Final, NamedTuple


class Topic(NamedTuple):
    """One request to start from.

    Args:
        name: Its name in the address.
        group: Under which heading it stands.
        label: On its button.
        hint: What one will see.
        target: What it is: a name of `playground.compose.TARGETS`.
        text: The request, as JSON that fits a narrow editor.
    """

    name: str
    group: str
    label: str
    hint: str
    target: str
    text: str


def _topic(name: str, group: str, label: str, hint: str, text: str, target: str = "job") -> Topic:
    return Topic(name, group, label, hint, target, text.strip())


TOPICS: Final = (
    _topic(
        "now",
        "When",
        "Immediate",
        "available at once; a worker takes it",
        """
{
  "type": "email.send",
  "args": ["user@example.com", "welcome"]
}
""",
    ),
    _topic(
        "delayed",
        "When",
        "Delayed",
        "scheduled first, available five seconds later",
        """
{
  "type": "report.build",
  "args": ["weekly"],
  "options": {
    "delay_until": "+PT5S"
  }
}
""",
    ),
    _topic(
        "expiry",
        "When",
        "Expiry",
        "cancelled as expired unless a worker takes it within ten seconds: stop the workers first",
        """
{
  "type": "price.quote",
  "args": ["EUR", "USD"],
  "options": {
    "expires_at": "+PT10S"
  }
}
""",
    ),
    _topic(
        "staged",
        "When",
        "Staged",
        "pending until you activate it on its page",
        """
{
  "type": "order.ship",
  "args": [1007],
  "options": {
    "pending": true
  }
}
""",
    ),
    _topic(
        "retry",
        "Failure",
        "Retry",
        "fails twice, waits 2 s and 4 s, then succeeds",
        """
{
  "type": "flaky.charge",
  "args": [42],
  "options": {
    "retry": {
      "max_attempts": 5,
      "initial_interval": "PT2S",
      "backoff_coefficient": 2.0,
      "max_interval": "PT1M",
      "jitter": false
    }
  }
}
""",
    ),
    _topic(
        "dead-letter",
        "Failure",
        "Dead letter",
        "fails for good and is kept among the dead letters",
        """
{
  "type": "broken.import",
  "args": ["orders.csv"],
  "options": {
    "retry": {
      "max_attempts": 2,
      "initial_interval": "PT1S",
      "on_exhaustion": "dead_letter"
    }
  }
}
""",
    ),
    _topic(
        "crash",
        "Failure",
        "Lost worker",
        "no answer comes: the reservation runs out and the job returns",
        """
{
  "type": "crash.resize",
  "args": ["photo.jpg"],
  "options": {
    "visibility_timeout_ms": 4000
  }
}
""",
    ),
    _topic(
        "priority",
        "Order",
        "Priority",
        "goes before everything of a lower priority in its queue",
        """
{
  "type": "email.send",
  "args": ["vip@example.com"],
  "options": {
    "queue": "default",
    "priority": 10
  }
}
""",
    ),
    _topic(
        "unique",
        "Order",
        "Unique",
        "enqueue it twice: the second is refused while the first waits",
        """
{
  "type": "slow.sync",
  "args": [{"account": 17}],
  "options": {
    "unique": {
      "keys": ["type", "args"],
      "period": "PT1M",
      "on_conflict": "reject"
    }
  }
}
""",
    ),
    _topic(
        "rate-limit",
        "Order",
        "Rate limit",
        "a batch of five: two of them start in each five seconds",
        """
{
  "jobs": [
    {"type": "api.call", "args": [1], "options": {"rate_limit": {"key": "api", "limit": 2, "period": "PT5S"}}},
    {"type": "api.call", "args": [2], "options": {"rate_limit": {"key": "api", "limit": 2, "period": "PT5S"}}},
    {"type": "api.call", "args": [3], "options": {"rate_limit": {"key": "api", "limit": 2, "period": "PT5S"}}},
    {"type": "api.call", "args": [4], "options": {"rate_limit": {"key": "api", "limit": 2, "period": "PT5S"}}},
    {"type": "api.call", "args": [5], "options": {"rate_limit": {"key": "api", "limit": 2, "period": "PT5S"}}}
  ]
}
""",
        "batch",
    ),
    _topic(
        "batch",
        "Together",
        "Batch",
        "three jobs in one request, all or none",
        """
{
  "jobs": [
    {"type": "email.send", "args": ["a@example.com"]},
    {"type": "email.send", "args": ["b@example.com"]},
    {"type": "email.send", "args": ["c@example.com"]}
  ]
}
""",
        "batch",
    ),
    _topic(
        "chain",
        "Together",
        "Chain",
        "each step begins when the one before it has succeeded",
        """
{
  "type": "chain",
  "name": "order",
  "steps": [
    {"type": "order.check", "args": [1007]},
    {"type": "order.charge", "args": [1007]},
    {"type": "order.ship", "args": [1007]}
  ]
}
""",
        "workflow",
    ),
    _topic(
        "group",
        "Together",
        "Group",
        "all jobs at once; it has ended when every one has",
        """
{
  "type": "group",
  "name": "thumbnails",
  "jobs": [
    {"type": "image.resize", "args": ["photo.jpg", 64]},
    {"type": "image.resize", "args": ["photo.jpg", 256]},
    {"type": "image.resize", "args": ["photo.jpg", 1024]}
  ]
}
""",
        "workflow",
    ),
    _topic(
        "callbacks",
        "Together",
        "With callbacks",
        "a job of its own tells how the group went",
        """
{
  "type": "batch",
  "name": "newsletter",
  "jobs": [
    {"type": "email.send", "args": ["a@example.com"]},
    {"type": "broken.send", "args": ["b@example.com"], "options": {"retry": {"max_attempts": 1}}}
  ],
  "callbacks": {
    "on_complete": {"type": "report.send", "args": []},
    "on_failure": {"type": "alert.send", "args": []}
  }
}
""",
        "workflow",
    ),
    _topic(
        "cron",
        "Again and again",
        "Cron",
        "a job every minute, on the clock of a zone",
        """
{
  "name": "heartbeat",
  "cron": "* * * * *",
  "timezone": "Europe/Berlin",
  "job_template": {
    "type": "report.build",
    "args": ["minutely"]
  }
}
""",
        "cron",
    ),
)

BY_NAME: Final = {topic.name: topic for topic in TOPICS}
