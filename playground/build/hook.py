"""The wheel's build hook: brings htmx into ``static/vendor``, so that an installed package serves without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Runs before the wheel, editable ones too, is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the third-party files that pages load.

        Args:
            version: ``standard`` or ``editable``.
            build_data: Not changed: what is included is listed in pyproject.toml.
        """
        del version, build_data
        sys.path.insert(0, str(Path(self.root)))
        from playground.packages import vendor  # noqa: PLC0415 - importable only from here on

        vendor()
