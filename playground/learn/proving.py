"""The command ``ojs-playground learn check``: proves for each step that its goal is honest.

The beginning does not pass, the solution does, and each wrong turn gets its own message and no other. A prediction has
exactly one right answer, and every requirement and pane that a step names exists.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

from engine.conformance.target import MakeTarget
from engine.errors import OJSError
from playground.http_target import HttpTargets, server_at
from playground.learn.course import Course, Step
from playground.learn.judge import holding, judge, messages
from playground.learn.stage import Stage
from playground.learn.writing import StepError, read_course

PASSED, FAILED, USAGE = 0, 1, 2
"""Exit codes: every step is honest; one is not; a file cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="prove that each step's goal is honest")
    check.add_argument("steps", nargs="*", metavar="STEP", help="names of steps; all where none is named")
    check.add_argument(
        "--own", metavar="URL", help="a server that passes Level 0, for the solution that needs one"
    )
    check.add_argument("--folder", type=Path, help="folder of the tutorial; the project's own by default")


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: What a parser with `add_arguments` has read.

    Returns:
        The exit code.
    """
    try:
        own = None if args.own is None else partial(HttpTargets, server_at(args.own))
        course = read_course(args.folder)
    except (StepError, OSError, KeyError, ValueError) as error:
        sys.stderr.write(f"learn: {error}\n")
        return USAGE
    unknown = [name for name in args.steps if name not in course.steps]
    if unknown:
        sys.stderr.write(f"learn: there is no step '{unknown[0]:.64}'.\n")
        return USAGE
    lines, proved, failed = [], 0, 0
    for step in course.steps.values():
        if args.steps and step.name not in args.steps:
            continue
        found = list(problems(step, own))
        proved += 1
        failed += bool(found)
        untried = " (its solution needs --own URL)" if own is None and needs_own(step) else ""
        lines.append(f"{'FAILED' if found else 'ok':6}  {step.chapter}/{step.name}{untried}")
        lines += [f"        {one}" for one in found]
    lines.append(f"{proved - failed} of {proved} steps are honest")
    print("\n".join(lines))  # noqa: T201 - the command's answer
    return FAILED if failed else PASSED


def dangling(course: Course, requirements: Collection[str], panes: Collection[str]) -> list[str]:
    """What the steps name that does not exist.

    Args:
        course: The course.
        requirements: Ids of all requirements.
        panes: Names of all panes.
    """
    return [
        f"{step.name}: there is no {name}"
        for step in course.steps.values()
        for name in (
            *(one for one in step.teaches if one not in requirements),
            *(one for one in (*step.do, *step.see) if one not in panes),
        )
    ]


def problems(step: Step, own: Callable[[], MakeTarget] | None = None) -> Iterator[str]:
    """What is wrong with a step; nothing where it is honest.

    Args:
        step: The step.
        own: Gives a server for a solution that needs one of the visitor's own.
    """
    if step.broken:
        yield f"it cannot be played: {step.broken}"
        return
    if judge(step.predicate, Stage(step).read()).passed:
        yield "its beginning passes already"
    if own is not None or not needs_own(step):
        yield from _solved(step, own)
    for wrong in step.wrongs:
        yield from _wrong(step, wrong["name"])


def needs_own(step: Step) -> bool:
    """Whether its solution needs a server of the visitor's own."""
    return any("own" in act.get("cases", {}) for act in step.solution)


def _solved(step: Step, own: Callable[[], MakeTarget] | None) -> Iterator[str]:
    stage = Stage(step, own)
    try:
        for number, act in enumerate(step.solution, 1):
            response = stage.act(act)
            if response is not None and response.status >= 500:
                yield f"act {number} of its solution is answered with {response.status}"
    except (OJSError, ValueError) as error:
        yield f"its solution cannot be done: {error}"
        return
    verdict = judge(step.predicate, stage.read())
    if not verdict.passed:
        yield f"its solution does not pass: {verdict.missing} {_unmet(verdict.rows)}"
    if told := messages(step, stage.read()):
        yield f"its solution gets the message of a wrong turn: {told[0]}"
    if step.predict is not None and len(answers := holding(step, stage.read())) != 1:
        yield f"its question has {len(answers)} right answers: {answers}"


def _unmet(rows: tuple[tuple[str, bool], ...]) -> str:
    return "(" + "; ".join(f"{'yes' if held else 'no'}: {says}" for says, held in rows) + ")"


def _wrong(step: Step, name: str) -> Iterator[str]:
    wrong = next(one for one in step.wrongs if one["name"] == name)
    stage = Stage(step)
    try:
        stage.play(tuple(wrong["acts"]))
    except (OJSError, ValueError) as error:
        yield f"the wrong turn '{name}' cannot be taken: {error}"
        return
    read = stage.read()
    if judge(step.predicate, read).passed:
        yield f"the wrong turn '{name}' passes"
    if (told := messages(step, read)) != [wrong["message"]]:
        yield f"the wrong turn '{name}' gets {len(told)} messages, not its own only: {told}"
