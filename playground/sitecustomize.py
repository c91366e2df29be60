"""Runs in the tab when Python starts, before Pyodide's own modules: what makes the start quick.

The bundle has it at its top, where Python looks for a module of this name; no server ever imports it.
"""

from __future__ import annotations

import gc
import marshal
import re._compiler as patterns  # type: ignore[import-not-found] # as Python 3.14 has it
import sys
import zipimport
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

gc.disable()  # until the first view is there: next to nothing that a start makes can go again

LATER = frozenset({"_colorize", "ipaddress", "locale"})
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


class Place:
    """A folder's name, where Pyodide wants a path."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


def absent(*_: Any, **__: Any) -> None:
    """Stands for what this Python does without.

    Raises:
        RuntimeError: Always.
    """
    raise RuntimeError("The tab's engine has no event loop.")


def no_loop() -> None:
    """Take from JavaScript what Pyodide's own modules would take: a snapshot counts on it, in this order."""
    from pyodide_js._api import scheduleCallback  # type: ignore[import-not-found]  # noqa: I001, PLC0415 - JavaScript's modules
    from pyodide_js import loadedPackages  # type: ignore[import-not-found]  # noqa: PLC0415

    vars(sys.modules["pyodide.webloop"])["taken"] = (scheduleCallback, loadedPackages)


def stand_in(name: str, **content: Any) -> None:
    """Let Pyodide find a module of its own with no more in it than its start touches."""
    sys.modules[name] = module = ModuleType(name)
    vars(module).update(content)


def compiled(ready: dict[tuple[Any, int], tuple[Any, ...]]) -> None:
    """Let regular expressions that the build has compiled already be only loaded.

    Args:
        ready: Pattern and flags to the rest of what ``_sre.compile`` wants.
    """
    original, load = patterns.compile, vars(patterns)["_sre"].compile

    def compile_(pattern: Any, flags: int = 0) -> Any:
        found = ready.get((pattern, flags)) if isinstance(pattern, str) else None
        return original(pattern, flags) if found is None else load(pattern, *found)

    patterns.compile = compile_


sys.path_hooks[0] = Archive
sys.path_importer_cache.clear()
sys.meta_path.insert(0, Later)
# The engine waits for nothing and installs nothing: no event loop, no packages, and no help on Pyodide's functions.
stand_in("asyncio", get_event_loop=absent)
stand_in("pyodide.webloop", _initialize_event_loop=no_loop)
stand_in("_pyodide.docstring", get_cmeth_docstring=lambda function: f"{function.__name__}()\n--\n\n")
stand_in(
    "pyodide._package_loader",
    SITE_PACKAGES=Place("/lib/site-packages"),
    DSO_DIR=Place("/usr/lib"),
    init_loaded_packages=lambda: None,
)
try:  # noqa: SIM105 - contextlib would be one more import
    compiled(marshal.loads(__spec__.loader.get_data("/app.zip/patterns")))  # type: ignore[union-attr]  # noqa: S302 - the build made it
except OSError:
    pass  # the build itself is looking which they are
