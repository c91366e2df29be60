"""Code for a job, in any of the languages."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from playground.codegen.envelope import Envelope
from playground.codegen.program import Job, Part, Program
from playground.codegen.sdks import Language


class _Generator(Protocol):
    def generate(self, job: Job, part: Part) -> Program: ...


def generate(envelope: Envelope, language: Language, part: Part, base_url: str) -> Program:
    """The code.

    Args:
        envelope: The job.
        language: In which language.
        part: Which half of its way, or both.
        base_url: Where the server is.
    """
    module: _Generator = import_module(f"playground.codegen.{language.name}")
    return module.generate(Job(envelope, language, base_url), part)
