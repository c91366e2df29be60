"""The playground's version, as its package says it; not for the tab, whose bundle carries no package metadata."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """E.g. ``0.1.0``; ``(checkout)`` where the package is not installed, not even in editable form."""
    try:
        return version("ojs-playground")
    except PackageNotFoundError:
        return "(checkout)"
