"""Which server is attached: the address of ``--attach``, and its token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from playground.http_target import Server, server_at

TIMEOUT: Final = 5.0
"""Seconds for an exchange."""
OWN: Final = ("db", "memory", "workers", "conformance", "require_tenant")
"""Settings of a server of one's own, which mean nothing to an attached one."""
VARIABLE: Final = "OJS_ATTACH_TOKEN"
_ENDING: Final = re.compile(r"(/ojs(/v1)?)?/?\Z")
"""What an address may end with beyond the server's own."""


def token(environment: Mapping[str, str], table: Mapping[str, Any], path: str) -> str:
    """The token: of the environment, else of the file; empty for none.

    Args:
        environment: The process's.
        table: The settings' file.
        path: Its name.

    Raises:
        ValueError: It cannot be one; the text does not show it.
    """
    section = table.get("attach", {})
    fits = isinstance(section, dict) and not set(section) - {"token"}
    if not fits or not isinstance(section.get("token", ""), str):
        raise ValueError(f'{path}: [attach] takes one thing, token = "…"; the address stands in --attach.')
    where, found = f"{path}: attach.token", section.get("token", "")
    if environment.get(VARIABLE):
        where, found = VARIABLE, environment[VARIABLE]
    if not found.isprintable() or not found.isascii() or " " in found:
        raise ValueError(f"{where} has a space or another character that no token can have.")
    return str(found)


def server(url: str, token: str) -> Server:
    """The server at an address; the address may end with ``/ojs/v1`` or not.

    Raises:
        ValueError: It is no address of a server.
    """
    if "?" in url or "#" in url:
        raise ValueError(
            f"--attach takes an address without query and fragment; a token stands in {VARIABLE}."
        )
    try:
        found = server_at(url, {"authorization": f"Bearer {token}"} if token else {}, timeout=TIMEOUT)
    except ValueError as error:
        raise ValueError(f"--attach: {error}.") from None
    return replace(found, base=_ENDING.sub("", found.base))
