"""Moves through time by their names, as the time bar and stored solutions ask for them, with fields of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from engine.errors import Conflict, InvalidRequest
from playground.travel.sandbox import RATES, Sandbox


def number(fields: Mapping[str, str], name: str, *, whole: bool = True) -> float:
    """A number of a form.

    Raises:
        InvalidRequest: It is none, or missing.
    """
    text = fields.get(name, "")
    try:
        value = float(text) if len(text) <= 40 else float("nan")
    except ValueError:
        value = float("nan")
    if value != value or value in {float("inf"), float("-inf")} or (whole and value != int(value)):  # noqa: PLR0124 - NaN
        raise InvalidRequest(
            f"'{name}' must be a {'whole ' * whole}number, not '{text:.40}'.", details={"field": name}
        )
    return value


Fields = Mapping[str, str]


def _rate(fields: Fields) -> float:
    """The rate itself, or its place on the pages' control."""
    if "speed" not in fields:
        return number(fields, "rate", whole=False)
    place = int(number(fields, "speed"))
    if not 0 <= place < len(RATES):
        raise InvalidRequest(f"The control goes from 0 to {len(RATES) - 1}.", details={"field": "speed"})
    return RATES[place]


def _undo(session: Sandbox, fields: Fields) -> None:
    """Undo the latest thing done, or everything since a number of things were done on a branch."""
    if "to" not in fields:
        session.undo()
        return
    if int(number(fields, "branch")) != session.history.current.number:
        raise Conflict("This was done on another branch of history; return to that one first.")
    to = int(number(fields, "to"))
    while (done := session.timeline.done) > to:
        session.undo()
        if session.timeline.done == done:  # out of reach by now, and said
            return


MOVES: Final[dict[str, Callable[[Sandbox, Fields], object]]] = {
    "play": lambda session, _: session.play(),
    "pause": lambda session, _: session.pause(),
    "toggle": lambda session, _: session.pause() if session.running else session.play(),
    "rate": lambda session, fields: session.set_rate(_rate(fields)),
    "step": lambda session, _: session.step(),
    "next": lambda session, _: session.next_event(),
    "back": lambda session, _: session.back(),
    "add": lambda session, fields: session.add(int(number(fields, "ms"))),
    "settle": lambda session, fields: session.settle(fields.get("job", "")),
    "go": lambda session, fields: session.go_along(number(fields, "x", whole=False)),
    "event": lambda session, fields: session.go_to_event(int(number(fields, "seq"))),
    "end": lambda session, _: session.go_to_end(),
    "at": lambda session, fields: session.go_to(int(number(fields, "ms"))),
    "undo": _undo,
    "redo": lambda session, _: session.redo(),
    "jump": lambda session, fields: session.jump(int(number(fields, "by"))),
    "stop": lambda session, _: session.stop(),
    "leave": lambda session, _: session.leave(),
}
"""The moves by their names."""
