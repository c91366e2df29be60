"""The tutorial: every step's goal is honest, and what an author gets wrong is said."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from jinja2 import FileSystemLoader

from engine.clock import ManualClock
from playground import resources
from playground.learn import proving
from playground.learn.course import Step, course, dump, load
from playground.learn.judge import judge, reader
from playground.learn.pages import DOING, SEEING
from playground.learn.stage import Stage, begin
from playground.learn.writing import StepError, read_course
from playground.render import environment
from playground.spec import render_all
from playground.travel.sandbox import Sandbox

COURSE = course()
FOLDER = resources.path("spec") / "learn"


@pytest.mark.parametrize("name", list(COURSE.steps))
def test_a_step_is_honest(name: str) -> None:
    """The beginning does not pass, the solution does, and each wrong turn gets its message and no other."""
    assert list(proving.problems(COURSE.step(name))) == []


def test_a_step_names_only_what_exists() -> None:
    documents = render_all(environment(FileSystemLoader(resources.path("templates"))))
    required = {one for document in documents.values() for one in document.requirements}
    assert proving.dangling(COURSE, required, {*DOING, *SEEING}) == []
    assert all(step.teaches for step in COURSE.steps.values())


def test_every_file_of_a_step_is_in_the_course() -> None:
    files = {path.stem for path in FOLDER.glob("*/*.md")}
    assert files == set(COURSE.steps)


def test_a_course_comes_back_as_it_was_kept() -> None:
    again = load(dump(COURSE))
    assert dump(again) == dump(COURSE)
    assert again.steps == {name: Step(*step) for name, step in again.steps.items()}


def test_next_on_the_fast_track_is_on_the_fast_track() -> None:
    fast = [step for step in COURSE.steps.values() if step.fast]
    assert COURSE.neighbours(fast[0], fast=True)[1] == fast[1]
    assert COURSE.neighbours(next(iter(COURSE.steps.values())))[0] is None


def copied(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """The tutorial with one change in one step's file."""
    folder = tmp_path / "learn"
    copytree(FOLDER, folder)
    (file,) = folder.glob(f"*/{name}.md")
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return folder


def checked(folder: Path, *words: str) -> int:
    parser = ArgumentParser()
    proving.add_arguments(parser)
    return proving.main(parser.parse_args(["check", *words, "--folder", str(folder)]))


BEGUN = """{"workers": 1, "end": 9000, "steps": [{"at": 0, "request": {"method": "POST", "path": "/ojs/v1/jobs",
 "body": {"type": "email.send", "args": []}}}]}"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '{"workers": 1}',
            BEGUN,
            "its beginning passes already",
        ),
        (
            '["user@example.com", "welcome"]}}},\n {"after": 3000}',
            '["user@example.com", "welcome"]}}},\n {"after": 300}',
            "its solution does not pass",
        ),
        ('"$none": {"type": "email.send"}', '"$none": {"type": "email.sent"}', "gets 0 messages"),
        (
            '"type": "email.sent", "args": []',
            '"type": "email.send", "args": []',
            "the wrong turn 'another-type' passes",
        ),
        ('{"workers": 1}', '{"workers": 99}', "it cannot be played"),
    ],
)
def test_a_step_that_is_not_honest_fails_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    assert checked(copied(tmp_path, "enqueue", old, new), "enqueue") == proving.FAILED
    told = capsys.readouterr().out
    assert said in told
    assert "0 of 1 steps are honest" in told


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Enqueue a job\n", "", "first-job/enqueue.md: its head lacks title"),
        ("do: job\n", "do: job\nmood: good\n", "'mood: good', which means nothing"),
        ("```hint\nThe draft", "```text\nThe draft", "it has 2 hints"),
        ('```start\n{"workers"', "```start\n{workers", "the block 'start ' is not JSON"),
        ('"missing": "Press Enqueue.", ', "", "enqueue.md: /goal/checks/0"),
        ("```wrong another-type", "```wrong Another", "enqueue.md: /wrong/0/name"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    assert checked(copied(tmp_path, "enqueue", old, new)) == proving.USAGE
    assert said in capsys.readouterr().err


def test_an_unknown_step_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(FOLDER, "nothing-like-it") == proving.USAGE
    assert "there is no step 'nothing-like-it'" in capsys.readouterr().err


def test_a_step_whose_scenario_no_longer_loads_keeps_its_text(tmp_path: Path) -> None:
    step = read_course(copied(tmp_path, "enqueue", '{"workers": 1}', '{"seed": -1}')).step("enqueue")
    assert "/seed" in step.broken
    assert "<strong>job</strong>" in step.html


def test_names_are_given_once(tmp_path: Path) -> None:
    folder = tmp_path / "learn"
    copytree(FOLDER, folder)
    index = json.loads((folder / "index.json").read_text())
    index["chapters"][0]["steps"].append("enqueue")
    (folder / "index.json").write_text(json.dumps(index))
    with pytest.raises(StepError, match="two steps 'enqueue'"):
        read_course(folder)


# judging


def sandbox() -> Sandbox:
    return Sandbox(ManualClock(0), lambda: 1)


def test_to_look_at_a_goal_is_nobody_s_exchange_and_changes_nothing() -> None:
    stage = Stage(COURSE.step("stop-time"))
    before = stage.session.exchanges.count
    judge(COURSE.step("stop-time").predicate, stage.read())
    assert stage.session.exchanges.count == before


def test_a_goal_counts_for_whichever_thing_fits_best() -> None:
    """A job that went wrong before does not spoil the one that goes right."""
    stage = Stage(COURSE.step("enqueue"))
    body = {"type": "email.send", "args": []}
    stage.act({"request": {"method": "POST", "path": "/ojs/v1/jobs", "body": body}})
    stage.act({"after": 3000})
    stage.act({"request": {"method": "POST", "path": "/ojs/v1/jobs", "body": body}})
    assert judge(COURSE.step("enqueue").predicate, stage.read()).passed


def test_what_is_missing_is_the_next_thing_to_do() -> None:
    step, stage = COURSE.step("enqueue"), Stage(COURSE.step("enqueue"))
    assert judge(step.predicate, stage.read()).missing.startswith("Press Enqueue: no job")
    stage.act(
        {"request": {"method": "POST", "path": "/ojs/v1/jobs", "body": {"type": "email.send", "args": []}}}
    )
    verdict = judge(step.predicate, stage.read())
    assert [held for _, held in verdict.rows] == [True, False, False]
    assert verdict.missing.startswith("The job waits.")


def test_a_reference_that_leads_nowhere_meets_nothing() -> None:
    check: dict[str, Any] = {
        "says": "s",
        "missing": "m",
        "path": "/ojs/v1/jobs/{{it.id}}",
        "assertions": {"status": 404},
    }
    assert not judge({"checks": [check]}, reader(sandbox())).passed


def test_a_step_leaves_the_visitor_s_own_session_as_it_is() -> None:
    session = sandbox()
    session.work("start")
    own = session.history
    begin(session, COURSE.step("enqueue"))
    assert session.attempt is not None
    session.leave()
    assert session.history is own
    assert session.attempt is None


def test_another_opening_ends_an_attempt() -> None:
    session = sandbox()
    begin(session, COURSE.step("enqueue"))
    session.open(session.timeline, "A lesson")
    assert session.attempt is None
    begin(session, COURSE.step("enqueue"))
    session.reset()
    assert session.attempt is None
