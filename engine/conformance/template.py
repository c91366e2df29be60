"""Template references: ``{{steps.enqueue.response.body.job.id}}`` in paths, headers, bodies and assertions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.conformance.jsonpath import PathError, resolve
from engine.conformance.values import Missing, go_json, go_number, is_number

REFERENCE = re.compile(r"\{\{steps\.([^.{}]+)\.response\.body\.([^}]+)\}\}")


class Templates:
    """Resolves references to the bodies of earlier steps; one for each run of a case.

    A reference that leads nowhere stays as it is written, and is noted.

    Attributes:
        unresolved: References that led nowhere since ``take_unresolved`` was last called.
    """

    def __init__(self) -> None:
        self._bodies: dict[str, Any] = {}
        self.unresolved: list[str] = []

    def remember(self, step_id: str, body: Any) -> None:
        """Keep a step's parsed response body; a later step of the same id replaces it."""
        self._bodies[step_id] = body

    def take_unresolved(self) -> tuple[str, ...]:
        """The references that led nowhere, each once and in order; the list starts anew."""
        found = tuple(dict.fromkeys(self.unresolved))
        self.unresolved = []
        return found

    def text(self, text: str) -> str:
        """A string with each reference replaced by the text of its value."""
        return REFERENCE.sub(self._replace, text) if "{{" in text else text

    def value(self, value: Any) -> Any:
        """Any JSON value with the references in its strings and keys replaced."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, Mapping):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return value

    def _replace(self, match: re.Match[str]) -> str:
        value = self._look_up(match[1], match[2])
        if isinstance(value, Missing):
            self.unresolved.append(f"{match[0]} ({value.why})")
            return match[0]
        return as_text(value)

    def _look_up(self, step_id: str, path: str) -> Any:
        if step_id not in self._bodies:
            return Missing(f"no step {step_id!r} has run")
        body = self._bodies[step_id]
        if isinstance(body, Missing):
            return body
        try:
            value = resolve(path, body)
        except PathError as error:
            return Missing(str(error))
        return Missing(f"{path} is null") if value is None else value


def as_text(value: Any) -> str:
    """How a resolved value is written: strings as they are, whole numbers without decimals, the rest as JSON."""
    if isinstance(value, str):
        return value
    if is_number(value):
        return str(int(value)) if float(value).is_integer() else go_number(value)
    return go_json(value)
