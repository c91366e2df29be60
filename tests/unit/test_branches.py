"""Branches: acting in the past, coming back, comparing; undo and redo."""

from __future__ import annotations

import pytest

from engine.errors import InvalidRequest, NotFound
from engine.http.message import Request, Response
from playground.travel import history as branches
from playground.travel.command import JSON_HEADERS, Command, dumped, worker_command
from playground.travel.digest import digest
from playground.travel.history import History
from playground.travel.timeline import Origin, Timeline
from tests.conftest import START


def push(kind: str = "email.send") -> Command:
    body = dumped({"type": kind, "args": []})
    return Command(0, "request", Request("POST", "/ojs/v1/jobs", JSON_HEADERS, body))


def begun(*kinds: str) -> History:
    """A job a second, and one worker; the cursor at the end."""
    history = History(Timeline(Origin(3, START, workers=1)), lambda _: None)
    for kind in kinds or ("email.send", "flaky.charge", "email.send"):
        assert isinstance(history.act(push(kind)), Response)
        history.timeline.advance(history.timeline.now + 1_000)
    return history


def test_acting_at_the_end_begins_no_branch() -> None:
    assert list(begun().branches) == [1]


def test_acting_in_the_past_begins_a_branch_that_says_where_it_left() -> None:
    history = begun()
    main = history.current
    end = digest(main.timeline.world)
    main.timeline.go_to(START + 1_500)
    here = main.timeline.moment
    history.act(push("broken.import"))
    assert history.current is not main
    assert (history.current.parent, history.current.fork) == (1, here)
    assert len(history.timeline.commands) == 3
    assert not history.timeline.past
    main.timeline.go(main.timeline.end)
    assert digest(main.timeline.world) == end


def test_what_is_refused_in_the_past_begins_no_branch_and_drops_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "MAX_BRANCHES", 2)
    history = begun()
    history.timeline.go(history.timeline.floor)
    history.act(push())
    history.switch(1)
    history.timeline.go(history.timeline.floor)
    with pytest.raises(NotFound):
        history.act(worker_command(0, "kill", "demo-99"))
    assert sorted(history.branches) == [1, 2]
    assert history.current.number == 1
    assert history.timeline.moment == history.timeline.floor
    history.act(push())
    assert sorted(history.branches) == [1, 3]


def test_of_too_many_branches_the_one_left_alone_longest_goes_and_is_named() -> None:
    history = begun("email.send")
    history.rename(1, "The first")
    for index in range(branches.MAX_BRANCHES - 1):
        history.timeline.go(history.timeline.floor)
        history.act(push())
        assert len(history.branches) == index + 2
    assert history.dropped == ""
    history.switch(2)
    history.timeline.go(history.timeline.floor)
    history.act(push())
    assert len(history.branches) == branches.MAX_BRANCHES
    assert history.dropped == "The first"
    assert 1 not in history.branches
    assert 2 in history.branches
    with pytest.raises(NotFound, match="branch 1"):
        history.switch(1)


def test_a_number_is_never_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "MAX_BRANCHES", 2)
    history, numbers = begun(), []
    for _ in range(5):
        history.timeline.go(history.timeline.floor)
        history.act(push())
        numbers.append(history.current.number)
    assert numbers == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_name_has_1_to_60_characters(name: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 60"):
        begun().rename(1, name)


def test_a_name_is_one_line() -> None:
    history = begun()
    history.rename(1, "  what \n if ")
    assert history.current.name == "what if"


def test_two_branches_are_told_apart_job_by_job() -> None:
    history = begun("email.send", "email.send")
    first, second = sorted(job.id for job in history.timeline.world.engine.store.jobs())
    history.timeline.go_to(START + 500)
    history.act(worker_command(0, "kill", "demo-1"))
    history.timeline.advance(START + 2_000)
    main = history.branch(1).timeline
    main.go(main.end)
    found = history.compare(1, 2)
    assert [one.job_id for one in found] == [first, second]
    assert "state" in found[0].fields
    assert (found[0].one or {})["state"] == "completed"
    assert (found[0].other or {})["state"] == "active"
    assert found[1].other is None
    assert found[1].fields == []
    assert found[1].type == "email.send"
    assert history.compare(2, 2) == []
    with pytest.raises(NotFound):
        history.compare(1, 9)


def test_undo_and_redo_stop_at_their_ends() -> None:
    history = begun()
    assert not history.redo()
    for done in (2, 1, 0):
        assert history.undo()
        assert history.timeline.done == done
    assert not history.undo()
    for done in (1, 2, 3):
        assert history.redo()
        assert history.timeline.done == done
    assert not history.redo()


def test_time_goes_on_without_what_was_undone() -> None:
    history = begun()
    history.undo()
    history.undo()
    history.redo()
    history.resume()
    assert history.current.number == 2
    assert len(history.timeline.commands) == 2
    history.timeline.advance(START + 60_000)
    assert len(history.timeline.world.engine.store.jobs()) == 2


def test_what_is_all_redone_is_not_undone() -> None:
    history = begun()
    history.undo()
    history.redo()
    history.resume()
    assert history.current.number == 1


def test_who_only_looks_at_the_past_goes_on_with_its_future() -> None:
    history = begun()
    history.undo()
    history.moved()
    history.resume()
    assert history.current.number == 1
