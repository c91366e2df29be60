"""The course: chapters and steps, in the order of ``spec/learn/index.json``.

A step is a file ``spec/learn/CHAPTER/STEP.md``; its name is its identity, wherever it stands. Hosts with the files read
and render them; a tab is given what they made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from engine.errors import NotFound
from playground import resources

BUNDLED: Final = "learn.json"
"""The rendered course among the tab's files."""

Predicate = Mapping[str, Any]
"""``{checks, of?}``: see `playground.learn.judge`."""
Act = Mapping[str, Any]
"""One thing that a visitor does: a scenario's step without ``at``, ``{move, with?}`` through time, or
``{cases: {level, own?}}``; ``after`` lets time pass first."""


class Step(NamedTuple):
    """One step.

    Args:
        name: Its identity and its name in the address; never given to another step.
        chapter: Name of its chapter.
        title: Its heading.
        goal: What is to be reached, a sentence.
        html: The text.
        do: Names of the panes where one acts; may be empty.
        see: Names of the panes that show what happens; the first one first.
        draft: What the editor or the console begins with.
        teaches: Ids of the requirements that it teaches.
        fast: Whether the fast track has it.
        paused: Whether time stands still at its beginning.
        server: Whether it is about the real server, not about the sandbox.
        start: The scenario that it begins with.
        predicate: When the goal is reached.
        wrongs: Wrong turns: ``{name, message, checks, of?, acts}``.
        hints: Three, from a nudge to nearly the answer; HTML.
        solution: What to do.
        predict: ``{asks, choices: [{says, path, assertions}], because}``, or None.
        answer: Which of the choices is right in the recorded run, counted from 0; None where nothing is asked.
        recorded: What happened when the solution was done: ``{time, did, what, more}``.
        diff: The draft and what it becomes, line by line, each with its sign.
        broken: Why its scenario cannot be played; empty when it can.
    """

    name: str
    chapter: str
    title: str
    goal: str
    html: str
    do: tuple[str, ...]
    see: tuple[str, ...]
    draft: str
    teaches: tuple[str, ...]
    fast: bool
    paused: bool
    server: bool
    start: Mapping[str, Any]
    predicate: Predicate
    wrongs: tuple[Mapping[str, Any], ...]
    hints: tuple[str, ...]
    solution: tuple[Act, ...]
    predict: Mapping[str, Any] | None = None
    answer: int | None = None
    recorded: tuple[Mapping[str, Any], ...] = ()
    diff: tuple[str, ...] = ()
    broken: str = ""

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/learn/{self.chapter}/{self.name}"


class Chapter(NamedTuple):
    """Steps that belong together.

    Args:
        name: Its name in addresses.
        title: Its heading.
        summary: What one learns, a sentence.
        steps: Its steps, in order.
    """

    name: str
    title: str
    summary: str
    steps: tuple[Step, ...]


class Course:
    """All steps.

    Args:
        chapters: From the first to the last.
    """

    def __init__(self, chapters: tuple[Chapter, ...]) -> None:
        self.chapters = chapters
        self.steps = {step.name: step for chapter in chapters for step in chapter.steps}

    def step(self, name: str) -> Step:
        """A step by its name.

        Raises:
            NotFound: There is none.
        """
        if name not in self.steps:
            raise NotFound(
                f"There is no step '{name:.64}' in the tutorial.", details={"resource_type": "step"}
            )
        return self.steps[name]

    def chapter(self, name: str) -> Chapter:
        """A chapter by its name, which a step of it has said."""
        return next(one for one in self.chapters if one.name == name)

    def neighbours(self, step: Step, *, fast: bool = False) -> tuple[Step | None, Step | None]:
        """The steps before and after one; on the fast track those that belong to it."""
        everyone = [one for one in self.steps.values() if one.fast or not fast or one is step]
        place = everyone.index(step)
        return (
            everyone[place - 1] if place else None,
            everyone[place + 1] if place + 1 < len(everyone) else None,
        )

    def teaching(self, requirement: str) -> list[Step]:
        """The steps that teach a requirement."""
        return [one for one in self.steps.values() if requirement in one.teaches]


@cache
def course() -> Course:
    """The course: given, or read and rendered now."""
    bundled = resources.bundled(f"spec/{BUNDLED}")
    if bundled is not None:
        return load(bundled)
    from playground.learn.writing import read_course  # noqa: PLC0415 - a tab has no markdown

    return read_course()


def dump(whole: Course) -> str:
    """A rendered course as JSON, for `load`."""
    told = [
        {**chapter._asdict(), "steps": [step._asdict() for step in chapter.steps]}
        for chapter in whole.chapters
    ]
    return json.dumps(told, ensure_ascii=False)


def _given(value: list[Any]) -> Any:
    return tuple(value)


def load(text: str) -> Course:
    """A course from `dump`."""
    lists = ("do", "see", "teaches", "wrongs", "hints", "solution", "recorded", "diff")
    chapters = []
    for told in json.loads(text):
        steps: list[dict[str, Any]] = told.pop("steps")
        read = (
            Step(**{name: _given(value) if name in lists else value for name, value in step.items()})
            for step in steps
        )
        chapters.append(Chapter(**told, steps=tuple(read)))
    return Course(tuple(chapters))
