"""What is wrong with a request that is being written: every problem, with its place and the clause that it breaks.

The engine's own readers judge; nothing is enqueued, and no id is drawn. A reader stops at the first problem, so that
what it refused is taken out of a copy, and the rest is read again.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from engine import envelope
from engine.errors import InvalidPayload, OJSError
from engine.http.binding import decode
from playground import json_places
from playground.json_places import Place

MOST: Final = 20
"""Problems that are listed."""
MAX_NOTES: Final = 8
"""Of which so many may be about parts that the server takes."""
MAX_BATCH: Final = 1000
"""Jobs of a batch that are looked at: the binding takes no more."""
_CLAUSE: Final = re.compile(r"\s*\(((?:OJS |openapi )[^()]*)\)(?=\.?\Z)")
_STAND_INS: Final[dict[str, Any]] = {
    "type": "a",
    "args": [],
    "name": "a",
    "cron": "* * * * *",
    "expression": "* * * * *",
}
"""What takes the place of a refused part that must be there."""
_ALIASES: Final = {"retry": "retry_policy"}

Reader = Callable[[Any, int], object]
Path = list[str | int]


class Target(NamedTuple):
    """Something that one can compose.

    Args:
        name: Its name in the address.
        label: What the page calls it.
        path: Where it is posted to.
        read: Reads its body as the engine does, without storing anything.
    """

    name: str
    label: str
    path: str
    read: Reader


class Problem(NamedTuple):
    """Something about a text.

    Args:
        error: Whether the server would refuse the text for it; otherwise it is only worth knowing.
        message: What, in a sentence.
        clause: Where the standard says so; may be empty.
        pointer: The value's JSON Pointer; empty for the whole text.
        place: Where in the text.
    """

    error: bool
    message: str
    clause: str
    pointer: str
    place: Place

    def to_dict(self) -> dict[str, Any]:
        """As the page's script reads it."""
        told = {"error": self.error, "message": self.message, "clause": self.clause, "pointer": self.pointer}
        return told | self.place._asdict()


# readers


def _no_id(_: int) -> str:
    return ""


def _job(body: Any, now: int) -> None:
    job, _ = envelope.read(body, now, _no_id)
    if job.unique is not None:
        from engine import unique_policy  # noqa: PLC0415 - few jobs have one

        unique_policy.parse(job.unique, job)
    if job.rate_limit is not None:
        from engine import limit_policy  # noqa: PLC0415 - as few

        limit_policy.parse(job.rate_limit, "rate_limit", f"queue:{job.queue}")


def _batch(body: Any, now: int) -> None:
    from engine.enqueue import check_batch  # noqa: PLC0415 - beside its one use

    for index, job in enumerate(check_batch(body.get("jobs"), MAX_BATCH, "jobs")):
        try:
            _job(job, now)
        except OJSError as error:
            inner = [*_resolved(str(error.details.get("field", "")), job)]
            field = f"jobs[{index}]" + "".join(f".{part}" for part in inner)
            raise type(error)(error.message, details={**error.details, "field": field}) from None


def _workflow(body: Any, now: int) -> None:
    from engine import workflow_reader  # noqa: PLC0415 - one target of four wants it

    workflow_reader.read(body, now)


def _cron(body: Any, now: int) -> None:
    from engine import cron_definition  # noqa: PLC0415 - as above

    cron_definition.read(body, now)


TARGETS: Final = (
    Target("job", "a job", "/ojs/v1/jobs", _job),
    Target("batch", "a batch of jobs", "/ojs/v1/jobs/batch", _batch),
    Target("workflow", "a workflow", "/ojs/v1/workflows", _workflow),
    Target("cron", "a cron entry", "/ojs/v1/cron", _cron),
)
BY_NAME: Final = {target.name: target for target in TARGETS}


# problems


def check(text: str, target: Target, now: int, limit: int) -> list[Problem]:
    """What is wrong with a text, the errors first, at most `MOST` problems.

    Args:
        text: What the visitor has written.
        target: What it is to be.
        now: The server's instant, milliseconds; relative times count from it.
        limit: Largest body that the server takes, bytes.
    """
    raw = text.encode("utf-8", "replace")
    if len(raw) > limit:
        message = f"The text has {len(raw):,} bytes; the server takes at most {limit:,}"
        return [_problem(message, "OJS Payload Limits", "", json_places.at(text, 0, 1))]
    if not text.strip():
        message = f"There is nothing here yet: write {target.label} as JSON, or begin with a template"
        return [_problem(message, "", "", json_places.at(text, 0, 0))]
    try:
        body = decode(raw)
    except InvalidPayload as error:
        return [_unreadable(text, error)]
    except RecursionError:
        return [_problem("The JSON is nested too deeply", "", "", json_places.at(text, 0, 1))]
    found = [
        _problem(error.message, "", json_places.pointer(path), json_places.find(text, path))
        for path, error in _refusals(target.read, body, now)
    ]
    if target.name == "job":
        found += islice(
            _notes(text, body), MOST
        )  # whoever sends ten thousand attributes need not be told of each
    return sorted(found, key=lambda one: (not one.error, one.place.start))[:MOST]


