"""The lists of the workbench and what they lead to, as live views: jobs found, queues, dead letters, limits, workers.

Each looks at a page or a bounded number of things, never at all jobs, for it is made anew at every change. What its
argument means is a query string, so that a pane's filters are in the page's address and in its stream alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from engine import lifecycle as life
from engine import queue_config
from engine.envelope import QUEUE
from engine.job import Job
from engine.lifecycle import STATES
from engine.limit_policy import Policy
from engine.queues import DEFAULT_POLICY
from engine.selection import Selection, discarded
from engine.workers import HEARTBEAT_TIMEOUT
from playground import failures as failing
from playground.found import LOOK, MAX_PAGE, find
from playground.gauges import bars, shares
from playground.search import EXAMPLES, Problem, Search, parse

if TYPE_CHECKING:
    from engine.core import Engine
    from playground.app import Application

Context = dict[str, Any]

QUEUES: Final = 12
"""Queues on a page."""
LETTERS: Final = 15
"""Dead letters on a page."""
MINUTES: Final = 30
"""Bars of a sparkline, and minutes that they show."""
RATED: Final = 5
"""Minutes over which a rate is taken."""
KEYS: Final = 50
"""Limit keys and unique locks shown."""
WORKERS: Final = 50
"""Workers shown."""
HELD: Final = 200
"""Active jobs looked at to find who holds them."""
HAND: Final = 5
"""Jobs in hand shown of one worker."""
QUEUE_JOBS: Final = 15
"""Jobs on a queue's page."""


def fields(argument: str) -> dict[str, str]:
    """The fields of a view's argument, a query string."""
    return {name: values[-1] for name, values in parse_qs(argument).items()}


def page_number(text: str) -> int:
    """The number of a page; 1 for whatever is none."""
    return max(1, min(int(text), MAX_PAGE)) if text.isascii() and text.isdecimal() and len(text) < 9 else 1


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


# queues


def _figures(engine: Engine, name: str, minutes: int, width: float, height: float) -> Context:
    """Throughput of a queue's last minutes: a picture, the rate, and what the picture says in words."""
    series = engine.figures.series(f"queue:{name}", minutes)
    done = [minute["completed"] for minute in series]
    bad = [minute["failed"] for minute in series]
    most = max(1, *(sum(pair) for pair in zip(done, bad, strict=True)))
    lately = sum(done[-RATED:]) / RATED
    return {
        "done": bars(done, most, width, height),
        "bad": bars(bad, most, width, height, below=done),
        "most": most if any(done) or any(bad) else 0,
        "minutes": minutes,
        "completed": sum(done),
        "failed": sum(bad),
        "rate": f"{lately:.1f}".removesuffix(".0"),
    }


def _bounds(engine: Engine, name: str, counts: dict[str, int]) -> list[tuple[str, int, int]]:
    """What a queue may have at most: words, how many it has, how many it may have."""
    if engine.queues.is_plain(name):
        return []
    config = engine.queues.config(name)
    found: list[tuple[str, int, int]] = []
    if config.get("concurrency"):
        found.append(("active", counts[life.ACTIVE], config["concurrency"]))
    most = queue_config.bounds(config)[0]
    if most:
        found.append(("not ended", sum(counts[state] for state in life.NON_TERMINAL), most))
    return found


def _queue(engine: Engine, name: str) -> Context:
    shown = engine.queues.show(name)
    counts = shown["counts"]
    oldest = engine.store.oldest(name, life.AVAILABLE)
    return {
        **shown,
        "counts": {state: counts[state] for state in STATES},
        "shares": shares({state: counts[state] for state in STATES if not STATES[state].terminal}, 100),
        "oldest": None if oldest is None else oldest.enqueued_at or oldest.created_at,
        "bounds": _bounds(engine, name, counts),
    }


def queue_names(engine: Engine) -> list[str]:
    """All queues in alphabetical order, ``default`` always among them."""
    known = {name for name, _ in engine.store.records("queue")} - {DEFAULT_POLICY}
    return sorted(known | {"default"})


def queues(app: Application, argument: str) -> Context:
    """The queues, a page of them: ``page=2``."""
    engine = app.session.engine
    names = queue_names(engine)
    pages = -(-len(names) // QUEUES)
    page = min(page_number(fields(argument).get("page", "")), pages)
    chosen = names[(page - 1) * QUEUES : page * QUEUES]
    rows = [_queue(engine, name) | {"figures": _figures(engine, name, MINUTES, 2, 18)} for name in chosen]
    return {
        "queues": rows,
        "page": page,
        "pages": pages,
        "total": len(names),
        "now": engine.now(),
        "states": STATES,
    }


def queue(app: Application, name: str) -> Context:
    """One queue: its state, figures, configuration and latest jobs; ``queue`` is None where there is none."""
    engine = app.session.engine
    if not is_queue(engine, name):
        return {"queue": None, "name": name}
    scope = f"queue:{name}"
    hour, day = engine.figures.minutes(scope, 60), engine.figures.day(scope)
    record = engine.store.record("queue", name)
    own = (record or {}).get("config") or {}
    config = engine.queues.config(name)
    return {
        "queue": _queue(engine, name),
        "name": name,
        "figures": _figures(engine, name, 60, 5, 60),
        "hour": hour,
        "day": day,
        "wait": hour["wait_ms"] // hour["started"] if hour["started"] else None,
        "duration": hour["duration_ms"] // hour["completed"] if hour["completed"] else None,
        "config": [(part, config[part], part in own) for part in sorted(config)],
        "jobs": engine.store.jobs(queue=name, limit=QUEUE_JOBS),
        "states": STATES,
        "now": engine.now(),
    }


def is_queue(engine: Engine, name: str) -> bool:
    """Whether there is a queue of this name."""
    if not QUEUE.match(name):
        return False
    return name == "default" or engine.store.record("queue", name) is not None


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
        "can_hire": not app.session.conformance,
        "nameless": len(held.get("", [])),
    }
