"""A finished run as text and as JSON; JUnit and the badge have modules of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.conformance.case import CaseFileError
from engine.conformance.result import VERDICTS, CaseResult, StepResult
from engine.conformance.values import show


@dataclass(slots=True)
class Report:
    """A run: its results, and the files that were no cases.

    Args:
        target: What was tested, in words or as a URL.
        results: In the order of the run.
        malformed: Case files that could not be read.
        duration_ms: How long the run took, milliseconds of real time.
        run_at: When it began, RFC 3339; empty where nobody has said.
        requested_level: The level that was asked for, or None for all cases.
    """

    target: str
    results: list[CaseResult] = field(default_factory=list)
    malformed: list[CaseFileError] = field(default_factory=list)
    duration_ms: int = 0
    run_at: str = ""
    requested_level: int | None = None

    @property
    def conformant(self) -> bool:
        """Whether nothing failed and every file could be read; cases that cannot pass do not count."""
        return not self.malformed and all(one.verdict != "failed" for one in self.results)

    @property
    def conformant_level(self) -> int | None:
        """The highest level up to which, at each level, something passed and nothing failed; or None."""
        reached: int | None = None
        for level in range(5):
            verdicts = {one.verdict for one in self.results if one.case.level == level}
            if "failed" in verdicts or "passed" not in verdicts:
                break
            reached = level
        return reached

    def to_dict(self, *, steps: bool = True) -> dict[str, Any]:
        """The whole report as JSON values: the standard's report (OJS Conformance 8.4), and more.

        Args:
            steps: Whether each case comes with its steps.
        """
        levels = {_level_name(level): counts for level, counts in by(self.results, "level").items()}
        return {
            "target": self.target,
            "run_at": self.run_at,
            "duration_ms": self.duration_ms,
            "requested_level": self.requested_level,
            "results": totals(self.results) | levels,
            "suites": by(self.results, "suite"),
            "conformant": self.conformant,
            "conformant_level": self.conformant_level,
            "failures": self._named("failed"),
            "impossible": self._named("impossible"),
            "vacuous": self._named("vacuous"),
            "skipped": self._named("skipped"),
            "malformed": [error.to_dict() for error in self.malformed],
            "cases": [one.to_dict() if steps else one.summary() for one in self.results],
        }

    def _named(self, verdict: str) -> list[dict[str, str]]:
        return [
            {"test_id": one.case.id, "name": one.case.name, "reason": one.reason}
            for one in self.results
            if one.verdict == verdict
        ]


def _level_name(level: int | str) -> str:
    return f"level_{level}" if isinstance(level, int) else level


def totals(results: Iterable[CaseResult]) -> dict[str, int]:
    """Number of cases by verdict, and ``total``; every verdict is there."""
    counts = Counter(one.verdict for one in results)
    return {"total": counts.total(), **{verdict: counts[verdict] for verdict in VERDICTS}}


def by(results: Iterable[CaseResult], name: str) -> dict[Any, dict[str, int]]:
    """Totals for each value of a case's attribute, in order of first appearance."""
    groups: dict[Any, list[CaseResult]] = {}
    for one in results:
        groups.setdefault(getattr(one.case, name), []).append(one)
    return {value: totals(group) for value, group in groups.items()}


def as_text(report: Report) -> str:
    """The report for a terminal: what failed in detail, then the totals."""
    lines: list[str] = []
    for one in report.results:
        if one.verdict == "failed":
            lines += [*_failure(one), ""]
    for verdict in ("impossible", "vacuous", "skipped"):
        some = [one for one in report.results if one.verdict == verdict]
        if some:
            lines += [f"{verdict}:", *(f"  {one.case.id:<14} {one.reason}" for one in some), ""]
    if report.malformed:
        lines += ["case files that cannot be read:", *(f"  {error}" for error in report.malformed), ""]
    lines += [*_table("suite", by(report.results, "suite")), ""]
    lines += [*_table("level", by(report.results, "level")), ""]
    return "\n".join([*lines, summary(report)]) + "\n"


def summary(report: Report) -> str:
    """One line: what ran against what, and how it ended."""
    counts = totals(report.results)
    parts = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
    if report.malformed:
        parts.append(f"{len(report.malformed)} malformed")
    took = f"{report.duration_ms / 1000:.1f} s"
    return f"{counts['total']} cases against {report.target}: {', '.join(parts) or 'none ran'} in {took}"


def _failure(one: CaseResult) -> list[str]:
    case = one.case
    lines = [f"FAILED {case.id} {case.name} ({case.file})"]
    if case.description:
        lines.append(f"  {case.description}")
    for step in one.steps:
        if step.outcome == "failed":
            lines += _failed_step(step)
    return lines


def _failed_step(step: StepResult) -> list[str]:
    lines = [f"  {step.step.id} at +{step.offset_ms} ms: {step.step.action} {step.step.path}"]
    if step.exchange is not None:
        request = step.exchange.request
        lines[0] = f"  {step.step.id} at +{step.offset_ms} ms: {request.method} {request.url}"
        if request.body:
            lines.append(f"    sent     {_clip(request.body)}")
        if step.exchange.response is not None:
            response = step.exchange.response
            body = response.body if isinstance(response.body, bytes) else b""
            lines.append(f"    answered {response.status} {_clip(body)}")
    lines += [f"    ✗ {trouble}" for trouble in step.troubles()]
    lines += [f"    note: {note}" for note in step.notes]
    return lines


def _clip(body: bytes, limit: int = 500) -> str:
    text = body.decode(errors="replace")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _table(title: str, groups: dict[Any, dict[str, int]]) -> list[str]:
    width = max([len(title), *(len(str(name)) for name in groups)])
    columns = [verdict for verdict in VERDICTS if any(counts[verdict] for counts in groups.values())]
    head = f"{title:<{width}}  " + "  ".join(f"{name:>10}" for name in columns)
    rows = [
        f"{name!s:<{width}}  " + "  ".join(f"{counts[column] or '·':>10}" for column in columns)
        for name, counts in groups.items()
    ]
    return [head, *rows]


def line(one: CaseResult) -> str:
    """One case as one line of progress."""
    reason = f"  {show(one.reason)[1:-1]}" if one.reason else ""
    return f"{one.verdict:<10} {one.case.id:<14} {one.case.name}{reason}"
