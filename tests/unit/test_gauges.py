"""The queue side's gauges in the Prometheus text format."""

from __future__ import annotations

import re

from engine.http import gauges
from engine.http.metrics import lines_of
from tests.unit.harness import Server

LINE = re.compile(r'[a-z_]+\{([a-z_]+="(\\.|[^"\\])*"(,|(?=\})))*\} [0-9.e+-]+\Z')


def full() -> Server:
    server = Server()
    server.engine.queues.configure("default", {"max_size": 10})
    server.engine.pools.put('a"b\\c\n', {"queues": ["default"], "concurrency": 2})
    server.push(meta={"tenant_id": "acme"}, options={"rate_limit": {"key": "k", "concurrency": 1}})
    server.push(priority=3)
    server.dead(queue="graves")
    server.engine.queues.pause("graves")
    return server


def told(server: Server) -> list[str]:
    return [line for family in gauges.families(server.engine) for line in lines_of(family)]


def test_every_line_is_well_formed_and_every_metric_explained_once() -> None:
    lines = told(full())
    names = [line.split("{")[0] for line in lines if not line.startswith("#")]
    assert all(LINE.match(line) for line in lines if not line.startswith("#"))
    assert set(names) == set(gauges.HELP)
    assert [line.split()[2] for line in lines if line.startswith("# TYPE")] == list(gauges.HELP)
    assert names == sorted(names, key=list(gauges.HELP).index), "lines of one metric stand together"


def test_the_values_are_the_engines() -> None:
    reply, _ = full().http("GET", "/metrics")
    assert isinstance(reply.body, bytes)
    lines = reply.body.decode().splitlines()
    for line in (
        'ojs_queue_depth{queue="default",state="available"} 2',
        'ojs_queue_paused{queue="graves"} 1',
        'ojs_queue_max_size{queue="default"} 10',
        'ojs_backpressure_pressure{queue="default"} 0.2',
        'ojs_queue_available_by_priority{queue="default",priority="3"} 1',
        'ojs_rate_limit_waiting{key="k"} 1',
        'ojs_dead_letter_total{queue="graves"} 1',
        'ojs_scheduling_pool_utilization{pool="a\\"b\\\\c\\n"} 0',
        'ojs_tenant_jobs{tenant_id="acme",state="available"} 1',
    ):
        assert line in lines


def test_beyond_a_thousand_tenants_the_rest_is_summed_up() -> None:
    server = Server()
    for n in range(gauges.MAX_TENANTS + 5):
        server.push(meta={"tenant_id": f"t{n}"})
    lines = told(server)
    assert 'ojs_tenant_jobs{tenant_id="_other",state="available"} 5' in lines
    assert not any('"t1001"' in line for line in lines)
