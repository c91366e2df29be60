"""Scrubbing: how long the time slider takes to show another moment of a long history, and what remembering it weighs.

    python bench/travel.py [--moves 40] [--commands 10000]

The history: 10,000 jobs of mixed types, with retries, delays, unique keys and priorities, enqueued over 25 virtual
minutes while eight demo workers are at work. A **move** puts the cursor at a random instant and renders what the home
page shows: board, jobs, log, workers and time bar. The baseline, in the same run, gets to the same instants by
replaying the journal from its start, which is what there is without checkpoints. Both are measured in CPython and in
the tab's own Python: the built bundle's byte code in Pyodide under Node.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent.parent))

from engine.clock import ManualClock
from engine.http.message import Request
from playground.app import Application, Site
from playground.assets import Assets
from playground.render import environment
from playground.travel.command import JSON_HEADERS, Command, dumped
from playground.travel.sandbox import Sandbox
from playground.travel.timeline import Origin, Timeline

START = 1_767_268_800_000
MINUTES = 25
VIEWS = ("board", "jobs", "log", "workers", "time")
TYPES = ("email.send", "email.send", "image.resize", "flaky.charge", "broken.import", "slow.report")
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"priority": 5},
    {"scheduled_at": "+PT1M"},
    {"retry": {"max_attempts": 3, "initial_interval": "PT2S"}},
    {"unique": {"keys": ["type", "args"], "period": "PT1M"}},
    {"meta": {"user": "a visitor", "note": "as many words as people put beside a job"}},
)


def history(commands: int) -> Timeline:
    """The long history."""
    dice = random.Random(7)
    timeline = Timeline(Origin(7, START, workers=8))
    for index in range(commands):
        timeline.advance(START + index * MINUTES * 60_000 // commands)
        body = {
            "type": dice.choice(TYPES),
            "args": [f"user{index}@example.com", index],
            **dice.choice(OPTIONS),
        }
        timeline.do(Command(0, "request", Request("POST", "/ojs/v1/jobs", JSON_HEADERS, dumped(body))))
    timeline.advance(START + MINUTES * 60_000)
    return timeline


def told(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def measure(templates: Any, commands: int, moves: int, replays: int) -> str:
    """Figures as JSON: milliseconds and bytes.

    Args:
        templates: The loader of the templates.
        commands: How many the journal has.
        moves: How often the cursor is put somewhere.
        replays: How often the same is done from the start.
    """
    began = time.perf_counter()
    timeline = history(commands)
    lived = time.perf_counter() - began
    sandbox = Sandbox(ManualClock(START), lambda: 7)
    app = Application(sandbox, environment(templates), Site("tab", Assets({}), boot={}))
    sandbox.open(timeline, "bench")
    dice = random.Random(11)
    took: dict[str, list[float]] = {"move": [], "go": [], "views": [], "replay": []}
    instants = [dice.randrange(START, timeline.end.now) for _ in range(moves)]
    for instant in instants:
        start = time.perf_counter()
        sandbox.go_to(instant)
        there = time.perf_counter()
        for view in VIEWS:
            app.view(view)
        end = time.perf_counter()
        for name, value in (("move", end - start), ("go", there - start), ("views", end - there)):
            took[name].append(value * 1000)
    kept, spacing = timeline._checkpoints, timeline._spacing  # noqa: SLF001 - the baseline has none of them
    timeline._checkpoints, timeline._spacing = kept[:1], 1 << 62  # noqa: SLF001
    for instant in instants[:replays]:
        start = time.perf_counter()
        timeline.go(timeline.floor)
        sandbox.go_to(instant)
        for view in VIEWS:
            app.view(view)
        took["replay"].append((time.perf_counter() - start) * 1000)
    timeline._checkpoints, timeline._spacing = kept, spacing  # noqa: SLF001
    journal = sum(len(one.request.url) + len(one.request.body) for one in timeline.commands if one.request)
    figures: dict[str, Any] = {name: told(values) for name, values in took.items()}
    return json.dumps(
        {
            **figures,
            "python": sys.version.split()[0],
            "commands": len(timeline.commands),
            "steps": timeline.end.step,
            "events": len(timeline.seen),
            "live": lived * 1000,
            "checkpoints": len(kept),
            "held": timeline.held,
            "journal": journal,
        }
    )


def show(where: str, figures: dict[str, Any], goal: str = "") -> None:
    """Print one Python's figures."""
    print(
        f"{where}, Python {figures['python']}: {figures['commands']:,} commands, {figures['steps']:,} steps, "
        f"{figures['events']:,} events, lived in {figures['live'] / 1000:.1f} s"
    )
    for name in ("move", "go", "views", "replay"):
        one = figures[name]
        ratio = figures["replay"]["median"] / figures["move"]["median"]
        more = {"move": goal, "replay": f" (takes {ratio:.0f} times a move)"}.get(name, "")
        print(f"  {name:8} {one['median']:8.1f} ms ({one['min']:.1f}-{one['max']:.1f}){more}")
    print(
        f"  memory: journal {figures['journal'] / 1e6:.1f} MB of requests, "
        f"{figures['checkpoints']} checkpoints of {figures['held'] / 1e6:.1f} MB"
    )


def main() -> None:
    """Measure and print."""
    import os  # noqa: PLC0415 - what follows is not in the tab
    import platform  # noqa: PLC0415
    import tempfile  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from jinja2 import FileSystemLoader  # noqa: PLC0415

    from playground import packages, resources  # noqa: PLC0415
    from playground.build import build  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Moving through a long history.")
    parser.add_argument("--moves", type=int, default=40)
    parser.add_argument("--replays", type=int, default=5)
    parser.add_argument("--commands", type=int, default=10_000)
    asked = parser.parse_args()
    words = (asked.commands, asked.moves, asked.replays)
    print(f"{platform.platform()}, {os.cpu_count()} cores; {asked.moves} moves, medians (min-max)")
    show("CPython", json.loads(measure(FileSystemLoader(resources.path("templates")), *words)))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "dist"
        build(out)
        script = Path(__file__).with_suffix(".mjs")
        figures = packages.node(str(script), str(out), ",".join(map(str, words)))
    show("the tab", json.loads(figures.strip().splitlines()[-1]), " (goal 100)")


if __name__ == "__main__":
    main()
