"""Go: the SDK, whose arguments are one object; plain ``net/http`` for any others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engine.times import HOUR, MINUTE, SECOND, parse_duration, parse_time
from playground.codegen.envelope import DURATIONS, INSTANTS, Envelope
from playground.codegen.layout import Group, Node, layout
from playground.codegen.literals import GO, go_raw, has_unpaired, json_text, python_string
from playground.codegen.program import Job, Part, Program, comment, fill, members, unsupported

_PLAIN: Final = (
    "The Go SDK's ojs.Args is one object, and these arguments are another list: this sends them as they are, "
    "by net/http."
)
_UNPAIRED: Final = (
    "A string here holds half a surrogate pair, which no Go string can: this is plain net/http."
)
_IMPORTS: Final = (
    "context",
    "encoding/json",
    "io",
    "log",
    "net/http",
    "os/signal",
    "strings",
    "syscall",
    "time",
)

_SDK_ENQUEUE: Final = """\
func enqueue(ctx context.Context) error {
	client, err := ojs.@client@(url)
	if err != nil {
		return err
	}
@before@	job, err := @call@
	if err != nil {
		return err
	}
	log.Printf("Enqueued %s: %s", job.ID, job.State)
	return nil
}
"""

_PLAIN_ENQUEUE: Final = """\
const body = @body@

func enqueue(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, "POST", url+"/ojs/v1/jobs", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/openjobspec+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	log.Printf("%s %s", response.Status, answer)
	return err
}
"""

_WORK: Final = """\
func work(ctx context.Context) error {
	worker := ojs.@worker@(url, ojs.@queues@(@queue@))
	worker.@register@(@type@, func(ctx ojs.JobContext) error {
		log.Printf("%s, attempt %d: %v", ctx.Job.Type, ctx.Job.Attempt, @arguments@)
		// The work. An error that is returned fails the job.
		ctx.SetResult(map[string]any{"done": true})
		return nil
	})
	return worker.@start@(ctx)
}
"""

_MAIN: Final = """\
func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
@calls@}
"""

_CALL: Final = """\
	if err := @name@(ctx); err != nil {
		log.Fatal(err)
	}
"""


def generate(job: Job, part: Part) -> Program:
    """The code."""
    reason = _reason(job.envelope)
    sends = part != "worker"
    notes = () if not sends else (reason,) if reason else unsupported(job.language, job.envelope.options)
    pieces = [f"const url = {python_string(job.base_url)}\n"]
    if sends:
        pieces.append(
            fill(_PLAIN_ENQUEUE, body=go_raw(json_text(job.envelope.body))) if reason else _enqueue(job)
        )
    if part != "producer":
        names = {key: job.language.sdk[key] for key in ("worker", "queues", "register", "start", "arguments")}
        text = python_string(job.envelope.type)
        pieces.append(fill(_WORK, queue=python_string(job.envelope.queue), type=text, **names))
    calls = ["enqueue"] * sends + ["work"] * (part != "producer")
    pieces.append(fill(_MAIN, calls="".join(fill(_CALL, name=name) for name in calls)))
    code = "\n".join(pieces)
    uses_sdk = part != "producer" or not reason
    return Program(
        comment("//", notes) + "package main\n\n" + _imports(job, code, uses_sdk) + "\n" + code, notes
    )


def _reason(envelope: Envelope) -> str:
    """Why the SDK cannot send the arguments as they are; empty when it can."""
    if has_unpaired(envelope.body):
        return _UNPAIRED
    args = envelope.args
    return "" if not args or (len(args) == 1 and isinstance(args[0], dict) and args[0]) else _PLAIN


def _imports(job: Job, code: str, uses_sdk: bool) -> str:
    bare = re.sub(r'`[^`]*`|"(?:[^"\\\n]|\\.)*"', '""', code)
    used = [name for name in _IMPORTS if re.search(rf"\b{name.rpartition('/')[2]}\.", bare)]
    lines = "".join(f'\t"{name}"\n' for name in used)
    if uses_sdk:
        lines += f'\n\tojs "{job.language.sdk["package"]}" // {job.language.sdk["install"]}\n'
    return f"import (\n{lines})\n"


def _enqueue(job: Job) -> str:
    sdk, envelope = job.language.sdk, job.envelope
    args = GO.node(envelope.args[0] if envelope.args else {})
    assert isinstance(args, Group)  # noqa: S101 - an object is one
    jitter = envelope.options.get("retry.jitter")
    before = "" if jitter is None else f"\tjitter := {'true' if jitter else 'false'}\n"
    values: list[tuple[str, Node]] = [
        ("", "ctx"),
        ("", python_string(envelope.type)),
        ("", args._replace(opening="ojs.Args{")),
        *(("", node) for node in _options(job)),
    ]
    call = layout(Group(f"client.{sdk['enqueue']}(", values, ")", "", ","), "\t", 1, len("    job, err := "))
    return fill(_SDK_ENQUEUE, client=sdk["client"], before=before, call=call)


def _options(job: Job) -> list[Node]:
    names, given = job.language.options, job.envelope.options
    found: list[Node] = []
    for path, value in given.items():
        if path in names and "." not in path:
            found.append(_option(names[path], path, value))
    for policy, kind in (("retry", "RetryPolicy"), ("unique", "UniquePolicy")):
        fields = [
            (f"{names[f'{policy}.{member}']}: ", _field(f"{policy}.{member}", value))
            for member, value in members(given, policy).items()
            if f"{policy}.{member}" in names
        ]
        if fields or policy + "." in given:
            value = Group(f"ojs.{kind}{{", fields, "}", "", ",")
            found.append(Group(f"ojs.{names[policy]}(", [("", value)], ")", "", ","))
    return found


def _option(name: str, path: str, value: Any) -> Node:
    if path in INSTANTS:
        if value[:1] in {"P", "+"}:
            wait = duration(parse_duration(value.removeprefix("+")))
            return (
                f"ojs.WithDelay({wait})" if path == "scheduled_at" else f"ojs.{name}(time.Now().Add({wait}))"
            )
        return f"ojs.{name}({_instant(parse_time(value))})"
    if path in DURATIONS:
        return f"ojs.{name}({duration(value)})"
    nodes = [GO.node(one) for one in value] if isinstance(value, list) else [GO.node(value)]
    return Group(f"ojs.{name}(", [("", node) for node in nodes], ")", "", ",")


def _field(path: str, value: Any) -> Node:
    if path in DURATIONS:
        return duration(value)
    if path == "retry.jitter":
        return "&jitter"
    if path == "retry.max_attempts":
        return repr(max(1, value))  # the SDK leaves out a 0; 1 means the same, no retry
    if isinstance(value, list):
        return Group("[]string{", [("", GO.node(one)) for one in value], "}", "", ",")
    return GO.node(value)


def duration(ms: int) -> str:
    """An interval, e.g. ``5 * time.Second``."""
    for unit, name in ((HOUR, "Hour"), (MINUTE, "Minute"), (SECOND, "Second")):
        if ms and ms % unit == 0:
            return f"{ms // unit} * time.{name}"
    return f"{ms} * time.Millisecond"


def _instant(ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    nanoseconds = at.microsecond * 1000
    return (
        f"time.Date({at.year}, time.{_MONTHS[at.month - 1]}, {at.day}, {at.hour}, {at.minute}, {at.second}, "
        f"{nanoseconds}, time.UTC)"
    )


_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)
