"""The command ``ojs-playground scenario run``: plays scenarios, checks what they promise, prints the state's hash."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from playground.render import span
from playground.travel.digest import digest
from playground.travel.link import decode
from playground.travel.scenario import MAX_TEXT, Player, ScenarioError

PASSED, FAILED, USAGE = 0, 1, 2
"""Exit codes: every promise was kept; one was broken; a scenario cannot be read or played."""
MAX_FILE: Final = 4 * MAX_TEXT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run = actions.add_parser("run", help="play scenarios and check what they promise")
    run.add_argument(
        "sources",
        nargs="+",
        metavar="FILE|LINK",
        help="scenario files, links of the playground, or - for stdin",
    )


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: What a parser with `add_arguments` has read.

    Returns:
        The exit code, the gravest of all sources: each is played, also after one that cannot be.
    """
    code = PASSED
    for source in args.sources:
        try:
            code = max(code, _run(decode(_text(source))))
        except ScenarioError as error:
            sys.stderr.write(
                f"scenario: {source if len(source) <= 60 else source[:57] + '…'}: {error.message}\n"
            )
            code = USAGE
    return code


def _text(source: str) -> str:
    if source == "-":
        return sys.stdin.read(MAX_FILE)
    if "#s=" in source or source.startswith("s="):
        return source
    try:
        with Path(source).open(encoding="utf-8-sig") as file:
            return file.read(MAX_FILE)
    except FileNotFoundError:
        raise ScenarioError("there is no such file, and it is no link (a link holds #s=).") from None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"the file cannot be read: {error}.") from None


def _run(scenario: dict[str, object]) -> int:
    player = Player(scenario)
    timeline = player.finish()
    lines = [
        f"{scenario.get('title') or 'Scenario'}: {len(timeline.commands)} commands, {timeline.end.step} steps"
    ]
    for one in player.outcomes:
        lines.append(f"  {'FAILED' if one.problem else 'ok':6}  {span(one.at):>9}  {one.says}")
        if one.problem:
            lines.append(f"          {one.problem}")
    lines.append(f"  state   {digest(timeline.world)}")
    print("\n".join(lines))  # noqa: T201 - the command's answer
    return FAILED if any(one.problem for one in player.outcomes) else PASSED
