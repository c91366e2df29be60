"""Jobs to start from: each shows one thing that a job system does, with the demo workers' help."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

_LIST: Final = re.compile(r"\[[^\[\]]*\]")


class Sample(NamedTuple):
    """One job to start from.

    Args:
        name: Its name in a URL.
        label: On its button.
        hint: What one will see.
        body: The enqueue request.
    """

    name: str
    label: str
    hint: str
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The request as JSON that fits a narrow editor: a line for each field, and for each part of a policy."""
        lines = json.dumps(self.body, indent=2)
        return _LIST.sub(lambda found: json.dumps(json.loads(found[0])), lines)


SAMPLES: Final = (
    Sample(
        "email",
        "Succeeds",
        "available → active → completed",
        {"type": "email.send", "args": ["user@example.com", "welcome"]},
    ),
    Sample(
        "flaky",
        "Fails twice",
        "two retries with a growing wait, then completed",
        {"type": "flaky.charge", "args": [42], "retry": {"max_attempts": 5, "initial_interval": "PT2S"}},
    ),
    Sample(
        "broken",
        "Always fails",
        "three attempts, then discarded",
        {"type": "broken.import", "args": ["orders.csv"], "retry": {"max_attempts": 3}},
    ),
    Sample(
        "later",
        "In 5 seconds",
        "scheduled first",
        {"type": "report.build", "args": ["weekly"], "scheduled_at": "+PT5S"},
    ),
    Sample(
        "staged",
        "Staged",
        "pending until you activate it on its page",
        {"type": "order.ship", "args": [1007], "pending": True},
    ),
    Sample(
        "crash",
        "Worker crashes",
        "no answer comes: the reservation runs out and the job returns",
        {"type": "crash.resize", "args": ["photo.jpg"], "visibility_timeout_ms": 4000},
    ),
    Sample(
        "slow",
        "Slow",
        "ten seconds: time to cancel it",
        {"type": "slow.export", "args": ["archive"], "priority": 10},
    ),
)

MORE: Final = (
    Sample(
        "dead",
        "Becomes a dead letter",
        "one attempt, then kept for an operator",
        {
            "type": "broken.import",
            "args": ["orders.csv"],
            "retry": {"max_attempts": 1, "on_exhaustion": "dead_letter"},
        },
    ),
    Sample(
        "limited",
        "One at a time",
        "all jobs of one key share its limit",
        {
            "type": "email.send",
            "args": ["user@example.com"],
            "options": {
                "rate_limit": {"key": "mail", "concurrency": 1, "rate": {"limit": 5, "period": "PT1M"}}
            },
        },
    ),
    Sample(
        "unique",
        "Only once",
        "another one like it is refused while it runs",
        {"type": "report.build", "args": ["weekly"], "unique": {"keys": ["type", "args"], "period": "PT10M"}},
    ),
)
"""Further jobs, to which pages link."""

BY_NAME: Final = {sample.name: sample for sample in SAMPLES + MORE}
