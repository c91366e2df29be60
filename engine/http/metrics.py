"""Figures for Prometheus (OJS Observability 8): counted as jobs move, told in the text format.

Counters belong to the process that answers, as Prometheus expects; gauges are read from the store.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final

from engine import lifecycle as life
from engine.core import Engine
from engine.job import Job

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

    def lines(self, name: str, text: str, labels: tuple[str, ...]) -> list[str]:
        """The histogram in the text format."""
        lines = [f"# HELP {name} {text}", f"# TYPE {name} histogram"]
        for label, row in self.rows.items():
            base, total = _labels(labels, label), 0.0
            for bound, count in zip((*self.bounds, "+Inf"), row, strict=False):
                total += count
                lines.append(f'{name}_bucket{{{base},le="{bound}"}} {total:g}')
            lines += [f"{name}_sum{{{base}}} {row[-1]:g}", f"{name}_count{{{base}}} {total:g}"]
        return lines


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
        engine.kernel.listeners.append(self.moved)

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

    def _label(self, job: Job) -> Label:
        label = (job.queue, job.type)
        if label not in self._known:
            if len(self._known) >= MAX_LABELS:
                return ("_other", "_other")
            self._known.add(label)
        return label

    def text(self) -> str:
        """All figures in the Prometheus text format."""
        lines: list[str] = []
        for name, text in _COUNTERS.items():
            full = f"ojs_job_{name}_total"
            lines += [f"# HELP {full} {text}", f"# TYPE {full} counter"]
            lines += [
                f"{full}{{{_labels(('queue', 'type'), label)}}} {count}"
                for label, count in self.counters[name].items()
            ]
        lines += self.duration.lines(
            "ojs_job_duration_seconds", "Execution time.", ("queue", "type", "state")
        )
        lines += self.queue_time.lines("ojs_job_queue_time_seconds", "Wait in the queue.", ("queue", "type"))
        lines += self._gauges()
        return "\n".join(lines) + "\n"

    def _gauges(self) -> list[str]:
        from engine.http import gauges  # noqa: PLC0415 - few servers are asked

        store = self.engine.store
        jobs, busy = [], []
        for queue in store.queues():
            counts = store.counts(queue)
            jobs += [
                f"ojs_jobs{{{_labels(('queue', 'state'), (queue, state))}}} {counts[state]}"
                for state in life.STATES
            ]
            busy.append(f"ojs_workers_busy{{{_labels(('queue',), (queue,))}}} {counts[life.ACTIVE]}")
        workers = sum(one["state"] == "running" for one in self.engine.workers.list())
        lines = ["# HELP ojs_jobs Jobs by queue and state.", "# TYPE ojs_jobs gauge", *jobs]
        lines += ["# HELP ojs_workers_busy Jobs being executed.", "# TYPE ojs_workers_busy gauge", *busy]
        lines += ["# HELP ojs_workers_active Running workers.", "# TYPE ojs_workers_active gauge"]
        lines.append(f"ojs_workers_active {workers}")
        lines += ["# HELP ojs_events_total Events so far.", "# TYPE ojs_events_total counter"]
        lines.append(f"ojs_events_total {self.engine.events.seq}")
        return [*lines, *gauges.lines(self.engine)]


def _ended(state: str, operation: str) -> str:
    if operation == life.EXPIRE:
        return "expired"
    return "failed" if state == life.DISCARDED else state


def _labels(names: tuple[str, ...], values: Label) -> str:
    escaped = (value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in values)
    return ",".join(f'{name}="{value}"' for name, value in zip(names, escaped, strict=True))
