"""One text for each JSON value (RFC 8785)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from engine.canonical import canonical, fingerprint


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [2, {"d": None, "c": True}]}, '{"a":[2,{"c":true,"d":null}],"b":1}'),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
        (123456789.125, "123456789.125"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (10**30, "1" + "0" * 30),
        (False, "false"),
        ('a\u2028"\\\n\u001f/é', '"a\u2028\\"\\\\\\n\\u001f/é"'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_values_have_the_text_that_the_rfc_gives_them(value: Any, text: str) -> None:
    assert canonical(value) == text


def test_names_sort_by_utf16_code_units() -> None:
    """An emoji, a surrogate pair, goes before U+E000 (RFC 8785 3.2.3)."""
    assert canonical({"\ue000": 1, "\U0001f600": 2, "1": 3}) == '{"1":3,"\U0001f600":2,"\ue000":1}'


def test_strings_equal_in_form_nfc_have_one_fingerprint() -> None:
    assert fingerprint({"caf\u00e9": "e\u0301"}) == fingerprint({"cafe\u0301": "\u00e9"})


def test_the_fingerprint_is_sha256_in_lower_case_hexadecimal() -> None:
    assert fingerprint({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()


def test_a_lone_surrogate_has_a_fingerprint_too() -> None:
    assert len(fingerprint("\ud800")) == 64
