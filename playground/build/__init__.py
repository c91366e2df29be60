"""The browser build: a folder of files that any static server can serve."""

from playground.build.site import BuildError, build

__all__ = ["BuildError", "build"]
