"""Counters that follow from events: what an extension's document wants counted, by the event that tells of it.

OJS Backpressure 10.2, Bulk Operations 12.2, Dead Letter 11.2, Fair Scheduling 11.2, Priority 11.2, Queue Configuration
10.2, Rate Limiting 11.2, Results 11.2, Timeouts 11.2, Webhooks 11.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from engine.events import Event, Note
from engine.http.metrics import Family

MAX_LABELS: Final = 1000
"""Sets of labels that are told apart; what comes later is not counted by itself (OJS Observability 8.4)."""


class Counted(NamedTuple):
    """How an event is counted.

    Args:
        name: The counter, in the spelling of Prometheus.
        help: One sentence.
        labels: The fields of the event that are labels.
        by: The field that says how many it stands for; each counts one when empty.
        fixed: The value of a further label ``operation``; none when empty.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    by: str = ""
    fixed: str = ""


_TIMEOUT: Final = Counted("ojs_job_timeout_total", "Timeouts.", ("timeout_kind", "queue", "job_type"))
_BULK: Final = Counted("ojs_bulk_requests_total", "Bulk requests.")
COUNTED: Final = {
    "backpressure.rejected": Counted("ojs_backpressure_rejected_total", "Jobs refused by a full queue.", ("queue",)),
    "backpressure.dropped": Counted("ojs_backpressure_dropped_total", "Jobs pushed out by newer ones.", ("queue",)),
    "bulk.enqueue.completed": _BULK._replace(fixed="enqueue"),
    "bulk.cancel.completed": _BULK._replace(fixed="cancel"),
    "bulk.retry.completed": _BULK._replace(fixed="retry"),
    "bulk.delete.completed": _BULK._replace(fixed="delete"),
    "dead_letter.added": Counted("ojs_dead_letter_added_total", "Jobs that died.", ("queue", "job_type")),
    "dead_letter.retried": Counted("ojs_dead_letter_retried_total", "Dead letters run again by hand.", ("queue",)),
    "dead_letter.pruned": Counted("ojs_dead_letter_pruned_total", "Dead letters pruned.", ("queue",), "count"),
    "scheduling.queue_starved": Counted("ojs_scheduling_starvation_events_total", "Starved queues.", ("queue",)),
    "priority.changed": Counted("ojs_job_priority_changes_total", "Changes of a priority.", ("queue",)),
    "queue.created": Counted("ojs_queue_created_total", "Queues created on purpose."),
    "queue.deleted": Counted("ojs_queue_deleted_total", "Queues deleted."),
    "queue.overflow": Counted("ojs_queue_overflow_total", "Jobs dropped for lack of room.", ("queue", "policy")),
    "rate_limit.exceeded": Counted("ojs_rate_limit_exceeded_total", "Limits reached.", ("key", "strategy")),
    "result.pruned": Counted("ojs_result_pruned_total", "Results removed when their time was up.", ("queue",)),
    "job.timeout": _TIMEOUT,
    "job.stalled": _TIMEOUT,
    "job.total_timeout": _TIMEOUT,
    "job.ttl_expired": _TIMEOUT,
    "webhook.delivered": Counted("ojs_webhook_delivered_total", "Deliveries accepted.", ("event_type",)),
    "webhook.failed": Counted("ojs_webhook_failed_total", "Attempts to be repeated.", ("event_type",)),
    "webhook.dead": Counted("ojs_webhook_dead_total", "Deliveries given up.", ("event_type",)),
}  # fmt: skip


class Tallies:
    """The counters since this server started."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Counted, tuple[str, ...]]] = Counter()

    def count(self, block: Iterable[Event | Note]) -> None:
        """Count a block of the event log."""
        for one in block:
            rule = COUNTED.get(one[2])
            if rule is None:
                continue
            data = one.data if isinstance(one, Event) else {"queue": one[5], "job_type": one[4], **one[9]}
            key = rule, tuple(str(data.get(name, "")) for name in rule.labels)
            if key in self._counts or len(self._counts) < MAX_LABELS:
                self._counts[key] += int(data[rule.by]) if rule.by else 1

    def families(self) -> list[Family]:
        """All that have counted anything."""
        found: dict[str, Family] = {}
        for (rule, values), count in self._counts.items():
            family = found.setdefault(rule.name, Family(rule.name, "counter", rule.help, []))
            labels = dict(zip(rule.labels, values, strict=True))
            family.samples.append(("", labels | ({"operation": rule.fixed} if rule.fixed else {}), count))
        return list(found.values())
