"""The language of the job search: qualifiers, free text, and errors that say what, where and how to mend it.

A query is a row of terms, each of which a job must meet: ``state:retryable,discarded type:email.* args.user:1
attempt:>2 -tag:slow error:"timed out" text``. A minus turns a term round. Here is only what a query means; which jobs
are looked at is `playground.found`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from functools import lru_cache
from typing import Any, Final, NamedTuple

from engine.job import Job
from engine.lifecycle import STATES

MAX_QUERY: Final = 500
"""Longest query, characters."""
MAX_TERMS: Final = 20
MAX_TEXT: Final = 4_000
"""Characters of a job's arguments that free text looks into: a megabyte must not slow the page."""
_DEPTH: Final = 6

Test = Callable[[Job], bool]


class Problem(NamedTuple):
    """A part of the query that cannot be read.

    Args:
        start: Where it begins, characters from 0.
        end: Where it ends, exclusive.
        what: What is wrong, one sentence.
        hint: How to mend it.
    """

    start: int
    end: int
    what: str
    hint: str


class Search(NamedTuple):
    """A query, read.

    Args:
        text: As it came, cut to `MAX_QUERY`.
        states: The states that it asks for, None for all.
        queue: The one queue that it asks for, or None.
        id: The one whole job id that it asks for, or None.
        tests: What a job must meet beyond these.
        problems: The parts that cannot be read; the other parts hold.
        deep: Whether a test looks into arguments, which takes longer.
    """

    text: str
    states: tuple[str, ...] | None
    queue: str | None
    id: str | None
    tests: tuple[Test, ...]
    problems: tuple[Problem, ...]
    deep: bool

    @property
    def is_plain(self) -> bool:
        """Whether the store's own order and counts answer it, so that no job has to be looked at."""
        return not self.tests and self.id is None and (self.states is None or len(self.states) == 1)

    def matches(self, job: Job) -> bool:
        """Whether a job meets every term."""
        return (
            (self.states is None or job.state in self.states)
            and (self.queue is None or job.queue == self.queue)
            and (self.id is None or job.id == self.id)
            and all(test(job) for test in self.tests)
        )


