"""What every generator makes: a program's text and what must be said beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from playground.codegen.envelope import Envelope
from playground.codegen.sdks import Language

Part = Literal["producer", "worker", "program"]
PARTS: Final[tuple[Part, ...]] = ("producer", "worker", "program")
"""The halves of a job's way, and both in one file."""


class Program(NamedTuple):
    """Code for one job.

    Args:
        text: The code.
        notes: What a reader must know: options that this SDK cannot send, and the like.
    """

    text: str
    notes: tuple[str, ...] = ()


class Job(NamedTuple):
    """What code is asked for.

    Args:
        envelope: The job.
        language: In which language.
        base_url: Where the server is.
    """

    envelope: Envelope
    language: Language
    base_url: str


def name_of(job_type: str) -> str:
    """A job type as the end of a function's name, e.g. ``email_send``."""
    return re.sub(r"[^a-z0-9]+", "_", job_type.lower()).strip("_") or "job"


def members(options: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """The members of a policy, e.g. those under ``retry.``."""
    return {
        path.removeprefix(policy + "."): one for path, one in options.items() if path.startswith(policy + ".")
    }


def unsupported(language: Language, options: Iterable[str]) -> tuple[str, ...]:
    """What is said of the options that an SDK cannot send."""
    return tuple(
        f"The {language.label} SDK has no option for {visible(path)}: this code leaves it out."
        for path in options
        if path not in language.options and not path.endswith(".")
    )


def visible(text: str) -> str:
    """A name as it may stand in a comment: one line, short, nothing unseen."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return f"'{shown}'" + ("…" if len(text) > 60 else "")


def comment(mark: str, notes: Iterable[str]) -> str:
    """Notes as comments, one a line."""
    return "".join(f"{mark} {note}\n" for note in notes)


_SLOT: Final = re.compile(r"@([a-z_]+)@")


def fill(skeleton: str, **values: str) -> str:
    """A skeleton with its ``@slots@`` filled, once: what is filled in is never looked at."""
    return _SLOT.sub(lambda slot: values[slot[1]], skeleton)