def _problem(message: str, clause: str, pointer: str, place: Place, *, error: bool = True) -> Problem:
    named = _CLAUSE.search(message)
    if named:
        clause, message = named[1], message[: named.start()].rstrip(".")
    return Problem(error, message if message.endswith((".", "?")) else message + ".", clause, pointer, place)


def _unreadable(text: str, error: InvalidPayload) -> Problem:
    line, column = error.details.get("line"), error.details.get("column")
    start, clause = 0, "OJS HTTP Binding 6.1"
    if isinstance(line, int) and isinstance(column, int):
        lines = text.split("\n")
        start = sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
    start = min(start, len(text))
    place = json_places.at(text, start, min(start + 1, len(text)))
    return _problem(error.message, clause, "", place)


def _refusals(read: Reader, body: Any, now: int) -> Iterator[tuple[Path, OJSError]]:
    """Every refusal, each with the path of what it is about."""
    body = copy.deepcopy(body)
    seen: set[tuple[Any, ...]] = set()
    for _ in range(MOST):
        try:
            read(body, now)
        except OJSError as error:
            listed = error.details.get("validation_errors")
            if isinstance(listed, list):  # a workflow's reader has gone on by itself
                for one in listed:
                    yield json_places.dotted(one["path"]), type(error)(_named(one))
                return
            path = _resolved(str(error.details.get("field", "")), body)
            if tuple(path) in seen:  # mending it has not helped
                return
            seen.add(tuple(path))
            yield path, error
            if not _mended(body, path):
                return
        else:
            return


def _named(problem: dict[str, str]) -> str:
    if _CLAUSE.search(problem["message"]):  # about a job inside: it names its field and clause itself
        return problem["message"]
    path = problem["path"].removeprefix("$").removeprefix(".")
    return f"{repr(path) if path else 'The workflow'} {problem['message']} (OJS Workflows 11.1)"


def _resolved(field: str, body: Any) -> Path:
    """The path of a field, wherever this body has it: ``priority`` may stand in ``options``."""
    path = json_places.dotted(field)
    if not path or not isinstance(body, dict) or path[0] in body:
        return path
    for holder in (["options"], [], ["job_template"], ["job_template", "options"]):
        inner: Any = body
        for name in holder:
            inner = inner.get(name) if isinstance(inner, dict) else None
        for known in (path[0], _ALIASES.get(str(path[0]))):
            if isinstance(inner, dict) and known in inner:
                return [*holder, str(known), *path[1:]]
    return path


def _mended(body: Any, path: Path) -> bool:
    """Take a refused part out of a body, or give it something that passes; whether that could be done."""
    if not path:
        return False
    *outer, last = path
    for part in outer:
        try:
            body = body[part]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(body, list) and isinstance(last, int) and last < len(body):  # the others keep their numbers
        body[last] = {"type": "a", "args": []}
        return True
    if isinstance(body, dict) and last in _STAND_INS and last != body.get(last):
        body[last] = _STAND_INS[str(last)]
        return True
    try:
        del body[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True


# what is worth knowing


def _notes(text: str, body: dict[str, Any]) -> Iterator[Problem]:
    """Parts that the server takes, but perhaps not as they were meant."""
    options = body.get("options")
    for name in body:
        if name in envelope.SYSTEM:
            yield _note(
                text, [name], f"Only the server sets '{name:.60}': what stands here is ignored", "5.3"
            )
        elif name not in envelope.KNOWN:
            told = f"'{name:.60}' is no attribute of the standard: the job carries it as it is"
            yield _note(text, [name], told + _meant(name, envelope.KNOWN - envelope.SYSTEM), "5.5")
    for name in options if isinstance(options, dict) else ():
        if name not in envelope.OPTIONS:
            told = f"'{name:.60}' is no option: it is ignored"
            yield _note(text, ["options", name], told + _meant(name, envelope.OPTIONS), "")


def _note(text: str, path: Path, message: str, clause: str) -> Problem:
    place = json_places.find(text, path)
    named = f"OJS Core {clause}" if clause else "OJS HTTP Binding 9.1"
    return _problem(message, named, json_places.pointer(path), place, error=False)


def _meant(name: str, known: frozenset[str]) -> str:
    """The known name that somebody may have meant, as the end of a sentence."""
    near = sorted((distance, one) for one in known if (distance := _distance(name, one)) <= 2)
    return f"; did you mean '{near[0][1]}'?" if near and len(name) > 3 else ""


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, left out or changed; 9 where it is surely many."""
    if abs(len(one) - len(other)) > 2:  # long names never get further, so this stays cheap
        return 9
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        last, row[0] = row[0], index
        for place, another in enumerate(other, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (letter != another))
    return row[-1]
