"""The language of the job search: qualifiers, free text, and errors that say what, where and how to mend it.

A query is a row of terms, each of which a job must meet: ``state:retryable,discarded type:email.* args.user:1
attempt:>2 -tag:slow error:"timed out" text``. A minus turns a term round. Here is only what a query means; which jobs
are looked at is `playground.found`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from engine.job import Job
from playground.qualifiers import Refused, Test, state_names, test_of

MAX_QUERY: Final = 500
"""Longest query, characters."""
MAX_TERMS: Final = 20


class Problem(NamedTuple):
    """A part of the query that cannot be read.

    Args:
        start: Where it begins, characters from 0.
        end: Where it ends, exclusive.
        what: What is wrong, one sentence.
        hint: How to mend it.
    """

    start: int
    end: int
    what: str
    hint: str


class Search(NamedTuple):
    """A query, read.

    Args:
        text: As it came, cut to `MAX_QUERY`.
        states: The states that it asks for, None for all.
        queue: The one queue that it asks for, or None.
        id: The one whole job id that it asks for, or None.
        tests: What a job must meet beyond these.
        problems: The parts that cannot be read; the other parts hold.
        deep: Whether a test looks into arguments, which takes longer.
    """

    text: str
    states: tuple[str, ...] | None
    queue: str | None
    id: str | None
    tests: tuple[Test, ...]
    problems: tuple[Problem, ...]
    deep: bool

    @property
    def is_plain(self) -> bool:
        """Whether the store's own order and counts answer it, so that no job has to be looked at."""
        return not self.tests and self.id is None and (self.states is None or len(self.states) == 1)

    def matches(self, job: Job) -> bool:
        """Whether a job meets every term."""
        return (
            (self.states is None or job.state in self.states)
            and (self.queue is None or job.queue == self.queue)
            and (self.id is None or job.id == self.id)
            and all(test(job) for test in self.tests)
        )


class _Term(NamedTuple):
    start: int
    end: int
    negated: bool
    name: str  # "" for free text
    value: str


_NAME: Final = re.compile(r"(-?)([A-Za-z_]+(?:\.[^\s:\"]+)?):")
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)


def _terms(text: str) -> Iterator[_Term | Problem]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        start = place
        named = _NAME.match(text, place)
        negated, name = False, ""
        if named is not None:
            negated, name, place = bool(named[1]), named[2], named.end()
        elif text[place] == "-" and place + 1 < len(text) and not text[place + 1].isspace():
            negated, place = True, place + 1
        if text[place : place + 1] == '"':
            closed = text.find('"', place + 1)
            if closed < 0:
                yield Problem(
                    start, len(text), "A quotation mark is opened and not closed.", 'Close it with ".'
                )
                return
            value, place = text[place + 1 : closed], closed + 1
        else:
            end = next((index for index in range(place, len(text)) if text[index].isspace()), len(text))
            value, place = text[place:end], end
        head, dot, rest = name.partition(".")
        yield _Term(start, place, negated, head.lower() + dot + rest, value)


@lru_cache(maxsize=64)  # a live view asks for the same one again and again
def parse(text: str) -> Search:
    """Read a query; never raises. What cannot be read is told in `Search.problems`, and the rest holds."""
    problems: list[Problem] = []
    if len(text) > MAX_QUERY:
        what = f"A query has at most {MAX_QUERY} characters; this one has {len(text)}."
        problems.append(Problem(MAX_QUERY, MAX_QUERY, what, "Shorten it; its end is left out."))
        text = text[:MAX_QUERY]
    states: tuple[str, ...] | None = None
    queue = job_id = None
    tests: list[Test] = []
    deep = False
    for count, term in enumerate(_terms(text)):
        if isinstance(term, Problem):
            problems.append(term)
            continue
        if count >= MAX_TERMS:
            what = f"A query has at most {MAX_TERMS} terms."
            problems.append(Problem(term.start, len(text), what, "Leave some out."))
            break
        try:
            test = test_of(term.name, term.value)
        except Refused as refused:
            problems.append(Problem(term.start, term.end, refused.what, refused.hint))
            continue
        if not term.negated and term.name == "state" and states is None:
            states = state_names(term.value)
        elif not term.negated and term.name == "queue" and queue is None and "*" not in term.value:
            queue = term.value
        elif (
            not term.negated and term.name == "id" and job_id is None and _WHOLE_ID.match(term.value.lower())
        ):
            job_id = term.value.lower()
        else:
            deep = deep or not term.name or term.name == "args"
            tests.append(_not(test) if term.negated else test)
    problems.sort(key=lambda problem: problem.start)
    return Search(text, states, queue, job_id, tuple(tests), tuple(problems), deep)


def _not(test: Test) -> Test:
    return lambda job: not test(job)
