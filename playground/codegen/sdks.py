"""What each SDK calls things: ``spec/sdks.json``, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from playground import resources

NAME: Final = "sdks.json"


class Language(NamedTuple):
    """One language.

    Args:
        name: Its name in the address.
        label: On its button.
        title: In a sentence.
        suffix: Of a file's name.
        repository: Where the official SDK is; empty where there is none.
        sdk: Its names; empty where its interface is not known well enough: there the code is plain HTTP.
    """

    name: str
    label: str
    title: str
    suffix: str
    repository: str
    sdk: Mapping[str, Any]

    @property
    def options(self) -> Mapping[str, str]:
        """The SDK's name of each option of the envelope."""
        options: Mapping[str, str] = self.sdk.get("options", {})
        return options


@cache
def languages() -> dict[str, Language]:
    """Every language by its name, in the order in which they are offered."""
    text = resources.bundled(f"spec/{NAME}")
    if text is None:
        text = (resources.path("spec") / NAME).read_text()
    return {
        one["name"]: Language(**{**one, "sdk": one["sdk"] or {}}) for one in json.loads(text)["languages"]
    }
