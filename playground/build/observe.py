"""Runs inside Pyodide under Node, in the second pass of ``compile.mjs``: what a real start of the tab uses.

The whole application lies at ``/app.zip`` and, for its texts, at ``/more.zip``. Nothing is imported here that a start
would not import, before it is over.
"""

from __future__ import annotations

import json
import sys
from time import sleep
from typing import Any

PAGES = (
    "/spec",
    "/spec/lifecycle",
    "/spec/errata",
    "/conformance",
    "/scenarios",
    "/scenarios/first-job",
    "/play",
    "/play/jobs/none",
    "/ui/views/log",
    "/ui/index",
    "/embed/frame",
)
"""After the start, one page of each kind."""


def origins(templates: Any) -> list[str]:
    """Where the modules imported so far came from, and the templates, which their loader keeps to itself."""
    found = [*sys.modules.values(), *vars(templates).values()]
    return [spec.origin for module in found if (spec := getattr(module, "__spec__", None)) and spec.origin]


def patterns() -> dict[tuple[str, int], tuple[Any, ...]]:
    """The regular expressions compiled so far: pattern and flags to what ``_sre.compile`` wants besides the pattern."""
    compiler, known = sys.modules["re._compiler"], vars(sys.modules["re"])["_cache"]
    keys = sorted((pattern, flags) for kind, pattern, flags in known if kind is str)
    sre = vars(compiler)["_sre"]
    load = sre.compile
    try:
        sre.compile = lambda _, flags, code, *rest: (
            int(flags),
            [int(word) for word in code],
            *rest,
        )
        return {(pattern, flags): compiler.compile(pattern, flags) for pattern, flags in keys}
    finally:
        sre.compile = load


def look(boot: str) -> dict[str, Any]:
    """Start the application and use it: a real start, every kind of page, every case of the project's own.

    Returns:
        ``start`` and ``later``, the files that these imported; ``patterns``, see `patterns`.

    Raises:
        SystemExit: The application does not work in this Python.
    """
    from playground.hosts import tab  # noqa: PLC0415 - the start that is watched

    answered: list[int] = []

    def visit(url: str, body: bytes | None = None) -> None:
        form = json.dumps({"content-type": "application/x-www-form-urlencoded", "hx-request": "true"})
        method, headers = ("GET", "{}") if body is None else ("POST", form)
        tab.dispatch(
            0, method, url, headers, body, lambda status, *_: answered.append(status), lambda _: None, print
        )

    tab.start(boot)
    tab.warm()
    tab.tick()
    ready = patterns()
    visit("/")
    visit("/ui/stream?view=board&view=jobs&view=log&view=workers&view=faults&view=time")
    visit("/ui/jobs", b"body=%7B%22type%22%3A%22email.send%22%2C%22args%22%3A%5B%5D%7D")
    for _ in range(20):
        tab.tick()
        sleep(0.05)
    tab.cancel(0)
    tab.keep()
    visit("/play/jobs/none")
    visit("/none")
    templates = vars(vars(tab)["_app"].env.loader)["module"]
    start = origins(templates)
    for url in PAGES:
        visit(url)
    if set(answered) != {200, 404}:
        raise SystemExit(f"The application does not answer in Pyodide: {answered}")
    from engine.conformance.case import read_all  # noqa: PLC0415
    from engine.conformance.runner import run  # noqa: PLC0415
    from engine.conformance.target import fresh_engine  # noqa: PLC0415
    from playground import case_files  # noqa: PLC0415

    failed = [one for one in run(read_all(case_files.bundled())[0], fresh_engine) if one.verdict == "failed"]
    if failed:
        raise SystemExit(f"Cases fail in Pyodide: {[one.case.id for one in failed]}")
    return {"start": start, "later": origins(templates), "patterns": ready}


def main(boot: str) -> str:
    """What `look` found, for ``compile.py``: the files as JSON; the patterns in ``/out/patterns``."""
    import marshal  # noqa: PLC0415 - with the next

    found = look(boot)
    with open("/out/patterns", "wb") as file:  # noqa: PTH123 - pathlib is what a start does without
        file.write(marshal.dumps(found.pop("patterns")))
    return json.dumps(found)
