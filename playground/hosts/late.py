"""What a tab's start does without: fetched when something first needs it, or in the first quiet moment.

``more.zip`` has the other parts of the application and the texts that its pages read, ``rest.zip`` the rest of the
standard library and the time zones. An import that neither has stays the failure that it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final

Get = Callable[[str], Any]
"""Fetches an address while everything waits: the bytes as JavaScript has them, or a text that says why not."""
TEMPLATES: Final = "_jinja2_module_templates_"
"""How the names of Jinja2's compiled templates begin, once they are modules."""


def fetch(get: Get, url: str, place: str) -> None:
    """Bring a file to its place, unless it is there; everything else waits meanwhile.

    Raises:
        OSError: It cannot be had now; the message says why.
    """
    if os.path.exists(place):  # noqa: PTH110 - pathlib would be one more import
        return
    found = get(url)
    if isinstance(found, str):
        raise OSError(found)
    content = found.to_bytes()
    if content[:2] != b"PK":
        raise OSError("the server sent something else in its place")
    with open(place, "wb") as file:  # noqa: PTH123 - as above
        file.write(content)


class Late:
    """An importer of last resort.

    Args:
        get: How to fetch.
        url: Where the archive is.
        name: Its name here, without an ending: ``more`` or ``rest``.
    """

    def __init__(self, get: Get, url: str, name: str) -> None:
        self.get = get
        self.url = url
        self.name = name

    @cached_property
    def names(self) -> frozenset[str]:
        """The modules in it, as paths without their ending: the start's own archive lists them."""
        loader = sys.modules[__name__].__spec__.loader  # type: ignore[union-attr]
        return frozenset(str(loader.get_data(f"{loader.archive}/{self.name}.txt"), "utf-8").splitlines())  # type: ignore[union-attr]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's place in the archive, after fetching that if need be; None if it is not there.

        Raises:
            ImportError: It is there, but cannot be fetched.
        """
        del path, target
        head, _, tail = name.partition(".")
        stem = f"templates/{tail}" if head.startswith(TEMPLATES) else name.replace(".", "/")
        if stem not in self.names and f"{stem}/__init__" not in self.names:
            return None
        place = f"/{self.name}.zip"
        try:
            fetch(self.get, self.url, place)
        except OSError as error:
            raise ImportError(str(error)) from None
        parent = stem.rpartition("/")[0]
        return PathFinder.find_spec(name, [f"{place}/{parent}" if parent else place])
