"""The live view of a step: how far its goal is reached, what is missing, which wrong turn was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.learn.course import Step, course
from playground.learn.judge import Verdict, holding, judge, messages, reader
from playground.learn.stage import Attempt
from playground.travel.sandbox import Sandbox

if TYPE_CHECKING:
    from playground.app import Application

Context = dict[str, Any]

FIRST_GUESS: Final = "Say first what you expect: choose an answer above."


def attempt_at(app: Application, step: Step) -> Attempt | None:
    """What the page's visitor is at, if it is this step; None where it has to be begun."""
    if step.server:
        return None if app.session.virtual else Attempt(step.name, 0)
    session = app.session
    attempt = session.attempt if isinstance(session, Sandbox) else None
    return attempt if attempt is not None and attempt.step == step.name else None


def goal(app: Application, name: str) -> Context:
    """How far a step's goal is reached.

    Raises:
        NotFound: There is no such step.
    """
    step = course().step(name)
    attempt = attempt_at(app, step)
    if attempt is None:
        return {"step": step, "attempt": None}
    if attempt.passed:
        verdict = Verdict(tuple((one["says"], True) for one in step.predicate["checks"]), "")
        return {"step": step, "attempt": attempt, "verdict": verdict, "wrong": [], "missing": ""}
    read = reader(app.session, attempt.base, lambda: app.trial)
    verdict = judge(step.predicate, read)
    guessed = step.predict is None or attempt.guess is not None
    if verdict.passed and guessed:
        right = holding(step, read)
        attempt = attempt._replace(passed=True, answer=right[0] if len(right) == 1 else step.answer)
        if isinstance(app.session, Sandbox):
            app.session.attempt = attempt
    return {
        "step": step,
        "attempt": attempt,
        "verdict": verdict,
        "wrong": [] if attempt.passed else messages(step, read),
        "missing": verdict.missing if guessed else FIRST_GUESS,
    }
