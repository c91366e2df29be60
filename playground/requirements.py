"""Requirements: the numbered sentences of the reference, each with its keyword, source, reason and evidence.

In a document a requirement is a fenced block::

    ```req backoff-cap MUST
    The wait is never longer than the policy's `max_interval`, however many failures there were.
    source: ojs-retry.md 4.2
    restates: L1-RET-002
    cases: L1-RET-004, OWN-L1-RET-003
    why: A wait that doubles is soon longer than anybody's patience; Sidekiq and Oban cap theirs too.
    ```

``restates`` names requirements of `ojs-conformance.md`, ``cases`` the test ids of cases. Some ids are both, with two
meanings, so they stand apart.

Its number comes from ``spec/requirements.lock.json``, which lists the names of each document in the order in which they
were first written and only ever grows at the end: an edit never moves a link. ``python -m playground.requirements``
adds new names there.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

LOCK: Final = "requirements.lock.json"
KEYWORDS: Final = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")
FENCE: Final = re.compile(r"^```req ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\Z")
_FIELD: Final = re.compile(r"(source|restates|cases|why|untestable): (.+)\Z")
_LEVEL: Final = re.compile(r"(?:OWN-)?L([0-4])-")
_LEVELS: Final = {
    **dict.fromkeys(("ojs-core.md", "ojs-json-format.md", "ojs-http-binding.md", "ojs-errors.md"), 0),
    **dict.fromkeys(("ojs-events.md", "ojs-middleware.md", "ojs-conformance.md"), 0),
    **dict.fromkeys(("ojs-retry.md", "ojs-worker-protocol.md"), 1),
    "ojs-cron.md": 2,
    "ojs-workflows.md": 3,
    "ojs-unique-jobs.md": 4,
}
"""The level that a document belongs to; all others are extensions."""
_SOURCE: Final = re.compile(r"(ojs-[a-z-]+\.md) (\S.*)\Z")


class Source(NamedTuple):
    """Where the standard says it: a document's file and the section."""

    document: str
    section: str


class Requirement(NamedTuple):
    """One requirement.

    Args:
        id: Its stable id, e.g. ``R-retry-12``.
        name: Its name in the document.
        keyword: One of `KEYWORDS`.
        text: What is required, markdown.
        sources: Where the standard says so.
        restates: Ids of `ojs-conformance.md` whose demand it repeats; own cases name what they prove by these.
        cases: Test ids of cases that prove it, published or own.
        why: The reason, with the prior art; may be empty.
        untestable: Why no case can prove it; empty where one can.
    """

    id: str
    name: str
    keyword: str
    text: str
    sources: tuple[Source, ...]
    restates: tuple[str, ...]
    cases: tuple[str, ...]
    why: str
    untestable: str

    @property
    def level(self) -> int | str:
        """The lowest level, 0 to 4, whose cases prove it; where none does, that of its source; else ``ext``."""
        told = [_LEVEL.match(key) for key in (*self.restates, *self.cases)]
        levels = [int(one[1]) for one in told if one] or [
            level for source in self.sources if (level := _level(source)) is not None
        ]
        return min(levels, default="ext")

    @property
    def at_rest(self) -> str:
        """What is known of it before any case has run: ``not run``, ``untestable`` or ``no case``."""
        if self.untestable:
            return "untestable"
        return "not run" if self.cases or self.restates else "no case"

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Requirement:
        """A requirement from its JSON values."""
        sources = tuple(Source(*one) for one in facts["sources"])
        lists = {name: tuple(facts[name]) for name in ("restates", "cases")}
        return cls(**{**facts, "sources": sources, **lists})


def _level(source: Source) -> int | None:
    found = re.match(r"2\.([1-5])\b", source.section) if source.document == "ojs-conformance.md" else None
    return int(found[1]) - 1 if found else _LEVELS.get(source.document)


