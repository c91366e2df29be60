"""The workbench's lists with many jobs: how long each live view takes to be made anew.

    python bench/lists.py [--jobs 1000 100000] [--rounds 25]

The baseline, in the same run, is the view of the home page's latest jobs, which looks at 25 of them however many there
are. A view that must not slow the page stays within a few times that, also with a hundred thousand jobs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any
from urllib.parse import urlencode

if __name__ == "__main__":
    sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parent.parent))

from jinja2 import FileSystemLoader

from engine.clock import ManualClock
from playground import resources
from playground.app import Application, Site
from playground.assets import Assets
from playground.packages import vendor
from playground.render import environment
from playground.session import Session

START = 1_767_268_800_000
QUEUES = 15


def _found(query: str, page: int = 1) -> str:
    return "found:" + urlencode({"page": page, "q": query})


VIEWS = {
    "latest jobs (baseline)": "jobs",
    "search: all": _found(""),
    "search: a late page": _found("", 3000),
    "search: by state": _found("state:completed"),
    "search: by type": _found("type:kind.n3"),
    "search: three states": _found("state:available,completed,discarded attempt:>0"),
    "search: an argument": _found("args.user:77"),
    "search: text that is nowhere": _found("nowhere"),
    "queues": "queues",
    "one queue": "queue:q3",
    "dead letters": "dead",
    "dead letters, filtered": "dead:type=kind.*&error=Lookup",
    "failures by error": "failures",
    "limits and locks": "limits",
    "registry": "registry",
}


def filled(jobs: int) -> Application:
    """A server with so many jobs in 15 queues, two fifths of them done, failed or dead."""
    vendor()
    session = Session(ManualClock(START), seed=7)
    engine = session.engine
    for index in range(jobs):
        body: dict[str, Any] = {
            "type": f"kind.n{index % 7}",
            "args": [{"user": index, "to": ["a", {"b": index}]}],
            "queue": f"q{index % QUEUES}",
            "priority": index % 5,
            "tags": ["nightly"],
        }
        if index % 10 == 0:
            body["retry"] = {"max_attempts": 1, "on_exhaustion": "dead_letter"}
        engine.push(body)
    for queue in range(QUEUES):
        for job in engine.fetch([f"q{queue}"], jobs * 2 // 5 // QUEUES, worker_id=f"worker-{queue}"):
            number = job.args[0]["user"]
            if number % 10 == 0 or number % 9 == 0:
                engine.fail(job.id, {"type": "Lookup", "message": f"No user {number} for {job.id}"})
            else:
                engine.ack(job.id)
    env = environment(FileSystemLoader(resources.path("templates")))
    return Application(session, env, Site("server", Assets.scan(resources.path("static"))))


def measure(app: Application, view: str, rounds: int) -> float:
    """Median of making a view, milliseconds."""
    app.view(view)
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        app.view(view)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def main() -> None:
    """Print a table for each number of jobs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=25)
    given = parser.parse_args()
    for jobs in given.jobs:
        app = filled(jobs)
        print(f"\n{jobs:,} jobs")
        baseline = 0.0
        for label, view in VIEWS.items():
            took = measure(app, view, given.rounds)
            baseline = baseline or took
            print(f"  {label:30} {took:7.2f} ms  {took / baseline:.1f} times the baseline")


if __name__ == "__main__":
    main()
