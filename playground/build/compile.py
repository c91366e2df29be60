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
"""What a start does not show: the time zones are read out of a zip archive, whose names may be in this encoding."""

NEVER = frozenset({"ssl.py"})
"""What Pyodide's start imports if it is there, for nothing: a tab has no sockets. The rest of the library has it."""


def byte_code(source: bytes, name: str) -> bytes:
    """The content of an unchecked, hash-based .pyc: it never looks for its source."""
    code = marshal.dumps(
        compile(source, name, "exec", dont_inherit=True, optimize=2)
    )  # no docstring has a reader there
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


def used(boot: str) -> set[str]:
    """The standard library's files that the application imports, as names in its zip.

    Found by using it: a real start, every page and view, and every conformance case of the project's own.
    """
    sys.path.insert(0, str(OUT / "app.zip"))
    sys.path.append(str(EXTRA))
    from engine.conformance.case import read_all  # noqa: PLC0415 - only importable now
    from engine.conformance.runner import run  # noqa: PLC0415
    from engine.conformance.target import fresh_engine  # noqa: PLC0415
    from playground import case_files  # noqa: PLC0415
    from playground.hosts import tab  # noqa: PLC0415

    tab.TEMPLATES = str(OUT / "app.zip" / "templates")  # type: ignore[misc]
    tab.start(boot)
    tab.warm()
    tab.tick()
    answered: list[int] = []
    for url in (
        "/",
        "/spec",
        "/spec/lifecycle",
        "/spec/errata",
        "/conformance",
        "/scenarios",
        "/scenarios/first-job",
        "/play/jobs/none",
        "/ui/views/log",
    ):
        tab.dispatch(0, "GET", url, "{}", None, lambda status, *_: answered.append(status), print, print)
    if set(answered) != {200, 404}:
        raise SystemExit(f"The application does not answer in Pyodide: {answered}")
    failed = [one for one in run(read_all(case_files.bundled())[0], fresh_engine) if one.verdict == "failed"]
    if failed:
        raise SystemExit(f"Cases fail in Pyodide: {[one.case.id for one in failed]}")
    home = f"/lib/python{sys.version_info[0]}{sys.version_info[1]}.zip/"
    origins = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    names = {origin.removeprefix(home) for origin in origins if origin.startswith(home)}
    return (names | ALWAYS) - NEVER


def library(source: Path, wanted: set[str]) -> None:
    """Make stdlib.zip, byte code of what the application uses, and rest.zip, sources of all else and time zones.

    stdlib.zip carries the list of the rest, so that an import that fails can be told from one that must wait.
    """
    with zipfile.ZipFile(source) as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    rest = {name: content for name, content in entries.items() if name not in wanted}
    rest |= {
        path.relative_to(EXTRA).as_posix(): path.read_bytes() for path in EXTRA.rglob("*") if path.is_file()
    }
    modules = "\n".join(sorted(name for name in rest if name.endswith(".py")))
    write(OUT / "rest.zip", rest.items())
    write(
        OUT / "stdlib.zip",
        [*(compiled(name, entries[name]) for name in wanted), ("rest.txt", modules.encode())],
    )


def main(boot: str) -> str:
    """Make the zips; returns what the page must know of this Python, as JSON."""
    application()
    library(Path("/stdlib.zip"), used(boot))
    return json.dumps({"python": sys.version.split()[0]})
