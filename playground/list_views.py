"""The lists of the workbench as live views: jobs found, dead letters, failures, limits, workers.

Each looks at a page or a bounded number of things, never at all jobs, for it is made anew at every change. What its
argument means is a query string, so that a pane's filters are in the page's address and in its stream alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine import lifecycle as life
from engine.job import Job
from engine.lifecycle import STATES
from engine.limit_policy import Policy
from engine.selection import Selection, discarded
from engine.workers import HEARTBEAT_TIMEOUT
from playground import failures as failing
from playground.arguments import fields, page_number
from playground.found import LOOK, find
from playground.qualifiers import EXAMPLES
from playground.queue_views import queue_names
from playground.search import Problem, Search, parse

if TYPE_CHECKING:
    from engine.core import Engine
    from playground.app import Application

Context = dict[str, Any]

LETTERS: Final = 15
"""Dead letters on a page."""
KEYS: Final = 50
"""Limit keys and unique locks shown."""
WORKERS: Final = 50
"""Workers shown."""
HELD: Final = 200
"""Active jobs looked at to find who holds them."""
HAND: Final = 5
"""Jobs in hand shown of one worker."""


# jobs


def found(app: Application, argument: str) -> Context:
    """The jobs that a search finds, a page of them: ``page=2&q=state:retryable``."""
    asked = fields(argument)
    session = app.session
    search = parse(asked.get("q", ""))
    result = find(session.engine.store, search, page_number(asked.get("page", "")))
    return {
        "search": search,
        "marked": marked(search),
        "found": result,
        "total": sum(session.engine.store.counts().values()),
        "states": STATES,
        "now": session.engine.now(),
    }


def marked(search: Search) -> list[tuple[str, Problem | None]]:
    """The query in parts, those that cannot be read each with its problem."""
    parts: list[tuple[str, Problem | None]] = []
    place = 0
    for problem in search.problems:
        if problem.start > place:
            parts.append((search.text[place : problem.start], None))
        parts.append((search.text[problem.start : problem.end], problem))
        place = max(place, problem.end)
    if place < len(search.text):
        parts.append((search.text[place:], None))
    return parts


def examples() -> dict[str, str]:
    """One example of each qualifier of the search."""
    return dict(EXAMPLES)


# dead letters


def dead(app: Application, argument: str) -> Context:
    """Dead letters, the latest first, a page of them: ``type=email.*&error=Timeout&page=2``."""
    engine, asked = app.session.engine, fields(argument)
    wanted = letters(asked)
    page = page_number(asked.get("page", ""))
    total = engine.store.dead_count()
    if wanted == Selection(times=wanted.times):
        pages = max(1, -(-total // LETTERS))
        page = min(page, pages)
        jobs, matching = engine.dead_letters.page(wanted, LETTERS, (page - 1) * LETTERS)
        looked = total
    else:
        near = _first(engine, LOOK)
        fitting = [job for job in near if wanted.matches(job)]
        matching, looked = len(fitting), len(near)
        pages = max(1, -(-matching // LETTERS))
        page = min(page, pages)
        jobs = fitting[(page - 1) * LETTERS : page * LETTERS]
    kinds: dict[str, int] = {}
    for tally in engine.store.dead_tally().values():
        for kind, count in tally.items():
            kinds[kind] = kinds.get(kind, 0) + count
    return {
        "letters": jobs,
        "matching": matching,
        "looked": looked,
        "total": total,
        "page": page,
        "pages": pages,
        "filtered": bool(asked.get("type") or asked.get("error")),
        "type": asked.get("type", ""),
        "error": asked.get("error", ""),
        "kinds": sorted(kinds.items(), key=lambda one: (-one[1], one[0]))[:8],
    }


def _first(engine: Engine, count: int) -> list[Job]:
    letters_ = engine.store.dead_letters()
    return [job for job, _ in zip(letters_, range(count), strict=False)]


def letters(asked: dict[str, str]) -> Selection:
    """Which dead letters are meant: ``type`` (one that ends in ``*`` by prefix) and ``error``, the error's type."""
    none = ((discarded, None, None),)
    return Selection(type=asked.get("type") or None, error_type=asked.get("error") or None, times=none)


def failures(app: Application, _: str) -> Context:
    """Failures grouped by error: of jobs that wait for another attempt, and of those that were given up."""
    store = app.session.engine.store
    jobs = failing.failed(store)
    groups = failing.groups(jobs)
    counts = store.counts()
    return {
        "groups": groups[: failing.GROUPS],
        "more": max(0, len(groups) - failing.GROUPS),
        "looked": len(jobs),
        "every": counts["retryable"] + counts["discarded"],
    }


# limits


def limits(app: Application, _: str) -> Context:
    """Rate and concurrency limits, and unique locks in force."""
    engine = app.session.engine
    keys = [key for key, _ in engine.store.records("limit") if not key.startswith("@")]
    names = [name for name in queue_names(engine) if not engine.queues.is_plain(name)]
    bounded = [
        row for name in names[:KEYS] if (row := _limited(engine, name)) is not None
    ]  # a queue's own limits
    return {
        "limits": [engine.limits.show(key) for key in keys[:KEYS]],
        "limits_total": len(keys),
        "bounded": bounded,
        "locks": engine.unique.locks(KEYS) if engine.store.holders(1) else [],
        "locks_most": KEYS,
        "states": STATES,
        "now": engine.now(),
    }


def _limited(engine: Engine, name: str) -> Context | None:
    config = engine.queues.config(name)
    raw: Policy = config.get("rate_limit") or {}
    if not config.get("concurrency") and not raw:
        return None
    return {
        "name": name,
        "active": engine.store.counts(name)[life.ACTIVE],
        "concurrency": config.get("concurrency") or raw.get("concurrency"),
        "rate": {part: value for part, value in raw.items() if part != "concurrency"},
    }


# workers


def registry(app: Application, _: str) -> Context:
    """The workers that the server knows: what they said last, what they have in hand, what they will be told."""
    engine = app.session.engine
    known = engine.store.records("worker")
    held: dict[str, list[Job]] = {}
    for job in engine.store.jobs(states=[life.ACTIVE], limit=HELD):
        held.setdefault(job.worker_id or "", []).append(job)
    now = engine.now()
    rows = []
    for name, record in reversed(known[-WORKERS:]):
        rows.append(
            {
                **engine.workers.get(name),
                "stale": now - record["last_seen"] > HEARTBEAT_TIMEOUT,
                "silent": record["beat"] is None,
                "seen": record["last_seen"],
                "first": record["first_seen"],
                "beats": record["beat"],
                "told": record["directive"],
                "hand": held.get(name, [])[:HAND],
                "count": len(held.get(name, [])),
            }
        )
    return {
        "workers": rows,
        "total": len(known),
        "timeout": HEARTBEAT_TIMEOUT,
        "waiting": engine.store.counts()[life.AVAILABLE],
        "can_hire": app.session.hires,
        "nameless": len(held.get("", [])),
    }
