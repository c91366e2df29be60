"""Handlers that visitors write: what the pane starts from.

The code itself runs in the visitor's browser, in ``static/runner.py`` or ``static/sandbox.html``; neither the server
nor the engine's worker ever sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from playground.visit import Visit

WITHOUT: Final = (
    "This server has no Python for browsers: its files are not on this machine yet. Run 'ojs-playground build' once, "
    "or 'npm ci' in a checkout, and start the server again. JavaScript handlers work without."
)
"""Why a Python handler cannot start."""


class Example(NamedTuple):
    """A handler to start from.

    Args:
        label: What its button says.
        hint: What one sees, in a sentence.
        code: The code.
        limit: Its deadline, seconds; None leaves what is set.
    """

    label: str
    hint: str
    code: str
    limit: int | None = None


class Language(NamedTuple):
    """One editor.

    Args:
        key: Its name in addresses and ids.
        label: Its name.
        intro: What it is for, in a sentence.
        examples: To start from; the first one stands in the editor.
    """

    key: str
    label: str
    intro: str
    examples: tuple[Example, ...]


_PYTHON: Final = (
    Example(
        "Greets",
        "Takes jobs and returns a result.",
        """\
# Start, then let JavaScript enqueue jobs for it, or send it one.
async def handle(job):
    name = job.args[0]
    print(f"attempt {job.attempt} of {job.type} for {name}")
    return {"greeting": f"Hello, {name}!"}
""",
    ),
    Example(
        "Fails twice, then succeeds",
        "Raises twice; the server tries again with a growing pause.",
        """\
def handle(job):
    if job.attempt < 3:
        raise ConnectionError("the mail server is away")
    return f"sent on attempt {job.attempt}"
""",
    ),
    Example(
        "Reports progress",
        "Tells how far it is while it works.",
        """\
import asyncio

async def handle(job):
    for step in range(1, 5):
        await asyncio.sleep(0.5)
        await job.progress(step / 4, f"step {step} of 4")
    return "all done"
""",
    ),
    Example(
        "Never ends",
        "Loops for ever; its deadline ends it.",
        """\
def handle(job):
    while True:
        pass
""",
        2,
    ),
    Example(
        "Enqueues more",
        "A handler that hands work on.",
        """\
async def handle(job):
    if job.type == "my.follow-up":
        return "the end"
    more = await ojs.enqueue("my.follow-up", [job.id], queue=job.queue)
    return {"handed on to": more["id"]}
""",
    ),
)

_JAVASCRIPT: Final = (
    Example(
        "Enqueues for Python",
        "Ordinary client code: three jobs for the handler beside it.",
        """\
// Ordinary client code: what it enqueues, the Python handler does.
for (const name of ["Ada", "Grace", "Edsger"]) {
  const response = await fetch("/ojs/v1/jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ type: "greet", args: [name], options: { queue: "python" } }),
  });
  const { job } = await response.json();
  console.log(`enqueued ${job.type} for ${name}: ${job.state}`);
}
""",
    ),
    Example(
        "Handles",
        "Takes jobs and returns a result.",
        """\
handle(async (job) => {
  console.log(`attempt ${job.attempt} of ${job.type}`);
  return { greeting: `Hello, ${job.args[0]}!` };
});
""",
    ),
    Example(
        "Fails twice, then succeeds",
        "Throws twice; the server tries again with a growing pause.",
        """\
handle(async (job) => {
  if (job.attempt < 3) throw new Error("the mail server is away");
  return `sent on attempt ${job.attempt}`;
});
""",
    ),
    Example(
        "Never ends",
        "Loops for ever; its deadline ends it.",
        """\
handle(() => {
  while (true);
});
""",
        2,
    ),
    Example(
        "Enqueues and awaits",
        "Enqueues a job and asks until it has ended.",
        """\
const ask = async (path, init) => (await fetch(`/ojs/v1${path}`, init)).json();

let { job } = await ask("/jobs", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ type: "greet", args: ["Barbara"], options: { queue: "python" } }),
});
while (!["completed", "discarded", "cancelled"].includes(job.state)) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  ({ job } = await ask(`/jobs/${job.id}`));
}
console.log(job.state, job.result);
""",
        60,
    ),
)

LANGUAGES: Final = (
    Language(
        "javascript",
        "JavaScript",
        "Client code at the top, and handle(async (job) => …) to take jobs. It runs in a sandboxed frame and reaches "
        "this server only.",
        _JAVASCRIPT,
    ),
    Language(
        "python",
        "Python",
        "A function handle(job); what it returns is the result, what it raises is the failure. It runs in a Python of "
        "its own, beside the engine.",
        _PYTHON,
    ),
)
"""The editors, in their order on the page."""


def pane(visit: Visit) -> Mapping[str, Any]:
    """The editors, and where the code of each can run."""
    site = visit.app.site
    boot = site.boot or {}
    facts: dict[str, Any] = {"sandbox": site.base + site.assets.url("sandbox.html")}
    if "pyodide" in boot:
        names = ("pyodide", "stdlib", "loop", "rest", "python", "abi", "platform", "version")
        facts |= {name: boot[name] for name in names if name in boot}
        own = {"worker": "runner.mjs", "runner": "runner.py"}
        facts |= {name: site.base + site.assets.url(file) for name, file in own.items()}
    else:
        facts["without"] = WITHOUT
    return {"languages": LANGUAGES, "runner": facts}
