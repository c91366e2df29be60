"""What ``/metrics`` tells on a server: the engine's figures and the server's own, by the official Prometheus client.

The engine counts (`engine.http.metrics`); this only hands its families on, so that a tab without the client's
library tells the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine.http.message import Response
from engine.http.metrics import Family
from playground.hosts.driver import Driver

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
"""Upper bounds of the buckets of the requests' durations."""


class _Engine(Collector):
    """The engine's families.

    Args:
        driver: Whose lock they are read under.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def collect(self) -> Iterator[Metric]:
        """All of them, as they are now."""
        for family in self._driver.families():
            yield _metric(family)


def _metric(family: Family) -> Metric:
    counts = family.kind == "counter"
    metric = Metric(family.name.removesuffix("_total") if counts else family.name, family.help, family.kind)
    for suffix, labels, value in family.samples:
        metric.add_sample(family.name + suffix, labels, value)
    return metric


class Figures:
    """The registry of one server.

    Args:
        driver: Its driver.
    """

    def __init__(self, driver: Driver) -> None:
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR, _Engine(driver)):
            self.registry.register(collector)
        self._requests = Counter(
            "ojs_http_requests", "Requests to the binding, by status.", ["status"], registry=self.registry
        )
        self._seconds = Histogram(
            "ojs_http_request_seconds", "Time to answer one.", buckets=SECONDS, registry=self.registry
        )
        streams = Gauge("ojs_http_streams", "Open streams.", registry=self.registry)
        streams.set_function(lambda: driver.readers)
        self._by_status: dict[int, Counter] = {}

    def answered(self, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._requests.labels(str(status))
        counter.inc()
        self._seconds.observe(seconds)

    def response(self) -> Response:
        """All figures in the text format; the media type is exact, see ``spec/rulings.json``."""
        return Response(
            200, {"Content-Type": "text/plain", "OJS-Version": "1.0"}, generate_latest(self.registry)
        )
