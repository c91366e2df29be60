"""Runs inside Pyodide under Node (see ``compile.mjs``): makes the two zips that the browser's Python loads.

Byte code must be made by the very Python that will run it. Entries are stored, not deflated, so that the
server's own compression sees them whole. Both zips are the same, byte for byte, for the same sources.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

STAGE = Path("/stage")
OUT = Path("/out")
DATE = (2026, 1, 1, 0, 0, 0)


def byte_code(source: bytes, name: str) -> bytes:
    """The content of an unchecked, hash-based .pyc: it never looks for its source."""
    code = marshal.dumps(compile(source, name, "exec", dont_inherit=True))
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source) + code


def write(target: Path, entries: Iterable[tuple[str, bytes]]) -> None:
    """A stored zip of these entries, in the order of their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(entries):
            archive.writestr(zipfile.ZipInfo(name, DATE), content)


def compiled(name: str, content: bytes) -> tuple[str, bytes]:
    """The entry for a file of the application: Python as byte code, anything else as it is."""
    return (name + "c", byte_code(content, name)) if name.endswith(".py") else (name, content)


def application() -> None:
    """Make app.zip from everything staged."""
    paths = [path for path in STAGE.rglob("*") if path.is_file()]
    write(
        OUT / "app.zip", (compiled(path.relative_to(STAGE).as_posix(), path.read_bytes()) for path in paths)
    )


def used_at_boot(boot: str) -> set[str]:
    """The standard library's files that a real start of the application imports, as names in its zip."""
    sys.path.insert(0, str(OUT / "app.zip"))
    from playground.hosts import tab  # noqa: PLC0415 - only importable now

    tab.TEMPLATES = str(OUT / "app.zip" / "templates")  # type: ignore[misc]
    tab.start(boot)
    tab.warm()
    tab.tick()
    home = f"/lib/python{sys.version_info[0]}{sys.version_info[1]}.zip/"
    origins = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return {origin.removeprefix(home) for origin in origins if origin.startswith(home)}


def library(source: Path, used: set[str]) -> None:
    """Make stdlib.zip: byte code for what the start uses, sources for all the rest, which user code may want."""
    with zipfile.ZipFile(source) as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    write(
        OUT / "stdlib.zip",
        (compiled(name, text) if name in used else (name, text) for name, text in entries.items()),
    )


def main(boot: str) -> str:
    """Make both zips; returns what the page must know of this Python, as JSON."""
    application()
    used = used_at_boot(boot)
    library(Path("/stdlib.zip"), used)
    return json.dumps({"python": sys.version.split()[0], "modules": len(used)})
