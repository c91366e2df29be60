"""Where the project's own files are: beside the checkout, inside an installed wheel, or in the tab's bundle."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("templates", "static", "spec")
"""Top-level folders that travel with the package."""


@cache
def path(name: str) -> Path:
    """The folder or file of this name.

    Args:
        name: One of `NAMES`, or a top-level file that the wheel carries too (``package.json``).

    Raises:
        FileNotFoundError: Neither the checkout nor the installed package has it.
    """
    here = Path(__file__).resolve().parent
    for candidate in (here.parent / name, here / "_data" / name):
        if candidate.exists():
            return candidate
    raise FileNotFoundError(
        f"The installation is incomplete: '{name}' is missing; install ojs-playground again."
    )


def text(name: str) -> str:
    """A text file of ours, e.g. ``spec/events.json``: from the tab's bundle, or from where it lies."""
    found = bundled(name)
    return (
        (path(name.partition("/")[0]) / name.partition("/")[2]).read_text("utf-8") if found is None else found
    )


def bundled(name: str) -> str | None:
    """A text file of the tab's bundle, or None where the package is not imported from one.

    Args:
        name: Its path in the bundle, e.g. ``spec/rendered.json``.
    """
    loader: Any = __spec__.loader if __spec__ else None
    archive = getattr(loader, "archive", None)  # only what imports from a zip has one
    return None if archive is None else str(loader.get_data(f"{archive}/{name}"), "utf-8")
