"""What the time bar shows of a session whose time can be moved."""

from __future__ import annotations

from typing import Any

from playground.telling import tell
from playground.travel.faults import FAULTS, stories
from playground.travel.sandbox import AXIS, RATES, Sandbox


def bar(session: Sandbox) -> dict[str, Any]:
    """The clock, the slider with its ticks, the branches, and what can be done."""
    timeline, axis = session.timeline, session.axis
    cursor = axis.place(timeline.now) if timeline.past else 1.0
    rate = session.pace.rate
    return {
        "title": session.title,
        "notes": session.notes,
        "notice": session.notice,
        "loading": session.loading,
        "stoppable": session.stoppable,
        "progress": round(session.progress, 3),
        "running": session.running,
        "goal": session.goal is not None,
        "past": timeline.past,
        "now": timeline.now,
        "start": timeline.floor.now,
        "end": timeline.end.now,
        "cursor": round(cursor * AXIS, 1),
        "ticks": axis.ticks(),
        "rate": rate,
        "speed": min(range(len(RATES)), key=lambda index: abs(RATES[index] - rate)),
        "rates": RATES,
        "can_undo": timeline.done > 0,
        "can_redo": timeline.done < len(timeline.places),
        "commands": len(timeline.commands),
        "branches": sorted(session.history.branches.values(), key=lambda one: one.number),
        "current": session.history.current,
        "dropped": session.history.dropped,
    }


def faults(session: Sandbox) -> dict[str, Any]:
    """What can befall the demo workers and the clock, and what came of what has."""
    return {"faults": FAULTS, "stories": stories(session.timeline), "tell": tell}
