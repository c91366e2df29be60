"""An exchange's request in other words: a curl command, ``fetch``, Python's standard library, a scenario's step."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engine.errors import PayloadTooLarge
from engine.http.message import Request
from engine.nesting import too_deep
from playground.showing import visible

MAX_BODY: Final = 65_536
"""Longest body that is put into words, bytes."""
MAX_SAFE: Final = 2**53
"""Whole numbers up to this one are the same in JavaScript."""
DROPPED: Final = frozenset(
    "host content-length connection accept accept-encoding accept-language origin referer user-agent te "
    "transfer-encoding upgrade-insecure-requests pragma cache-control priority dnt".split()
)
"""Headers that each client sets for itself."""
SECRET: Final = frozenset("authorization cookie proxy-authorization x-api-key".split())
"""Headers that are never shown."""


class Told(NamedTuple):
    """A request to be put into words.

    Args:
        request: Method, path, body; its headers are those worth saying.
        base_url: Scheme, host and port.
        at: When it was sent, milliseconds since the beginning of its scenario.
    """

    request: Request
    base_url: str
    at: int


def headers(request: Request) -> dict[str, str]:
    """The headers that somebody chose, by lower-case name; see `DROPPED` and `SECRET`."""
    return {
        name: value
        for name, value in request.headers.items()
        if name not in DROPPED | SECRET and not name.startswith(("sec-", "hx-", "x-forwarded"))
    }


def hidden(request: Request) -> list[str]:
    """Names of the headers that are not shown because they are secrets."""
    return sorted(SECRET & set(request.headers))


def _json(raw: bytes, *, safe: bool = False) -> Any:
    """The body's JSON, or None; with ``safe`` also None where JavaScript would read other numbers."""
    try:
        text = raw.decode()
        if too_deep(text):
            return None
        value = json.loads(text, parse_int=_safe if safe else int)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value


def _safe(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_SAFE:
        raise ValueError("JavaScript would read another number")
    return number


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _cased(name: str) -> str:
    return "OJS-Version" if name == "ojs-version" else "-".join(part.capitalize() for part in name.split("-"))


def as_curl(told: Told) -> str:
    """A command for a POSIX shell."""
    request = told.request
    lines = [f"curl -i -X {request.method} {shlex.quote(told.base_url + request.url)}"]
    lines += ["-H " + shlex.quote(f"{_cased(name)}: {value}") for name, value in request.headers.items()]
    text = _text(request.body)
    if text is None:
        lines.append("--data-binary @-")
        return f"echo {base64.b64encode(request.body).decode()} | base64 -d | " + " \\\n  ".join(lines)
    if text:
        # Within JSON an escape stands for the same character; elsewhere nothing may be changed.
        told_text = text if _json(request.body) is None else visible(text)
        lines.append(f"--data-binary {shlex.quote(told_text)}")
    return " \\\n  ".join(lines)


def as_fetch(told: Told) -> str:
    """A statement for a browser's console, or Node."""
    request = told.request
    parts = [f"  method: {json.dumps(request.method)},"]
    if request.headers:
        named = {_cased(name): value for name, value in request.headers.items()}
        parts.append(f"  headers: {json.dumps(named)},")
    if request.body:
        text, value = _text(request.body), _json(request.body, safe=True)
        if text is None:
            coded = base64.b64encode(request.body).decode()
            parts.append(f'  body: Uint8Array.from(atob("{coded}"), (letter) => letter.charCodeAt(0)),')
        elif value is None:
            parts.append(f"  body: {json.dumps(text)},")
        else:
            indented = visible(json.dumps(value, indent=2, ensure_ascii=False)).replace("\n", "\n  ")
            parts.append(f"  body: JSON.stringify({indented}),")
    address = json.dumps(told.base_url + request.url)
    body = "\n".join(parts)
    return (
        f"const response = await fetch({address}, {{\n{body}\n}});\n"
        "console.log(response.status, await response.text());"
    )


def as_python(told: Told) -> str:
    """A program of Python's standard library."""
    request = told.request
    lines = [f"    {json.dumps(told.base_url + request.url)},", f'    method="{request.method}",']
    named = {_cased(name): value for name, value in request.headers.items()}
    if named:
        lines.append(f"    headers={named!r},")
    if request.body:
        value = _json(request.body)
        data = f"{request.body!r}" if value is None else f"json.dumps({value!r}).encode()"
        lines.append(f"    data={data},")
    imports = (["import json"] if "json.dumps(" in "".join(lines[2:]) else []) + [
        "import urllib.error",
        "import urllib.request",
    ]
    call = "\n".join(["request = urllib.request.Request(", *lines, ")"])
    return "\n".join(
        [
            *imports,
            "",
            call,
            "try:",
            "    response = urllib.request.urlopen(request)",
            "except urllib.error.HTTPError as error:  # a refusal has a body too",
            "    response = error",
            "print(response.status, response.read().decode())",
        ]
    )


def as_step(told: Told) -> str:
    """A step of a scenario.

    Raises:
        InvalidRequest: A scenario cannot carry it.
    """
    from playground.travel.command import Command, recorded, to_step  # noqa: PLC0415 - one form of four

    step = to_step(Command(told.at, "request", recorded(told.request)), 0)
    return visible(json.dumps(step, indent=2, ensure_ascii=False))


FORMS: Final[dict[str, tuple[str, Callable[[Told], str]]]] = {
    "curl": ("curl", as_curl),
    "fetch": ("fetch", as_fetch),
    "python": ("Python", as_python),
    "step": ("Scenario step", as_step),
}
"""By name: the label, and who tells it."""


def tell(form: str, told: Told) -> str:
    """The request in one of the `FORMS`.

    Raises:
        PayloadTooLarge: Its body is longer than `MAX_BODY`.
        InvalidRequest: A scenario cannot carry it.
    """
    size = len(told.request.body)
    if size > MAX_BODY:
        raise PayloadTooLarge(
            f"The body has {size:,} bytes: too many to copy, the limit is {MAX_BODY:,}. Download it instead.",
            details={"size": size, "limit": MAX_BODY},
        )
    return FORMS[form][1](told)
