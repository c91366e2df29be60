"""Runs in the tab when Python starts, before Pyodide's own modules: what makes their import quick.

The bundle has it at its top, where Python looks for a module of this name; no server ever imports it.
"""

from __future__ import annotations

import sys
import zipimport
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

LATER = frozenset(
    {"_colorize", "asyncio.sslproto", "asyncio.staggered", "compression.zstd", "ipaddress", "locale"}
)
"""What the start imports and does not use: each is loaded when something first asks it for anything."""


class Archive(zipimport.zipimporter):
    """Imports from a zip, reading each module once.

    The original finds a module's place by loading the module, which Python then loads again to run it.
    """

    def get_filename(self, fullname: str) -> str:
        """The module's place in the archive.

        Raises:
            ImportError: It is not there.
        """
        stem = self.prefix + fullname.rpartition(".")[2]
        files = self._get_files()  # type: ignore[attr-defined]
        for end in ("/__init__.pyc", "/__init__.py", ".pyc", ".py"):
            if stem + end in files:
                return f"{self.archive}/{stem}{end}"
        raise zipimport.ZipImportError(f"can't find module {fullname!r}", name=fullname)


class Later:
    """Finds the modules of `LATER`."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, to be loaded on its first use; None for any other."""
        del target
        spec = PathFinder.find_spec(name, path) if name in LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


sys.path_hooks[0] = Archive
sys.path_importer_cache.clear()
sys.meta_path.insert(0, Later)
