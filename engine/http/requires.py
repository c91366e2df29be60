"""Extensions that a request depends on: ``OJS-Requires-Extension`` (OJS Extension Lifecycle 8.3)."""

from __future__ import annotations

from typing import Final

from engine.errors import ExtensionNotSupported
from engine.http.routes import FEATURES

CORE: Final = (
    "core json-format http-binding retry worker-protocol events middleware cron workflows unique-jobs conformance "
    "extension-lifecycle"
).split()
"""The standard's core documents of levels 0 to 4, each of which a request may name too."""
_SPACES: Final = ("", "urn:ojs:ext:", "urn:ojs:ext:experimental:")
"""How a document's name may be written: as in the manifest's list, or as a URI of either tier, since the documents
themselves do not agree on theirs."""
KNOWN: Final = frozenset(
    [space + one.name for one in FEATURES for space in _SPACES] + [f"urn:ojs:spec:{name}" for name in CORE]
)


def check(header: str) -> None:
    """Refuse a request that depends on what this server does not have.

    Args:
        header: URIs, separated by commas.

    Raises:
        ExtensionNotSupported: One of them is not in the manifest.
    """
    for part in header.split(","):
        uri = part.strip()
        if uri and uri not in KNOWN:
            raise ExtensionNotSupported(
                f"The extension '{uri:.100}' is not supported here (OJS Extension Lifecycle 8.3).",
                details={"extension": uri[:100]},
            )
