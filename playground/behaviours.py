"""What demo handlers do with jobs of some types: the usual behaviours, and how visitors ask for others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

DAY: Final = 86_400_000
"""How long a handler that hangs would take, milliseconds."""
MAX_TIME: Final = 3_600_000
"""Longest that a handler may be asked to take, milliseconds."""
MAX_FAILURES: Final = 100
MAX_MESSAGE: Final = 500
"""Longest error message, characters."""
REPORTS: Final = 4
"""Progress reports of a handler that makes any."""
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.\-]{0,200}\*?\Z")


class Behaviour(NamedTuple):
    """What a demo handler does with jobs of some types.

    Args:
        pattern: The job's type; with ``*`` at its end how it begins.
        text: One sentence for the page.
        duration: How long the handler runs, milliseconds.
        failures: Attempts that fail before one succeeds; None means all of them.
        dies: Whether the worker vanishes instead of answering.
        reports: How often it tells how far it is.
        message: The error's message; empty for the usual one.
    """

    pattern: str
    text: str
    duration: int
    failures: int | None = 0
    dies: bool = False
    reports: int = 0
    message: str = ""

    def fits(self, job_type: str) -> bool:
        """Whether it is meant for jobs of this type."""
        if self.pattern.endswith("*"):
            return job_type.startswith(self.pattern[:-1])
        return job_type == self.pattern


BEHAVIOURS: Final = (
    Behaviour("flaky.*", "fails twice, then succeeds", 900, failures=2),
    Behaviour("broken.*", "always fails", 900, failures=None),
    Behaviour("crash.*", "dies without an answer", 1_200, dies=True),
    Behaviour("slow.*", "takes ten seconds", 10_000),
    Behaviour("*", "succeeds after a second", 1_100),
)
"""The usual ones; the first pattern that fits decides."""

DEEDS: Final = {
    "succeed": "succeeds",
    "report": "reports progress, then succeeds",
    "fail": "fails some times, then succeeds",
    "fail-always": "always fails",
    "crash": "dies without an answer",
    "hang": "hangs",
}
"""What visitors can have a handler do."""


def behaviour_of(job_type: str, own: Iterable[Behaviour] = ()) -> Behaviour:
    """What the demo handler of a job type does.

    Args:
        job_type: The job's type.
        own: The visitor's behaviours, which come before the usual ones.
    """
    return next(one for group in (own, BEHAVIOURS) for one in group if one.fits(job_type))


def _number(settings: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"'{name}' must be a whole number from {least:,} to {most:,}.")
    return value


def pattern_of(settings: Mapping[str, Any]) -> str:
    """The job types that settings are about.

    Raises:
        ValueError: Not a type, or a beginning followed by ``*``.
    """
    pattern = settings.get("pattern")
    if not isinstance(pattern, str) or not pattern or not _PATTERN.match(pattern):
        raise ValueError("Job types are named like email.send, or email.* for all that begin so.")
    return pattern


def made(settings: Mapping[str, Any]) -> Behaviour:
    """A behaviour as a visitor describes it.

    Args:
        settings: ``{pattern, does, ms?, failures?, message?}``; ``does`` is a key of `DEEDS`, ``ms`` up to `MAX_TIME`.

    Raises:
        ValueError: It says what to correct.
    """
    pattern, does = pattern_of(settings), settings.get("does")
    if does not in DEEDS:
        raise ValueError(f"A demo handler can do one of these: {', '.join(DEEDS)}.")
    ms = _number(settings, "ms", 1_000, 0, MAX_TIME)
    failures = _number(settings, "failures", 1, 1, MAX_FAILURES)
    message = settings.get("message", "")
    if not isinstance(message, str) or len(message) > MAX_MESSAGE:
        raise ValueError(f"The error's message has at most {MAX_MESSAGE} characters.")
    after = f"after {ms / 1000:g} s"
    if does == "succeed":
        return Behaviour(pattern, f"succeeds {after}", ms)
    if does == "report":
        return Behaviour(pattern, f"reports progress {REPORTS} times, succeeds {after}", ms, reports=REPORTS)
    if does == "fail":
        times = "once" if failures == 1 else f"{failures} times"
        return Behaviour(pattern, f"fails {times} {after}, then succeeds", ms, failures, message=message)
    if does == "fail-always":
        return Behaviour(pattern, f"always fails {after}", ms, None, message=message)
    if does == "crash":
        return Behaviour(pattern, f"dies without an answer {after}", ms, dies=True)
    return Behaviour(pattern, "hangs, and goes on sending heartbeats", DAY)
