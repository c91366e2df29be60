"""Case files from a folder or a zip archive."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Final

from playground import resources

MAX_FILE: Final = 4 * 1024 * 1024
"""Largest case file read, bytes."""
BUNDLED: Final = "cases.json"
"""The project's own cases in the tab's bundle: path to text."""
_ROOTS: Final = ("suites", "cases")


def own_cases() -> Path:
    """The folder of the project's own cases, in a checkout and in an installed wheel.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    return resources.path("spec") / "cases"


def dump() -> str:
    """The project's own cases as one JSON text, for the tab's bundle; each without the spaces that are for people.

    The line of ``spec_ref``, which reports name, stays what it is.
    """
    return json.dumps({path: _small(content) for path, content in case_files(own_cases())})


def _small(content: bytes) -> str:
    before, found, _ = content.partition(b'"spec_ref"')
    lines = before.count(b"\n") if found else 0
    return "\n" * lines + json.dumps(json.loads(content), separators=(",", ":"))


def bundled() -> list[tuple[str, bytes]]:
    """The project's own cases by path, from the tab's bundle or from their folder."""
    text = resources.bundled(f"spec/{BUNDLED}")
    if text is None:
        return list(case_files(own_cases()))
    return [(path, content.encode()) for path, content in json.loads(text).items()]


def case_files(source: Path) -> Iterator[tuple[str, bytes]]:
    """All JSON files of a folder or a zip archive, by path.

    Args:
        source: The folder, one file, or the archive.

    Yields:
        The path below the suites' root with ``/``, and the bytes.

    Raises:
        OSError: The source cannot be read.
        zipfile.BadZipFile: It is a file, but neither JSON nor a zip archive.
        zlib.error, EOFError, RuntimeError: A member of the archive is damaged, or needs a password.
    """
    if source.is_dir():
        for path in sorted(source.rglob("*.json")):
            if path.is_file():
                yield _below(path.relative_to(source).as_posix()), path.read_bytes()[: MAX_FILE + 1]
    elif source.suffix == ".json":
        yield source.name, source.read_bytes()[: MAX_FILE + 1]
    else:
        with zipfile.ZipFile(source) as archive:
            yield from _members(archive)


class BadArchive(Exception):
    """The archive is damaged, locked, or no zip archive."""


def zipped(content: bytes, suffix: str = ".json") -> list[tuple[str, bytes]]:
    """All JSON files of a zip archive in memory, or those with another suffix, by path.

    Raises:
        BadArchive: It cannot be read.
    """
    import zlib  # noqa: PLC0415 - beside its one use

    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return list(_members(archive, suffix))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise BadArchive(f"the zip archive cannot be read ({error})") from None


def _members(archive: zipfile.ZipFile, suffix: str = ".json") -> Iterator[tuple[str, bytes]]:
    for name in sorted(archive.namelist()):
        if name.endswith(suffix) and not name.startswith("__MACOSX/"):
            with archive.open(name) as file:
                yield _below(name), file.read(MAX_FILE + 1)


def _below(name: str) -> str:
    """The path below the suites' root, where the path shows one."""
    parts = PurePosixPath(name).parts
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] in _ROOTS:
            return "/".join(parts[index + 1 :])
    return name