class _Refused(Exception):
    """A term cannot be read.

    Args:
        what: What is wrong with it.
        hint: How to mend it.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class _Term(NamedTuple):
    start: int
    end: int
    negated: bool
    name: str  # "" for free text
    value: str


_NAME: Final = re.compile(r"(-?)([A-Za-z_]+(?:\.[^\s:\"]+)?):")
_COMPARED: Final = re.compile(r"(>=|<=|>|<|=)?(-?\d{1,9})\Z", re.ASCII)
_RANGE: Final = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})\Z", re.ASCII)
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)


def _terms(text: str) -> Iterator[_Term | Problem]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        start = place
        named = _NAME.match(text, place)
        negated, name = False, ""
        if named is not None:
            negated, name, place = bool(named[1]), named[2], named.end()
        elif text[place] == "-" and place + 1 < len(text) and not text[place + 1].isspace():
            negated, place = True, place + 1
        if text[place : place + 1] == '"':
            closed = text.find('"', place + 1)
            if closed < 0:
                yield Problem(
                    start, len(text), "A quotation mark is opened and not closed.", 'Close it with ".'
                )
                return
            value, place = text[place + 1 : closed], closed + 1
        else:
            end = next((index for index in range(place, len(text)) if text[index].isspace()), len(text))
            value, place = text[place:end], end
        head, dot, rest = name.partition(".")
        yield _Term(start, place, negated, head.lower() + dot + rest, value)


# what each qualifier means


def _glob(value: str) -> Callable[[str], bool]:
    """A test of a text: equal, or by ``*`` and nothing else that globs know."""
    if "*" not in value:
        return lambda text: text == value
    if value.count("*") == 1 and value.endswith("*"):
        return lambda text: text.startswith(value[:-1])
    if value.count("*") > 5:
        raise _Refused("More than five stars take too long to match.", "Use fewer *.")
    pattern = re.compile(translate(value.replace("[", "[[]").replace("?", "[?]")))
    return lambda text: pattern.match(text) is not None


def _number(value: str) -> Callable[[int], bool]:
    ranged = _RANGE.match(value)
    if ranged is not None:
        low, high = int(ranged[1]), int(ranged[2])
        if low > high:
            raise _Refused(f"{low}..{high} holds no number.", f"Write {high}..{low}.")
        return lambda number: low <= number <= high
    found = _COMPARED.match(value)
    if found is None:
        raise _Refused(f"'{value:.40}' is no number.", "Write 3, >3, >=3, <3, <=3 or 1..3.")
    bound = int(found[2])
    tests: dict[str | None, Callable[[int], bool]] = {
        ">": lambda number: number > bound,
        ">=": lambda number: number >= bound,
        "<": lambda number: number < bound,
        "<=": lambda number: number <= bound,
    }
    return tests.get(found[1], lambda number: number == bound)


def _state_names(value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(one for one in value.lower().split(",") if one))
    for name in names:
        if name not in STATES:
            near = _near(name, STATES)
            raise _Refused(
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
        raise _Refused("'meta' needs the name of a field.", "Write meta.NAME:VALUE.")
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
    names = _state_names(value)
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


def _test(term: _Term) -> Test:
    if not term.name:
        return _of_text(term.value)
    name, dot, rest = term.name.partition(".")
    if name not in NAMES:
        near = _near(name, NAMES)
        raise _Refused(
            f"There is no qualifier '{name:.40}'.",
            (f"Did you mean {near}:? " if near else f"There are {', '.join(NAMES)}. ")
            + f'To search for the text itself, write "{term.name[:40]}:{term.value[:40]}".',
        )
    if not term.value:
        raise _Refused(
            f"'{term.name:.60}:' has no value.", f"Write one right after the colon, such as {EXAMPLES[name]}."
        )
    if name in _PLACES:
        return _PLACES[name]([part for part in rest.split(".") if part] if dot else [], term.value)
    if dot:
        raise _Refused(f"'{name}' has no fields.", f"Write {EXAMPLES[name]}.")
    return _QUALIFIERS[name](term.value)


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


@lru_cache(maxsize=64)  # a live view asks for the same one again and again
def parse(text: str) -> Search:
    """Read a query; never raises. What cannot be read is told in `Search.problems`, and the rest holds."""
    problems: list[Problem] = []
    if len(text) > MAX_QUERY:
        what = f"A query has at most {MAX_QUERY} characters; this one has {len(text)}."
        problems.append(Problem(MAX_QUERY, MAX_QUERY, what, "Shorten it; its end is left out."))
        text = text[:MAX_QUERY]
    states: tuple[str, ...] | None = None
    queue = job_id = None
    tests: list[Test] = []
    deep = False
    for count, term in enumerate(_terms(text)):
        if isinstance(term, Problem):
            problems.append(term)
            continue
        if count >= MAX_TERMS:
            what = f"A query has at most {MAX_TERMS} terms."
            problems.append(Problem(term.start, len(text), what, "Leave some out."))
            break
        try:
            test = _test(term)
        except _Refused as refused:
            problems.append(Problem(term.start, term.end, refused.what, refused.hint))
            continue
        if not term.negated and term.name == "state" and states is None:
            states = _state_names(term.value)
        elif not term.negated and term.name == "queue" and queue is None and "*" not in term.value:
            queue = term.value
        elif (
            not term.negated and term.name == "id" and job_id is None and _WHOLE_ID.match(term.value.lower())
        ):
            job_id = term.value.lower()
        else:
            deep = deep or not term.name or term.name == "args"
            tests.append(_not(test) if term.negated else test)
    return Search(text, states, queue, job_id, tuple(tests), tuple(problems), deep)


def _not(test: Test) -> Test:
    return lambda job: not test(job)
