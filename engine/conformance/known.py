"""Published cases that no honest server can pass and whose defect cannot be computed from the case alone."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

KNOWN: Final = (
    ("L1-RTR-014", "it expects error types that none of its requests names"),
    ("EXT-ADM-00[1245]", "it asserts types with $type alone, which the case language does not have"),
    (
        "EXT-DLQ-00[1234]",
        "it relies on captured variables or on $type alone, which the case language does not have",
    ),
    ("EXT-ENC-00[!5]", "its paths spell metadata names that contain dots as if they were nested objects"),
    ("EXT-ENC-01*", "its paths spell metadata names that contain dots as if they were nested objects"),
    ("EXT-RL-003", "it relies on a captured variable, which the case language does not have"),
    ("L4-AGT-003", "it asserts a type with $type alone, which the case language does not have"),
    (
        "L4-ATT-*",
        "no published text defines attestation, and its steps use forms that the language does not have",
    ),
    ("L1-WASI-*", "it talks to routes that no published text defines, about capabilities that no server has"),
)
"""Patterns of case ids, each with what is wrong."""


def known_defect(case_id: str) -> str:
    """Why a case of this id cannot pass; empty when nothing is known against it."""
    return next((reason for pattern, reason in KNOWN if fnmatchcase(case_id, pattern)), "")
