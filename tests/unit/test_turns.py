"""Turns: one at a time, committed together where they come together, and never answered before that."""

from __future__ import annotations

import threading
import time

import pytest

from engine.errors import Unavailable
from playground.hosts.turns import Turns


class Slow:
    """A store whose commits take a while, and are counted."""

    def __init__(self) -> None:
        self.commits = 0
        self.fails = False
        self.undone = 0
        self.closed = False

    def commit(self) -> bool:
        """Take a while."""
        time.sleep(0.02)
        if self.fails:
            raise Unavailable("no")
        self.commits += 1
        return True

    def undo(self) -> None:
        """Count."""
        self.undone += 1

    def close(self) -> None:
        """Remember."""
        self.closed = True


def many(turns: Turns, count: int) -> list[str]:
    """What becomes of so many requests that come together."""
    told: list[str] = []

    def ask() -> None:
        try:
            turns.together(lambda: time.sleep(0.001))
            told.append("done")
        except Unavailable:
            told.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_requests_that_come_together_share_commits() -> None:
    store = Slow()
    assert many(Turns(store), 40) == ["done"] * 40
    assert store.commits < 10


def test_a_request_that_comes_alone_waits_for_nobody() -> None:
    store = Slow()
    turns = Turns(store)
    for number in range(3):
        turns.together(lambda: None)
        assert store.commits == number + 1


def test_a_commit_that_fails_fails_for_all_that_share_it() -> None:
    store = Slow()
    store.fails = True
    assert many(Turns(store), 10) == ["refused"] * 10


def test_a_thread_that_waits_leaves_the_others_turns_of_their_own() -> None:
    """Also theirs are committed while it sleeps in the middle of one."""
    store = Slow()
    turns = Turns(store)
    changed = turns.condition()
    woken: list[int] = []

    def sleeper() -> None:
        with turns.alone(quiet=True):
            turns.wait(changed, 5)
            woken.append(store.commits)

    thread = threading.Thread(target=sleeper)
    thread.start()
    time.sleep(0.1)
    before = store.commits
    with turns.alone():
        pass
    assert store.commits == before + 1
    with turns.alone():
        changed.notify_all()
    thread.join(5)
    assert woken


def test_a_turn_that_breaks_takes_those_that_came_with_it_back() -> None:
    store = Slow()
    turns = Turns(store)
    with pytest.raises(ZeroDivisionError):
        turns.together(lambda: 1 // 0)
    assert store.undone == 1
    turns.together(lambda: None)
    turns.close()
    assert store.closed


def test_a_refused_turn_is_said_and_the_next_one_goes_on() -> None:
    store = Slow()
    turns = Turns(store)
    store.fails = True
    with pytest.raises(Unavailable), turns.alone():
        pass
    with turns.still():
        pass
    store.fails = False
    with turns.alone():
        pass
    assert store.commits == 1
