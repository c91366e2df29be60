"""The library of scenarios: each lesson is valid, plays, keeps what it promises, and could fail to."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.conformance.expect import Answer, check
from engine.conformance.target import Exchange
from engine.http.message import Request
from playground import resources
from playground.travel import library
from playground.travel.digest import digest
from playground.travel.link import decode, encode
from playground.travel.scenario import Outcome, Player, ScenarioError, read, record, write
from playground.travel.timeline import Timeline

FOLDER = Path(resources.path("spec")) / "scenarios"
FILES = sorted(
    (path for path in FOLDER.glob("*.json") if path.stem not in {"index", "schema"}),
    key=lambda path: path.stem,
)
CLAUSE = re.compile(r"OJS [A-Z][A-Za-z ]+ \d+(\.\d+)*\Z")
UNSEEN = ({"do": "repeat-ack", "id": "demo-1"},)
"""What changes nothing that a client can see, which is its lesson."""
LESSONS = 24
"""Fewest lessons that the library must have."""


def lesson(path: Path) -> dict[str, Any]:
    return read(path.read_text(encoding="utf-8"))


def played(scenario: Mapping[str, Any]) -> tuple[Timeline, list[Outcome]]:
    player = Player(scenario)
    return player.finish(), player.outcomes


def broken(scenario: Mapping[str, Any]) -> bool:
    """Whether a scenario breaks a promise, or cannot even be played."""
    try:
        return any(one.problem for one in played(scenario)[1])
    except ScenarioError:
        return True


def test_the_library_lists_every_file_once() -> None:
    assert sorted(library.names()) == [path.stem for path in FILES]
    assert len(FILES) >= LESSONS
    assert all(chapter.title and chapter.summary for chapter in library.chapters())
    titles = [library.lesson(name)["title"] for name in library.names()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lesson_is_whole(path: Path) -> None:
    scenario = lesson(path)
    assert scenario["name"] == path.stem
    assert scenario["title"]
    assert re.fullmatch(r"[^\n]+\.", scenario["summary"]), "one sentence"
    assert 2 <= len(re.findall(r"[.?!](?=\s|$)", scenario["notes"])) <= 8, "a few short sentences"
    assert scenario["clauses"]
    assert all(CLAUSE.match(clause) for clause in scenario["clauses"])
    assert len({one["at"] for one in scenario["expect"]}) >= 2, "expectations at different instants"
    assert scenario["cursor"]["at"] < scenario["end"], "the visitor has a future to step through"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lesson_keeps_its_promises(path: Path) -> None:
    timeline, outcomes = played(lesson(path))
    assert [one for one in outcomes if one.problem] == []
    assert timeline.past


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lesson_is_the_same_after_a_link_and_after_a_recording(path: Path) -> None:
    scenario = lesson(path)
    timeline, _ = played(scenario)
    expected = digest(timeline.world)
    assert decode(encode(scenario)) == scenario
    assert digest(played(decode(encode(scenario)))[0].world) == expected
    assert digest(played(read(write(record(timeline))))[0].world) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_step_of_a_lesson_is_superfluous(path: Path) -> None:
    """Without it a promise is broken; a step that promises something itself is its own proof."""
    scenario = lesson(path)
    for index, step in enumerate(scenario["steps"]):
        if "assertions" not in step and step.get("worker") not in UNSEEN:
            steps = [one for place, one in enumerate(scenario["steps"]) if place != index]
            assert broken({**scenario, "steps": steps}), f"nothing notices that step {index + 1} is missing"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_expectation_could_fail(path: Path) -> None:
    """Somewhere in its own story, what an expectation reads is there and other than expected."""
    scenario = lesson(path)
    player = Player(scenario)
    timeline = player.finish()
    moments = sorted({one.event.time for one in timeline.seen} | {timeline.end.now})
    for expectation in scenario["expect"]:
        path_, wanted = player._filled(expectation["path"], ""), player._filled(expectation["assertions"], "")
        assert any(refuted(timeline, instant, path_, wanted) for instant in moments), expectation["says"]


def refuted(timeline: Timeline, instant: int, path: str, wanted: Mapping[str, Any]) -> bool:
    """Whether at an instant an answer has the status, but not the content that is expected."""
    timeline.go_to(instant)
    request = Request("GET", path)
    answer = Answer(Exchange(request, timeline.world.handle(request), "", instant, 0))
    failed = {one.subject for one in check(wanted, answer) if not one.passed}
    return bool(failed) and "status" not in failed


def answers(scenario: Mapping[str, Any]) -> Iterator[int]:
    for index, step in enumerate(scenario["steps"]):
        if "assertions" in step:
            yield index


@pytest.mark.parametrize(
    "path", [path for path in FILES if any(answers(lesson(path)))], ids=lambda path: path.stem
)
def test_what_a_step_says_of_its_answer_is_checked(path: Path) -> None:
    for index in answers(lesson(path)):
        wrong = copy.deepcopy(lesson(path))
        wrong["steps"][index]["assertions"]["status"] = 418
        assert [one.problem for one in played(wrong)[1] if one.problem] == [
            f"status: expected 418, got {status(wrong, index)}"
        ]


def status(scenario: Mapping[str, Any], index: int) -> int:
    """The status that a step is answered with."""
    found: list[int] = []
    player = Player(scenario)
    handle = player.timeline.do

    def heard(command: Any) -> Any:
        response = handle(command)
        if response is not None:
            found.append(response.status)
        return response

    player.timeline.do = heard  # type: ignore[method-assign]
    player.finish()
    requests = [place for place, step in enumerate(scenario["steps"]) if "request" in step]
    return found[requests.index(index)]


def test_an_assertion_about_an_answer_needs_a_request_and_a_note() -> None:
    scenario = lesson(FILES[0])
    step: dict[str, Any] = {"at": 0, "assertions": {"status": 200}, "worker": {"do": "start"}, "note": "x"}
    with pytest.raises(ScenarioError, match=r"/steps/0"):
        read(json.dumps({**scenario, "steps": [step]}))


def test_nothing_else_is_in_the_library() -> None:
    with pytest.raises(Exception, match="no scenario"):
        library.lesson("../rulings")
    with pytest.raises(Exception, match="no scenario"):
        library.lesson("schema")
