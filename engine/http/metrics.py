"""Figures for Prometheus (OJS Observability 8): counted as jobs move, told in the text format.

Counters belong to the process that answers, as Prometheus expects; gauges are read from the store.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from engine import lifecycle as life
from engine.core import Engine
from engine.events import Event, Note
from engine.job import Job

if TYPE_CHECKING:
    from engine.http.tallies import Tallies

DURATION: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
QUEUE_TIME: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600)
"""Upper bounds of the histograms' buckets, seconds (OJS Observability 8.2)."""
MAX_LABELS: Final = 1000
"""Pairs of queue and type that are told apart; what comes later counts as ``_other`` (OJS Observability 8.4)."""
_COUNTERS: Final = {
    "enqueued": "Jobs enqueued.",
    "completed": "Jobs that completed.",
    "failed": "Jobs that were discarded.",
    "retried": "Retries scheduled.",
    "cancelled": "Jobs cancelled.",
    "expired": "Jobs expired before they could start.",
}
Label = tuple[str, ...]
Sample = tuple[str, dict[str, str], float]
"""Suffix of the family's name, labels, value."""


class Family(NamedTuple):
    """One metric with all its samples.

    Args:
        name: Its full name.
        kind: ``counter``, ``gauge`` or ``histogram``.
        help: One sentence.
        samples: Its values.
    """

    name: str
    kind: str
    help: str
    samples: list[Sample]


class Histogram:
    """Durations by label, in buckets.

    Args:
        bounds: Upper bounds, seconds.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.rows: dict[Label, list[float]] = {}

    def add(self, label: Label, ms: int) -> None:
        """Count one duration, milliseconds."""
        row = self.rows.setdefault(label, [0.0] * (len(self.bounds) + 2))
        row[bisect_left(self.bounds, ms / 1000)] += 1
        row[-1] += ms / 1000

    def family(self, name: str, text: str, labels: tuple[str, ...]) -> Family:
        """The histogram as one family: its buckets, each with all before it, their sum and their number."""
        samples: list[Sample] = []
        for label, row in self.rows.items():
            base, total = dict(zip(labels, label, strict=True)), 0.0
            for bound, count in zip((*self.bounds, "+Inf"), row, strict=False):
                total += count
                samples.append(("_bucket", {**base, "le": str(bound)}, total))
            samples += [("_sum", base, row[-1]), ("_count", base, total)]
        return Family(name, "histogram", text, samples)


class Metrics:
    """What has happened since this server started.

    Args:
        engine: Whose moves are counted.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.counters: dict[str, Counter[Label]] = {name: Counter() for name in _COUNTERS}
        self.duration = Histogram(DURATION)
        self.queue_time = Histogram(QUEUE_TIME)
        self._known: set[Label] = set()
        self._tallies: Tallies | None = None
        engine.kernel.listeners.append(self.moved)
        engine.events.tallies.append(self._tally)

    def moved(self, job: Job, was: str, operation: str) -> None:
        """Count one finished move."""
        label = self._label(job)
        now = self.engine.kernel.now()
        if not was:
            self.counters["enqueued"][label] += 1
        elif operation == life.FETCH:
            self.queue_time.add(label, now - (job.enqueued_at or now))
        elif job.state == life.RETRYABLE:
            self.counters["retried"][label] += 1
        elif job.state in life.TERMINAL:
            self.counters[_ended(job.state, operation)][label] += 1
            if was == life.ACTIVE:
                self.duration.add((*label, job.state), now - (job.started_at or now))

    def _tally(self, block: list[Event | Note]) -> None:
        """Count a block of events."""
        if self._tallies is None:
            from engine.http.tallies import Tallies  # noqa: PLC0415 - it comes with the first thousand events

            self._tallies = Tallies()
        self._tallies.count(block)

    def _label(self, job: Job) -> Label:
        label = (job.queue, job.type)
        if label not in self._known:
            if len(self._known) >= MAX_LABELS:
                return ("_other", "_other")
            self._known.add(label)
        return label

    def families(self) -> list[Family]:
        """All figures, as data: a host hands them to its own client library, `text` words them itself."""
        found = [
            Family(
                f"ojs_job_{name}_total",
                "counter",
                text,
                [
                    ("", {"queue": label[0], "type": label[1]}, count)
                    for label, count in self.counters[name].items()
                ],
            )
            for name, text in _COUNTERS.items()
        ]
        found.append(
            self.duration.family("ojs_job_duration_seconds", "Execution time.", ("queue", "type", "state"))
        )
        found.append(
            self.queue_time.family("ojs_job_queue_time_seconds", "Wait in the queue.", ("queue", "type"))
        )
        self.engine.events.settle()
        counted = [] if self._tallies is None else self._tallies.families()
        return [*found, *counted, *self._gauges()]

    def text(self) -> str:
        """All figures in the Prometheus text format."""
        return "".join(f"{line}\n" for family in self.families() for line in lines_of(family))

    def _gauges(self) -> list[Family]:
        from engine.http import gauges  # noqa: PLC0415 - few servers are asked

        store = self.engine.store
        jobs: list[Sample] = []
        busy: list[Sample] = []
        for queue in store.queues():
            counts = store.counts(queue)
            jobs += [("", {"queue": queue, "state": state}, counts[state]) for state in life.STATES]
            busy.append(("", {"queue": queue}, counts[life.ACTIVE]))
        workers = sum(one["state"] == "running" for one in self.engine.workers.list())
        return [
            Family("ojs_jobs", "gauge", "Jobs by queue and state.", jobs),
            Family("ojs_workers_busy", "gauge", "Jobs being executed.", busy),
            Family("ojs_workers_active", "gauge", "Running workers.", [("", {}, workers)]),
            Family("ojs_events_total", "counter", "Events so far.", [("", {}, self.engine.events.seq)]),
            *gauges.families(self.engine),
        ]


def _ended(state: str, operation: str) -> str:
    if operation == life.EXPIRE:
        return "expired"
    return "failed" if state == life.DISCARDED else state


def lines_of(family: Family) -> Iterator[str]:
    """A family in the text format."""
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    for suffix, labels, value in family.samples:
        told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{family.name}{suffix}{f'{{{told}}}' if told else ''} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
