"""Reads the files of the tutorial, and makes of them what pages show: the text, the recorded run, the answer, the diff.

A file has ``key: value`` lines (title, goal, do, see, teaches, and ``time: stands``, ``track: fast``, ``place: server``
where they apply) up to a line ``---``, then markdown. Fenced blocks with these words are no part of the text:
``start``, ``goal``, ``solution``, ``predict`` and ``wrong NAME`` hold JSON (``schema.json``), ``draft`` and three
``hint`` hold text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import ndiff
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt

from engine.errors import OJSError
from engine.events import Event
from engine.jsonschema import pointer, validate
from playground import resources, telling
from playground.learn.course import Chapter, Course, Step
from playground.learn.judge import holding
from playground.learn.stage import Stage, told
from playground.render import pretty
from playground.travel import scenario

SOURCE: Final = "learn"
"""Folder of the tutorial in ``spec/``."""
START: Final = {
    "format": scenario.FORMAT,
    "version": scenario.VERSION,
    "seed": 1,
    "start": "2026-01-01T12:00:00.000Z",
    "steps": [],
}
"""What a step's beginning has where its file says nothing."""
HEAD: Final = frozenset({"title", "goal", "do", "see", "teaches"})
OPTIONS: Final = {"time": "stands", "track": "fast", "place": "server"}
"""Further lines of a head, and the one value that each can have."""
_FENCE: Final = re.compile(
    r"^```(start|draft|goal|solution|predict|wrong|hint)\b[ ]*([^\n]*)\n(.*?)^```$\n?",
    re.MULTILINE | re.DOTALL,
)
_QUIET: Final = ("job.heartbeat", "job.progress")


class StepError(ValueError):
    """A file of the tutorial cannot be read; the message names it."""


def read_course(folder: Path | None = None) -> Course:
    """Read and render the whole course.

    Args:
        folder: Where it is; the project's own where it is left out.

    Raises:
        StepError: A file is missing, or cannot be read.
    """
    folder = folder or resources.path("spec") / SOURCE
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    schema["$defs"] = {**scenario.schema()["$defs"], **schema["$defs"]}
    chapters, seen = [], set[str]()
    for one in json.loads((folder / "index.json").read_text(encoding="utf-8"))["chapters"]:
        steps = []
        for name in one["steps"]:
            if name in seen:
                raise StepError(f"index.json: there are two steps '{name}'; a name is an identity.")
            seen.add(name)
            file = folder / one["name"] / f"{name}.md"
            if not file.exists():
                raise StepError(f"index.json: there is no file {one['name']}/{name}.md.")
            steps.append(read_step(one["name"], name, file.read_text(encoding="utf-8"), schema))
        chapters.append(Chapter(one["name"], one["title"], one["summary"], tuple(steps)))
    return Course(tuple(chapters))


def read_step(chapter: str, name: str, text: str, schema: Mapping[str, Any]) -> Step:
    """Read and render one step; one whose scenario cannot be played says so, and keeps its text.

    Raises:
        StepError: The file cannot be read.
    """
    place = f"{chapter}/{name}.md"
    head, _, body = text.partition("\n---\n")
    facts = _head(place, head)
    blocks, hints, draft = _blocks(place, body, schema)
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    if len(hints) != 3:
        raise StepError(f"{place}: it has {len(hints)} hints; there are three rungs.")
    step = Step(
        name,
        chapter,
        facts["title"],
        facts["goal"],
        parser.render(_FENCE.sub("", body)),
        tuple(facts["do"].split()),
        tuple(facts["see"].split()),
        draft,
        tuple(facts["teaches"].split()),
        fast="track" in facts,
        paused="time" in facts,
        server="place" in facts,
        start={**START, "title": facts["title"], **blocks["start"]},
        predicate=blocks["goal"],
        wrongs=tuple(blocks["wrong"]),
        hints=tuple(parser.renderInline(hint.strip()) for hint in hints),
        solution=tuple(blocks["solution"]),
        predict=blocks.get("predict"),
        diff=tuple(_diff(draft, blocks["solution"])),
    )
    return _recorded(step)


def _head(place: str, head: str) -> dict[str, str]:
    facts = dict(line.partition(":")[::2] for line in head.splitlines())
    facts = {key: value.strip() for key, value in facts.items()}
    if missing := HEAD - facts.keys():
        raise StepError(f"{place}: its head lacks {', '.join(sorted(missing))}.")
    for key in facts.keys() - HEAD:
        if key not in OPTIONS or facts[key] != OPTIONS[key]:
            raise StepError(f"{place}: its head has '{key}: {facts[key]}', which means nothing.")
    return facts


def _blocks(place: str, body: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], str]:
    """The JSON of the fenced blocks, the hints, the draft."""
    found: dict[str, Any] = {"start": {}, "wrong": []}
    hints, draft = [], ""
    for kind, words, content in _FENCE.findall(body):
        if kind == "hint":
            hints.append(content)
        elif kind == "draft":
            draft = content.rstrip("\n")
        else:
            try:
                value = json.loads(content)
            except ValueError as error:
                raise StepError(f"{place}: the block '{kind} {words}' is not JSON: {error}.") from None
            if kind == "wrong":
                found["wrong"].append({"name": words, **value})
            else:
                found[kind] = value
    if broken := validate(schema, found):
        raise StepError(f"{place}: {pointer(broken[0].path) or 'its blocks'}: {broken[0].message}.")
    return found, hints, draft


def _diff(draft: str, acts: list[Mapping[str, Any]]) -> Iterator[str]:
    """How the draft becomes the last body that the solution sends; nothing where one of them has none."""
    bodies = [act["request"]["body"] for act in acts if "body" in act.get("request", {})]
    _, _, given = (
        draft.rpartition("\n\n") if draft.startswith(("POST ", "PUT ", "PATCH ")) else ("", "", draft)
    )
    if not bodies or not given:
        return
    with suppress(ValueError):  # a draft may be meant to be mended
        given = pretty(json.loads(given))
    lines = [line for line in ndiff(given.splitlines(), pretty(bodies[-1]).splitlines()) if line[0] != "?"]
    if any(line[0] != " " for line in lines):
        yield from lines


def _recorded(step: Step) -> Step:
    """The step with its recorded run and the answer to its question."""
    rows: list[Mapping[str, Any]] = []
    told_of: set[tuple[str, str, int]] = set()

    def hear(event: Event) -> None:
        key = (event.type, str(event.subject), event.time)
        if event.type.endswith(_QUIET) or event.type.startswith("worker.heartbeat") or key in told_of:
            return
        told_of.add(key)
        rows.append({"time": event.time, "did": False, "what": event.type, "more": telling.tell(event)})

    try:
        step = step._replace(start=scenario.read(json.dumps(step.start)))
        stage = Stage(step)
        stage.session.listeners.append(hear)
        for act in step.solution:
            if act.get("after"):
                stage.act({"after": act["after"]})
            what, more = told(act)
            if what != "Wait" or "note" in act:
                now = stage.session.engine.now()
                rows.append({"time": now, "did": True, "what": act.get("note", what), "more": more})
            stage.act({name: value for name, value in act.items() if name != "after"})
        answers = holding(step, stage.read())
    except (OJSError, ValueError) as error:
        return step._replace(broken=str(error))
    return step._replace(recorded=tuple(rows), answer=answers[0] if len(answers) == 1 else None)
