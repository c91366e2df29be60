"""The rest of the standard library, and the time zones: fetched when something first imports a part of it.

The tab starts with what the application itself uses. An import that this does not have, but the rest has, waits
for one download; every other failed import stays what it was.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Final

ARCHIVE: Final = "/rest.zip"


class Rest:
    """An importer of last resort.

    Args:
        url: Where rest.zip is.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.fetched = False

    @cached_property
    def names(self) -> frozenset[str]:
        """The files in rest.zip that are modules, as the start's own archive lists them."""
        loader = sys.modules["json"].__spec__.loader  # type: ignore[union-attr] # anything from that archive
        return frozenset(str(loader.get_data(f"{loader.archive}/rest.txt"), "utf-8").splitlines())  # type: ignore[union-attr]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's place in the rest, after fetching it if need be; None if it is not there.

        Raises:
            ImportError: It is there, but cannot be fetched.
        """
        del path, target
        stem = name.replace(".", "/")
        if f"{stem}.py" not in self.names and f"{stem}/__init__.py" not in self.names:
            return None
        self._fetch()
        parent = stem.rpartition("/")[0]
        return PathFinder.find_spec(name, [f"{ARCHIVE}/{parent}" if parent else ARCHIVE])

    def _fetch(self) -> None:
        """Once: put rest.zip where imports find it."""
        if self.fetched:
            return
        from js import XMLHttpRequest  # type: ignore[import-not-found]  # noqa: PLC0415 - only inside a worker

        request = XMLHttpRequest.new()
        # An import cannot wait for a promise; in a worker a request may block.
        request.open("GET", self.url, False)
        request.responseType = "arraybuffer"
        try:
            request.send()
        except Exception as error:  # noqa: BLE001 - whatever the browser throws
            raise ImportError(f"the rest of the standard library cannot be fetched: {error}") from None
        if request.status != 200:
            raise ImportError(f"the rest of the standard library cannot be fetched: status {request.status}")
        with open(ARCHIVE, "wb") as file:  # noqa: PTH123 - pathlib would be one more import
            file.write(request.response.to_bytes())
        self.fetched = True
