"""The command ``ojs-playground spec``: which checkout of the specification ``serve`` shows beside the reference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from playground.published import Shelf

DONE, PROBLEMS, USAGE = 0, 1, 2
"""Exit codes: all is well; the documents have problems; it cannot be done."""
PLACE: Final = "specification.txt"
"""In the user's data folder: names the folder. The documents themselves stay where they are."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="show the documents of a folder, and report what is wrong with them")
    add.add_argument("folder", type=Path, metavar="DIR", help="a folder of ojs-*.md files")
    actions.add_parser("remove", help="show none any more")


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: What a parser with `add_arguments` has read.

    Returns:
        The exit code.
    """
    place = user_data_path("ojs-playground") / PLACE
    try:
        if args.action == "remove":
            place.unlink(missing_ok=True)
            return DONE
        shelf = read(args.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(args.folder.resolve()), encoding="utf-8")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"spec: {args.folder if args.action == 'add' else place}: {error}\n")
        return USAGE
    problems = shelf.check()
    total = sum(document.binding for document in shelf.documents.values())
    lines = [
        f"{len(shelf.documents)} documents, {total} MUST and MUST NOT; serve shows them at /spec/published"
    ]
    lines += [f"  {problem.file}:{problem.line}: {problem.text}" for problem in problems]
    print("\n".join(lines))  # noqa: T201 - the command's answer
    return PROBLEMS if problems else DONE


def read(folder: Path) -> Shelf:
    """The documents of a folder.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no checkout of the specification.
    """
    if not folder.is_dir():
        raise ValueError("there is no such folder")
    files = [path for path in sorted(folder.rglob("ojs-*.md")) if path.is_file()]
    return Shelf(((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files), folder.name)


def load() -> Shelf | None:
    """The checkout that was added, or None; one that has gone since is an empty shelf with its problem."""
    place = user_data_path("ojs-playground") / PLACE
    try:
        return read(Path(place.read_text(encoding="utf-8"))) if place.exists() else None
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The specification that was added cannot be read: {error}\n")
        return None
