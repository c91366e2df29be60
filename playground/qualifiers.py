"""What each qualifier of the job search asks of a job, as a test of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from typing import Any, Final

from engine.job import Job
from engine.lifecycle import STATES

MAX_TEXT: Final = 4_000
"""Characters of a job's arguments that free text looks into: a megabyte must not slow the page."""
_DEPTH: Final = 6

Test = Callable[[Job], bool]

_COMPARED: Final = re.compile(r"(>=|<=|>|<|=)?(-?\d{1,9})\Z", re.ASCII)
_RANGE: Final = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})\Z", re.ASCII)


class Refused(Exception):
    """A term cannot be read.

    Args:
        what: What is wrong with it.
        hint: How to mend it.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def _glob(value: str) -> Callable[[str], bool]:
    """A test of a text: equal, or by ``*`` and nothing else that globs know."""
    if "*" not in value:
        return lambda text: text == value
    if value.count("*") == 1 and value.endswith("*"):
        return lambda text: text.startswith(value[:-1])
    if value.count("*") > 5:
        raise Refused("More than five stars take too long to match.", "Use fewer *.")
    pattern = re.compile(translate(value.replace("[", "[[]").replace("?", "[?]")))
    return lambda text: pattern.match(text) is not None


def _number(value: str) -> Callable[[int], bool]:
    ranged = _RANGE.match(value)
    if ranged is not None:
        low, high = int(ranged[1]), int(ranged[2])
        if low > high:
            raise Refused(f"{low}..{high} holds no number.", f"Write {high}..{low}.")
        return lambda number: low <= number <= high
    found = _COMPARED.match(value)
    if found is None:
        raise Refused(f"'{value:.40}' is no number.", "Write 3, >3, >=3, <3, <=3 or 1..3.")
    bound = int(found[2])
    tests: dict[str | None, Callable[[int], bool]] = {
        ">": lambda number: number > bound,
        ">=": lambda number: number >= bound,
        "<": lambda number: number < bound,
        "<=": lambda number: number <= bound,
    }
    return tests.get(found[1], lambda number: number == bound)


def state_names(value: str) -> tuple[str, ...]:
    """States as a query lists them.

    Raises:
        Refused: There is no such state, or none is named.
    """
    names = tuple(dict.fromkeys(one for one in value.lower().split(",") if one))
    if not names:
        raise Refused("'state:' names no state.", f"Write {EXAMPLES['state']}.")
    for name in names:
        if name not in STATES:
            near = _near(name, STATES)
            raise Refused(
                f"There is no state '{name:.40}'.",
                f"Did you mean {near}?" if near else f"The states are {', '.join(STATES)}.",
            )
    return names


def _near(name: str, known: Iterable[str]) -> str:
    """The known name that a misspelt one resembles most, or ""."""
    pairs = {name[index : index + 2] for index in range(len(name) - 1)}

    def likeness(other: str) -> float:
        theirs = {other[index : index + 2] for index in range(len(other) - 1)}
        return 2 * len(pairs & theirs) / ((len(pairs) + len(theirs)) or 1)

    best = max(known, key=likeness)
    return str(best) if likeness(best) >= 0.4 else ""


_WORDS: Final = {None: "null", True: "true", False: "false"}


def _scalar(value: Any) -> str:
    """A JSON value as one types it: a string without its quotation marks, of a list or an object what is in it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return spelled(value)
    return _WORDS[value] if value is None or isinstance(value, bool) else str(value)


def _inside(container: Any, path: list[str]) -> tuple[bool, Any]:
    """Whether a place of a JSON value exists, and what is there."""
    for part in path:
        if isinstance(container, dict) and part in container:
            container = container[part]
        elif (
            isinstance(container, list) and part.isascii() and part.isdecimal() and int(part) < len(container)
        ):
            container = container[int(part)]
        else:
            return False, None
    return True, container


def _placed(container: Any, path: list[str], fits: Callable[[str], bool]) -> bool:
    there, value = _inside(container, path)
    return there and fits(_scalar(value)[:MAX_TEXT])


def _of_args(path: list[str], value: str) -> Test:
    """``args.0.user:1`` by place; ``args.user:1`` in whichever argument is an object with that field."""
    fits = _glob(value)
    if not path:
        return lambda job: value.casefold() in spelled(job.args).casefold()
    if path[0].isascii() and path[0].isdecimal():
        return lambda job: _placed(job.args, path, fits)
    return lambda job: any(_placed(one, path, fits) for one in job.args if isinstance(one, dict))


def _of_meta(path: list[str], value: str) -> Test:
    fits = _glob(value)
    if not path:
        raise Refused("'meta' needs the name of a field.", "Write meta.NAME:VALUE.")
    return lambda job: _placed(job.meta or {}, path, fits) or _placed(job.meta or {}, [".".join(path)], fits)


