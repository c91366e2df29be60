"""Stands in the tab for those modules of Jinja2 that only compile templates: the tab's are compiled already."""

from __future__ import annotations


def __getattr__(name: str) -> None:
    """Nothing, under whatever name the rest of Jinja2 imports from here and never uses.

    Raises:
        AttributeError: The import system asks for one of its own names.
    """
    if name.startswith("__"):
        raise AttributeError(name)