def summed(verdicts: Iterable[str]) -> tuple[str, str]:
    """What a section's badge says, of its requirements' verdicts.

    Returns:
        A verdict, and words: ``failed`` if one has; ``passed`` if all have that can be tested.
    """
    counts = Counter(verdicts)
    total, passed = counts.total(), counts["passed"]
    if counts["failed"]:
        return "failed", f"{counts['failed']} of {total} failed"
    if passed or counts["partly"]:
        whole = passed + counts["untestable"] == total
        return "passed" if whole else "partly", f"{passed} of {total} passed"
    verdict = next(one for one in ("not run", "no case", "untestable") if counts[one])
    return verdict, verdict


def parse(document: str, head: str, body: str, numbers: Mapping[str, int]) -> Requirement:
    """A requirement from its fenced block.

    Args:
        document: The document's name.
        head: What stands after ``req``.
        body: The lines of the block.
        numbers: The numbers of the document's requirements, from the lock file.

    Raises:
        ValueError: It cannot be read; the message names document and requirement, and says what is wrong.
    """
    name, _, keyword = head.strip().partition(" ")
    place = f"spec/{document}.md, requirement '{name}'"
    if not _NAME.match(name):
        raise ValueError(f"{place}: a name has lower-case letters, digits and hyphens only.")
    if keyword not in KEYWORDS:
        raise ValueError(f"{place}: '{keyword}' is none of {', '.join(KEYWORDS)}.")
    if name not in numbers:
        raise ValueError(f"{place}: it has no number; run python -m playground.requirements.")
    lines: list[str] = []
    fields: dict[str, list[str]] = {
        "source": [],
        "restates": [],
        "cases": [],
        "why": [],
        "untestable": [],
    }
    for line in body.splitlines():
        found = _FIELD.match(line)
        if found:
            fields[found[1]].append(found[2].strip())
        elif any(fields.values()):
            raise ValueError(f"{place}: '{line:.40}' stands below the fields; text goes above them.")
        else:
            lines.append(line)
    text = "\n".join(lines).strip()
    sources = [_SOURCE.match(one) for one in fields["source"]]
    if not text or not sources or not all(sources):
        raise ValueError(f"{place}: it needs text, and a source such as 'source: ojs-retry.md 4.2'.")
    restates, cases = (
        tuple(one.strip() for line in fields[name] for one in line.split(",") if one.strip())
        for name in ("restates", "cases")
    )
    if cases and fields["untestable"]:
        raise ValueError(f"{place}: it has cases, so it is not untestable.")
    return Requirement(
        f"R-{document}-{numbers[name]}",
        name,
        keyword,
        text,
        tuple(Source(one[1], one[2]) for one in sources if one),
        restates,
        cases,
        " ".join(fields["why"]),
        " ".join(fields["untestable"]),
    )


def numbers(lock: Mapping[str, list[str]], document: str) -> dict[str, int]:
    """The numbers of a document's requirements by name."""
    return {name: number for number, name in enumerate(lock.get(document, ()), 1)}


def extended(lock: Mapping[str, list[str]], document: str, text: str) -> dict[str, list[str]]:
    """The lock with the names that a document has and it lacks, each document's new ones at its end."""
    known = list(lock.get(document, ()))
    names = [head.partition(" ")[0] for head, _ in FENCE.findall(text)]
    return {**lock, document: known + [name for name in dict.fromkeys(names) if name not in known]}


def main() -> None:
    """Add what is new to the lock file."""
    from playground import resources  # noqa: PLC0415 - a tool for authors

    folder = resources.path("spec")
    path = folder / LOCK
    lock: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}
    for file in sorted(folder.glob("*.md")):
        if FENCE.search(file.read_text(encoding="utf-8")):
            lock = extended(lock, file.stem, file.read_text(encoding="utf-8"))
    path.write_text(json.dumps(lock, indent=1) + "\n")


if __name__ == "__main__":
    main()
