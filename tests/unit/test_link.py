"""Links: a moment in an address's fragment, and what is said of one that came to harm."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from engine.http.message import Request
from playground.travel.command import JSON_HEADERS, Command, dumped
from playground.travel.link import LONG, MAX_LINK, decode, encode
from playground.travel.scenario import MAX_TEXT, ScenarioError, record, write
from playground.travel.timeline import Origin, Timeline
from tests.conftest import START


def moment(jobs: int = 3) -> dict[str, Any]:
    """A short session."""
    timeline = Timeline(Origin(7, START, workers=1))
    for index in range(jobs):
        body = dumped({"type": "email.send", "args": [f"ä ☃ {index}"]})
        timeline.do(Command(0, "request", Request("POST", "/ojs/v1/jobs", JSON_HEADERS, body)))
        timeline.advance(timeline.now + 1_000)
    return record(timeline, title="A ☃", view="/play/jobs/x")


def packed(raw: bytes) -> str:
    """Any bytes as a link."""
    packer = zlib.compressobj(9, wbits=-15)
    return "s=1." + base64.urlsafe_b64encode(packer.compress(raw) + packer.flush()).decode().rstrip("=")


LINK = encode(moment())


@pytest.mark.parametrize(
    "before", ["", "#", "https://playground.example/play#", "  http://localhost:8080/?a=b#"]
)
def test_a_link_is_read_wherever_it_stands(before: str) -> None:
    assert decode(before + LINK) == moment()


def test_the_part_after_s_alone_is_a_link_too() -> None:
    assert decode(LINK.removeprefix("s=") + "\n") == moment()


def test_a_scenarios_own_text_is_read_as_it_is() -> None:
    assert decode(write(moment())) == moment()


def test_a_link_has_only_characters_that_every_program_leaves_alone() -> None:
    assert set(LINK.removeprefix("s=1.")) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_a_session_of_a_hundred_jobs_fits_into_a_short_link() -> None:
    assert len(encode(moment(100))) < LONG


def test_a_link_cut_off_anywhere_is_refused_in_words() -> None:
    for length in range(len(LINK)):
        with pytest.raises(ScenarioError) as caught:
            decode(LINK[:length])
        assert 20 < len(caught.value.message) < 300


@pytest.mark.parametrize("place", range(4, len(LINK), 7))
def test_a_damaged_character_never_breaks_anything(place: int) -> None:
    """DEFLATE has no checksum, so some damage is not noticed; what is read is a scenario all the same."""
    for other in "A_9":
        try:
            found = decode(LINK[:place] + other + LINK[place + 1 :])
        except ScenarioError:
            continue
        assert found["format"] == "ojs-playground-scenario"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no link of the playground"),
        ("hello", "no link of the playground"),
        ("https://playground.example/play", "no link of the playground"),
        ("#s=1.abc def", "no link of the playground"),
        ("#s=1.<script>", "no link of the playground"),
        ("s=2.AAAA", "version 2; this playground reads version 1"),
        ("s=999.AAAA", "version 999"),
        ("s=1.", "cut off"),
        ("s=1.A", "damaged"),
        ("s=1.____", "damaged"),
        ("s=1." + "A" * MAX_LINK, "524,292 characters; the limit is 524,288"),
        (packed(b"\xff\xfe"), "damaged"),
        (packed(b"[]"), "not a scenario"),
        (packed(b"null"), "not a scenario"),
        (packed(b""), "not JSON"),
        (packed(b"[" * 1_000_000), "nested too deeply"),
        (packed(b" " * (4 * MAX_TEXT + 1)), "unpacks to more than"),
        (packed(b" " * (200 << 20)), "unpacks to more than"),
        (packed(b" " * (MAX_TEXT + 1)), "limit is 8,388,608"),
        (packed(json.dumps(moment() | {"version": 9}).encode()), "version 9"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_no_link_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        decode(text)
    assert message in caught.value.message
