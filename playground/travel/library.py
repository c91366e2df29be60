"""The library of scenarios: lessons in chapters, each a file of `spec/scenarios/`, in the order of its ``index.json``.

A file is read when somebody first asks for it; the chapters' lists need all of them, a single lesson needs one.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from engine.errors import NotFound
from playground import resources
from playground.travel.scenario import Scenario, read


class Chapter(NamedTuple):
    """Lessons that belong together.

    Args:
        title: Its heading.
        summary: What they are about, a sentence.
        names: The lessons' names, in the order in which they are best read.
    """

    title: str
    summary: str
    names: tuple[str, ...]


def text(name: str) -> str:
    """A file of the library as it is.

    Args:
        name: Its name without ``.json``.
    """
    found = resources.bundled(f"spec/scenarios/{name}.json")
    if found is None:
        return (resources.path("spec") / "scenarios" / f"{name}.json").read_text(encoding="utf-8")
    return found


@cache
def chapters() -> tuple[Chapter, ...]:
    """The chapters, from the first to the last."""
    index: dict[str, Any] = json.loads(text("index"))
    return tuple(Chapter(one["title"], one["summary"], tuple(one["scenarios"])) for one in index["chapters"])


@cache
def names() -> tuple[str, ...]:
    """The lessons' names, in the order of the chapters."""
    return tuple(name for chapter in chapters() for name in chapter.names)


@cache
def lesson(name: str) -> Scenario:
    """One lesson.

    Raises:
        NotFound: The library has none of this name.
    """
    if name not in names():
        raise NotFound(
            f"There is no scenario '{name:.64}' in the library.", details={"resource_type": "scenario"}
        )
    return read(text(name))


def neighbours(name: str) -> tuple[str | None, str | None]:
    """The lessons before and after one of the library."""
    everyone = names()
    place = everyone.index(name)
    before = everyone[place - 1] if place else None
    after = everyone[place + 1] if place + 1 < len(everyone) else None
    return before, after
