"""Live views over a stream: whoever looks at a page is sent each of its views when, and only when, it changes.

A change only marks the streams: at once after a quiet time, else after a short pause, all are rendered once. So a
thousand events in a row make one swap in the page, and a view that looks the same is not sent at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.http.message import EventStream, Send, Stop

FIRST: Final = 4
"""From a change after a quiet time to its swap, milliseconds: what a click entails happens at once, and is one swap."""
PAUSE: Final = 50
"""From one swap to the next, milliseconds."""


class _Reader:
    __slots__ = ("send", "sent", "views")

    def __init__(self, views: tuple[str, ...], send: Send) -> None:
        self.views = views
        self.send = send
        self.sent: dict[str, str] = {}


class Live:
    """The streams of live views.

    Args:
        render: The HTML of a view by its name.
        now: Real time, milliseconds (a paused virtual clock must not stop the page).
    """

    def __init__(self, render: Callable[[str], str], now: Callable[[], int]) -> None:
        self._render = render
        self._now = now
        self._readers: list[_Reader] = []
        self._flushed = -PAUSE
        self.flush_at: int | None = None

    def touch(self) -> None:
        """Something that a view may show has changed."""
        if self.flush_at is None and self._readers:
            self.flush_at = max(self._now() + FIRST, self._flushed + PAUSE)

    def flush(self) -> None:
        """Send what has changed, to everyone who looks at it."""
        self.flush_at = None
        self._flushed = self._now()
        rendered: dict[str, str] = {}
        for reader in self._readers:
            self._update(reader, rendered)

    def _update(self, reader: _Reader, rendered: dict[str, str]) -> None:
        changed: list[str] = []
        for view in reader.views:
            if view not in rendered:
                try:
                    rendered[view] = self._render(view)
                except (
                    ImportError
                ):  # a part that this tab has not fetched yet: it is looked at again next time
                    continue
            if reader.sent.get(view) != rendered[view]:
                reader.sent[view] = rendered[view]
                changed.append(partial(view, rendered[view]))
        if changed:
            reader.send(message("\n".join(changed)))

    def stream(self, views: tuple[str, ...]) -> EventStream:
        """A stream of these views: all of them at once, later those that change."""

        def start(send: Send, _close: Stop) -> Stop:
            reader = _Reader(views, send)
            self._readers.append(reader)
            send(b"retry: 500\n\n")
            self._update(reader, {})

            def stop() -> None:
                if reader in self._readers:
                    self._readers.remove(reader)

            return stop

        return EventStream(start, channel="")  # each chunk counts: see `playground.hosts.reader`


def element_id(view: str) -> str:
    """The id of the element that holds a view: ``view-job`` for ``job:ID``."""
    return "view-" + view.partition(":")[0]


def partial(view: str, html: str) -> str:
    """A view as htmx swaps it in: morphed, so that focus, selection and scroll stay."""
    return f'<hx-partial hx-target="#{element_id(view)}" hx-swap="innerMorph">{html}</hx-partial>'


def message(html: str) -> bytes:
    """One message in the server-sent events format."""
    return ("".join(f"data: {line}\n" for line in html.splitlines()) + "\n").encode()
