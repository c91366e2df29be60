"""The HTTP console's requests: from what somebody typed to a request of the binding, or to what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from engine.errors import InvalidRequest
from engine.http.message import Request
from playground.showing import clip

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BASES: Final = ("/ojs/", "/v1/")
MAX_HEADERS: Final = 50
MAX_PATH: Final = 8_000
MAX_VALUE: Final = 8_000
"""Longest path and longest value of a header, characters."""
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_BAD: Final = re.compile(r"[^\x21-\x7e]")
_BLANK: Final = re.compile(r"\{[^{}/]*\}")


class Draft(NamedTuple):
    """A request as it stands in the form: all of it text, just as it was typed."""

    method: str = "GET"
    path: str = "/ojs/v1/health"
    headers: str = ""
    body: str = ""


class DraftProblem(InvalidRequest):
    """A part of the form cannot be sent; ``details.field`` names the part."""

    hint = "Nothing was sent. What you typed is still there: mend it and send again."


def _refuse(field: str, message: str) -> DraftProblem:
    return DraftProblem(message, details={"field": field})


def read(draft: Draft, known: Callable[[str], bool]) -> Request:
    """The request of a draft.

    Args:
        draft: What was typed.
        known: Whether the binding has a route for a path that is not below its base path.

    Raises:
        DraftProblem: A part of it cannot be sent.
    """
    if draft.method not in METHODS:
        told = f"'{clip(draft.method, 20)}' is no method of the binding; there are {', '.join(METHODS)}."
        raise _refuse("method", told)
    body = draft.body.encode("utf-8", "replace")
    return Request(draft.method, _path(draft.path.strip(), known), _headers(draft.headers), body)


def _path(path: str, known: Callable[[str], bool]) -> str:
    if path.startswith(("http://", "https://")):
        raise _refuse("path", "Give the path only, without scheme and host: the request goes to this server.")
    if not path.startswith("/"):
        raise _refuse("path", f"The path must begin with '/', as in '/ojs/v1/jobs'; got '{clip(path, 40)}'.")
    if len(path) > MAX_PATH:
        raise _refuse("path", f"The path has {len(path):,} characters; at most {MAX_PATH:,} can be sent.")
    blank = _BLANK.search(path)
    if blank:
        raise _refuse("path", f"Put a value in the place of '{clip(blank[0], 40)}'.")
    bad = _BAD.search(path)
    if bad:
        told = "a space" if bad[0] == " " else f"'{clip(bad[0])}'"
        raise _refuse(
            "path",
            f"Character {bad.start() + 1} of the path is {told}; write it percent-encoded, e.g. '%20' for a space.",
        )
    if not path.startswith(BASES) and not known(path.partition("?")[0]):
        raise _refuse(
            "path",
            f"The console speaks to the OJS binding: '/ojs/v1/…', '/v1/…' or '/health', not '{clip(path, 40)}'.",
        )
    return path


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon:
            raise _refuse("headers", f"Line {number} of the headers has no colon: write 'Name: value'.")
        if not _NAME.match(name):
            raise _refuse("headers", f"Line {number} of the headers: '{clip(name, 40)}' is no header name.")
        if len(value) > MAX_VALUE or not value.isprintable() or not value.isascii():
            raise _refuse(
                "headers",
                f"Line {number} of the headers: the value of '{clip(name, 40)}' must be printable ASCII, "
                f"at most {MAX_VALUE:,} characters.",
            )
        if name.lower() in found:
            raise _refuse("headers", f"Line {number} of the headers: '{clip(name, 40)}' stands there twice.")
        found[name.lower()] = value
    if len(found) > MAX_HEADERS:
        raise _refuse("headers", f"There are {len(found)} headers; at most {MAX_HEADERS} can be sent.")
    return found
