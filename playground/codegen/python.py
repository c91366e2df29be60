"""Python: the SDK, which is asynchronous; plain ``urllib`` where a string is none that UTF-8 can carry."""

from __future__ import annotations

from typing import Any

from engine.times import format_duration
from playground.codegen.envelope import DURATIONS
from playground.codegen.layout import Group, Node, layout
from playground.codegen.literals import PYTHON, has_unpaired, json_text, python_raw, python_string
from playground.codegen.program import Job, Part, Program, comment, members, name_of, unsupported

_UNPAIRED = "A string here holds half a surrogate pair, which the SDK cannot encode: this is plain HTTP."


def generate(job: Job, part: Part) -> Program:
    """The code."""
    plain = has_unpaired(job.envelope.body)
    notes = (
        () if part == "worker" else (_UNPAIRED,) if plain else unsupported(job.language, job.envelope.options)
    )
    sdk = job.language.sdk
    head = "import asyncio\n" if part != "producer" or not plain else ""
    head += "import urllib.request\n" if plain and part != "worker" else ""
    if part != "producer" or not plain:
        head += f"\nimport {sdk['package']}  # {sdk['install']}\n"
    pieces = [head, f"URL = {python_string(job.base_url)}\n"]
    if part != "producer":
        pieces.append(_worker(job))
    if part != "worker":
        pieces.append(_plain(job) if plain else _producer(job))
    calls = ["await enqueue()"] if part != "worker" and not plain else []
    calls += [f"await worker.{sdk['start']}()"] if part != "producer" else []
    end = "enqueue()\n" if plain and part != "worker" else ""
    if calls:
        body = "".join(f"    {call}\n" for call in calls)
        end += f"\n\nasync def main() -> None:\n{body}\n\nasyncio.run(main())\n".lstrip(
            "\n" if not end else ""
        )
    text = comment("#", notes) + "\n".join(pieces[:2]) + "".join("\n\n" + one for one in pieces[2:])
    return Program(text + "\n\n" + end, notes)


def _value(path: str, value: Any) -> Any:
    return format_duration(value) if path in DURATIONS and "." in path else value


def _keywords(job: Job) -> list[tuple[str, Node]]:
    names, given = job.language.options, job.envelope.options
    found = [
        (f"{names[path]}=", PYTHON.node(_value(path, value)))
        for path, value in given.items()
        if path in names and "." not in path
    ]
    package = job.language.sdk["package"]
    for policy in ("retry", "unique"):
        inner = {
            names[f"{policy}.{member}"]: PYTHON.node(_value(f"{policy}.{member}", value))
            for member, value in members(given, policy).items()
            if f"{policy}.{member}" in names
        }
        if not inner and policy + "." not in given:
            continue
        if policy == "unique":  # what is left out would be the SDK's own choice, not the server's
            inner = {names["unique.keys"]: "[]", names["unique.states"]: "[]", **inner}
        fields = [(f"{name}=", node) for name, node in inner.items()]
        found.append((f"{policy}=", Group(f"{package}.{names[policy]}(", fields, ")", "", ",")))
    return found


def _producer(job: Job) -> str:
    sdk = job.language.sdk
    values: list[tuple[str, Node]] = [
        ("", PYTHON.node(job.envelope.type)),
        ("", PYTHON.node(job.envelope.args)),
        *_keywords(job),
    ]
    call = layout(
        Group(f"client.{sdk['enqueue']}(", values, ")", "", ","), "    ", 2, len("        job = await ")
    )
    return (
        "async def enqueue() -> None:\n"
        f"    async with {sdk['package']}.{sdk['client']}(URL) as client:\n"
        f"        job = await {call}\n"
        '        print(f"Enqueued {job.id}: {job.state}")\n'
    )


def _plain(job: Job) -> str:
    return (
        f"BODY = {python_raw(json_text(job.envelope.body))}\n\n\n"
        "def enqueue() -> None:\n"
        "    request = urllib.request.Request(\n"
        '        URL + "/ojs/v1/jobs",\n'
        "        BODY.encode(),\n"
        '        {"Content-Type": "application/openjobspec+json"},\n'
        "    )\n"
        "    with urllib.request.urlopen(request) as response:\n"
        "        print(response.read().decode())\n"
    )


def _worker(job: Job) -> str:
    sdk = job.language.sdk
    queues = layout(PYTHON.node([job.envelope.queue]))
    return (
        f"worker = {sdk['package']}.{sdk['worker']}(URL, {sdk['queues']}={queues})\n\n\n"
        f"@worker.{sdk['register']}({python_string(job.envelope.type)})\n"
        f"async def handle_{name_of(job.envelope.type)}(ctx: {sdk['package']}.JobContext) -> object:\n"
        f'    print(f"{{ctx.job_type}}, attempt {{ctx.attempt}}:", {sdk["arguments"]})\n'
        "    # The work. What is raised here fails the job; what is returned is its result.\n"
        '    return {"done": True}\n'
    )
