"""Runs inside Pyodide under Node (see ``compile.mjs``): makes the zips that the browser's Python loads.

Byte code must be made by the very Python that will run it. Entries are stored, not deflated, so that the
server's own compression sees them whole. They are the same, byte for byte, for the same sources.
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
EXTRA = Path("/extra")
"""Packages that the tab fetches only when it needs them: the time zones."""
DATE = (2026, 1, 1, 0, 0, 0)

ALWAYS = frozenset({"encodings/cp437.py"})
"""What no look at the tab shows: the time zones are read out of a zip archive, whose names may be in this encoding."""

NEVER = frozenset({"ssl.py"})
"""What Pyodide's start imports if it is there, for nothing: a tab has no sockets. The rest of the library has it."""

HOME = f"/lib/python{sys.version_info[0]}{sys.version_info[1]}.zip/"
PLAIN = frozenset(
    spec.origin.removeprefix(HOME)
    for module in list(sys.modules.values())
    if (spec := getattr(module, "__spec__", None)) and (spec.origin or "").startswith(HOME)
)
"""What a Python as Pyodide makes it has imported by now."""


def byte_code(source: bytes, name: str) -> bytes:
    """The content of an unchecked, hash-based .pyc: it never looks for its source."""
    code = marshal.dumps(
        compile(source, name, "exec", dont_inherit=True, optimize=2)
    )  # no docstring has a reader there
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source) + code


def write(name: str, entries: Iterable[tuple[str, bytes]]) -> None:
    """A stored zip of these entries, in the order of their names."""
    with zipfile.ZipFile(OUT / name, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in sorted(entries):
            archive.writestr(zipfile.ZipInfo(entry, DATE), content)


def contents(source: Path) -> dict[str, bytes]:
    """The files of a zip by name."""
    with zipfile.ZipFile(source) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def compiled(name: str, content: bytes) -> tuple[str, bytes]:
    """The entry for a file: Python as byte code, anything else as it is."""
    return (name + "c", byte_code(content, name)) if name.endswith(".py") else (name, content)


def modules(names: Iterable[str]) -> bytes:
    """A list of the modules among these files: their paths without ending, a line each."""
    return "\n".join(
        sorted(name.rpartition(".")[0] for name in names if name.endswith((".py", ".pyc")))
    ).encode()


def below(origins: Iterable[str], home: str) -> set[str]:
    """Those that lie there, as names in the zip."""
    return {origin.removeprefix(home) for origin in origins if origin.startswith(home)}


def program() -> None:
    """Make program.zip, all that is staged, compiled: what the tab is watched with."""
    write(
        "program.zip",
        (
            compiled(path.relative_to(STAGE).as_posix(), path.read_bytes())
            for path in STAGE.rglob("*")
            if path.is_file()
        ),
    )


def pack(seen: str) -> None:
    """Make the zips of the site.

    app.zip and stdlib.zip hold byte code of what a start imports; more.zip what the application uses later, and its
    texts; rest.zip sources of all other modules, and the time zones; loop.zip byte code of what a Python as Pyodide
    makes it, the visitor's, has besides stdlib.zip and rest.zip. app.zip lists the modules of more.zip and rest.zip,
    so that an import that fails can be told from one that must wait.

    Args:
        seen: What ``observe.main`` gave.
    """
    origins = json.loads(seen)
    ours, library = contents(OUT / "program.zip"), contents(Path("/stdlib.zip"))
    started = below(origins["start"], "/app.zip/") | {"sitecustomize.pyc"}
    first = below(origins["start"], HOME)
    later = below(origins["later"], HOME) - first | ALWAYS
    loop = (PLAIN | later) - first - NEVER
    # A package is looked for in one archive: what belongs to one of stdlib.zip goes there.
    parts = {name for name in loop if "/" in name and f"{name.partition('/')[0]}/__init__.py" not in loop}
    first, later, loop = first | parts, later - parts, loop - parts
    more = {name: ours[name] for name in ours.keys() - started}
    more |= dict(compiled(name, library[name]) for name in later)
    rest = {name: library[name] for name in library.keys() - first - later}
    rest |= {
        path.relative_to(EXTRA).as_posix(): path.read_bytes() for path in EXTRA.rglob("*") if path.is_file()
    }
    start = {name: ours[name] for name in started}
    start |= {
        "patterns": (OUT / "patterns").read_bytes(),
        "more.txt": modules(more),
        "rest.txt": modules(rest),
    }
    write("app.zip", start.items())
    write("stdlib.zip", (compiled(name, library[name]) for name in first))
    write("more.zip", more.items())
    write("rest.zip", rest.items())
    write("loop.zip", (compiled(name, library[name]) for name in loop))
