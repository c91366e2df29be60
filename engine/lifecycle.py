"""The transition table: the eight states, the operations, and every move that OJS allows.

This file is data and two look-ups. The engine, the validator, the diagrams, the spec pages and the tests
all read this table; nothing else may decide whether a move is legal. It knows nothing of jobs, storage or
time (OJS Core 6.1 to 6.5).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.errors import Conflict

NEW: Final = ""
"""The state of a job that does not exist yet."""
SCHEDULED: Final = "scheduled"
AVAILABLE: Final = "available"
PENDING: Final = "pending"
ACTIVE: Final = "active"
COMPLETED: Final = "completed"
RETRYABLE: Final = "retryable"
CANCELLED: Final = "cancelled"
DISCARDED: Final = "discarded"


class State(NamedTuple):
    """One lifecycle state (OJS Core 6.1).

    Args:
        name: The state's name in the envelope.
        terminal: Whether no automatic transition leaves it.
        summary: One sentence for a reader who meets it for the first time.
    """

    name: str
    terminal: bool
    summary: str


class Transition(NamedTuple):
    """One legal move (OJS Core 6.3).

    Args:
        source: State before, or None for a job that does not exist yet.
        operation: What causes it: an operation (PUSH, FETCH, …) or a timer of the server.
        target: State after.
        condition: When it applies, in one clause.
        clause: Where the standard demands it.
    """

    source: str | None
    operation: str
    target: str
    condition: str
    clause: str


STATES: Final[dict[str, State]] = {
    state.name: state
    for state in (
        State(SCHEDULED, terminal=False, summary="Waits for its time to come."),
        State(PENDING, terminal=False, summary="Staged: waits until somebody activates it."),
        State(AVAILABLE, terminal=False, summary="In its queue, ready for any worker."),
        State(ACTIVE, terminal=False, summary="Claimed by exactly one worker, being executed."),
        State(RETRYABLE, terminal=False, summary="Failed; waits out its backoff, then runs again."),
        State(COMPLETED, terminal=True, summary="The handler succeeded."),
        State(CANCELLED, terminal=True, summary="Stopped on purpose."),
        State(DISCARDED, terminal=True, summary="Failed for good, or expired before it could start."),
    )
}

NON_TERMINAL: Final = frozenset(name for name, state in STATES.items() if not state.terminal)
TERMINAL: Final = frozenset(name for name, state in STATES.items() if state.terminal)

PUSH: Final = "PUSH"
FETCH: Final = "FETCH"
ACK: Final = "ACK"
FAIL: Final = "FAIL"
CANCEL: Final = "CANCEL"
ACTIVATE: Final = "ACTIVATE"
RETRY: Final = "RETRY"
DUE: Final = "DUE"
EXPIRE: Final = "EXPIRE"
RESERVATION: Final = "RESERVATION"
TIMEOUT: Final = "TIMEOUT"
LIMIT: Final = "LIMIT"
DROP: Final = "DROP"

TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(None, PUSH, SCHEDULED, "its scheduled time lies in the future", "OJS Core 6.3"),
    Transition(None, PUSH, AVAILABLE, "it may run at once", "OJS Core 6.3"),
    Transition(None, PUSH, PENDING, "it asks to be staged", "OJS Core 6.3"),
    Transition(SCHEDULED, DUE, AVAILABLE, "its scheduled time has come", "OJS Core 6.3"),
    Transition(PENDING, ACTIVATE, AVAILABLE, "somebody activates it", "OJS Core 6.3"),
    Transition(AVAILABLE, FETCH, ACTIVE, "a worker claims it", "OJS Core 6.3"),
    Transition(ACTIVE, ACK, COMPLETED, "the handler succeeded", "OJS Core 6.3"),
    Transition(ACTIVE, FAIL, RETRYABLE, "the handler failed and attempts remain", "OJS Core 6.3"),
    Transition(ACTIVE, FAIL, DISCARDED, "no attempt remains, or the error is final", "OJS Core 6.3"),
    Transition(ACTIVE, FAIL, AVAILABLE, "the worker hands it back unharmed", "OJS Worker Protocol"),
    Transition(ACTIVE, TIMEOUT, RETRYABLE, "it ran longer than its timeout, attempts remain", "OJS Core 5.2"),
    Transition(
        ACTIVE, TIMEOUT, DISCARDED, "it ran longer than its timeout on its last attempt", "OJS Core 5.2"
    ),
    Transition(ACTIVE, RESERVATION, AVAILABLE, "its reservation ran out without ACK or FAIL", "OJS Core 6.3"),
    Transition(
        ACTIVE, RESERVATION, DISCARDED, "its reservation ran out on its last attempt", "OJS Retry 9.2"
    ),
    Transition(RETRYABLE, DUE, AVAILABLE, "its backoff has passed", "OJS Core 6.3"),
    Transition(SCHEDULED, EXPIRE, DISCARDED, "it expired before it could start", "OJS Core 5.2"),
    Transition(AVAILABLE, EXPIRE, DISCARDED, "it expired before it could start", "OJS Core 5.2"),
    Transition(PENDING, EXPIRE, DISCARDED, "it expired before it could start", "OJS Core 5.2"),
    Transition(RETRYABLE, EXPIRE, DISCARDED, "it expired before it could run again", "OJS Core 5.2"),
    Transition(SCHEDULED, CANCEL, CANCELLED, "before it was due", "OJS Core 6.3"),
    Transition(PENDING, CANCEL, CANCELLED, "before it was activated", "OJS Core 6.3"),
    Transition(AVAILABLE, CANCEL, CANCELLED, "before any worker claimed it", "OJS Core 6.3"),
    Transition(ACTIVE, CANCEL, CANCELLED, "while a worker holds it", "OJS Core 6.3"),
    Transition(RETRYABLE, CANCEL, CANCELLED, "while it waits out its backoff", "OJS Core 6.3"),
    Transition(AVAILABLE, LIMIT, SCHEDULED, "its rate limit puts it off", "OJS Rate Limiting 6.2"),
    Transition(AVAILABLE, DROP, DISCARDED, "a limit or a full queue drops it", "OJS Backpressure 5.3"),
    Transition(SCHEDULED, DROP, DISCARDED, "its queue is deleted", "OJS Queue Configuration 5.3"),
    Transition(PENDING, DROP, DISCARDED, "its queue is deleted", "OJS Queue Configuration 5.3"),
    Transition(RETRYABLE, DROP, DISCARDED, "its queue is deleted", "OJS Queue Configuration 5.3"),
    Transition(RETRYABLE, RETRY, AVAILABLE, "an operator cuts its backoff short", "OJS Bulk Operations 7"),
    Transition(DISCARDED, RETRY, AVAILABLE, "an operator retries it by hand", "OJS Core 6.4"),
)

_LEGAL: Final = frozenset((move.source, move.operation, move.target) for move in TRANSITIONS)
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    operation: frozenset(m.source or NEW for m in TRANSITIONS if m.operation == operation)
    for operation in {move.operation for move in TRANSITIONS}
}


def require(state: str, operation: str) -> None:
    """Refuse an operation that the table does not allow in this state.

    Args:
        state: The job's state now.
        operation: The operation asked for.

    Raises:
        Conflict: No row of the table leaves ``state`` by ``operation`` (OJS Core 6.4). Nothing has changed.
    """
    if state not in _ALLOWED[operation]:
        allowed = ", ".join(sorted(_ALLOWED[operation]))
        raise Conflict(
            f"{operation} is not possible in state '{state}'; it needs {allowed} (OJS Core 6.4).",
            details={
                "current_state": state,
                "operation": operation,
                "allowed_states": sorted(_ALLOWED[operation]),
            },
        )


def legal(source: str | None, operation: str, target: str) -> bool:
    """Whether the table has this very move."""
    return (source, operation, target) in _LEGAL
