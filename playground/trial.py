"""A conformance run that a page can watch: which cases there are, which have been run, and how each ended.

In this process the cases run in virtual time, a slice at a time, so that the page and the session stay alive.
Against another server they run in a thread of the host's, in real time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from engine.conformance.case import Case, CaseFileError, read_all
from engine.conformance.report import Report, totals
from engine.conformance.result import CaseResult
from engine.conformance.runner import run, run_case
from engine.conformance.target import MakeTarget, fresh_engine
from playground.case_files import bundled
from playground.travel.target import JournalTarget
from playground.travel.timeline import Timeline

SLICE: Final = 80
"""Longest stretch of running before the page gets its turn, milliseconds of real time."""
BREATH: Final = 5
"""Between two stretches, milliseconds."""
OWN: Final = "the playground's own cases"
HERE: Final = "this engine in virtual time"

Hear: TypeAlias = Callable[[CaseResult | None], bool]
"""Takes a result, or None at the end; answers whether the run goes on."""
Outside: TypeAlias = Callable[[Iterator[CaseResult], Hear], None]
"""Lets a run that waits for real go on elsewhere, each result given to ``hear`` in the application's turn."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case with its result so far, or None.

    Args:
        name: Its id; where two files share an id, the later one's has a number behind it.
        case: The case.
        result: What became of it.
    """

    name: str
    case: Case
    result: CaseResult | None

    @property
    def verdict(self) -> str:
        """The verdict, or ``not run``."""
        return self.result.verdict if self.result else "not run"


@dataclass(frozen=True, slots=True)
class Cell:
    """A group of cases in the matrix.

    Args:
        name: The level or suite.
        size: How many cases it has.
        counts: Results so far by verdict, and ``total``.
    """

    name: str
    size: int
    counts: dict[str, int]

    @property
    def verdict(self) -> str:
        """``failed`` if any case is, ``passed`` if all are, ``partly``, or ``not run``."""
        if self.counts["failed"]:
            return "failed"
        if self.counts["passed"] == self.size:
            return "passed"
        return "partly" if self.counts["total"] else "not-run"


def _cell(name: str, rows: list[Row]) -> Cell:
    return Cell(name, len(rows), totals(row.result for row in rows if row.result))


def _named(cases: Iterable[Case]) -> dict[str, Case]:
    """Cases by a name that is unique: published suites have ids that stand in two files."""
    named: dict[str, Case] = {}
    for case in cases:
        name, number = case.id, 1
        while name in named:
            number += 1
            name = f"{case.id}~{number}"
        named[name] = case
    return named


class Trial:
    """The cases of the page and their results.

    Args:
        now: Real time, milliseconds.
        touch: Called when something has changed.

    Attributes:
        outside: How a host runs cases against another server; None where it cannot.
        untouched: Whether no case has been run or loaded, so that nothing is known of any.
    """

    def __init__(self, now: Callable[[], int], touch: Callable[[], None]) -> None:
        self._now = now
        self._touch = touch
        self.outside: Outside | None = None
        self.untouched = True
        self.source = OWN
        self.target = HERE
        self.malformed: list[CaseFileError] = []
        self.duration_ms = 0
        self._cases: dict[str, Case] | None = None
        self._results: dict[str, CaseResult] = {}
        self._queue: Iterator[CaseResult] | None = None
        self._ticket = 0
        self._left = 0
        self._began = 0.0
        self._resume = 0

    @property
    def cases(self) -> dict[str, Case]:
        """The cases by name, in order; the project's own until others are loaded."""
        if self._cases is None:
            found, self.malformed = read_all(bundled())
            self._cases = _named(found)
        return self._cases

    def load(self, files: Iterable[tuple[str, bytes]], source: str) -> None:
        """Take other cases.

        Args:
            files: Path and content of each file.
            source: What they are called on the page.

        Raises:
            ValueError: There is no case among them; the cases stay as they were.
        """
        found, malformed = read_all(files)
        if not found:
            first = f" The first trouble: {malformed[0]}" if malformed else ""
            raise ValueError(f"There is no conformance case in {source}.{first}")
        self.stop()
        self.untouched = False
        self._cases = _named(found)
        self.malformed, self.source, self.target = malformed, source, HERE
        self._results.clear()
        self._touch()

    def load_own(self) -> None:
        """Go back to the project's own cases."""
        self.stop()
        self._cases, self.source, self.target = None, OWN, HERE
        self._results.clear()
        self._touch()

    # running

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._left > 0

    @property
    def left(self) -> int:
        """Cases of the run that have no result yet."""
        return self._left

    def start(self, chosen: list[Case], make_target: MakeTarget = fresh_engine, target: str = HERE) -> int:
        """Start a run; one that goes on is stopped.

        Args:
            chosen: Which of the cases.
            make_target: What they run against.
            target: That in words, or its URL.

        Returns:
            Number of cases that will run; with 0 nothing has changed.
        """
        if not chosen:
            return 0
        self.stop()
        if target != self.target:
            self._results.clear()
        for case in chosen:
            self._results.pop(case.file, None)
        self.target = target
        self.untouched = False
        self._left = len(chosen)
        self._began = time.perf_counter()
        results = run(chosen, make_target)
        if target == HERE:
            self._queue, self._resume = results, self._now()
        elif self.outside is not None:
            self._ticket += 1
            ticket = self._ticket
            self.outside(results, lambda one: self._ticket == ticket and self._take(one))
        self._touch()
        return len(chosen)

    def hurry(self, milliseconds: int = 1000) -> None:
        """Run cases now, for so long at most; what is left goes on slice by slice."""
        end = time.perf_counter() + milliseconds / 1000
        while self._queue is not None and time.perf_counter() < end:
            self.tick()

    def stop(self) -> None:
        """End the run; results so far stay."""
        self._queue = None
        self._ticket += 1
        self._left = 0
        self._touch()

    def _take(self, result: CaseResult | None) -> bool:
        if result is None:
            self._left = 0
        else:
            self._results[result.case.file] = result
            self._left -= 1
        self.duration_ms = round((time.perf_counter() - self._began) * 1000)
        self._touch()
        return True

    def next_due(self) -> int | None:
        """When `tick` has cases to run, real milliseconds, or None."""
        return self._resume if self._queue is not None else None

    def tick(self) -> None:
        """Run cases for one slice."""
        end = time.perf_counter() + SLICE / 1000
        while self._queue is not None and time.perf_counter() < end:
            result = next(self._queue, None)
            self._take(result)
            if result is None:
                self._queue = None
        self._resume = self._now() + BREATH

    # what the page shows

    def rows(self) -> list[Row]:
        """Every case in order, with its result."""
        return [Row(name, case, self._results.get(case.file)) for name, case in self.cases.items()]

    def row(self, name: str) -> Row | None:
        """One case, or None."""
        case = self.cases.get(name)
        return None if case is None else Row(name, case, self._results.get(case.file))

    def report(self) -> Report:
        """The results so far as a report."""
        results = [row.result for row in self.rows() if row.result]
        return Report(self.target, results, self.malformed, self.duration_ms)

    @property
    def level(self) -> int | None:
        """The highest level up to which every case has been run, something passed and nothing failed; or None."""
        reached: int | None = None
        for level in range(5):
            verdicts = {row.verdict for row in self.rows() if row.case.level == level}
            if "passed" not in verdicts or verdicts & {"failed", "not run"}:
                break
            reached = level
        return reached

    def matrix(self) -> list[tuple[Cell, list[Cell]]]:
        """Each level, in order, with its suites."""
        levels: dict[str, dict[str, list[Row]]] = {}
        for row in self.rows():
            level = row.case.level
            name = f"Level {level}" if isinstance(level, int) else "Extensions"
            levels.setdefault(name, {}).setdefault(row.case.suite, []).append(row)
        return [
            (
                _cell(name, [row for rows in suites.values() for row in rows]),
                [_cell(*suite) for suite in suites.items()],
            )
            for name, suites in sorted(levels.items(), key=lambda level: (level[0] == "Extensions", level[0]))
        ]

    def moment(self, case_id: str, steps: int) -> Timeline | None:
        """The history that the first steps of a case make.

        Args:
            case_id: The case.
            steps: How many of its steps; at least 1.

        Returns:
            The timeline, its cursor at the end; None when there is no such case or step.
        """
        case = self.cases.get(case_id)
        if case is None or not 1 <= steps <= len(case.steps):
            return None
        target = JournalTarget()
        run_case(replace(case, steps=case.steps[:steps]), target)
        return target.timeline
