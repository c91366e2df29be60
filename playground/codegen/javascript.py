"""JavaScript, which is TypeScript too: the SDK; plain ``fetch`` where a number is beyond its numbers."""

from __future__ import annotations

from typing import Any

from engine.times import format_duration
from playground.codegen.envelope import DURATIONS
from playground.codegen.layout import Group, layout
from playground.codegen.literals import JAVASCRIPT, is_inexact, javascript_raw, json_string, json_text
from playground.codegen.program import Job, Part, Program, comment, members, unsupported

_ROUNDED = (
    "An integer here is beyond 2^53, where JavaScript's numbers are rounded: the SDK would send another one, so this is"
    " plain fetch with the JSON as text."
)


def generate(job: Job, part: Part) -> Program:
    """The code."""
    plain = is_inexact(job.envelope.body)
    notes = (
        () if part == "worker" else (_ROUNDED,) if plain else unsupported(job.language, job.envelope.options)
    )
    sdk = job.language.sdk
    classes = [] if plain or part == "worker" else [sdk["client"]]
    classes += [] if part == "producer" else [sdk["worker"]]
    head = (
        f'import {{ {", ".join(classes)} }} from "{sdk["package"]}"; // {sdk["install"]}\n\n'
        if classes
        else ""
    )
    pieces = [f"const url = {json_string(job.base_url)};\n"]
    if part != "worker":
        pieces.append(_plain(job) if plain else _enqueue(job))
    if part != "producer":
        pieces.append(_worker(job))
    return Program(comment("//", notes) + head + "\n".join(pieces), notes)


def _value(path: str, value: Any) -> Any:
    return format_duration(value) if path in DURATIONS and "." in path else value


def _options(job: Job) -> dict[str, Any]:
    names, given = job.language.options, job.envelope.options
    options = {
        names[path]: _value(path, value) for path, value in given.items() if path in names and "." not in path
    }
    for policy in ("retry", "unique"):
        inner = {
            names[f"{policy}.{member}"]: _value(f"{policy}.{member}", value)
            for member, value in members(given, policy).items()
            if f"{policy}.{member}" in names
        }
        if inner or policy + "." in given:
            options[names[policy]] = inner
    return options


def _enqueue(job: Job) -> str:
    sdk, options = job.language.sdk, _options(job)
    values = [job.envelope.type, job.envelope.args, *([options] if options else [])]
    call = Group(f"client.{sdk['enqueue']}(", [("", JAVASCRIPT.node(one)) for one in values], ")", "", ",")
    made = layout(call, "  ", 0, len("const job = await "))
    return (
        f"const client = new {sdk['client']}({{ {sdk['base_url']}: url }});\n"
        f"const job = await {made};\n"
        "console.log(`Enqueued ${job.id}: ${job.state}`);\n"
    )


def _plain(job: Job) -> str:
    return (
        "const response = await fetch(`${url}/ojs/v1/jobs`, {\n"
        '  method: "POST",\n'
        '  headers: { "Content-Type": "application/openjobspec+json" },\n'
        f"  body: {javascript_raw(json_text(job.envelope.body))},\n"
        "});\n"
        "if (!response.ok) throw new Error(await response.text());\n"
        "const { job } = await response.json();\n"
        "console.log(`Enqueued ${job.id}: ${job.state}`);\n"
    )


def _worker(job: Job) -> str:
    sdk = job.language.sdk
    queues = layout(JAVASCRIPT.node([job.envelope.queue]))
    return (
        f"const worker = new {sdk['worker']}({{ {sdk['base_url']}: url, {sdk['queues']}: {queues} }});\n"
        f"worker.{sdk['register']}({json_string(job.envelope.type)}, async (ctx) => {{\n"
        f"  console.log(`${{ctx.job.type}}, attempt ${{ctx.attempt}}:`, {sdk['arguments']});\n"
        "  // The work. What is thrown here fails the job; what is returned is its result.\n"
        "  return { done: true };\n"
        "});\n"
        f'process.on("SIGTERM", () => worker.{sdk["stop"]}());\n'
        f"await worker.{sdk['start']}();\n"
    )
