"""The same case, and the same link, give the same bytes: twice in CPython, and in the tab's own Python."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engine.http.message import Request
from engine.times import parse_time
from playground import packages
from playground.travel.command import JSON_HEADERS, Command, dumped, worker_command
from playground.travel.link import encode
from playground.travel.scenario import record
from playground.travel.timeline import Origin, Timeline
from tests.conftest import ROOT
from tests.host.digest import digest
from tests.host.scenario_digest import state


def boot_facts(dist: Path) -> str:
    found = re.search(r'data-boot="([^"]+)"', (dist / "index.html").read_text())
    assert found
    return found[1].replace("&#34;", '"')


def test_every_case_gives_the_same_bytes_in_cpython_and_in_pyodide(dist: Path) -> None:
    here = digest()
    assert digest() == here
    assert json.loads(boot_facts(dist))["python"].startswith("3.14")
    assert in_the_tab(dist, "digest.py", "digest()") == here


def in_the_tab(dist: Path, file: str, expression: str) -> str:
    """What an expression gives in the tab's Python, after a file of this folder."""
    script = str(ROOT / "tests" / "host" / "pyodide_digest.mjs")
    return packages.node(script, str(dist), boot_facts(dist), file, expression).strip().splitlines()[-1]


def eventful() -> Timeline:
    """Workers, cron, retries, a workflow, and every fault; the cursor in the middle."""
    timeline = Timeline(Origin(2**53 - 1, parse_time("2026-03-08T06:58:00Z"), workers=3))

    def post(path: str, **body: Any) -> None:
        timeline.do(Command(0, "request", Request("POST", f"/ojs/v1{path}", JSON_HEADERS, dumped(body))))

    def disturb(verb: str) -> None:
        workers = timeline.world.crew.workers.values()
        busy = next(one.id for one in workers if one.run is not None)
        timeline.do(worker_command(0, verb, busy))

    cron = {"cron": "*/20 * * * * *", "timezone": "America/New_York"}  # whose clocks jump at 07:00
    post("/cron", name="often", type="email.send", overlap_policy="allow", **cron)
    post(
        "/workflows", type="chain", steps=[{"type": "flaky.a", "args": []}, {"type": "b", "args": ["ü", 0.1]}]
    )
    for verb in ("slow", "mute", "stall", "lose-ack", "repeat-ack", "kill"):
        post("/jobs", type="flaky.charge", args=[verb], retry={"max_attempts": 3, "jitter": True})
        post("/jobs", type="crash.now", args=["{{", 1e-7], visibility_timeout_ms=9000)
        timeline.advance(timeline.now + 600)
        disturb(verb)
        timeline.advance(timeline.now + 31_400)
        timeline.do(worker_command(0, "start"))
    timeline.do(Command(0, "jump", by=90_000))
    timeline.advance(timeline.now + 120_000)
    timeline.go_to(timeline.origin.start + 100_123)
    return timeline


def test_a_link_gives_the_same_state_in_cpython_and_in_pyodide(dist: Path) -> None:
    link = encode(record(eventful()))
    here = state(link)
    assert "nested too deeply" in here
    assert int(here.split()[2]) > 300
    assert in_the_tab(dist, "scenario_digest.py", f"state({link!r})") == here
