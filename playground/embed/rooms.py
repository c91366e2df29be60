"""Rooms: what each widget of a page has of the engine that they share. A room is a history that has been played.

Rooms are named by their widgets, with names that nobody guesses, and bounded in number: the least used goes first, and
its widget loads its content again.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from engine.errors import InvalidRequest, NotFound
from playground.clock import SystemClock
from playground.embed.playing import Played, Row, line
from playground.travel.link import encode
from playground.travel.sandbox import Sandbox
from playground.travel.scenario import record
from playground.travel.timeline import Moment

if TYPE_CHECKING:
    from playground.app import Application

MAX_ROOMS: Final = 32
"""Most rooms of a host."""
NAME: Final = re.compile(r"[0-9a-f]{32}\Z")
"""What a room's name looks like: 128 bits, drawn by the widget."""
VIEWS: Final = {
    "request": "",
    "diagram": "board",
    "jobs": "jobs",
    "timeline": "timeline",
    "log": "log",
    "code": "",
}
"""A widget's views, and the live view that each shows; two have templates of their own."""


class Room:
    """One widget's history.

    Args:
        main: The host's application, from which templates and settings are.
        played: What the widget shows.

    Attributes:
        app: An application over this history alone.
    """

    def __init__(self, main: Application, played: Played) -> None:
        self.played = played
        self.session = Sandbox(SystemClock(), lambda: 1)
        self.session.open(played.timeline, played.content.title or "A run of a widget")
        self.app = type(main)(self.session, main.env, main.site)
        self.timeline = played.timeline
        self._events = played.events
        self.rewind()

    def rewind(self) -> None:
        """Go back to the beginning: nothing has been done yet."""
        self.timeline.go(self.timeline.floor)

    def next(self) -> None:
        """Go on to the next event, or to the end where there is none."""
        done = self.done
        self.timeline.go(self._events[done][1] if done < len(self._events) else self.timeline.end)

    def finish(self) -> None:
        """Go to the end."""
        self.timeline.go(self.timeline.end)

    def go(self, seq: int) -> None:
        """Go to right after an event.

        Raises:
            NotFound: There is none of this number.
        """
        moment = next((moment for event, moment in self._events if event.seq == seq), None)
        if moment is None:
            raise NotFound(f"Event {seq} is not of this run.", details={"resource_type": "event"})
        self.timeline.go(moment)

    @property
    def done(self) -> int:
        """How many of the events have happened at the cursor."""
        here = self.timeline.moment
        return sum(moment <= here for _, moment in self._events)

    def rows(self) -> list[tuple[Row, bool]]:
        """What was done, and whether it has been by now."""
        here = self.timeline.moment
        return [(row, self.reached(row.moment, here)) for row in self.played.rows]

    @staticmethod
    def reached(moment: Moment, here: Moment) -> bool:
        """Whether the cursor has come so far; of what was only read the instant decides."""
        return moment.now < here.now or (moment.now == here.now and moment.step <= here.step)

    def facts(self) -> dict[str, Any]:
        """Where the run is, as JSON values; the form of the widget's messages."""
        done, total = self.done, len(self._events)
        return {
            "kind": self.played.content.kind,
            "title": self.played.content.title,
            "says": self.played.says,
            "text": self.played.content.text,
            "done": done,
            "total": total,
            "ended": not self.timeline.past,
            "ms": self.timeline.now - self.timeline.origin.start,
            "states": {state: count for state, count in self.session.engine.store.counts().items() if count},
            "event": line(self._events[done - 1][0])._asdict() if done else None,
        }

    def link(self) -> str:
        """The fragment that opens this moment in the playground."""
        return encode(record(self.timeline, title=self.played.content.title or "A run of a widget"))


class Rooms:
    """The rooms of a host, the latest used last."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, Room] = OrderedDict()

    def put(self, name: str, room: Room) -> None:
        """Give a widget a room in place of the one that it had.

        Raises:
            InvalidRequest: The name is none that a widget draws.
        """
        if NAME.match(name) is None:
            raise InvalidRequest("A room is named by 32 hexadecimal digits.", details={"field": "room"})
        self._rooms.pop(name, None)
        self._rooms[name] = room
        while len(self._rooms) > MAX_ROOMS:
            self._rooms.popitem(last=False)

    def get(self, name: str) -> Room:
        """A widget's room.

        Raises:
            NotFound: There is none of this name, or no more.
        """
        found = self._rooms.get(name)
        if found is None:
            raise NotFound("This run is not kept any more; run it again.", details={"resource_type": "room"})
        self._rooms.move_to_end(name)
        return found