def _of_id(value: str) -> Test:
    wanted = value.lower().lstrip("…")
    if "*" in wanted:
        fits = _glob(wanted)
        return lambda job: fits(job.id)
    return lambda job: job.id.startswith(wanted) or job.id.endswith(wanted)


def _of_error(value: str) -> Test:
    wanted = value.casefold()
    return lambda job: job.error is not None and wanted in failure_text(job.error).casefold()


def failure_text(error: dict[str, Any]) -> str:
    """What is searched of an error: its type, code and message."""
    return " ".join(str(error.get(part) or "") for part in ("type", "code", "message"))[:MAX_TEXT]


def _of_tag(value: str) -> Test:
    fits = _glob(value)
    return lambda job: job.tags is not None and any(fits(tag) for tag in job.tags)


def _of_text(value: str) -> Test:
    wanted = value.casefold()

    def holds(job: Job) -> bool:
        return (
            wanted in job.type
            or wanted in job.id
            or wanted in job.queue
            or (job.tags is not None and any(wanted in tag.casefold() for tag in job.tags))
            or (job.error is not None and wanted in failure_text(job.error).casefold())
            or wanted in spelled(job.args).casefold()
        )

    return holds


def spelled(value: Any) -> str:
    """A JSON value's texts and numbers as one text of at most `MAX_TEXT` characters; what lies too deep is left out."""
    parts: list[str] = []
    room = MAX_TEXT

    def walk(one: Any, depth: int) -> None:
        nonlocal room
        if room <= 0:
            return
        if isinstance(one, dict) and depth:
            for name, inner in one.items():
                if room <= 0:
                    return
                parts.append(name[:room])
                room -= len(name) + 1
                walk(inner, depth - 1)
        elif isinstance(one, list) and depth:
            for inner in one:
                if room <= 0:
                    return
                walk(inner, depth - 1)
        elif not isinstance(one, (dict, list)):
            text = _scalar(one)[:room]
            parts.append(text)
            room -= len(text) + 1

    walk(value, _DEPTH)
    return " ".join(parts)


def _simple(read: Callable[[Job], str | None]) -> Callable[[str], Test]:
    def made(value: str) -> Test:
        fits = _glob(value)
        return lambda job: (found := read(job)) is not None and fits(found)

    return made


def _numeric(read: Callable[[Job], int]) -> Callable[[str], Test]:
    def made(value: str) -> Test:
        fits = _number(value)
        return lambda job: fits(read(job))

    return made


def _of_states(value: str) -> Test:
    names = state_names(value)
    return lambda job: job.state in names


_QUALIFIERS: Final[dict[str, Callable[[str], Test]]] = {
    "state": _of_states,
    "type": _simple(lambda job: job.type),
    "queue": _simple(lambda job: job.queue),
    "id": _of_id,
    "tag": _of_tag,
    "attempt": _numeric(lambda job: job.attempt),
    "priority": _numeric(lambda job: job.priority),
    "error": _of_error,
    "worker": _simple(lambda job: job.worker_id),
    "workflow": _simple(lambda job: job.workflow_id),
    "cron": _simple(lambda job: job.cron_name),
}
_PLACES: Final[dict[str, Callable[[list[str], str], Test]]] = {"args": _of_args, "meta": _of_meta}
NAMES: Final = (*_QUALIFIERS, *_PLACES)
"""The qualifiers."""


EXAMPLES: Final = {
    "state": "state:retryable,discarded",
    "type": "type:email.*",
    "queue": "queue:default",
    "id": "id:0190a1",
    "tag": "tag:nightly",
    "attempt": "attempt:>2",
    "priority": "priority:1..10",
    "error": 'error:"timed out"',
    "worker": "worker:demo-1",
    "workflow": "workflow:0190*",
    "cron": "cron:report",
    "args": "args.user:1",
    "meta": "meta.tenant_id:acme",
}
"""One example of each qualifier."""


def test_of(qualifier: str, value: str) -> Test:
    """What a term asks of a job.

    Args:
        qualifier: What stands before the colon, e.g. ``args.user``; empty for free text.
        value: What stands after it.

    Raises:
        Refused: It cannot be read.
    """
    if not qualifier:
        return _of_text(value)
    name, dot, rest = qualifier.partition(".")
    if name not in NAMES:
        near = _near(name, NAMES)
        raise Refused(
            f"There is no qualifier '{name:.40}'.",
            (f"Did you mean {near}:? " if near else f"There are {', '.join(NAMES)}. ")
            + f'To search for the text itself, write "{qualifier[:40]}:{value[:40]}".',
        )
    if not value:
        raise Refused(
            f"'{qualifier:.60}:' has no value.", f"Write one right after the colon, such as {EXAMPLES[name]}."
        )
    if name in _PLACES:
        return _PLACES[name]([part for part in rest.split(".") if part] if dot else [], value)
    if dot:
        raise Refused(f"'{name}' has no fields.", f"Write {EXAMPLES[name]}.")
    return _QUALIFIERS[name](value)
