"""Live views: one swap for many changes, nothing for none."""

from __future__ import annotations

from engine.http.message import EventStream
from playground.live import FIRST, PAUSE, Live, message


class Page:
    """Views whose text the test sets, on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0
        self.views = {"board": "<p>0</p>", "log": "<p>empty</p>"}
        self.rendered = 0
        self.live = Live(self.render, lambda: self.now)
        self.got: list[bytes] = []

    def render(self, name: str) -> str:
        self.rendered += 1
        return self.views[name]

    def read(self, *names: str) -> EventStream:
        return self.live.stream(names)


def test_a_new_reader_gets_every_view_at_once() -> None:
    page = Page()
    page.read("board", "log").start(page.got.append, lambda: None)
    assert page.got[0] == b"retry: 500\n\n"
    assert page.got[1].count(b"hx-partial hx-target") == 2


def test_after_a_quiet_time_a_change_is_sent_at_once_and_the_next_after_a_pause() -> None:
    page = Page()
    page.read("board").start(page.got.append, lambda: None)
    page.now = 1000
    page.live.touch()
    assert page.live.flush_at == 1000 + FIRST
    page.now = 1000 + FIRST
    page.live.flush()
    page.live.touch()
    assert page.live.flush_at == 1000 + FIRST + PAUSE


def test_many_changes_make_one_swap() -> None:
    page = Page()
    page.read("board", "log").start(page.got.append, lambda: None)
    page.got.clear()
    for _ in range(100):
        page.live.touch()
    assert page.live.flush_at == FIRST
    page.views["board"] = "<p>1</p>"
    page.live.flush()
    assert len(page.got) == 1
    assert b"<p>1</p>" in page.got[0]
    assert b"view-log" not in page.got[0]


def test_a_view_that_looks_the_same_is_not_sent() -> None:
    page = Page()
    page.read("board").start(page.got.append, lambda: None)
    page.got.clear()
    page.live.touch()
    page.live.flush()
    assert page.got == []


def test_two_readers_of_a_view_share_its_rendering() -> None:
    page = Page()
    for _ in range(2):
        page.read("board").start(page.got.append, lambda: None)
    page.rendered = 0
    page.live.flush()
    assert page.rendered == 1


def test_nobody_looks_nothing_is_done() -> None:
    page = Page()
    stop = page.read("board").start(page.got.append, lambda: None)
    stop()
    stop()
    page.live.touch()
    assert page.live.flush_at is None


def test_a_message_of_many_lines_stays_one_message() -> None:
    assert message("a\nb\n\nc") == b"data: a\ndata: b\ndata: \ndata: c\n\n"
