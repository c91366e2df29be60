"""What a run yields: checks, steps, cases, with the real requests and answers; all of it serialisable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from engine.conformance.case import Case, Step
from engine.conformance.target import Exchange
from engine.conformance.values import Missing
from engine.http.message import EventStream
from engine.times import format_time

Verdict: TypeAlias = Literal["passed", "failed", "impossible", "vacuous", "skipped"]
VERDICTS: Final[tuple[Verdict, ...]] = ("passed", "failed", "impossible", "vacuous", "skipped")
Outcome: TypeAlias = Literal["passed", "failed", "not run"]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation held against what came.

    Args:
        subject: What was looked at: ``status``, ``body $.job.id``, ``header Location``, ``timing less_than``, …
        expected: The matcher, templates filled in.
        actual: The value found, or a `Missing`.
        trouble: What is wrong, one sentence; empty when it passed.
    """

    subject: str
    expected: Any
    actual: Any
    trouble: str = ""

    @property
    def passed(self) -> bool:
        """Whether the expectation held."""
        return not self.trouble

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; ``found`` tells a null from nothing there."""
        there = not isinstance(self.actual, Missing)
        return {
            "subject": self.subject,
            "expected": self.expected,
            "found": there,
            "actual": self.actual if there else None,
            "passed": self.passed,
            "message": self.trouble,
        }


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step, done or left out.

    Args:
        step: The step as the case has it.
        outcome: ``passed``, ``failed``, or ``not run`` after an earlier failure.
        started_at: When it began, milliseconds since the epoch.
        offset_ms: The same, counted from the start of the case.
        exchange: Request and answer; None for WAIT, ASSERT and steps that were not run.
        checks: Its expectations, one by one.
        error: Why there is nothing to check: no answer came, or the step is not of the language.
        notes: What a reader should know, e.g. templates that led nowhere.
    """

    step: Step
    outcome: Outcome
    started_at: int
    offset_ms: int
    exchange: Exchange | None = None
    checks: tuple[Check, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()

    def troubles(self) -> list[str]:
        """What went wrong, one sentence each."""
        found = [f"{check.subject}: {check.trouble}" for check in self.checks if check.trouble]
        return [self.error, *found] if self.error else found

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, request and answer with their bodies as text."""
        step = self.step
        return {
            "id": step.id,
            "phase": step.phase,
            "action": step.action,
            "intent": step.intent,
            "description": step.description,
            "wait_ms": step.wait_ms,
            "outcome": self.outcome,
            "started_at": format_time(self.started_at),
            "offset_ms": self.offset_ms,
            "request": _request(self.exchange),
            "response": _response(self.exchange),
            "elapsed_ms": self.exchange.elapsed_ms if self.exchange else None,
            "checks": [check.to_dict() for check in self.checks],
            "error": self.error,
            "notes": list(self.notes),
        }


def _request(exchange: Exchange | None) -> dict[str, Any] | None:
    if exchange is None:
        return None
    request = exchange.request
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.body.decode(errors="replace"),
    }


def _response(exchange: Exchange | None) -> dict[str, Any] | None:
    if exchange is None or exchange.response is None:
        return None
    response = exchange.response
    body = b"" if isinstance(response.body, EventStream) else response.body
    return {
        "status": response.status,
        "headers": dict(response.headers),
        "body": body.decode(errors="replace"),
    }


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case.

    Args:
        case: The case.
        verdict: One of `VERDICTS`.
        reason: Why, one sentence; empty when it passed.
        steps: Its steps in order.
        waited_ms: Time that the case let pass, virtual or real, milliseconds.
    """

    case: Case
    verdict: Verdict
    reason: str = ""
    steps: tuple[StepResult, ...] = field(default=())
    waited_ms: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, the whole case with every step."""
        return self.summary() | {
            "description": self.case.description,
            "spec_ref": self.case.spec_ref,
            "tags": list(self.case.tags),
            "requirements": list(self.case.requirements),
            "waited_ms": self.waited_ms,
            "steps": [step.to_dict() for step in self.steps],
        }

    def summary(self) -> dict[str, Any]:
        """As JSON values without the steps: enough for a line in a list."""
        case = self.case
        return {
            "test_id": case.id,
            "level": case.level,
            "suite": case.suite,
            "category": case.category,
            "name": case.name,
            "file": case.file,
            "verdict": self.verdict,
            "reason": self.reason,
        }
