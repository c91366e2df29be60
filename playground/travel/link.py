"""Links that carry a whole moment: a scenario, compressed, in the address's fragment, which no server ever sees.

``#s=1.TEXT``: the codec's version, then raw DEFLATE (RFC 1951) of the scenario's JSON in base64url (RFC 4648, section
5) without padding.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any, Final

from playground.travel.scenario import MAX_TEXT, Scenario, ScenarioError, read

VERSION: Final = "1"
MAX_LINK: Final = 512 << 10
"""Longest fragment that is read, characters."""
LONG: Final = 8 << 10
"""From here on a link is too long for many places: a file is offered instead; characters."""
_FORM: Final = re.compile(r"(?:#?s=)?(\d{1,3})\.([A-Za-z0-9_-]*)\Z")


def encode(scenario: Scenario) -> str:
    """The fragment for a scenario, without ``#``."""
    packer = zlib.compressobj(9, wbits=-15)
    text = json.dumps(scenario, ensure_ascii=False, separators=(",", ":"))
    packed = packer.compress(text.encode("utf-8", "surrogatepass")) + packer.flush()
    return f"s={VERSION}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def decode(text: str) -> dict[str, Any]:
    """The scenario of a link, a fragment, or a scenario's own text. Nothing in it runs.

    Raises:
        ScenarioError: Cut off, damaged, too large, of a newer version, or no scenario.
    """
    text = text.strip()
    if text.startswith("{"):
        return read(text)
    fragment = text.partition("#")[2] if "#" in text else text
    if len(fragment) > MAX_LINK:
        raise ScenarioError(f"The link has {len(fragment):,} characters; the limit is {MAX_LINK:,}.")
    found = _FORM.match(fragment)
    if found is None:
        raise ScenarioError(
            "This is no link of the playground: it holds no #s=1.… with letters, digits, - and _ only."
        )
    if found[1] != VERSION:
        raise ScenarioError(
            f"The link has version {found[1]}; this playground reads version {VERSION}. Open it in a newer one."
        )
    return read(_unpacked(found[2]))


def _unpacked(text: str) -> str:
    reader = zlib.decompressobj(wbits=-15)
    try:
        raw = reader.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), 4 * MAX_TEXT)
    except (zlib.error, ValueError) as error:
        raise ScenarioError(f"The link is damaged: {error}.") from None
    if reader.unconsumed_tail or len(raw) == 4 * MAX_TEXT:
        raise ScenarioError(f"The link unpacks to more than {4 * MAX_TEXT:,} bytes, which is too much.")
    if not reader.eof:
        raise ScenarioError("The link was cut off: its end is missing. Copy it once more, whole.")
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"The link is damaged: {error}.") from None
