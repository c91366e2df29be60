"""Runs cases against targets and yields their results one by one, so that a page can show progress and stop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from engine.conformance import soundness
from engine.conformance.case import ASSERT, WAIT, Case, Step
from engine.conformance.expect import Answer, check, exclusive_claim
from engine.conformance.matchers import DEFAULT, Tolerance
from engine.conformance.result import CaseResult, Check, StepResult, Verdict
from engine.conformance.target import Exchange, MakeTarget, Target
from engine.conformance.template import Templates
from engine.conformance.values import Missing
from engine.http.message import Request

MEDIA_TYPE: Final = "application/openjobspec+json"
"""Sent with a body whose step names no content type."""


def run(
    cases: Iterable[Case], make_target: MakeTarget, tolerance: Tolerance = DEFAULT
) -> Iterator[CaseResult]:
    """Run cases in order, each against a target of its own.

    Args:
        cases: What to run; read one by one.
        make_target: Called before each case.
        tolerance: For approximate numbers and times.

    Yields:
        One result for each case as soon as it is known; closing the iterator stops the run.
    """
    for case in cases:
        yield run_case(case, make_target(), tolerance)


def run_case(case: Case, target: Target, tolerance: Tolerance = DEFAULT) -> CaseResult:
    """Run one case: setup, steps, teardown.

    After a failed step the others are not run, save the teardown, which always is. What the teardown yields
    does not decide the verdict.
    """
    reason = target.refuses(case.needs, case.wait_ms)
    if reason:
        return CaseResult(case, "skipped", reason)
    running = _Running(target, tolerance)
    steps = running.all(case)
    verdict, reason = _judge(case, steps)
    return CaseResult(case, verdict, reason, steps, target.now() - running.start)


def _judge(case: Case, steps: tuple[StepResult, ...]) -> tuple[Verdict, str]:
    failed = next((one for one in steps if one.outcome == "failed" and one.step.phase != "teardown"), None)
    if failed is not None:
        if defect := soundness.defect(case):
            return "impossible", defect
        troubles = failed.troubles()
        more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
        return "failed", f"{failed.step.id}: {troubles[0]}{more}"
    if soundness.asserts_nothing(case):
        return "vacuous", "nothing is asserted in this case" + _foreign(case)
    return "passed", ""


def _foreign(case: Case) -> str:
    """Names what a vacuous case has in place of assertions."""
    names = dict.fromkeys(name for step in case.steps for name in step.ignored)
    names |= dict.fromkeys(f"assertions.{name}" for step in case.steps for name in step.assertions or {})
    return f"; the case language does not have {', '.join(names)}" if names else ""


class _Running:
    """One run of one case.

    Args:
        target: What it runs against.
        tolerance: For approximate numbers.
    """

    def __init__(self, target: Target, tolerance: Tolerance) -> None:
        self.target = target
        self.tolerance = tolerance
        self.templates = Templates()
        self.start = target.now()

    def all(self, case: Case) -> tuple[StepResult, ...]:
        results: list[StepResult] = []
        failed = False
        for _, group in groupby(enumerate(case.steps), _together):
            steps = [step for _, step in group]
            if failed and steps[0].phase != "teardown":
                results += [self.result(step, outcome="not run") for step in steps]
                continue
            found = self.together(steps) if len(steps) > 1 else [self.one(steps[0])]
            failed = failed or any(one.outcome == "failed" for one in found)
            results += found
        return tuple(results)

    def together(self, steps: list[Step]) -> list[StepResult]:
        """Parallel steps: sent at once, or each at its own delay from the start of the group."""
        waited = 0
        found: dict[str, StepResult] = {}
        for wait, group in groupby(sorted(steps, key=lambda step: step.wait_ms), lambda step: step.wait_ms):
            self.target.wait(wait - waited)
            waited = wait
            due = list(group)
            prepared = [self.request(step) for step in due]
            exchanges = self.target.send([request for request, _ in prepared])
            for step, (_, notes), exchange in zip(due, prepared, exchanges, strict=True):
                found[step.id] = self.judge(step, exchange, notes)
        return [found[step.id] for step in steps]

    def one(self, step: Step) -> StepResult:
        """One step, after its wait."""
        if step.wait_ms:
            self.target.wait(step.wait_ms)
        if step.action == WAIT:
            return self.result(step)
        if step.action == ASSERT:
            return self.cross(step)
        if not step.is_request:
            # A case of another dialect: there is nothing to send. It fails only if it expects something.
            trouble = f"{step.action!r} is no action of the case language, so nothing was sent"
            if step.assertions:
                return self.result(step, outcome="failed", error=trouble)
            return self.result(step, notes=(trouble,))
        request, notes = self.request(step)
        return self.judge(step, self.target.send([request])[0], notes)

    def cross(self, step: Step) -> StepResult:
        """An ASSERT step: looks at earlier answers only."""
        given = self.templates.value(step.assertions or {})
        notes = tuple(f"{one} was not filled in" for one in self.templates.take_unresolved())
        if "exclusive_claim" not in given:
            return self.result(step, notes=notes)
        return self.result(step, checks=(exclusive_claim(given["exclusive_claim"]),), notes=notes)

    def request(self, step: Step) -> tuple[Request, tuple[str, ...]]:
        """The request of a step with its templates filled in, and what is to be noted about it."""
        fill = self.templates
        headers = {name.lower(): fill.text(value) for name, value in step.headers.items()}
        body = b""
        if step.raw_body is not None:
            body = fill.text(step.raw_body).encode(errors="surrogatepass")
        elif step.body is not None:
            body = json.dumps(fill.value(step.body), separators=(",", ":")).encode()
        if body:
            headers.setdefault("content-type", MEDIA_TYPE)
        request = Request(step.action, fill.text(step.path), headers, body)
        notes = [f"{one} was not filled in" for one in fill.take_unresolved()]
        notes += [f"the step's {name!r} is not of the case language and was ignored" for name in step.ignored]
        return request, tuple(notes)

    def judge(self, step: Step, exchange: Exchange, notes: tuple[str, ...]) -> StepResult:
        """Hold the answer against the step's assertions."""
        if exchange.response is None:
            self.templates.remember(step.id, Missing(f"step {step.id!r} got no answer"))
            return self.result(step, outcome="failed", exchange=exchange, error=exchange.error, notes=notes)
        answer = Answer(exchange)
        self.templates.remember(step.id, answer.body)
        checks: tuple[Check, ...] = ()
        if step.assertions:
            checks = check(self.templates.value(step.assertions), answer, self.tolerance)
            notes += tuple(f"{one} was not filled in" for one in self.templates.take_unresolved())
        return self.result(step, exchange=exchange, checks=checks, notes=notes)

    def result(self, step: Step, **found: Any) -> StepResult:
        """The step's result; failed when a check failed."""
        exchange: Exchange | None = found.get("exchange")
        at = self.target.now() if exchange is None else exchange.started_at
        checks: tuple[Check, ...] = found.get("checks", ())
        found.setdefault("outcome", "passed" if all(one.passed for one in checks) else "failed")
        return StepResult(step=step, started_at=at, offset_ms=at - self.start, **found)


def _together(numbered: tuple[int, Step]) -> tuple[str, str | int]:
    """The key under which neighbouring steps run at once: their parallel name, or themselves alone."""
    number, step = numbered
    return (step.phase, step.parallel) if step.parallel and step.is_request else (step.phase, number)
