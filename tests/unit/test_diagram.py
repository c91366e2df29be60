"""The diagram is drawn from the transition table: whole, and within its frame."""

from __future__ import annotations

import re

from engine.lifecycle import STATES, TRANSITIONS
from playground import diagram
from tests.unit.test_telling import finished_job


def test_every_state_has_a_place_and_no_other_has() -> None:
    assert diagram.PLACES.keys() == STATES.keys()


def test_every_move_of_the_table_has_one_curve_and_no_curve_stands_for_nothing() -> None:
    drawn = {(edge.source, edge.target) for edge in diagram.edges()}
    assert drawn == {(move.source, move.target) for move in TRANSITIONS if move.source}
    assert drawn == set(diagram._CURVES)
    assert sum(len(edge.moves) for edge in diagram.edges()) == sum(1 for move in TRANSITIONS if move.source)


def test_no_two_states_overlap() -> None:
    width, height = diagram.BOX
    places = list(diagram.PLACES.values())
    for index, (x, y) in enumerate(places):
        assert 0 <= x <= diagram.WIDTH - width
        assert 0 <= y <= diagram.HEIGHT - height
        assert all(abs(x - a) >= width or abs(y - b) >= height for a, b in places[index + 1 :])


def test_every_curve_stays_inside_the_picture() -> None:
    for edge in diagram.edges():
        x0, y0, *rest = (float(number) for number in re.findall(r"-?\d+", edge.path))
        (x1, y1), (x2, y2), (x3, y3) = (rest[i : i + 2] for i in (0, 2, 4))
        for step in range(21):
            t, u = step / 20, 1 - step / 20
            x = u**3 * x0 + 3 * u * u * t * x1 + 3 * u * t * t * x2 + t**3 * x3
            y = u**3 * y0 + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t**3 * y3
            assert -8 <= x <= diagram.WIDTH + 8, edge
            assert -8 <= y <= diagram.HEIGHT + 8, edge


def test_a_jobs_travels_are_its_moves() -> None:
    assert diagram.travelled(finished_job()) == {("available", "active"), ("active", "completed")}


def test_more_jobs_than_fit_are_not_drawn() -> None:
    jobs = [finished_job() for _ in range(diagram.SHOWN + 3)]
    assert len(diagram.dots(jobs, {"completed": 11})) == diagram.room(11)
    assert diagram.room(9) > diagram.room(11) > diagram.room(10_000) >= 3
