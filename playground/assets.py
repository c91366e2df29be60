"""Static files under names that carry their content's hash, so that a browser may keep them for ever.

The same names are used by every host. A host that has the files computes them; the tab's bundle, which has
not, is given the table when it is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}
"""Media types of what the project serves, by ending."""


def digest(content: bytes) -> str:
    """Twelve hexadecimal digits that stand for the content."""
    import hashlib  # noqa: PLC0415 - the tab, which is given its table, can do without

    return hashlib.sha256(content).hexdigest()[:12]


def hashed(name: str, content: bytes) -> str:
    """``page.js`` with its hash: ``page.3f2a….js``."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{digest(content)}.{ending}"


def files(*roots: Path) -> Iterator[tuple[str, Path]]:
    """Every file below the folders as (name with ``/``, path); hidden ones are left out."""
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(root).as_posix(), path


class Assets:
    """The table of static files: plain name to URL.

    Args:
        names: Plain name to hashed name.
        base: Where the site begins, as its pages see it; ends with ``/``.
    """

    def __init__(self, names: dict[str, str], base: str = "/") -> None:
        self.names = names
        self.base = base
        self._plain = {hashed_name: name for name, hashed_name in names.items()}

    @classmethod
    def scan(cls, *roots: Path) -> Assets:
        """The table of the files below these folders."""
        return cls({name: hashed(name, path.read_bytes()) for name, path in files(*roots)})

    def url(self, name: str) -> str:
        """Where a static file is.

        Raises:
            KeyError: There is no such file: a template names one that does not exist.
        """
        return f"{self.base}static/{self.names[name]}"

    def plain(self, hashed_name: str) -> str | None:
        """The file that a hashed name stands for, or None."""
        return self._plain.get(hashed_name)
