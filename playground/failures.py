"""Failures grouped by what went wrong: the error's type, and its message without what differs from job to job."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from engine.job import Job
from engine.storage import Store

LOOK: Final = 500
"""Jobs of each kind that are looked at, those that failed last."""
GROUPS: Final = 20
EXAMPLES: Final = 3
_LONGEST: Final = 300
_BLANK: Final = "…"

_VARIES: Final = re.compile(
    r"""[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}   # an id
      | "[^"]*" | '[^']*' | `[^`]*`                   # something quoted
      | \b0x[0-9a-f]+\b | \b[0-9a-f]{12,}\b           # an address, a hash
      | \d+(?:[.,:]\d+)*                              # a number, a time
    """,
    re.VERBOSE | re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def _fingerprint(message: str) -> str:
    return " ".join(_VARIES.sub(_BLANK, message).split())


def fingerprint(message: str) -> str:
    """A message without ids, numbers and what is quoted, e.g. ``No user … in …``."""
    return _fingerprint(message[:_LONGEST])


class Group:
    """Failures that are alike.

    Attributes:
        type: The error's type.
        like: The message's fingerprint.
        message: The latest message.
        count: How many jobs.
        waiting: How many of them wait for another attempt.
        dead: How many are dead letters.
        last: When the latest failed, RFC 3339.
        examples: The latest jobs.
        types: Their job types.
    """

    def __init__(self, kind: str, like: str, message: str) -> None:
        self.type = kind
        self.like = like
        self.message = message
        self.count = self.waiting = self.dead = 0
        self.last = ""
        self.examples: list[Job] = []
        self.types: set[str] = set()

    def add(self, job: Job, when: str) -> None:
        """Count one more."""
        self.count += 1
        self.waiting += job.state == "retryable"
        self.dead += job.dead_letter
        self.last = max(self.last, when)
        self.types.add(job.type)
        if len(self.examples) < EXAMPLES:
            self.examples.append(job)

    @property
    def query(self) -> str:
        """A search that finds them: the longest part of the message that they share, or the error's type."""
        parts = re.split(f'[{_BLANK}"]', self.like)
        longest = max((part.strip() for part in parts), key=len)
        return f'state:retryable,discarded error:"{longest or self.type.replace(chr(34), "")}"'


def groups(jobs: Iterable[Job]) -> list[Group]:
    """The groups of jobs that have failed, the largest first; jobs without an error are left out."""
    found: dict[tuple[str, str], Group] = {}
    for job in jobs:
        error = job.error
        if error is None:
            continue
        message = str(error.get("message") or error.get("code") or "")
        kind = str(error.get("type") or error.get("code") or "Unknown")
        key = kind, fingerprint(message)
        if key not in found:
            found[key] = Group(*key, message)
        found[key].add(job, str(job.errors[-1].get("occurred_at") or "") if job.errors else "")
    return sorted(found.values(), key=lambda group: (-group.count, group.type, group.like))


def failed(store: Store) -> list[Job]:
    """The jobs that failed last: those that wait for another attempt, and those that were given up."""
    return store.jobs(states=["retryable"], limit=LOOK) + store.jobs(states=["discarded"], limit=LOOK)
