"""Faults: what can go wrong around a job, the clause that says what happens then, and what did happen."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.events import Event
from playground.demo import Refusal
from playground.travel.command import Command
from playground.travel.timeline import Timeline

SHOWN: Final = 5
"""Faults that are told of, the latest ones."""
FOLLOWED: Final = 6
"""What is told of each job afterwards, events."""


class Fault(NamedTuple):
    """One kind of fault.

    Args:
        label: What the button says.
        done: What has happened, after the worker's name.
        clause: Document and section that say what happens next.
        law: What they say, in our words.
        busy: Whether the worker must have a job.
    """

    label: str
    done: str
    clause: str
    law: str
    busy: bool = False


FAULTS: Final[dict[str, Fault]] = {
    "kill": Fault(
        "Dies",
        "died",
        "OJS Worker Protocol 10.2, 5.5",
        "A dead worker is known by its silence: after 30 seconds without a heartbeat its jobs go back, the attempt "
        "counted and the error noted. Nothing is lost; the job is done again.",
    ),
    "slow": Fault(
        "Gets slow",
        "takes ten times as long, and goes on sending heartbeats",
        "OJS Worker Protocol 5.4",
        "Each heartbeat that names the job renews its reservation, so a slow handler keeps its job.",
        busy=True,
    ),
    "mute": Fault(
        "Falls silent",
        "sends no more heartbeats, but works on",
        "OJS Worker Protocol 10.1, 5.6",
        "From outside, silence is death: after 30 seconds the job is given to somebody else, and what the silent "
        "worker says of it afterwards is refused.",
    ),
    "stall": Fault(
        "Freezes for a minute",
        "froze in the middle of its job",
        "OJS Worker Protocol 10.4; OJS Delivery Guarantees 8",
        "The job is delivered a second time while the first worker still has it. Its late answer is refused, because "
        "the reservation is no longer its own: at least once, never twice at a time.",
        busy=True,
    ),
    "lose-ack": Fault(
        "Next answer is lost",
        "will lose its next acknowledgement on the way",
        "OJS Delivery Guarantees 6.5",
        "The work is done but the server cannot know. When the reservation ends the job is done once more: handlers "
        "must be able to run twice.",
    ),
    "repeat-ack": Fault(
        "Next answer comes twice",
        "will have its next acknowledgement delivered twice",
        "OJS Core 6 (ACK)",
        "The first one ends the job. The second finds a job that has ended, and changes nothing.",
    ),
    "jump": Fault(
        "The clock jumps",
        "The machine slept: the clock jumped",
        "OJS Cron 7.3; OJS Worker Protocol 5.5",
        "What was due meanwhile happens at once, each thing as if at its own time; of several missed occurrences of a "
        "cron entry at most one is caught up.",
    ),
}
"""By the verb of the command; in the order of the page's buttons."""


class Story(NamedTuple):
    """One fault that befell the session.

    Args:
        time: Instant, milliseconds.
        worker: Whom it befell; empty for the clock.
        fault: Its kind.
        job_id: The job that the worker had in hand, or None.
        events: What happened to that job since.
        refusals: What the worker was refused since.
    """

    time: int
    worker: str
    fault: Fault
    job_id: str | None
    events: list[Event]
    refusals: list[Refusal]


def stories(timeline: Timeline) -> list[Story]:
    """The latest faults up to the cursor, newest first, each with what came of it so far."""
    found: list[Story] = []
    for index in range(timeline.done - 1, -1, -1):
        command = timeline.commands[index]
        verb = command.verb or command.kind
        if verb in FAULTS:
            found.append(_story(timeline, command, timeline.places[index], FAULTS[verb]))
            if len(found) == SHOWN:
                break
    return found


def _story(timeline: Timeline, command: Command, step: int, fault: Fault) -> Story:
    seen = timeline.seen[: timeline.known()]
    before = [one.event for one in seen if one.step < step]
    job_id = _in_hand(before, command.worker) if command.worker else None
    after = [one.event for one in seen if one.step >= step]
    if job_id is None and command.worker and fault.busy is False:
        started = (e for e in after if e.type == "job.started" and e.data.get("worker_id") == command.worker)
        job_id = next((e.job_id for e in started), None)
    followed = [e for e in after if job_id and e.job_id == job_id and not e.type.endswith(".heartbeat")]
    refusals = [
        one for one in timeline.world.crew.refusals if one.worker == command.worker and one.time >= command.at
    ]
    return Story(command.at, command.worker, fault, job_id, followed[:FOLLOWED], refusals)


def _in_hand(events: list[Event], worker: str) -> str | None:
    """The job that a worker had last claimed and not yet answered."""
    for event in reversed(events):
        if event.type in {"job.completed", "job.failed"} and event.data.get("worker_id") == worker:
            return None
        if event.type == "job.started" and event.data.get("worker_id") == worker:
            later = (e for e in reversed(events) if e.seq > event.seq and e.job_id == event.job_id)
            ended = any(
                e.type in {"job.completed", "job.failed", "job.cancelled", "job.discarded"} for e in later
            )
            return None if ended else event.job_id
    return None
