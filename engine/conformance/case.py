"""Case files: reading one, and saying precisely what is wrong with one that cannot be read.

A case is data. What it expects is judged in `engine.conformance.expect`; whether it can pass at all in
`engine.conformance.soundness`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from engine import nesting
from engine.conformance.values import MAX_DEPTH, too_deep

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
WAIT: Final = "WAIT"
ASSERT: Final = "ASSERT"
PHASES: Final = ("setup", "steps", "teardown")
_STEP_FIELDS: Final = frozenset(
    "id action intent path headers body raw_body delay_ms duration_ms description assertions parallel".split()
)
MAX_WAIT: Final = 366 * 24 * 3600 * 1000
"""Longest wait that a step may declare, milliseconds."""

Level: TypeAlias = int | str
"""0 to 4, or a word (``ext``) for extensions that belong to no level."""


class CaseFileError(ValueError):
    """A case file that cannot be run.

    Args:
        file: Path of the file, as the loader named it.
        place: Where in the file, e.g. ``steps[2].delay_ms`` or ``line 4, column 7``; empty for the whole file.
        reason: What is wrong there.
    """

    def __init__(self, file: str, place: str, reason: str) -> None:
        super().__init__(f"{file}{', ' + place if place else ''}: {reason}")
        self.file = file
        self.place = place
        self.reason = reason

    def to_dict(self) -> dict[str, str]:
        """The three parts as JSON values."""
        return {"file": self.file, "place": self.place, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Step:
    """One request, wait or cross-step assertion.

    Args:
        id: What templates call it; its place in the file when it has no id.
        action: An HTTP method, ``WAIT``, ``ASSERT``, or something that is not of the language.
        phase: ``setup``, ``steps`` or ``teardown``.
        path: URL path, may hold templates; empty for WAIT and ASSERT.
        headers: Request headers as written.
        body: Request body, any JSON value; None when there is none.
        raw_body: Request body as text, sent as it is.
        wait_ms: Milliseconds to wait first; a WAIT step does nothing else.
        intent: What it is for, in a few words.
        description: The same in a sentence.
        assertions: What is expected, as written; None when nothing is.
        parallel: Neighbouring steps with the same name here are sent at once.
        ignored: Fields that the language does not have, e.g. ``capture``.
    """

    id: str
    action: str
    phase: str = "steps"
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    raw_body: str | None = None
    wait_ms: int = 0
    intent: str = ""
    description: str = ""
    assertions: dict[str, Any] | None = None
    parallel: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def is_request(self) -> bool:
        """Whether the step talks to the server."""
        return self.action in METHODS


@dataclass(frozen=True, slots=True)
class Case:
    """One test case.

    Args:
        id: The case's ``test_id``.
        level: Conformance level, or ``ext`` (any word).
        suite: The folder it came from, e.g. ``level-1-reliable/retry``.
        file: Path of the file, as the loader named it.
        name: Kebab-case name.
        category: Grouping within the level.
        description: What it proves.
        spec_ref: Where the standard says so.
        tags: Labels.
        requirements: Ids of `ojs-conformance.md` that it proves; own cases only.
        needs: What it demands of a server beyond the standard, e.g. ``test-hooks``; own cases only.
        steps: All steps in order: setup, steps, teardown.
        spec_line: Line of its ``spec_ref`` in the file, from 1; 1 where it has none.
    """

    id: str
    level: Level
    suite: str
    file: str
    name: str
    category: str
    description: str
    spec_ref: str
    tags: tuple[str, ...]
    requirements: tuple[str, ...]
    needs: tuple[str, ...]
    steps: tuple[Step, ...]
    spec_line: int = 1

    @property
    def wait_ms(self) -> int:
        """All declared waits together, milliseconds."""
        return sum(step.wait_ms for step in self.steps)


class _Reader:
    """Reads the fields of one file; every complaint names its place."""

    def __init__(self, file: str) -> None:
        self.file = file

    def error(self, place: str, reason: str) -> CaseFileError:
        return CaseFileError(self.file, place, reason)

    def text(self, raw: dict[str, Any], name: str, place: str, *, default: str | None = None) -> str:
        value = raw.get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.error(
                _at(place, name), "must be a string" + (" and is required" if default is None else "")
            )
        return value

    def texts(self, raw: dict[str, Any], name: str, place: str) -> tuple[str, ...]:
        value = raw.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(_at(place, name), "must be an array of strings")
        return tuple(value)

    def milliseconds(self, raw: dict[str, Any], name: str, place: str) -> int:
        value = raw.get(name) or 0
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_WAIT:
            raise self.error(_at(place, name), f"must be a number of milliseconds from 0 to {MAX_WAIT}")
        return round(value)

    def steps(self, raw: dict[str, Any], phase: str) -> list[Step]:
        found = raw.get(phase)
        if isinstance(found, dict) and phase != "steps":
            found = found.get("steps", [found] if "action" in found else [])
        if found is None and phase != "steps":
            return []
        if not isinstance(found, list):
            raise self.error(phase, "must be an array of steps")
        return [self.step(item, phase, f"{phase}[{number}]") for number, item in enumerate(found)]

    def step(self, raw: Any, phase: str, place: str) -> Step:
        if not isinstance(raw, dict):
            raise self.error(place, "must be an object")
        action = self.text(raw, "action", place)
        wait = self.milliseconds(raw, "delay_ms", place)
        if action == WAIT:
            wait = self.milliseconds(raw, "duration_ms", place) or wait
        path = self.text(raw, "path", place, default="")
        if action in METHODS and not path.startswith("/"):
            raise self.error(_at(place, "path"), "must start with '/' and is required for a request")
        headers = raw.get("headers") or {}
        if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
            raise self.error(_at(place, "headers"), "must be an object of strings")
        raw_body, assertions = raw.get("raw_body"), raw.get("assertions")
        if raw_body is not None and not isinstance(raw_body, str):
            raise self.error(_at(place, "raw_body"), "must be a string")
        if assertions is not None and not isinstance(assertions, dict):
            raise self.error(_at(place, "assertions"), "must be an object")
        return Step(
            id=self.text(raw, "id", place, default=place),
            action=action,
            phase=phase,
            path=path,
            headers=headers,
            body=raw.get("body"),
            raw_body=raw_body,
            wait_ms=wait,
            intent=self.text(raw, "intent", place, default=""),
            description=self.text(raw, "description", place, default=""),
            assertions=assertions,
            parallel=self.text(raw, "parallel", place, default=""),
            ignored=tuple(name for name in raw if name not in _STEP_FIELDS),
        )


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _json(data: bytes, file: str) -> Any:
    try:
        text = data.decode("utf-8-sig")
        deep = nesting.too_deep(text, MAX_DEPTH)
        value = None if deep else json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise CaseFileError(file, place, f"is not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise CaseFileError(file, f"byte {error.start}", "is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise CaseFileError(file, "", f"is not JSON that can be read: {error}") from None
    if deep or too_deep(value):
        raise CaseFileError(file, "", f"is nested more than {MAX_DEPTH} levels deep")
    return value


def read(data: bytes, file: str, suite: str = "") -> Case:
    """One case from the bytes of its file.

    Args:
        data: JSON in UTF-8.
        file: The file's name, for messages.
        suite: The folder it lies in, relative to the suites' root.

    Raises:
        CaseFileError: It cannot be run; file, place and reason are named.
    """
    raw = _json(data, file)
    if not isinstance(raw, dict):
        raise CaseFileError(file, "", "must be one JSON object")
    reader = _Reader(file)
    level = raw.get("level", "ext")
    if not (isinstance(level, str) and level) and (isinstance(level, bool) or level not in range(5)):
        raise reader.error("level", 'must be an integer from 0 to 4, or "ext"')
    steps = [step for phase in PHASES for step in reader.steps(raw, phase)]
    return Case(
        id=reader.text(raw, "test_id", ""),
        level=level,
        suite=suite,
        file=file,
        name=reader.text(raw, "name", "", default=""),
        category=reader.text(raw, "category", "", default=""),
        description=reader.text(raw, "description", "", default=""),
        spec_ref=reader.text(raw, "spec_ref", "", default=""),
        tags=reader.texts(raw, "tags", ""),
        requirements=reader.texts(raw, "requirements", ""),
        needs=reader.texts(raw, "needs", ""),
        steps=tuple(steps),
        spec_line=data.partition(b'"spec_ref"')[0].count(b"\n") + 1 if "spec_ref" in raw else 1,
    )


def is_case(data: bytes) -> bool:
    """Whether a JSON file means to be a case; suites also carry manifests and handler lists.

    A file that is not JSON at all counts as a case, so that it is reported and not passed over.
    """
    try:
        raw = None if nesting.too_deep(data.decode()) else json.loads(data)
    except (ValueError, RecursionError):
        return True
    if raw is None:
        return True
    return not isinstance(raw, dict) or "test_id" in raw or "steps" in raw


def read_all(files: Iterable[tuple[str, bytes]]) -> tuple[list[Case], list[CaseFileError]]:
    """All cases of a set of files, and what is wrong with the files that are none.

    Args:
        files: Path relative to the suites' root, with ``/``, and the bytes; ``.json`` files only.

    Returns:
        The cases in the order of level, suite and id, and one error for each malformed file.
    """
    cases: list[Case] = []
    errors: list[CaseFileError] = []
    for file, data in files:
        if not is_case(data):
            continue
        try:
            cases.append(read(data, file, file.rpartition("/")[0]))
        except CaseFileError as error:
            errors.append(error)
    return sorted(cases, key=_order), errors


def _order(case: Case) -> tuple[int, str, str, str]:
    return (5 if isinstance(case.level, str) else case.level, case.suite, case.id, case.file)
