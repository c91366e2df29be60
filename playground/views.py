"""The live views: what each shows, gathered from the session. A view's name may carry an argument: ``job:ID``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from engine.lifecycle import STATES
from playground import diagram, telling
from playground.behaviours import BEHAVIOURS
from playground.demo import MAX_WORKERS
from playground.manner import USUAL
from playground.requests import curl, enqueue_body

if TYPE_CHECKING:
    from playground.app import Application

ROWS: Final = 25
"""Jobs in the table."""
LINES: Final = 60
"""Events in the log."""
FIRST: Final = '{"type":"email.send","args":["user@example.com","welcome"]}'
"""The job that an empty table offers."""
NEWS: Final = 6
"""Events that are said."""
AHEAD: Final = 20
"""Events of the future in the log, at most."""

Context = dict[str, Any]


def board(app: Application, _: str) -> Context:
    """The state diagram with the jobs in it."""
    session = app.session
    store = session.engine.store
    jobs = [job for state in STATES for job in store.jobs(states=[state], limit=diagram.SHOWN)]
    return {
        "states": STATES,
        "counts": store.counts(),
        "dots": diagram.dots(jobs, store.counts()),
        **diagram.picture(),
    }


def jobs(app: Application, _: str) -> Context:
    """The latest jobs."""
    session = app.session
    store = session.engine.store
    return {
        "jobs": store.jobs(limit=ROWS),
        "states": STATES,
        "total": sum(store.counts().values()),
        "now": session.engine.now(),
        "first": FIRST,
    }


def log(app: Application, _: str) -> Context:
    """The latest events, newest first, heartbeats left out; above them those that the cursor's future holds."""
    session = app.session
    events = [
        event for event in session.engine.events.last(4 * LINES) if not event.type.endswith(".heartbeat")
    ]
    lines = [(event, telling.tell(event)) for event in reversed(events[-LINES:])]
    ahead = [(event, telling.tell(event)) for event in reversed(session.ahead(AHEAD))]
    return {"lines": lines, "ahead": ahead, "total": session.engine.events.seq, "virtual": session.virtual}


def news(app: Application, _: str) -> Context:
    """The latest few events, newest first, for those who do not see the other views."""
    events = [
        event for event in app.session.engine.events.last(2 * NEWS) if not event.type.endswith(".heartbeat")
    ]
    return {"events": list(reversed(events[-NEWS:]))}


def workers(app: Application, _: str) -> Context:
    """The demo workers, and the workers of others."""
    session = app.session
    crew = session.crew
    others = [one for one in session.engine.workers.list() if one["id"] not in crew.workers]
    return {
        "crew": list(crew.workers.values()),
        "others": [one for one in others if not one["id"].startswith("demo-")],
        "behaviours": [one for one in BEHAVIOURS if one.pattern not in crew.own],
        "own": list(crew.own.values()),
        "usual": USUAL,
        "waiting": sum(session.engine.store.counts(queue)["available"] for queue in crew.queues),
        "full": len(crew.workers) >= MAX_WORKERS,
        "can_hire": session.hires,
        "faults": _faults(app)["faults"],
    }


def faults(app: Application, _: str) -> Context:
    """What has gone wrong on purpose, the clause about it, and what came of it."""
    return _faults(app)


def _faults(app: Application) -> Context:
    """What can go wrong, and what has; real time has no such buttons, for the machine brings its own."""
    if not app.session.virtual:
        return {"faults": {}, "stories": []}
    from playground import travel_views  # noqa: PLC0415 - as in `time`

    return travel_views.faults(app.travel)


def job(app: Application, job_id: str) -> Context:
    """One job: its path, attempts, times, JSON and request; ``job`` is None when there is none of this id."""
    from playground.attempts import attempts  # noqa: PLC0415 - a tab's start can do without

    session = app.session
    found = session.engine.store.get(job_id)
    if found is None:
        return {"job": None, "job_id": job_id, "virtual": session.virtual}
    return {
        "job": found,
        "job_id": job_id,
        "virtual": session.virtual,
        "now": session.engine.now(),
        "path": telling.path(found),
        "attempts": attempts(found),
        "travelled": diagram.travelled(found),
        "body": session.body(found),
        "attached": session.standing() is not None,
        "curl": lambda base_url: curl(base_url, "POST", "/ojs/v1/jobs", enqueue_body(found)),
        "states": STATES,
        **diagram.picture(),
    }


def time(app: Application, _: str) -> Context:
    """The session's time: what it is, how it passes, and its history."""
    session = app.session
    facts: Context = {
        "face": session.face(),
        "virtual": session.virtual,
        "beside": app.beside is not None,
        "attached": session.standing(),
    }
    if session.virtual:
        from playground.travel_views import bar  # noqa: PLC0415 - a real server's pages have no history

        facts |= bar(app.travel)
    return facts


def later(name: str, module: str = "trial_views") -> Callable[[Application, str], Context]:
    """A view whose imports cost a tab's start too much.

    Args:
        name: The function's name.
        module: Its module in `playground`.
    """

    def view(app: Application, argument: str) -> Context:
        context: Context = getattr(import_module(f"playground.{module}"), name)(app, argument)
        return context

    return view


VIEWS: Final[dict[str, Callable[[Application, str], Context]]] = {
    **{view.__name__: view for view in (board, jobs, log, news, workers, faults, job, time)},
    **{name: later(name) for name in ("trial", "cases", "case")},
    "clients": later("clients", "connect_pages"),
    "evidence": later("document_evidence", "evidence"),
    "coverage": later("coverage", "evidence"),
    # console
    "exchanges": later("exchanges", "console_views"),
    # views
    **{name: later(name, "list_views") for name in ("found", "dead", "failures", "limits", "registry")},
    **{name: later(name, "queue_views") for name in ("queues", "queue")},
    # graphs
    "timeline": later("view", "graphs.timeline"),
    "retries": later("view", "graphs.retries"),
    "cron": later("view", "graphs.cron"),
    "workflows": later("view", "graphs.workflows"),
    "workflow": later("graph", "graphs.workflows"),
    # handlers
    # code
    "goal": later("goal", "learn.watching"),
}
"""Every view by its name; each has a template of that name in ``templates/views``."""
