"""The queues as live views: a page of them with depth, rate and pictures, and one queue with all known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine import lifecycle as life
from engine import queue_config
from engine.envelope import QUEUE
from engine.lifecycle import STATES
from engine.queues import DEFAULT_POLICY
from playground.arguments import fields, page_number
from playground.gauges import bars, shares

if TYPE_CHECKING:
    from engine.core import Engine
    from playground.app import Application
    from playground.session import Session

Context = dict[str, Any]

QUEUES: Final = 12
"""Queues on a page."""
MINUTES: Final = 30
"""Bars of a sparkline, and minutes that they show."""
RATED: Final = 5
"""Minutes over which a rate is taken."""
QUEUE_JOBS: Final = 15
"""Jobs on a queue's page."""


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


def _queue(session: Session, name: str) -> Context:
    engine = session.engine
    shown = engine.queues.show(name)
    counts = shown["counts"]
    oldest = engine.store.oldest(name, life.AVAILABLE)
    return {
        **shown,
        "counts": {state: counts[state] for state in STATES},
        "shares": shares({state: counts[state] for state in STATES if not STATES[state].terminal}, 100),
        "oldest": None if oldest is None else oldest.enqueued_at or oldest.created_at,
        "bounds": _bounds(engine, name, counts),
        "turns": session.offers("pause"),
        "configures": session.offers("config"),
        "dated": (engine.store.record("queue", name) or {"created_at": 1})["created_at"] > 0,
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
    rows = [
        _queue(app.session, name) | {"figures": _figures(engine, name, MINUTES, 2, 18)} for name in chosen
    ]
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
        "queue": _queue(app.session, name),
        "attached": app.session.standing() is not None,
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
