"""A sandbox as text and back: what a tab keeps, so that a reload loses nothing.

The branches are scenarios; nothing else of a session needs keeping, for everything else follows from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from playground.travel.command import to_step
from playground.travel.history import Branch, History
from playground.travel.sandbox import MAX_RATE, MIN_RATE, Sandbox
from playground.travel.scenario import Player, ScenarioError, read, record
from playground.travel.timeline import Moment

FORMAT: Final = "ojs-playground-session"
VERSION: Final = 1
MAX_KEPT: Final = 4_000_000
"""Most characters that are kept: browsers refuse a page more than about five million."""


class TooMuch(Exception):
    """The session is too large to be kept; it can be saved as a file."""


def keep(session: Sandbox) -> str:
    """A session's branches, cursors and pace as JSON text; what was opened beside it is not kept.

    Raises:
        TooMuch: It would be larger than browsers keep for a page.
    """
    history, pace = session.own
    head = {
        "format": FORMAT,
        "version": VERSION,
        "rate": pace.rate,
        "playing": pace.playing,
        "numbers": history.numbers,
    }
    branches = [_branch(branch) for branch in history.branches.values()]
    if sum(map(len, branches)) > MAX_KEPT:
        raise TooMuch
    return f'{_dumped(head)[:-1]},"branches":[{",".join(branches)}]}}'


def _branch(branch: Branch) -> str:
    """A branch as JSON; a step is written once, however often the session is kept."""
    timeline = branch.timeline
    texts, start = timeline.texts, timeline.origin.start
    if sum(map(len, texts)) <= MAX_KEPT:
        texts += [_dumped(to_step(command, start)) for command in timeline.commands[len(texts) :]]
    scenario = f'{_dumped(record(timeline, steps=False))[:-1]},"steps":[{",".join(texts)}]}}'
    told: dict[str, Any] = {"number": branch.number, "name": branch.name}
    if branch.parent is not None and branch.fork is not None:
        told |= {"parent": branch.parent, "fork": list(branch.fork)}
    return f'{_dumped(told)[:-1]},"scenario":{scenario}}}'


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def restoring(session: Sandbox, text: str, now: int | None = None) -> Iterator[float]:
    """Bring a kept session back; gives way after each slice with how much is done, from 0 to 1.

    Args:
        session: Takes the branches, once all of them have been played.
        text: What `keep` gave.
        now: How far time had gone on the current branch when the page was left, milliseconds, if anybody noted it.

    Raises:
        ScenarioError: The text is no kept session, is damaged, or of a newer version; the session is as before.
    """
    kept = _read(text)
    branches: list[Branch] = []
    try:
        for index, told in enumerate(kept["branches"]):
            player = Player(read(json.dumps(told["scenario"])))
            for _ in player.run():
                yield (index + player.progress) / len(kept["branches"])
            fork = Moment(*told["fork"]) if "fork" in told else None
            branches.append(
                Branch(int(told["number"]), str(told["name"])[:60], player.timeline, told.get("parent"), fork)
            )
        history = History(branches[0].timeline, session.spread)
        history.take_over(branches, int(kept["numbers"]))
        rate, playing = float(kept["rate"]), bool(kept["playing"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ScenarioError(f"The kept session is damaged: {type(error).__name__} {error}.") from None
    session.take_over(history, min(MAX_RATE, max(MIN_RATE, rate)), playing=playing)
    if now is not None and playing and not session.timeline.past:
        session.catch_up(now)
    yield 1.0


def _read(text: str) -> dict[str, Any]:
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"The kept session is damaged: {error}.") from None
    if (
        not isinstance(kept, dict)
        or kept.get("format") != FORMAT
        or not isinstance(kept.get("branches"), list)
    ):
        raise ScenarioError("What was kept is no session of the playground.")
    if kept.get("version") != VERSION:
        raise ScenarioError(
            f"The kept session has version {kept.get('version')}; this playground reads {VERSION}."
        )
    return kept
