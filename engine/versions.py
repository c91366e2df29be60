"""Versions of job types and their schemas: reading, ordering, ranges (OJS Job Versioning 5 and 8, Schema Registry 6).

A version has one to three numbers, and a pre-release of SemVer after three; ``2``, ``2.0`` and ``2.0.0`` are the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from engine.job import Job

VERSION: Final = re.compile(
    r"(\d{1,9})(?:\.(\d{1,9})(?:\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]{1,64})?)?)?\Z",
    re.ASCII,
)
_CONSTRAINT: Final = re.compile(r"(>=|<=|>|<|=)?\s{0,8}([0-9][0-9A-Za-z.+-]{0,150})\Z", re.ASCII)

Key = tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]


def key(version: Any) -> Key | None:
    """What versions are ordered and compared by (SemVer precedence); None when it is no version.

    Args:
        version: A text such as ``2.0``, or a whole number.
    """
    if isinstance(version, bool) or not isinstance(version, int | str):
        return None
    found = VERSION.match(str(version))
    if not found:
        return None
    numbers = [int(part or 0) for part in found.groups()[:3]]
    parts = (found[4] or "").split(".") if found[4] else []
    pre = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
    return numbers[0], numbers[1], numbers[2], 0 if pre else 1, pre


def of(job: Job) -> Any:
    """The version that a job carries, as its client wrote it, or None (OJS Job Versioning 5.2)."""
    return (job.extra or {}).get("version")


def split(kind: str) -> tuple[str, str | None]:
    """A job type and the version behind its ``@``, if there is one (OJS Job Versioning 5.3)."""
    name, at, version = kind.rpartition("@")
    return (name, version) if at and key(version) is not None else (kind, None)


@lru_cache(maxsize=256)
def parse_range(text: str) -> tuple[tuple[str, Key], ...] | None:
    """A version range as constraints that all must hold; None for ``*``, which takes everything.

    Args:
        text: E.g. ``*``, ``2.0``, ``>=1.0 <3.0`` or ``>=1.0, <3.0`` (OJS Job Versioning 8.1, 15.1).

    Raises:
        ValueError: It is not such a range.
    """
    text = text.strip()
    if text in {"", "*"}:
        return None
    spaced = re.sub(r"(>=|<=|>|<|=) {1,8}", r"\1", text[:200].replace(",", " "))
    constraints: list[tuple[str, Key]] = []
    for part in spaced.split():
        found = _CONSTRAINT.match(part)
        limit = key(found[2]) if found else None
        if found is None or limit is None:
            raise ValueError("must be '*', a version, or constraints such as '>=1.0 <3.0'")
        constraints.append((found[1] or "=", limit))
    return tuple(constraints)


def included(version: Any, text: str) -> bool:
    """Whether a version lies in a range; a job without one may go anywhere (OJS Job Versioning 8.2)."""
    mine = key(version)
    constraints = parse_range(text)
    if mine is None or constraints is None:
        return True
    tests = {
        ">=": lambda limit: mine >= limit,
        "<=": lambda limit: mine <= limit,
        ">": lambda limit: mine > limit,
        "<": lambda limit: mine < limit,
        "=": lambda limit: mine == limit,
    }
    return all(tests[operator](limit) for operator, limit in constraints)
