"""The command ``ojs-playground conformance``: case files in, a report out.

In this process the cases run against the engine in virtual time; with ``--url`` against any server in real time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from engine.conformance.badge import as_badge
from engine.conformance.case import Case, CaseFileError, read_all
from engine.conformance.junit import as_junit
from engine.conformance.report import Report, as_text, line
from engine.conformance.runner import run
from engine.conformance.selection import Selection
from engine.conformance.target import MakeTarget, fresh_engine
from engine.times import format_time
from playground.case_files import case_files, own_cases
from playground.http_target import HttpTargets, server_at

PASSED, FAILED, USAGE, STOPPED = 0, 1, 2, 130
"""Exit codes: nothing failed; a case failed or a file is malformed; bad usage; stopped by the user."""
MAX_WAIT: Final = 10_000_000
"""Longest wait that ``--max-wait`` allows, seconds."""


class UsageError(Exception):
    """The command cannot be carried out as given; the text is one line that says what to do."""


def _as_json(report: Report) -> str:
    return json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n"


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": _as_json,
    "junit": as_junit,
    "badge": as_badge,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    parser.add_argument("--url", help="the server to test; without it the engine is tested in this process")
    parser.add_argument(
        "--suites", type=Path, help="folder or zip of case files; without it the project's own"
    )
    parser.add_argument("--level", type=int, choices=range(5), help="only cases of the levels up to this one")
    parser.add_argument(
        "--suite", action="append", default=[], metavar="NAME", help="only this folder (repeatable)"
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="GLOB", help="only these ids (repeatable)"
    )
    parser.add_argument("--format", choices=list(FORMATS), default="text", help="form of the report")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the report there, not to the terminal"
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="S", help="seconds for each answer (10)"
    )
    parser.add_argument(
        "--max-wait",
        type=float,
        default=180.0,
        metavar="S",
        help="skip cases that wait longer, with --url (180)",
    )
    parser.add_argument(
        "--header",
        "--headers",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="send this header with every request, with --url (repeatable)",
    )


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: What a parser with `add_arguments` has read.

    Returns:
        The exit code.
    """
    try:
        make_target, name = _target(args)
        cases, malformed = _cases(args)
        began = format_time(time.time_ns() // 1_000_000)
        report = Report(name, malformed=malformed, run_at=began, requested_level=args.level)
        stopped = _run(cases, make_target, report)
        _write(FORMATS[args.format](report), args.output)
    except UsageError as error:
        sys.stderr.write(f"conformance: {error}\n")
        return USAGE
    if stopped:
        return STOPPED
    return PASSED if report.conformant else FAILED


def _target(args: argparse.Namespace) -> tuple[MakeTarget, str]:
    if not args.url:
        return fresh_engine, "this engine in virtual time"
    if not 0 < args.timeout <= 3600:
        raise UsageError("--timeout must be a number of seconds above 0, e.g. --timeout 10")
    if not 0 <= args.max_wait <= MAX_WAIT:
        raise UsageError(f"--max-wait must be a number of seconds from 0 to {MAX_WAIT}, e.g. --max-wait 180")
    try:
        server = server_at(args.url, _headers(args.header), args.timeout, round(args.max_wait * 1000))
    except ValueError as error:
        raise UsageError(f"--url: {error}") from None
    return HttpTargets(server), args.url


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in lines:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not text.isprintable():
            raise UsageError(f"--header {text!r}: write it as 'Name: value'")
        headers[name.strip()] = value.strip()
    return headers


def _cases(args: argparse.Namespace) -> tuple[list[Case], list[CaseFileError]]:
    if args.format == "badge" and (args.suite or args.case):
        raise UsageError("--format badge speaks of whole levels; leave out --suite and --case")
    source = args.suites
    try:
        source = source or own_cases()
        cases, malformed = read_all(case_files(source))
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--suites {source}: {reason}; give a folder or a zip of case files") from None
    if not cases and not malformed:
        raise UsageError(f"--suites {source}: there are no case files in it")
    selection = Selection(args.level, tuple(args.suite), tuple(args.case))
    chosen = selection.of(cases)
    if cases and not chosen:
        raise UsageError("no case fits --level, --suite and --case; leave one of them out")
    # A file that cannot be read has no level and no id, but it lies in a folder.
    return chosen, [error for error in malformed if selection.admits_suite(error.file.rpartition("/")[0])]


def _run(cases: list[Case], make_target: MakeTarget, report: Report) -> bool:
    """Run the cases into the report; True if the user stopped it. Progress goes to a terminal only."""
    watch = time.perf_counter()
    progress = sys.stderr.isatty()
    try:
        for result in run(cases, make_target):
            report.results.append(result)
            if progress:
                sys.stderr.write(ascii(line(result)[:120])[1:-1] + "\n")
    except KeyboardInterrupt:
        return True
    finally:
        report.duration_ms = round((time.perf_counter() - watch) * 1000)
    return False


def _write(text: str, output: Path | None) -> None:
    """Write the report; what the terminal's encoding, or UTF-8, cannot carry is written as an escape."""
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    try:
        output.write_bytes(text.encode(errors="backslashreplace"))
    except OSError as error:
        raise UsageError(f"--output {output}: {error.strerror}; name a file that can be written") from None


class _Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(USAGE, f"conformance: {message}; see --help\n")


if __name__ == "__main__":
    _parser = _Parser(prog="conformance", description="Run conformance cases and report.")
    add_arguments(_parser)
    sys.exit(main(_parser.parse_args()))
