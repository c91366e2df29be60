"""Where the project's own files are: beside the checkout, inside an installed wheel, or in the tab's bundle."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = ("templates", "static", "spec")
"""Top-level folders that travel with the package."""
TEXTS: Final = "more.zip"
"""Where the tab has what its pages read: the start does without, see `playground.hosts.late`."""

_fetches: list[Callable[[str], None]] = []


@cache
def path(name: str) -> Path:
    """The folder or file of this name.

    Args:
        name: One of `NAMES`, or a top-level file that the wheel carries too (``package.json``).

    Raises:
        FileNotFoundError: Neither the checkout nor the installed package has it.
    """
    from pathlib import Path  # noqa: PLC0415 - a tab's start can do without

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


def fetch_texts_by(fetch: Callable[[str], None]) -> None:
    """How a host brings `TEXTS` to where it is read, given that place; called before each reading."""
    _fetches[:] = [fetch]


def bundled(name: str) -> str | None:
    """A text of the tab's bundle, or None where the package is not imported from one.

    Args:
        name: Its path in the bundle, e.g. ``spec/rulings.json``.

    Raises:
        Unavailable: The texts are not here yet, and cannot be fetched now.
    """
    loader: Any = __spec__.loader if __spec__ else None
    archive = getattr(loader, "archive", None)  # only what imports from a zip has one
    if archive is None:
        return None
    place = f"{archive.rpartition('/')[0]}/{TEXTS}"
    for fetch in _fetches:
        fetch(place)
    from zipimport import zipimporter  # noqa: PLC0415 - a server has no archive to read

    return str(zipimporter(place).get_data(f"{place}/{name}"), "utf-8")
